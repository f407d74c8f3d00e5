package moqt

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// Limits of a TrackReader.
const (
	// DefaultBuffer is how many bytes of objects may wait for their reader.
	// Beyond it the oldest group is given up, and its reader gets
	// ErrTooFarBehind. If that is a group for which Objects waits, twice as
	// much is allowed until what waits behind it has been read. One object may
	// be larger.
	DefaultBuffer = 16 << 20
	// ObjectCost is what an object counts besides its payload and properties, in
	// bytes.
	ObjectCost = 200
	// MaxWaitingGroups is how many groups may wait for AcceptGroup. Beyond it
	// the oldest is given up.
	MaxWaitingGroups = 1024
	// RememberedGroups is how many groups that were read are remembered, so
	// that what comes late does not look like a new group.
	RememberedGroups = 1024
	// maxSpare and maxSpareSize are how many payload buffers are kept for the
	// next objects, and of what size at most.
	maxSpare     = 64
	maxSpareSize = 64 << 10
)

// SubscribeOption changes how a track is subscribed to.
type SubscribeOption func(*TrackReader)

// StartAt says where to begin; the default is FromNow. What was published before
// is fetched.
func StartAt(s Start) SubscribeOption { return func(t *TrackReader) { t.sub.Start = s } }

// Until says which location is the last one wanted.
func Until(l Location) SubscribeOption {
	return func(t *TrackReader) { t.sub.End = model.Some(l) }
}

// WithTerms sets terms of the subscription, such as its priority. The filter
// follows from StartAt.
func WithTerms(c Change) SubscribeOption {
	return func(t *TrackReader) { c.Filter = model.Opt[model.Filter]{}; t.config = c }
}

// WithRendezvous asks the peer to wait that long for a publisher.
func WithRendezvous(d time.Duration) SubscribeOption {
	return func(t *TrackReader) { t.sub.Rendezvous = d }
}

// WithBuffer sets how many bytes may wait for their reader instead of
// DefaultBuffer.
func WithBuffer(bytes int) SubscribeOption {
	return func(t *TrackReader) { t.limit = max(bytes, 1) }
}

// WithPatience sets how long a missing object is awaited while later ones are
// there, instead of DefaultPatience.
func WithPatience(d time.Duration) SubscribeOption {
	return func(t *TrackReader) { t.sub.Patience = max(d, time.Nanosecond) }
}

// TrackReader reads a track that was subscribed to: group by group with
// AcceptGroup or Groups, or object by object in order with Objects. Use one of
// the two ways. Its methods may be called from any goroutine.
//
// Objects are received whether or not they are read. Who reads too slowly loses
// whole groups, the oldest first, and is told: see DefaultBuffer.
type TrackReader struct {
	sub     Subscriber
	cancel  context.CancelCauseFunc
	forever context.Context // of a reader that waits for nothing but objects
	over    chan struct{}   // closed when nothing runs any more
	limit   int

	mu         sync.Mutex
	in         *session.Inbound
	known      bool                // first is
	first      model.Location      // the first that is wanted
	backlog    model.Opt[uint64]   // the last group of a fetch that is under way
	fetched    model.Location      // how far it is
	groups     map[uint64]*feed    // that are not over
	waiting    []*feed             // for AcceptGroup, by sequence
	past       recentGroups        // that are
	newest     model.Opt[uint64]   // group that has begun
	newestBorn time.Time           //
	top        model.Opt[Location] // the largest object that came
	held       int                 // bytes in groups
	reading    int                 // bytes reserved for payloads that are being read
	config     Change              // the terms
	spare      [][]byte
	shed       model.Opt[uint64] // the oldest group given up unseen
	lost       *GapError         // what could not be fetched, for Objects
	inOrder    *feed             // what Objects reads
	slack      bool              // twice the limit holds: Objects catches up
	err        error             // nothing more comes

	arrived chan struct{} // for AcceptGroup and Objects
}

// newTrackReader returns a reader that cancel is to close.
func newTrackReader(ctx context.Context, cancel context.CancelCauseFunc, name TrackName, opts []SubscribeOption) *TrackReader {
	t := &TrackReader{
		cancel: cancel, forever: context.WithoutCancel(ctx),
		limit: DefaultBuffer, groups: map[uint64]*feed{}, past: newRecentGroups(),
		over: make(chan struct{}), arrived: make(chan struct{}, 1),
	}
	t.sub = Subscriber{Track: name, RawOrder: true, Patience: DefaultPatience, into: t}
	for _, o := range opts {
		o(t)
	}
	return t
}

// Name returns the name of the track.
func (t *TrackReader) Name() TrackName { return t.sub.Track }

// Offer returns what the publisher told of the track when it accepted.
func (t *TrackReader) Offer() Offer {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.in == nil {
		return Offer{}
	}
	return t.in.Offer
}

