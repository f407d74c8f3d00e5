package relay

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/auth"
	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"
)

// TestConfigIsKept: what is set stays as it is, and what is not has a default.
func TestConfigIsKept(t *testing.T) {
	custom := Config{
		Session: session.Config{Implementation: "test"}, Authorizer: new(nobody), Scope: ScopePath, Path: "/x",
		CacheBytes: 1, CacheGroups: 2, IdleTracks: 3, Grace: 4, UpstreamTimeout: 5, MaxNamespaces: 6,
		Rules: rules(t, "*=eager"), Slow: egress.Policy{MaxGroups: 7, MaxBytes: 8, Action: egress.EndTooFarBehind}, Log: slog.Default(), KeepImmutable: true,
		Identity: observe.Identity{Name: "test", Addresses: []string{"moqt://test"}, Drafts: []string{"18"}}, Events: observe.NewRing(1),
	}
	for i := range reflect.TypeFor[Config]().NumField() {
		if reflect.ValueOf(custom).Field(i).IsZero() {
			t.Errorf("the test does not set %s", reflect.TypeFor[Config]().Field(i).Name)
		}
	}
	if got := New(custom).cfg; !reflect.DeepEqual(got, custom) {
		t.Errorf("got %+v, want %+v", got, custom)
	}
	got := New(Config{}).cfg
	if got.CacheBytes != DefaultCacheBytes || got.CacheGroups != DefaultCacheGroups || got.IdleTracks != DefaultIdleTracks ||
		got.Grace != DefaultGrace || got.UpstreamTimeout != DefaultUpstreamTimeout || got.MaxNamespaces != DefaultMaxNamespaces ||
		got.Slow.MaxGroups != DefaultMaxGroupsBehind || got.Scope != ScopeNone || got.Log == nil {
		t.Errorf("the zero value becomes %+v", got)
	}
}

// nobody is an Authorizer that, unlike a function, equals itself.
type nobody struct{ auth.Authorizer }

// TestDrainAgainAndAgain: called ten times at once, and again afterwards.
func TestDrainAgainAndAgain(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		a := s.join()
		var all sync.WaitGroup
		began := time.Now()
		for range 10 {
			all.Go(func() { s.r.Drain(t.Context(), "", time.Minute) })
		}
		<-a.sess.GoawayReceived()
		pass(time.Second)
		a.sess.Close(model.NoError, "leaving as asked")
		all.Wait()
		for range 10 {
			s.r.Drain(t.Context(), "", time.Minute)
		}
		if d := time.Since(began); d != time.Second {
			t.Errorf("it took %v until the last peer had left, and after it", d)
		}
		s.r.Wait()
		s.r.Wait()
	})
}

// TestManyAtOnce: relays are made and used by a hundred goroutines, and one of
// them by all.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := New(Config{})
		var all, serving sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		for i := range 100 {
			all.Go(func() {
				own := New(Config{})
				for _, r := range []*Relay{own, shared} {
					ours, theirs := memtr.Pair()
					serving.Go(func() { _ = r.Serve(ctx, theirs) })
					s, err := session.Start(ctx, ours, session.Config{})
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := s.PublishNamespace(ctx, model.Namespace{fmt.Sprint(i)}); err != nil {
						t.Error(err)
					}
					if _, err := r.State(ctx); err != nil {
						t.Error(err)
					}
					s.Close(model.NoError, "")
				}
				own.Drain(ctx, "", time.Minute)
			})
		}
		all.Wait()
		stop()
		serving.Wait()
		shared.Wait()
		if c := shared.Counters().Snapshot(); c.SessionsTotal != 100 || c.Sessions != 0 {
			t.Errorf("%d sessions were counted, %d are left", c.SessionsTotal, c.Sessions)
		}
	})
}

// TestIdleSubscribersAreLeftAlone: for an hour a crowd of subscribers waits, and
// nothing wakes up to look for something to do.
func TestIdleSubscribersAreLeftAlone(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.join()
		pub.publish("moq-date", "date", session.Offer{})
		var last *clock
		for range crowd {
			last = new(clock)
			testkit.Must(s.join().sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date}, last))(t)
		}
		g := pub.stream(pub.outbound("date"), 1, 0, 1)
		pass(time.Minute)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		pass(time.Hour)
		runtime.ReadMemStats(&after)
		// The run-time system allocates a little by itself; a look every
		// second by one of them would be 3600 times as much.
		if n := after.Mallocs - before.Mallocs; n > 1000 {
			t.Errorf("%d allocations in an hour in which nothing happened", n)
		}
		sent := time.Now()
		g.write(1)
		synctest.Wait()
		if last.after(loc(1, 1), sent) != model.Some(time.Duration(0)) {
			t.Error("the next object is not delivered at once")
		}
	})
}

// TestSubscribersComeAndGo while objects are published, each at its own pace: one
// that stays misses nothing, and nothing is left of the others.
func TestSubscribersComeAndGo(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.join()
		pub.publish("moq-date", "date", session.Offer{})
		steady := s.tapeOf(date)
		var guests sync.WaitGroup
		for i := range 16 {
			a := s.join()
			guests.Go(func() {
				r := rand.New(rand.NewPCG(1, uint64(i)))
				for range 30 {
					in, err := a.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date}, new(clock))
					if err != nil {
						t.Error(err)
						return
					}
					time.Sleep(time.Duration(r.IntN(10)) * time.Millisecond) // virtual, as all of it
					in.Cancel(model.ResetCancelled)
					time.Sleep(time.Millisecond)
				}
			})
		}
		out := pub.outbound("date")
		const groups, objects = 30, 10
		for group := range uint64(groups) {
			g := pub.stream(out, group, 0, 0)
			for range objects {
				g.write(1)
				time.Sleep(time.Millisecond)
			}
			g.Close()
		}
		guests.Wait()
		got := steady.byGroup()
		if len(got) != groups {
			t.Fatalf("%d groups of %d", len(got), groups)
		}
		for _, st := range got {
			if st.End != "EOF" || len(st.Objects) != objects {
				t.Errorf("group %d: %d objects, then %s", st.Header.Group, len(st.Objects), st.End)
			}
		}
		pub.wantCounts("one subscription for all", 1, 0)
		if subs := s.state().Tracks[0].Subscribers; subs != 1 {
			t.Errorf("%d subscribers are left", subs)
		}
	})
}
