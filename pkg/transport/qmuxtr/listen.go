package qmuxtr

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"oxymoq/pkg/transport"
)

// Limits of a Listener.
const (
	// Backlog is how many connections wait for Accept. More are turned away.
	Backlog = 128
	// MaxHandshakes is how many connections may be without a protocol yet.
	// More wait in the queue of the operating system.
	MaxHandshakes = 256
)

// How connections are closed that the server cannot keep (section 3.5).
const (
	codeNoError       = 0x0
	codeInternalError = 0x1
)

// The pause after an error of accept that may pass, such as too many open
// files.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// Config says what a Listener serves.
type Config struct {
	// TLS needs a certificate, in Certificates, by GetCertificate or by
	// GetConfigForClient. NextProtos and versions are replaced.
	TLS *tls.Config
	// Protocols are the application protocols, the preferred first.
	Protocols []string
	// Options are those of all connections.
	Options Options
	// Log is told why handshakes fail, at level debug. Nil: nobody.
	Log *slog.Logger
}

// Listener is a TCP port that serves.
type Listener struct {
	ln       net.Listener
	conf     *tls.Config
	o        Options
	log      *slog.Logger
	accepted chan transport.Conn
	slots    chan struct{} // one per handshake

	ctx   context.Context // ends when no more connections are accepted
	stop  context.CancelCauseFunc
	tasks sync.WaitGroup // the accepting goroutine and the handshakes

	refuseOnce, closeOnce sync.Once

	mu    sync.Mutex
	conns map[transport.Conn]struct{} // open
	empty chan struct{}               // closed when conns is empty; nil if nobody waits
}

// Listen serves at addr, "host:port" or ":port" for all addresses of the
// machine. Port 0 takes a free one, see Addr.
func Listen(addr string, c Config) (*Listener, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	//nolint:noctx // nothing is looked up that a context could end
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	return On(ln, c)
}

// On serves on a listening socket, which is closed with the Listener, or at
// once if On fails.
func On(ln net.Listener, c Config) (*Listener, error) {
	if err := c.check(); err != nil {
		ln.Close()
		return nil, err
	}
	l := &Listener{
		ln:       ln,
		conf:     secured(c.TLS, c.Protocols),
		o:        c.Options,
		log:      c.Log,
		accepted: make(chan transport.Conn, Backlog),
		slots:    make(chan struct{}, MaxHandshakes),
		conns:    make(map[transport.Conn]struct{}),
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	//nolint:forbidigo // it ends with Close, as a net.Listener does
	l.ctx, l.stop = context.WithCancelCause(context.Background())
	l.tasks.Go(l.run)
	return l, nil
}

func (c Config) check() error {
	switch {
	case c.TLS == nil || len(c.TLS.Certificates) == 0 && c.TLS.GetCertificate == nil && c.TLS.GetConfigForClient == nil:
		return errors.New("qmuxtr: no certificate")
	case len(c.Protocols) == 0:
		return errors.New("qmuxtr: no protocol to serve")
	}
	seen := make(map[string]bool)
	for _, p := range c.Protocols {
		if seen[p] || p == "" {
			return fmt.Errorf("qmuxtr: protocol %q is listed twice or empty", p)
		}
		seen[p] = true
	}
	return nil
}

// run accepts sockets.
func (l *Listener) run() {
	pause := time.Duration(0)
	for {
		select {
		case l.slots <- struct{}{}:
		case <-l.ctx.Done():
			return
		}
		raw, err := l.ln.Accept()
		if err != nil {
			<-l.slots
			if errors.Is(err, net.ErrClosed) {
				l.stop(fmt.Errorf("qmuxtr: %w", err))
				return
			}
			pause = min(max(minPause, 2*pause), maxPause)
			l.log.Debug("accepting a TCP connection failed", "error", err, "pause", pause)
			select {
			case <-time.After(pause):
			case <-l.ctx.Done():
				return
			}
			continue
		}
		pause = 0
		l.tasks.Go(func() {
			c, err := l.handshake(raw)
			<-l.slots
			if err != nil {
				l.log.Debug("QMux handshake failed", "peer", raw.RemoteAddr().String(), "error", err)
				return
			}
			l.offer(c)
		})
	}
}

// handshake makes a connection of a socket, in Options.HandshakeTimeout.
func (l *Listener) handshake(raw net.Conn) (transport.Conn, error) {
	tune(raw)
	ctx, cancel := context.WithTimeoutCause(l.ctx, l.o.filled().HandshakeTimeout, ErrNoAnswer)
	defer cancel()
	nc := tls.Server(raw, l.conf)
	if err := nc.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, dialError(ctx, err)
	}
	protocol := nc.ConnectionState().NegotiatedProtocol
	if protocol == "" {
		nc.Close()
		return nil, ErrNoProtocol
	}
	return Server(ctx, nc, protocol, l.o)
}

