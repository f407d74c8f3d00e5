package text

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"oxymoq/internal/date"
	"oxymoq/internal/latency"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
)

func TestParseStats(t *testing.T) {
	for _, tt := range []struct {
		name, format string
		want         Stats
	}{
		{"auto", "text", StatsOff}, {"auto", "json", StatsJSON}, {"auto", "raw", StatsOff},
		{"off", "json", StatsOff}, {"text", "json", StatsText}, {"json", "raw", StatsJSON},
	} {
		got, err := ParseStats(tt.name, tt.format)
		testkit.NoErr(t, err)
		testkit.Equal(t, got, tt.want)
	}
	if _, err := ParseStats("yes", "text"); err == nil || !strings.Contains(err.Error(), "auto, off, text or json") {
		t.Error(err)
	}
}

// heard is what a program with JSON and a report has printed.
type heard struct {
	lines   []line
	reports map[string]latency.Report // by name of the track
}

func (p *program) heard() (h heard) {
	p.t.Helper()
	synctest.Wait()
	h.reports = map[string]latency.Report{}
	for text := range strings.Lines(p.out.take()) {
		var l struct {
			line
			Report *struct {
				trackLine
				latency.Report
			}
		}
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			p.t.Fatalf("%v: %s", err, text)
		}
		switch {
		case l.Report != nil:
			h.reports[l.Report.Track] = l.Report.Report
		case len(h.reports) > 0:
			p.t.Errorf("after the report comes %s", text)
		default:
			h.lines = append(h.lines, l.line)
		}
	}
	return h
}

// measured launches a program that prints JSON with a report.
func (w *world) measured(set func(*Client)) *program {
	return w.launch(func(c *Client) {
		c.Format, c.Stats = JSON, StatsJSON
		if set != nil {
			set(c)
		}
	})
}

// TestReportOfTheDate: an object a second, of which nothing says when it was
// captured; then none for ten seconds.
func TestReportOfTheDate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		w.date(date.StreamPerGroup).Serve(mux)
		w.open(direct(mux))
		until(7)
		p := w.measured(nil)
		until(27)
		got := p.heard()
		testkit.Equal(t, len(got.lines), 29)
		for i, l := range got.lines {
			want := line{
				trackLine: l.trackLine, Group: 15778080, Subgroup: new(uint64(0)), Object: uint64(i), Status: "normal",
				Priority: l.Priority, Past: i < 9, Payload: l.Payload, Size: len(*l.Payload), Arrival: l.Arrival,
			}
			switch at, err := time.Parse(time.RFC3339Nano, l.Arrival); {
			case err != nil:
				t.Error(err)
			case i >= 9: // live
				testkit.Equal(t, at.Unix(), int64(946684800+i-1))
				want.Since = new(1000.0)
			}
			if i < 10 {
				want.Since = l.Since
			}
			testkit.Equal(t, l, want, cmp.AllowUnexported(line{}))
		}
		p.end()
		r := p.heard().reports[date.Name]
		testkit.Equal(t, r.Objects, uint64(29))
		testkit.Equal(t, r.Past, uint64(9))
		testkit.Equal(t, *r.Interval, latency.Percentiles{Count: 19, Min: 1000, P50: 1000, P95: 1000, P99: 1000, Max: 1000})
		testkit.Equal(t, r.Freezes, latency.Freezes{Threshold: new(3000.0)})
		testkit.Equal(t, r.JitterFrom, latency.FromInterval)
		if r.Latency != nil || r.Join == nil || *r.Join != 0 || r.Gaps != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// TestReportOfAnOutage: what is missed comes after, and the silence is a freeze,
// also one that lasts until the end.
func TestReportOfAnOutage(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		w.date(date.StreamPerGroup).Serve(mux)
		w.open(direct(mux))
		p := w.measured(nil)
		until(10)
		w.kill()
		until(20)
		w.open(direct(mux))
		until(40)
		w.kill()
		until(50)
		p.end()
		r := p.heard().reports[date.Name]
		testkit.Equal(t, r.Objects, uint64(42))
		testkit.Equal(t, r.Gaps, uint64(0))
		if f := r.Freezes; f.Count != 2 || f.Longest < 10000 || f.Longest > 20000 || f.Total < f.Longest+10000 {
			t.Errorf("%+v", f)
		}
	})
}

