package track

import (
	"sort"
	"time"

	"oxymoq/pkg/model"
)

// ReadState says what a Reader found.
type ReadState uint8

// States of a Read.
const (
	ReadSpan        ReadState = iota // the Span holds bytes to send
	ReadWait                         // nothing now: the waiter will be woken
	ReadFinished                     // the end of the subgroup was reached
	ReadRangeEnd                     // objects follow, or may, but none within the reader's range
	ReadReset                        // the run was reset at its source: see Code
	ReadEvicted                      // the next byte left the log
	ReadPurged                       // the same, because of Purge: what comes may be read by another Reader
	ReadExpired                      // the next object came before the time given, or may not be sent any more
	ReadUnencodable                  // the reader's form cannot express the next object
	ReadImmutable                    // the next object has immutable properties, which would have to be rewritten
	ReadEnded                        // a new epoch began: the run is gone
)

// Span is a piece of a stream, Head then Body.
type Span struct {
	Head    []byte // written for this reader, in the buffer given to Read
	Body    []byte // a slice of the log, pinned until Release
	Objects int    // that end in this span
	// Rewritten says that immutable properties were put into another form.
	Rewritten bool
	// Oldest and Newest are when the first and the last of these Objects came, as
	// Track.Age.
	Oldest, Newest time.Duration
	// First is when the object came, as Track.Age, of which the first byte is.
	First time.Duration
}

// Len returns the number of bytes.
func (s Span) Len() int { return len(s.Head) + len(s.Body) }

// ReaderOptions is how a Reader reads a Run.
type ReaderOptions struct {
	Form   Form
	Waiter Waiter
	// First and Last are the smallest and the largest object ID wanted.
	First, Last uint64
	// Since excludes objects that were complete before: see Cursor.Since.
	Since uint64
	// KeepImmutable stops before an object whose immutable properties would have
	// to be put into another form.
	KeepImmutable bool
}

// Sizes for readers of a form other than the run's: payloads of up to copyPayload
// bytes are copied behind their headers until there are gatherBytes in Head.
const (
	copyPayload = 2 << 10
	gatherBytes = 8 << 10
)

// Reader is an offset into one Run. It is for one goroutine at a time, except
// Next, Behind and Remaining. The zero Reader must be initialized.
type Reader struct {
	run   *Run
	form  Form
	place parked

	// Guarded by run.track.mu.
	object  int   // absolute number in the run of the object to read next or now
	within  bool  // part of it was handed out
	off     int64 // next byte, if within
	chunk   int   // absolute number of the chunk in which off lies, or of one before
	prev    model.Opt[uint64]
	first   uint64
	last    uint64
	starts  bool // the first object handed out is the first of the subgroup
	skipped bool // Since excluded objects
	keep    bool // ReaderOptions.KeepImmutable

	pinned *chunk // by the last span; for the reading goroutine only
}

// Init points r at the first object of the run that is wanted.
func (r *Reader) Init(run *Run, o ReaderOptions) {
	*r = Reader{run: run, form: o.Form, place: parked{waiter: o.Waiter}, first: o.First, last: o.Last, keep: o.KeepImmutable}
	run.track.mu.Lock()
	defer run.track.mu.Unlock()
	r.object = run.trimmed + sort.Search(len(run.index), func(i int) bool {
		return run.index[i].id >= o.First && run.index[i].seq > o.Since
	})
	if run.state == runEvicted || run.trimmed > max(run.purged, run.expired) && run.cutID >= o.First && run.cutSeq > o.Since {
		r.object = -1 // something wanted was evicted before it could be read
	}
	if i := r.object - run.trimmed; i > 0 {
		r.skipped = run.index[i-1].id >= o.First
	}
}

// SetLast changes the largest object ID wanted.
func (r *Reader) SetLast(id uint64) {
	r.run.track.mu.Lock()
	defer r.run.track.mu.Unlock()
	r.last = id
}

// Started reports whether any byte was handed out.
func (r *Reader) Started() bool { return r.within || r.prev.Set }

// Within reports whether the last span ended inside an object. It is for the
// reading goroutine.
func (r *Reader) Within() bool { return r.within }

// Skipped reports whether objects from First on were excluded by Since.
func (r *Reader) Skipped() bool { return r.skipped }

// StartsSubgroup reports, once Started, whether the first object handed out is
// known to be the first ever published in the subgroup.
func (r *Reader) StartsSubgroup() bool { return r.starts }

// Code is the reset code of ReadReset.
func (r *Reader) Code() model.ResetCode {
	r.run.track.mu.Lock()
	defer r.run.track.mu.Unlock()
	return r.run.code
}

