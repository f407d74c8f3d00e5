package track

import (
	"cmp"
	"slices"
	"time"

	"oxymoq/pkg/model"
)

// lookRuns is how many runs are looked at before the lock is given to others.
const lookRuns = 512

// Glance is what a list shows of a track.
type Glance struct {
	Largest model.Opt[model.Location]
	Arrival time.Time // of the last live object; zero if none came
	Ended   bool
}

// Glance returns the present state. It costs no more than Largest.
func (t *Track) Glance() Glance {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := Glance{Largest: t.largest, Ended: t.ended}
	if t.arrival > 0 {
		g.Arrival = t.birth.Add(time.Duration(t.arrival))
	}
	return g
}

// IsSingle reports whether the log holds one object and no more.
func (t *Track) IsSingle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.groups) != 1 {
		return false
	}
	n := 0
	for _, runs := range [...][]*Run{t.groups[0].runs, t.groups[0].fetched} {
		for _, r := range runs {
			if n += len(r.index); n > 1 {
				return false
			}
		}
	}
	return n == 1
}

// GroupSnapshot is what a window shows of a group.
type GroupSnapshot struct {
	ID          uint64
	First, Last uint64 // the smallest and the largest object ID that came
	Objects     int    // held, live and fetched
	Bytes       int64  // payloads and headers of them
	Subgroups   int
	Writers     int  // publishers' streams that are open
	Torn        int  // runs that were reset
	Ended       bool // the publisher said where it ends
	Holes       []Hole
	MoreHoles   bool      // there are more than were asked for
	Born        time.Time // when it began here
	Arrival     time.Time // of the newest object; zero if none is held
}

// Hole is a run of object IDs between others of which none came, From and To
// included.
type Hole struct {
	From, To uint64
	Absent   bool // it is known that they do not exist
}

// Look returns the newest groups, at most max, oldest first, with so many holes of
// each. The lock is held for a part of it at a time, so that the parts may be of
// different moments.
func (t *Track) Look(max, holes int) []GroupSnapshot {
	t.mu.Lock()
	groups := slices.Clone(t.groups[len(t.groups)-min(max, len(t.groups)):])
	t.mu.Unlock()
	all := make([]GroupSnapshot, 0, len(groups))
	for _, g := range groups {
		if s, ok := t.lookAt(g, holes); ok {
			all = append(all, s)
		}
	}
	return all
}

// lookAt returns what a window shows of a group, unless it was evicted meanwhile.
func (t *Track) lookAt(g *group, holes int) (GroupSnapshot, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g.evicted {
		return GroupSnapshot{}, false
	}
	s := GroupSnapshot{ID: g.id, Subgroups: len(g.subgroups), Writers: g.writers, Ended: g.end.Set, Born: g.born}
	s.First, s.Last, s.Holes, s.MoreHoles = t.holes(g, holes)
	newest := int64(-1)
	t.eachRun(g, func(r *Run, _ bool) {
		s.Objects += len(r.index)
		if r.state == runReset {
			s.Torn++
		}
		if e := r.last(); e != nil {
			s.Bytes += r.size - r.log.chunks[0].base
			newest = max(newest, e.arrival)
		}
	})
	if newest >= 0 {
		s.Arrival = t.birth.Add(time.Duration(newest))
	}
	return s, true
}

// eachRun calls f with the runs of a group, under mu, which is given to others now
// and then. Whatever happens to the group meanwhile, its runs stay what they are.
func (t *Track) eachRun(g *group, f func(r *Run, fetched bool)) {
	for i, runs := range [...][]*Run{g.runs, g.fetched} {
		for n, r := range runs {
			if n%lookRuns == lookRuns-1 {
				t.mu.Unlock()
				t.mu.Lock()
			}
			f(r, i == 1)
		}
	}
}

// holes returns the smallest and the largest ID that came in a group, and the
// holes between.
func (t *Track) holes(g *group, limit int) (first, last uint64, holes []Hole, more bool) {
	last, ok := g.largest()
	if !ok {
		return 0, 0, nil, false
	}
	first = g.smallest()
	for x := objectID(first); uint64(x) < last; {
		if sp, here := g.came(x); here {
			if uint64(sp.hi) >= last {
				break
			}
			x = sp.hi + 1
			continue
		}
		if len(holes) == limit {
			return first, last, holes, true
		}
		to := last
		for _, s := range [...]*idSet{&g.seen, &g.stored} {
			if sp, ok := s.after(x); ok {
				to = min(to, uint64(sp.lo)-1)
			}
		}
		known, through := t.classify(model.Location{Group: g.id, Object: uint64(x)})
		if through.Group == g.id {
			to = min(to, through.Object)
		}
		holes = append(holes, Hole{From: uint64(x), To: to, Absent: known == absent})
		x = objectID(to) + 1
	}
	return first, last, holes, false
}

