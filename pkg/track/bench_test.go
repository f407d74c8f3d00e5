package track

import (
	"fmt"
	"testing"

	"oxymoq/pkg/model"
)

// feed is a track with one endless subgroup in groups of a hundred objects.
type feed struct {
	tr      *Track
	w       *Writer
	next    uint64
	payload []byte
}

func newFeed(tb testing.TB, size int) *feed {
	f := &feed{tr: New(Config{Budget: NewBudget(8 << 20)}), payload: make([]byte, size)}
	f.w = open(tb, f.tr, 0, 0)
	return f
}

func (f *feed) append(tb testing.TB) {
	must(tb, f.w.Append(ObjectHeader{ID: f.next, Properties: f.payload[:8]}, f.payload))
	f.next++
}

func TestAppendAndDeliveryAllocateNothing(t *testing.T) {
	for _, form := range []Form{formA, formB} {
		f := newFeed(t, 120)
		const readers = 100
		rs := make([]Reader, readers)
		bells := make([]bell, readers)
		f.append(t)
		run := runs(f.tr)[0]
		for i := range rs {
			rs[i].Init(run, ReaderOptions{Form: form, Waiter: &bells[i], Last: model.MaxID})
		}
		buf := make([]byte, 0, 16<<10)
		// Chunks and the index grow now and then: once per many deliveries.
		n := testing.AllocsPerRun(500, func() {
			f.append(t)
			for i := range rs {
				for {
					s, state := rs[i].Read(buf, noTime)
					if state != ReadSpan {
						break
					}
					_ = s
					rs[i].Release()
				}
			}
		})
		if n >= 1 {
			t.Errorf("%v allocations for an append to %d readers", n, readers)
		}
	}
}

func TestDatagramDeliveryAllocatesLittle(t *testing.T) {
	tr := New(Config{Budget: NewBudget(1 << 20)})
	c, _ := tr.NewCursor(&bell{})
	d := &Datagram{Form: formA, Payload: make([]byte, 100)}
	n := testing.AllocsPerRun(1000, func() {
		d.Object++
		must(t, tr.AppendDatagram(d))
		for c.Next().Kind != EventNone {
		}
	})
	if n >= 1 {
		t.Errorf("%v allocations for a datagram", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{120, 1200, 12000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			f := newFeed(b, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				f.append(b)
			}
		})
	}
}

// BenchmarkFanOut appends one object and lets every reader read it.
func BenchmarkFanOut(b *testing.B) {
	for _, form := range []Form{formA, formB} {
		for _, n := range []int{1, 10, 100, 1000} {
			name := "same"
			if form == formB {
				name = "other"
			}
			b.Run(fmt.Sprintf("%s-form/%d", name, n), func(b *testing.B) {
				f := newFeed(b, 1200)
				f.append(b)
				run := runs(f.tr)[0]
				rs := make([]Reader, n)
				bells := make([]bell, n)
				for i := range rs {
					rs[i].Init(run, ReaderOptions{Form: form, Waiter: &bells[i], Last: model.MaxID})
				}
				buf := make([]byte, 0, 16<<10)
				b.ReportAllocs()
				for b.Loop() {
					f.append(b)
					for i := range rs {
						for {
							_, state := rs[i].Read(buf, noTime)
							if state != ReadSpan {
								break
							}
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/delivery")
			})
		}
	}
}
