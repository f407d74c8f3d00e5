package relay

import (
	"fmt"
	"testing"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// TestTune: of unused tracks those go at once that another configuration does not
// keep, and what it says of new tracks and subscriptions holds for the next ones.
func TestTune(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
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
		kept := func(why string, want ...string) {
			t.Helper()
			names, _ := s.tracks()
			for _, n := range want {
				if !names[n] {
					t.Errorf("%s: track %s is missing in %v", why, n, names)
				}
			}
			if len(names) != len(want) {
				t.Errorf("%s: kept are %v, want %v", why, names, want)
			}
		}
		for n := range 4 {
			use(n)
		}
		kept("by default", "0", "1", "2", "3")
		s.r.Tune(Config{IdleTracks: 2})
		kept("of two", "2", "3")
		use(4)
		kept("of two later", "3", "4")
		s.r.Tune(Config{CacheBytes: 1})
		kept("without memory")
		if used, limit := s.r.budget.Used(), s.r.budget.Limit(); used != 0 || limit != 1 {
			t.Errorf("%d bytes are kept of %d", used, limit)
		}
		s.r.Tune(Config{
			Scope: ScopePath, CacheGroups: 3, Grace: time.Second, Slow: egress.Policy{MaxGroups: 5},
			Rules: []Rule{{Pattern: "*", Upstream: Upstream{Replay: true}}},
		})
		use(5)
		if now := s.r.tuned.Load(); now.Scope != ScopeNone || now.Slow.MaxGroups != 5 || now.Grace != time.Second || now.CacheBytes != DefaultCacheBytes {
			t.Errorf("%+v", now)
		}
		s.r.mu.Lock()
		defer s.r.mu.Unlock()
		for _, tr := range s.r.tracks {
			if !tr.policy.Replay {
				t.Errorf("track %s has the policy %+v", tr.fullName, tr.policy)
			}
		}
	})
}
