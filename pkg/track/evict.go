package track

import "oxymoq/pkg/model"

// eviction is why objects leave the log.
type eviction uint8

const (
	evictAge     eviction = iota // the track has a newer group too many
	evictMemory                  // the budget of all tracks is overdrawn
	evictEpoch                   // a new epoch begins
	evictPurge                   // somebody wished it
	evictExpired                 // it was held for as long as it may be
)

// evicted counts objects that left.
func (t *Track) evicted(n int, why eviction) {
	c := t.counters
	c.Evicted.Add(uint64(n))
	switch why {
	case evictAge:
		c.EvictedAge.Add(uint64(n))
	case evictMemory:
		c.EvictedMem.Add(uint64(n))
	case evictPurge:
		c.Purged.Add(uint64(n))
	case evictExpired:
		c.Expired.Add(uint64(n))
	}
}

// payDebt evicts after n bytes were appended: groups beyond MaxGroups, then, if
// the budget is overdrawn, as much as this track added to it.
func (t *Track) payDebt(n int64) {
	if d, ok := t.age.Get(); ok {
		t.expire(d / expireSlack)
	}
	for len(t.groups) > t.maxGroups {
		i := t.oldestEvictable()
		if i < 0 {
			if len(t.groups) <= 2*t.maxGroups {
				break
			}
			i = 0 // even with a writer: it will find the group gone
		}
		t.evictGroup(i, evictAge)
	}
	b := t.account.budget
	if !b.Over() {
		t.debt = 0
		return
	}
	t.debt += n
	for t.debt > 0 && b.Over() {
		i := t.oldestEvictable()
		if i < 0 {
			break
		}
		before := t.account.held.Load()
		t.evictGroup(i, evictMemory)
		t.debt -= before - t.account.held.Load()
	}
	if b.overHard() {
		t.cutFronts()
	}
}

// oldestEvictable returns the place of the oldest group that nobody writes and
// that is not the newest, or -1.
func (t *Track) oldestEvictable() int {
	for i := range len(t.groups) - 1 {
		if t.groups[i].writers == 0 {
			return i
		}
	}
	return -1
}

// cutFronts drops the oldest bytes of groups that are being written, until the
// hard limit is met or only the newest chunk of each run is left.
func (t *Track) cutFronts() {
	b := t.account.budget
	for _, g := range t.groups {
		cut := len(g.fetched) > 0
		t.dropFetched(g, evictMemory)
		for _, r := range g.runs {
			woken := false
			for b.overHard() && r.trim() > 0 {
				cut, woken = true, true
			}
			if woken {
				r.waiting.moveTo(&t.waking)
			}
		}
		if cut {
			t.forget(wholeGroup(g.id))
			t.evictions++
		}
		if !b.overHard() {
			break
		}
	}
	t.compact()
}

// dropFetched evicts what was fetched of a group.
func (t *Track) dropFetched(g *group, why eviction) {
	for _, r := range g.fetched {
		for _, e := range r.index {
			g.lose(e.id)
		}
		r.evict(why)
	}
	g.fetched = nil
}

// wholeGroup returns the first and the last location of a group.
func wholeGroup(id uint64) (lo, hi model.Location) {
	return model.Location{Group: id}, model.Location{Group: id, Object: model.MaxID}
}

// evictGroup removes a group from the log and from what is known.
func (t *Track) evictGroup(i int, why eviction) {
	g := t.groups[i]
	t.groups = append(t.groups[:i], t.groups[i+1:]...)
	g.evicted = true
	for _, r := range g.runs {
		if r.state != runEvicted {
			t.dead += max(1, len(r.index)) // an announcement each, if of datagrams
		}
		r.evict(why)
	}
	for _, r := range g.fetched {
		r.evict(why)
	}
	for _, s := range g.subgroups {
		s.run = nil
	}
	t.forget(wholeGroup(g.id))
	t.live.remove(wholeGroup(g.id))
	if g.live && t.evictedUpTo.Or(0) <= g.id {
		t.evictedUpTo = model.Some(g.id)
	}
	t.evictions++
	t.account.add(-groupCost - subgroupCost*int64(len(g.subgroups)))
	t.counters.LogGroups.Add(-1)
	t.compact()
}
