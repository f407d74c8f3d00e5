package door

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/listen"
)

// Port is a UDP port that serves MoQT.
type Port struct {
	bind, cert, key string
	port            int
}

// Declare adds the flags; number is the default port.
func (d *Port) Declare(p *cli.Program, number int) {
	p.Flags.IntVar(&d.port, "port", number, "UDP `port`; 0 takes a free one")
	p.Flags.StringVar(&d.bind, "bind", "", "`address` to serve on, as in 127.0.0.1; all by default")
	p.Flags.StringVar(&d.cert, "cert", "", "certificate `file` in PEM; without one a development certificate is made")
	p.Flags.StringVar(&d.key, "key", "", "private key `file` in PEM")
}

// Listen opens the port and says on the log with which certificate.
func (d *Port) Listen(env *cli.Env) (*listen.Listener, error) {
	if d.port < 0 || d.port > 65535 {
		return nil, cli.Usagef("port %d is not between 0 and 65535", d.port)
	}
	source, what, err := certs.ServerSource(d.cert, d.key, time.Now())
	if err != nil {
		return nil, err
	}
	l, err := listen.Listen(net.JoinHostPort(d.bind, strconv.Itoa(d.port)), listen.Config{
		TLS:       &tls.Config{GetCertificate: source.GetCertificate, MinVersion: tls.VersionTLS13},
		Protocols: session.Protocols(),
	})
	if err != nil {
		return nil, fmt.Errorf("cannot serve on UDP port %d: %w", d.port, err)
	}
	env.Log.Info("serving with the " + what)
	return l, nil
}

// URL is where a listener can be reached from this machine.
func URL(l *listen.Listener, path string) string {
	addr := l.Addr().(*net.UDPAddr)
	host := "localhost"
	if !addr.IP.IsUnspecified() && !addr.IP.IsLoopback() {
		host = addr.IP.String()
	}
	return "moqt://" + net.JoinHostPort(host, strconv.Itoa(addr.Port)) + path
}
