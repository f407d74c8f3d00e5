package egress

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
)

// wantDropped says how many objects were given up because they were too late.
func (h *house) wantDropped(n uint64) {
	h.t.Helper()
	synctest.Wait()
	d := h.c.Snapshot().Dropped
	if d[observe.DropTimeout] != n {
		h.t.Errorf("dropped = %v, want %d for %v", d, n, observe.DropTimeout)
	}
}

// TestDeliveryTimeoutResetsAndSkipsTheSubgroup: the subscriber lets nothing through,
// and the stream ends without its doing.
// Duties: 57.
func TestDeliveryTimeoutResetsAndSkipsTheSubgroup(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.tr.SetProperties(model.Properties{{Type: model.PropObjectDeliveryTimeout, Int: 100}})
		h.f.write = stuck
		h.start(func(o *Options) { o.ObjectTimeout = time.Second }) // the track's is shorter
		w := open(t, h.tr, 1, 0)
		bring(t, w, 0)
		synctest.Wait()
		bring(t, w, 1)
		time.Sleep(100 * time.Millisecond)
		h.want("not more than allowed", "1.0: open")
		time.Sleep(time.Millisecond)
		h.want("too late", "1.0: reset DELIVERY_TIMEOUT")
		h.wantDropped(2)
		h.f.mu.Lock()
		h.f.write = nil
		h.f.mu.Unlock()
		bring(t, w, 2)
		must(t, h.tr.AppendDatagram(&track.Datagram{Location: model.Location{Group: 2}, Form: formA}))
		bring(t, open(t, h.tr, 1, 1), 3)
		h.want("not reopened", "1.0: reset DELIVERY_TIMEOUT", "1.1: 3 open")
		if len(h.f.datagrams) != 1 {
			t.Error("a fresh datagram was not sent")
		}
	})
}

// Duties: 57.
func TestSubgroupTimeoutCountsFromItsEnd(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.f.write = stuck
		h.start(func(o *Options) { o.SubgroupTimeout = time.Second })
		w := open(t, h.tr, 1, 0)
		must(t, w.Append(track.ObjectHeader{ID: 0}, make([]byte, 900)))
		must(t, w.Append(track.ObjectHeader{ID: 1}, make([]byte, 900))) // another chunk
		time.Sleep(2500 * time.Millisecond)
		must(t, w.Close())
		time.Sleep(time.Second)
		h.want("not more than allowed", "1.0: open")
		time.Sleep(time.Millisecond)
		h.want("too late", "1.0: reset DELIVERY_TIMEOUT")
		h.wantDropped(2)
	})
}

// TestTheShorterTimeoutHolds, of the track and of the subscriber; 0 is none.
// Duties: 57.
func TestTheShorterTimeoutHolds(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		property           uint64
		subscriber, update time.Duration
		want               time.Duration
	}{
		{100, 0, -1, 100 * ms},
		{0, 100 * ms, -1, 100 * ms},
		{100, 50 * ms, -1, 50 * ms},
		{50, 100 * ms, -1, 50 * ms},
		{500, 0, 20 * ms, 20 * ms},
		{0, 500 * ms, 20 * ms, 20 * ms},
		{0, 20 * ms, 500 * ms, 500 * ms},
		{100, 20 * ms, 0, 100 * ms},
		{0, 0, 100 * ms, 100 * ms},
		{0, 100 * ms, 0, 0},
		{0, 0, -1, 0},
	} {
		for name, terms := range map[string]struct {
			property uint64
			start    func(*Options)
			change   Change
		}{
			"object": {
				model.PropObjectDeliveryTimeout, func(o *Options) { o.ObjectTimeout = row.subscriber },
				Change{ObjectTimeout: model.Some(row.update)},
			},
			"subgroup": {
				model.PropSubgroupDeliveryTimeout, func(o *Options) { o.SubgroupTimeout = row.subscriber },
				Change{SubgroupTimeout: model.Some(row.update)},
			},
		} {
			inHouse(t, func(t *testing.T, h *house) {
				if row.property > 0 {
					h.tr.SetProperties(model.Properties{{Type: terms.property, Int: row.property}})
				}
				h.f.write = stuck
				h.start(terms.start)
				w := open(t, h.tr, 0, 0)
				bring(t, w, 0)
				must(t, w.Close())
				time.Sleep(10 * ms)
				if row.update >= 0 {
					h.sub.Update(terms.change)
				}
				if row.want == 0 {
					time.Sleep(time.Hour)
					h.want(name+": no timeout", "0.0: open")
					return
				}
				time.Sleep(row.want - 10*ms)
				h.want(name+": in time", "0.0: open")
				time.Sleep(ms)
				h.want(name+": too late", "0.0: reset DELIVERY_TIMEOUT")
				h.wantDropped(1)
			})
		}
	}
}

