package text

import (
	"context"
	"errors"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
)

// Watcher is told what comes, as it comes, for a screen. It is on the way of the
// objects, so its methods must not wait.
type Watcher interface {
	// Object is told of each object that is printed; a holds during the call.
	Object(a *Arrival)
	// Gap is told of what was given up, from the first missing location to the
	// first that is not.
	Gap(track model.FullTrackName, from, to model.Location)
}

// Nothing prints nothing, for when a Watcher shows what comes.
func Nothing(b []byte, _ *Arrival) []byte { return b }

// Status is how far a Client is. Times that are not known are nil.
type Status struct {
	Time      time.Time
	Connected bool
	Transport string // "quic"
	Protocol  string // "moqt-18"
	// Accepted says that the peer has accepted the request that is running.
	Accepted bool
	Paused   bool
	// Of all tracks that have a report or are watched:
	Objects, Bytes, Gaps uint64
	// Of the first track: the answer and the first object after the request, how
	// late its newest object is, if it says when it was captured, and how unevenly
	// they come.
	Answer, First, Lag, Jitter *time.Duration
}

// Why a Client cannot do what was asked of it while it runs.
var (
	errNotConnected = errors.New("there is no connection at present")
	errNoPause      = errors.New("only a subscription can be paused")
	errWhichTrack   = errors.New("a range can be fetched of one track only; name it with -track_name")
	errNoRange      = errors.New("say which range, as in 7 or 7/3 9/0")
)

// errUnsubscribed says that the user has left the track.
var errUnsubscribed = errors.New("the track was left")

// live is what a Client does at present. mu is a leaf.
type live struct {
	mu       sync.Mutex
	session  *session.Session
	accepted bool
	paused   bool
	subs     func() []*moqt.Subscriber // that may run; nil: it is no subscription
	finish   context.CancelCauseFunc   // nil before Run
}

func (l *live) change(f func(l *live)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l)
}

// Status returns how far the Client is. It may be called from any goroutine, at
// any time.
func (c *Client) Status() Status {
	st := Status{Time: time.Now()}
	c.live.change(func(l *live) {
		st.Paused = l.paused
		if l.session != nil && l.session.Context().Err() == nil {
			conn := l.session.Conn()
			st.Connected, st.Accepted = true, l.accepted
			st.Transport, st.Protocol = string(conn.Kind()), conn.Protocol()
		}
	})
	c.tracks.describe(&st)
	return st
}

// Pause has the publisher send no more objects (REQUEST_UPDATE with FORWARD 0,
// section 10.11), or go on. What it published meanwhile is fetched then. It holds
// on further sessions.
func (c *Client) Pause(ctx context.Context, on bool) error {
	var list func() []*moqt.Subscriber
	c.live.change(func(l *live) { list = l.subs })
	if list == nil {
		return errNoPause
	}
	var failed error
	done := false
	for _, sub := range list() {
		err := sub.Update(ctx, session.Change{Forward: model.Some(!on)})
		done = done || err == nil
		if err != nil && (failed == nil || errors.Is(failed, moqt.ErrNotSubscribed)) {
			failed = err
		}
	}
	if done && errors.Is(failed, moqt.ErrNotSubscribed) { // of tracks that have ended
		failed = nil
	}
	if done {
		c.live.change(func(l *live) { l.paused = on })
	}
	return failed
}

// Unsubscribe leaves what was asked for; Run returns nil.
func (c *Client) Unsubscribe() error {
	err := errNotConnected
	c.live.change(func(l *live) {
		if l.finish != nil {
			l.finish(errUnsubscribed)
			err = nil
		}
	})
	return err
}

// FetchRange fetches a part of the track beside what Run does, and returns when
// all of it was printed. ctx must end with Run.
func (c *Client) FetchRange(ctx context.Context, span Span) (objects uint64, err error) {
	var s *session.Session
	c.live.change(func(l *live) { s = l.session })
	switch {
	case s == nil || s.Context().Err() != nil:
		return 0, errNotConnected
	case c.Track.Name == "" && c.Way == Publishes:
		return 0, errWhichTrack
	case !span.Start.Set:
		return 0, errNoRange
	}
	if span.Relative() {
		offer, err := c.status(ctx, s)
		if err != nil {
			return 0, err
		}
		if span, err = span.resolve(offer.Largest); err != nil {
			return 0, err
		}
	}
	f := &fetch{c: c, m: &measure{track: c.Track}, next: span.Start.Value, end: span.End, aside: true}
	f.m.fetched()
	err = f.run(ctx, s)
	return f.got, err
}

// terms are those of a new subscription.
func (c *Client) terms() session.Change {
	t := c.Terms
	c.live.change(func(l *live) {
		if l.paused {
			t.Forward = model.Some(false)
		}
	})
	return t
}

// Latency returns how long the object was on the way from its capture, as far as
// the clocks agree; ok is false if it does not say when that was.
func (a *Arrival) Latency() (d time.Duration, ok bool) {
	return a.At.Sub(a.captured), !a.captured.IsZero()
}
