package moqt

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// Start says where a Subscriber begins. The zero value is the next object.
type Start struct {
	kind startKind
	back uint64
	at   model.Location
}

type startKind uint8

const (
	startLive startKind = iota
	startRelative
	startGroup
	startAt
)

// The ways to begin: with the next object that is published; some groups before
// the present one, 0 being the present one; with a group; or at a location.
// What was published already is fetched.
var FromNow = Start{}

// FromGroupsBack begins n groups before the present one.
func FromGroupsBack(n uint64) Start { return Start{kind: startRelative, back: n} }

// FromGroup begins with a group, joined to the subscription.
func FromGroup(g uint64) Start { return Start{kind: startGroup, at: model.Location{Group: g}} }

// From begins at a location.
func From(l model.Location) Start { return Start{kind: startAt, at: l} }

// MaxRestart is the largest group with which a track that began anew is taken
// from its very beginning; a track that has got further is joined where it is.
const MaxRestart = 64

// StreamPatience is how long the streams of a subscription may go on after the
// publisher has ended it.
const StreamPatience = 10 * time.Second

// Subscriber keeps one track flowing, over as many sessions as it takes: each
// Run or Accept fetches what was missed since the last one. They are for one
// call at a time. Set the exported fields before the first.
type Subscriber struct {
	Track model.FullTrackName
	Start Start
	// End, if set, is the last location that is wanted.
	End model.Opt[model.Location]
	// Terms of the subscription that differ from the defaults; the filter is
	// the Subscriber's. With a delivery timeout what is missing counts as late
	// and is not fetched.
	Terms session.Change
	// Tokens go with each SUBSCRIBE and FETCH.
	Tokens []auth.Token
	// Rendezvous is how long the peer should wait for a publisher. It may be
	// changed between calls and by Subscribed.
	Rendezvous time.Duration
	// Patience is how long a missing object is awaited; 0: DefaultPatience. A
	// quarter into it the object is fetched.
	Patience time.Duration
	// RawOrder gives objects out as they come: no order, no repair, duplicates.
	RawOrder bool

	// Emit is given the objects, one call at a time. Payload and properties
	// may be kept. While it blocks, nothing is read.
	Emit func(model.Object)
	// EmitCame, if set, is used instead of Emit and told when each object came,
	// which for one that was held back for the sake of order is before it is
	// given out.
	EmitCame func(o model.Object, came time.Time)
	// Gap is told what was given up. May be nil.
	Gap func(from, to model.Location)
	// Subscribed is told of every subscription that was accepted. May be nil.
	Subscribed func(session.Offer)
	// Log is told what happens; nil discards it.
	Log *slog.Logger

	// into, if set, takes the objects instead of Emit, as they come.
	into *TrackReader

	mu       sync.Mutex
	q        Sequencer
	raw      model.Opt[model.Location] // with RawOrder: what follows the furthest that came
	feed     *receiver                 // of the present Run; others are no longer heard
	past     *catchUp                  // the fetch that is under way, if any
	repaired model.Range               // the range of the last repair
	wake     chan struct{}
}

// ErrEnd says that the last wanted location was reached.
var ErrEnd = errors.New("the end of the range was reached")

// ErrNotSubscribed says that there is no subscription to change.
var ErrNotSubscribed = errors.New("there is no subscription at present")

// Run subscribes on a session and returns when no more objects come: ErrEnd, or
// why the subscription ended, as Inbound.Context has it, or the refusal. Before
// it returns a *model.DoneError it has given out everything that can be had.
func (s *Subscriber) Run(ctx context.Context, sess *session.Session) error {
	r := s.begin(sess)
	c := s.terms()
	c.Filter = model.Some(model.NextObject)
	in, err := sess.Subscribe(ctx, session.SubscribeOptions{Track: s.Track, Change: c, Rendezvous: s.Rendezvous, Tokens: s.Tokens}, r)
	if err != nil {
		return err
	}
	return s.follow(ctx, r, in)
}

// Accept takes a PUBLISH of the peer for the Subscriber's track, and otherwise
// does what Run does.
func (s *Subscriber) Accept(ctx context.Context, p *session.PublishRequest) error {
	r := s.begin(p.Session())
	in, err := p.Accept(s.terms(), r)
	if err != nil {
		return err
	}
	return s.follow(ctx, r, in)
}

func (s *Subscriber) terms() session.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Terms
}

