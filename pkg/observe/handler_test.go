package observe

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/slogtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestHandlerPutsRecordsIntoTheRing(t *testing.T) {
	r := NewRing(0)
	log := slog.New(NewHandler(r, slog.LevelInfo))
	log.Debug("not heard")
	log.Info("plain")
	log.With("session", "7f", "peer", "192.0.2.1").Warn("with", "because", errors.New("reasons"), "n", 3)
	log.WithGroup("g").With("a", 1).Error("in a group", "session", "not it", slog.Group("h", "b", true), slog.Group("", "c", 2))
	log.Info("empty", slog.Attr{}, slog.Group("nothing"))
	events, _, err := r.Events(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []Event{
		{Number: 1, Level: "info", Kind: KindLog, Text: "plain"},
		{Number: 2, Level: "warn", Kind: KindLog, Session: "7f", Text: "with",
			Detail: map[string]string{"peer": "192.0.2.1", "because": "reasons", "n": "3"}},
		{Number: 3, Level: "error", Kind: KindLog, Text: "in a group",
			Detail: map[string]string{"g.a": "1", "g.session": "not it", "g.h.b": "true", "g.c": "2"}},
		{Number: 4, Level: "info", Kind: KindLog, Text: "empty"},
	}
	if d := cmp.Diff(want, events, cmpopts.IgnoreFields(Event{}, "Time")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestHandlerObeysSlog: the tests of the standard library, which read what a
// handler wrote as nested maps.
func TestHandlerObeysSlog(t *testing.T) {
	var r *Ring
	slogtest.Run(t, func(*testing.T) slog.Handler {
		r = NewRing(0)
		return NewHandler(r, slog.LevelDebug)
	}, func(t *testing.T) map[string]any {
		events, _, err := r.Events(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		e := events[0]
		all := map[string]any{slog.LevelKey: e.Level, slog.MessageKey: e.Text}
		if fmt.Sprint(t.Name()) != "TestHandlerObeysSlog/zero-time" { // a Ring knows when
			all[slog.TimeKey] = e.Time
		}
		for k, v := range e.Detail {
			nest(all, k, v)
		}
		return all
	})
}

// nest enters a value at a key "a.b.c".
func nest(in map[string]any, key, value string) {
	for i := range key {
		if key[i] == '.' {
			inner, ok := in[key[:i]].(map[string]any)
			if !ok {
				inner = map[string]any{}
				in[key[:i]] = inner
			}
			nest(inner, key[i+1:], value)
			return
		}
	}
	in[key] = value
}

func TestHandlerLeavesOutWhatIsRecorded(t *testing.T) {
	r := NewRing(0)
	h := NewHandler(r, nil)
	log := slog.New(slog.NewMultiHandler(h, slog.DiscardHandler))
	log.InfoContext(Recorded(t.Context()), "an event")
	log.InfoContext(t.Context(), "a record")
	if r.Last() != 1 {
		t.Errorf("%d events", r.Last())
	}
	if err := h.Handle(Recorded(t.Context()), slog.Record{}); err != nil || r.Last() != 1 {
		t.Errorf("%d events, %v", r.Last(), err)
	}
	if h.Enabled(t.Context(), slog.LevelDebug) || !h.Enabled(t.Context(), slog.LevelInfo) {
		t.Error("the default level is not info")
	}
}

func TestHandlerBoundsDetails(t *testing.T) {
	r := NewRing(0)
	var many []any
	for i := range 2 * MaxEventDetails {
		many = append(many, fmt.Sprint(i), i)
	}
	slog.New(NewHandler(r, nil)).Info("x", many...)
	events, _, err := r.Events(t.Context(), 0)
	if err != nil || len(events[0].Detail) != MaxEventDetails {
		t.Errorf("%d details, %v", len(events[0].Detail), err)
	}
}

func TestLevelNames(t *testing.T) {
	for level, want := range map[slog.Level]string{
		-9: "debug", slog.LevelDebug: "debug", slog.LevelInfo: "info", slog.LevelInfo + 2: "info",
		slog.LevelWarn: "warn", slog.LevelError: "error", 99: "error",
	} {
		if got := LevelName(level); got != want {
			t.Errorf("%v is %q, want %q", level, got, want)
		}
	}
}
