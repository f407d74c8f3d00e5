package admin

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// MaxConns is how many connections are served at a time at one address; others
	// wait.
	MaxConns = 128
	// MaxHeader is how long the header of a request may be, in bytes.
	MaxHeader = 16 << 10
	// HeaderTimeout is how long a header may take to arrive, ReadTimeout a
	// request, WriteTimeout an answer, or a piece of one that goes on; an idle
	// connection is closed after IdleTimeout.
	HeaderTimeout = 5 * time.Second
	ReadTimeout   = 10 * time.Second
	WriteTimeout  = 30 * time.Second
	IdleTimeout   = 2 * time.Minute // Prometheus asks each minute
	// farewell is how long answers may take that are under way at the end.
	farewell = time.Second
)

// headerSlop is what net/http adds to the limit of a header.
const headerSlop = 4096

// Serve answers on ln until ctx ends, and then lets the answers end that are under
// way, for at most a second. It closes ln. conf is for TLS; nil: there is none. The
// error is nil after ctx has ended, and otherwise says why ln failed.
func Serve(ctx context.Context, ln net.Listener, conf *tls.Config, h http.Handler, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var conns sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx) // so that answers end that wait for events
	defer cancel()
	server := &http.Server{
		Handler:           h,
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
	ln = netutil.LimitListener(ln, MaxConns)
	if conf != nil {
		conf = conf.Clone()
		conf.NextProtos = []string{"http/1.1"} // one connection, one request: MaxConns counts both
		ln = tls.NewListener(ln, conf)
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		if server.Shutdown(patience) != nil {
			server.Close()
		}
	})
	err := server.Serve(ln)
	if stop() { // ctx goes on, so the listener failed
		cancel()
		server.Close()
		conns.Wait()
		return fmt.Errorf("the admin API failed: %w", err)
	}
	<-done
	conns.Wait()
	return nil
}
