package relay

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// Sizes of a relay that has something to show: each session beside the publishers
// subscribes to so many of the tracks.
const (
	crowdTracks     = 1000
	crowdSessions   = 200
	crowdPublishers = 10
	crowdEach       = 20
	crowdObjects    = 10
)

// populate fills a relay and returns when every log holds its objects.
func populate(b *testing.B, ctx context.Context, r *Relay, connect func() session.Conn) {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	for i := range crowdPublishers {
		pub := &benchPublisher{out: make(chan *session.Outbound, crowdTracks)}
		s, err := session.Start(ctx, connect(), session.Config{Handler: pub})
		must(err)
		_, err = s.PublishNamespace(ctx, model.Namespace{"crowd", fmt.Sprint(i)})
		must(err)
		go func() {
			for {
				select {
				case out := <-pub.out:
					benchSender(b, ctx, s, out)(crowdObjects)
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	var wanted sync.WaitGroup
	for i := range crowdSessions {
		s, err := session.Start(ctx, connect(), session.Config{})
		must(err)
		wanted.Go(func() {
			for k := range crowdEach {
				n := (i*crowdEach + k) % crowdTracks
				sub := &benchSubscriber{received: make(chan struct{}, crowdObjects)}
				name := model.FullTrackName{Namespace: model.Namespace{"crowd", fmt.Sprint(n % crowdPublishers)}, Name: fmt.Sprint(n)}
				if _, err := s.Subscribe(ctx, session.SubscribeOptions{Track: name}, sub); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wanted.Wait()
	for {
		s, err := r.State(ctx)
		must(err)
		full := 0
		for _, t := range s.Tracks {
			if t.Counters.ObjectsIn >= crowdObjects {
				full++
			}
		}
		if full >= crowdTracks {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			b.Fatal("the crowd does not come")
		}
	}
}

// BenchmarkState measures a look at a relay of 1,000 tracks and 200 sessions, what
// of it holds Relay.mu, and a look at one track.
func BenchmarkState(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	r := New(Config{})
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	populate(b, ctx, r, benchCarrier(b, ctx, "mem", r, &running))
	id := ""
	for _, t := range r.tracks {
		id = t.id
	}
	b.Run("state", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.State(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("locked", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.mu.Lock()
			r.viewLocked()
			r.mu.Unlock()
		}
	})
	b.Run("track", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.Track(ctx, id); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// lookMode is who looks while objects are delivered.
type lookMode struct {
	unit  string        // of the metric
	pause time.Duration // between two looks
	look  func(ctx context.Context, r *Relay, id string)
}

// lookModes are compared in the same run. On a machine of few cores who looks
// without pause takes one of them away, whatever it does there; "ns-idle-loop" shows
// how much that alone costs.
var lookModes = []lookMode{
	{unit: "ns-nobody"},
	{"ns-4Hz", time.Second / 4, lookAtAll},
	{unit: "ns-nobody-again"}, // the difference to the first is noise
	{"ns-busy", 0, lookAtAll},
	{"ns-idle-loop", 0, func(context.Context, *Relay, string) {
		for i := range 1 << 16 {
			idled += i
		}
	}},
}

var idled int

func lookAtAll(ctx context.Context, r *Relay, id string) {
	_, _ = r.State(ctx)     // neither fails
	_, _ = r.Track(ctx, id) // while the track is there
}

// lookTime is how long one mode lasts before the next has its turn.
const lookTime = 500 * time.Millisecond

// BenchmarkLooking measures what a delivery costs while nobody looks, while
// somebody looks as a dashboard does, and while somebody looks without pause, at a
// relay of 1,000 tracks and 200 sessions of which one track has 100 subscribers and
// all of the traffic. The modes take turns, so that noise meets all of them; the
// medians are reported. Run it with -benchtime 20s or more.
func BenchmarkLooking(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	r := New(Config{Slow: egress.Policy{MaxGroups: 1 << 20, MaxBytes: 1 << 40}})
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	connect := benchCarrier(b, ctx, "mem", r, &running)
	populate(b, ctx, r, connect)
	const subscribers = 100
	f := newFanOut(b, ctx, connect, subscribers)
	defer f.close()
	id := ""
	for _, t := range r.tracks {
		if t.name.Equal(date) {
			id = t.id
		}
	}
	f.round(1)
	b.ResetTimer()
	costs := make([][]float64, len(lookModes))
	for left, turn := uint64(b.N), 0; left > 0; turn++ {
		i := turn % len(lookModes)
		stop := lookModes[i].begin(ctx, r, id)
		began, sent := time.Now(), uint64(0)
		for left > 0 && time.Since(began) < lookTime {
			k := min(left, benchWindow)
			f.round(k)
			left, sent = left-k, sent+k
		}
		took := time.Since(began)
		stop()
		if took >= lookTime { // else the last turn, which is shorter
			costs[i] = append(costs[i], float64(took.Nanoseconds())/float64(sent*subscribers))
		}
	}
	b.StopTimer()
	for i, m := range lookModes {
		if slices.Sort(costs[i]); len(costs[i]) > 0 {
			b.ReportMetric(costs[i][len(costs[i])/2], m.unit)
		}
	}
}

// begin begins to look and returns what ends it.
func (m *lookMode) begin(ctx context.Context, r *Relay, id string) (stop func()) {
	if m.look == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var looking sync.WaitGroup
	looking.Go(func() {
		for ctx.Err() == nil {
			m.look(ctx, r, id)
			if m.pause > 0 {
				select {
				case <-time.After(m.pause):
				case <-ctx.Done():
				}
			}
		}
	})
	return func() { cancel(); looking.Wait() }
}
