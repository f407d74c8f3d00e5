package moqt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// Registration makes local tracks known to the peer of a session, a relay: by
// PUBLISH_NAMESPACE, so that it subscribes when somebody wants them, or by
// PUBLISH.
type Registration struct {
	Session *session.Session
	Mux     *TrackMux
	// Namespace is published if it is not empty.
	Namespace model.Namespace
	// Tracks are offered by PUBLISH. If the peer refuses with NOT_SUPPORTED or
	// UNINTERESTED, their namespaces are published instead.
	Tracks []*LocalTrack
	// Timeout bounds the wait for an answer; 0: none.
	Timeout time.Duration
	Log     *slog.Logger
}

// Run registers and returns when the registration has ended: the cause of ctx,
// the peer's refusal, why the session ended, session.ErrGoingAway after the
// peer's GOAWAY, or nil when all tracks that were offered have ended. What was
// accepted goes on until the track or the session ends.
func (g *Registration) Run(ctx context.Context) error {
	if g.Log == nil {
		g.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	revoked := make(chan error, 1)
	if len(g.Namespace) > 0 {
		if err := g.publishNamespace(ctx, g.Namespace, revoked); err != nil {
			return err
		}
	}
	ended := make(chan error, len(g.Tracks))
	for _, t := range g.Tracks {
		go func() { ended <- g.offer(ctx, t, revoked) }()
	}
	for left := len(g.Tracks); ; {
		select {
		case err := <-ended:
			if left--; err != nil || left == 0 && len(g.Namespace) == 0 {
				return err
			}
		case err := <-revoked:
			return err
		case <-g.Session.GoawayReceived():
			return session.ErrGoingAway
		case <-g.Session.Context().Done():
			return g.Session.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (g *Registration) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if g.Timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, g.Timeout, fmt.Errorf("the peer did not answer within %v", g.Timeout))
}

func (g *Registration) publishNamespace(ctx context.Context, ns model.Namespace, revoked chan<- error) error {
	wait, cancel := g.bounded(ctx)
	defer cancel()
	p, err := g.Session.PublishNamespace(wait, ns)
	if err != nil {
		return fmt.Errorf("namespace %v is not accepted: %w", ns, err)
	}
	g.Log.Info("namespace published", "namespace", ns.String(), "at", fmt.Sprint(g.Session.Conn().RemoteAddr()))
	context.AfterFunc(p.Context(), func() {
		select {
		case revoked <- fmt.Errorf("namespace %v was revoked: %w", ns, p.Err()):
		default: // another was, and that is enough
		}
	})
	context.AfterFunc(ctx, p.Withdraw)
	return nil
}

// errDeclines is what a peer would answer that is known to decline every PUBLISH.
var errDeclines error = &model.RequestError{Code: model.NotSupported, Reason: "such peers take no PUBLISH"}

// offer publishes a track until the subscription ends; it returns nil if that
// is because the track has.
func (g *Registration) offer(ctx context.Context, t *LocalTrack, revoked chan<- error) error {
	err := errDeclines
	if !g.Session.Quirks().DeclinesPublish {
		err = g.Mux.Offer(ctx, g.Session, t)
	}
	if errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded}) {
		return nil
	}
	re, refused := errors.AsType[*model.RequestError](err)
	if !refused || re.Code != model.NotSupported && re.Code != model.Uninterested {
		return err
	}
	g.Log.Info("PUBLISH is refused; publishing the namespace instead", "track", t.Name.String(), "because", err)
	if err := g.publishNamespace(ctx, t.Name.Namespace, revoked); err != nil {
		return err
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// Registrar keeps tracks registered at a relay, over as many sessions as it
// takes.
type Registrar struct {
	Target dial.Target
	Dial   dial.KeepOptions
	// Registration is what each session does; its Session is set for each.
	Registration
}

// Run registers until ctx ends; its sessions stay until serving ends, so that
// subscribers can be told that their tracks have. It returns the cause of ctx,
// the error of the first attempt to connect, the relay's refusal, or nil when
// all tracks that were offered have ended.
func (r *Registrar) Run(ctx, serving context.Context) error {
	return dial.Keep(ctx, r.Target, r.Dial, func(ctx context.Context, s *session.Session) error {
		g := r.Registration
		g.Session = s
		err := g.Run(ctx)
		if ctx.Err() != nil {
			select {
			case <-serving.Done():
			case <-s.Context().Done():
			}
			return context.Cause(ctx)
		}
		// A relay that drains refuses too, but the next one will not.
		if re, refused := errors.AsType[*model.RequestError](err); refused && re.Code != model.RequestGoingAway {
			return err
		}
		return dial.Lost(err)
	})
}
