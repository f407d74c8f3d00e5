package moqt

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/session"
)

// Dialer makes sessions. The zero value is usable.
type Dialer struct {
	// TLS decides about trust; nil trusts what the system does.
	TLS *tls.Config
	// Handler answers the peer's requests, for who publishes by a TrackMux;
	// nil refuses them all.
	Handler Handler
	// Timeout bounds one attempt to connect; 0: DefaultDialTimeout.
	Timeout time.Duration
	// Protocols are offered, the preferred first, as "moqt-18"; none: all that
	// are known here.
	Protocols []string
	// Reconnect makes a new session when one is lost, and follows the peer's
	// GOAWAY to another. Subscriptions fetch what they missed, also when the
	// peer has ended them for a reason that may pass; tracks and namespaces are
	// published again. A track that has ended is not subscribed to again.
	Reconnect bool
	// Retry goes on even if the first attempt fails.
	Retry bool
	// Config are the finer points of the session; what is set above wins.
	Config session.Config
	// Connect replaces the network, for tests: see ExampleDialer_connect.
	Connect func(ctx context.Context, addr string, conf *tls.Config) (Conn, error)
	// Log is told what happens; nil discards it.
	Log *slog.Logger
}

// DefaultDialTimeout is the default of Dialer.Timeout.
const DefaultDialTimeout = 10 * time.Second

// Dial connects to url: "moqt://host:port/path" over raw QUIC, "https://…" over
// WebTransport. A nil d is the zero Dialer. ctx bounds the dialling; the session
// lives until Close.
func Dial(ctx context.Context, url string, d *Dialer) (*Session, error) {
	if d == nil {
		d = new(Dialer)
	}
	return d.Dial(ctx, url)
}

// Dial is the function of that name with the settings of d.
func (d *Dialer) Dial(ctx context.Context, url string) (*Session, error) {
	target, err := dial.Parse(url)
	if err != nil {
		return nil, err
	}
	opts := d.options()
	if !d.Reconnect {
		s, err := dial.Dial(ctx, target, opts)
		if err != nil {
			return nil, err
		}
		return NewSession(ctx, s, d.Handler), nil
	}
	return keep(ctx, target, dial.KeepOptions{Options: opts, RetryFirst: d.Retry, Log: d.Log}, d.Handler)
}

// Connect is Dial with Reconnect for programs that have made a target and options
// of package dial. The handler may be nil.
func Connect(ctx context.Context, target dial.Target, opts dial.KeepOptions, handler Handler) (*Session, error) {
	if handler != nil {
		opts.Session.Handler = handler
	}
	return keep(ctx, target, opts, handler)
}

// keep makes a session that has successors.
func keep(ctx context.Context, target dial.Target, opts dial.KeepOptions, handler Handler) (*Session, error) {
	life, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	x := bareSession(life, cancel, handler)
	x.stays = true
	stop := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	x.spawn(func() {
		err := dial.Keep(life, target, opts,
			func(ctx context.Context, s *session.Session) error {
				return x.chain.follow(ctx, s, target, opts.Options)
			})
		x.end(err)
	})
	if _, err := x.chain.wait(ctx, nil); err != nil {
		x.Close()
		return nil, err
	}
	if !stop() { // ctx ended at the last moment
		x.Close()
		return nil, context.Cause(ctx)
	}
	return x, nil
}

func (d *Dialer) options() dial.Options {
	cfg := d.Config
	if d.Handler != nil {
		cfg.Handler = d.Handler
	}
	if d.Log != nil {
		cfg.Log = d.Log
	}
	o := dial.Options{TLS: d.TLS, Timeout: d.Timeout, Protocols: d.Protocols, Session: cfg}
	if o.Timeout == 0 {
		o.Timeout = DefaultDialTimeout
	}
	if d.Connect != nil {
		o.Connect = d.Connect
	}
	return o
}
