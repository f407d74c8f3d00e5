package moqt

import (
	"context"
	"errors"
	"io"
	"sync"

	"oxymoq/pkg/session"
)

// Publish offers a track to the peer by PUBLISH and returns once the peer has
// accepted. A *RequestError is a refusal: relays that do not want the track
// offered refuse with UNINTERESTED, and subscribe to what TrackMux.Publish and
// Announce make known. The track ends with ctx.
//
// When the peer has gone, or does not want the track any more, the writer's
// methods fail with the reason, as its Context tells.
func (x *Session) Publish(ctx context.Context, name TrackName, opts ...TrackOption) (*TrackWriter, error) {
	ctx, cancel := x.bind(ctx)
	w, err := newTrackWriter(ctx, name, opts)
	if err != nil {
		cancel(err)
		return nil, err
	}
	accepted, over := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	// Delivering outlasts ctx: the end of the track is to be told.
	begun := x.spawn(func() {
		err := x.chain.each(x.ctx, func(ctx context.Context, s *session.Session) error {
			return x.mux.offer(ctx, s, w.local, func() { once.Do(func() { close(accepted) }) })
		}, func(err error) bool {
			select {
			case <-accepted:
				return x.stays && w.ctx.Err() == nil && mayReturn(err)
			default:
				return false
			}
		})
		if w.ctx.Err() == nil {
			w.fail(err)
		}
		over <- err
		cancel(err)
	})
	if !begun {
		over <- context.Cause(x.ctx)
	}
	select {
	case <-accepted:
		return w, nil
	case err := <-over:
		w.fail(err)
		cancel(err)
		return nil, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Offer offers a track that TrackMux.PublishTrack made to the peer by PUBLISH, and
// again in each session that follows, until the track has ended, when it returns
// nil. Otherwise it returns the cause of ctx, the peer's refusal, which is a
// *RequestError, or why the peer does not want the track any more. The track
// goes on whatever it returns; after the end of ctx, what the peer has accepted
// does too.
func (x *Session) Offer(ctx context.Context, w *TrackWriter) error {
	ctx, cancel := x.bind(ctx)
	defer cancel(nil)
	over := make(chan error, 1)
	if !x.spawn(func() {
		accepted := false
		over <- x.chain.each(ctx, func(ctx context.Context, s *session.Session) error {
			return x.mux.offer(ctx, s, w.local, func() { accepted = true })
		}, func(err error) bool { return accepted && x.stays && w.ctx.Err() == nil && mayReturn(err) })
	}) {
		return context.Cause(x.ctx)
	}
	select {
	case err := <-over:
		if finished(err) == io.EOF {
			return nil
		}
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Announced is a namespace that the peer knows to be had here.
type Announced struct {
	Namespace Namespace
	ctx       context.Context
	cancel    context.CancelCauseFunc
	over      chan struct{}
}

// Context ends when the namespace is known no longer; its cause says why.
func (a *Announced) Context() context.Context { return a.ctx }

// Close takes the namespace back. Subscriptions go on.
func (a *Announced) Close() error {
	a.cancel(ErrClosed)
	<-a.over
	return nil
}

// Announce tells the peer that tracks below a namespace can be had here, from
// the Handler of the session, and returns once the peer has accepted. The end of
// ctx takes the namespace back.
func (x *Session) Announce(ctx context.Context, ns Namespace) (*Announced, error) {
	if err := ns.Validate(); err != nil {
		return nil, err
	}
	a := &Announced{Namespace: ns, over: make(chan struct{})}
	a.ctx, a.cancel = x.bind(ctx)
	accepted := make(chan struct{})
	var once sync.Once
	over := func(err error) { a.cancel(err); close(a.over) }
	begun := x.spawn(func() {
		over(x.chain.each(a.ctx, func(ctx context.Context, s *session.Session) error {
			p, err := s.PublishNamespace(ctx, ns)
			if err != nil {
				return err
			}
			once.Do(func() { close(accepted) })
			select {
			case <-p.Context().Done():
				return p.Err()
			case <-ctx.Done():
				if !errors.Is(context.Cause(ctx), errMoved) {
					p.Withdraw()
				}
				return context.Cause(ctx)
			}
		}, func(err error) bool {
			select {
			case <-accepted:
				return x.stays
			default:
				return false
			}
		}))
	})
	if !begun {
		over(context.Cause(x.ctx))
	}
	select {
	case <-accepted:
		return a, nil
	case <-a.over:
		return nil, context.Cause(a.ctx)
	}
}
