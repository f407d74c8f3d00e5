package latency

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"oxymoq/internal/testkit"
)

var zero = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// at is a time in milliseconds after zero.
func at(ms float64) time.Time { return zero.Add(duration(ms)) }

func duration(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// frames are n objects of 40 ms from the object first on, captured when they
// were shown, each on the way for 10 ms.
func frames(first, n int) (all []Arrival) {
	for i := first; i < first+n; i++ {
		media := float64(40 * i)
		all = append(all, Arrival{
			At: at(media + 10), Captured: at(media), Media: duration(media), HasMedia: true,
			Object: uint64(i), Key: i == 0, Size: 100,
		})
	}
	return all
}

// later changes arrivals.
func later(all []Arrival, change func(a *Arrival)) []Arrival {
	for i := range all {
		change(&all[i])
	}
	return all
}

func join(parts ...[]Arrival) (all []Arrival) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// Where the buckets of a histogram end that 10 and 40 ms are in.
const (
	ms10 = 10.007
	ms40 = 40.031
)

func TestRecorder(t *testing.T) {
	const n = 10
	even := &Percentiles{Count: n, Min: 10, P50: 10, P95: 10, P99: 10, Max: 10}
	none := &Percentiles{Count: n}
	step := &Percentiles{Count: n - 1, Min: 40, P50: 40, P95: 40, P99: 40, Max: 40}
	good := Report{
		Objects: n, Bytes: 1000, Duration: 360, Latency: even, AboveFastest: none, Interval: step, Jitter: new(0.0), JitterFrom: FromMedia,
		Freezes: Freezes{Threshold: new(200.0)},
	}
	with := func(change func(*Report)) Report {
		r := good
		change(&r)
		return r
	}
	for _, tt := range []struct {
		name string
		opts Options
		all  []Arrival
		more func(*Recorder)
		want Report
	}{
		{name: "nothing came", want: Report{}},
		{name: "nothing comes for long", more: func(r *Recorder) { r.Until(at(60000)) }, want: Report{}},
		{
			name: "one object", all: frames(0, 1),
			want: Report{Objects: 1, Bytes: 100, Latency: &Percentiles{1, 10, 10, 10, 10, 10}, AboveFastest: &Percentiles{Count: 1}},
		},
		{name: "as it should be", all: frames(0, n), want: good},
		{
			name: "the join is measured", opts: Options{Subscribed: at(-50)},
			all:  later(frames(0, n), func(a *Arrival) { a.Key = a.Object == 2 }),
			want: with(func(r *Report) { r.Join, r.JoinKey = new(60.0), new(140.0) }),
		},
		{
			name: "no key came", opts: Options{Subscribed: at(0)}, all: later(frames(0, n), func(a *Arrival) { a.Key = false }),
			want: with(func(r *Report) { r.Join = new(10.0) }),
		},
		{
			name: "the publisher's clock is ahead", all: later(frames(0, n), func(a *Arrival) { a.Captured = a.Captured.Add(duration(30)) }),
			want: with(func(r *Report) { r.ClockSkewed, r.Latency = true, &Percentiles{n, -20, -20, -20, -20, -20} }),
		},
		{
			name: "the publisher's clock is far behind",
			all: later(frames(0, n), func(a *Arrival) {
				a.Captured = a.Captured.Add(-100 * time.Hour)
				if a.Object == 9 {
					a.Captured = a.Captured.Add(-duration(7))
				}
			}),
			want: with(func(r *Report) {
				h := float64(100*3600*1000 + 10)
				r.Latency = &Percentiles{n, h, h, h + 7, h + 7, h + 7}
				r.AboveFastest = &Percentiles{n, 0, 0, 7, 7, 7}
			}),
		},
		{
			name: "no object says when it was captured", all: later(frames(0, n), func(a *Arrival) { a.Captured = time.Time{} }),
			want: with(func(r *Report) { r.Latency, r.AboveFastest = nil, nil }),
		},
		{
			name: "jitter by capture", all: later(frames(0, n), func(a *Arrival) {
				a.HasMedia = false
				if a.Object == 9 {
					a.At = a.At.Add(duration(16))
				}
			}),
			want: with(func(r *Report) {
				r.Duration, r.Jitter, r.JitterFrom = 376, new(1.0), FromCapture
				r.Latency = &Percentiles{n, 10, ms10, 26, 26, 26}
				r.AboveFastest = &Percentiles{n, 0, ms10 - 10, 16, 16, 16}
				r.Interval = &Percentiles{n - 1, 40, ms40, 56, 56, 56}
			}),
		},
		{
			name: "jitter by intervals", all: later(frames(0, n), func(a *Arrival) {
				a.HasMedia, a.Captured = false, time.Time{}
				if a.Object == 9 {
					a.At = a.At.Add(duration(16))
				}
			}),
			want: with(func(r *Report) {
				r.Duration, r.Jitter, r.JitterFrom, r.Latency, r.AboveFastest = 376, new(1.0), FromInterval, nil, nil
				r.Interval = &Percentiles{n - 1, 40, ms40, 56, 56, 56}
			}),
		},
		{
			name: "a publisher that begins anew is no jitter",
			all:  join(frames(0, n), later(frames(n, 1), func(a *Arrival) { a.Group, a.Object, a.Media = 1, 0, time.Hour })),
			want: with(func(r *Report) {
				r.Objects, r.Bytes, r.Duration = n+1, 1100, 400
				r.Latency, r.AboveFastest = &Percentiles{n + 1, 10, 10, 10, 10, 10}, &Percentiles{Count: n + 1}
				r.Interval = &Percentiles{n, 40, 40, 40, 40, 40}
			}),
		},
		{
			name: "what was published before is not late, and no rhythm",
			all: join(
				later(frames(0, 5), func(a *Arrival) { a.At, a.Past = at(180), true }),
				frames(5, n),
			),
			want: with(func(r *Report) {
				r.Objects, r.Past, r.Bytes, r.Duration = n+5, 5, 1500, 390
				r.Freezes.Threshold = new(200.0)
			}),
		},
		{
			name: "a freeze after the join", opts: Options{FrameDuration: duration(40)},
			all: join(
				later(frames(0, 5), func(a *Arrival) { a.At, a.Past = at(-200), true }),
				frames(5, n),
			),
			want: with(func(r *Report) {
				r.Objects, r.Past, r.Bytes, r.Duration = n+5, 5, 1500, 770
				r.Freezes = Freezes{1, 410, 410, new(200.0)}
			}),
		},
		{
			name: "a freeze, and gaps", all: join(frames(0, 6), frames(26, 4)),
			more: func(r *Recorder) { r.Gap(20, 800*time.Millisecond); r.Gap(0, 0); r.Until(at(1170 + 200)) },
			want: with(func(r *Report) {
				r.Duration = 1160
				r.Interval = &Percentiles{n - 1, 40, ms40, 840, 840, 840}
				r.Gaps, r.GapsUnknown, r.Lost, r.LostTime = 2, 1, 20, 800
				// the steps known by media are eight of 40 ms and one of 840 ms
				r.Freezes = Freezes{1, 840, 840, new(386.667)}
			}),
		},
		{
			name: "a freeze that lasts", opts: Options{FrameDuration: duration(100)}, all: frames(0, n),
			more: func(r *Recorder) { r.Until(at(370 + 301)); r.Until(at(0)) },
			want: with(func(r *Report) { r.Freezes = Freezes{1, 301, 301, new(300.0)} }),
		},
		{
			name: "late objects break no silence", opts: Options{FrameDuration: duration(40)},
			all:  join(frames(0, n), later(frames(3, 1), func(a *Arrival) { a.At, a.Late = at(500), true })),
			more: func(r *Recorder) { r.Until(at(571)) },
			want: with(func(r *Report) {
				r.Objects, r.Bytes, r.Late = n+1, 1100, 1
				r.Latency = &Percentiles{n + 1, 10, ms10, ms10, 380, 380}
				r.AboveFastest = &Percentiles{n + 1, 0, ms10 - 10, ms10 - 10, 370, 370}
				r.Freezes = Freezes{1, 201, 201, new(200.0)}
			}),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := New(tt.opts)
			for _, a := range tt.all {
				r.Observe(a)
			}
			if tt.more != nil {
				tt.more(r)
			}
			testkit.Equal(t, r.Report(), tt.want)
			testkit.Equal(t, r.Report(), tt.want)
			b := r.Brief()
			if f := tt.want.Freezes; b.Freezes.Count > f.Count || b.Freezes.Count == f.Count && (b.Freezes.Longest != f.Longest || b.Freezes.Total != f.Total) {
				t.Errorf("in brief the freezes are %+v, not %+v", b.Freezes, f)
			}
			b.Freezes = Freezes{}
			testkit.Equal(t, b, Brief{Objects: tt.want.Objects, Bytes: tt.want.Bytes, Gaps: tt.want.Gaps, Join: tt.want.Join, Jitter: tt.want.Jitter})
		})
	}
}

