package moqtest

// suite50 is moxygen's conformance_test.sh of August 2026, with the FETCH cases
// that it leaves out by default.
func suite50() []section {
	return []section{
		{"forwarding preferences", []Case{
			subscribe("basic subscription with default parameters", SubgroupPerGroup, 2, 5),
			subscribe("one subgroup per object", SubgroupPerObject, 2, 5),
			subscribe("two subgroups per group", TwoSubgroups, 2, 6),
			subscribe("datagrams with small objects", Datagrams, 2, 5, sizes(100, 50)),
			fetch("FETCH with one subgroup per group", SubgroupPerGroup, 2, 3),
			fetch("FETCH with one subgroup per object", SubgroupPerObject, 1, 4),
			fetch("FETCH with two subgroups per group", TwoSubgroups, 1, 6),
			fetch("FETCH with datagrams", Datagrams, 1, 3, sizes(80, 40)),
		}},
		{"counts and ranges", []Case{
			subscribe("single object per group", SubgroupPerGroup, 3, 1),
			subscribe("many objects per group", SubgroupPerGroup, 1, 20),
			subscribe("single group with 10 objects", SubgroupPerObject, 0, 10),
			subscribe("start from group 5", SubgroupPerGroup, 7, 3, startGroup(5)),
			subscribe("start from object 3", SubgroupPerGroup, 1, 8, startObject(3)),
			subscribe("partial group", SubgroupPerGroup, 1, 10, lastObject(5)),
			fetch("FETCH of a specific range", SubgroupPerGroup, 4, 5, startGroup(2), startObject(1)),
			fetch("FETCH of few objects", SubgroupPerObject, 0, 5, lastObject(1)),
		}},
		{"object sizes", []Case{
			subscribe("tiny objects", SubgroupPerGroup, 2, 5, sizes(10, 10)),
			subscribe("large object 0", SubgroupPerGroup, 1, 3, sizes(10240, 100)),
			subscribe("large objects but the first", SubgroupPerObject, 1, 4, sizes(1024, 5120)),
			subscribe("all objects large", SubgroupPerGroup, 1, 3, sizes(8192, 8192)),
			subscribe("mixed sizes with two subgroups per group", TwoSubgroups, 1, 6, sizes(2048, 512)),
			subscribe("single byte objects", SubgroupPerGroup, 1, 5, sizes(1, 1)),
			fetch("FETCH with large objects", SubgroupPerGroup, 1, 3, sizes(4096, 4096)),
			subscribe("very different object sizes", SubgroupPerObject, 1, 5, sizes(10000, 50)),
		}},
		{"increments", []Case{
			subscribe("group increment of 2", SubgroupPerGroup, 4, 3, groupStep(2)),
			subscribe("group increment of 5", SubgroupPerGroup, 20, 3, startGroup(10), groupStep(5)),
			subscribe("object increment of 2", SubgroupPerObject, 1, 8, objectStep(2)),
			subscribe("object increment of 3", SubgroupPerGroup, 1, 9, objectStep(3)),
			subscribe("group and object increment of 2", TwoSubgroups, 4, 6, groupStep(2), objectStep(2)),
			subscribe("large increments", SubgroupPerGroup, 20, 15, groupStep(10), objectStep(5)),
		}},
		{"end of group", []Case{
			subscribe("END_OF_GROUP", SubgroupPerGroup, 2, 5, marked),
			subscribe("END_OF_GROUP with one subgroup per object", SubgroupPerObject, 2, 4, marked),
			subscribe("END_OF_GROUP with two subgroups per group", TwoSubgroups, 2, 6, marked),
			fetch("FETCH with END_OF_GROUP", SubgroupPerGroup, 2, 3, marked),
			subscribe("END_OF_GROUP with object increment", SubgroupPerGroup, 1, 8, objectStep(2), marked),
			subscribe("END_OF_GROUP with a single object", SubgroupPerGroup, 3, 1, marked),
		}},
		{"properties", []Case{
			subscribe("integer property", SubgroupPerGroup, 1, 5, integer(1)),
			subscribe("property of bytes", SubgroupPerGroup, 1, 5, variable(1)),
			subscribe("both properties", SubgroupPerGroup, 1, 5, integer(1), variable(1)),
			subscribe("properties with larger types", SubgroupPerObject, 1, 4, integer(5), variable(3)),
			fetch("FETCH with properties", SubgroupPerGroup, 1, 3, integer(2), variable(2)),
			subscribe("properties with END_OF_GROUP", SubgroupPerGroup, 2, 4, integer(1), variable(1), marked),
		}},
		{"time and quantity", []Case{
			subscribe("high frequency", SubgroupPerGroup, 2, 5, every(100)),
			subscribe("low frequency", SubgroupPerGroup, 1, 3, every(2000)),
			subscribe("all features combined", TwoSubgroups, 14, 8, startGroup(10), startObject(2), groupStep(2), objectStep(2),
				sizes(2048, 512), marked, integer(1), variable(1)),
			subscribe("many groups and objects", SubgroupPerGroup, 10, 15, every(100)),
			subscribe("sparse groups", SubgroupPerGroup, 500, 3, startGroup(100), groupStep(100)),
			subscribe("delivery timeout of the subscriber", SubgroupPerGroup, 2, 5, subscriberTimeout(500)),
			subscribe("delivery timeout of the publisher", SubgroupPerGroup, 2, 5, publisherTimeout(1000)),
			subscribe("rapid datagrams", Datagrams, 5, 10, sizes(64, 32), every(50)),
		}},
	}
}
