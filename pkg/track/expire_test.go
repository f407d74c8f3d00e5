package track

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
)

// items lists what a range reader finds.
func items(t *testing.T, tr *Track, r model.Range) (held, unknown []model.Location) {
	t.Helper()
	rr := tr.Range(r, model.Ascending)
	defer rr.Close()
	for {
		it, err := rr.Next()
		if err == io.EOF {
			return held, unknown
		}
		must(t, err)
		if it.Object != nil {
			held = append(held, it.Object.Location)
		} else {
			unknown = append(unknown, it.Unknown.Start, it.Unknown.End)
		}
	}
}

func cacheFor(d time.Duration) model.Properties {
	return model.Properties{{Type: model.PropMaxCacheDuration, Int: uint64(d / time.Millisecond)}}
}

// TestMaxCacheDuration: nothing is begun to be sent after it, and nothing is known
// of what it was.
// Duties: 62.
func TestMaxCacheDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := New(Config{})
		tr.SetProperties(cacheFor(time.Second))
		tr.LiveFrom(at(1, 0))
		one, two := open(t, tr, 1, 0), open(t, tr, 2, 0)
		bring(t, one, 0, 1)
		must(t, one.Close())
		bring(t, two, 0)
		fetched(t, tr, at(0, 0))
		time.Sleep(600 * time.Millisecond)
		bring(t, two, 1)
		fetched(t, tr, at(0, 1))
		all := span2(at(0, 0), at(2, 1))

		time.Sleep(400 * time.Millisecond)
		if held, _ := items(t, tr, all); len(held) != 6 {
			t.Errorf("after a second sharp %v are held", held)
		}
		time.Sleep(time.Nanosecond)
		held, unknown := items(t, tr, all)
		if len(held) != 2 || held[0] != at(0, 1) || held[1] != at(2, 1) {
			t.Errorf("a moment later %v are held", held)
		}
		if len(unknown) == 0 || unknown[0] != at(0, 0) || unknown[1] != at(0, 0) {
			t.Errorf("%v are unknown", unknown)
		}
		if tr.Covered(span2(at(1, 0), at(2, 1))) || !tr.Covered(span2(at(2, 1), at(2, 1))) {
			t.Error("Covered does not know what has expired")
		}
		if n := tr.Counters().Expired.Load(); n != 4 {
			t.Errorf("%d expired", n)
		}
		fetched(t, tr, at(1, 0)) // asked for again
		if held, _ := items(t, tr, span2(at(1, 0), at(1, 0))); len(held) != 1 {
			t.Error("what was fetched again is not held")
		}
		bring(t, two, 2)
		must(t, two.Close())
		time.Sleep(time.Hour)
		if held, _ := items(t, tr, all); len(held) != 0 {
			t.Errorf("after an hour %v are held", held)
		}
		if tr.Newest().Value != 2 || len(tr.groups) != 1 {
			t.Errorf("%d groups are left", len(tr.groups))
		}
	})
}

// TestExpiredObjectsDoNotGoToSubscribers who are slow.
func TestExpiredObjectsDoNotGoToSubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, cleared := range []bool{false, true} {
			tr := New(Config{MaxAge: time.Second})
			c, _ := tr.NewCursor(signal(make(chan struct{}, 1)))
			w := open(t, tr, 1, 0)
			bring(t, w, 0)
			e := c.Next()
			var r Reader
			r.Init(e.Run, ReaderOptions{Form: formA, Last: model.MaxID, Waiter: signal(make(chan struct{}, 1))})
			time.Sleep(time.Second + 1)
			bring(t, w, 1)
			must(t, w.Close())
			if cleared {
				items(t, tr, span2(at(1, 0), at(1, 1)))
			}
			if s, state := r.Read(nil, time.Time{}); state != ReadExpired {
				t.Errorf("cleared %v: read %d bytes, state %v", cleared, s.Len(), state)
			}
			r.Close()

			late, _ := tr.NewCursor(signal(make(chan struct{}, 1)))
			late.Rewind()
			if e = late.Next(); e.Kind != EventRun {
				t.Fatalf("event %+v", e)
			}
			r.Init(e.Run, ReaderOptions{Form: formA, First: 1, Last: model.MaxID, Waiter: signal(make(chan struct{}, 1))})
			if s, state := r.Read(nil, time.Time{}); state != ReadSpan || s.Objects != 1 {
				t.Errorf("cleared %v: the younger object: %d, state %v", cleared, s.Objects, state)
			}
			r.Close()
		}
	})
}

// TestShorterAgeHolds of the publisher's and our own.
func TestShorterAgeHolds(t *testing.T) {
	for _, tt := range []struct {
		ours, theirs, want time.Duration
	}{
		{0, time.Second, time.Second},
		{time.Minute, time.Second, time.Second},
		{time.Second, time.Minute, time.Second},
		{time.Second, 0, 0},
	} {
		tr := New(Config{MaxAge: tt.ours})
		tr.SetProperties(cacheFor(tt.theirs))
		if got := tr.age.Opt; got != model.Some(tt.want) {
			t.Errorf("%v and %v: %v", tt.ours, tt.theirs, got)
		}
	}
	tr := New(Config{})
	if tr.SetProperties(model.Properties{{Type: model.PropMaxCacheDuration, Int: 1 << 63}}); tr.age.Set {
		t.Errorf("a time without end became %v", tr.age)
	}
}

// TestNoCacheStillForwards: MAX_CACHE_DURATION of 0 does not keep objects from those
// who subscribe.
func TestNoCacheStillForwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := New(Config{})
		tr.SetProperties(cacheFor(0))
		c, _ := tr.NewCursor(signal(make(chan struct{}, 1)))
		w := open(t, tr, 1, 0)
		bring(t, w, 0)
		e := c.Next()
		var r Reader
		r.Init(e.Run, ReaderOptions{Form: formA, Last: model.MaxID, Waiter: signal(make(chan struct{}, 1))})
		defer r.Close()
		time.Sleep(time.Millisecond)
		if s, state := r.Read(nil, time.Time{}); state != ReadSpan || s.Objects != 1 {
			t.Errorf("read %d objects, state %v", s.Objects, state)
		}
		if held, _ := items(t, tr, span2(at(1, 0), at(1, 0))); len(held) != 0 {
			t.Errorf("%v can be fetched", held)
		}
		must(t, w.Close())
	})
}
