package observe

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDelayBuckets(t *testing.T) {
	for _, row := range []struct {
		d      time.Duration
		bucket int
		end    time.Duration
	}{
		{-time.Second, 0, time.Microsecond},
		{0, 0, time.Microsecond},
		{999 * time.Nanosecond, 0, time.Microsecond},
		{time.Microsecond, 1, 2 * time.Microsecond},
		{7 * time.Microsecond, 7, 8 * time.Microsecond},
		{8 * time.Microsecond, 8, 9 * time.Microsecond},
		{15 * time.Microsecond, 15, 16 * time.Microsecond},
		{16 * time.Microsecond, 16, 18 * time.Microsecond},
		{1023 * time.Microsecond, 63, 1024 * time.Microsecond},
		{time.Millisecond, 63, 1024 * time.Microsecond},
		{1024 * time.Microsecond, 64, 1152 * time.Microsecond},
		{time.Second, 143, 1 << 20 * time.Microsecond},
		{1<<27*time.Microsecond - 1, delayBuckets - 1, 1 << 27 * time.Microsecond},
		{time.Hour, delayBuckets - 1, 1 << 27 * time.Microsecond},
		{1<<63 - 1, delayBuckets - 1, 1 << 27 * time.Microsecond},
	} {
		if got := delayBucket(row.d); got != row.bucket || delayEnd(got) != row.end {
			t.Errorf("%v is in bucket %d, which ends at %v; want %d and %v", row.d, got, delayEnd(got), row.bucket, row.end)
		}
	}
	for i := 1; i < delayBuckets; i++ { // no gap and no overlap
		begin := delayEnd(i - 1)
		if delayBucket(begin) != i || delayBucket(begin-1) != i-1 {
			t.Fatalf("%v is in bucket %d, just before it in %d; want %d and %d", begin, delayBucket(begin), delayBucket(begin-1), i, i-1)
		}
	}
}

func TestPercentiles(t *testing.T) {
	ms := time.Millisecond
	for _, row := range []struct {
		name string
		add  map[time.Duration]uint64
		want Lag
	}{
		{"nothing", nil, Lag{}},
		{"one", map[time.Duration]uint64{5 * ms: 1}, Lag{1, 5 * ms, 5 * ms, 5 * ms, 5 * ms}},
		{"all alike", map[time.Duration]uint64{5 * ms: 1000}, Lag{1000, 5 * ms, 5 * ms, 5 * ms, 5 * ms}},
		{"two", map[time.Duration]uint64{1024 * time.Microsecond: 1, 8192 * time.Microsecond: 1},
			Lag{2, 1152 * time.Microsecond, 8192 * time.Microsecond, 8192 * time.Microsecond, 8192 * time.Microsecond}},
		{"a few are late", map[time.Duration]uint64{0: 980, 16384 * time.Microsecond: 15, 10 * time.Second: 5},
			Lag{1000, time.Microsecond, time.Microsecond, 18432 * time.Microsecond, 10 * time.Second}},
		{"longer than any bucket", map[time.Duration]uint64{time.Hour: 3}, Lag{3, time.Hour, time.Hour, time.Hour, time.Hour}},
		{"counts that overflow when multiplied", map[time.Duration]uint64{0: 1 << 62, 5 * ms: 1 << 61},
			Lag{1<<62 + 1<<61, time.Microsecond, 5 * ms, 5 * ms, 5 * ms}},
	} {
		var h Delays
		for d, n := range row.add {
			h.Add(d, n)
		}
		c := h.Counts()
		if d := cmp.Diff(row.want, c.Lag()); d != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, d)
		}
	}
}