// Update changes terms of the subscription that is running, and of those that
// follow it: its priority, or with Forward whether objects are sent. It fails with
// ErrNotSubscribed if none runs.
func (s *Subscriber) Update(ctx context.Context, c session.Change) error {
	s.mu.Lock()
	var in *session.Inbound
	if s.feed != nil {
		in = s.feed.in
	}
	s.mu.Unlock()
	if in == nil {
		return ErrNotSubscribed
	}
	c = session.Change{Forward: c.Forward, Priority: c.Priority}
	if _, err := in.Update(ctx, c); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	merge(&s.Terms.Forward, c.Forward)
	merge(&s.Terms.Priority, c.Priority)
	return nil
}

// begin prepares for a session: nothing is given out before its answer.
func (s *Subscriber) begin(sess *session.Session) *receiver {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wake == nil {
		if s.Log == nil {
			s.Log = slog.New(slog.DiscardHandler)
		}
		if s.Patience == 0 {
			s.Patience = DefaultPatience
		}
		s.wake = make(chan struct{}, 1)
		s.renew()
	}
	if _, known := s.position(); !known {
		s.renew() // what is held of an unfinished backlog is fetched again
	}
	s.feed = &receiver{s: s, sess: sess}
	s.past, s.repaired = nil, model.Range{}
	if s.into != nil {
		s.into.rejoin()
	}
	s.q.Rejoin()
	s.q.Await(false)
	s.q.Hold(model.Location{})
	return s.feed
}

// renew starts with an empty Sequencer.
func (s *Subscriber) renew() {
	s.q = Sequencer{Patience: s.Patience, Gap: s.gap}
	s.q.Emit = func(o model.Object) { s.emit(o, s.q.came) }
	s.raw = model.Opt[model.Location]{}
}

// follow gives out the objects of a subscription until it is over.
func (s *Subscriber) follow(ctx context.Context, r *receiver, in *session.Inbound) error {
	defer in.Cancel(model.ResetCancelled)
	ctx, cancel := context.WithCancel(ctx)
	defer s.leave(r, cancel)
	if l, known := in.Offer.Largest.Get(); known {
		s.Log.Info("subscribed", "track", s.Track.String(), "largest", l.String())
	} else {
		s.Log.Info("subscribed", "track", s.Track.String(), "largest", "none yet")
	}
	s.mu.Lock()
	r.in = in
	s.mu.Unlock()
	if s.into != nil {
		s.into.subscribed(in)
	}
	if s.Subscribed != nil {
		s.Subscribed(in.Offer)
	}
	if c := s.plan(in); c != nil {
		r.fetches.Go(func() { s.catchUp(ctx, r.sess, c) })
	}
	return s.tend(ctx, r, in)
}

// leave makes the Subscriber deaf to what still comes by a session, and waits a
// moment for its fetches to end. One whose stream has stalled ends with the
// session, if the peer does not go on before.
func (s *Subscriber) leave(r *receiver, cancel context.CancelFunc) {
	s.mu.Lock()
	if s.feed == r {
		s.feed, s.past = nil, nil
	}
	s.mu.Unlock()
	cancel()
	over := make(chan struct{})
	go func() { r.fetches.Wait(); close(over) }()
	t := time.NewTimer(leaveTime)
	defer t.Stop()
	select {
	case <-over:
	case <-t.C:
	}
}

// leaveTime is how long a fetch is awaited that was given up.
const leaveTime = 100 * time.Millisecond

func (s *Subscriber) emit(o model.Object, came time.Time) {
	if end, ok := s.End.Get(); ok && end.Less(o.Location) {
		return
	}
	if s.EmitCame != nil {
		s.EmitCame(o, came)
		return
	}
	s.Emit(o)
}

func (s *Subscriber) gap(from, to model.Location) {
	if end, ok := s.End.Get(); ok && end.Less(from) {
		return
	}
	s.Log.Warn("objects are missing", "from", from.String(), "before", to.String())
	if s.Gap != nil {
		s.Gap(from, to)
	}
}

// position is the first location that did not come yet, as far as is known.
func (s *Subscriber) position() (model.Location, bool) {
	if s.into != nil {
		return s.into.position()
	}
	if s.RawOrder {
		return s.raw.Get()
	}
	return s.q.Next()
}

func (s *Subscriber) reachedEnd() bool {
	end, ok := s.End.Get()
	if !ok {
		return false
	}
	raw, known := s.raw.Get()
	return s.q.Passed(end) || known && end.Less(raw)
}

