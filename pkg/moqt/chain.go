package moqt

import (
	"context"
	"errors"
	"sync"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// chain is what a Session is made of: one session after another, or the only one.
type chain struct {
	mu   sync.Mutex
	now  *session.Session // nil while there is none
	turn chan struct{}    // closed when now or err changes
	err  error            // there will be no more

	users sync.WaitGroup // goroutines that use it
}

func newChain() *chain { return &chain{turn: make(chan struct{})} }

func (c *chain) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	close(c.turn)
	c.turn = make(chan struct{})
}

// set makes s the session.
func (c *chain) set(s *session.Session) { c.change(func() { c.now = s }) }

// fail says that there will be no more.
func (c *chain) fail(err error) {
	c.change(func() {
		if c.err == nil {
			c.now, c.err = nil, err
		}
	})
}

// wait returns the session, waiting for one if there is none, or none but not.
func (c *chain) wait(ctx context.Context, not *session.Session) (*session.Session, error) {
	for {
		c.mu.Lock()
		now, err, turn := c.now, c.err, c.turn
		c.mu.Unlock()
		switch {
		case err != nil:
			return nil, err
		case now != nil && now != not && now.Context().Err() == nil:
			return now, nil
		}
		select {
		case <-turn:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// errMoved ends what is done on a session that has a successor.
var errMoved = errors.New("the session has a successor")

// during returns a context that also ends, with errMoved, when s has a successor.
func (c *chain) during(ctx context.Context, s *session.Session) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	c.users.Go(func() {
		for {
			c.mu.Lock()
			moved, turn := c.now != nil && c.now != s, c.turn
			c.mu.Unlock()
			if moved {
				cancel(errMoved)
				return
			}
			select {
			case <-turn:
			case <-ctx.Done():
				return
			}
		}
	})
	return ctx, func() { cancel(context.Canceled) }
}

// each calls use with one session after another, until use returns an error for
// which retry is false, or ctx or the chain ends. While use fails on a session
// that lives it is called again after a pause.
func (c *chain) each(ctx context.Context, use func(context.Context, *session.Session) error, retry func(error) bool) error {
	var last *session.Session
	pause := dial.FirstPause
	for {
		s, err := c.wait(ctx, last)
		if err != nil {
			return err
		}
		during, stop := c.during(ctx, s)
		err = use(during, s)
		stop()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, errMoved), s.Context().Err() != nil:
			last, pause = s, dial.FirstPause
			continue
		case errors.Is(err, session.ErrGoingAway):
			last = s // what follows is another
			continue
		case !retry(err):
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		pause, last = min(2*pause, dial.LongestPause), nil
	}
}

// handover is how long a session lives on after the peer's GOAWAY once there is
// another, so that what is on its way arrives.
const handover = time.Second

// follow makes s the session, and its successors where a GOAWAY leads. It
// returns dial.ErrLost when the present one is lost.
func (c *chain) follow(ctx context.Context, s *session.Session, target dial.Target, opts dial.Options) error {
	for first := s; ; {
		c.set(s)
		select {
		case <-ctx.Done():
		case <-s.Context().Done():
		case <-s.GoawayReceived():
			next, err := migrate(ctx, s, target, opts)
			if err == nil {
				c.set(next)
				rest(ctx, s)
				s.Close(model.NoError, "")
				s.Wait()
				s = next
				continue
			}
			select { // the best that is left
			case <-ctx.Done():
			case <-s.Context().Done():
			}
		}
		if s != first { // the first is its maker's to close
			s.Close(model.NoError, "")
			s.Wait()
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return dial.Lost(s.Err())
	}
}

// rest waits while a session that is left brings its last.
func rest(ctx context.Context, s *session.Session) {
	t := time.NewTimer(handover)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.Context().Done():
	case <-ctx.Done():
	}
}

// migrate dials where the peer of s wants us to go.
func migrate(ctx context.Context, s *session.Session, target dial.Target, opts dial.Options) (*session.Session, error) {
	if g := s.PeerGoaway(); g != nil && g.URI != "" {
		elsewhere, err := dial.Parse(g.URI)
		if err != nil {
			return nil, err
		}
		target = elsewhere
	}
	return dial.Dial(ctx, target, opts)
}