// TestReportInText goes where the log goes, and names the track.
func TestReportInText(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		w.date(date.StreamPerGroup).Serve(mux)
		w.open(direct(mux))
		until(1)
		var report screen
		p := w.launch(func(c *Client) { c.Stats, c.Report, c.Count = StatsText, &report, 12 })
		p.result("all have come", "")
		p.want("only objects", seconds(0, 10))
		want := "track \"date\" of namespace \"moq-date\"\n  objects   12 in 8.5 s, 29 bytes; 3 published before\n  join      first object after 0.0 ms\n"
		if got := report.take(); !strings.HasPrefix(got, want) || !strings.Contains(got, "  freezes   0 above 3000 ms") {
			t.Errorf("%s\nwant %s", got, want)
		}
	})
}

// TestReportOfEachTrack that was published, and only of those that came to an
// end until then.
func TestReportOfEachTrack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := newOffering("x", "y")
		w.open(direct(o))
		p := w.measured(func(c *Client) { c.Way, c.Track.Name, c.ExitOn.End = Publishes, "", true })
		for i := range uint64(10) {
			time.Sleep(100 * time.Millisecond)
			write(o.tracks[0].Log, 2+i, 0, "x1")
			write(o.tracks[1].Log, 2+i, 0, "y1")
		}
		time.Sleep(moqt.DefaultPatience)
		o.tracks[0].Log.End(model.DoneTrackEnded, "")
		time.Sleep(time.Minute)
		o.tracks[1].Log.End(model.DoneTrackEnded, "")
		p.result("both have ended", "")
		r := p.heard().reports
		testkit.Equal(t, len(r), 2)
		for name, one := range r {
			testkit.Equal(t, one.Objects, uint64(11))
			testkit.Equal(t, one.Freezes.Count, uint64(0))
			if one.Interval.P50 < 100 || one.Interval.P50 > 101 {
				t.Errorf("%s: %+v", name, one.Interval)
			}
		}
	})
}

// TestReportOfAFetch: all of it is of the past.
func TestReportOfAFetch(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		muxed(mux, 7, "a", "b")
		w.open(direct(mux))
		p := w.measured(func(c *Client) { c.Way, c.Span = Fetch, mustSpan("7", "", "") })
		p.result("fetched", "")
		got := p.heard()
		testkit.Equal(t, len(got.lines), 2)
		r := got.reports[date.Name]
		testkit.Equal(t, r.Objects, uint64(2))
		testkit.Equal(t, r.Past, uint64(2))
	})
}

// TestCaptured: an object that says when it was captured is shown with its
// latency, and counts.
func TestCaptured(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		w.open(direct(mux))
		out, err := mux.PublishTrack(t.Context(), dateTrack)
		testkit.NoErr(t, err)
		g, err := out.AppendGroup()
		testkit.NoErr(t, err)
		p := w.measured(nil)
		const n = 20
		for i := range n {
			captured := time.Now()
			time.Sleep(time.Duration(i+1) * time.Millisecond)
			f := moqt.NewFrame(0)
			f.SetProperties(model.Properties{{Type: locTimestamp, Int: uint64(captured.UnixMicro())}})
			testkit.NoErr(t, g.WriteFrame(f))
			synctest.Wait()
		}
		p.end()
		got := p.heard()
		for i, l := range got.lines {
			if l.Latency == nil || *l.Latency != float64(i+1) || l.Captured == "" {
				t.Errorf("%+v", l)
			}
		}
		r := got.reports[date.Name]
		testkit.Equal(t, *r.Latency, latency.Percentiles{Count: n, Min: 1, P50: r.Latency.P50, P95: r.Latency.P95, P99: 20, Max: 20})
		if r.Latency.P50 < 10 || r.Latency.P50 > 11 || r.ClockSkewed || r.JitterFrom != latency.FromCapture {
			t.Errorf("%+v, latency %+v", r, r.Latency)
		}
	})
}

