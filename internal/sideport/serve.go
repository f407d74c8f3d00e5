package sideport

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// MaxConns is how many connections are served at a time; others wait.
	MaxConns = 128
	// MaxHeader is how long the header of a request may be, in bytes.
	MaxHeader = 16 << 10
	// HeaderTimeout is how long a header may take to arrive, ReadTimeout a
	// request, WriteTimeout its answer; an idle connection is closed after
	// IdleTimeout.
	HeaderTimeout = 5 * time.Second
	ReadTimeout   = 10 * time.Second
	WriteTimeout  = 30 * time.Second
	IdleTimeout   = 15 * time.Second
	// farewell is how long answers may take that are under way at the end.
	farewell = time.Second
)

// headerSlop is what net/http adds to the limit of a header.
const headerSlop = 4096

// Serve answers on ln until ctx ends, and then lets the answers end that are
// under way, for at most a second; Pages must end with the context of their
// request. It closes ln. The error is nil after ctx has ended, and otherwise
// says why ln failed.
func Serve(ctx context.Context, ln net.Listener, c Config) error {
	log := c.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var conns sync.WaitGroup
	server := &http.Server{
		Handler:           Handler(c),
		ReadHeaderTimeout: HeaderTimeout,
		ReadTimeout:       ReadTimeout,
		WriteTimeout:      WriteTimeout,
		IdleTimeout:       IdleTimeout,
		MaxHeaderBytes:    MaxHeader - headerSlop,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		// What clients do wrong is of interest to who debugs them only.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		// The last state is set at the end of a connection's goroutine.
		ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				conns.Add(1)
			case http.StateClosed, http.StateHijacked:
				conns.Done()
			case http.StateActive, http.StateIdle:
			}
		},
	}
	limited := &limitListener{Listener: ln, free: make(chan struct{}, MaxConns), closed: make(chan struct{})}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		if server.Shutdown(patience) != nil {
			server.Close()
		}
	})
	err := server.Serve(limited)
	if stop() { // ctx goes on, so the listener failed
		server.Close()
		conns.Wait()
		return fmt.Errorf("the HTTP side port failed: %w", err)
	}
	<-done
	conns.Wait()
	return nil
}

// limitListener has at most cap(free) connections open.
type limitListener struct {
	net.Listener
	free   chan struct{} // one entry for each open connection
	once   sync.Once
	closed chan struct{}
}

func (l *limitListener) Accept() (net.Conn, error) {
	select {
	case l.free <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &limitedConn{Conn: c, l: l}, nil
}

func (l *limitListener) Close() error {
	var err error
	l.once.Do(func() {
		close(l.closed)
		err = l.Listener.Close()
	})
	return err
}

type limitedConn struct {
	net.Conn
	l    *limitListener
	once sync.Once
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.l.free })
	return err
}
