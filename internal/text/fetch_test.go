package text

import (
	"context"
	"sync"
	"testing"
	"time"

	"oxymoq/internal/date"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

func TestFetch(t *testing.T) {
	for _, tt := range []struct {
		name   string
		span   Span
		want   string
		result string
	}{
		{"a minute", mustSpan("15778081", "", "15778081"), seconds(60, 119), ""},
		{"from an object on", mustSpan("15778081", "59", "15778081"), "58|59", ""},
		{"up to now", mustSpan("15778081", "60", ""), "59|" + seconds(120, 127), ""},
		{"an end that has not come", mustSpan("15778082", "6", "15778090"), "5|6|7", ""},
		{"before there was anyone", mustSpan("0", "", "0"), "1970-01-01 00:00:|" + seconds(0, 59)[len("2000-01-01 00:00:|"):], ""},
		{"a start that has not come", mustSpan("15778090", "", ""), "", "its newest object is 15778082/8, before the start 15778090/0"},
		{"a range that has not come", mustSpan("15778090", "", "15778091"), "", "has no such range"},
	} {
		for _, through := range []string{"direct", "relay"} {
			t.Run(tt.name+" "+through, func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					pub := w.date(date.StreamPerGroup)
					mux := moqt.NewTrackMux()
					pub.Serve(mux)
					serve := direct(mux)
					if through == "relay" {
						_, serve = w.relayed(pub, false)
					}
					w.open(serve)
					until(127)
					p := w.launch(func(c *Client) { c.Way, c.Span = Fetch, tt.span })
					p.result("fetched", tt.result)
					p.want("fetched", tt.want)
				})
			})
		}
	}
}

func TestFetchOfATrackThatIsNot(t *testing.T) {
	for _, eg := range []string{"", "3"} {
		inWorld(t, func(t *testing.T, w *world) {
			w.open(direct(moqt.NewTrackMux()))
			p := w.launch(func(c *Client) { c.Way, c.Span = Fetch, mustSpan("3", "", eg) })
			p.result("refused", `has no track "date" of namespace "moq-date"`)
		})
	}
}

// halting serves fetches up to an object, then stops, once.
type halting struct {
	session.Refuse
	mu     sync.Mutex
	after  []uint64 // per fetch: the object after which it says no more
	cut    bool     // and the stream is reset then
	ranges []string
}

func (h *halting) Fetch(ctx context.Context, r *session.FetchRequest) {
	h.mu.Lock()
	h.ranges = append(h.ranges, r.Range.String())
	last := r.Range.End.Object
	halt := len(h.after) > 0
	if halt {
		last, h.after = h.after[0], h.after[1:]
	}
	h.mu.Unlock()
	st, enc, b, err := r.Open(ctx)
	if err != nil || r.Accept(session.FetchInfo{End: r.Range.End}) != nil {
		return
	}
	for id := r.Range.Start.Object; id <= min(last, 5); id++ {
		b, _ = enc.Append(b, wire.FetchItem{Location: model.Location{Group: 3, Object: id}, Priority: 128, PayloadLen: 1})
		b = append(b, '0'+byte(id))
	}
	_, _ = st.Write(b)
	st.SetReliableBoundary()
	switch {
	case halt && h.cut:
		st.CancelWrite(uint64(model.ResetInternalError))
		r.Finish()
	case halt:
		<-ctx.Done()
	default:
		_ = st.Close()
		r.Finish()
	}
}

func TestFetchGoesOn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cut    bool
		after  []uint64
		lose   bool
		want   string
		ranges []string
		result string
	}{
		{"on the next session", false, []uint64{2}, true, "0|1|2|3|4|5", []string{"3/0..3/*", "3/3..3/*"}, ""},
		{"when the stream was cut", true, []uint64{2}, false, "0|1|2|3|4|5", []string{"3/0..3/*", "3/3..3/*"}, ""},
		{"unless it gets nowhere", true, []uint64{2, 2}, false, "0|1|2", []string{"3/0..3/*", "3/3..3/*"}, "broke off at 3/3"},
		{"when nothing comes", false, []uint64{2}, false, "0|1|2|3|4|5", []string{"3/0..3/*", "3/3..3/*"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				h := &halting{after: tt.after, cut: tt.cut}
				w.open(direct(h))
				p := w.launch(func(c *Client) { c.Way, c.Span = Fetch, mustSpan("3", "", "3") })
				if tt.lose {
					w.kill()
					w.open(direct(h))
				}
				p.result("in the end", tt.result)
				p.want("each once", tt.want)
				testkit.Equal(t, h.ranges, tt.ranges)
			})
		})
	}
}

func TestFetchIsStopped(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.open(direct(&halting{after: []uint64{2}}))
		p := w.launch(func(c *Client) { c.Way, c.Span = Fetch, mustSpan("3", "", "3") })
		began := time.Now()
		p.end()
		if d := time.Since(began); d > 0 {
			t.Errorf("it took %v to stop", d)
		}
		p.want("what had come", "0|1|2")
	})
}
