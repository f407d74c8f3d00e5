package moqt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// Listener is where connections come from.
type Listener interface {
	Accept(ctx context.Context) (session.Conn, error)
}

// Server gives every connection a session with one Handler.
type Server struct {
	// Session is the configuration of all sessions; Role, Draft and ID are
	// set for each.
	Session session.Config
	Log     *slog.Logger

	next     atomic.Uint64
	sessions sync.WaitGroup
}

// Serve accepts connections until ctx ends, then closes all sessions and
// returns the cause of ctx, or why the listener failed.
func (s *Server) Serve(ctx context.Context, l Listener) error {
	return Accept(ctx, l, &s.sessions, func(ctx context.Context, conn session.Conn) {
		if err := s.ServeConn(ctx, conn); err != nil && s.Log != nil {
			s.Log.Info("session ended", "peer", fmt.Sprint(conn.RemoteAddr()), "because", err)
		}
	})
}

// Accept calls serve in a goroutine of its own for each connection, until ctx
// ends; then it waits for all of them. It returns the cause of ctx, or why the
// listener failed.
func Accept(ctx context.Context, l Listener, running *sync.WaitGroup, serve func(context.Context, session.Conn)) error {
	defer running.Wait()
	for {
		conn, err := l.Accept(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			return fmt.Errorf("no more connections can be accepted: %w", err)
		}
		running.Go(func() { serve(ctx, conn) })
	}
}

// ServeConn serves one connection until it or ctx ends. It returns nil if the
// peer left in good order.
func (s *Server) ServeConn(ctx context.Context, conn session.Conn) error {
	draft, ok := session.DraftOf(conn.Protocol())
	if !ok {
		_ = conn.CloseWithError(uint64(model.VersionNegotiationFailed), "no common protocol")
		return fmt.Errorf("the peer speaks %q, which is not served", conn.Protocol())
	}
	cfg := s.Session
	cfg.Role, cfg.Draft, cfg.ID = session.Server, draft, strconv.FormatUint(s.next.Add(1), 36)
	sess, err := session.Start(ctx, conn, cfg)
	if err == nil {
		stop := context.AfterFunc(ctx, func() { sess.Close(model.NoError, "server stops") })
		defer stop()
		sess.Wait()
		err = sess.Err()
	}
	if se, ok := errors.AsType[*model.SessionError](err); ok && se.Code == model.NoError {
		return nil // also if the peer left before it was set up
	}
	return err
}
