package egress

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
)

func TestSlowSubscriberDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		tr := track.New(track.Config{})
		slow, fast := newFakeSession(formA), newFakeSession(formA)
		slow.write = stuck
		var scheds []*Scheduler
		for _, f := range []*fakeSession{slow, fast} {
			s := NewScheduler(ctx, f, nil)
			s.Subscribe(tr).Start(everything())
			scheds = append(scheds, s)
		}
		begin := time.Now()
		for g := range uint64(20) {
			w := open(t, tr, g, 0)
			bring(t, w, 0, 1, 2)
			must(t, w.Close())
			synctest.Wait()
			if got := fast.sent(); len(got) != int(g)+1 || got[g].end != "fin" || len(got[g].ids) != 3 {
				t.Fatalf("group %d: %v", g, got)
			}
		}
		if d := time.Since(begin); d != 0 {
			t.Errorf("it took %v of virtual time", d)
		}
		cancel()
		for _, s := range scheds {
			s.Wait()
		}
	})
}

// Duties: 53.
func TestSlowSubscriberIsMovedToTheNewestGroup(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.f.write = func(s *fakeStream, p []byte) error {
			if len(h.f.streams) <= 3 {
				<-s.closed
			}
			return nil
		}
		h.start(func(o *Options) { o.Policy = Policy{MaxGroups: 2} })
		for g := range uint64(6) {
			w := open(t, h.tr, g, 0)
			bring(t, w, 0, 1)
			must(t, w.Close())
			synctest.Wait()
		}
		synctest.Wait()
		got := h.f.lines()
		if want := "5.0: 0 1 fin"; got[len(got)-1] != want {
			t.Errorf("streams = %q", got)
		}
		if got[0] != "0.0: reset TOO_FAR_BEHIND" {
			t.Errorf("streams = %q", got)
		}
		d := h.c.Snapshot().Dropped
		if d[observe.DropSkipped] == 0 {
			t.Errorf("dropped = %v", d)
		}
	})
}

func TestSlowSubscriberIsMeasuredInBytesToo(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.f.write = func(s *fakeStream, p []byte) error {
			if s == h.f.streams[0] {
				<-s.closed
			}
			return nil
		}
		h.start(func(o *Options) { o.Policy = Policy{MaxBytes: 50_000} })
		w := open(t, h.tr, 0, 0)
		for id := range uint64(10) {
			must(t, w.Append(track.ObjectHeader{ID: id}, make([]byte, 10_000)))
			synctest.Wait()
		}
		bring(t, open(t, h.tr, 1, 0), 0)
		h.want("one group later", "0.0: reset TOO_FAR_BEHIND", "1.0: 0 open")
	})
}

// TestLackOfCreditMovesToTheNewestGroup: streams that were never to be had are
// given up like slow ones, and the subscription goes on.
func TestLackOfCreditMovesToTheNewestGroup(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.f.credit = 0
		h.start(func(o *Options) { o.Policy = Policy{MaxGroups: 2} })
		for g := range uint64(50) {
			w := open(t, h.tr, g, 0)
			bring(t, w, 0, 1)
			must(t, w.Close())
			synctest.Wait()
		}
		time.Sleep(time.Hour)
		h.f.grant(100)
		synctest.Wait()
		got := h.f.lines()
		if len(got) > 3 || !slices.Contains(got, "49.0: 0 1 fin") {
			t.Errorf("streams = %q", got)
		}
		select {
		case <-h.sub.Done():
			t.Errorf("ended: %+v", h.sub.Result())
		default:
		}
		if d := h.c.Snapshot().Dropped; d[observe.DropSkipped] != uint64(2*(50-len(got))) {
			t.Errorf("dropped = %v with %d streams", d, len(got))
		}
	})
}

