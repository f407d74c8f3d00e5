package moqt

import (
	"slices"
	"time"

	"oxymoq/pkg/model"
)

// Limits of a Sequencer.
const (
	// DefaultPatience is how long a missing object is awaited while later
	// ones are there.
	DefaultPatience = time.Second
	// MaxHeld is how many objects are held back at most, MaxHeldBytes how much
	// payload and properties they may have. Beyond that the oldest gap is given
	// up at once; while a backlog or a repair is awaited, what is furthest
	// ahead is dropped instead, to be fetched later.
	MaxHeld      = 4096
	MaxHeldBytes = 64 << 20
)

// Sequencer puts the objects of a track in order, whatever streams, datagrams
// and fetches they come by, and drops those that came already.
//
// It gives out an object as soon as nothing can come before it: it is the next
// in its group, or the first of the next group after one that is known to be
// complete. If an object is missing, later ones are held back until it comes,
// or for Patience; then the gap is reported and passed over.
//
// It is a pure state machine: it has no goroutine and no clock, and is for one
// goroutine at a time.
type Sequencer struct {
	// Patience is how long a gap is awaited; see DefaultPatience.
	Patience time.Duration
	// Emit is given each object once, in order.
	Emit func(model.Object)
	// Gap is told of locations that were given up: from is the first missing
	// one, to the first that is not. It may be nil.
	Gap func(from, to model.Location)

	started  bool
	fresh    bool                      // the first group that comes begins with its object 0
	next     model.Location            // the first location that was not given out
	held     []heldObject              // in order of location
	bytes    int                       // of held
	dropped  model.Opt[model.Location] // the furthest that was dropped for want of room
	lost     time.Time                 // when that was
	streams  map[uint64]streamCount    // by group
	ended    model.Opt[uint64]         // the newest group of which everything was given out, by its mark
	final    bool                      // the track itself was marked as ended
	sparse   bool                      // the last step from group to group was a jump
	floor    model.Opt[model.Location] // nothing is given out from here on before a backlog is complete
	vouched  model.Location            // what is missing before it does not exist
	awaiting bool                      // a fetch is under way
	came     time.Time                 // when the object that Emit is given came
}

// streamCount says how many streams of a group have begun, are being read, and
// were cut.
type streamCount struct{ begun, open, cut int }

type heldObject struct {
	model.Object
	came time.Time
}

// size is what an object counts against MaxHeldBytes.
func (h *heldObject) size() int {
	n := len(h.Payload)
	for _, p := range h.Properties {
		n += len(p.Bytes)
	}
	return n
}

// Start sets the first location that is wanted; what lies before is dropped.
// Without Start the first object that comes is the first.
func (q *Sequencer) Start(at model.Location) {
	q.started, q.next = true, at
	for len(q.held) > 0 && q.held[0].Location.Less(at) {
		q.take()
	}
}

// StartFresh says that nothing was published so far: the first group that comes
// is wanted from its object 0.
func (q *Sequencer) StartFresh() { q.fresh = true }

// Next returns the first location that was not given out yet; ok is false
// before anything is known.
func (q *Sequencer) Next() (at model.Location, ok bool) { return q.next, q.started }

// Passed reports whether everything up to l was given out or given up.
func (q *Sequencer) Passed(l model.Location) bool {
	return q.started && (q.final || l.Less(q.next) || q.ended.Set && l.Group <= q.ended.Value)
}

// Idle reports whether nothing is held back and nothing is missing.
func (q *Sequencer) Idle() bool { return len(q.held) == 0 && !q.dropped.Set && !q.floor.Set }

// Rejoin forgets the streams of a subscription that is over.
func (q *Sequencer) Rejoin() { q.streams = nil }

// Hold keeps back all objects from l on, because what lies before is being
// fetched. Release ends it.
func (q *Sequencer) Hold(l model.Location) { q.floor = model.Some(l) }

// Release says that the backlog before the held location has come as far as it
// ever will. If that is the zero location, nothing is known of where the track
// is.
func (q *Sequencer) Release() {
	l, ok := q.floor.Get()
	if !ok {
		return
	}
	q.floor = model.Opt[model.Location]{}
	for len(q.held) > 0 && q.held[0].Location.Less(l) {
		q.skip()
	}
	if l != (model.Location{}) {
		q.pass(l)
	}
	q.flush()
}

