package door

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
	"oxymoq/internal/sideport"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/qmuxtr"
)

// Listener is an open Port: it accepts connections, answers browsers, and keeps
// its certificate fresh, until Close.
type Listener struct {
	source *certs.Source
	pages  http.Handler
	log    *slog.Logger

	udp  *listen.Listener // raw QUIC and WebTransport; nil: none
	tcp  *qmuxtr.Listener // QMux; nil: none
	both *split           // of tcp and side, if they share a port
	side net.Listener     // HTTP; nil: none

	accepted chan transport.Conn
	ended    chan struct{} // closed when no more connections are accepted
	stop     context.CancelFunc
	tasks    sync.WaitGroup
}

func newListener(env *cli.Env, source *certs.Source, pages http.Handler) *Listener {
	return &Listener{source: source, pages: pages, log: env.Log}
}

func (l *Listener) sideConfig() sideport.Config {
	return sideport.Config{Source: l.source, Pages: l.pages, Log: l.log}
}

// answers serves over HTTP/3 what the side port serves over TCP.
func (l *Listener) answers() http.Handler { return sideport.Handler(l.sideConfig()) }

// freeTries is how many free UDP ports are tried until one is free for TCP too.
const freeTries = 16

// ports says what to open.
type ports struct {
	host   string
	number int    // of UDP and of QMux
	side   string // address of HTTP; "": the number of the others; noSide: none
	insist bool   // HTTP was asked for
	quic   *listen.Config
	qmux   *qmuxtr.Config
}

// open opens the ports; without ports.insist the server does without HTTP.
func (l *Listener) open(p ports) error {
	var sideErr error
	for try := 1; ; try++ {
		if err := l.openUDP(p); err != nil {
			return err
		}
		var again bool
		if again, sideErr = l.openTCP(p); !again || try == freeTries {
			break
		}
		l.closePorts() // another free port, then
	}
	switch {
	case sideErr != nil && p.qmux != nil && l.tcp == nil:
		l.closePorts()
		return fmt.Errorf("cannot serve QMux: %w", sideErr)
	case sideErr != nil && p.insist:
		l.closePorts()
		return fmt.Errorf("cannot serve HTTP: %w", sideErr)
	case sideErr != nil:
		l.log.Warn("browsers cannot ask for the hash of the certificate, see -http", "because", sideErr)
	}
	l.start()
	return nil
}

func (l *Listener) openUDP(p ports) (err error) {
	if p.quic == nil {
		return nil
	}
	l.udp, err = listen.Listen(net.JoinHostPort(p.host, strconv.Itoa(p.number)), *p.quic)
	if err != nil {
		return fmt.Errorf("cannot serve on UDP port %d: %w", p.number, err)
	}
	return nil
}

// openTCP opens the port of QMux and that of HTTP, which are one if they have
// the same address. again means that another number may be free.
func (l *Listener) openTCP(p ports) (again bool, err error) {
	main := net.JoinHostPort(p.host, strconv.Itoa(p.number))
	if l.udp != nil {
		main = l.mainAddr()
	}
	shared := p.side == "" || p.side == main
	if p.qmux != nil || shared {
		ln, err := net.Listen("tcp", main) //nolint:noctx // it is local and does not wait
		switch {
		case err != nil:
			return l.udp != nil && p.number == 0 && errors.Is(err, syscall.EADDRINUSE), err
		case p.qmux == nil:
			l.side = ln
			return false, nil
		case shared:
			l.both = newSplit(ln)
			l.side, ln = l.both.plain, l.both.tls
		}
		if l.tcp, err = qmuxtr.On(ln, *p.qmux); err != nil {
			return false, err
		}
	}
	if !shared && p.side != noSide {
		l.side, err = net.Listen("tcp", p.side) //nolint:noctx // it is local and does not wait
	}
	return false, err
}

// mainAddr is the address of the UDP port, as one of TCP.
func (l *Listener) mainAddr() string {
	udp := l.udp.Addr().(*net.UDPAddr)
	if udp.IP.IsUnspecified() {
		return ":" + strconv.Itoa(udp.Port) // IPv4 too
	}
	return udp.String()
}