func TestSlowSubscriptionCanEnd(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.f.write = stuck
		h.start(func(o *Options) { o.Policy = Policy{MaxGroups: 2, Action: EndTooFarBehind} })
		for g := range uint64(6) {
			bring(t, open(t, h.tr, g, 0), 0)
			synctest.Wait()
		}
		sent := h.f.sent() // the fourth may or may not have been begun
		h.wantDone(model.DoneTooFarBehind, uint64(len(sent)))
		for _, s := range sent {
			if s.end != "reset TOO_FAR_BEHIND" {
				t.Errorf("stream %v", s)
			}
		}
	})
}

// TestSubscriberBehindTheLogIsTooFarBehind cuts an endless group in front of a
// subscriber that is stuck in it.
// Duties: 58.
func TestSubscriberBehindTheLogIsTooFarBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, formA)
		h.sub.Stop(0)
		h.tr = track.New(track.Config{Budget: track.NewBudget(128 << 10)})
		h.sub = h.s.Subscribe(h.tr)
		defer h.close()
		gate := make(chan struct{})
		h.f.write = func(*fakeStream, []byte) error { <-gate; return nil }
		h.start()
		w := open(t, h.tr, 0, 0)
		for id := range uint64(500) {
			must(t, w.Append(track.ObjectHeader{ID: id}, make([]byte, 1000)))
			if id == 0 {
				synctest.Wait()
			}
		}
		close(gate)
		h.wantDone(model.DoneTooFarBehind, 1)
		if d := h.c.Snapshot().Dropped; d[observe.DropEvicted] == 0 {
			t.Errorf("dropped = %v", d)
		}
	})
}

// TestQueueServesInOrder lets one writer be slow, so that the queue fills, and
// looks at the order in which streams get their turn.
// Duties: 56.
func TestQueueServesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFakeSession(formA)
		gate := make(chan struct{})
		var order []track.SubgroupKey
		f.write = func(s *fakeStream, p []byte) error {
			<-gate // open after the queue has filled
			return nil
		}
		s := NewScheduler(ctx, f, nil)
		type load struct {
			subscriber uint8
			order      model.GroupOrder
		}
		// Groups tell the subscriptions apart: 100s, 200s, 300s.
		loads := []load{{200, model.Ascending}, {10, model.Ascending}, {10, model.Descending}}
		blocker := track.New(track.Config{})
		o := everything()
		o.Priority = 0
		s.Subscribe(blocker).Start(o)
		for g := range uint64(MaxBlocked) { // they all outrank the rest, and are stuck
			bring(t, open(t, blocker, g, 0), 0)
		}
		synctest.Wait()
		for i, l := range loads {
			tr := track.New(track.Config{})
			o := everything()
			o.Priority, o.Order = l.subscriber, l.order
			s.Subscribe(tr).Start(o)
			for _, g := range []uint64{2, 1, 3} {
				for _, sg := range []uint64{1, 0} {
					w := open(t, tr, uint64(i+1)*100+g, sg)
					bring(t, w, sg)
				}
			}
		}
		synctest.Wait()
		// From now on one Write at a time, in the order of the queue: streams
		// are opened when their turn comes.
		close(gate)
		synctest.Wait()
		for _, st := range f.sent() {
			if st.key.Group >= 100 {
				order = append(order, st.key)
			}
		}
		byLoad := map[uint64][]uint64{}
		for _, k := range order {
			byLoad[k.Group/100] = append(byLoad[k.Group/100], k.Group%100*10+k.Subgroup)
		}
		for i, want := range [][]uint64{{10, 11, 20, 21, 30, 31}, {10, 11, 20, 21, 30, 31}, {30, 31, 20, 21, 10, 11}} {
			if got := byLoad[uint64(i+1)]; !slices.Equal(got, want) {
				t.Errorf("load %d was served in the order %d", i+1, got)
			}
		}
		if last := order[len(order)-6:]; slices.ContainsFunc(last, func(k track.SubgroupKey) bool { return k.Group/100 != 1 }) {
			t.Errorf("low priority was not last: %v", order)
		}
		cancel()
		s.Wait()
	})
}

