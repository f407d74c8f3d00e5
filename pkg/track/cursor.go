package track

import (
	"slices"
	"sort"

	"oxymoq/pkg/model"
)

// announcement tells cursors of a run or of one datagram.
type announcement struct {
	number   uint64
	run      *Run
	datagram bool
	id       uint64 // of the datagram's object
}

func (t *Track) announce(a announcement) {
	a.number = t.nextNumber
	t.nextNumber++
	t.announcements = append(t.announcements, a)
	t.cursors.moveTo(&t.waking)
}

// compact drops the announcements of what is gone, when they are many.
func (t *Track) compact() {
	if t.dead < 16 || t.dead < len(t.announcements)/2 {
		return
	}
	t.announcements = slices.DeleteFunc(t.announcements, func(a announcement) bool {
		return a.run.state == runEvicted || a.datagram && a.run.find(a.id) == nil
	})
	t.dead = 0
}

// EventKind says what a Cursor found.
type EventKind uint8

// Kinds of events.
const (
	EventNone     EventKind = iota // nothing: the waiter will be woken
	EventRun                       // a run that may have objects for the reader
	EventDatagram                  // an object that came in a datagram
	EventEnded                     // nothing more will come
)

// Event is what a Cursor found.
type Event struct {
	Kind EventKind
	Run  *Run
	// Datagram is valid until the next call of Next or Close.
	Datagram Object
	// Missed is how many runs and datagrams were evicted before the cursor got
	// to them.
	Missed uint64
	Code   model.DoneCode // EventEnded
	Reason string         // EventEnded
}

// Cursor discovers runs and datagrams in the order in which they began. It is
// for one goroutine at a time.
type Cursor struct {
	t     *Track
	place parked

	// Guarded by t.mu.
	epoch uint64
	next  uint64 // number of the next announcement
	since uint64 // what completed up to this seq is not for this cursor
	pins  []*chunk
	parts [1][]byte
}

// NewCursor returns a cursor for what is published from now on, and the largest
// location at that moment. An object that is being written now will be seen.
func (t *Track) NewCursor(w Waiter) (*Cursor, model.Opt[model.Location]) {
	c := &Cursor{t: t, place: parked{waiter: w}}
	t.mu.Lock()
	defer t.mu.Unlock()
	c.epoch = t.epoch
	c.toNow()
	return c, t.largest
}

func (c *Cursor) toNow() {
	c.since = c.t.seq
	c.toFront()
}

// toFront goes back to the oldest announcement: runs that began long ago may
// still grow.
func (c *Cursor) toFront() {
	c.next = c.t.nextNumber
	if a := c.t.announcements; len(a) > 0 {
		c.next = a[0].number
	}
}

// SkipToNow makes the cursor forget what was published so far.
func (c *Cursor) SkipToNow() {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	c.toNow()
}

// Rewind makes the cursor begin with the oldest that is held.
func (c *Cursor) Rewind() {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	c.since = 0
	c.toFront()
}

// Next returns the next event. After EventNone the cursor is parked; after
// EventEnded it stays at the end.
func (c *Cursor) Next() (e Event) {
	t := c.t
	t.mu.Lock()
	defer t.mu.Unlock()
	c.release()
	if c.epoch != t.epoch {
		return Event{Kind: EventEnded, Code: t.endCode, Reason: t.endReason}
	}
	for {
		n := len(t.announcements)
		i := n
		if n > 0 && c.next <= t.announcements[n-1].number {
			i = sort.Search(n, func(i int) bool { return t.announcements[i].number >= c.next })
		}
		if i == n {
			e.Missed += t.nextNumber - c.next
			c.next = t.nextNumber
			break
		}
		a := &t.announcements[i]
		e.Missed += a.number - c.next
		c.next = a.number + 1
		if a.run.state == runEvicted {
			e.Missed++
			continue
		}
		if a.datagram {
			if o := a.run.find(a.id); o != nil && o.seq > c.since {
				if t.age.Set && o.arrival <= t.tooOld(forwardTime) {
					e.Missed++
					continue
				}
				e.Kind = EventDatagram
				e.Datagram.Payload = c.parts[:0]
				c.pins = a.run.object(&e.Datagram, o, c.pins)
				return e
			}
			continue
		}
		if last := a.run.last(); a.run.state != runOpen && (last == nil || last.seq <= c.since) {
			continue
		}
		e.Kind, e.Run = EventRun, a.run
		return e
	}
	if t.ended {
		e.Kind, e.Code, e.Reason = EventEnded, t.endCode, t.endReason
		return e
	}
	t.cursors.park(&c.place)
	return e
}

// Since returns what ReaderOptions.Since needs for the runs of this cursor.
func (c *Cursor) Since() uint64 { return c.since }

// Close unparks the cursor and frees what it holds.
func (c *Cursor) Close() {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	c.place.leave()
	c.release()
}

func (c *Cursor) release() {
	for i, p := range c.pins {
		p.unpin()
		c.pins[i] = nil
	}
	c.pins = c.pins[:0]
}
