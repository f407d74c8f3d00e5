package moqt

import (
	"io"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// feed is one group on its way to its reader. Guarded by TrackReader.mu.
type feed struct {
	t   *TrackReader
	seq uint64
	q   Sequencer
	out queue // in order, for the reader

	streams     []*session.SubgroupReader // that are being read
	begun       int                       // streams so far
	cut         error                     // how one of them was broken off
	interrupted bool                      // what it lacks may come by another session
	whole       bool                      // a fetch has told all there is
	err         error                     // why it was given up
	born        time.Time
	touched     time.Time // when something of it came last

	accepted bool // it has a reader
	gone     bool // nobody wants more of it
	wake     chan struct{}
}

func (t *TrackReader) newFeed(seq uint64, now time.Time) *feed {
	f := &feed{t: t, seq: seq, born: now, touched: now, wake: make(chan struct{}, 1)}
	f.q = Sequencer{Patience: t.sub.Patience, Emit: f.emit, Gap: f.gap}
	if !t.known {
		f.q.Hold(model.Location{})
	} else {
		f.begin()
	}
	return f
}

// begin says where the group begins, once that is known.
func (f *feed) begin() {
	at := model.Location{Group: f.seq}
	if f.seq == f.t.first.Group {
		at = f.t.first
	}
	f.q.Start(at)
	f.q.Await(f.fetching())
}

// fetching reports whether a fetch is under way that may bring some of the group.
func (f *feed) fetching() bool {
	end, ok := f.t.backlog.Get()
	return ok && f.seq <= end
}

func (f *feed) emit(o model.Object) { f.out.push(unit{Object: o}) }

func (f *feed) gap(from, to model.Location) {
	f.out.push(unit{Object: model.Object{Location: from}, gap: true, to: to})
}

// held is what the feed counts against the buffer of its TrackReader, in bytes.
func (f *feed) held() int { return f.q.bytes + ObjectCost*len(f.q.held) + f.out.bytes }

// change runs do, which changes what is held, and wakes the reader.
func (f *feed) change(do func()) {
	f.count(do)
	f.poke()
}

// count runs do, which changes what is held.
func (f *feed) count(do func()) {
	before := f.held()
	do()
	f.t.held += f.held() - before
}

func (f *feed) poke() { poke(f.wake) }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// complete reports whether everything of the group has come.
func (f *feed) complete() bool {
	switch {
	case f.q.ended.Set:
		return true
	case len(f.streams) > 0 || f.interrupted || f.fetching() || len(f.q.held) > 0:
		return false
	case f.whole || f.cut != nil:
		return true
	}
	return f.begun == 1 && f.t.newest.Set && f.seq < f.t.newest.Value
}

// verdict says how the group ends, now that out is empty: nil if more may come.
// Unless it is zero the caller looks again at the time that is returned.
func (f *feed) verdict(now time.Time) (time.Time, error) {
	t := f.t
	switch {
	case f.err != nil:
		return time.Time{}, f.err
	case len(f.q.held) > 0 && t.err == nil:
		return f.q.Deadline(), nil
	case f.q.ended.Set:
		return time.Time{}, io.EOF
	case t.err != nil && t.err != io.EOF:
		return time.Time{}, t.err
	case len(f.streams) > 0 && t.err == nil, (f.fetching() || f.interrupted) && t.err == nil:
		return time.Time{}, nil
	case f.cut != nil:
		// Another publisher may go on where this one stopped.
		if due := f.touched.Add(t.sub.Patience / 4); t.err == nil && due.After(now) {
			return due, nil
		}
		return time.Time{}, f.cut
	case t.err != nil || f.whole:
		return time.Time{}, io.EOF
	case f.seq >= t.newest.Value:
		return time.Time{}, nil
	case f.begun != 1:
		if due := latest(f.touched, t.newestBorn).Add(t.sub.Patience); due.After(now) {
			return due, nil // more streams or datagrams may be on their way
		}
	}
	return time.Time{}, io.EOF
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// drop frees what the feed holds and returns the streams that are to be stopped
// once the lock is free.
func (f *feed) drop() []*session.SubgroupReader {
	f.gone = true
	f.change(func() {
		f.q = Sequencer{Emit: f.emit}
		f.out = queue{}
	})
	streams := f.streams
	f.streams = nil
	return streams
}

// unit is an object, or objects that were given up: from Location to before to.
type unit struct {
	model.Object
	gap bool
	to  model.Location
}

// size is what a unit counts against the buffer, in bytes.
func (u *unit) size() int {
	h := heldObject{Object: u.Object}
	return h.size() + ObjectCost
}

// queue is first in, first out, and keeps its memory.
type queue struct {
	units []unit
	head  int
	bytes int
}

func (q *queue) len() int { return len(q.units) - q.head }

func (q *queue) push(u unit) {
	if len(q.units) == cap(q.units) && q.head > len(q.units)/2 {
		n := copy(q.units, q.units[q.head:])
		clear(q.units[n:])
		q.units, q.head = q.units[:n], 0
	}
	q.bytes += u.size()
	q.units = append(q.units, u)
}

func (q *queue) pop() unit {
	u := q.units[q.head]
	q.units[q.head] = unit{}
	q.bytes -= u.size()
	if q.head++; q.head == len(q.units) {
		q.units, q.head = q.units[:0], 0
	}
	return u
}
