package interop

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oxymoq/internal/tap/taptest"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
)

// ran reads what Run has written.
func ran(t *testing.T, w *world) taptest.Document {
	t.Helper()
	d, err := taptest.Parse(w.out.String())
	if err != nil {
		t.Fatalf("%v in\n%s", err, w.out.String())
	}
	return d
}

// TestRun: what stands around the results.
func TestRun(t *testing.T) {
	inWorld(t, honest(), func(t *testing.T, w *world) {
		if err := Run(t.Context(), w.cfg, slices.Concat(named(t, "announce-subscribe"), named(t, "setup-only"))); err != nil {
			t.Error(err)
		}
		d := ran(t, w)
		draft, _ := session.DraftOf(session.Protocols()[0])
		want := []string{"moqinterop v0.0.0", "Relay: moqt://relay:4443", "Draft: draft-" + draft.String()}
		if !slices.Equal(d.Comments, want) || d.Plan != 2 || d.Points[0].Name != "announce-subscribe" || d.Points[1].Name != "setup-only" {
			t.Errorf("%+v", d)
		}
		for _, key := range []string{"duration_ms", "implementation_version", "sessions.publisher.moqt_version", "sessions.subscriber.moqt_version"} {
			if d.Points[0].Fields[key] == "" {
				t.Errorf("%s is not told in %v", key, d.Points[0].Fields)
			}
		}
	})
}

// TestUnreachable: without a relay there are no results.
func TestUnreachable(t *testing.T) {
	inWorld(t, honest(), func(t *testing.T, w *world) {
		refused := errors.New("connection refused")
		w.cfg.Dial.Connect = func(context.Context, string, *tls.Config) (transport.Conn, error) { return nil, refused }
		testkit.ErrIs(t, Run(t.Context(), w.cfg, Cases()), refused)
		d := ran(t, w)
		if d.Plan != len(Cases()) || len(d.Points) > 0 || !strings.Contains(d.BailOut, "moqt://relay:4443: connection refused") {
			t.Errorf("%+v", d)
		}
	})
}

// TestRetry: a relay that comes late is waited for, but not for ever.
func TestRetry(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		want  bool
	}{{30 * time.Second, true}, {Total, false}} {
		inWorld(t, honest(), func(t *testing.T, w *world) {
			began, connect := time.Now(), w.cfg.Dial.Connect
			w.cfg.Retry = true
			w.cfg.Dial.Connect = func(ctx context.Context, addr string, conf *tls.Config) (transport.Conn, error) {
				if time.Since(began) < tt.after {
					return nil, errors.New("connection refused")
				}
				return connect(ctx, addr, conf)
			}
			if err := Run(t.Context(), w.cfg, named(t, "announce-only")); (err == nil) != tt.want {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took < tt.after || took > tt.after+time.Second {
				t.Errorf("it took %v, want %v", took, tt.after)
			}
		})
	}
}

// TestStopped: a run that is stopped is no success, and says how far it came.
func TestStopped(t *testing.T) {
	inWorld(t, new(wrong).serve, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancelCause(t.Context())
		reason := errors.New("stopped by the test")
		timer := time.AfterFunc(time.Second, func() { stop(reason) })
		defer timer.Stop()
		err := Run(ctx, w.cfg, slices.Concat(named(t, "setup-only"), named(t, "announce-subscribe")))
		d := ran(t, w)
		if err == nil || errors.Is(err, reason) || len(d.Points) != 1 || !strings.Contains(d.BailOut, "1 of 2 cases were performed: stopped by the test") {
			t.Errorf("%v, %+v", err, d)
		}
	})
}

// TestStoppedAtFirst: likewise if no relay has answered yet.
func TestStoppedAtFirst(t *testing.T) {
	inWorld(t, func(context.Context, int, session.Conn) {}, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancelCause(t.Context())
		reason := errors.New("stopped by the test")
		timer := time.AfterFunc(time.Second, func() { stop(reason) })
		defer timer.Stop()
		w.cfg.Retry = true
		err := Run(ctx, w.cfg, named(t, "setup-only"))
		if d := ran(t, w); err == nil || errors.Is(err, reason) || !strings.Contains(d.BailOut, "0 of 1 cases were performed: stopped by the test") {
			t.Errorf("%v, %+v", err, d)
		}
	})
}

// TestTotal: all cases together end in time, whatever the relay does, and each
// has a result.
func TestTotal(t *testing.T) {
	inWorld(t, new(wrong).serve, func(t *testing.T, w *world) {
		began := time.Now()
		slow := slices.Repeat(named(t, "data-subgroup-basic"), 9)
		testkit.ErrIs(t, Run(t.Context(), w.cfg, slow), ErrFailed)
		if took := time.Since(began); took < Total || took > Total+2*time.Second {
			t.Errorf("it took %v, want %v", took, Total)
		}
		d := ran(t, w)
		if last := d.Points[8]; !strings.Contains(last.Fields["received"], "nothing within 1m50s") {
			t.Errorf("%+v", last)
		}
	})
}