// TestArrivalOfWhatWasHeldBack: the time is that when an object came, although it
// had to wait for another.
func TestArrivalOfWhatWasHeldBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		log := muxed(mux, 7, "a")
		w.open(direct(mux))
		p := w.measured(nil)
		time.Sleep(10 * time.Millisecond)
		write(log, 7, 2, "c")
		synctest.Wait()
		time.Sleep(20 * time.Millisecond)
		write(log, 7, 1, "b")
		synctest.Wait()
		p.end()
		var since []string
		for _, l := range p.heard().lines {
			if l.Since != nil {
				since = append(since, fmt.Sprint(*l.Payload, *l.Since))
			}
		}
		testkit.Equal(t, since, []string{"b30", "c-20"})
	})
}

// TestGapsAreCounted of which nobody has the objects.
func TestGapsAreCounted(t *testing.T) {
	m := measure{report: true}
	m.gap(model.Location{}, model.Location{Object: 5}) // before it was asked for
	m.asked(time.Now())
	m.gap(model.Location{Group: 7, Object: 2}, model.Location{Group: 7, Object: 5})
	m.gap(model.Location{Group: 7, Object: 9}, model.Location{Group: 8})
	r, ok := m.finish(true, time.Now())
	if !ok || r.Gaps != 2 || r.Lost != 3 || r.GapsUnknown != 1 {
		t.Errorf("%+v", r)
	}
}

// TestPast: what is of the past, after one and after two subscriptions.
func TestPast(t *testing.T) {
	offer := func(largest model.Opt[model.Location]) session.Offer { return session.Offer{Largest: largest} }
	none := model.Opt[model.Location]{}
	for _, tt := range []struct {
		name   string
		offers []model.Opt[model.Location]
		o      model.Location
		want   bool
	}{
		{"before", []model.Opt[model.Location]{at(7, 3)}, at(7, 3).Value, true},
		{"after", []model.Opt[model.Location]{at(7, 3)}, at(7, 4).Value, false},
		{"nothing was there", []model.Opt[model.Location]{none}, at(0, 0).Value, false},
		{"missed between two", []model.Opt[model.Location]{at(7, 3), at(8, 0)}, at(7, 9).Value, false},
		{"still before the first", []model.Opt[model.Location]{at(7, 3), at(8, 0)}, at(7, 1).Value, true},
		{"the track began anew", []model.Opt[model.Location]{at(7, 3), at(1, 0)}, at(0, 0).Value, false},
		{"and is empty", []model.Opt[model.Location]{at(7, 3), none}, at(0, 0).Value, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var m measure
			for _, o := range tt.offers {
				m.offered(offer(o))
			}
			a := &Arrival{Object: model.Object{Location: tt.o}}
			m.take(a)
			testkit.Equal(t, a.Past, tt.want)
		})
	}
}

// TestReportsAreBounded: of many tracks the first ones have a report.
func TestReportsAreBounded(t *testing.T) {
	m := measures{stats: StatsJSON}
	for i := range MaxReports + 3 {
		one := m.of(model.FullTrackName{Name: fmt.Sprint(i)})
		one.asked(time.Now())
		one.count(&Arrival{})
		testkit.Equal(t, one.report, i < MaxReports)
	}
	if m.of(model.FullTrackName{Name: "3"}) != m.list[3] {
		t.Error("a track that comes again has another report")
	}
	b, full := m.report(time.Now(), false)
	testkit.Equal(t, full, true)
	testkit.Equal(t, strings.Count(string(b), "\n"), MaxReports)
}

// TestReportAfterTheReaderHasStopped reading, and after it has gone.
func TestReportAfterTheReaderHasStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &blocked{let: make(chan struct{})}
		ctx, stop := context.WithCancelCause(t.Context())
		o := NewOutput(ctx, w, Plain, 1, stop)
		show(o, "first")
		show(o, "not wanted")
		o.Finish([]byte("report\n"))
		close(w.let)
		testkit.NoErr(t, o.Close(ctx))
		testkit.Equal(t, w.take(), "first\nreport\n")
	})
}
