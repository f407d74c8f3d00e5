package latency

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Report is what a Recorder has counted. All times are milliseconds; what is not
// known is nil.
type Report struct {
	Objects  uint64  `json:"objects"`
	Past     uint64  `json:"past"` // of them were published before the track was asked for
	Bytes    uint64  `json:"bytes"`
	Duration float64 `json:"duration_ms"` // from the first arrival to the last

	Join    *float64 `json:"join_ms,omitempty"`     // from asking to the first object
	JoinKey *float64 `json:"join_key_ms,omitempty"` // and to the first where decoding can begin

	// Latency is from capture to arrival, as far as the two clocks agree;
	// ClockSkewed says that they do not: something came before it was captured.
	// AboveFastest is the same relative to the object that took least, which
	// needs no common clock.
	Latency      *Percentiles `json:"latency_ms,omitempty"`
	AboveFastest *Percentiles `json:"latency_above_fastest_ms,omitempty"`
	ClockSkewed  bool         `json:"clock_skewed"`

	// Interval is from one arrival to the next. Jitter is that of RFC 3550
	// section 6.4.1, and JitterFrom what the intervals were compared with.
	Interval   *Percentiles `json:"interval_ms,omitempty"`
	Jitter     *float64     `json:"jitter_ms,omitempty"`
	JitterFrom string       `json:"jitter_from,omitempty"`

	Gaps        uint64  `json:"gaps"`         // times that objects were given up
	GapsUnknown uint64  `json:"gaps_unknown"` // of them lost nobody knows how many
	Lost        uint64  `json:"lost"`         // objects in the others
	LostTime    float64 `json:"lost_ms"`      // how long they would have been shown, where that is known
	Late        uint64  `json:"late"`         // objects that came after they were given up
	OutOfOrder  uint64  `json:"out_of_order"` // objects that came otherwise than by location

	Freezes Freezes `json:"freezes"`
}

// Percentiles describe a distribution in milliseconds.
type Percentiles struct {
	Count uint64  `json:"count"`
	Min   float64 `json:"min"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// Freezes are the times without an object that were longer than Threshold, which
// is as of the end; nil if there were too few objects to know one.
type Freezes struct {
	Count     uint64   `json:"count"`
	Longest   float64  `json:"longest_ms"`
	Total     float64  `json:"total_ms"`
	Threshold *float64 `json:"threshold_ms,omitempty"`
}

// millis is a time in milliseconds, to the microsecond.
func millis(d time.Duration) float64 { return math.Round(float64(d)/1e3) / 1e3 }

// Text is the report for people, in a few lines.
func (r Report) Text() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s "+format+"\n", append([]any{name}, args...)...)
	}
	line("objects", "%d in %.1f s, %d bytes; %d published before", r.Objects, r.Duration/1e3, r.Bytes, r.Past)
	if r.Join != nil {
		key := ""
		if r.JoinKey != nil {
			key = fmt.Sprintf(", first key object after %.1f ms", *r.JoinKey)
		}
		line("join", "first object after %.1f ms%s", *r.Join, key)
	}
	if r.Latency != nil || r.Interval != nil {
		line("ms", "%9s %9s %9s %9s %9s", "min", "p50", "p95", "p99", "max")
	}
	row := func(name string, p *Percentiles, what string) {
		if p != nil {
			line(name, "%9.1f %9.1f %9.1f %9.1f %9.1f  %s", p.Min, p.P50, p.P95, p.P99, p.Max, what)
		}
	}
	skew := ""
	if r.ClockSkewed {
		skew = "; the clocks differ: see the next line"
	}
	row("latency", r.Latency, "from capture to arrival"+skew)
	row("", r.AboveFastest, "above the fastest")
	row("interval", r.Interval, "from arrival to arrival")
	if r.Jitter != nil {
		line("jitter", "%.1f ms by steps of %s", *r.Jitter, r.JitterFrom)
	}
	line("gaps", "%d, %d objects lost (%.0f ms), %d gaps of unknown size; %d late, %d out of order",
		r.Gaps, r.Lost, r.LostTime, r.GapsUnknown, r.Late, r.OutOfOrder)
	if t := r.Freezes.Threshold; t != nil {
		line("freezes", "%d above %.0f ms: longest %.0f ms, %.0f ms in all", r.Freezes.Count, *t, r.Freezes.Longest, r.Freezes.Total)
	}
	return b.String()
}