// offer hands a connection to Accept.
func (l *Listener) offer(c transport.Conn) {
	l.track(c)
	if l.ctx.Err() != nil {
		c.CloseWithError(codeNoError, "the server was closed")
		return
	}
	select {
	case l.accepted <- c:
	default:
		c.CloseWithError(codeInternalError, "the server is busy")
	}
}

// Accept returns the next connection. It fails with the cause of ctx, or,
// after Close, an error that wraps net.ErrClosed.
func (l *Listener) Accept(ctx context.Context) (transport.Conn, error) {
	for {
		select {
		case <-l.ctx.Done():
			return nil, context.Cause(l.ctx)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case c := <-l.accepted:
			if c.Context().Err() == nil { // the client may have gone meanwhile
				return c, nil
			}
		}
	}
}

// Addr is the address of the socket.
func (l *Listener) Addr() net.Addr { return l.ln.Addr() }

// Shutdown takes no new connections, waits until all connections have ended,
// and closes the Listener. When ctx ends before, it closes what is left, and
// returns the cause of ctx. Those who serve the connections must be told
// otherwise that they should end.
func (l *Listener) Shutdown(ctx context.Context) error {
	l.refuseOnce.Do(l.refuse)
	select {
	case <-l.drained():
		return l.Close()
	case <-ctx.Done():
		l.Close()
		return context.Cause(ctx)
	}
}

// Close closes all connections with NO_ERROR, and the socket.
func (l *Listener) Close() error {
	l.closeOnce.Do(func() {
		l.refuseOnce.Do(l.refuse)
		l.mu.Lock()
		open := make([]transport.Conn, 0, len(l.conns))
		for c := range l.conns {
			open = append(open, c)
		}
		l.mu.Unlock()
		var wg sync.WaitGroup
		for _, c := range open {
			wg.Go(func() { c.CloseWithError(codeNoError, "the server was closed") })
		}
		wg.Wait()
	})
	return nil
}

// refuse ends accepting and the handshakes, and turns away those who wait for
// Accept.
func (l *Listener) refuse() {
	l.stop(fmt.Errorf("qmuxtr: %w", net.ErrClosed))
	l.ln.Close()
	l.tasks.Wait()
	for {
		select {
		case c := <-l.accepted:
			c.CloseWithError(codeNoError, "the server was closed")
		default:
			return
		}
	}
}

// track keeps c among the open connections until it ends.
func (l *Listener) track(c transport.Conn) {
	l.mu.Lock()
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	context.AfterFunc(c.Context(), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.conns, c)
		if len(l.conns) == 0 && l.empty != nil {
			close(l.empty)
			l.empty = nil
		}
	})
}

// drained returns a channel that is closed when no connection is open.
func (l *Listener) drained() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) == 0 {
		c := make(chan struct{})
		close(c)
		return c
	}
	if l.empty == nil {
		l.empty = make(chan struct{})
	}
	return l.empty
}
