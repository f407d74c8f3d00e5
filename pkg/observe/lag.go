package observe

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// Delays counts how long objects stayed: from their arrival to the hand-over to
// the transport. It has a bucket for each eighth of a power of two from a
// microsecond to two minutes, so that a percentile is right to one part in
// eight. Adding to it allocates nothing and takes no lock.
type Delays struct {
	buckets [delayBuckets]atomic.Uint64
	longest atomic.Int64 // nanoseconds
}

const (
	delaySteps   = 8  // buckets to a power of two; below 8 µs one to a microsecond
	delayPowers  = 25 // up to 2^27 µs, which are 134 s; longer ones are in the last bucket
	delayBuckets = delayPowers * delaySteps
)

// delayBucket returns the bucket of a delay.
func delayBucket(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	if us < delaySteps {
		return int(us)
	}
	power := bits.Len64(us) - 1 // at least 3
	step := us >> (power - 3) & (delaySteps - 1)
	return min((power-2)*delaySteps+int(step), delayBuckets-1)
}

// delayEnd returns the upper end of a bucket, which is not part of it.
func delayEnd(bucket int) time.Duration {
	if bucket < delaySteps {
		return time.Duration(bucket+1) * time.Microsecond
	}
	power, step := bucket/delaySteps+2, bucket%delaySteps
	return time.Duration((delaySteps+step+1)<<(power-3)) * time.Microsecond
}

// Add counts n objects that stayed for d.
func (h *Delays) Add(d time.Duration, n uint64) {
	h.buckets[delayBucket(d)].Add(n)
	for {
		m := h.longest.Load()
		if int64(d) <= m || h.longest.CompareAndSwap(m, int64(d)) {
			return
		}
	}
}

// spreadSteps is into how many parts AddSpread divides objects at most.
const spreadSteps = 8

// AddSpread counts n objects that were handed over at once and had come one
// after the other, the first of them longest ago, the last shortest. Those in
// between are taken to have come evenly.
func (h *Delays) AddSpread(longest, shortest time.Duration, n uint64) {
	if n <= 1 || delayBucket(longest) == delayBucket(shortest) {
		if n > 0 {
			h.Add(longest, n)
		}
		return
	}
	steps := min(n, spreadSteps)
	for i, done := uint64(0), uint64(0); i < steps; i++ {
		upTo := n * (i + 1) / steps
		h.Add(longest-(longest-shortest)/time.Duration(steps-1)*time.Duration(i), upTo-done)
		done = upTo
	}
}

// Counts are a copy of Delays. The zero value counts nothing.
type Counts struct {
	buckets [delayBuckets]uint64
	longest time.Duration
}

// Counts returns a copy.
func (h *Delays) Counts() (c Counts) {
	h.copyTo(&c)
	return c
}

func (h *Delays) copyTo(c *Counts) {
	for i := range h.buckets {
		c.buckets[i] = h.buckets[i].Load()
	}
	c.longest = time.Duration(h.longest.Load())
}

// Merge adds what o counts.
func (c *Counts) Merge(o *Counts) {
	for i, n := range o.buckets {
		c.buckets[i] += n
	}
	c.longest = max(c.longest, o.longest)
}

// Since returns what was counted after the copy o of the same Delays was made.
func (c *Counts) Since(o *Counts) (d Counts) {
	for i, n := range o.buckets {
		if d.buckets[i] = c.buckets[i] - min(n, c.buckets[i]); d.buckets[i] > 0 {
			d.longest = min(delayEnd(i), c.longest)
		}
	}
	if d.buckets[delayBuckets-1] > 0 {
		d.longest = c.longest
	}
	return d
}

// Lag are the percentiles of delays. Without objects it is zero.
type Lag struct {
	Objects uint64        `json:"objects"`
	P50     time.Duration `json:"p50_ns"`
	P95     time.Duration `json:"p95_ns"`
	P99     time.Duration `json:"p99_ns"`
	Max     time.Duration `json:"max_ns"` // right to one part in eight, as the others
}

