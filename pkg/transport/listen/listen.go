package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"

	"github.com/quic-go/quic-go"

	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

// protocolHTTP is the protocol of HTTP/3, which carries WebTransport.
const protocolHTTP = "h3"

// backlog is how many connections wait for Accept. More are turned away.
const backlog = 128

// How connections are closed that the server cannot keep (section 3.5).
const (
	codeNoError       = 0x0
	codeInternalError = 0x1
	// codeHTTPNoError is for HTTP/3 connections without a session.
	codeHTTPNoError = 0x100
)

// Config says what a Listener serves.
type Config struct {
	// TLS needs a certificate, in Certificates or by GetCertificate. Its
	// NextProtos is replaced.
	TLS *tls.Config
	// Protocols are those of raw QUIC, the preferred first.
	Protocols []string
	// WebTransport takes sessions over HTTP/3, for clients that speak none of
	// the Protocols. Nil: none.
	WebTransport *wttr.Server
	// QUIC are the options of all connections.
	QUIC quictr.Options
	// ResetKey lets a server that was restarted tell the clients of its
	// predecessor so when they next send something, if both have the same key;
	// otherwise, or if they only keep alive, they notice after their idle
	// timeout. It is a secret. Zero: no resets are sent.
	ResetKey [32]byte
	// Log is told, at level debug, of clients that offer none of the protocols;
	// they themselves hear no more than that (RFC 7301 section 3.2). Nil
	// discards.
	Log *slog.Logger
}

// Listener is a UDP port that serves.
type Listener struct {
	pc       net.PacketConn
	tr       *quic.Transport
	ln       *quic.Listener
	wt       *wttr.Server
	accepted chan transport.Conn

	ctx   context.Context // ends when no more connections are accepted
	stop  context.CancelCauseFunc
	tasks sync.WaitGroup // the accepting goroutine and those of HTTP/3
	ended chan struct{}  // closed when the accepting goroutine has ended

	refuseOnce, closeOnce sync.Once

	mu    sync.Mutex
	conns map[*quic.Conn]transport.Conn // open; nil if HTTP/3 has no session there
	empty chan struct{}                 // closed when conns is empty; nil if nobody waits
}

// Listen serves at addr, "host:port" or ":port" for all addresses of the
// machine. Port 0 takes a free one, see Addr.
func Listen(addr string, c Config) (*Listener, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	to, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, err
	}
	// Without a host this is an IPv6 socket that takes IPv4 too.
	pc, err := net.ListenUDP("udp", to)
	if err != nil {
		return nil, err
	}
	return On(pc, c)
}

// On serves on a socket, which is closed with the Listener, or at once if On
// fails.
func On(pc net.PacketConn, c Config) (*Listener, error) {
	if err := c.check(); err != nil {
		pc.Close()
		return nil, err
	}
	l := &Listener{
		pc:       pc,
		tr:       &quic.Transport{Conn: pc},
		wt:       c.WebTransport,
		accepted: make(chan transport.Conn, backlog),
		conns:    make(map[*quic.Conn]transport.Conn),
		ended:    make(chan struct{}),
	}
	if c.ResetKey != [32]byte{} {
		l.tr.StatelessResetKey = (*quic.StatelessResetKey)(&c.ResetKey)
	}
	conf := c.TLS.Clone()
	conf.NextProtos = append([]string(nil), c.Protocols...)
	if c.WebTransport != nil {
		conf.NextProtos = append(conf.NextProtos, protocolHTTP)
	}
	if c.Log != nil {
		conf.GetConfigForClient = tellOffers(c.Log, conf.NextProtos, conf.GetConfigForClient)
	}
	var err error
	if l.ln, err = l.tr.Listen(conf, c.QUIC.QUIC()); err != nil {
		l.tr.Close()
		pc.Close()
		return nil, err
	}
	//nolint:forbidigo // it ends with Close, as a net.Listener does
	l.ctx, l.stop = context.WithCancelCause(context.Background())
	l.tasks.Go(l.run)
	return l, nil
}

// configForClient is the type of tls.Config.GetConfigForClient.
type configForClient = func(*tls.ClientHelloInfo) (*tls.Config, error)

// tellOffers returns a function that logs who has no protocol in common with us,
// and goes on with next, if any.
func tellOffers(log *slog.Logger, spoken []string, next configForClient) configForClient {
	return func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if !slices.ContainsFunc(hello.SupportedProtos, func(p string) bool { return slices.Contains(spoken, p) }) {
			log.Debug("no common protocol", "remote", hello.Conn.RemoteAddr(), "offers", hello.SupportedProtos, "spoken", spoken)
		}
		if next == nil {
			return nil, nil
		}
		return next(hello)
	}
}

func (c Config) check() error {
	switch {
	case c.TLS == nil || len(c.TLS.Certificates) == 0 && c.TLS.GetCertificate == nil && c.TLS.GetConfigForClient == nil:
		return errors.New("listen: no certificate")
	case len(c.Protocols) == 0 && c.WebTransport == nil:
		return errors.New("listen: no protocol to serve")
	}
	seen := map[string]bool{"": true, protocolHTTP: true}
	for _, p := range c.Protocols {
		if seen[p] {
			return fmt.Errorf("listen: protocol %q is listed twice, empty or of HTTP/3", p)
		}
		seen[p] = true
	}
	return nil
}

// run takes connections from quic-go, which refuses more than 32 that wait, as
// fast as they come.
func (l *Listener) run() {
	defer close(l.ended)
	for {
		q, err := l.ln.Accept(l.ctx)
		if err != nil {
			if errors.Is(err, quic.ErrServerClosed) {
				err = net.ErrClosed
			}
			l.stop(fmt.Errorf("listen: %w", err))
			return
		}
		if q.ConnectionState().TLS.NegotiatedProtocol == protocolHTTP {
			l.track(q, nil)
			l.tasks.Go(func() {
				l.wt.Serve(q, func(c transport.Conn) {
					l.hold(q, c)
					l.offer(c)
				})
			})
			continue
		}
		c := quictr.Wrap(q)
		l.track(q, c)
		l.offer(c)
	}
}

// offer hands c to Accept, or turns it away. It runs in a task.
func (l *Listener) offer(c transport.Conn) {
	select {
	case l.accepted <- c:
		if l.ctx.Err() != nil {
			l.turnAway() // a session may begin on a connection that was there before
		}
	default:
		l.tasks.Go(func() { c.CloseWithError(codeInternalError, "the server is busy") })
	}
}

// Accept returns the next connection, of raw QUIC or WebTransport. It fails with the cause of ctx, or, after Close, an error that wraps
// net.ErrClosed.
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
func (l *Listener) Addr() net.Addr { return l.pc.LocalAddr() }

// Transport is the QUIC endpoint of the socket, for quictr.Options.Via: who
// dials from it uses the same UDP port. It is closed with the Listener.
func (l *Listener) Transport() *quic.Transport { return l.tr }
