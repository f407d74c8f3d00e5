package track

import (
	"sort"
	"time"

	"oxymoq/pkg/model"
)

// MaxSubgroups is how many subgroups of one group, and how many runs of one
// subgroup, are held at most.
const MaxSubgroups = 1 << 16

// group is what is known of one group. Guarded by Track.mu.
type group struct {
	id        uint64
	born      time.Time // when it began here
	subgroups map[uint64]*subgroup
	runs      []*Run // of live objects, in order of opening
	fetched   []*Run // of objects that are not announced

	seen    idSet // objects that came live, also those that were cut off since
	stored  idSet // objects that are only in fetched
	lost    idSet // of these, the ones that are no longer held
	end     model.Opt[uint64]
	writers int  // open ones
	live    bool // came live, not only by fetching
	evicted bool
}

// subgroup is what is known of one subgroup. Guarded by Track.mu.
type subgroup struct {
	id       uint64
	priority model.Opt[uint8]
	run      *Run // the one that is open, if any
	runs     int
	writers  []*Writer
	asides   int // objects that wait in writers
	end      model.Opt[uint64]
}

// groupAt returns the place of the group in Track.groups, and whether it is there.
func (t *Track) groupAt(id uint64) (int, bool) {
	n := len(t.groups)
	if n == 0 || t.groups[n-1].id < id {
		return n, false
	}
	i := sort.Search(n, func(i int) bool { return t.groups[i].id >= id })
	return i, t.groups[i].id == id
}

// lookup returns the group, nil if it is not held.
func (t *Track) lookup(id uint64) *group {
	if i, ok := t.groupAt(id); ok {
		return t.groups[i]
	}
	return nil
}

// hold returns the group, making it if need be.
func (t *Track) hold(id uint64) *group {
	i, ok := t.groupAt(id)
	if ok {
		return t.groups[i]
	}
	g := &group{id: id, born: time.Now(), subgroups: make(map[uint64]*subgroup)}
	t.groups = append(t.groups, nil)
	copy(t.groups[i+1:], t.groups[i:])
	t.groups[i] = g
	t.account.add(groupCost)
	t.counters.Groups.Add(1)
	t.counters.LogGroups.Add(1)
	return g
}

// admitLive returns the group for live objects, or ErrEvicted if it was evicted
// before: the second copy of an object that is gone must not look new.
func (t *Track) admitLive(id uint64) (*group, error) {
	g := t.lookup(id)
	if g == nil || !g.live {
		if top, ok := t.evictedUpTo.Get(); ok && id <= top {
			t.counters.Late.Add(1)
			return nil, ErrEvicted
		}
		g = t.hold(id)
		g.live = true
	}
	return g, nil
}

// find returns a held object and its run.
func (g *group) find(id uint64) (*Run, *entry) {
	for _, runs := range [...][]*Run{g.runs, g.fetched} {
		for i := len(runs) - 1; i >= 0; i-- { // newest first: duplicates are of what is being written
			if e := runs[i].find(id); e != nil && e.seq != unfinished {
				return runs[i], e
			}
		}
	}
	return nil, nil
}

// held reports whether the object is in the log.
func (g *group) held(id uint64) bool {
	x := objectID(id)
	return (g.seen.contains(x) || g.stored.contains(x)) && !g.lost.contains(x)
}

// lose records that an object of the group is no longer held.
func (g *group) lose(id uint64) { g.lost.add(objectID(id), objectID(id)) }

// largest returns the largest ID that was seen.
func (g *group) largest() (uint64, bool) {
	var top objectID
	ok := false
	for _, s := range [...]*idSet{&g.seen, &g.stored} {
		if n := len(s.spans); n > 0 {
			top, ok = max(top, s.spans[n-1].hi), true
		}
	}
	return uint64(top), ok
}

// openRun makes a run; announced tells cursors.
func (t *Track) openRun(g *group, key SubgroupKey, info SubgroupInfo, datagram, announced bool) *Run {
	r := &Run{track: t, group: g, epoch: t.epoch, key: key, info: info, datagram: datagram, log: byteLog{account: &t.account}}
	t.account.add(runCost)
	if announced {
		g.runs = append(g.runs, r)
		t.counters.Subgroups.Add(1)
		if !datagram {
			t.announce(announcement{run: r})
		}
	} else {
		g.fetched = append(g.fetched, r)
	}
	return r
}

// storeRun returns a run that is not announced and can take the object next.
func (t *Track) storeRun(g *group, key SubgroupKey, info SubgroupInfo, datagram bool, id uint64) *Run {
	for i := len(g.fetched) - 1; i >= 0; i-- {
		r := g.fetched[i]
		if r.key == key && r.datagram == datagram && r.info.Form == info.Form && r.info.Priority == info.Priority {
			if last := r.last(); datagram || last == nil || last.id < id {
				return r
			}
		}
	}
	r := t.openRun(g, key, info, datagram, false)
	r.first = FirstNo
	return r
}

// compare checks another copy of an object that is held.
func (t *Track) compare(g *group, h ObjectHeader, datagram bool, subgroupID uint64, priority model.Opt[uint8]) error {
	r, e := g.find(h.ID)
	if r == nil {
		return nil // cut off since: nothing to compare with
	}
	l := model.Location{Group: g.id, Object: h.ID}
	switch had := uint64(e.end-e.start) - uint64(e.head); {
	case r.datagram != datagram:
		return malformed(l, "came in a datagram and on a stream")
	case !datagram && r.key.Subgroup != subgroupID:
		return malformed(l, "came in subgroups %d and %d", r.key.Subgroup, subgroupID)
	case e.status != h.Status:
		return malformed(l, "came with statuses %v and %v", e.status, h.Status)
	case had != h.PayloadLen:
		return malformed(l, "came with payloads of %d and %d bytes", had, h.PayloadLen)
	case t.effective(r.info.Priority) != t.effective(priority):
		return malformed(l, "came with priorities %d and %d", t.effective(r.info.Priority), t.effective(priority))
	}
	return nil
}
