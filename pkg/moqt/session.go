package moqt

import (
	"context"
	"errors"
	"io"
	"sync"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// Session is a connection to a relay, or to any other peer, through which tracks
// are published and subscribed to. With Dialer.Reconnect it is one for the
// program, however many the network takes.
//
// What a method returns lives until its context ends, or it is closed, or the
// Session is. Its methods may be called from any goroutine.
type Session struct {
	chain  *chain
	mux    *TrackMux // sends what is published by the session itself
	ctx    context.Context
	cancel context.CancelCauseFunc
	stays  bool // it has successors

	mu    sync.Mutex
	ended bool           // nothing is begun any more
	work  sync.WaitGroup // goroutines, begun under mu
}

// spawn runs f in a goroutine, unless the session has ended.
func (x *Session) spawn(f func()) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended {
		return false
	}
	x.work.Go(f)
	return true
}

func bareSession(ctx context.Context, cancel context.CancelCauseFunc, h Handler) *Session {
	mux, ok := h.(*TrackMux)
	if !ok {
		mux = NewTrackMux()
	}
	return &Session{chain: newChain(), mux: mux, ctx: ctx, cancel: cancel}
}

// newSession returns a Session of one session only.
func newSession(ctx context.Context, cancel context.CancelCauseFunc, s *session.Session, h Handler) *Session {
	x := bareSession(ctx, cancel, h)
	x.chain.set(s)
	x.spawn(func() {
		select {
		case <-s.Context().Done():
		case <-ctx.Done():
			s.Close(model.NoError, "")
		}
		s.Wait()
		x.end(s.Err())
	})
	return x
}

// NewSession returns a Session of one that was made by package session. handler
// is the one that it was made with, or nil.
func NewSession(ctx context.Context, s *session.Session, handler Handler) *Session {
	life, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	return newSession(life, cancel, s, handler)
}

// end says that there is no more session.
func (x *Session) end(err error) {
	if cause := context.Cause(x.ctx); cause != nil && errors.Is(cause, ErrClosed) {
		err = cause
	}
	x.mu.Lock()
	x.ended = true
	x.mu.Unlock()
	x.chain.fail(err)
	x.cancel(err)
}

// Context ends when there is no session and will be none any more; its cause
// says why: a *SessionError, what the network said, or ErrClosed.
func (x *Session) Context() context.Context { return x.ctx }

// Err returns the cause of the end of Context, nil before.
func (x *Session) Err() error { return context.Cause(x.ctx) }

// Close ends the session and all that was made of it, and waits for its
// goroutines, except those of the program.
func (x *Session) Close() error {
	x.cancel(ErrClosed)
	x.Wait()
	return nil
}

// Wait returns when the session has ended and its goroutines have too.
func (x *Session) Wait() {
	<-x.ctx.Done()
	x.work.Wait()
	x.chain.users.Wait()
}

// Current returns the session of package session below, for what this package
// does not show, waiting for one if the connection is away.
func (x *Session) Current(ctx context.Context) (*session.Session, error) {
	return x.chain.wait(ctx, nil)
}

// Stats describes the path to the peer at present.
func (x *Session) Stats() Stats {
	x.chain.mu.Lock()
	s := x.chain.now
	x.chain.mu.Unlock()
	if s == nil {
		return Stats{}
	}
	return Stats{
		PathStats: s.Conn().Stats(), Protocol: s.Conn().Protocol(), Transport: string(s.Conn().Kind()),
		Peer: s.PeerImplementation(), Connected: s.Context().Err() == nil,
	}
}

// Stats is what Session.Stats tells; without a connection it is zero.
type Stats struct {
	session.PathStats
	Connected bool
	Protocol  string // "moqt-18"
	Transport string // "quic", "wt"
	Peer      string // what the peer says it is; may be empty
}

// bind returns a context that ends with ctx and with the session.
func (x *Session) bind(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(x.ctx, func() { cancel(context.Cause(x.ctx)) })
	context.AfterFunc(ctx, func() { stop() })
	return ctx, cancel
}

// Subscribe asks for a track and returns once the peer has accepted. A
// *RequestError is a refusal. The subscription ends with ctx.
func (x *Session) Subscribe(ctx context.Context, name TrackName, opts ...SubscribeOption) (*TrackReader, error) {
	if err := name.Validate(); err != nil {
		return nil, err
	}
	ctx, cancel := x.bind(ctx)
	t := newTrackReader(ctx, cancel, name, opts)
	accepted := make(chan struct{})
	var once sync.Once
	t.sub.Subscribed = func(Offer) { once.Do(func() { close(accepted) }) }
	x.run(ctx, t, func() error {
		return x.chain.each(ctx, func(ctx context.Context, s *session.Session) error {
			t.prepare()
			return t.sub.Run(ctx, s)
		}, func(err error) bool {
			select {
			case <-accepted:
				return x.stays && mayReturn(err)
			default:
				return false
			}
		})
	})
	select {
	case <-accepted:
		return t, nil
	case <-t.over:
		if err := t.Err(); err != io.EOF {
			return nil, err
		}
		return t, nil // it has ended already
	}
}

// prepare sets the terms of the next session.
func (t *TrackReader) prepare() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sub.Terms = t.config
}

// run reads a track in a goroutine of its own.
func (x *Session) run(ctx context.Context, t *TrackReader, read func() error) {
	if !x.spawn(func() { t.finish(ctx, read()) }) {
		t.finish(ctx, context.Cause(x.ctx))
	}
}

// finish says that nothing runs any more, and why.
func (t *TrackReader) finish(ctx context.Context, err error) {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	t.end(finished(err))
	t.cancel(ErrClosed)
	close(t.over)
}

// finished makes the good ends of a track io.EOF.
func finished(err error) error {
	switch {
	case errors.Is(err, ErrEnd),
		errors.Is(err, &DoneError{Code: model.DoneTrackEnded}),
		errors.Is(err, &DoneError{Code: model.DoneSubscriptionEnded}):
		return io.EOF
	}
	return err
}

// mayReturn reports whether a track that was lost may be had again: its
// publisher may come back.
func mayReturn(err error) bool {
	if re, ok := errors.AsType[*RequestError](err); ok {
		return re.Code == model.DoesNotExist || re.Code == model.RequestTimeout ||
			re.Code == model.RequestGoingAway || re.Code == model.RequestExcessiveLoad || re.Code == model.DuplicateSubscription
	}
	if de, ok := errors.AsType[*DoneError](err); ok {
		return de.Code == model.DoneGoingAway || de.Code == model.DoneInternalError ||
			de.Code == model.DoneTooFarBehind || de.Code == model.DoneExcessiveLoad
	}
	return false
}

// TrackStatus asks what the peer knows of a track.
func (x *Session) TrackStatus(ctx context.Context, name TrackName) (Offer, error) {
	s, err := x.chain.wait(ctx, nil)
	if err != nil {
		return Offer{}, err
	}
	return s.TrackStatus(ctx, name)
}