// came returns the span of objects that came, live or fetched, of which the ID is
// one.
func (g *group) came(id objectID) (span[objectID], bool) {
	if sp, ok := g.seen.covering(id); ok {
		return sp, true
	}
	return g.stored.covering(id)
}

// smallest returns the smallest ID that came in a group in which any did.
func (g *group) smallest() uint64 {
	low := objectID(model.MaxID)
	for _, s := range [...]*idSet{&g.seen, &g.stored} {
		if len(s.spans) > 0 {
			low = min(low, s.spans[0].lo)
		}
	}
	return uint64(low)
}

// ObjectSnapshot is what a window shows of an object.
type ObjectSnapshot struct {
	Number uint64 // in the order in which the objects of the track were complete
	model.Location
	Subgroup      uint64 // meaningless if Datagram
	Datagram      bool
	Fetched       bool
	Priority      uint8
	Status        model.ObjectStatus
	Arrival       time.Time
	Size          int    // of the payload, in bytes
	Properties    []byte // encoded, in Form; nil if there are too many
	PropertyBytes int
	Form          Form
	Peek          []byte // the first bytes of the payload
}

// ref names an object that was seen in passing.
type ref struct {
	seq     uint64
	run     *Run
	id      uint64
	fetched bool
}

// readAtOnce is how many objects are copied before the lock is given to others.
const readAtOnce = 16

// Latest returns the objects that were complete last, at most max, in that order,
// with up to peek bytes of each payload, and with their properties if these are no
// more than props bytes. All is a copy. The lock is held as by Look.
func (t *Track) Latest(max, peek, props int) []ObjectSnapshot {
	refs := t.latest(max)
	all := make([]ObjectSnapshot, 0, len(refs))
	for part := range slices.Chunk(refs, readAtOnce) {
		all = t.copyObjects(all, part, peek, props)
	}
	return all
}

// latest returns the objects that were complete last, oldest first.
func (t *Track) latest(max int) (refs []ref) {
	t.mu.Lock()
	defer t.mu.Unlock()
	floor := uint64(0) // some numbers are of what was evicted
	if reach := 4 * uint64(max); t.seq > reach {
		floor = t.seq - reach
	}
	for _, g := range slices.Clone(t.groups) {
		t.eachRun(g, func(r *Run, fetched bool) {
			for i, looked := len(r.index)-1, 0; i >= 0; i, looked = i-1, looked+1 {
				e := &r.index[i]
				switch {
				case e.seq == unfinished:
				case e.seq > floor:
					refs = append(refs, ref{e.seq, r, e.id, fetched})
				case !r.datagram && !fetched, looked >= 4*max:
					return // those before are older, or there are too many
				}
			}
		})
	}
	slices.SortFunc(refs, func(a, b ref) int { return cmp.Compare(a.seq, b.seq) })
	return refs[len(refs)-min(max, len(refs)):]
}

// copyObjects appends those that are still there.
func (t *Track) copyObjects(all []ObjectSnapshot, refs []ref, peek, props int) []ObjectSnapshot {
	var parts [4][]byte
	var held [4]*chunk
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range refs {
		e := f.run.find(f.id)
		if e == nil || e.seq != f.seq {
			continue
		}
		o := Object{Payload: parts[:0]}
		pins := f.run.object(&o, e, held[:0])
		s := ObjectSnapshot{
			Number: e.seq, Location: o.Location, Subgroup: o.Subgroup, Datagram: o.Datagram, Fetched: f.fetched,
			Priority: t.effective(o.Priority), Status: o.Status, Arrival: o.Arrival,
			Size: o.PayloadLen(), PropertyBytes: len(o.Properties), Form: o.Form,
		}
		if len(o.Properties) <= props {
			s.Properties = slices.Clone(o.Properties)
		}
		s.Peek = make([]byte, 0, min(peek, s.Size))
		for _, p := range o.Payload {
			s.Peek = append(s.Peek, p[:min(len(p), peek-len(s.Peek))]...)
		}
		for _, c := range pins {
			c.unpin()
		}
		all = append(all, s)
	}
	return all
}