var errFull = errors.New("disk full")

type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// TestFullDisk: results that nobody can read are a failure.
func TestFullDisk(t *testing.T) {
	inWorld(t, honest(), func(t *testing.T, w *world) {
		w.cfg.Out = &full{left: 60}
		testkit.ErrIs(t, Run(t.Context(), w.cfg, named(t, "setup-only")), errFull)
	})
}

// TestLog: what is said on the sessions is told with the role, and traces that
// the configuration has are told too.
func TestLog(t *testing.T) {
	inWorld(t, honest(), func(t *testing.T, w *world) {
		var log bytes.Buffer
		var events atomic.Int64
		w.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
		w.cfg.Dial.Session.Trace = func(*session.Session) session.TraceFunc {
			return func(session.TraceEvent) { events.Add(1) }
		}
		if err := Run(t.Context(), w.cfg, named(t, "announce-only")); err != nil {
			t.Error(err)
		}
		for _, want := range []string{"publisher sends SETUP", "publisher sends PUBLISH_NAMESPACE", "publisher reads REQUEST_OK"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%q is not in the log:\n%s", want, log.String())
			}
		}
		if events.Load() == 0 {
			t.Error("nothing was traced")
		}
	})
}

func TestSelect(t *testing.T) {
	some := testkit.Must(Select([]string{"subscribe-error", "setup-only", "subscribe-error"}))(t)
	if len(some) != 2 || some[0].Name != "subscribe-error" || some[1].Name != "setup-only" {
		t.Errorf("%v", some)
	}
	all := testkit.Must(Select(nil))(t)
	names := map[string]bool{}
	for _, c := range all {
		if names[c.Name] || c.Limit == 0 || c.Limit > Total {
			t.Errorf("%q: twice, or a limit of %v", c.Name, c.Limit)
		}
		names[c.Name] = true
	}
	_, err := Select([]string{"setup-only", "setup"})
	if e := testkit.ErrAs[*UnknownError](t, err); e.Name != "setup" || !strings.Contains(e.Error(), "announce-only, ") {
		t.Error(e)
	}
}

// TestReceived: what comes instead of an answer is told in the words of the draft.
func TestReceived(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&lateError{2 * time.Second}, "nothing within 2s"},
		{&model.RequestError{Code: model.DoesNotExist, Reason: "no\nsuch", Remote: true}, `REQUEST_ERROR with DOES_NOT_EXIST ("no\nsuch")`},
		{&model.RequestError{Code: 0x77, Remote: true}, "REQUEST_ERROR with 0x77"},
		{&model.SessionError{Code: model.ProtocolViolation, Remote: true}, "the session closed by the relay with PROTOCOL_VIOLATION"},
		{&model.SessionError{Code: model.ProtocolViolation, Reason: "a type"}, `what the session must be closed for with PROTOCOL_VIOLATION ("a type")`},
		{&model.StreamError{Code: model.ResetGoingAway, Remote: true}, "the stream cancelled with GOING_AWAY"},
		{&model.DoneError{Code: model.DoneExpired}, "PUBLISH_DONE with EXPIRED"},
		{errors.New("something"), "something"},
	} {
		if got := received(tt.err); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
	f := &Failure{Expected: "SETUP", Received: "nothing within 2s"}
	if err := instead("SUBSCRIBE_OK", f); !errors.Is(err, f) {
		t.Errorf("%v", err)
	}
	if got := f.Error(); got != "SETUP was expected, and what came is nothing within 2s" {
		t.Error(got)
	}
}

// TestDescribe: carriers have the runner's names.
func TestDescribe(t *testing.T) {
	for _, tt := range []struct {
		kind transport.Kind
		want string
	}{
		{transport.QUIC, "transport=quic alpn=moqt-18"},
		{transport.WebTransport, "transport=webtransport-h3 alpn=h3 webtransport_protocol=moqt-18"},
		{transport.QMUX, "transport=qmux-tcp-tls alpn=moqt-18"},
		{transport.Memory, ""},
	} {
		a, b := memtr.Pair(memtr.WithKind(tt.kind))
		var serving sync.WaitGroup
		serving.Go(func() {
			if s, err := session.Start(t.Context(), b, session.Config{Role: session.Server}); err == nil {
				s.Wait()
			}
		})
		s := testkit.Must(session.Start(t.Context(), a, session.Config{}))(t)
		var got []string
		for _, f := range describe(s)[1:] {
			got = append(got, f.Key+"="+f.Value.(string))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.kind, got, tt.want)
		}
		s.Close(model.NoError, "")
		s.Wait()
		serving.Wait()
	}
}