// Behind returns how many objects and bytes of the run were not handed out.
func (r *Reader) Behind() (objects int, bytes int64) {
	run := r.run
	run.track.mu.Lock()
	defer run.track.mu.Unlock()
	objects = run.total() - max(r.object, 0)
	switch {
	case objects <= 0 || run.state == runEvicted:
	case r.object < run.trimmed:
		if len(run.index) > 0 {
			bytes = run.size - run.index[0].start
		}
	case r.within:
		bytes = run.size - r.off
	default:
		bytes = run.size - run.entry(r.object).start
	}
	return max(objects, 0), bytes
}

// Next returns when the object came, as Track.Age, of which the next byte would be,
// if there is one to be handed out.
func (r *Reader) Next() (at time.Duration, ok bool) {
	run := r.run
	run.track.mu.Lock()
	defer run.track.mu.Unlock()
	if r.gone() != ReadSpan || r.object >= run.total() {
		return 0, false
	}
	e := run.entry(r.object)
	if r.within {
		return time.Duration(e.arrival), r.off < run.size
	}
	return time.Duration(e.arrival), e.id >= r.first && e.id <= r.last
}

// Purged returns how many objects the reader did not get because of Purge.
func (r *Reader) Purged() int {
	r.run.track.mu.Lock()
	defer r.run.track.mu.Unlock()
	return max(r.run.purged-max(r.object, 0), 0)
}

// Close unparks the reader and frees what it holds.
func (r *Reader) Close() {
	r.run.track.mu.Lock()
	r.place.leave()
	r.run.track.mu.Unlock()
	r.Release()
}

// Release frees the last span. Its Body must not be used any more.
func (r *Reader) Release() {
	if r.pinned != nil {
		r.pinned.unpin()
		r.pinned = nil
	}
}

// Poll returns the state that Read would return, without reading.
func (r *Reader) Poll(notBefore time.Time) ReadState {
	run := r.run
	run.track.mu.Lock()
	defer run.track.mu.Unlock()
	if gone := r.gone(); gone != ReadSpan {
		return gone
	}
	for r.object < run.total() && !r.within && run.entry(r.object).id < r.first {
		r.object++
	}
	if r.object >= run.total() {
		_, state := r.atEnd(Span{})
		return state
	}
	if r.within {
		return ReadSpan
	}
	return r.refuses(run.entry(r.object), notBefore)
}

// gone returns why nothing can be read any more, or ReadSpan.
func (r *Reader) gone() ReadState {
	switch run := r.run; {
	case run.epoch != run.track.epoch:
		return ReadEnded
	case run.state == runEvicted && run.ended == runFinished && r.object >= run.total():
		return ReadSpan // nothing of it is needed
	case run.state == runEvicted || r.object < run.trimmed:
		if r.object >= 0 && r.object < run.purged || run.state == runEvicted && run.purged == run.trimmed {
			return ReadPurged
		}
		if r.object >= 0 && r.object < run.expired {
			return ReadExpired
		}
		return ReadEvicted
	}
	return ReadSpan
}

// refuses returns why an object is not to be begun, or ReadSpan.
func (r *Reader) refuses(e *entry, notBefore time.Time) ReadState {
	if e.id > r.last {
		return ReadRangeEnd
	}
	if r.expired(e) {
		return ReadExpired
	}
	if !notBefore.IsZero() && e.arrival < int64(notBefore.Sub(r.run.track.birth)) {
		return ReadExpired
	}
	return ReadSpan
}

// expired reports whether an object may not be begun any more because of its age.
func (r *Reader) expired(e *entry) bool {
	return r.run.track.age.Set && e.arrival <= r.run.track.tooOld(forwardTime)
}

// Read returns what can be sent next. Objects that came before notBefore are
// not begun; the zero time means no limit. buf is where headers are written; the
// Head that is returned may have outgrown it.
func (r *Reader) Read(buf []byte, notBefore time.Time) (s Span, state ReadState) {
	r.Release()
	run := r.run
	run.track.mu.Lock()
	defer run.track.mu.Unlock()
	s.Head = buf[:0]
	if gone := r.gone(); gone != ReadSpan {
		return s, gone
	}
	for {
		if r.object >= run.total() {
			return r.atEnd(s)
		}
		e := run.entry(r.object)
		if s.Len() == 0 {
			s.First = time.Duration(e.arrival)
		}
		if !r.within {
			if e.id < r.first { // came after Init
				r.object++
				continue
			}
			if why := r.refuses(e, notBefore); why != ReadSpan {
				return r.ready(s, why)
			}
			if why := r.begin(&s, e); why != ReadSpan {
				return r.ready(s, why)
			}
		}
		if r.form == run.info.Form {
			return r.slice(s)
		}
		if full := r.gather(&s, e); full {
			return r.ready(s, ReadWait)
		}
	}
}

