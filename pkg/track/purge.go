package track

// Purge forgets the objects of the log, at the wish of somebody outside. What is
// known of the track stays, and so do cursors: readers go on with what comes. Who
// was behind finds ReadPurged.
//
// Groups leave altogether but for the newest and those that are being written,
// which would refuse what belongs to them otherwise. Of a run that is being written
// the newest object stays in memory, because the header of the next one builds on
// it, but not for fetches. It returns how many objects left.
func (t *Track) Purge() (objects uint64) {
	t.mu.Lock()
	defer t.unlock()
	before := t.counters.Purged.Load()
	newest := len(t.groups) - 1
	for i := newest; i >= 0; i-- {
		if g := t.groups[i]; i == newest || g.writers > 0 {
			t.hollow(g)
		} else {
			t.evictGroup(i, evictPurge)
		}
	}
	t.evictions++
	t.compact()
	return t.counters.Purged.Load() - before
}

// hollow drops the objects of a group that goes on.
func (t *Track) hollow(g *group) {
	t.dropFetched(g, evictPurge)
	for _, r := range g.runs {
		switch {
		case r.state == runEvicted:
		case r.state == runOpen:
			r.hollow()
		default:
			t.dead++
			r.evict(evictPurge)
		}
	}
	for _, sp := range g.seen.spans {
		g.lost.add(sp.lo, sp.hi)
	}
	t.forget(wholeGroup(g.id))
}

// hollow drops the objects of a run that is being written: of datagrams all, else
// all but the newest.
func (r *Run) hollow() {
	t := r.track
	n, edge := len(r.index), r.log.end+1
	if !r.datagram {
		if n < 2 {
			return
		}
		n--
		edge = r.index[n].start
		r.cutID, r.cutSeq = r.index[n-1].id, r.index[n-1].seq
	} else {
		t.dead += n
	}
	r.index = r.index[n:]
	r.trimmed += n
	r.purged = r.trimmed
	t.account.add(-entryCost * int64(n))
	t.evicted(n, evictPurge)
	r.log.dropBefore(edge)
	r.waiting.moveTo(&t.waking)
}
