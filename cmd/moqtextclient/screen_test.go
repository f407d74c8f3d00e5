package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/text"
	"oxymoq/pkg/model"
	"oxymoq/pkg/tui/clients"
)

func TestParseRange(t *testing.T) {
	for _, tt := range []struct{ what, from, to, wrong string }{
		{"7", "7/0", "", ""}, {"7/3", "7/3", "", ""}, {" 7/3   9/1 ", "7/3", "9/1", ""}, {"7 9", "7/0", "9/18446744073709551615", ""}, {"-2 -1", "0/0", "0/18446744073709551615", ""},
		{"", "", "", "not two places"}, {"1 2 3", "", "", "not two places"}, {"7/x", "", "", "-so"}, {"9 7", "", "", "before"}, {"seven", "", "", "-sg"},
	} {
		span, err := parseRange(tt.what)
		if tt.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%q: %v", tt.what, err)
			}
			continue
		}
		to := ""
		if span.End.Set {
			to = span.End.Value.String()
		}
		if err != nil || span.Start.Value.String() != tt.from || to != tt.to {
			t.Errorf("%q: %v to %s, %v", tt.what, span.Start.Value, to, err)
		}
	}
}

// TestRows: what comes is shown with all there is to know.
func TestRows(t *testing.T) {
	w := &window{client: &text.Client{}, many: true}
	at := time.Date(2026, 11, 21, 12, 1, 7, 0, time.UTC)
	w.Object(&text.Arrival{
		Track: model.FullTrackName{Name: "date"}, At: at, Since: model.Some(time.Second), Past: true,
		Object: model.Object{Location: model.Location{Group: 7, Object: 3}, Subgroup: 1, Payload: []byte("text"), Properties: model.Properties{
			{Type: 0x10, Int: 5}, {Type: 0x11, Bytes: make([]byte, maxProperty+3)}}},
	})
	w.Object(&text.Arrival{At: at, Object: model.Object{Datagram: true}})
	w.Gap(model.FullTrackName{Name: "date"}, model.Location{Group: 7, Object: 4}, model.Location{Group: 8})
	rows, _ := w.rows.After(0)
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	r := rows[0]
	if r.Track != "date" || r.Group != 7 || r.Object != 3 || r.Subgroup != "1" || *r.Since != time.Second || !r.Past || string(r.Payload) != "text" || r.Size != 4 {
		t.Errorf("%+v", r)
	}
	if p := r.Properties; len(p) != 2 || p[0] != "property 0x10 = 5" || !strings.HasSuffix(p[1], "00 and 3 bytes more") {
		t.Errorf("%q", p)
	}
	if rows[1].Subgroup != "datagram" || rows[1].Since != nil {
		t.Errorf("%+v", rows[1])
	}
	if rows[2].Note != "gap of date: 7/4 and what follows it before 8/0 was not delivered" || !rows[2].Wrong {
		t.Errorf("%+v", rows[2])
	}
}

// TestWindow says what the Client does, and what cannot be done without a session.
func TestWindow(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	w := &window{client: &text.Client{Way: text.Fetch}, ctx: ctx, stop: stop}
	if s := w.state(); s.Phase != clients.Connecting || s.Word != "fetching" || s.Objects != 0 {
		t.Errorf("%+v", s)
	}
	if err := w.Pause(ctx, true); err == nil {
		t.Error("a fetch is paused")
	}
	if err := w.Unsubscribe(ctx); err == nil {
		t.Error("nothing is left")
	}
	if err := w.Fetch(ctx, "x"); err == nil {
		t.Error("a range that is none is fetched")
	}
	if err := w.Fetch(ctx, "7 8"); err != nil && !errors.Is(err, errBusy) {
		t.Error(err)
	}
	w.end()
	rows, _ := w.rows.After(0)
	if len(rows) != 1 || !strings.Contains(rows[0].Note, "the fetch of 7 8 failed after 0 objects: there is no connection") {
		t.Errorf("%+v", rows)
	}
	if err := w.Fetch(ctx, "7 8"); !errors.Is(err, errOver) {
		t.Error(err)
	}
	if s := w.state(); s.Phase != clients.Over || ctx.Err() == nil {
		t.Errorf("%+v, %v", s, ctx.Err())
	}
}

// TestNoScreenByItself: lines are what people expect of this program.
func TestNoScreenByItself(t *testing.T) {
	const date = "moqt://localhost:1/x -track_namespace moq-date -track_name date "
	for _, tt := range []struct{ args, want string }{
		{date + "-tui on", "needs a terminal"}, {date + "-tui maybe", "auto, on or off"}, {date + "-theme neon", "solarized"}, {date + "-color red", "always"},
	} {
		if code, out, errs := execute(t, tt.args); code != cli.ExitUsage || out != "" || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: code %d, %q, %q", tt.args, code, out, errs)
		}
	}
}
