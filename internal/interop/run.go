package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"oxymoq/internal/tap"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// Total is how long all cases together may take; the runner gives a client 120
// seconds, with the start of its container.
const Total = 110 * time.Second

// Config says where the cases are performed.
type Config struct {
	// Target is the relay.
	Target dial.Target
	// Dial says how to connect. The Handler of its session is set here.
	Dial dial.Options
	// Retry waits for a relay that cannot be reached at first.
	Retry bool
	// Out is where the results go.
	Out io.Writer
	// Name and Version are those of the client.
	Name, Version string
	// Log is told of every message that is sent and read; nil: nobody is.
	Log *slog.Logger

	ctx context.Context // of all cases
}

// ErrFailed says that the relay did not pass all cases.
var ErrFailed = errors.New("the relay did not pass all cases")

// Run performs cases at the relay, in this order, and writes what came of them.
// It returns nil if all have passed, an error that wraps ErrFailed if one has
// not, and another error if the relay cannot be reached, ctx ends, or nothing
// can be written.
func Run(ctx context.Context, cfg Config, cases []Case) error {
	t := tap.NewWriter(cfg.Out)
	t.Version()
	t.Comment("%s %s", cfg.Name, cfg.Version)
	t.Comment("Relay: %v", cfg.Target)
	whole, cancel := context.WithTimeoutCause(ctx, Total, &lateError{Total})
	defer cancel()
	cfg.ctx = whole
	draft, err := negotiated(&cfg)
	if err != nil {
		if ctx.Err() != nil {
			err = stopped(ctx, 0, len(cases))
		}
		t.Plan(len(cases))
		t.BailOut(err.Error())
		return err
	}
	t.Comment("Draft: draft-%v", draft)
	t.Plan(len(cases))
	failed := 0
	for i := range cases {
		r := perform(&cfg, &cases[i])
		if ctx.Err() != nil {
			err := stopped(ctx, i, len(cases))
			t.BailOut(err.Error())
			return err
		}
		if r.failure != nil {
			failed++
		}
		t.Point(r.failure == nil, cases[i].Name, r.skipped, r.block(&cfg, &cases[i]))
	}
	switch {
	case t.Err() != nil:
		return fmt.Errorf("the results cannot be written: %w", t.Err())
	case failed > 0:
		return fmt.Errorf("%w: %d of %d failed", ErrFailed, failed, len(cases))
	}
	return nil
}

// stopped says how far the cases came until ctx ended. It does not wrap the cause:
// to be told to stop is a success for programs, but not for this one.
func stopped(ctx context.Context, n, of int) error {
	return fmt.Errorf("%d of %d cases were performed: %s", n, of, context.Cause(ctx).Error())
}

// negotiated connects once, so that the results are filed under the draft that
// the relay really chooses.
func negotiated(cfg *Config) (model.Draft, error) {
	for {
		s, err := dial.Dial(cfg.ctx, cfg.Target, cfg.Dial)
		if err == nil {
			s.Close(model.NoError, "")
			s.Wait()
			return s.Draft(), nil
		}
		if !cfg.Retry {
			return 0, err
		}
		pause := time.NewTimer(dial.FirstPause)
		select {
		case <-pause.C:
		case <-cfg.ctx.Done():
			pause.Stop()
			return 0, err
		}
	}
}

// result is what came of a case.
type result struct {
	failure *Failure // nil: it passed, or was skipped
	skipped string   // why; empty: it was not
	took    time.Duration
	actors  []*actor
}

// errSkip is returned by a case that the draft leaves no way to perform.
type errSkip struct{ why string }

func (e *errSkip) Error() string { return e.why }

// perform performs one case.
func perform(cfg *Config, c *Case) (r result) {
	s := &scene{cfg: cfg, limit: c.Limit}
	s.ctx, s.cancel = context.WithCancel(cfg.ctx)
	began := time.Now()
	err := c.play(s)
	if left := s.leave(); err == nil {
		err = left
	}
	r.took, r.actors = time.Since(began), s.actors
	if skip, ok := errors.AsType[*errSkip](err); ok {
		r.skipped = skip.why
		return r
	}
	if f, ok := errors.AsType[*Failure](instead("success", err)); ok {
		r.failure = f
	}
	return r
}

// block is the YAML block of a result.
func (r *result) block(cfg *Config, c *Case) []tap.Field {
	block := []tap.Field{{Key: "duration_ms", Value: r.took.Milliseconds()}, {Key: "implementation_version", Value: cfg.Version}}
	if c.Revision > 0 {
		block = append(block, tap.Field{Key: "test_spec_revision", Value: int64(c.Revision)})
	}
	var sessions []tap.Field
	for _, a := range r.actors {
		a.mu.Lock()
		id := a.id
		a.mu.Unlock()
		var about []tap.Field
		if a.session != nil {
			about = describe(a.session)
		}
		if id != "" {
			name := "connection_id"
			if len(r.actors) > 1 {
				name = a.role + "_connection_id"
			}
			block = append(block, tap.Field{Key: name, Value: id})
			about = append(about, tap.Field{Key: "quic_initial_destination_connection_id", Value: id})
		}
		if len(about) > 0 {
			sessions = append(sessions, tap.Field{Key: a.role, Value: about})
		}
	}
	if len(sessions) > 0 {
		block = append(block, tap.Field{Key: "sessions", Value: sessions})
	}
	if f := r.failure; f != nil {
		block = append(block, tap.Field{Key: "expected", Value: f.Expected}, tap.Field{Key: "received", Value: f.Received}, tap.Field{Key: "message", Value: f.Error()})
	}
	return block
}

// describe says what a session negotiated, in the words of the runner.
func describe(s *session.Session) []tap.Field {
	about := []tap.Field{{Key: "moqt_version", Value: fmt.Sprintf("moqt-%v", s.Draft())}}
	switch conn := s.Conn(); conn.Kind() {
	case transport.QUIC:
		about = append(about, tap.Field{Key: "transport", Value: "quic"}, tap.Field{Key: "alpn", Value: conn.Protocol()})
	case transport.WebTransport:
		about = append(about, tap.Field{Key: "transport", Value: "webtransport-h3"}, tap.Field{Key: "alpn", Value: "h3"})
		if p := conn.Protocol(); p != "" {
			about = append(about, tap.Field{Key: "webtransport_protocol", Value: p})
		}
	case transport.QMUX:
		about = append(about, tap.Field{Key: "transport", Value: "qmux-tcp-tls"}, tap.Field{Key: "alpn", Value: conn.Protocol()})
	}
	return about
}