// TestOrder: told by location, an object that overtook others is silence up to
// those; told as they come, it ends one.
func TestOrder(t *testing.T) {
	byLocation := frames(0, 10)
	byLocation[4].At = at(40*6 + 11) // after 5 and 6
	asTheyCome := slices.Clone(byLocation)
	slices.SortFunc(asTheyCome, func(a, b Arrival) int { return a.At.Compare(b.At) })
	for _, tt := range []struct {
		name    string
		all     []Arrival
		silence float64
	}{{"by location", byLocation, 121}, {"as they come", asTheyCome, 80}} {
		t.Run(tt.name, func(t *testing.T) {
			r := New(Options{})
			for _, a := range tt.all {
				r.Observe(a)
			}
			got := r.Report()
			testkit.Equal(t, got.OutOfOrder, uint64(1))
			testkit.Equal(t, got.Latency.Max, 91.0)
			testkit.Equal(t, got.Interval.Max, tt.silence)
			testkit.Equal(t, got.Duration, 360.0)
		})
	}
}

// TestRhythmIsLearned: a track of one object a second freezes only when it does,
// and one that becomes slower is not frozen for ever.
func TestRhythmIsLearned(t *testing.T) {
	r := New(Options{})
	now, object := 0.0, uint64(0)
	add := func(n int, step float64) {
		for range n {
			r.Observe(Arrival{At: at(now), Object: object})
			now, object = now+step, object+1
		}
	}
	add(100, 1000)
	testkit.Equal(t, r.Report().Freezes, Freezes{Threshold: new(3000.0)})
	now += 5000
	add(100, 1000)
	testkit.Equal(t, r.Report().Freezes, Freezes{1, 6000, 6000, new(3000.0)})
	add(200, 4000)
	now -= 3000
	add(1, 0)
	before := r.Report().Freezes
	if before.Count < 2 || before.Count > 50 || *before.Threshold < 11000 {
		t.Errorf("slower: %+v, threshold %v", before, *before.Threshold)
	}
}

