package qmuxtr

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"oxymoq/pkg/transport"
)

// attemptDelay is how long one family of addresses has to answer before the
// other is tried too (RFC 8305, section 8).
const attemptDelay = 100 * time.Millisecond

// noProtocolAlert is the TLS alert no_application_protocol.
const noProtocolAlert tls.AlertError = 120

// Dial connects to addr, "host:port", and offers the protocols, the preferred
// first, under all names that ALPN gives them. All addresses of the host are
// tried.
//
// tlsConf may not be nil; its NextProtos and versions are replaced, ServerName
// is the host unless set. Errors are those of ctx, of TLS, ErrNoAnswer,
// ErrNoProtocol, ErrRefused, or what the resolver or the socket said.
func Dial(ctx context.Context, addr string, tlsConf *tls.Config, protocols []string, o Options) (transport.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	switch {
	case err != nil:
		return nil, err
	case host == "":
		return nil, &net.AddrError{Err: "missing host in address", Addr: addr}
	case tlsConf == nil:
		return nil, errors.New("no TLS configuration")
	case len(protocols) == 0:
		return nil, errors.New("no protocol to offer")
	}
	conf := secured(tlsConf, protocols)
	if conf.ServerName == "" {
		conf.ServerName = host
	}
	within, cancel := context.WithTimeoutCause(ctx, o.filled().HandshakeTimeout, ErrNoAnswer)
	defer cancel()
	dialer := net.Dialer{FallbackDelay: attemptDelay}
	raw, err := dialer.DialContext(within, "tcp", addr)
	if err != nil {
		return nil, dialError(within, err)
	}
	tune(raw)
	nc := tls.Client(raw, conf)
	if err := nc.HandshakeContext(within); err != nil {
		raw.Close()
		return nil, dialError(within, err)
	}
	protocol := nc.ConnectionState().NegotiatedProtocol
	if protocol == "" {
		nc.Close()
		return nil, ErrNoProtocol
	}
	c, err := Client(within, nc, protocol, o)
	if err != nil {
		return nil, dialError(within, err)
	}
	return c, nil
}

// secured returns what QMux needs of TLS: version 1.3, whose servers speak
// first, and the names of the protocols.
func secured(conf *tls.Config, protocols []string) *tls.Config {
	conf = conf.Clone()
	conf.NextProtos = ALPN(protocols...)
	conf.MinVersion, conf.MaxVersion = tls.VersionTLS13, 0
	return conf
}

// dialError says why there is no connection. Errors of TLS stay visible to
// errors.As.
func dialError(ctx context.Context, err error) error {
	// crypto/tls has no type for the alerts of its peer, only their text.
	remote, _ := errors.AsType[*net.OpError](err)
	switch {
	case remote != nil && remote.Err.Error() == noProtocolAlert.Error():
		return ErrNoProtocol
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return err
}