// ready returns the span if it holds anything, else the state.
func (r *Reader) ready(s Span, otherwise ReadState) (Span, ReadState) {
	if s.Len() > 0 {
		return s, ReadSpan
	}
	if otherwise == ReadWait {
		r.run.waiting.park(&r.place)
	}
	return s, otherwise
}

// atEnd is reached when no object is left, also if the one that was being read
// was cut.
func (r *Reader) atEnd(s Span) (Span, ReadState) {
	state := r.run.state
	if state == runEvicted {
		state = r.run.ended
	}
	switch state {
	case runFinished:
		return r.ready(s, ReadFinished)
	case runReset:
		return r.ready(s, ReadReset)
	}
	return r.ready(s, ReadWait)
}

// begin starts on an object. Its header goes to the head unless the one in the
// log fits: the same form, and the same object before it. It returns why it
// cannot, or ReadSpan.
func (r *Reader) begin(s *Span, e *entry) ReadState {
	run := r.run
	head := e.start + int64(e.head)
	first := !r.Started()
	foreign := r.form != run.info.Form
	switch {
	case !foreign && (!first || r.object == 0):
		r.off = e.start
	case foreign && e.sealed && r.keep:
		return ReadImmutable
	default:
		i := len(s.Head)
		b, err := r.header(s.Head, e)
		if err != nil {
			s.Head = s.Head[:i]
			return ReadUnencodable
		}
		s.Head = b
		s.Rewritten = s.Rewritten || foreign && e.sealed
		r.off = head
	}
	if first {
		r.starts = r.object == 0 && (run.first == FirstYes || e.id == 0)
	}
	r.within = true
	return ReadSpan
}

// payloadLen is known before the payload has come.
func (r *Reader) payloadLen(e *entry) uint64 {
	if e.seq == unfinished {
		return r.run.promised
	}
	return uint64(e.end-e.start) - uint64(e.head)
}

// bytes returns the bytes of offsets that lie in one chunk.
func (r *Reader) bytes(from, to int64) []byte { return r.at(from).slice(from, to) }

// at returns the chunk that holds the offset.
func (r *Reader) at(off int64) *chunk {
	l := &r.run.log
	if r.chunk < l.dropped || l.chunk(r.chunk) == nil || l.chunk(r.chunk).base > off {
		r.chunk = l.find(off)
	}
	for l.chunk(r.chunk).end() <= off && l.chunk(r.chunk+1) != nil {
		r.chunk++
	}
	return l.chunk(r.chunk)
}

// slice takes the rest of the present chunk, with all objects in it that are wanted.
func (r *Reader) slice(s Span) (Span, ReadState) {
	run := r.run
	if r.off >= run.size {
		return r.sliceEnd(s)
	}
	c := r.at(r.off)
	stop := min(c.end(), run.size)
	begun := r.object
	for i := begun; i < run.total(); i++ {
		e := run.entry(i)
		if e.start >= stop {
			break
		}
		if i > begun && (e.id > r.last || r.expired(e)) {
			stop = e.start
			break
		}
		if e.end <= stop && e.seq != unfinished {
			r.done(&s, e)
			continue
		}
		r.object, r.within = i, true
	}
	c.pin()
	r.pinned = c
	s.Body = c.slice(r.off, stop)
	r.off = stop
	return s, ReadSpan
}

// sliceEnd is reached with no byte left to slice: an empty payload after a
// header of our own, or a payload that has not come yet.
func (r *Reader) sliceEnd(s Span) (Span, ReadState) {
	if e := r.run.entry(r.object); e.seq != unfinished {
		r.done(&s, e)
	}
	return r.ready(s, ReadWait)
}

// done moves on to the next object; the one before ends in the span.
func (r *Reader) done(s *Span, e *entry) {
	if s.Newest = time.Duration(e.arrival); s.Objects == 0 {
		s.Oldest = s.Newest
	}
	s.Objects++
	r.prev = model.Some(e.id)
	r.object++
	r.within = false
}

// gather adds payload of one object and reports whether the span is full or the
// payload has not come yet.
func (r *Reader) gather(s *Span, e *entry) (full bool) {
	complete := e.seq != unfinished
	if r.off == e.end {
		if !complete {
			return true
		}
		r.done(s, e)
		return len(s.Head) >= gatherBytes
	}
	c := r.at(r.off)
	stop := min(c.end(), e.end)
	part := c.slice(r.off, stop)
	r.off = stop
	if complete && stop == e.end {
		r.done(s, e)
		if len(part) <= copyPayload && len(s.Head)+len(part) <= gatherBytes {
			s.Head = append(s.Head, part...)
			return false
		}
	}
	c.pin()
	r.pinned = c
	s.Body = part
	return true
}