// Largest returns the largest location that is known to have been published; ok
// is false if none is.
func (t *TrackReader) Largest() (l Location, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	top := t.top
	if t.in != nil && t.in.Offer.Largest.Set && (!top.Set || top.Value.Less(t.in.Offer.Largest.Value)) {
		top = t.in.Offer.Largest
	}
	return top.Get()
}

// Config returns the terms that hold at present, as they were agreed and updated.
func (t *TrackReader) Config() Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.config
}

// Update changes terms of the subscription, such as its priority, or pauses it
// with Forward. What is absent in c stays. The filter cannot be changed.
func (t *TrackReader) Update(ctx context.Context, c Change) error {
	if c.Filter.Set {
		return errors.New("the filter of a TrackReader cannot be changed; subscribe anew")
	}
	t.mu.Lock()
	in, err := t.in, t.err
	t.mu.Unlock()
	if err != nil || in == nil {
		return endedBy(err)
	}
	if _, err := in.Update(ctx, c); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	merge(&t.config.Forward, c.Forward)
	merge(&t.config.Priority, c.Priority)
	merge(&t.config.ObjectTimeout, c.ObjectTimeout)
	merge(&t.config.SubgroupTimeout, c.SubgroupTimeout)
	return nil
}

func endedBy(err error) error {
	if err == nil || err == io.EOF {
		return ErrClosed
	}
	return err
}

func merge[T any](to *model.Opt[T], from model.Opt[T]) {
	if from.Set {
		*to = from
	}
}

// Close ends the subscription. What was not read is lost; readers of its groups
// get ErrClosed. Calling it again does nothing.
func (t *TrackReader) Close() error {
	t.cancel(ErrClosed)
	<-t.over
	return nil
}

// Err returns why no more objects come: nil while they may, io.EOF if the track
// has ended, or the limit of Until was reached.
func (t *TrackReader) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// AcceptGroup returns the next group, once its first object has come, without
// waiting for the groups before it. It returns io.EOF after the last group of a
// track that has ended, the cause of ctx, or why the subscription has ended.
// Every GroupReader must be read to its end, or closed.
func (t *TrackReader) AcceptGroup(ctx context.Context) (*GroupReader, error) {
	for {
		t.mu.Lock()
		var g *GroupReader
		err := t.err
		if t.known && len(t.waiting) > 0 {
			g = &GroupReader{f: t.accept()}
		}
		more := len(t.waiting) > 0 || err != nil
		t.mu.Unlock()
		if g != nil || err != nil {
			if more {
				poke(t.arrived) // for who else waits
			}
			if g != nil {
				return g, nil
			}
			return nil, err
		}
		select {
		case <-t.arrived:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (t *TrackReader) accept() *feed {
	f := t.waiting[0]
	t.waiting[0] = nil
	t.waiting = t.waiting[1:]
	f.accepted = true
	return f
}

// Groups yields what AcceptGroup returns, and ends after the last group of a
// track that has ended, or with the first error.
func (t *TrackReader) Groups(ctx context.Context) iter.Seq2[*GroupReader, error] {
	return func(yield func(*GroupReader, error) bool) {
		for {
			g, err := t.AcceptGroup(ctx)
			if err == io.EOF || !yield(g, err) || err != nil {
				return
			}
		}
	}
}

// end says that no more will come.
func (t *TrackReader) end(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return
	}
	t.err = err
	for _, f := range t.groups {
		// What was held back for a gap will not be joined by what it lacks.
		f.change(func() { f.q.Await(false); f.q.Release(); f.q.Expire(farFuture) })
	}
	t.spare = nil
	poke(t.arrived)
}

// farFuture is later than any deadline.
var farFuture = time.Unix(1<<40, 0)

// recentGroups remembers which groups are over.
type recentGroups struct {
	known map[uint64]struct{}
	ring  []uint64 // oldest first from next on, once it is full
	next  int
	floor model.Opt[uint64] // the largest that was forgotten
}

func newRecentGroups() recentGroups { return recentGroups{known: map[uint64]struct{}{}} }

func (r *recentGroups) add(seq uint64) {
	if r.has(seq) {
		return
	}
	r.known[seq] = struct{}{}
	if len(r.ring) < RememberedGroups {
		r.ring = append(r.ring, seq)
		return
	}
	old := r.ring[r.next]
	delete(r.known, old)
	if !r.floor.Set || r.floor.Value < old {
		r.floor = model.Some(old)
	}
	r.ring[r.next] = seq
	r.next = (r.next + 1) % len(r.ring)
}

// has reports whether a group is over. Below what was forgotten all are.
func (r *recentGroups) has(seq uint64) bool {
	if r.floor.Set && seq <= r.floor.Value {
		return true
	}
	_, ok := r.known[seq]
	return ok
}

// insertFeed keeps waiting in order.
func insertFeed(all []*feed, f *feed) []*feed {
	i, _ := slices.BinarySearchFunc(all, f.seq, func(g *feed, seq uint64) int {
		switch {
		case g.seq < seq:
			return -1
		case g.seq > seq:
			return 1
		}
		return 0
	})
	return slices.Insert(all, i, f)
}
