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
	"oxymoq/pkg/transport/listen"
)

// Listener is an open Port: it accepts connections, answers browsers, and keeps
// its certificate fresh, until Close.
type Listener struct {
	*listen.Listener
	source *certs.Source
	pages  http.Handler
	log    *slog.Logger
	side   net.Listener // nil: none

	stop  context.CancelFunc
	tasks sync.WaitGroup
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

// open opens the UDP port, and the TCP port at side; "" is the same number,
// noSide none. If insist is not set, the server does without the TCP port.
func (l *Listener) open(host string, number int, side string, insist bool, conf listen.Config) error {
	var sideErr error
	for try := 1; ; try++ {
		var err error
		l.Listener, err = listen.Listen(net.JoinHostPort(host, strconv.Itoa(number)), conf)
		if err != nil {
			return fmt.Errorf("cannot serve on UDP port %d: %w", number, err)
		}
		if side == noSide {
			break
		}
		l.side, sideErr = net.Listen("tcp", l.sideAddr(side)) //nolint:noctx // it is local and does not wait
		if number != 0 || side != "" || try == freeTries || !errors.Is(sideErr, syscall.EADDRINUSE) {
			break
		}
		l.Listener.Close() // another free port, then
	}
	switch {
	case sideErr != nil && insist:
		l.Listener.Close()
		return fmt.Errorf("cannot serve HTTP: %w", sideErr)
	case sideErr != nil:
		l.log.Warn("browsers cannot ask for the hash of the certificate, see -http", "because", sideErr)
	}
	l.start()
	return nil
}

// sideAddr is side, or the address of the UDP port.
func (l *Listener) sideAddr(side string) string {
	udp := l.Addr().(*net.UDPAddr)
	switch {
	case side != "":
		return side
	case udp.IP.IsUnspecified():
		return ":" + strconv.Itoa(udp.Port) // IPv4 too
	}
	return udp.String()
}

func (l *Listener) start() {
	//nolint:forbidigo // it ends with Close, as listen.Listener does
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.tasks.Go(func() { l.source.Keep(ctx, l.log) })
	if l.side != nil {
		l.tasks.Go(func() {
			if err := sideport.Serve(ctx, l.side, l.sideConfig()); err != nil {
				l.log.Warn(err.Error())
			}
		})
	}
}

// Close closes all connections and both ports.
func (l *Listener) Close() error {
	l.stop()
	l.tasks.Wait()
	return l.Listener.Close()
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
	if certs.SelfIssued(cert) {
		_, port, _ := net.SplitHostPort(l.Addr().String())
		fmt.Fprintf(w, "Chromium accepts it if started so: chromium --user-data-dir=$(mktemp -d) --origin-to-force-quic-on=%s --ignore-certificate-errors-spki-list=%s\n",
			net.JoinHostPort(hostOf(l.Addr()), port), certs.SPKIHash(cert))
	}
}

// HTTP is where this machine reaches the TCP port, as in http://localhost:4433,
// or "" if there is none.
func (l *Listener) HTTP() string {
	if l.side == nil {
		return ""
	}
	return "http://" + net.JoinHostPort(hostOf(l.side.Addr()), strconv.Itoa(l.side.Addr().(*net.TCPAddr).Port))
}

// URL is where a listener can be reached from this machine over raw QUIC.
func URL(l *Listener, path string) string { return "moqt://" + l.place() + path }

// WebURL is the same over WebTransport.
func WebURL(l *Listener, path string) string { return "https://" + l.place() + path }

func (l *Listener) place() string {
	return net.JoinHostPort(hostOf(l.Addr()), strconv.Itoa(l.Addr().(*net.UDPAddr).Port))
}

// hostOf is a name or an address of this machine that leads to a socket.
// Chromium takes "localhost" for ::1 only, where a socket for IPv4 is not.
func hostOf(addr net.Addr) string {
	var ip net.IP
	switch a := addr.(type) {
	case *net.UDPAddr:
		ip = a.IP
	case *net.TCPAddr:
		ip = a.IP
	}
	if ip.IsUnspecified() {
		return "localhost"
	}
	return ip.String()
}
