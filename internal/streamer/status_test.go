package streamer

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/testkit"
)

// TestLine is what people see.
func TestLine(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 1, 7, 0, time.UTC)
	half := 47.4
	track := TrackStatus{Name: "video0", Groups: 41, Objects: 1203, Object: 27, Bytes: 400_000, Subscribers: 2}
	for _, tt := range []struct {
		name   string
		st     Status
		before Status
		want   string
	}{
		{"nothing yet", Status{Time: at}, Status{}, "12:01:07 moqflvstreamer 00:00:00 not connected"},
		{"a file", Status{Time: at, Media: 3725.2, Percent: &half, Lag: 3.4, Dropped: 5, Connected: true, Tracks: []TrackStatus{track, {Name: "audio0", Bytes: 16_000}}},
			Status{Time: at.Add(-time.Second), Media: 3724.2, Tracks: []TrackStatus{{Name: "video0", Bytes: 100_000}}},
			"12:01:07 moqflvstreamer 01:02:05 47% | video0 groups=41 obj=27 2.40Mb/s subs=2 | audio0 groups=0 obj=0 128kb/s subs=0 | lag=3ms dropped=5 pace=1.00x"},
		{"a clock that stands", Status{Time: at, Connected: true, Tracks: []TrackStatus{track}}, Status{Time: at},
			"12:01:07 moqflvstreamer 00:00:00 | video0 groups=41 obj=27 0kb/s subs=2 | lag=0ms dropped=0 pace=0.00x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.st.since(tt.before)
			testkit.Equal(t, tt.st.Line(), tt.want)
		})
	}
	st := Status{Media: 61, Dropped: 2, Tracks: []TrackStatus{track, {Name: "audio0", Objects: 9, Groups: 3, Bytes: 1234}}}
	testkit.Equal(t, st.Summary(), "published 00:01:01: video0 1203 objects in 41 groups, 0.4 MB, audio0 9 objects in 3 groups, 0.0 MB; 2 dropped")
}

// TestProgress: as many lines as asked for, and a last word.
func TestProgress(t *testing.T) {
	for _, tt := range []struct {
		name     string
		p        Progress
		out, log []string // what stands in each line
	}{
		{"lines", Progress{Every: time.Second}, []string{"00:00:01 | video0 groups=3", "00:00:01 | video0 groups=5"}, []string{"published 00:00:01: video0 50 objects in 5 groups"}},
		{"none", Progress{}, nil, []string{"published 00:00:01"}},
		{"JSON", Progress{Every: time.Second, JSON: true}, []string{`"done":false`, `"done":false`, `"done":true`}, []string{"published 00:00:01"}},
		{"JSON, the last line only", Progress{JSON: true}, []string{`"done":true`}, []string{"published 00:00:01"}},
		{"in place", Progress{Every: time.Second, InPlace: true}, []string{"\r" + cutLines, "\r" + cutLines, "\r" + clearRest}, []string{"published 00:00:01"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				var out, said bytes.Buffer
				tt.p.Out = &out
				s := w.streamer(bytes.NewReader(flvOf(t, clip(small, 0, 2*time.Second))))
				began := time.Now()
				ctx, stop := context.WithCancel(w.ctx)
				shown := make(chan struct{})
				over := w.run(s)
				<-time.After(7 * ms) // no line comes together with a sample
				go func() {
					defer close(shown)
					tt.p.Run(ctx, s)
				}()
				testkit.NoErr(t, <-over)
				stop()
				<-shown
				tt.p.Finish(s, began, slog.New(slog.NewTextHandler(&said, nil)))
				lines := strings.SplitAfter(out.String(), "\n")
				if tt.p.InPlace {
					lines = strings.Split(strings.ReplaceAll(out.String(), wrapLines+"\r\r", wrapLines+"\n\r"), "\n")
				}
				check(t, lines, tt.out)
				check(t, strings.SplitAfter(said.String(), "\n"), tt.log)
				if tt.p.JSON {
					for line := range strings.Lines(out.String()) {
						var st Status
						testkit.NoErr(t, json.Unmarshal([]byte(line), &st))
					}
				}
			})
		})
	}
}

func check(t *testing.T, got, want []string) {
	t.Helper()
	if n := len(got); n > 0 && got[n-1] == "" {
		got = got[:n-1]
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d: %q", len(got), len(want), got)
	}
	for i, w := range want {
		if !strings.Contains(got[i], w) {
			t.Errorf("line %d is %q, want %q in it", i, got[i], w)
		}
	}
}

func TestTerminal(t *testing.T) {
	file := testkit.Must(os.CreateTemp(t.TempDir(), "x"))(t)
	defer file.Close()
	for _, w := range []*os.File{file} {
		if Terminal(w) {
			t.Error("a file is a terminal")
		}
	}
	if Terminal(&bytes.Buffer{}) {
		t.Error("a buffer is a terminal")
	}
}