func TestMergeAndSince(t *testing.T) {
	var a, b Delays
	a.Add(time.Millisecond, 3)
	b.Add(time.Second, 1)
	sum, before := a.Counts(), a.Counts()
	other := b.Counts()
	sum.Merge(&other)
	if l := sum.Lag(); l.Objects != 4 || l.Max != time.Second {
		t.Errorf("merged: %+v", l)
	}
	a.Add(10*time.Microsecond, 2)
	now := a.Counts()
	since := now.Since(&before)
	if l := since.Lag(); l.Objects != 2 || l.Max != 11*time.Microsecond {
		t.Errorf("since: %+v", l)
	}
	if l := now.Lag(); l.Objects != 5 || l.Max != time.Millisecond {
		t.Errorf("all: %+v", l)
	}
	a.Add(time.Hour, 1)
	now = a.Counts()
	since = now.Since(&before)
	if l := since.Lag(); l.Max != time.Hour {
		t.Errorf("since, with one longer than any bucket: %+v", l)
	}
	other = now.Since(&now)
	if l := other.Lag(); l != (Lag{}) {
		t.Errorf("since now: %+v", l)
	}
	other = before.Since(&now) // of another Delays: nothing, rather than very much
	if l := other.Lag(); l != (Lag{}) {
		t.Errorf("since later: %+v", l)
	}
}

func TestAddSpread(t *testing.T) {
	s, ms := time.Second, time.Millisecond
	for _, row := range []struct {
		name              string
		longest, shortest time.Duration
		n                 uint64
		p50               [2]time.Duration // least and most
	}{
		{"none", s, s, 0, [2]time.Duration{0, 0}},
		{"one", s, s, 1, [2]time.Duration{s, s}},
		{"two", s, 0, 2, [2]time.Duration{0, time.Microsecond}},
		{"three", 2 * s, 0, 3, [2]time.Duration{s, s * 9 / 8}},
		{"alike", s + 1, s, 1000, [2]time.Duration{s, s + 1}},
		{"many", s, 0, 1000, [2]time.Duration{s * 2 / 5, s * 3 / 5}},
		{"more than steps by little", 100 * ms, 0, spreadSteps + 1, [2]time.Duration{40 * ms, 60 * ms}},
		{"from before the clock", 0, -s, 2, [2]time.Duration{0, time.Microsecond}},
	} {
		var h Delays
		h.AddSpread(row.longest, row.shortest, row.n)
		c := h.Counts()
		l := c.Lag()
		if l.Objects != row.n || l.P50 < row.p50[0] || l.P50 > row.p50[1] {
			t.Errorf("%s: %+v", row.name, l)
		}
		if row.n > 0 && l.Max != max(row.longest, 0) {
			t.Errorf("%s: longest is %v", row.name, l.Max)
		}
	}
}

func TestHistogram(t *testing.T) {
	var h Delays
	for d, n := range map[time.Duration]uint64{
		0: 1, 255 * time.Microsecond: 2, 256 * time.Microsecond: 3, time.Second: 4, 100 * time.Second: 5,
	} {
		h.Add(d, n)
	}
	c := h.Counts()
	got := c.Histogram()
	if len(got.Buckets) != lastBound-firstBound+1 || got.Count != 15 {
		t.Fatalf("%+v", got)
	}
	if !slices.IsSortedFunc(got.Buckets, func(a, b Bucket) int { return int(a.Below - b.Below) }) {
		t.Error("bounds do not ascend")
	}
	for _, b := range got.Buckets {
		want := uint64(3)
		if b.Below > 256*time.Microsecond {
			want = 6
		}
		if b.Below > time.Second {
			want = 10
		}
		if b.Count != want {
			t.Errorf("%d stayed for less than %v, want %d", b.Count, b.Below, want)
		}
	}
	if got.Sum < 480*time.Second || got.Sum > 530*time.Second { // 504 s
		t.Errorf("sum = %v", got.Sum)
	}
	var none Counts
	if h := none.Histogram(); h.Count != 0 || h.Sum != 0 || len(h.Buckets) != len(got.Buckets) {
		t.Errorf("of nothing: %+v", h)
	}
}

