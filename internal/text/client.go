package text

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
)

// Way is how a Client gets objects.
type Way uint8

// The ways.
const (
	Follow    Way = iota // SUBSCRIBE, and FETCH for what was missed
	Fetch                // FETCH of Span, and nothing else
	Publishes            // SUBSCRIBE_TRACKS for the namespace; PUBLISHes are taken
)

// ExitOn says what ends a Client, beside having done what was asked. What it
// does not name is tried again for ever, once it has worked.
type ExitOn struct {
	End   bool // the publisher says that the track has ended: success
	Idle  bool // no object has come for Client.Idle: success
	Error bool // a session or subscription is lost: failure
}

// ParseExitOn reads the names of a flag.
func ParseExitOn(names []string) (e ExitOn, err error) {
	for _, n := range names {
		switch n {
		case "end":
			e.End = true
		case "idle":
			e.Idle = true
		case "error":
			e.Error = true
		default:
			return e, fmt.Errorf("-exit_on %q is not known; use end, idle or error", n)
		}
	}
	return e, nil
}

// Client prints the objects of a track. Set the fields before Run, which is for
// one call.
type Client struct {
	Target dial.Target
	// Dial says how to connect; RetryFirst goes on trying although it has never
	// worked, to connect as well as to subscribe. The Handler is the Client's.
	Dial dial.KeepOptions
	Way  Way
	// Track is the track; for Publishes its name may be empty: all of the
	// namespace.
	Track model.FullTrackName
	// Start is where to begin; Span, where it says something, outweighs it.
	Start moqt.Start
	Span  Span
	Terms session.Change
	// Rendezvous is how long to wait for a publisher at first.
	Rendezvous time.Duration
	// Answer is how long the peer may take to answer a request, beside what it
	// is asked to wait for a publisher; 0: for ever.
	Answer   time.Duration
	RawOrder bool
	ExitOn   ExitOn
	// Idle is how long without an object is idle, from the first answer on.
	Idle time.Duration
	// Leave is how long to stay with a track, from the time when it was
	// subscribed to or published to us; 0: for ever. With no track left the
	// Client is done.
	Leave time.Duration
	// Count is how many objects to print; 0: all. Duration is how long to run;
	// 0: for ever.
	Count    uint64
	Duration time.Duration

	Out    io.Writer
	Format Format // nil: Plain
	// Stats says how arrivals are reported at the end; Report is where to, nil
	// being Out after the last object.
	Stats  Stats
	Report io.Writer
	// Watch is told of each object; may be nil.
	Watch Watcher
	Log   *slog.Logger

	out    *Output
	tracks measures
	live   live
	began  time.Time
	idle   idleTimer
	finish context.CancelCauseFunc // ends Run
	worked atomic.Bool             // a request was accepted once
}

// Why a Client is done.
var (
	// errTimeUp says that Client.Duration or Client.Leave is over.
	errTimeUp = errors.New("the time is up")
	// errIdle says that no object has come for Client.Idle.
	errIdle = errors.New("no object has come for a while")
)

// Run reads until what was asked for is done, when it returns nil, or cannot be
// done, or ctx ends, when it returns the cause. Errors are sentences for the
// user.
func (c *Client) Run(ctx context.Context) error {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Format == nil {
		c.Format = Plain
	}
	c.began = time.Now()
	c.tracks.stats, c.tracks.watched = c.Stats, c.Watch != nil
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	c.finish = stop
	c.live.change(func(l *live) { l.finish = stop })
	if c.Duration > 0 {
		t := time.AfterFunc(c.Duration, func() { stop(errTimeUp) })
		defer t.Stop()
	}
	if c.ExitOn.Idle {
		c.idle.set(c.Idle, func() { stop(errIdle) })
		defer c.idle.stop()
	}
	c.out = NewOutput(work, c.Out, c.Format, c.Count, stop)
	opts := c.Dial
	opts.Log = c.Log
	way := c.way(&opts)
	err := dial.Keep(work, c.Target, opts, func(ctx context.Context, s *session.Session) error {
		return c.use(ctx, s, opts.Options, way)
	})
	c.tell(work)
	if unwritten := c.out.Close(ctx); unwritten != nil && !errors.Is(unwritten, ErrReaderGone) && ctx.Err() == nil {
		return fmt.Errorf("cannot write: %w", unwritten)
	}
	c.Log.Info("done", "objects", c.out.Printed())
	if work.Err() != nil {
		err = context.Cause(work)
	}
	for _, done := range []error{ErrCount, ErrReaderGone, errTimeUp, errIdle, errUnsubscribed} {
		if errors.Is(err, done) {
			return nil
		}
	}
	return err
}

// accepted notes that the peer has accepted a request.
func (c *Client) accepted() {
	c.live.change(func(l *live) { l.accepted = true })
	if !c.worked.Swap(true) {
		c.idle.start()
	}
}

// print gives out an object that came at a time.
func (c *Client) print(m *measure, o model.Object, came time.Time) {
	c.idle.reset()
	a := &Arrival{Track: m.track, At: came, Object: o}
	m.take(a)
	if c.out.Print(a) {
		m.count(a)
		if c.Watch != nil {
			c.Watch.Object(a)
		}
	}
}

