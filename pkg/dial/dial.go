package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/qmuxtr"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/wire"
)

// Options say how to make a session.
type Options struct {
	// TLS decides about trust. NextProtos and ServerName are set here.
	TLS *tls.Config
	// Timeout bounds one attempt, from address lookup to SETUP; 0: none.
	Timeout time.Duration
	// Transport is transport.QUIC, transport.WebTransport or transport.QMUX.
	// Empty: what the URL asks for; where moqt:// meets a server that does not
	// speak raw QUIC, WebTransport is tried.
	Transport transport.Kind
	// Protocols are offered, the preferred first; none: session.Protocols. Over
	// raw QUIC and QMux the server's order decides, over WebTransport this one.
	Protocols []string
	// Session is the configuration of the session; Role, Draft, Path and
	// Authority are set here. Its Log is told what was negotiated.
	Session session.Config
	// Trace is asked for a trace of each connection; nil: none is traced. QMux
	// and Connect do not ask.
	Trace transport.Tracer
	// Connect replaces both transports, for tests on others.
	Connect func(ctx context.Context, addr string, conf *tls.Config) (transport.Conn, error)
}

// A server that was killed says nothing, and clients that only keep alive find
// out by silence alone. So they are less patient than a server is: what was
// missed is fetched when they come back.
const (
	IdleTimeout = 6 * time.Second
	KeepAlive   = 2 * time.Second
)

// Dial makes one attempt. The error is one sentence that names the target.
func Dial(ctx context.Context, t Target, opts Options) (*session.Session, error) {
	if opts.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, opts.Timeout, fmt.Errorf("no answer within %v", opts.Timeout))
		defer cancel()
	}
	s, err := dial(ctx, t, opts)
	if err == nil {
		return s, nil
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return nil, Failure(t, opts, err)
}

// Failure is the sentence for the user about a session that could not be made,
// or that ended before it was of use: over raw QUIC a server sees the path only
// when the session begins, and this side may have begun by then.
func Failure(t Target, opts Options, err error) error {
	return fmt.Errorf("cannot connect to %v: %w", t, explain(t, opts.protocols(), err))
}

// protocols returns what is offered.
func (o *Options) protocols() []string {
	if len(o.Protocols) > 0 {
		return o.Protocols
	}
	return session.Protocols()
}

func dial(ctx context.Context, t Target, opts Options) (*session.Session, error) {
	conn, err := connect(ctx, t, opts)
	if err != nil {
		return nil, err
	}
	draft, ok := session.DraftOf(conn.Protocol())
	if !ok {
		_ = conn.CloseWithError(uint64(model.VersionNegotiationFailed), "no common protocol")
		return nil, fmt.Errorf("the peer chose the protocol %q, which was not offered", conn.Protocol())
	}
	cfg := opts.Session
	cfg.Role, cfg.Draft, cfg.Path, cfg.Authority = wire.Client, draft, t.Path, t.Authority
	s, err := session.Start(ctx, conn, cfg)
	if err != nil {
		return nil, err
	}
	opts.log().Info("connected", "to", t.String(), "transport", conn.Kind(), "draft", draft, "protocol", conn.Protocol(), "peer", s.PeerImplementation())
	return s, nil
}

func (o *Options) log() *slog.Logger {
	if o.Session.Log != nil {
		return o.Session.Log
	}
	return slog.New(slog.DiscardHandler)
}

// connect makes the connection for a session.
func connect(ctx context.Context, t Target, opts Options) (transport.Conn, error) {
	conf := &tls.Config{}
	if opts.TLS != nil {
		conf = opts.TLS.Clone()
	}
	if conf.ServerName == "" {
		conf.ServerName = t.Host
	}
	protocols := opts.protocols()
	conf.NextProtos = protocols
	if opts.Connect != nil {
		return opts.Connect(ctx, t.Addr(), conf)
	}
	path := quictr.Options{IdleTimeout: IdleTimeout, KeepAlive: KeepAlive, Trace: opts.Trace}
	kind := opts.Transport
	if kind == "" && t.Scheme == SchemeHTTPS {
		kind = transport.WebTransport
	}
	switch kind {
	case transport.WebTransport:
	case transport.QMUX:
		return qmuxtr.Dial(ctx, t.Addr(), conf, protocols, qmuxtr.Options{IdleTimeout: IdleTimeout, KeepAlive: KeepAlive})
	default:
		conn, err := quictr.Dial(ctx, t.Addr(), conf, path)
		if kind != "" || !errors.Is(err, quictr.ErrNoProtocol) {
			return conn, err
		}
		// The server speaks QUIC, but not MoQT over it.
	}
	return webTransport(ctx, t, conf, opts, path)
}

// Pauses of Keep: the first, and the longest that doubling leads to. Each is
// shortened at random by up to half, so that many clients of one relay do not
// come back in step.
const (
	FirstPause   = 250 * time.Millisecond
	LongestPause = 5 * time.Second
)

// KeepOptions say how to stay connected.
type KeepOptions struct {
	Options
	// RetryFirst goes on trying even if the first attempt fails.
	RetryFirst bool
	// Log is told of losses and attempts; nil discards.
	Log *slog.Logger
}

// Keep makes a session and calls use with it, again and again: whenever use
// returns ErrLost, a new session is made. It returns what use returns
// otherwise, the cause of ctx, or, unless RetryFirst, why the first attempt
// failed or the server refuses the first session.
func Keep(ctx context.Context, t Target, opts KeepOptions, use func(context.Context, *session.Session) error) error {
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	pause := FirstPause
	for first := true; ; first = false {
		s, err := Dial(ctx, t, opts.Options)
		if err != nil && first && !opts.RetryFirst {
			return err
		}
		if err == nil {
			began := time.Now()
			err = use(ctx, s)
			s.Close(model.NoError, "")
			s.Wait()
			if !errors.Is(err, ErrLost) {
				return err
			}
			if first && !opts.RetryFirst && refused(err) {
				return Failure(t, opts.Options, err)
			}
			if time.Since(began) > LongestPause {
				pause = FirstPause
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		wait := pause - rand.N(pause/2)
		log.Warn("reconnecting", "to", t.String(), "in", wait.Round(time.Millisecond), "because", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		pause = min(2*pause, LongestPause)
	}
}

// ErrLost is what the function of Keep returns, or wraps, to get a new session.
var ErrLost = errors.New("session lost")

// Lost wraps why a session was lost so that Keep makes a new one.
func Lost(err error) error { return fmt.Errorf("%w: %w", ErrLost, err) }