func TestWindowForgets(t *testing.T) {
	var h Delays
	var w Window
	now := time.Unix(1000, 0)
	step := func(after time.Duration, want uint64) {
		t.Helper()
		now = now.Add(after)
		if l := w.Lag(now, &h); l.Objects != want {
			t.Errorf("at %v: %d objects, want %d", now.Unix(), l.Objects, want)
		}
	}
	h.Add(time.Millisecond, 100)
	step(0, 100)
	h.Add(time.Millisecond, 10)
	step(LagWindow/2, 110)
	step(LagWindow/2, 10) // what was there at the first look is forgotten
	h.Add(time.Millisecond, 1)
	step(LagWindow-1, 11)
	step(1, 1)
	step(LagWindow, 0)
	h.Add(time.Millisecond, 7)
	step(time.Hour, 7) // nobody looked for an hour
}

func TestWindowReadsOnlyWhatHasChanged(t *testing.T) {
	var h Delays
	var w Window
	now := time.Unix(1000, 0)
	step := func(after time.Duration, objects, want uint64) {
		t.Helper()
		now = now.Add(after)
		if l := w.LagIfGrown(now, &h, objects); l.Objects != want {
			t.Errorf("at %v: %d objects, want %d", now.Unix(), l.Objects, want)
		}
	}
	h.Add(time.Millisecond, 3)
	step(0, 0, 0) // not counted yet
	step(0, 3, 3)
	h.Add(time.Millisecond, 1)
	step(0, 3, 3)
	step(0, 4, 4)
	step(LagWindow-1, 4, 4)
	step(1, 4, 1) // what there was when it was first asked is forgotten
	step(LagWindow, 4, 0)
	step(time.Hour, 4, 0)
}

func TestDelaysUnderRace(t *testing.T) {
	var h Delays
	var w Window
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 1000 {
				h.Add(time.Duration(n*i)*time.Microsecond, 1)
			}
		})
	}
	for n := range uint64(100) {
		w.Lag(time.Now(), &h)
		w.LagIfGrown(time.Now(), &h, n)
	}
	all.Wait()
	c := h.Counts()
	if l := c.Lag(); l.Objects != 4000 || l.Max != 3*999*time.Microsecond {
		t.Errorf("%+v", l)
	}
}

func TestDelaysAllocateNothing(t *testing.T) {
	var h Delays
	if n := testing.AllocsPerRun(100, func() { h.Add(time.Second, 1); h.AddSpread(time.Second, time.Millisecond, 50) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzDelays compares percentiles with those of a sorted list.
func FuzzDelays(f *testing.F) {
	f.Add(uint64(1), uint16(10), int64(time.Second))
	f.Add(uint64(2), uint16(1), int64(0))
	f.Add(uint64(3), uint16(999), int64(1<<62))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, most int64) {
		random := rand.New(rand.NewPCG(seed, 0))
		if n %= 1000; n == 0 || most < 0 {
			return
		}
		var h Delays
		var list []time.Duration
		for range n {
			d := time.Duration(random.Int64N(most/2+1)) >> random.IntN(40)
			h.Add(d, 1)
			list = append(list, d)
		}
		slices.Sort(list)
		c := h.Counts()
		l := c.Lag()
		if l.Objects != uint64(n) || l.Max != list[n-1] {
			t.Fatalf("%+v of %d, the longest %v", l, n, list[n-1])
		}
		for _, p := range []struct {
			percent uint64
			got     time.Duration
		}{{50, l.P50}, {95, l.P95}, {99, l.P99}} {
			exact := list[share(uint64(n), p.percent)-1]
			if exact >= delayEnd(delayBuckets-2) {
				continue // the last bucket has no end
			}
			if most := exact + exact/8 + time.Microsecond; p.got < exact || p.got > most {
				t.Fatalf("p%d is %v, want %v to %v", p.percent, p.got, exact, most)
			}
		}
		if h := c.Histogram(); h.Count != uint64(n) {
			t.Fatalf("the histogram has %d of %d", h.Count, n)
		}
	})
}

func BenchmarkDelays(b *testing.B) {
	var h Delays
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			h.Add(20*time.Millisecond, 1)
		}
	})
	b.Run("spread", func(b *testing.B) {
		for b.Loop() {
			h.AddSpread(time.Second, time.Millisecond, 50)
		}
	})
	b.Run("lag", func(b *testing.B) {
		for b.Loop() {
			c := h.Counts()
			c.Lag()
		}
	})
}
