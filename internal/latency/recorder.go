package latency

import (
	"sync"
	"time"
)

// Options are what is known of a track before its first object.
type Options struct {
	// Subscribed is when the track was asked for; zero if that is not known.
	Subscribed time.Time
	// FrameDuration is how long an object is shown; 0 if it is to be learned
	// from the objects.
	FrameDuration time.Duration
}

// Arrival is one object that came.
type Arrival struct {
	At            time.Time
	Captured      time.Time     // by the publisher's clock; zero if it is not said
	Media         time.Duration // when it is decoded, if HasMedia
	HasMedia      bool
	Group, Object uint64
	Size          int // of the payload, in bytes
	// Key says that decoding can begin here.
	Key bool
	// Past says that it was published before the track was asked for: how late
	// it is says nothing of the way. It counts for the join and in the sums.
	Past bool
	// Late says that it came after it was given up, and is not used. It counts
	// for the latency, but breaks no silence.
	Late bool
}

// Recorder counts the arrivals of one track. It may be told of them as they come
// or in order of their locations.
type Recorder struct {
	opts Options

	mu      sync.Mutex
	counted Report // the sums in it are kept, the rest is made by Report
	first   time.Time
	latest  time.Time // what could be shown came no later
	until   time.Time // nothing more came up to then
	before  *Arrival  // the one before that was used

	latency  distribution
	base     time.Duration // what the times in latency are relative to
	interval distribution
	jitter   jitter
	rhythm   rhythm
	lost     time.Duration
	frozen   struct{ longest, total time.Duration }
}

const (
	// farClock is how far the clocks may differ before latencies are kept
	// relative to the first, for the sake of their precision.
	farClock = time.Minute
	// noClock is the longest latency there is; with it two can be subtracted.
	noClock = 1 << 61
)

// New returns a Recorder.
func New(o Options) *Recorder {
	return &Recorder{opts: o, rhythm: rhythm{told: o.FrameDuration}}
}

// Observe counts an object.
func (r *Recorder) Observe(a Arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &r.counted
	c.Objects++
	c.Bytes += uint64(max(a.Size, 0))
	if a.Past {
		c.Past++
	} else if !a.Captured.IsZero() {
		r.late(a.At.Sub(a.Captured))
	}
	if a.Late {
		c.Late++
		return
	}
	r.joined(&a)
	before := r.before
	r.before = &a
	if before == nil {
		r.first, r.latest = a.At, a.At
		return
	}
	if a.At.Before(before.At) || a.Group < before.Group || a.Group == before.Group && a.Object < before.Object {
		c.OutOfOrder++
	}
	silence := max(a.At.Sub(r.latest), 0)
	r.latest = r.latest.Add(silence)
	if !a.Past && r.rhythm.breaks(silence) {
		c.Freezes.Count++
		r.frozen.longest = max(r.frozen.longest, silence)
		r.frozen.total += silence
	}
	live := !a.Past && !before.Past
	if live {
		r.interval.record(silence)
		r.jitter.observe(before, &a)
	}
	r.rhythm.observe(before, &a, silence, live)
}

// late counts a latency.
func (r *Recorder) late(l time.Duration) {
	l = max(-noClock, min(l, noClock))
	if r.latency.n == 0 && (l > farClock || l < -farClock) {
		r.base = l
	}
	r.latency.record(l - r.base)
}

// joined notes the first object, and the first where decoding can begin.
func (r *Recorder) joined(a *Arrival) {
	if r.opts.Subscribed.IsZero() {
		return
	}
	took := millis(a.At.Sub(r.opts.Subscribed))
	if r.counted.Join == nil {
		r.counted.Join = &took
	}
	if r.counted.JoinKey == nil && a.Key {
		r.counted.JoinKey = &took
	}
}

// Gap counts n objects that were given up, which would have been shown for span;
// each may be 0 if it is not known.
func (r *Recorder) Gap(n uint64, span time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counted.Gaps++
	r.counted.Lost += n
	if n == 0 {
		r.counted.GapsUnknown++
	}
	r.lost += max(span, 0)
}

// Until says that the track was awaited up to a time, so that a silence that
// lasts is a freeze too.
func (r *Recorder) Until(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at.After(r.until) {
		r.until = at
	}
}

// Report returns what was counted so far.
func (r *Recorder) Report() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counted
	c.Duration = millis(r.latest.Sub(r.first))
	c.Latency = r.latency.percentiles(-r.base)
	c.AboveFastest = r.latency.percentiles(r.latency.min)
	c.ClockSkewed = r.latency.n > 0 && r.latency.min+r.base < 0
	c.Interval = r.interval.percentiles(0)
	c.Jitter, c.JitterFrom = r.jitter.value()
	c.LostTime = millis(r.lost)
	longest, total := r.frozen.longest, r.frozen.total
	if silence := r.until.Sub(r.latest); r.before != nil && r.rhythm.breaks(silence) {
		c.Freezes.Count++
		longest, total = max(longest, silence), total+silence
	}
	c.Freezes.Longest, c.Freezes.Total = millis(longest), millis(total)
	if threshold, known := r.rhythm.freeze(); known {
		t := millis(threshold)
		c.Freezes.Threshold = &t
	}
	return c
}

// Brief is a part of a Report that costs little, for who asks often. Times are
// milliseconds; what is not known is nil.
type Brief struct {
	Objects, Bytes, Gaps uint64
	Join, Jitter         *float64
	Freezes              Freezes // without one that lasts
}

// Brief returns what was counted so far.
func (r *Recorder) Brief() Brief {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &r.counted
	b := Brief{Objects: c.Objects, Bytes: c.Bytes, Gaps: c.Gaps, Join: c.Join, Freezes: c.Freezes}
	b.Jitter, _ = r.jitter.value()
	b.Freezes.Longest, b.Freezes.Total = millis(r.frozen.longest), millis(r.frozen.total)
	return b
}
