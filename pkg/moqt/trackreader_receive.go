package moqt

import (
	"errors"
	"io"
	"slices"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// The methods below are called by the Subscriber, most of them with its lock
// held, which comes before TrackReader.mu.

// rejoin forgets the streams of the subscription before.
func (t *TrackReader) rejoin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.groups {
		if len(f.streams) > 0 || f.interrupted {
			f.streams, f.begun, f.interrupted = nil, 0, true
		}
	}
}

// subscribed is told of the subscription of each session.
func (t *TrackReader) subscribed(in *session.Inbound) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.in = in
}

// planned is told where objects begin, and up to which group they are fetched,
// if they are.
func (t *TrackReader) planned(first model.Location, backlog model.Opt[uint64]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.known {
		t.first = first
	}
	t.backlog, t.fetched = backlog, first
	for _, f := range t.groups {
		f.change(func() {
			if !t.known {
				f.begin()
				f.q.Release()
				return
			}
			f.q.Await(f.fetching())
		})
		f.interrupted = f.interrupted && f.fetching()
	}
	if !t.known {
		t.known = true
		for seq, f := range t.groups { // of before the beginning
			if seq < first.Group {
				t.remove(f)
			}
		}
	}
	poke(t.arrived)
}

// missed says that what lies in between cannot be fetched. Of the group in which
// live objects begin its feed tells.
func (t *TrackReader) missed(from, to model.Location, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if to.Object = 0; from.Less(to) {
		t.lost = &GapError{From: from, To: to, Err: err}
	}
}

// caughtUp says that the fetch is over, and whether it has brought everything.
func (t *TrackReader) caughtUp(all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.backlog = model.Opt[uint64]{}
	for _, f := range t.groups {
		if f.interrupted && !all && len(f.streams) == 0 {
			f.cut = errMissed
		}
		f.interrupted = false
		f.change(func() { f.q.Await(false) })
	}
	poke(t.arrived)
}

// errMissed is how a group ends that was interrupted and cannot be fetched.
var errMissed = errors.New("what was missed while the connection was away cannot be had")

// vouch says that everything before l has come by the fetch, if it exists.
func (t *TrackReader) vouch(l model.Location) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.fetched
	t.fetched = l
	for _, f := range t.groups {
		switch {
		case f.seq < before.Group || f.seq > l.Group:
		case f.seq == l.Group:
			f.change(func() { f.q.Vouch(l) })
		default:
			f.change(func() { f.q.Vouch(model.Location{Group: f.seq, Object: model.MaxID}) })
			f.whole = true
		}
	}
	if before.Group != l.Group {
		poke(t.arrived)
	}
}

// renew says that the track began anew.
func (t *TrackReader) renew() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.groups {
		if !f.complete() {
			f.err = ErrRestarted
			f.poke()
		}
		delete(t.groups, f.seq)
	}
	t.past, t.newest, t.top, t.known = newRecentGroups(), model.Opt[uint64]{}, model.Opt[Location]{}, false
}

// position is the first location that did not come yet, as far as is known.
func (t *TrackReader) position() (model.Location, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.known {
		return model.Location{}, false
	}
	at := t.first
	if l, ok := t.top.Get(); ok {
		at = l.Next()
	}
	for _, f := range t.groups {
		if next, ok := f.q.Next(); ok && !f.complete() && f.err == nil && next.Less(at) {
			at = next
		}
	}
	return at, true
}

// feed returns the feed of a group, making it if need be; nil if the group is
// over, or before the first that is wanted.
func (t *TrackReader) feed(seq uint64, now time.Time) *feed {
	if f := t.groups[seq]; f != nil {
		if f.gone {
			return nil
		}
		return f
	}
	if t.past.has(seq) || t.known && seq < t.first.Group {
		return nil
	}
	f := t.newFeed(seq, now)
	t.groups[seq] = f
	t.waiting = insertFeed(t.waiting, f)
	if !t.newest.Set || t.newest.Value < seq {
		t.newest, t.newestBorn = model.Some(seq), now
		for _, o := range t.groups { // they may be complete now
			o.poke()
		}
	}
	poke(t.arrived)
	return f
}

// opened is told of each stream; it returns false if the stream is not wanted.
func (t *TrackReader) opened(st *session.SubgroupReader, now time.Time) bool {
	t.mu.Lock()
	f := t.feed(st.Header.Group, now)
	if f == nil {
		t.mu.Unlock()
		return false
	}
	f.streams = append(f.streams, st)
	f.begun++
	f.touched, f.cut = now, nil // somebody goes on with it
	stop := t.shrink()
	t.mu.Unlock()
	cancelAll(stop, model.ResetTooFarBehind)
	return true
}