// TestWritersAreBounded opens more stuck streams than may be inside Write.
func TestWritersAreBounded(t *testing.T) {
	for _, row := range []struct {
		name  string
		order model.GroupOrder
		want  int
	}{
		{"streams of equal rank or later wait", model.Ascending, MaxWriters},
		{"each newer group outranks the older", model.Descending, MaxBlocked},
	} {
		t.Run(row.name, func(t *testing.T) {
			inHouse(t, func(t *testing.T, h *house) {
				h.f.write = stuck
				h.start(func(o *Options) { o.Order = row.order })
				for g := range uint64(3 * MaxBlocked) {
					bring(t, open(t, h.tr, g, 0), 0)
					synctest.Wait()
				}
				if h.f.inside != row.want {
					t.Errorf("%d writers are inside Write", h.f.inside)
				}
				// A datagram needs no writer that may block.
				must(t, h.tr.AppendDatagram(&track.Datagram{Location: model.Location{Group: 1 << 20}, Form: formA}))
				synctest.Wait()
				if len(h.f.datagrams) != 1 {
					t.Error("the datagram waits")
				}
			})
		})
	}
}

func TestIdleWritersAreFew(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.f.write = func(*fakeStream, []byte) error { time.Sleep(time.Millisecond); return nil }
		h.start()
		for g := range uint64(10) {
			bring(t, open(t, h.tr, g, 0), 0)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if h.s.idle != spareWriters || h.f.maxInside < 10 {
			t.Errorf("%d idle writers after %d at once", h.s.idle, h.f.maxInside)
		}
		h.sub.Stop(0)
		synctest.Wait()
		if h.s.idle != 0 {
			t.Errorf("%d idle writers without subscriptions", h.s.idle)
		}
	})
}

// Duties: 56.
func TestUrgenciesFollowRank(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFakeSession(formA)
		s := NewScheduler(ctx, f, nil)
		start := func(priority uint8, order model.GroupOrder) (*track.Track, *Subscription) {
			tr := track.New(track.Config{})
			sub := s.Subscribe(tr)
			o := everything()
			o.Priority, o.Order = priority, order
			sub.Start(o)
			return tr, sub
		}
		publish := func(tr *track.Track, group uint64, priority uint8) {
			bring(t, open(t, tr, group, 0, func(i *track.SubgroupInfo) { i.Priority = model.Some(priority) }), 0)
			synctest.Wait()
		}
		want := func(why string, urgencies ...int) {
			t.Helper()
			var got []int
			for _, st := range f.sent() {
				got = append(got, st.urgency)
			}
			if !slices.Equal(got, urgencies) {
				t.Errorf("%s: urgencies %d, want %d", why, got, urgencies)
			}
		}
		a, subA := start(100, model.Ascending)
		publish(a, 1, 50)
		publish(a, 2, 50)
		want("ascending groups are equal", 2, 2)
		publish(a, 3, 40)
		want("a sooner class moves the others", 3, 3, 2)
		b, _ := start(10, model.Descending)
		publish(b, 1, 0)
		want("a sooner subscription too", 4, 4, 3, 2)
		publish(b, 2, 0)
		publish(b, 3, 0)
		want("newer groups are sooner in descending order", 4, 4, 3, 4, 3, 2)
		subA.Update(Change{Priority: model.Some(uint8(0))})
		synctest.Wait()
		if got := f.sent(); got[0].urgency >= got[5].urgency+2 || got[2].urgency != firstUrgency {
			t.Errorf("after the update: %d %d", got[2].urgency, got[5].urgency)
		}
		for p := range uint8(30) {
			publish(a, 10+uint64(p), 100+p)
		}
		for _, st := range f.sent() {
			if st.urgency < firstUrgency || st.urgency > lastUrgency {
				t.Errorf("urgency %d of %v", st.urgency, st.key)
			}
		}
		cancel()
		s.Wait()
	})
}
