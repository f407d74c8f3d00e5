package draw

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{SI(0), "0"}, {SI(41), "41"}, {SI(999.4), "999"}, {SI(999.5), "1.0k"}, {SI(1234), "1.2k"}, {SI(99.94e3), "99.9k"}, {SI(99.95e3), "100k"},
		{SI(47.4e6), "47.4M"}, {SI(212e6), "212M"}, {SI(999.5e6), "1.0G"}, {SI(-5), "-5"}, {SI(math.NaN()), Unknown}, {SI(math.Inf(1)), Unknown},
		{SI(1e30), ">1000E"},
		{Bytes(0), "0B"}, {Bytes(1023), "1023B"}, {Bytes(1024), "1.0KiB"}, {Bytes(412 << 20), "412MiB"}, {Bytes(-2048), "-2.0KiB"}, {Bytes(math.MaxInt64), "8.0EiB"},
		{Lag(0), "0µs"}, {Lag(999 * time.Microsecond), "999µs"}, {Lag(41 * time.Millisecond), "41ms"}, {Lag(999600 * time.Microsecond), "1.0s"},
		{Lag(1249 * time.Millisecond), "1.2s"}, {Lag(14 * time.Second), "14s"}, {Lag(3 * time.Minute), "3m"}, {Lag(-time.Second), "-1.0s"},
		{Age(41 * time.Second), "41s"}, {Age(61 * time.Minute), "61m"}, {Age(47 * time.Hour), "47h"}, {Age(19 * 24 * time.Hour), "19d"}, {Age(-1), Unknown},
		{Clock(time.Hour + 12*time.Minute + 9*time.Second), "01:12:09"}, {Clock(-5), "00:00:00"},
		{Percent(0), "0%"}, {Percent(0.003), "0.3%"}, {Percent(0.98), "98%"}, {Percent(1), "100%"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

// TestNumbersKeepTheirWidth: columns must not jump.
func TestNumbersKeepTheirWidth(t *testing.T) {
	for v := 1.0; v < 1e18; v *= 1.07 {
		if s := SI(v); Width(s) > 5 {
			t.Errorf("SI(%g) is %q", v, s)
		}
		if s := Bytes(int64(v)); Width(s) > 7 {
			t.Errorf("Bytes(%g) is %q", v, s)
		}
		if s := Lag(time.Duration(v)); Width(s) > 6 {
			t.Errorf("Lag(%g) is %q", v, s)
		}
	}
}

func TestLines(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{Fit("abc", 5), "abc  "}, {Fit("abcdef", 4), "abc…"}, {Fit("a\nb", 3), "a  "}, {Fit("abc", 0), ""}, {Fit("日本語", 4), "日… "},
		{FitASCII("abcdef", 4), "abc~"}, {Right("7", 3), "  7"}, {Right("12345", 3), "12…"}, {Between("left", "right", 12), "left   right"},
		{Between("left", "right", 7), "l…right"}, {Between("x", "right", 4), "rig…"},
		{Clean("a\x1b[31m\tb\u202e\u200b\xffc"), "a·[31m b···c"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func theme(t *testing.T, o Options) *Theme {
	t.Helper()
	th, err := NewTheme(o)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

func TestCharts(t *testing.T) {
	fine, plain := theme(t, Options{}), theme(t, Options{ASCII: true})
	for _, tt := range []struct{ got, want string }{
		{fine.Spark([]float64{0, 1, 2, 4, 8}, 6), " ▁▂▃▅█"},
		{plain.Spark([]float64{0, 8}, 2), "_#"},
		{fine.Spark([]float64{1, 2, 3}, 2), "▆█"},
		{fine.Spark([]float64{math.NaN(), 0}, 2), " ▁"},
		{fine.Spark(nil, 3), "   "}, {fine.Spark([]float64{1}, 0), ""},
		{fine.Gauge(0.8, 10), "████████░░"}, {plain.Gauge(2, 3), "###"}, {fine.Gauge(-1, 2), "░░"}, {fine.Gauge(math.NaN(), 2), "░░"}, {fine.Gauge(1, 0), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
	for _, th := range []*Theme{fine, plain} {
		for _, line := range th.Box("groups", []string{"a", strings.Repeat("x", 40)}, 20, 5) {
			if Width(line) != 20 {
				t.Errorf("%q has %d cells", line, Width(line))
			}
		}
		if th.Box("groups", nil, 3, 5) != nil {
			t.Error("a box of 3 cells")
		}
	}
}

// TestThemes: every theme draws every role, and ASCII is ASCII.
func TestThemes(t *testing.T) {
	for _, name := range Themes() {
		th := theme(t, Options{Theme: name})
		for r := range roles {
			if got := th.Paint(r, "x"); Width(got) != 1 {
				t.Errorf("%s: role %d draws %q", name, r, got)
			}
		}
	}
	if _, err := NewTheme(Options{Theme: "neon"}); err == nil || !strings.Contains(err.Error(), "solarized") {
		t.Errorf("an unknown theme: %v", err)
	}
	th := theme(t, Options{ASCII: true})
	all := th.Rule(3) + th.Plain("a–µ…é") + strings.Join(th.Box("t", []string{"x"}, 20, 3), "")
	for s := range signs {
		all += th.Sign(s)
	}
	for _, r := range all {
		if r > '~' {
			t.Errorf("%q is not ASCII", r)
		}
	}
}