// TestDistribution: percentiles are those of the sorted times, to a thousandth.
func TestDistribution(t *testing.T) {
	for _, tt := range []struct {
		name string
		from int
		to   int
		want Percentiles
	}{
		{"positive", 1, 1000, Percentiles{1000, 1, 500, 950, 990, 1000}},
		{"negative", -1000, -1, Percentiles{1000, -1000, -501, -51, -11, -1}},
		{"both", -500, 499, Percentiles{1000, -500, -1, 449, 489, 499}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d distribution
			for ms := tt.from; ms <= tt.to; ms++ {
				d.record(duration(float64(ms)))
			}
			got := *d.percentiles(0)
			for _, v := range [][2]float64{{got.Min, tt.want.Min}, {got.P50, tt.want.P50}, {got.P95, tt.want.P95}, {got.P99, tt.want.P99}, {got.Max, tt.want.Max}} {
				if math.Abs(v[0]-v[1]) > math.Abs(v[1])/1000+0.001 {
					t.Errorf("%+v, want %+v", got, tt.want)
				}
			}
			testkit.Equal(t, got.Count, tt.want.Count)
		})
	}
}

// TestLimits: what is beyond the range counts as its end, and takes no more
// memory than it may.
func TestLimits(t *testing.T) {
	var d distribution
	d.record(math.MinInt64)
	d.record(math.MaxInt64)
	for _, got := range []time.Duration{-d.at(50), d.at(100)} {
		if got < furthest || got > furthest+furthest/1000 {
			t.Errorf("the longest is %v", got)
		}
	}
	for us := time.Duration(1); us < furthest; us += us/4096 + time.Microsecond {
		d.record(us)
		d.record(-us)
	}
	for _, h := range []*hdrhistogram.PackedHistogram{d.above, d.below} {
		if n := h.GetMemorySize(); n > 1<<20 {
			t.Errorf("a distribution takes %d bytes", n)
		}
	}
}

