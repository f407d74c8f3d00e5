package track

import (
	"time"

	"oxymoq/pkg/model"
)

// knowledge is what the log can say of a location.
type knowledge uint8

const (
	unknown knowledge = iota // it may exist, and the log does not have it
	held                     // the object is in the log
	absent                   // there is no such object
)

// Covered reports whether the range, up to the largest location, can be served
// from the log alone: every object in it is held or known not to exist. Within
// a live subscription a group ID that was jumped over does not exist; an object
// ID does only if the publisher or a completed fetch said so.
func (t *Track) Covered(r model.Range) bool {
	t.mu.Lock()
	defer t.unlock()
	t.expire(0)
	top, ok := t.largest.Get()
	if !ok || top.Less(r.Start) {
		return false
	}
	if top.Less(r.End) {
		r.End = top
	}
	return t.covered(r.Start, r.End)
}

// HasSilent reports whether the log holds objects of subgroups in the range that
// fetches have brought and subscribers were not told of.
func (t *Track) HasSilent(r model.Range) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, _ := t.groupAt(r.Start.Group)
	for ; i < len(t.groups) && t.groups[i].id <= r.End.Group; i++ {
		g := t.groups[i]
		for _, run := range g.fetched {
			if run.datagram {
				continue // they are not for later subscribers
			}
			for _, e := range run.index {
				if r.Contains(model.Location{Group: g.id, Object: e.id}) && !g.seen.contains(objectID(e.id)) {
					return true
				}
			}
		}
	}
	return false
}

// Missing returns the range from the first location to the last of those in r of
// which nothing is known, if there are any. Other than for Covered, what lies beyond
// the largest location counts.
func (t *Track) Missing(r model.Range) (missing model.Range, some bool) {
	t.mu.Lock()
	defer t.unlock()
	t.expire(0)
	for from := r.Start; !r.End.Less(from); {
		k, through := t.classify(from)
		if r.End.Less(through) {
			through = r.End
		}
		if k == unknown {
			if !some {
				missing.Start, some = from, true
			}
			missing.End = through
		}
		if !through.Less(r.End) {
			break
		}
		from = through.Next()
	}
	return missing, some
}

func (t *Track) covered(from, to model.Location) bool {
	for !to.Less(from) {
		k, through := t.classify(from)
		if k == unknown {
			return false
		}
		if !through.Less(to) {
			break
		}
		from = through.Next()
	}
	return true
}

// classify returns what is known of l, and how far the same holds.
func (t *Track) classify(l model.Location) (knowledge, model.Location) {
	i, here := t.groupAt(l.Group)
	var g *group
	if here {
		g = t.groups[i]
		if hi, ok := g.heldThrough(l.Object); ok {
			return held, model.Location{Group: l.Group, Object: hi}
		}
	}
	next := t.nextHeld(i, l) // the same does not hold there
	for _, s := range [...]*placeSet{&t.known, &t.absent} {
		if sp, ok := s.covering(l); ok {
			return absent, before(sp.hi, next)
		}
	}
	if end, ok := t.end.Get(); ok && !l.Less(end) {
		return absent, model.Forever
	}
	_, groupEnd := wholeGroup(l.Group)
	if here {
		if end, ok := t.groupEnd(i); ok && l.Object >= end {
			return absent, groupEnd
		}
	} else if sp, ok := t.live.covering(l); ok && i < len(t.groups) && t.settled(t.groups[i]) {
		return absent, before(sp.hi, model.Some(model.Location{Group: t.groups[i].id}))
	}
	through := before(groupEnd, next)
	if !here { // up to where anything is known again
		through = before(model.Forever, next)
		for _, s := range [...]*placeSet{&t.known, &t.absent, &t.live} {
			if sp, ok := s.after(l); ok {
				through = before(through, model.Some(sp.lo))
			}
		}
	} else {
		for _, s := range [...]*placeSet{&t.known, &t.absent} {
			if sp, ok := s.after(l); ok {
				through = before(through, model.Some(sp.lo))
			}
		}
	}
	return unknown, through
}

// before returns the smaller of l and the location before next.
func before(l model.Location, next model.Opt[model.Location]) model.Location {
	if n, ok := next.Get(); ok && !l.Less(n) {
		return n.Prev()
	}
	return l
}

// nextHeld returns the first held location after l; i is the place of l's group
// or of the one after.
func (t *Track) nextHeld(i int, l model.Location) model.Opt[model.Location] {
	from := uint64(0)
	if i < len(t.groups) && t.groups[i].id == l.Group {
		if l.Object == model.MaxID {
			i++
		} else {
			from = l.Object + 1
		}
	}
	for ; i < len(t.groups); i++ {
		if id, ok := t.groups[i].firstHeld(from); ok {
			return model.Some(model.Location{Group: t.groups[i].id, Object: id})
		}
		from = 0
	}
	return model.Opt[model.Location]{}
}

// heldThrough reports whether the object is held, and up to which ID all are.
func (g *group) heldThrough(id uint64) (uint64, bool) {
	sp, ok := g.seen.covering(objectID(id))
	if !ok {
		if sp, ok = g.stored.covering(objectID(id)); !ok {
			return 0, false
		}
	}
	if g.lost.contains(objectID(id)) {
		return 0, false
	}
	if lost, ok := g.lost.after(objectID(id)); ok {
		sp.hi = min(sp.hi, lost.lo-1)
	}
	return uint64(sp.hi), true
}

// firstHeld returns the smallest held ID from the given one on.
func (g *group) firstHeld(from uint64) (uint64, bool) {
	for x := objectID(from); ; {
		best, ok := objectID(0), false
		for _, s := range [...]*idSet{&g.seen, &g.stored} {
			if i := s.at(x); i < len(s.spans) {
				if id := max(s.spans[i].lo, x); !ok || id < best {
					best, ok = id, true
				}
			}
		}
		if !ok {
			return 0, false
		}
		lost, gone := g.lost.covering(best)
		if !gone {
			return uint64(best), true
		}
		if lost.hi == model.MaxID {
			return 0, false
		}
		x = lost.hi + 1
	}
}

// settled reports whether what was published before the group g has come.
func (t *Track) settled(g *group) bool {
	return t.settle == 0 || time.Since(g.born) >= t.settle
}

// groupEnd returns the ID from which on the group at i has no objects. Without
// word from the publisher it is taken to be the end of what came, once all
// subgroups are finished, a newer group has begun, and all of it came live.
func (t *Track) groupEnd(i int) (uint64, bool) {
	g := t.groups[i]
	if end, ok := g.end.Get(); ok {
		return end, true
	}
	if !g.live && i < len(t.groups)-1 && t.settled(t.groups[i+1]) { // what is missing at its end would have come live
		top, ok := g.largest()
		_, last := wholeGroup(g.id)
		return top + 1, ok && top != model.MaxID && t.live.containsAll(model.Location{Group: g.id, Object: top + 1}, last)
	}
	if !g.live || g.writers > 0 || i == len(t.groups)-1 || len(g.subgroups) == 0 || !t.live.containsAll(wholeGroup(g.id)) ||
		!t.settled(t.groups[i+1]) {
		return 0, false
	}
	for _, s := range g.subgroups {
		if !s.end.Set {
			return 0, false
		}
	}
	for _, r := range g.runs {
		if r.datagram {
			return 0, false // datagrams get lost without a trace
		}
	}
	top, ok := g.largest()
	return top + 1, ok && top != model.MaxID
}