func (l *Listener) start() {
	//nolint:forbidigo // it ends with Close, as listen.Listener does
	ctx, stop := context.WithCancel(context.Background())
	l.stop, l.accepted, l.ended = stop, make(chan transport.Conn), make(chan struct{})
	l.tasks.Go(func() { l.source.Keep(ctx, l.log) })
	if l.side != nil {
		l.tasks.Go(func() {
			if err := sideport.Serve(ctx, l.side, l.sideConfig()); err != nil {
				l.log.Warn(err.Error())
			}
		})
	}
	var accepting sync.WaitGroup
	if l.udp != nil {
		accepting.Go(func() { l.accept(ctx, l.udp.Accept) })
	}
	if l.tcp != nil {
		accepting.Go(func() { l.accept(ctx, l.tcp.Accept) })
	}
	l.tasks.Go(func() {
		accepting.Wait()
		close(l.ended)
	})
}

// accept passes on the connections of one port.
func (l *Listener) accept(ctx context.Context, next func(context.Context) (transport.Conn, error)) {
	for {
		c, err := next(ctx)
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
				l.log.Error("no more connections can be accepted", "because", err)
			}
			return
		}
		select {
		case l.accepted <- c:
		case <-ctx.Done():
			_ = c.CloseWithError(0, "the server was closed")
		}
	}
}

// Accept returns the next connection, whatever carries it. It fails with the
// cause of ctx, or, after Close, with net.ErrClosed.
func (l *Listener) Accept(ctx context.Context) (transport.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

// Addr is where connections are accepted: the UDP port, or with -noquic the TCP
// port.
func (l *Listener) Addr() net.Addr {
	if l.udp != nil {
		return l.udp.Addr()
	}
	return l.tcp.Addr()
}

// Close closes all connections and ports.
func (l *Listener) Close() error {
	l.stop()
	l.closePorts()
	l.tasks.Wait()
	return nil
}

// closePorts closes what is open, and all connections.
func (l *Listener) closePorts() {
	if l.udp != nil {
		l.udp.Close()
	}
	if l.tcp != nil {
		l.tcp.Close()
	}
	if l.side != nil {
		l.side.Close()
	}
	if l.both != nil {
		l.both.Close()
	}
}

// explain says which certificate clients will see, and what to do if they are
// browsers.
func (l *Listener) explain(w io.Writer, what string) {
	cert := l.source.Current()
	fmt.Fprintf(w, "Serving with the %s, SHA-256 %x.\n", what, certs.Fingerprint(cert))
	if e := certs.Expiry(cert, time.Now()); e != "" {
		l.log.Warn(e)
	}
	if fault := certs.PinFault(cert); fault != "" {
		fmt.Fprintf(w, "Browsers will not accept this certificate by its SHA-256 (serverCertificateHashes): %s.\n", fault)
	} else if url := l.HTTP(); url != "" {
		fmt.Fprintf(w, "Browsers accept it by this SHA-256 (serverCertificateHashes), which is at %s/fingerprint too.\n", url)
	}
	if certs.SelfIssued(cert) && l.udp != nil {
		fmt.Fprintf(w, "Chromium accepts it if started so: chromium --user-data-dir=$(mktemp -d) --origin-to-force-quic-on=%s --ignore-certificate-errors-spki-list=%s\n",
			l.place(), certs.SPKIHash(cert))
	}
}

// HTTP is where this machine reaches the TCP port, as in http://localhost:4433,
// or "" if there is none.
func (l *Listener) HTTP() string {
	if l.side == nil {
		return ""
	}
	return "http://" + net.JoinHostPort(hostOf(l.side.Addr()), portOf(l.side.Addr()))
}

// URL is where a listener can be reached from this machine over raw QUIC or
// QMux.
func URL(l *Listener, path string) string { return "moqt://" + l.place() + path }

// WebURL is the same over WebTransport, or "" if that is not served.
func WebURL(l *Listener, path string) string {
	if l.udp == nil {
		return ""
	}
	return "https://" + l.place() + path
}

func (l *Listener) place() string { return net.JoinHostPort(hostOf(l.Addr()), portOf(l.Addr())) }

// portOf is the number of a socket's port.
func portOf(addr net.Addr) string {
	_, port, _ := net.SplitHostPort(addr.String())
	return port
}

// hostOf is a name or an address of this machine that leads to a socket.
// Chromium takes "localhost" for ::1 only, where a socket for IPv4 is not.
func hostOf(addr net.Addr) string {
	host, _, _ := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return "localhost"
	}
	return host
}
