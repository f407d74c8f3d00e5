package door

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/qmuxtr"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

// Port is a UDP port that serves MoQT over raw QUIC and WebTransport, and a TCP
// port of the same number that answers browsers before they connect, and serves
// MoQT over QMux if asked to. The
// exported fields are set before Listen.
type Port struct {
	// Paths are served over WebTransport, besides none and "/". Empty: all are.
	Paths []string
	// Protocols are spoken, the preferred first; none: session.Protocols.
	Protocols []string
	// Strict takes what WebTransport clients offer by the letter.
	Strict bool
	// Pages answers HTTP requests that are not about the certificate; nil: 404.
	Pages http.Handler
	// Trace is asked for a trace of each connection; nil: none is traced.
	Trace transport.Tracer

	flags                 *cli.FlagSet
	bind, cert, key, side string
	port                  int
	quic, qmux, insecure  bool
}

// noSide is the value of -http for no TCP port.
const noSide = "off"

// Declare adds the flags; number is the default port.
func (d *Port) Declare(p *cli.Program, number int) {
	d.flags = p.Flags
	p.Flags.IntVar(&d.port, "port", number, "UDP `port`; 0 takes a free one")
	p.Flags.StringVar(&d.bind, "bind", "", "`address` to serve on, as in 127.0.0.1, or with the port, as in [::]:4443; all by default, IPv6 and IPv4")
	p.Flags.StringVar(&d.cert, "cert", "", "certificate `file` in PEM, read again when it changes; without one a development certificate is made")
	p.Flags.StringVar(&d.key, "key", "", "private key `file` in PEM")
	p.Flags.StringVar(&d.side, "http", "", "TCP `address` for HTTP, where browsers get the certificate's hash: a port, an address with its port, or off; "+
		"by default the number of the UDP port, if that is free")
	p.Flags.BoolVar(&d.quic, "quic", true, "serve over QUIC: raw and WebTransport")
	p.Flags.BoolVar(&d.qmux, "qmux", false, "serve over QMux too, on the TCP port of the same number, for networks that let no UDP through")
	p.Flags.Alias("tls_cert", "cert")
	p.Flags.Alias("tls_key", "key")
}

// DeclareInsecure adds a flag that moxygen's servers need where these make a
// certificate by themselves. A program with a Target has that one's -insecure.
func (d *Port) DeclareInsecure(p *cli.Program) {
	p.Flags.BoolVar(&d.insecure, "insecure", false, "serve with the development certificate, as without -cert")
}

// Listen opens the ports and says on standard error with which certificate, and
// how browsers come to trust it.
func (d *Port) Listen(env *cli.Env) (*Listener, error) {
	open, err := d.ports()
	if err != nil {
		return nil, err
	}
	certFile, keyFile, err := d.pair()
	if err != nil {
		return nil, err
	}
	source, what, err := certs.ServerSource(certFile, keyFile, time.Now())
	if err != nil {
		return nil, err
	}
	l := newListener(env, source, d.Pages)
	protocols := d.Protocols
	if len(protocols) == 0 {
		protocols = session.Protocols()
	}
	conf := &tls.Config{GetCertificate: source.GetCertificate, MinVersion: tls.VersionTLS13}
	if d.quic {
		open.quic = &listen.Config{
			TLS: conf, Protocols: protocols, QUIC: quictr.Options{Trace: d.Trace}, Log: env.Log,
			WebTransport: &wttr.Server{
				Protocols: protocols, Unnamed: session.Unnamed(protocols), Strict: d.Strict,
				Check: d.check, Fallback: l.answers(), Log: env.Log,
			},
		}
	}
	if d.qmux {
		open.qmux = &qmuxtr.Config{TLS: conf, Protocols: protocols, Log: env.Log}
	}
	if err := l.open(open); err != nil {
		return nil, err
	}
	l.explain(env.Err, what)
	return l, nil
}

// Check says what Listen would refuse before it opens anything.
func (d *Port) Check() error {
	if _, err := d.ports(); err != nil {
		return err
	}
	certFile, keyFile, err := d.pair()
	if err == nil && certFile != "" {
		_, err = certs.LoadPair(certFile, keyFile)
	}
	return err
}

// ports returns where the flags say to serve.
func (d *Port) ports() (open ports, err error) {
	if !d.quic && !d.qmux {
		return open, cli.Usagef("with -noquic there is nothing to serve over, unless with -qmux")
	}
	if open.host, open.number, err = d.address(); err != nil {
		return open, err
	}
	open.side, err = d.sideAddress(open.host)
	open.insist = d.side != ""
	return open, err
}

// pair returns the files of the certificate that the flags name, "" for a
// development certificate.
func (d *Port) pair() (certFile, keyFile string, err error) {
	switch {
	case d.insecure:
		return "", "", nil
	case (d.cert == "") != (d.key == ""):
		return "", "", cli.Usagef("a certificate needs its key: give both -cert and -key, or neither for a development certificate")
	}
	return d.cert, d.key, nil
}

// address returns where the flags say to serve.
func (d *Port) address() (host string, number int, err error) {
	host, number = d.bind, d.port
	if h, p, err := net.SplitHostPort(d.bind); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		switch {
		case err != nil:
			return "", 0, cli.Usagef("-bind %s: port %q is not between 0 and 65535", d.bind, p)
		case d.flags.IsSet("port") && int(n) != d.port:
			return "", 0, cli.Usagef("-bind %s and -port %d name different ports", d.bind, d.port)
		}
		host, number = h, int(n)
	}
	if number < 0 || number > 65535 {
		return "", 0, cli.Usagef("-port %d is not between 0 and 65535", number)
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), number, nil
}

// sideAddress returns the TCP address that -http names, "" if it is to have the
// number of the UDP port, and noSide.
func (d *Port) sideAddress(host string) (string, error) {
	if d.side == "" || d.side == noSide {
		return d.side, nil
	}
	number := d.side
	if h, p, err := net.SplitHostPort(d.side); err == nil {
		host, number = h, p
	}
	if _, err := strconv.ParseUint(number, 10, 16); err != nil {
		return "", cli.Usagef("-http %s is neither a port, nor an address with its port, nor off", d.side)
	}
	return net.JoinHostPort(host, number), nil
}

// check refuses WebTransport sessions at paths that are not served.
func (d *Port) check(r *http.Request) *wttr.Refusal {
	path := r.URL.Path
	if len(d.Paths) == 0 || path == "" || path == "/" || slices.Contains(d.Paths, path) {
		return nil
	}
	return &wttr.Refusal{
		Status: http.StatusNotFound,
		Reason: fmt.Sprintf("nothing is served at this path, only at %s", strings.Join(d.Paths, " and ")),
	}
}