// Await says whether a fetch is under way, for the backlog or for what is
// missing; until that is over no gap is given up.
func (q *Sequencer) Await(on bool) { q.awaiting = on }

// Vouch says that what has not come before l does not exist, so that it is
// passed over without waiting.
func (q *Sequencer) Vouch(l model.Location) {
	if q.vouched.Less(l) {
		q.vouched = l
	}
	q.flush()
}

// StreamOpened and StreamClosed count the streams of a group. A group of one
// stream is complete when that has ended; one of several, or of datagrams,
// when its end was marked or patience runs out, since others may be on their
// way.
func (q *Sequencer) StreamOpened(group uint64) {
	if q.streams == nil {
		q.streams = map[uint64]streamCount{}
	}
	c, known := q.streams[group]
	if !known && len(q.streams) >= MaxHeld {
		return
	}
	c.begun++
	c.open++
	q.streams[group] = c
}

// StreamClosed is the counterpart of StreamOpened; whole says that the stream
// came to its end and was not cut.
func (q *Sequencer) StreamClosed(group uint64, whole bool) {
	c, known := q.streams[group]
	if known {
		c.open--
		if !whole {
			c.cut++ // the rest may come by another
		}
		q.streams[group] = c
	}
	for g, c := range q.streams { // groups of the past no longer matter
		if q.started && g < q.next.Group && c.open == 0 {
			delete(q.streams, g)
		}
	}
	q.flush()
}

// Add takes an object that came. Markers of an end of group are objects too;
// they are used and not given out.
func (q *Sequencer) Add(o model.Object, now time.Time) {
	if !q.started && !q.floor.Set {
		q.begin(o.Location)
	}
	if q.started && o.Location.Less(q.next) {
		return // came already, or lies before the start
	}
	if q.started && !q.floor.Set && len(q.held) == 0 && q.follows(&o) {
		q.hand(o, now)
		return
	}
	i, dup := slices.BinarySearchFunc(q.held, o.Location, func(h heldObject, l model.Location) int { return h.Location.Compare(l) })
	if dup {
		return
	}
	h := heldObject{o, now}
	q.held = slices.Insert(q.held, i, h)
	q.bytes += h.size()
	q.flush()
	for len(q.held) > 1 && (len(q.held) > MaxHeld || q.bytes > MaxHeldBytes) {
		if q.blocked() || q.awaiting && !q.floor.Set {
			q.drop(now)
		} else {
			q.skip()
		}
	}
}

// Deadline returns when Expire is to be called next; zero means never.
func (q *Sequencer) Deadline() time.Time {
	switch {
	case q.awaiting:
	case len(q.held) > 0 && !q.blocked():
		oldest := q.held[0].came
		for _, h := range q.held {
			if h.came.Before(oldest) {
				oldest = h.came
			}
		}
		return oldest.Add(q.Patience)
	case len(q.held) == 0 && q.dropped.Set && !q.floor.Set:
		return q.lost.Add(q.Patience)
	}
	return time.Time{}
}

// Expire gives up gaps whose time is over.
func (q *Sequencer) Expire(now time.Time) {
	for {
		d := q.Deadline()
		if d.IsZero() || d.After(now) {
			return
		}
		if len(q.held) > 0 {
			q.skip()
			continue
		}
		q.pass(q.dropped.Value.Next())
		q.dropped = model.Opt[model.Location]{}
	}
}

// Missing returns the range that later objects wait for, and since when; ok is
// false if nothing is known to be missing.
func (q *Sequencer) Missing() (r model.Range, since time.Time, ok bool) {
	switch {
	case !q.started || q.awaiting:
	case len(q.held) > 0 && !q.blocked() && !q.quiet(q.held[0].Location):
		r, since = model.Range{Start: q.next, End: q.held[0].Location.Prev()}, q.held[0].came
		return r, since, !r.Empty()
	case len(q.held) == 0 && q.dropped.Set && !q.floor.Set:
		return model.Range{Start: q.next, End: q.dropped.Value}, q.lost, true
	}
	return model.Range{}, time.Time{}, false
}

// begin makes l, or in a fresh track the beginning of its group, the first
// location.
func (q *Sequencer) begin(l model.Location) {
	if q.fresh {
		l.Object = 0
	}
	q.started, q.next = true, l
}

