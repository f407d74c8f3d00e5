package track

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"oxymoq/pkg/model"
)

// signal is a Waiter with one slot.
type signal chan struct{}

func (s signal) Wake() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// TestManyReadersOfManyWriters has two publishers of the same track, writing
// while readers of both forms read, and checks that each gets everything once.
// Duties: 42.
func TestManyReadersOfManyWriters(t *testing.T) {
	const groups, objects, readers = 20, 50, 8
	tr := New(Config{Budget: NewBudget(64 << 20)})
	var all sync.WaitGroup
	for i := range readers {
		wake := make(signal, 1)
		c, _ := tr.NewCursor(wake)
		form := testForm{i%2 == 1}
		all.Go(func() { follow(t, c, wake, form, groups*objects) })
	}
	all.Go(func() { // somebody fetches all the time
		for tr.Largest().Or(model.Location{}).Group < groups-1 {
			rr := tr.Range(model.Range{End: at(groups, 0)}, model.Ascending)
			for it, err := rr.Next(); err == nil; it, err = rr.Next() {
				if it.Object != nil && it.Object.PayloadLen() == 0 {
					t.Error("empty object")
				}
			}
			rr.Close()
		}
	})
	for range 2 {
		all.Go(func() {
			for g := range uint64(groups) {
				w, err := tr.OpenSubgroup(SubgroupKey{g, 0}, SubgroupInfo{Form: formA, First: FirstYes})
				if err != nil {
					t.Error(err)
					return
				}
				for id := range uint64(objects) {
					payload := fmt.Appendf(nil, "%d/%d %0*d", g, id, 1+id*40, 0)
					if id%10 == 9 {
						err = w.Begin(ObjectHeader{ID: id, PayloadLen: uint64(len(payload))})
						for part := range slices.Chunk(payload, 100) {
							_, err = w.Write(part)
						}
					} else {
						err = w.Append(ObjectHeader{ID: id}, payload)
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
				if err := w.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := tr.counters.Duplicates.Load(); n == 0 {
		t.Log("the publishers did not overlap")
	}
}

// follow reads until it has the number of objects.
func follow(t *testing.T, c *Cursor, wake signal, form testForm, want int) {
	defer c.Close()
	type stream struct {
		r    *Reader
		data []byte
	}
	var streams []*stream
	got := 0
	for got < want {
		for e := c.Next(); e.Kind == EventRun; e = c.Next() {
			s := &stream{r: new(Reader)}
			s.r.Init(e.Run, ReaderOptions{Form: form, Waiter: wake, Last: model.MaxID, Since: c.Since()})
			streams = append(streams, s)
		}
		for _, s := range streams {
			for {
				span, state := s.r.Read(nil, noTime)
				s.data = append(append(s.data, span.Head...), span.Body...)
				s.r.Release()
				got += span.Objects
				if state != ReadSpan {
					break
				}
			}
		}
		if got < want {
			<-wake
		}
	}
	for _, s := range streams {
		s.r.Close()
		objects, rest := form.decode(s.data)
		for i, o := range objects {
			if o.id != uint64(i) {
				t.Errorf("object %d at place %d", o.id, i)
			}
		}
		if len(rest) > 0 {
			t.Errorf("%d bytes are left", len(rest))
		}
	}
}
