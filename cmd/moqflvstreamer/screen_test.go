package main

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/streamer"
	"oxymoq/pkg/media"
	"oxymoq/pkg/tui/clients"
)

func TestDetail(t *testing.T) {
	for _, tt := range []struct {
		format media.Format
		want   string
	}{
		{media.Format{}, ""}, {media.Format{Width: 1280, Height: 720, FrameRate: 29.97}, "1280x720 29.97 fps"},
		{media.Format{Width: 320, Height: 180}, "320x180"}, {media.Format{SampleRate: 44100, Channels: 2}, "44.1 kHz 2 ch"},
	} {
		if got := detail(&tt.format); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// TestPace is of the last seconds.
func TestPace(t *testing.T) {
	w := &window{}
	began := time.Unix(1000, 0)
	for i, tt := range []struct {
		after  time.Duration
		media  float64
		tracks int
		want   float64
	}{
		{0, 0, 0, math.NaN()}, {9 * time.Second, 0, 1, 0}, {10 * time.Second, 1, 1, 0}, {11 * time.Second, 2, 1, 1},
		{12 * time.Second, 30, 1, 1}, {15 * time.Second, 4, 1, 0.5},
	} {
		st := streamer.Status{Time: began.Add(tt.after), Media: tt.media, Tracks: make([]streamer.TrackStatus, tt.tracks)}
		got := w.paceAt(&st)
		if math.IsNaN(got) != math.IsNaN(tt.want) || !math.IsNaN(got) && got != tt.want {
			t.Errorf("%d: %v, want %v", i, got, tt.want)
		}
	}
}

// TestState of a Streamer that has not begun, and that is paused.
func TestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{s: &streamer.Streamer{}}
		if s := w.state(); s.Phase != clients.Connecting || s.Carrier != "" || len(s.Tracks) != 0 || s.Part != nil || !math.IsNaN(s.Pace) || s.Lag != nil || s.Skew != nil {
			t.Errorf("%+v", s)
		}
	})
}

// TestNoScreenWithoutTerminal: what asks for one says why there is none.
func TestNoScreenWithoutTerminal(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"a.flv -tui on", "needs a terminal"}, {"a.flv -tui maybe", "auto, on or off"}, {"a.flv -theme neon", "solarized"}, {"a.flv -color red", "always"},
	} {
		if code, out, said := execute(t, strings.Fields(tt.args), nil); code != cli.ExitUsage || out != "" || !strings.Contains(said, tt.want) {
			t.Errorf("%s: code %d, %q, %q", tt.args, code, out, said)
		}
	}
}