// gap notes what was given up.
func (c *Client) gap(m *measure, from, to model.Location) {
	m.gap(from, to)
	if c.Watch != nil {
		c.Watch.Gap(m.track, from, to)
	}
}

// tell reports how the tracks arrived, when work is over.
func (c *Client) tell(work context.Context) {
	if c.Stats == StatsOff {
		return
	}
	idle := errors.Is(context.Cause(work), errIdle) // that nothing came was what we waited for
	b, full := c.tracks.report(time.Now(), idle)
	if full {
		c.Log.Warn("there are reports on the first tracks only", "number", MaxReports)
	}
	if c.Report == nil {
		c.out.Finish(b)
		return
	}
	_, _ = c.Report.Write(b) // as with a log, there is nobody to tell
}

// way is what to do with one session. It returns nil when all is done, what
// Client.lost makes of the end of the session, the cause of ctx, or a sentence
// for the user.
type way func(ctx context.Context, s *session.Session) error

func (c *Client) way(opts *dial.KeepOptions) way {
	begin := c.follower
	switch c.Way {
	case Fetch:
		begin = c.fetcher
	case Publishes:
		p := newPublishes(c)
		opts.Session.Handler = p
		c.live.change(func(l *live) { l.subs = p.subscribers })
		return p.use
	}
	if back, ok := c.Span.groupsBack(); ok && c.Way == Follow {
		c.Start, c.Span = moqt.FromGroupsBack(back), Span{}
	}
	if c.Span.Relative() {
		return c.resolver(begin)
	}
	return begin()
}

// subscriber returns a Subscriber as the Client wants it.
func (c *Client) subscriber(m *measure) *moqt.Subscriber {
	start := c.Start
	if l, ok := c.Span.Start.Get(); ok {
		start = moqt.From(l)
	}
	return &moqt.Subscriber{
		Track: m.track, Start: start, End: c.Span.End, Terms: c.terms(), Rendezvous: c.Rendezvous, RawOrder: c.RawOrder,
		EmitCame:   func(o model.Object, came time.Time) { c.print(m, o, came) },
		Gap:        func(from, to model.Location) { c.gap(m, from, to) },
		Subscribed: m.offered,
		Log:        c.Log,
	}
}

// use serves a session, and those that follow it when the peer asks to leave.
func (c *Client) use(ctx context.Context, s *session.Session, opts dial.Options, do way) error {
	var moves pauses
	for {
		c.live.change(func(l *live) { l.session, l.accepted = s, false })
		next, err := c.stay(ctx, s, opts, do, &moves)
		if next == nil {
			return err
		}
		s.Close(model.NoError, "leaving as asked")
		s.Wait()
		s = next
		defer s.Wait()
		defer s.Close(model.NoError, "")
	}
}

// errMoved ends the work on a session that has a successor.
var errMoved = errors.New("a new session is there")

// stay works on a session until all is done or the session is over. If the peer
// asks to leave it makes the next session first and returns that.
func (c *Client) stay(ctx context.Context, s *session.Session, opts dial.Options, do way, moves *pauses) (*session.Session, error) {
	here, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	moved := make(chan *session.Session, 1)
	go func() {
		var next *session.Session
		select {
		case <-s.GoawayReceived():
			if next = c.move(here, opts, moves); next != nil {
				leave(errMoved)
			}
		case <-here.Done():
		}
		moved <- next
	}()
	err := do(here, s)
	leave(nil)
	next := <-moved
	if next == nil {
		return nil, err
	}
	if ctx.Err() == nil && (errors.Is(err, errMoved) || errors.Is(err, dial.ErrLost)) {
		return next, nil
	}
	next.Close(model.NoError, "")
	next.Wait()
	return nil, err
}

// settleTime is how long a new session may stay without GOAWAY before it is
// moved to: a relay that leaves may still accept sessions and say so then.
const settleTime = 250 * time.Millisecond

// move makes a session to the same place, unless ctx ends before it succeeds.
func (c *Client) move(ctx context.Context, opts dial.Options, moves *pauses) *session.Session {
	c.Log.Info("the relay asks to leave; making a new session first")
	for {
		if !wait(ctx, nil, moves.take()) {
			return nil
		}
		s, err := dial.Dial(ctx, c.Target, opts)
		if err != nil {
			c.Log.Debug("not yet", "because", err)
			continue
		}
		if wait(ctx, s.GoawayReceived(), settleTime) {
			return s
		}
		s.Close(model.NoError, "")
		s.Wait()
	}
}

// lost says that a session ended: another is to be made, unless the user
// thinks otherwise.
func (c *Client) lost(err error) error {
	switch {
	case !c.worked.Load() && !c.Dial.RetryFirst:
		return dial.Failure(c.Target, c.Dial.Options, err)
	case c.ExitOn.Error:
		return fmt.Errorf("lost %v: %w", c.Target, err)
	}
	return dial.Lost(err)
}

// describe names a track for the user.
func describe(t model.FullTrackName) string {
	return fmt.Sprintf("track %q of namespace %q", t.Name, strings.Join(t.Namespace, "/"))
}