// TestTimeoutOfWhatHasNoStream: what is too late while there is no credit for a
// stream never gets one, and costs nobody else his turn.
func TestTimeoutOfWhatHasNoStream(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.f.credit = 0
		h.start(func(o *Options) { o.ObjectTimeout = 100 * time.Millisecond })
		bring(t, open(t, h.tr, 0, 0), 0, 1)
		time.Sleep(200 * time.Millisecond)
		h.wantDropped(2)
		bring(t, open(t, h.tr, 1, 0), 0)
		h.f.grant(1)
		h.want("the next group", "1.0: 0 open")
		select {
		case <-h.sub.Done():
			t.Error("the subscription ended")
		default:
		}
	})
}

// TestTimeoutOfWhatWaitsForItsTurn: its stream is reset although no writer is free.
func TestTimeoutOfWhatWaitsForItsTurn(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.start(func(o *Options) { o.ObjectTimeout = 100 * time.Millisecond })
		w := open(t, h.tr, 0, 0)
		bring(t, w, 0)
		synctest.Wait()
		h.f.mu.Lock()
		h.f.write = stuck
		h.f.mu.Unlock()
		blocker := track.New(track.Config{})
		h.s.Subscribe(blocker).Start(everything())
		for g := range uint64(MaxWriters) {
			bring(t, open(t, blocker, 100+g, 0), 0)
		}
		synctest.Wait()
		bring(t, w, 1)
		time.Sleep(101 * time.Millisecond)
		synctest.Wait()
		if got := h.f.lines()[0]; got != "0.0: 0 reset DELIVERY_TIMEOUT" {
			t.Errorf("stream %s", got)
		}
	})
}

// TestNothingThatWaitsIsNeverTooLate: neither a stream on which nothing comes, nor
// an object of which the rest is still to come from its publisher.
// Duties: 57.
func TestNothingThatWaitsIsNeverTooLate(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.start(func(o *Options) { o.ObjectTimeout, o.SubgroupTimeout = 100*time.Millisecond, 100*time.Millisecond })
		w := open(t, h.tr, 0, 0)
		for id := range uint64(3) {
			bring(t, w, id)
			time.Sleep(time.Second)
		}
		must(t, w.Begin(track.ObjectHeader{ID: 3, PayloadLen: 20}))
		_, err := w.Write([]byte("first half"))
		must(t, err)
		time.Sleep(time.Second)
		_, err = w.Write([]byte("other half"))
		must(t, err)
		must(t, w.Close())
		h.want("all is sent", "0.0: 0 1 2 3 fin")
		h.wantDropped(0)
	})
}

// TestReplayLeavesOutWhatIsTooLate before a stream is opened for it.
func TestReplayLeavesOutWhatIsTooLate(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		bring(t, open(t, h.tr, 0, 0), 0, 1)
		time.Sleep(time.Second)
		bring(t, open(t, h.tr, 1, 0), 0)
		h.start(func(o *Options) { o.Replay, o.ObjectTimeout = true, 500*time.Millisecond })
		synctest.Wait()
		if got := strings.Join(h.f.lines(), ", "); got != "1.0: 0 open" {
			t.Errorf("streams: %s", got)
		}
		h.wantDropped(2)
	})
}
