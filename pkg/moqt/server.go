package moqt

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/wttr"
)

// Listener is where connections come from.
type Listener interface {
	Accept(ctx context.Context) (session.Conn, error)
}

// Server gives every connection a session with one Handler. The zero value
// refuses what peers ask for; set the fields before the first use.
type Server struct {
	// Addr is where ListenAndServe listens: "host:port", or ":port" for all
	// addresses of the machine; empty: DefaultAddr.
	Addr string
	// TLS needs a certificate for ListenAndServe.
	TLS *tls.Config
	// Protocols are those that ListenAndServe accepts, the preferred first, as
	// "moqt-18"; none: all that are known here.
	Protocols []string
	// Handler answers the requests of the peers, as TrackMux does.
	Handler Handler
	// Accepted, if set, is called with each session in a goroutine of its own,
	// to subscribe to what the peer has. ctx ends with the session, and it
	// must return then.
	Accepted func(ctx context.Context, s *Session)
	// Session is the configuration of all sessions; Role, Draft and ID are
	// set for each, and Handler if the field above is.
	Session session.Config
	Log     *slog.Logger

	next     atomic.Uint64
	sessions sync.WaitGroup

	mu      sync.Mutex
	closing bool
	closed  chan struct{}                 // closed by Shutdown
	live    map[*session.Session]struct{} // being served
	nobody  chan struct{}                 // closed when live is empty, if Shutdown waits
}

// DefaultAddr is the default of Server.Addr.
const DefaultAddr = ":4433"

// ListenAndServe serves raw QUIC and WebTransport on one UDP port until ctx ends
// or Shutdown is called; see Serve.
func (s *Server) ListenAndServe(ctx context.Context) error {
	if s.isClosing() {
		return ErrServerClosed
	}
	protocols := s.Protocols
	if len(protocols) == 0 {
		protocols = session.Protocols()
	}
	l, err := listen.Listen(cmp.Or(s.Addr, DefaultAddr), listen.Config{
		TLS: s.TLS, Protocols: protocols, WebTransport: &wttr.Server{Protocols: protocols, Unnamed: session.Unnamed(protocols)},
	})
	if err != nil {
		return err
	}
	defer l.Close()
	return s.Serve(ctx, l)
}

// Serve accepts connections until ctx ends, then closes all sessions and
// returns the cause of ctx, or why the listener failed. After Shutdown it
// returns ErrServerClosed. It does not close the listener.
func (s *Server) Serve(ctx context.Context, l Listener) error {
	accepting, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	closed := s.init()
	go func() {
		select {
		case <-closed:
			stop(ErrServerClosed)
		case <-accepting.Done():
		}
	}()
	return Accept(accepting, l, &s.sessions, func(_ context.Context, conn session.Conn) {
		if err := s.ServeConn(ctx, conn); err != nil && s.Log != nil {
			s.Log.Info("session ended", "peer", fmt.Sprint(conn.RemoteAddr()), "because", err)
		}
	})
}

func (s *Server) init() (closed chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed == nil {
		s.closed = make(chan struct{})
		s.live = map[*session.Session]struct{}{}
	}
	return s.closed
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// Shutdown takes no more connections, asks all peers to leave by GOAWAY, and
// returns when they have. When ctx ends before, it closes what is left and
// returns the cause of ctx. Serve returns ErrServerClosed.
func (s *Server) Shutdown(ctx context.Context) error {
	closed := s.init()
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		close(closed)
	}
	if s.nobody == nil {
		s.nobody = make(chan struct{})
		if len(s.live) == 0 {
			close(s.nobody)
		}
	}
	nobody := s.nobody
	var live []*session.Session
	for sess := range s.live {
		live = append(live, sess)
	}
	s.mu.Unlock()
	for _, sess := range live {
		_ = sess.Goaway("", 0) // who cannot be asked has left
	}
	select {
	case <-nobody:
		return nil
	case <-ctx.Done():
		select {
		case <-nobody:
			return nil
		default:
		}
		for _, sess := range live {
			sess.Close(model.NoError, "server stops")
		}
		<-nobody
		return context.Cause(ctx)
	}
}

// enter counts a session that is being served; it returns false if the server
// is closing.
func (s *Server) enter(sess *session.Session) bool {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.live[sess] = struct{}{}
	return true
}

func (s *Server) leave(sess *session.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, sess)
	if len(s.live) == 0 && s.nobody != nil {
		close(s.nobody)
	}
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
	if s.Handler != nil {
		cfg.Handler = s.Handler
	}
	cfg.Role, cfg.Draft, cfg.ID = session.Server, draft, strconv.FormatUint(s.next.Add(1), 36)
	sess, err := session.Start(ctx, conn, cfg)
	if err != nil {
		return err
	}
	if !s.enter(sess) {
		sess.Close(model.NoError, "server stops")
		sess.Wait()
		return ErrServerClosed
	}
	defer s.leave(sess)
	if s.Accepted != nil {
		x := NewSession(sess.Context(), sess, cfg.Handler)
		var accepted sync.WaitGroup
		accepted.Go(func() { s.Accepted(x.Context(), x) })
		defer func() {
			x.Wait()
			accepted.Wait()
		}()
	}
	stop := context.AfterFunc(ctx, func() { sess.Close(model.NoError, "server stops") })
	defer stop()
	sess.Wait()
	if err = sess.Err(); errors.Is(err, &SessionError{Code: model.NoError}) || errors.Is(err, &SessionError{Code: model.NoError, Remote: true}) {
		return nil
	}
	return err
}