func TestText(t *testing.T) {
	r := New(Options{Subscribed: at(-50)})
	testkit.Equal(t, r.Report().Text(), ""+
		"objects   0 in 0.0 s, 0 bytes; 0 published before\n"+
		"gaps      0, 0 objects lost (0 ms), 0 gaps of unknown size; 0 late, 0 out of order\n")
	for _, a := range join(frames(0, 6), frames(26, 4)) {
		a.Captured = a.Captured.Add(duration(30))
		r.Observe(a)
	}
	r.Gap(20, 800*time.Millisecond)
	testkit.Equal(t, r.Report().Text(), ""+
		"objects   10 in 1.2 s, 1000 bytes; 0 published before\n"+
		"join      first object after 60.0 ms, first key object after 60.0 ms\n"+
		"ms              min       p50       p95       p99       max\n"+
		"latency       -20.0     -20.0     -20.0     -20.0     -20.0  from capture to arrival; the clocks differ: see the next line\n"+
		"                0.0       0.0       0.0       0.0       0.0  above the fastest\n"+
		"interval       40.0      40.0     840.0     840.0     840.0  from arrival to arrival\n"+
		"jitter    0.0 ms by steps of media\n"+
		"gaps      1, 20 objects lost (800 ms), 0 gaps of unknown size; 0 late, 0 out of order\n"+
		"freezes   1 above 387 ms: longest 840 ms, 840 ms in all\n")
}

func FuzzRecorder(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x10\x11\x12\x13 some times that make no sense"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := New(Options{Subscribed: zero})
		times := []time.Duration{0, 1, time.Millisecond, time.Second, -time.Second, time.Hour, 1000 * time.Hour, -1000 * time.Hour, math.MaxInt64, math.MinInt64}
		pick := func(c byte) time.Duration { return times[int(c)%len(times)] }
		for len(b) >= 4 {
			a := Arrival{At: zero.Add(pick(b[0])), Media: pick(b[1]), HasMedia: b[3]&1 > 0, Object: uint64(b[2]), Late: b[3]&2 > 0, Past: b[3]&4 > 0, Key: b[3]&8 > 0}
			if b[3]&16 > 0 {
				a.Captured = zero.Add(pick(b[2]))
			}
			r.Observe(a)
			if b[3]&32 > 0 {
				r.Gap(uint64(b[0]), pick(b[1]))
			}
			if b[3]&64 > 0 {
				r.Until(zero.Add(pick(b[1])))
			}
			b = b[4:]
		}
		got := r.Report()
		for _, p := range []*Percentiles{got.Latency, got.AboveFastest, got.Interval} {
			if p != nil && !(p.Min <= p.P50 && p.P50 <= p.P95 && p.P95 <= p.P99 && p.P99 <= p.Max) {
				t.Errorf("%+v does not ascend", p)
			}
		}
		if got.Text() == "" {
			t.Error("says nothing")
		}
	})
}
