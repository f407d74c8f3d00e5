package egress

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"oxymoq/pkg/track"
	"oxymoq/pkg/transport"
)

// drainSession takes everything and counts bytes.
type drainSession struct {
	*fakeSession
	bytes atomic.Int64
}

func newDrain() *drainSession {
	return &drainSession{fakeSession: newFakeSession(formA)}
}

func (d *drainSession) TryOpenUniStream() (transport.SendStream, error) {
	return &drainStream{d: d}, nil
}

type drainStream struct{ d *drainSession }

func (s *drainStream) Write(p []byte) (int, error) {
	s.d.bytes.Add(int64(len(p)))
	return len(p), nil
}
func (*drainStream) Close() error                     { return nil }
func (*drainStream) CancelWrite(uint64)               {}
func (*drainStream) SetReliableBoundary()             {}
func (*drainStream) SetPriority(int, bool)            {}
func (*drainStream) SetWriteDeadline(time.Time) error { return nil }
func (*drainStream) Context() context.Context         { return context.Background() }

// audience is a track with many subscribers, each with a session of its own.
type audience struct {
	tr     *track.Track
	drains []*drainSession
	scheds []*Scheduler
	end    context.CancelFunc
	w      *track.Writer
	next   uint64
}

func newAudience(tb testing.TB, n int, change ...func(*Options)) *audience {
	ctx, cancel := context.WithCancel(context.Background())
	a := &audience{tr: track.New(track.Config{Budget: track.NewBudget(64 << 20)}), end: cancel}
	for range n {
		d := newDrain()
		s := NewScheduler(ctx, d, nil)
		o := everything()
		for _, c := range change {
			c(&o)
		}
		s.Subscribe(a.tr).Start(o)
		a.drains, a.scheds = append(a.drains, d), append(a.scheds, s)
	}
	a.w = open(tb, a.tr, 0, 0)
	return a
}

// send appends an object and waits until everybody has it.
func (a *audience) send(tb testing.TB, payload []byte) {
	before := a.drains[0].bytes.Load()
	must(tb, a.w.Append(track.ObjectHeader{ID: a.next}, payload))
	a.next++
	for _, d := range a.drains {
		for d.bytes.Load() < before+int64(len(payload)) {
			runtime.Gosched()
		}
	}
}

func (a *audience) close() {
	a.end()
	for _, s := range a.scheds {
		s.Wait()
	}
}

// TestDeliveryAllocatesNothing counts allocations of whole deliveries, from
// Append to Write, in steady state, without and with delivery timeouts.
func TestDeliveryAllocatesNothing(t *testing.T) {
	const subscribers = 50
	for _, timeout := range []time.Duration{0, time.Hour} {
		a := newAudience(t, subscribers, func(o *Options) { o.ObjectTimeout, o.SubgroupTimeout = timeout, timeout })
		payload := make([]byte, 100)
		for range 100 {
			a.send(t, payload)
		}
		n := testing.AllocsPerRun(500, func() { a.send(t, payload) })
		if n/subscribers > 0.02 { // chunks and the index of the log grow now and then
			t.Errorf("timeout %v: %v allocations for a delivery", timeout, n/subscribers)
		}
		a.close()
	}
}

func TestIdleSubscribersCostNothing(t *testing.T) {
	a := newAudience(t, 10)
	defer a.close()
	a.send(t, []byte("x"))
	if n := testing.AllocsPerRun(100, runtime.Gosched); n != 0 {
		t.Errorf("%v allocations while nothing is sent", n)
	}
}

// BenchmarkFanOut appends one object of 1200 bytes and waits until all
// subscribers have it.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			a := newAudience(b, n)
			defer a.close()
			payload := make([]byte, 1200)
			a.send(b, payload)
			b.ReportAllocs()
			for b.Loop() {
				a.send(b, payload)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/delivery")
		})
	}
}

// burst is how many bytes BenchmarkBurst appends before it waits: less than what
// makes a subscriber too slow.
const burst = 1000 * 1200

// BenchmarkBurst appends objects without waiting for each, so that deliveries
// coalesce.
func BenchmarkBurst(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			a := newAudience(b, n)
			defer a.close()
			payload := make([]byte, 1200)
			a.send(b, payload)
			before := a.drains[0].bytes.Load()
			wait := func(sent int64) {
				for _, d := range a.drains {
					for d.bytes.Load() < before+sent {
						runtime.Gosched()
					}
				}
			}
			b.ReportAllocs()
			sent := int64(0)
			for b.Loop() {
				must(b, a.w.Append(track.ObjectHeader{ID: a.next}, payload))
				a.next++
				if sent += int64(len(payload)); sent%burst == 0 {
					wait(sent)
				}
			}
			wait(sent)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/delivery")
		})
	}
}

// BenchmarkGroups opens a stream for each object.
func BenchmarkGroups(b *testing.B) {
	a := newAudience(b, 100)
	defer a.close()
	payload := make([]byte, 1200)
	group := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		must(b, a.w.Close())
		group++
		a.w, a.next = open(b, a.tr, group, 0), 0
		a.send(b, payload)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/delivery")
}