// closed is told how each stream ended.
func (t *TrackReader) closed(st *session.SubgroupReader, err error, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.groups[st.Header.Group]
	if f == nil || f.gone {
		return
	}
	if i := slices.Index(f.streams, st); i >= 0 {
		f.streams = slices.Delete(f.streams, i, i+1)
	}
	f.touched = now
	if se, ok := errors.AsType[*model.StreamError](err); ok && se.Remote || errors.Is(err, ErrTooFarBehind) {
		f.cut = err
	} else if err != io.EOF {
		f.interrupted = true
	}
	f.poke()
}

// take is given each object, in whatever order they come.
func (t *TrackReader) take(o model.Object, now time.Time) {
	t.mu.Lock()
	f := t.feed(o.Group, now)
	if f == nil {
		t.recycle(o.Payload)
		t.mu.Unlock()
		return
	}
	if o.Status == model.StatusNormal && (!t.top.Set || t.top.Value.Less(o.Location)) {
		t.top = model.Some(o.Location)
	}
	f.touched = now
	f.change(func() { f.q.Add(o, now) })
	if !f.accepted {
		poke(t.arrived) // it may say what comes before it
	}
	stop := t.shrink()
	t.mu.Unlock()
	cancelAll(stop, model.ResetTooFarBehind)
}

func cancelAll(streams []*session.SubgroupReader, code model.ResetCode) {
	for _, st := range streams {
		st.Cancel(code)
	}
}

// shrink gives up the oldest groups until the limits are met, and returns the
// streams that are to be stopped.
func (t *TrackReader) shrink() (stop []*session.SubgroupReader) {
	limit := t.limit
	if t.slack = t.slack && t.held > limit; t.slack {
		limit *= 2
	}
	for t.held > limit {
		var oldest *feed
		for _, f := range t.groups {
			if !f.gone && (f.held() > 0 || f == t.inOrder) && (oldest == nil || f.seq < oldest.seq) {
				oldest = f
			}
		}
		if oldest == nil || t.held == oldest.held() && oldest.objects() == 1 {
			break // one large object
		}
		stop = append(stop, t.giveUp(oldest)...)
		if oldest == t.inOrder {
			t.slack = true // its reader goes on to what waits behind it
			break
		}
	}
	for len(t.waiting) > MaxWaitingGroups {
		stop = append(stop, t.giveUp(t.waiting[0])...)
	}
	return stop
}

// objects is how many are held.
func (f *feed) objects() int { return len(f.q.held) + f.out.len() }

// giveUp drops a group whose reader is too slow.
func (t *TrackReader) giveUp(f *feed) []*session.SubgroupReader {
	f.err = ErrTooFarBehind
	if !f.accepted {
		if !t.shed.Set || f.seq < t.shed.Value {
			t.shed = model.Some(f.seq)
		}
		return t.remove(f)
	}
	return f.drop()
}

// remove forgets a group for good.
func (t *TrackReader) remove(f *feed) []*session.SubgroupReader {
	if t.groups[f.seq] == f {
		delete(t.groups, f.seq)
		t.past.add(f.seq)
	}
	if i := slices.Index(t.waiting, f); i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	}
	return f.drop()
}

// recycle keeps the memory of a payload for another.
func (t *TrackReader) recycle(b []byte) {
	if cap(b) > 0 && cap(b) <= maxSpareSize && len(t.spare) < maxSpare && t.err == nil {
		t.spare = append(t.spare, b[:0])
	}
}

// payloadStep is how much memory is reserved for a payload before any of it has
// come, in bytes.
const payloadStep = 16 << 10

// payload reads the payload of the present object, of n bytes, into memory that
// was used before if there is some.
func (t *TrackReader) payload(st *session.SubgroupReader, n uint64) ([]byte, error) {
	if n > session.MaxObject {
		return nil, session.ErrObjectTooLarge
	}
	b := t.buffer(int(n)) // fits: at most MaxObject
	if uint64(cap(b)) >= n {
		b = b[:n]
		_, err := io.ReadFull(st, b)
		return b, err
	}
	reserved := 0
	defer func() { t.reserve(-reserved) }()
	for uint64(len(b)) < n {
		if len(b) == cap(b) {
			more := max(len(b), payloadStep)
			reserved += more
			if !t.reserve(more) {
				return nil, ErrTooFarBehind
			}
			b = slices.Grow(b, more)
		}
		m, err := st.Read(b[len(b):min(uint64(cap(b)), n)])
		b = b[:len(b)+m]
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// buffer returns memory of n bytes, or less if n is large.
func (t *TrackReader) buffer(n int) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b []byte
	if last := len(t.spare) - 1; last >= 0 && n > 0 {
		b = t.spare[last]
		t.spare[last] = nil
		t.spare = t.spare[:last]
	}
	if cap(b) < n && n <= payloadStep {
		return make([]byte, 0, n)
	}
	return b
}

// reserve counts memory of payloads that are being read; it returns false if
// there is too much of it.
func (t *TrackReader) reserve(n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reading += n
	return n < 0 || t.reading <= max(2*session.MaxObject, t.limit)
}
