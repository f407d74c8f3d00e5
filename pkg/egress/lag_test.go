package egress

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
)

// lags returns what is counted in the four places, which must be the same.
func (h *house) lag(t *testing.T) observe.Lag {
	t.Helper()
	synctest.Wait()
	sub, session, tr := h.c.Delays.Counts(), h.s.counters.Delays.Counts(), h.tr.Counters().Delays.Counts()
	l := sub.Lag()
	if session.Lag() != l || tr.Lag() != l {
		t.Errorf("of the subscriber %+v, of the session %+v, of the track %+v", l, session.Lag(), tr.Lag())
	}
	if c := h.tr.Counters(); c.ObjectsOut.Load() != h.c.ObjectsOut.Load() || c.BytesOut.Load() != h.c.BytesOut.Load() {
		t.Errorf("%d objects of %d bytes are counted for the track", c.ObjectsOut.Load(), c.BytesOut.Load())
	}
	return l
}

// TestLagIsFromArrivalToHandOver: it includes the time that a Write takes.
func TestLagIsFromArrivalToHandOver(t *testing.T) {
	for _, form := range []track.Form{formA, formB} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, form)
			defer h.close()
			took := time.Duration(0)
			h.f.write = func(*fakeStream, []byte) error { time.Sleep(took); return nil }
			h.start()
			w := open(t, h.tr, 1, 0)
			if l := h.lag(t); l != (observe.Lag{}) {
				t.Errorf("of nothing: %+v", l)
			}
			bring(t, w, 0)
			if l := h.lag(t); l != (observe.Lag{Objects: 1}) {
				t.Errorf("of a Write that takes no time: %+v", l)
			}
			took = 50 * time.Millisecond
			bring(t, w, 1)
			time.Sleep(time.Second)
			if l := h.lag(t); l.Objects != 2 || l.Max != took {
				t.Errorf("of a Write of %v: %+v", took, l)
			}
			// An object in parts counts from its first byte, when its last one has
			// been handed over.
			took = 0
			must(t, w.Begin(track.ObjectHeader{ID: 2, PayloadLen: 2}))
			for range 2 {
				time.Sleep(time.Second)
				if l := h.lag(t); l.Objects != 2 {
					t.Errorf("before it is complete: %+v", l)
				}
				_, err := w.Write([]byte("x"))
				must(t, err)
			}
			if l := h.lag(t); l.Objects != 3 || l.Max != 2*time.Second {
				t.Errorf("of an object that comes for two seconds: %+v", l)
			}
		})
	}
}

// TestLagOfManyAtOnce: objects that are handed over together have come one after
// the other.
func TestLagOfManyAtOnce(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		gate := make(chan struct{})
		h.f.write = func(*fakeStream, []byte) error { <-gate; return nil }
		h.start()
		w := open(t, h.tr, 1, 0)
		for id := range uint64(101) {
			bring(t, w, id)
			time.Sleep(100 * time.Millisecond)
		}
		close(gate)
		l := h.lag(t)
		if l.Objects != 101 || l.Max < 10*time.Second || l.Max > 11*time.Second || l.P50 < 4*time.Second || l.P50 > 7*time.Second {
			t.Errorf("%+v", l)
		}
	})
}

func TestLagOfDatagrams(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.start()
		must(t, h.tr.AppendDatagram(&track.Datagram{Location: model.Location{Group: 1}, Form: formA, Payload: []byte("x")}))
		if l := h.lag(t); l != (observe.Lag{Objects: 1}) {
			t.Errorf("%+v", l)
		}
		h.f.dgramErr = errors.New("no")
		must(t, h.tr.AppendDatagram(&track.Datagram{Location: model.Location{Group: 2}, Form: formA, Payload: []byte("x")}))
		if l := h.lag(t); l.Objects != 1 {
			t.Errorf("with one that was dropped: %+v", l)
		}
		if d := h.tr.Counters().Dropped.Snapshot(); d != h.c.Dropped.Snapshot() || d.Total() != 1 {
			t.Errorf("dropped: %v", d)
		}
	})
}

