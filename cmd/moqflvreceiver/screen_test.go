package main

import (
	"strings"
	"testing"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/receiver"
	"oxymoq/pkg/tui/clients"
)

// TestState: what is known is shown, and what is not is left out.
func TestState(t *testing.T) {
	var w window
	if s := w.state(); s.Phase != clients.Connecting || s.Time.IsZero() || len(s.Tracks) != 0 {
		t.Errorf("before anything %+v", s)
	}
	st := &receiver.Status{
		Time: time.Unix(1000, 0), Connected: true, Transport: "quic", Protocol: "moqt-18", Buffer: 180, Hold: 300, Bytes: 5000, Written: 82_000,
		Tracks: []receiver.TrackStatus{{Name: "video0", State: "asked for"}, {Name: "audio0"}},
	}
	w.newest.Store(st)
	if s := w.state(); s.Phase != clients.Waiting || s.Carrier != "quic d18" || s.Buffer != 180*time.Millisecond || s.Written != 82*time.Second || s.Skew != nil ||
		len(s.Tracks) != 2 || s.Tracks[0].Lag != nil || s.Tracks[0].State != "asked for" {
		t.Errorf("before the answer %+v", s)
	}
	skew, lag := int64(-8), int64(112)
	st.Skew = &skew
	st.Tracks[0] = receiver.TrackStatus{
		Name: "video0", State: "receiving", Receiving: true, Lag: &lag, Counts: receiver.Counts{Late: 2, Behind: 1, Gaps: 4}, In: 77, Held: time.Second, Freezes: 1, Longest: time.Minute,
	}
	s := w.state()
	v := s.Tracks[0]
	if s.Phase != clients.Running || *s.Skew != -8*time.Millisecond || *v.Lag != 112*time.Millisecond || v.Late != 3 || v.Gaps != 4 || v.Bytes != 77 ||
		v.Held != time.Second || v.Freezes != 1 || v.Longest != time.Minute || !v.Receiving {
		t.Errorf("while it receives %+v", s)
	}
	st.Connected = false
	if s := w.state(); s.Phase != clients.Connecting || s.Carrier != "" {
		t.Errorf("while it is away %+v", s)
	}
}

func TestToOutput(t *testing.T) {
	for _, tt := range []struct {
		out  string
		args []string
		want bool
	}{{"-", nil, true}, {"", []string{"-"}, true}, {"", []string{"a.flv"}, false}, {"a.flv", []string{"-"}, false}, {"", nil, false}} {
		f := flags{out: tt.out}
		if got := f.toOutput(&cli.Env{Args: tt.args}); got != tt.want {
			t.Errorf("%q %q: %v", tt.out, tt.args, got)
		}
	}
}

// TestNoScreenWithoutTerminal: what asks for one says why there is none.
func TestNoScreenWithoutTerminal(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"a.flv -tui on", "needs a terminal"}, {"a.flv -tui maybe", "auto, on or off"}, {"a.flv -theme neon", "solarized"}, {"a.flv -color red", "always"},
	} {
		if code, out, errs := execute(t, tt.args); code != cli.ExitUsage || out != "" || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: code %d, %q, %q", tt.args, code, out, errs)
		}
	}
}
