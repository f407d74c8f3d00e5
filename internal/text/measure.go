package text

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"oxymoq/internal/latency"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// Stats says how the arrivals of each track are reported at the end.
type Stats uint8

// The forms of a report.
const (
	StatsOff  Stats = iota
	StatsText       // a few lines
	StatsJSON       // one line with the member "report"
)

// ParseStats reads the value of a flag. "auto" is json after JSON, and otherwise
// off.
func ParseStats(name, format string) (Stats, error) {
	switch name {
	case "auto":
		if format == "json" {
			return StatsJSON, nil
		}
		return StatsOff, nil
	case "off":
		return StatsOff, nil
	case "text":
		return StatsText, nil
	case "json":
		return StatsJSON, nil
	}
	return StatsOff, fmt.Errorf("-stats %q is not known; use auto, off, text or json", name)
}

// MaxReports is of how many tracks there are reports at most; the first ones that
// were asked for or published.
const MaxReports = 64

// measures are those of all tracks.
type measures struct {
	stats   Stats
	watched bool // somebody may ask at any time

	mu   sync.Mutex
	all  map[string]*measure // that have a report
	list []*measure          // the same in the order in which they began
	full bool
}

// of returns the measure of a track, which is the same each time if there is a
// report.
func (m *measures) of(track model.FullTrackName) *measure {
	m.mu.Lock()
	defer m.mu.Unlock()
	if one := m.all[track.Key()]; one != nil {
		return one
	}
	one := &measure{track: track, report: (m.stats != StatsOff || m.watched) && len(m.list) < MaxReports}
	if !one.report {
		m.full = m.stats != StatsOff
		return one
	}
	if m.all == nil {
		m.all = map[string]*measure{}
	}
	m.all[track.Key()] = one
	m.list = append(m.list, one)
	return one
}

// describe fills in what the tracks have to say of themselves.
func (m *measures) describe(st *Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, one := range m.list {
		one.describe(st, i == 0)
	}
}

// report returns the reports on all tracks, and whether there were more tracks.
// Those that are not over were awaited until now, unless all are complete.
func (m *measures) report(now time.Time, complete bool) (b []byte, full bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.list {
		if r, ok := one.finish(complete, now); ok {
			b = m.stats.append(b, one.track, r)
		}
	}
	return b, m.full
}

// append appends one report.
func (s Stats) append(b []byte, track model.FullTrackName, r latency.Report) []byte {
	if s == StatsText {
		b = append(b, describe(track)...)
		b = append(b, '\n')
		for l := range strings.Lines(r.Text()) {
			b = append(b, "  "...)
			b = append(b, l...)
		}
		return b
	}
	line := struct {
		Report struct {
			trackLine
			latency.Report
		} `json:"report"`
	}{}
	line.Report.trackLine, line.Report.Report = nameLine(track), r
	return appendLine(b, &line)
}

// measure is what is known of how one track arrives. Its methods may be called
// from any goroutine.
type measure struct {
	track  model.FullTrackName
	report bool

	mu     sync.Mutex
	rec    *latency.Recorder         // nil before the track was asked for, or without report
	past   model.Opt[model.Location] // the last that was published before
	known  bool                      // past is
	before time.Time                 // when the object before came; zero: there was none
	over   bool                      // nothing more is awaited
	sent   time.Time                 // when the request was made that counts
	answer model.Opt[time.Duration]  // how long that took
	lag    model.Opt[time.Duration]  // of the newest object
	clock  clock
}

// asked notes that the track is asked for, the first time counts, or was
// published to us.
func (m *measure) asked(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.report && m.rec == nil {
		m.rec = latency.New(latency.Options{Subscribed: now})
		m.sent = now
	}
}

// offered notes what was published when the track was accepted. What a later
// subscription has missed is not of the past, nor is what a publisher sends that
// began anew.
func (m *measure) offered(o session.Offer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.known {
		m.past, m.known = o.Largest, true
		if !m.sent.IsZero() {
			m.answer = model.Some(time.Since(m.sent))
		}
	}
	if last, some := m.past.Get(); some && (!o.Largest.Set || o.Largest.Value.Less(last)) {
		m.past = model.Opt[model.Location]{}
	}
}

// fetched notes that all that comes is of the past.
func (m *measure) fetched() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.past, m.known = model.Some(model.Forever), true
}

// take completes what is shown of an object.
func (m *measure) take(a *Arrival) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.before.IsZero() {
		a.Since = model.Some(a.At.Sub(m.before))
	}
	m.before = a.At
	last, some := m.past.Get()
	a.Past = some && !last.Less(a.Location)
	a.times = m.clock.read(&a.Object)
	if late, ok := a.Latency(); ok && !a.Past {
		m.lag = model.Some(late)
	}
}

// describe adds what is known to a Status, of the first track also what cannot be
// added up.
func (m *measure) describe(st *Status, first bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rec == nil {
		return
	}
	b := m.rec.Brief()
	st.Objects, st.Bytes, st.Gaps = st.Objects+b.Objects, st.Bytes+b.Bytes, st.Gaps+b.Gaps
	if !first {
		return
	}
	if m.answer.Set {
		st.Answer = new(m.answer.Value)
	}
	if m.lag.Set {
		st.Lag = new(m.lag.Value)
	}
	st.First, st.Jitter = fromMillis(b.Join), fromMillis(b.Jitter)
}

func fromMillis(ms *float64) *time.Duration {
	if ms == nil {
		return nil
	}
	return new(time.Duration(*ms * float64(time.Millisecond)))
}

// count puts an object that was shown into the report.
func (m *measure) count(a *Arrival) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.over = false
	if m.rec == nil {
		return
	}
	m.rec.Observe(latency.Arrival{
		At: a.At, Captured: a.captured, Media: a.media.Value, HasMedia: a.media.Set,
		Group: a.Group, Object: a.Location.Object, Size: len(a.Payload), Key: a.key, Past: a.Past,
	})
}

// gap counts what was given up, from the first missing location to the first
// that is not.
func (m *measure) gap(from, to model.Location) {
	var n uint64
	if from.Group == to.Group {
		n = to.Object - from.Object
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rec != nil {
		m.rec.Gap(n, 0)
	}
}

// end notes that nothing more is awaited: because the track is complete, or
// because it is left now.
func (m *measure) end(complete bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !complete && !m.over && m.rec != nil {
		m.rec.Until(now)
	}
	m.over = true
}

// finish returns the report.
func (m *measure) finish(complete bool, now time.Time) (latency.Report, bool) {
	m.end(complete, now)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rec == nil {
		return latency.Report{}, false
	}
	return m.rec.Report(), true
}

// millis is a time in milliseconds, to the microsecond.
func millis(d time.Duration) float64 { return float64(d.Round(time.Microsecond)) / 1e6 }

// appendLine appends a value as a line of JSON.
func appendLine(b []byte, v any) []byte {
	out := bytes.NewBuffer(b)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // it has nothing that JSON has no form for
	}
	return out.Bytes()
}