func TestSlowSubscriberIsReported(t *testing.T) {
	for _, action := range []Action{SkipToNewestGroup, EndTooFarBehind} {
		inHouse(t, func(t *testing.T, h *house) {
			var mu sync.Mutex
			var reports []Slow
			h.sub.OnSlow(func(s Slow) {
				mu.Lock()
				defer mu.Unlock()
				reports = append(reports, s)
			})
			h.f.write = stuck
			h.start(func(o *Options) { o.Policy = Policy{MaxGroups: 2, Action: action} })
			for g := range uint64(6) {
				bring(t, open(t, h.tr, g, 0), 0)
				synctest.Wait()
			}
			mu.Lock()
			defer mu.Unlock()
			if len(reports) == 0 {
				t.Fatal("nobody is told")
			}
			if r := reports[0]; r.Groups != 3 || r.Bytes == 0 || r.Ended != (action == EndTooFarBehind) {
				t.Errorf("told %+v", r)
			}
			if action == EndTooFarBehind && len(reports) != 1 {
				t.Errorf("told %d times", len(reports))
			}
		})
	}
}

// TestMeasureSeesWhatCameSince: objects of an open stream are not discovered, so
// that the queue is measured only when something else is, or on demand.
func TestMeasureSeesWhatCameSince(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.sub.Measure() // before it is started
		gate := make(chan struct{})
		h.f.write = func(*fakeStream, []byte) error { <-gate; return nil }
		h.start()
		w := open(t, h.tr, 1, 0)
		bring(t, w, 0)
		synctest.Wait()
		must(t, w.Append(track.ObjectHeader{ID: 1}, make([]byte, 5000)))
		synctest.Wait()
		h.sub.Measure()
		if n := h.c.BytesBehind.Load(); n < 5000 || n > 5100 {
			t.Errorf("%d bytes wait", n)
		}
		bring(t, open(t, h.tr, 2, 0), 0)
		synctest.Wait()
		h.sub.Measure()
		if n := h.c.GroupsBehind.Load(); n != 1 {
			t.Errorf("%d groups wait", n)
		}
		close(gate)
		synctest.Wait()
		h.sub.Measure()
		if c := h.c.Snapshot(); c.BytesBehind != 0 || c.GroupsBehind != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestPurgedSubscriberGoesOn: one that had not sent everything resets its stream and
// sends what comes on another; one that had goes on.
func TestPurgedSubscriberGoesOn(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		gate := make(chan struct{})
		first := true
		h.f.write = func(*fakeStream, []byte) error {
			if first {
				first = false
				<-gate
			}
			return nil
		}
		h.start()
		w := open(t, h.tr, 1, 0)
		bring(t, w, 0)
		synctest.Wait()
		for id := uint64(1); id < 5; id++ { // more than one chunk, so that they cannot go together
			must(t, w.Append(track.ObjectHeader{ID: id}, make([]byte, 70_000)))
		}
		if n := h.tr.Purge(); n != 4 {
			t.Errorf("%d objects were purged", n)
		}
		close(gate)
		synctest.Wait()
		bring(t, w, 5)
		must(t, w.Close())
		h.want("the rest on a stream of its own", "1.0: 0 reset CANCELLED", "1.0: 4 5 fin")
		if d := h.c.Snapshot().Dropped; d[observe.DropPurged] != 3 || d.Total() != 3 {
			t.Errorf("dropped %v", d)
		}
		if d := h.tr.Counters().Dropped.Snapshot(); d[observe.DropPurged] != 3 {
			t.Errorf("dropped %v of the track", d)
		}

		next := open(t, h.tr, 2, 0)
		bring(t, next, 0, 1)
		synctest.Wait()
		h.tr.Purge()
		bring(t, next, 2)
		must(t, next.Close())
		synctest.Wait()
		if lines := h.f.lines(); lines[len(lines)-1] != "2.0: 0 1 2 fin" {
			t.Errorf("who was up to date: %q", lines)
		}
		if h.c.Snapshot().Dropped.Total() != 3 {
			t.Error("it lost something")
		}
	})
}

// TestPurgeOfAWholeGroup: what was not sent of a group that leaves is dropped, and
// the subscription stays.
func TestPurgeOfAWholeGroup(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		gate := make(chan struct{})
		h.f.write = func(s *fakeStream, _ []byte) error {
			if s == h.f.streams[0] {
				<-gate
			}
			return nil
		}
		h.start()
		w := open(t, h.tr, 1, 0)
		bring(t, w, 0)
		synctest.Wait()
		bring(t, w, 1, 2)
		must(t, w.Close())
		bring(t, open(t, h.tr, 2, 0), 0)
		synctest.Wait()
		h.tr.Purge()
		close(gate)
		bring(t, open(t, h.tr, 3, 0), 0)
		h.want("the next groups", "1.0: 0 reset CANCELLED", "2.0: 0 open", "3.0: 0 open")
		if d := h.c.Snapshot().Dropped; d[observe.DropPurged] != 2 {
			t.Errorf("dropped %v", d)
		}
		select {
		case <-h.sub.Done():
			t.Error("the subscription ended")
		default:
		}
	})
}
