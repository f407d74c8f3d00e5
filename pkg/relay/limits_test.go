package relay

import (
	"fmt"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// tracks returns the names of the tracks that the relay knows, and how many
// scopes.
func (s *stage) tracks() (names map[string]bool, scopes int) {
	s.settle()
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	names = map[string]bool{}
	for _, sc := range s.r.scopes {
		for _, t := range sc.tracks {
			names[t.name.Name] = true
		}
	}
	return names, len(s.r.scopes)
}

// TestIdleTracksAreBounded: of too many, the one used least recently goes.
func TestIdleTracksAreBounded(t *testing.T) {
	play(t, Config{IdleTracks: 3}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.announce("a")
		use := func(n int) {
			t.Helper()
			track := fmt.Sprint(n)
			pub.offer(track, session.Offer{})
			in := sub.mustSubscribe(name("a", track))
			pub.stream(pub.outbound(track), 1, 0, 1).Close()
			s.settle()
			in.Cancel(model.ResetCancelled)
			pass(time.Second)
		}
		for n := range 3 {
			use(n)
		}
		pub.offer("0", largest(1, 0))
		in := sub.mustSubscribe(name("a", "0")) // now it is the newest
		in.Cancel(model.ResetCancelled)
		s.settle()
		use(3)
		use(4)
		names, _ := s.tracks()
		if len(names) != 3 || !names["0"] || !names["3"] || !names["4"] {
			t.Errorf("kept are %v", names)
		}
		if n := s.r.counters.Tracks.Load(); n != 3 {
			t.Errorf("%d tracks are counted", n)
		}
	})
}

// TestNoIdleTracks: without a cache nothing is left of a track that nobody uses.
func TestNoIdleTracks(t *testing.T) {
	play(t, Config{IdleTracks: -1}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.announce("a")
		pub.offer("x", session.Offer{})
		in := sub.mustSubscribe(name("a", "x"))
		pub.stream(pub.outbound("x"), 1, 0, 1).Close()
		s.settle()
		in.Cancel(model.ResetCancelled)
		pass(time.Second)
		if names, _ := s.tracks(); len(names) != 0 {
			t.Errorf("kept are %v", names)
		}
	})
}

// TestTracksOfNothing take no place: anybody can ask for what does not exist.
func TestTracksOfNothing(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, a := s.join(), s.join()
		pub.announce("a")
		for n := range 20 {
			for _, ns := range []string{"a", "b"} {
				track := name(ns, fmt.Sprint(n))
				if _, err := a.subscribe(track, session.Change{}); err == nil {
					t.Error("accepted")
				}
				if _, err := a.fetch(session.FetchOptions{Track: track, Range: span(0, 0, 1, 1)}); err == nil {
					t.Error("fetched")
				}
				if _, err := a.TrackStatusOf(track); err == nil {
					t.Error("status")
				}
			}
		}
		if names, _ := s.tracks(); len(names) > 0 {
			t.Errorf("kept are %v", names)
		}
	})
}

// TestScopesAreForgotten: paths are chosen by clients.
func TestScopesAreForgotten(t *testing.T) {
	play(t, Config{Scope: ScopePath}, func(t *testing.T, s *stage) {
		for n := range 20 {
			a := s.joinAt(fmt.Sprintf("/%d", n))
			a.announce("a")
			a.watch("a")
			a.sess.Close(model.NoError, "")
		}
		if _, n := s.tracks(); n != 0 {
			t.Errorf("%d scopes are kept", n)
		}
		pub, sub := s.joinAt("/x"), s.joinAt("/x")
		pub.publish("a", "t", session.Offer{})
		sub.mustSubscribe(name("a", "t"))
		pub.stream(pub.outbound("t"), 1, 0, 1).Close()
		s.settle()
		pub.sess.Close(model.NoError, "")
		sub.sess.Close(model.NoError, "")
		pass(time.Hour)
		if names, n := s.tracks(); n != 1 || len(names) != 1 {
			t.Errorf("%d scopes with %v are kept, want the one that holds something", n, names)
		}
		again := s.joinAt("/x")
		again.wantFetch("it is still there", session.FetchOptions{Track: name("a", "t"), Range: span(1, 0, 1, 0)}, "1/0")
	})
}

// TestCacheGroups: older groups leave the log, and are fetched again.
func TestCacheGroups(t *testing.T) {
	play(t, Config{CacheGroups: 2}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		for g := range uint64(5) {
			pub.stream(out, g, 0, 1).end()
			s.settle()
		}
		pub.past["date"] = []model.Location{loc(0, 0), loc(1, 0), loc(2, 0), loc(3, 0), loc(4, 0)}
		pass(time.Minute)
		sub.wantFetch("what is held", session.FetchOptions{Range: span(3, 0, 4, 0)}, "3/0 4/0")
		pub.wantCounts("no fetch", 1, 0)
		sub.wantFetch("what has left", session.FetchOptions{Range: span(1, 0, 4, 0)}, "1/0 2/0 3/0 4/0")
		pub.wantCounts("one fetch", 1, 1)
	})
}

// TestSessionLimits: too many requests of one peer.
// Duties: 78.
func TestSessionLimits(t *testing.T) {
	cfg := Config{}
	cfg.Session.Limits.Requests = 3
	play(t, cfg, func(t *testing.T, s *stage) {
		a := s.join()
		for n := range 3 {
			a.announce(fmt.Sprint(n))
		}
		if _, err := a.sess.PublishNamespace(t.Context(), model.Namespace{"x"}); err == nil {
			t.Error("the fourth of three is accepted")
		}
	})
}