// Lag returns the percentiles, each the upper end of the bucket in which it lies.
func (c *Counts) Lag() (l Lag) {
	for _, n := range c.buckets {
		l.Objects += n
	}
	if l.Objects == 0 {
		return Lag{}
	}
	l.Max = c.longest
	marks := [...]struct {
		percent uint64
		to      *time.Duration
	}{{50, &l.P50}, {95, &l.P95}, {99, &l.P99}}
	next, seen := 0, uint64(0)
	for i, n := range c.buckets {
		seen += n
		for next < len(marks) && n > 0 && seen >= share(l.Objects, marks[next].percent) {
			*marks[next].to = min(delayEnd(i), c.longest)
			if i == delayBuckets-1 {
				*marks[next].to = c.longest
			}
			next++
		}
	}
	return l
}

// share returns so many percent of n, rounded up, without overflow.
func share(n, percent uint64) uint64 { return n/100*percent + (n%100*percent+99)/100 }

// Histogram is what Prometheus makes of delays: buckets at fixed bounds, which
// are powers of two so that no count is a guess.
type Histogram struct {
	Buckets []Bucket `json:"buckets"` // by bound, ascending
	Count   uint64   `json:"count"`   // of all, longer ones than the last bound included
	// Sum is right to one part in sixteen: each delay is taken to be in the middle
	// of its bucket.
	Sum time.Duration `json:"sum_ns"`
}

// Bucket is how many objects stayed for less than a bound.
type Bucket struct {
	Below time.Duration `json:"below_ns"`
	Count uint64        `json:"count"` // also in all buckets that follow
}

// Bounds of a Histogram: from 2^8 µs, a quarter of a millisecond, to 2^26 µs,
// which is 67 s.
const (
	firstBound = 8
	lastBound  = 26
)

// Histogram returns the histogram.
func (c *Counts) Histogram() (h Histogram) {
	h.Buckets = make([]Bucket, 0, lastBound-firstBound+1)
	next, begin := firstBound, time.Duration(0)
	for i, n := range c.buckets {
		end := delayEnd(i)
		h.Count += n
		h.Sum += time.Duration(n) * ((begin + end) / 2)
		begin = end
		if bound := time.Microsecond << next; end == bound && next <= lastBound {
			h.Buckets = append(h.Buckets, Bucket{Below: bound, Count: h.Count})
			next++
		}
	}
	return h
}

// LagWindow is the time of which a Window tells at least, if it is asked often
// enough: after it what was counted before begins to be forgotten.
const LagWindow = 10 * time.Second

// Window tells the Lag of late: of the last LagWindow to twice that if it is
// asked often, or else since it was asked before. Its memory is its own, so that
// readers of any number cost the Delays nothing. The zero value is ready.
type Window struct {
	mu   sync.Mutex
	then *stamped // what is forgotten; nil: nothing
	next *stamped // what will be
	seen uint64   // how many objects there were when
	lag  Lag      // was computed
}

// stamped is a copy and when it was made.
type stamped struct {
	at     time.Time
	counts Counts
}

// Lag returns what was counted of late in d, which is the same at every call, at
// the time now.
func (w *Window) Lag(now time.Time, d *Delays) Lag {
	var c Counts
	d.copyTo(&c)
	return w.LagOf(now, &c)
}

// LagIfGrown is Lag for one who asks about much that stands still. objects is a
// counter that grows after d: while it does not, d is not read.
func (w *Window) LagIfGrown(now time.Time, d *Delays, objects uint64) Lag {
	w.mu.Lock()
	defer w.mu.Unlock()
	if objects == w.seen && (objects == 0 || !w.isOver(now)) {
		return w.lag
	}
	var c Counts
	d.copyTo(&c)
	w.seen, w.lag = objects, w.late(now, &c)
	return w.lag
}

// LagOf is Lag for a copy.
func (w *Window) LagOf(now time.Time, c *Counts) Lag {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.late(now, c)
}

func (w *Window) isOver(now time.Time) bool { return w.next == nil || now.Sub(w.next.at) >= LagWindow }

// late returns what was counted since what is forgotten. w.mu is held.
func (w *Window) late(now time.Time, c *Counts) Lag {
	if w.isOver(now) {
		w.then, w.next = w.next, &stamped{now, *c}
	}
	if w.then == nil {
		return c.Lag()
	}
	late := c.Since(&w.then.counts)
	return late.Lag()
}
