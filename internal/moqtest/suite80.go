package moqtest

import "oxymoq/pkg/model"

// suite80 is the suite of moxygen 1d1a044f. Its sections up to the seventh are
// those of the older one but for what is changed here.
func suite80() []section {
	s := suite50()
	s[1].cases[0] = subscribe("single object per group, in datagrams", Datagrams, 3, 1, lastObject(0))
	s[2].cases[4] = subscribe("mixed sizes with two subgroups per group", TwoSubgroups, 1, 6, startObject(3), sizes(2048, 512))
	s[3].cases = append(s[3].cases,
		subscribe("datagrams with increments", Datagrams, 6, 4, startGroup(2), groupStep(2), objectStep(2)),
		subscribe("one subgroup per object with gaps", SubgroupPerObject, 9, 4, startGroup(3), groupStep(3), objectStep(2), integer(1)),
		subscribe("two subgroups per group with gaps", TwoSubgroups, 4, 6, startObject(3), groupStep(2), objectStep(2), lastObject(11), integer(1)),
		subscribe("datagrams with gaps", Datagrams, 6, 4, startGroup(2), groupStep(2), objectStep(2), integer(1)),
	)
	s[4].cases[2] = subscribe("END_OF_GROUP with two subgroups per group", TwoSubgroups, 2, 6, startObject(3), marked)
	s[4].cases = append(s[4].cases,
		subscribe("END_OF_GROUP with datagrams and properties", Datagrams, 2, 4, integer(1), variable(1), marked))
	s[5].cases[1] = subscribe("property of bytes, in datagrams", Datagrams, 5, 1, lastObject(0), variable(1))
	s[5].cases[2] = subscribe("both properties with two subgroups per group", TwoSubgroups, 1, 6, startObject(3), integer(1), variable(1))
	s[6].cases[2] = subscribe("all features combined", TwoSubgroups, 13, 8, startGroup(10), startObject(3), groupStep(3), objectStep(2),
		lastObject(17), sizes(2048, 512), marked, integer(1), variable(1))
	s[6].cases[7] = subscribe("rapid datagrams", Datagrams, 5, 10, sizes(64, 32), every(50), integer(1), variable(1))
	return append(s, offers(), ranges(), joins())
}

func offers() section {
	offer := func(name string, f Forwarding, perGroup uint64, changes ...change) Case {
		return tracked(Publish, name, f, 2, perGroup, changes...)
	}
	first := func(a *Ask) { a.PublishFirst = true }
	return section{"PUBLISH", []Case{
		offer("PUBLISH with one subgroup per group", SubgroupPerGroup, 5),
		offer("PUBLISH with one subgroup per object", SubgroupPerObject, 5),
		offer("PUBLISH with two subgroups per group", TwoSubgroups, 6),
		offer("PUBLISH with datagrams", Datagrams, 5, sizes(100, 50)),
		offer("PUBLISH with END_OF_GROUP", SubgroupPerGroup, 4, marked),
		offer("PUBLISH with both properties", SubgroupPerGroup, 4, integer(1), variable(1)),
		offer("PUBLISH before SUBSCRIBE_TRACKS", SubgroupPerGroup, 5, first),
		offer("PUBLISH before SUBSCRIBE_TRACKS with datagrams", Datagrams, 5, sizes(100, 50), first),
	}}
}

// ranges asks for overlapping ranges of one track, so that what a relay has from
// the first requests answers a part of those that follow.
func ranges() section {
	s := section{name: "FETCH ranges"}
	for _, m := range []struct {
		lane, suffix string
		last         uint64
		change       change
	}{
		{"ranges", "", 9, func(*Ask) {}},
		{"marked ranges", " with END_OF_GROUP", 10, marked},
	} {
		for _, r := range []struct {
			name       string
			start, end uint64 // groups
		}{
			{"FETCH of a group (C)", 2, 2},
			{"FETCH of a group and the one before it (B-C)", 1, 2},
			{"FETCH of a group and the one after it (C-D)", 2, 3},
			{"FETCH of all groups (A-E)", 0, 4},
		} {
			c := fetch(r.name+m.suffix, SubgroupPerGroup, 4, 10, lastObject(m.last), m.change, func(a *Ask) {
				a.Range = model.Range{Start: model.Location{Group: r.start}, End: model.Location{Group: r.end, Object: m.last}}
			})
			c.Lane = m.lane
			s.cases = append(s.cases, c)
		}
	}
	return s
}

func joins() section {
	join := func(name string, f Forwarding, from JoinFrom, changes ...change) Case {
		return tracked(Join, name, f, 15, 5, append(changes, objectStep(2), func(a *Ask) { a.From = from })...)
	}
	start := JoinFrom{}
	return section{"joining FETCH", []Case{
		join("join from the start", SubgroupPerGroup, start),
		join("join two groups back", SubgroupPerGroup, JoinFrom{Relative: true, Group: 2}),
		join("join from group 3", SubgroupPerGroup, JoinFrom{Group: 3}),
		join("join with one subgroup per object", SubgroupPerObject, start),
		join("join with two subgroups per group", TwoSubgroups, start),
		join("join with datagrams", Datagrams, start, sizes(100, 50)),
		join("join with END_OF_GROUP", SubgroupPerGroup, start, marked),
		join("join with both properties", SubgroupPerGroup, start, integer(1), variable(1)),
		join("join a track that has not begun", SubgroupPerGroup, JoinFrom{Fresh: true}),
	}}
}
