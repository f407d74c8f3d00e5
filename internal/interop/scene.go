package interop

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// The roles of the cases, by which sessions are told apart in the results.
const (
	client     = "client"
	publisher  = "publisher"
	subscriber = "subscriber"
)

// settling is how long a relay has to object to the last message of a session
// to which there is no answer.
const settling = 200 * time.Millisecond

// scene is one performance of a case.
type scene struct {
	cfg    *Config
	ctx    context.Context // ends with the time of the case
	cancel context.CancelFunc
	limit  time.Duration
	actors []*actor
	tasks  sync.WaitGroup
}

// actor is one session of a case.
type actor struct {
	role    string
	session *session.Session
	asked   chan struct{} // closed when the first SUBSCRIBE of ours is written

	mu   sync.Mutex
	once sync.Once
	id   string // of the QUIC connection; empty if there is none
	done model.Opt[wire.PublishDone]
}

// connect opens a session. The time of the case begins with its first session;
// how long that may take is what Config.Dial says, or if it says nothing the time
// of the case.
func (s *scene) connect(role string, h session.Handler) (*actor, error) {
	a := &actor{role: role, asked: make(chan struct{})}
	s.actors = append(s.actors, a)
	o := s.cfg.Dial
	o.Session.Handler = h
	theirs := o.Session.Trace
	o.Session.Trace = func(of *session.Session) session.TraceFunc {
		var next session.TraceFunc
		if theirs != nil {
			next = theirs(of)
		}
		return func(e session.TraceEvent) {
			a.trace(e, s.cfg)
			if next != nil {
				next(e)
			}
		}
	}
	o.Trace = func(start transport.TraceStart) transport.Trace {
		a.mu.Lock()
		a.id = start.ID
		a.mu.Unlock()
		if s.cfg.Dial.Trace != nil {
			return s.cfg.Dial.Trace(start)
		}
		return nil
	}
	o.Timeout = cmp.Or(o.Timeout, s.limit)
	got, err := dial.Dial(s.ctx, s.cfg.Target, o)
	if err != nil {
		return nil, instead("SETUP of the "+role, s.late(err))
	}
	a.session = got
	if len(s.actors) == 1 {
		s.cancel()
		s.ctx, s.cancel = context.WithTimeoutCause(s.cfg.ctx, s.limit, &lateError{s.limit})
	}
	return a, nil
}

// late returns why the time of the case is over, if it is, else err.
func (s *scene) late(err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return err
}

// trace notes what the interfaces of a session do not show.
func (a *actor) trace(e session.TraceEvent, cfg *Config) {
	m, ok := e.What.(wire.Message)
	if !ok {
		return
	}
	if cfg.Log != nil {
		verb := "reads"
		if e.Sent {
			verb = "sends"
		}
		cfg.Log.Info(a.role+" "+verb+" "+m.Kind().String(), "stream", e.Stream)
	}
	switch m := m.(type) {
	case *wire.Subscribe:
		if e.Sent {
			a.once.Do(func() { close(a.asked) })
		}
	case *wire.PublishDone:
		if !e.Sent {
			a.mu.Lock()
			a.done = model.Some(*m)
			a.mu.Unlock()
		}
	}
}

// publishDone is what the relay said last about the subscription of the actor.
func (a *actor) publishDone() model.Opt[wire.PublishDone] {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.done
}

// wait waits for c.
func (s *scene) wait(expected string, c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-s.ctx.Done():
		return instead(expected, context.Cause(s.ctx))
	}
}

// pause lets time pass.
func (s *scene) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.ctx.Done():
		return instead("time for the rest of the case", context.Cause(s.ctx))
	}
}

// leave closes the sessions, the one that was opened last first. None may have
// ended before.
func (s *scene) leave() (err error) {
	for i := len(s.actors) - 1; i >= 0; i-- {
		a := s.actors[i]
		if a.session == nil {
			continue
		}
		if a.session.Context().Err() != nil && err == nil {
			err = instead("the session of the "+a.role+" to live until it is closed here", a.session.Err())
		}
		a.session.Close(model.NoError, "")
		a.session.Wait()
	}
	s.cancel()
	s.tasks.Wait()
	return err
}

// runID makes names that no other run has: 128 random bits.
func runID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// refusal returns the code by which the relay refused a request, if it did.
func refusal(err error) (model.RequestCode, bool) {
	e, ok := errors.AsType[*model.RequestError](err)
	if !ok || !e.Remote {
		return 0, false
	}
	return e.Code, true
}