// blocked reports whether a backlog holds everything back. There must be a
// held object.
func (q *Sequencer) blocked() bool {
	l, ok := q.floor.Get()
	return ok && !q.held[0].Location.Less(l)
}

// flush gives out what is in order.
func (q *Sequencer) flush() {
	for len(q.held) > 0 && !q.blocked() {
		if !q.started {
			q.begin(q.held[0].Location)
		}
		if !q.follows(&q.held[0].Object) {
			return
		}
		q.give()
	}
}

// follows reports whether nothing can come between the last object and o: it
// is the next of its group, or begins the next group after a complete one. Group
// IDs may jump (many are times), but unless they just did, a hole is given the
// time to be filled. An object may also say itself that
// the IDs before it do not exist (sections 12.8 and 12.9).
func (q *Sequencer) follows(o *model.Object) bool {
	l := o.Location
	if l == q.next || !q.vouched.Less(l) {
		return true
	}
	objects, _ := o.Properties.Int(model.PropPriorObjectIDGap)
	if l.Group == q.next.Group {
		return l.Object-q.next.Object <= objects
	}
	groups, told := o.Properties.Int(model.PropPriorGroupIDGap)
	return l.Object <= objects && q.complete(q.next.Group) &&
		(q.sparse || l.Group-q.next.Group == 1 || told && l.Group-q.next.Group-1 <= groups)
}

// complete reports whether a group has given out all that it has, seen from a
// later group.
func (q *Sequencer) complete(group uint64) bool {
	return q.ended == model.Some(group) || q.next.Object > 0 && q.streams[group] == streamCount{begun: 1}
}

// take removes the first held object.
func (q *Sequencer) take() heldObject {
	h := q.held[0]
	q.bytes -= h.size()
	q.held[0] = heldObject{}
	q.held = q.held[1:]
	if len(q.held) == 0 {
		q.held = nil
	}
	return h
}

// give hands out the first held object.
func (q *Sequencer) give() {
	h := q.take()
	q.hand(h.Object, h.came)
}

// hand gives out an object that is in order.
func (q *Sequencer) hand(o model.Object, came time.Time) {
	if o.Group != q.next.Group {
		q.sparse = o.Group != q.next.Group+1
	}
	q.next = o.Location.Next()
	if q.dropped.Set && q.dropped.Value.Less(q.next) {
		q.dropped = model.Opt[model.Location]{}
	}
	switch o.Status {
	case model.StatusEndOfGroup, model.StatusEndOfTrack:
		q.ended = model.Some(o.Group)
		q.final = o.Status == model.StatusEndOfTrack
	case model.StatusDoesNotExist: // nobody waits for it
	default:
		q.came = came
		q.Emit(o)
	}
}

// drop forgets the object that is furthest ahead.
func (q *Sequencer) drop(now time.Time) {
	last := len(q.held) - 1
	h := q.held[last]
	q.bytes -= h.size()
	q.held[last] = heldObject{}
	q.held = q.held[:last]
	if !q.dropped.Set || q.dropped.Value.Less(h.Location) {
		q.dropped, q.lost = model.Some(h.Location), now
	}
}

// skip gives up what is missing before the first held object.
func (q *Sequencer) skip() {
	if !q.started {
		q.begin(q.held[0].Location)
	}
	q.pass(q.held[0].Location)
	q.give()
	q.flush()
}

// pass gives up what is missing before l.
func (q *Sequencer) pass(l model.Location) {
	if q.started && !q.next.Less(l) {
		return
	}
	if q.started && q.Gap != nil && !q.quiet(l) {
		q.Gap(q.next, l)
	}
	q.sparse = q.started && (q.sparse || l.Group-q.next.Group > 1)
	q.started, q.next = true, l
}

// quiet reports whether passing on to l loses nothing that is known of: it was
// vouched for, or a group whose end nobody marks simply stopped.
func (q *Sequencer) quiet(l model.Location) bool {
	if !q.vouched.Less(l) {
		return true
	}
	group := q.next.Group
	if l.Group == group || l.Object > 0 || !q.sparse && l.Group-group > 1 {
		return false
	}
	if q.ended.Set { // this track marks its ends
		return q.ended.Value == group
	}
	return q.next.Object > 0 && q.streams[group].cut == 0
}
