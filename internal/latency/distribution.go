package latency

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// What a distribution can tell apart.
const (
	// digits is how many decimal digits of a time are kept.
	digits = 3
	// furthest is the longest time that is told from longer ones.
	furthest = 24 * time.Hour
)

// distribution counts times, also negative ones, in microseconds. Its zero value
// is empty. Its memory is bounded by furthest and digits, at about half a
// megabyte, and in practice a few kilobytes.
type distribution struct {
	above, below *hdrhistogram.PackedHistogram // what is at least zero, and what is less without its sign
	min, max     time.Duration                 // exactly
	n            uint64
}

func (d *distribution) record(t time.Duration) {
	if d.n == 0 {
		d.min, d.max = t, t
	}
	d.n++
	d.min, d.max = min(d.min, t), max(d.max, t)
	side, t := &d.above, max(-furthest, min(t, furthest))
	if t < 0 {
		side, t = &d.below, -t
	}
	if *side == nil {
		*side = hdrhistogram.NewPacked(1, furthest.Microseconds(), digits)
	}
	if err := (*side).RecordValue(t.Microseconds()); err != nil {
		panic(err) // it is in the range
	}
}

// at returns the time that percent of all do not exceed.
func (d *distribution) at(percent float64) time.Duration {
	if d.n == 0 {
		return 0
	}
	rank := min(max(int64(percent/100*float64(d.n)+0.5), 1), int64(d.n))
	var t time.Duration
	if less := count(d.below); rank <= less {
		t = -ranked(d.below, less-rank+1)
	} else {
		t = ranked(d.above, rank-less)
	}
	// The histogram knows the bounds of a bucket, we know those of all.
	return max(d.min, min(t, d.max))
}

// ranked returns the time that has a rank, from 1 on.
func ranked(h *hdrhistogram.PackedHistogram, rank int64) time.Duration {
	return time.Duration(h.ValueAtPercentile(100*float64(rank)/float64(h.TotalCount()))) * time.Microsecond
}

func count(h *hdrhistogram.PackedHistogram) int64 {
	if h == nil {
		return 0
	}
	return h.TotalCount()
}

// percentiles returns the distribution of the times less what is given; nil if
// there are none.
func (d *distribution) percentiles(less time.Duration) *Percentiles {
	if d.n == 0 {
		return nil
	}
	return &Percentiles{
		Count: d.n, Min: millis(d.min - less), P50: millis(d.at(50) - less), P95: millis(d.at(95) - less),
		P99: millis(d.at(99) - less), Max: millis(d.max - less),
	}
}