// plan decides, now that the largest location is known, what to fetch and from
// where on objects are live.
func (s *Subscriber) plan(in *session.Inbound) *catchUp {
	s.mu.Lock()
	defer s.mu.Unlock()
	largest, some := in.Offer.Largest.Get()
	var live model.Location
	if some {
		live = largest.Next()
	}
	start := s.Start
	next, resumed := s.position()
	if resumed && start.kind == startAt && next == start.at {
		resumed = false // nothing has come yet
	}
	if resumed && live.Less(next) {
		s.Log.Warn("the track began anew", "was at", next.String())
		s.renew()
		if s.into != nil {
			s.into.renew()
		}
		s.q.Hold(model.Location{})
		resumed = false
		// All of it is new; but if there is much, it is not for us.
		start = FromGroupsBack(0)
		if largest.Group <= MaxRestart {
			start.back = largest.Group
		}
	}
	c := &catchUp{live: live, opts: session.FetchOptions{Track: s.Track, Priority: s.Terms.Priority, Tokens: s.Tokens}}
	fetch := some
	switch {
	case resumed:
		c.opts.Range.Start = next
	case start.kind == startRelative:
		c.opts.Range.Start.Group = largest.Group - min(start.back, largest.Group)
		c.opts.Join = &session.Join{To: in, Relative: true, Start: start.back}
	case start.kind == startGroup:
		c.opts.Range.Start = start.at
		c.opts.Join = &session.Join{To: in, Start: start.at.Group}
	case start.kind == startAt:
		c.opts.Range.Start = start.at
		s.q.Start(start.at)
	default:
		fetch = false
	}
	c.opts.Range.End = largest
	if end, ok := s.End.Get(); ok && end.Less(largest) {
		c.opts.Range.End, c.live = end, end.Next()
	}
	if fetch && !c.opts.Range.Empty() {
		c.since = time.Now()
		s.past = c
		s.q.Await(true)
		s.q.Hold(c.live)
		if s.into != nil {
			s.into.planned(c.opts.Range.Start, model.Some(c.opts.Range.End.Group))
		}
		return c
	}
	if s.into != nil {
		first := c.live
		if start.kind == startAt || start.kind == startGroup {
			first = start.at
		}
		s.into.planned(first, model.Opt[uint64]{})
	}
	if !some {
		s.q.StartFresh()
	}
	s.q.Hold(c.live)
	s.q.Release()
	return nil
}

// poke lets tend look at the Sequencer.
func (s *Subscriber) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// tend gives up gaps whose time is over, has them fetched before, and returns
// when the subscription has ended and nothing of it is outstanding.
func (s *Subscriber) tend(ctx context.Context, r *receiver, in *session.Inbound) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	over, done := in.Context().Done(), in.Done()
	var overdue <-chan time.Time
	var ended error
	for {
		s.mu.Lock()
		next := s.care(ctx, r, time.Now())
		reached, idle := s.reachedEnd(), s.past == nil && s.q.Idle()
		s.mu.Unlock()
		switch {
		case reached:
			return ErrEnd
		case ended != nil && idle:
			return ended
		}
		if !next.IsZero() {
			timer.Reset(time.Until(next))
		}
		select {
		case <-s.wake:
		case <-timer.C:
		case <-done:
			done, overdue = nil, time.After(StreamPatience)
		case <-overdue:
			in.Cancel(model.ResetCancelled)
		case <-over:
			over, overdue, ended = nil, nil, context.Cause(in.Context())
			if _, done := errors.AsType[*model.DoneError](ended); !done {
				return ended
			}
		case <-r.sess.Context().Done():
			return r.sess.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// care does what is due at the time now and returns when to come back; zero
// means never.
func (s *Subscriber) care(ctx context.Context, r *receiver, now time.Time) (next time.Time) {
	if s.past != nil {
		if stalled := s.past.since.Add(s.stall()); stalled.After(now) {
			return stalled
		}
		s.ended(s.past, errStalled)
	}
	s.q.Expire(now)
	next = s.q.Deadline()
	lost, since, missing := s.q.Missing()
	if !missing || lost == s.repaired || s.late() {
		return next
	}
	if due := since.Add(s.Patience / 4); due.After(now) {
		if next.IsZero() || due.Before(next) {
			next = due
		}
		return next
	}
	s.Log.Info("fetching what is missing", "range", lost.String())
	c := &catchUp{repair: true, since: now, opts: session.FetchOptions{Track: s.Track, Range: lost, Priority: s.Terms.Priority, Tokens: s.Tokens}}
	s.repaired, s.past = lost, c
	s.q.Await(true)
	r.fetches.Go(func() { s.catchUp(ctx, r.sess, c) })
	return now.Add(s.stall())
}

// late reports whether what is missing was probably dropped on purpose.
func (s *Subscriber) late() bool {
	return s.Terms.ObjectTimeout.Value > 0 || s.Terms.SubgroupTimeout.Value > 0
}
