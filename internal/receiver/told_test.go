package receiver

import (
	"strings"
	"testing"
	"time"

	"oxymoq/pkg/media/packaging"
)

// TestProgress is told from time to time.
func TestProgress(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		inWorld(t, func(t *testing.T, w *world) {
			var shown screen
			p := w.publish(packaging.MoQMi, both...)
			w.direct(p)
			r := w.launch(func(r *Receiver) {
				r.Progress = &Progress{Every: time.Second, JSON: asJSON, Out: &shown}
			})
			p.run(1500 * time.Millisecond)
			r.end()
			lines := strings.Split(strings.TrimSpace(shown.String()), "\n")
			want := "moqflvreceiver  video0 group=946684800000 obj=24 lag=0ms gaps=0 late=0  audio0 group=946684800049 obj=0 lag=0ms gaps=0 late=0  buffer="
			if asJSON {
				want = `"tracks":[{"track":"video0","kind":"video","packaging":"moqmi","state":"receiving","group":946684800000,"object":24,"lag_ms":0,"objects":25,"broken":0,"written":25,`
			}
			if len(lines) != 1 || !strings.Contains(lines[0], want) {
				t.Errorf("%s\nwant %s", strings.Join(lines, "\n"), want)
			}
		})
	}
}

// TestProgressOfAScreen has more, and is told of the end.
func TestProgressOfAScreen(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var told []*Status
		p := w.publish(packaging.MoQMi, both...)
		w.direct(p)
		r := w.launch(func(r *Receiver) {
			r.Progress = &Progress{Every: time.Second, To: func(st *Status) { told = append(told, st) }}
		})
		p.run(1500 * time.Millisecond)
		r.end()
		if len(told) != 2 {
			t.Fatalf("told %d times", len(told))
		}
		st := told[0]
		if v := st.Tracks[0]; !st.Connected || st.Protocol == "" || st.FirstPicture == nil || !v.Receiving || v.In == 0 || v.Held != 0 || v.Freezes != 0 {
			t.Errorf("%+v", st)
		}
		if told[1].Written <= st.Written || told[1].Connected {
			t.Errorf("at the end %+v", told[1])
		}
	})
}

// TestTextReport is for people.
func TestTextReport(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.publish(packaging.MoQMi, both...)
		w.direct(p)
		r := w.launch(nil)
		r.Stats.JSON = false
		p.run(time.Second)
		p.end()
		r.result("")
		for _, want := range []string{
			"video0 (video, moqmi): 25 written, 0 gaps,", "  latency ", "first picture after 0.0 ms", "of media, A/V skew -20 ms at the end; 0 dropped",
		} {
			if !strings.Contains(r.told.String(), want) {
				t.Errorf("the report does not have %q:\n%s", want, r.told.String())
			}
		}
	})
}
