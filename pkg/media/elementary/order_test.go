package elementary

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"oxymoq/pkg/media"
)

const picture = 33333333 * time.Nanosecond

// at returns the times of pictures that are shown in the order of the numbers.
func at(numbers ...int) []time.Duration {
	d := make([]time.Duration, len(numbers))
	for i, n := range numbers {
		d[i] = time.Duration(n) * picture
	}
	return d
}

func TestOrder(t *testing.T) {
	high, base := format(t, media.H264, avcCHigh), format(t, media.H264, avcC)
	for _, tt := range []struct {
		name   string
		format *media.Format
		pts    []time.Duration
		want   []time.Duration
	}{
		{"nothing reordered", base, at(5, 6, 7, 9, 10), at(5, 6, 7, 9, 10)},
		{"two levels of B-pictures", high, at(10, 14, 12, 11, 13, 18, 16, 15, 17), at(8, 9, 10, 11, 12, 13, 14, 15, 16)},
		{"from the origin", high, at(0, 1, 2, 3), at(-2, -1, 0, 1)},
		{"pictures before the first key", high, at(2, 0, 1, 5), at(0, 0, 0, 1)},
		{"audio", format(t, media.AAC, asc), at(3, 4, 5), at(3, 4, 5)},
		{"AV1", format(t, media.AV1, av1C), at(3, 4, 5), at(3, 4, 5)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var o Order
			for i, pts := range tt.pts {
				dts, err := o.DTS(pts, Frame{Format: tt.format, Key: i == 0})
				if diff := dts - tt.want[i]; err != nil || diff < -10 || diff > 10 {
					t.Errorf("picture %d: DTS %v, %v; want %v", i, dts, err, tt.want[i])
				}
			}
		})
	}
}

func TestReorderDepths(t *testing.T) {
	for want, f := range map[int]*media.Format{
		0: format(t, media.H264, avcC),
		2: format(t, media.H264, avcCHigh),
	} {
		if got := reorder(f); got != want {
			t.Errorf("%s: %d, want %d", f.Name, got, want)
		}
	}
	for _, f := range []*media.Format{
		format(t, media.HEVC, hvcC), {Codec: media.H264}, {Codec: media.H264, Config: unhex(t, "0164000dffe0"+"00")},
	} {
		if got := reorder(f); got != UnknownReorder {
			t.Errorf("%+v: %d, want %d", f, got, UnknownReorder)
		}
	}
}

// A hole does not pull the decoding of the next key picture to before it, and a
// new start of the publisher begins anew.
func TestOrderBeginsAnew(t *testing.T) {
	high := format(t, media.H264, avcCHigh)
	var o Order
	steps := []struct {
		pts  int
		key  bool
		want int // DTS in pictures
	}{
		{10, true, 8},
		{12, false, 9},
		{11, false, 10},
		{500, true, 498},
		{503, false, 499},
		{501, false, 500},
		{20, true, 18},
		{22, false, 19},
		{21, false, 20},
		{23, true, 21},
	}
	for _, s := range steps {
		dts, err := o.DTS(at(s.pts)[0], Frame{Format: high, Key: s.key})
		if diff := dts - at(s.want)[0]; err != nil || diff < -10 || diff > 10 {
			t.Fatalf("picture %d: DTS %v, %v; want %v", s.pts, dts, err, at(s.want)[0])
		}
	}
}

// A picture that is reordered further than the stream says is refused once; then
// there is room.
func TestOrderLearns(t *testing.T) {
	base := format(t, media.H264, avcC)
	var o Order
	refused := 0
	var last time.Duration
	for i := range 40 {
		for j, n := range []int{3, 1, 2} {
			pts := at(3*i + n)[0]
			dts, err := o.DTS(pts, Frame{Format: base, Key: i == 0 && j == 0})
			var order *OrderError
			switch {
			case errors.As(err, &order):
				refused++
			case err != nil:
				t.Fatal(err)
			case dts > pts || dts < last:
				t.Fatalf("PTS %v: DTS %v after %v", pts, dts, last)
			default:
				last = dts
			}
		}
	}
	if refused == 0 || refused > 2 {
		t.Errorf("%d pictures were refused, want 1 or 2", refused)
	}
	// Rubbish does not make the delay grow.
	for range 100 {
		if _, err := o.DTS(0, Frame{Format: base}); err == nil {
			t.Fatal("a picture of long ago was taken")
		}
	}
	if o.depth > 2 {
		t.Errorf("depth %d", o.depth)
	}
}

// A change of the format in the middle keeps the times in order.
func TestOrderOverFormats(t *testing.T) {
	formats := []*media.Format{format(t, media.H264, avcC), format(t, media.H264, avcCHigh), format(t, media.HEVC, hvcC)}
	var o Order
	last := -time.Hour
	for i := range 90 {
		pts := at(i)[0]
		dts, err := o.DTS(pts, Frame{Format: formats[i/10%3], Key: i%10 == 0})
		if err != nil || dts > pts || dts < last {
			t.Fatalf("picture %d: DTS %v after %v, %v", i, dts, last, err)
		}
		last = dts
	}
}

// reordered returns the numbers of pictures in an order of decoding in which at
// most depth come before one that is shown earlier.
func reordered(r *rand.Rand, n, depth int) []int {
	var order, waiting []int
	next := 0
	for len(order) < n {
		// Whatever is shown first among the waiting may be overtaken by depth at most.
		for len(waiting) <= depth && next < n {
			waiting = append(waiting, next)
			next++
		}
		i := r.IntN(len(waiting))
		for _, w := range waiting[:i] {
			if overtaken(order, w) >= depth {
				i = slices.Index(waiting, w)
				break
			}
		}
		order = append(order, waiting[i])
		waiting = slices.Delete(waiting, i, i+1)
	}
	return order
}

// overtaken counts the pictures of an order that are shown after picture w.
func overtaken(order []int, w int) (n int) {
	for _, o := range order {
		if o > w {
			n++
		}
	}
	return n
}

// Whatever the order, as long as it is no deeper than said, every picture has a
// decode time that does not go back and is not after its own.
func TestOrderProperties(t *testing.T) {
	high := format(t, media.H264, avcCHigh) // depth 2
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		times := make([]time.Duration, 200) // by no steady rate
		for i := 1; i < len(times); i++ {
			times[i] = times[i-1] + time.Duration(1+r.IntN(60))*time.Millisecond
		}
		var o Order
		last := -time.Hour
		for i, n := range append([]int{0}, shift(reordered(r, len(times)-1, 2))...) {
			dts, err := o.DTS(times[n], Frame{Format: high, Key: i == 0})
			if err != nil || dts > times[n] || dts < last {
				t.Fatalf("seed %d, picture %d (number %d): PTS %v, DTS %v after %v: %v", seed, i, n, times[n], dts, last, err)
			}
			last = dts
		}
	}
}

func shift(numbers []int) []int {
	for i := range numbers {
		numbers[i]++
	}
	return numbers
}

// Any times whatever: no panic, and the promises hold where no error is said.
func FuzzOrder(f *testing.F) {
	f.Add([]byte{0, 10, 4, 2, 6, 255, 1, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		formats := []*media.Format{
			format(t, media.H264, avcC), format(t, media.H264, avcCHigh), format(t, media.HEVC, hvcC),
			{Codec: media.H264, FrameRate: 1e-300}, {Codec: media.HEVC, FrameRate: 1e300},
		}
		var o Order
		var now, last time.Duration
		begun := false
		for _, c := range in {
			fr := Frame{Format: formats[int(c>>5)%len(formats)], Key: c&0x10 != 0}
			switch c & 0xF {
			case 15:
				now = MaxTime
			case 14:
				now = 0
			default:
				now = max(now+time.Duration(int(c&0xF)-5)*picture, 0)
			}
			now = min(now, MaxTime)
			dts, err := o.DTS(now, fr)
			if err != nil {
				continue
			}
			if dts > now {
				t.Fatalf("DTS %v after PTS %v", dts, now)
			}
			if begun && !fr.Key && dts < last {
				t.Fatalf("DTS %v after %v", dts, last)
			}
			if len(o.window) > MaxReorder || o.depth > MaxReorder {
				t.Fatalf("window of %d and depth of %d", len(o.window), o.depth)
			}
			begun, last = true, dts
		}
	})
}
