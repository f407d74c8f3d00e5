package relay

import (
	"time"

	"oxymoq/pkg/model"
)

// clear makes all actors leave and checks that nothing of them is left in the
// relay. It is called at the end of every test.
func (s *stage) clear() {
	s.t.Helper()
	for _, a := range s.cast {
		if a.sess != nil {
			a.sess.Close(model.NoError, "the play is over")
		}
	}
	longest := s.r.cfg.Grace
	for _, rule := range s.r.cfg.Rules {
		longest = max(longest, rule.Upstream.Linger)
	}
	pass(longest + time.Minute) // timers, deadlines of streams
	s.check(true)
}

// check compares what the relay keeps in several places. At the end nobody may
// be left.
func (s *stage) check(end bool) {
	s.t.Helper()
	r := s.r
	r.mu.Lock()
	defer r.mu.Unlock()
	tracks, idle, peers := 0, 0, 0
	var bytes int64
	for key, sc := range r.scopes {
		peers += sc.peers
		tracks += len(sc.tracks)
		if sc.key != key || sc.peers == 0 && len(sc.tracks) == 0 {
			s.t.Errorf("scope %q is empty", key)
		}
		if end && sc.routes.Len()+len(sc.tellers)+len(sc.exporters) > 0 {
			s.t.Errorf("scope %q: %d routes, %d relays that are told of %d", key, sc.routes.Len(), len(sc.tellers), len(sc.exporters))
		}
		if end && sc.published.Len()+sc.watchers.Len()+sc.collectors.Len() > 0 {
			s.t.Errorf("scope %q: %d publications, %d watchers, %d collectors are left", key, sc.published.Len(), sc.watchers.Len(), sc.collectors.Len())
		}
		for key, t := range sc.tracks {
			if t.idle != nil {
				idle++
			}
			bytes += t.log.Counters().LogBytes.Load()
			s.checkTrack(key, t, end)
		}
	}
	if idle != r.idle.Len() || idle > r.cfg.IdleTracks {
		s.t.Errorf("%d tracks are idle, %d listed, %d allowed", idle, r.idle.Len(), r.cfg.IdleTracks)
	}
	if n := r.counters.Tracks.Load(); n != int64(tracks) {
		s.t.Errorf("%d tracks, %d counted", tracks, n)
	}
	if n := r.counters.Sessions.Load(); n != int64(len(r.peers)) {
		s.t.Errorf("%d sessions, %d counted", len(r.peers), n)
	}
	if peers > len(r.peers) {
		s.t.Errorf("%d peers in scopes, %d sessions", peers, len(r.peers))
	}
	if end {
		if len(r.peers) > 0 {
			s.t.Errorf("%d sessions are left", len(r.peers))
		}
		if used := r.budget.Used(); used != bytes {
			s.t.Errorf("the budget counts %d bytes, the logs hold %d", used, bytes)
		}
	}
}

// checkTrack checks one track; Relay.mu is held.
func (s *stage) checkTrack(key string, t *relayTrack, end bool) {
	s.t.Helper()
	if t.dropped || key != t.name.Key() {
		s.t.Errorf("track %v is dropped or has the wrong key", t.name)
	}
	used := len(t.subs)+t.holds+len(t.ups)+len(t.opening)+len(t.leaving) > 0 || t.orphaned
	if used == (t.idle != nil) {
		s.t.Errorf("track %v: used %v, idle %v", t.name, used, t.idle != nil)
	}
	if t.orphaned != (t.grace != nil) || t.orphaned != (t.retry != nil) {
		s.t.Errorf("track %v: orphaned %v, but its timers run: %v, %v", t.name, t.orphaned, t.grace != nil, t.retry != nil)
	}
	for p, u := range t.ups {
		if u.peer != p || u.t != t || u.in == nil || t.opening[p] != nil {
			s.t.Errorf("track %v: upstream of session %s is not what it should be", t.name, p.id)
		}
	}
	if !end {
		return
	}
	if used || t.linger != nil {
		s.t.Errorf("track %v: %d subscribers, %d holds, %d publishers, %d opening, %d leaving, orphaned %v, lingering %v",
			t.name, len(t.subs), t.holds, len(t.ups), len(t.opening), len(t.leaving), t.orphaned, t.linger != nil)
	}
	if n := t.log.Counters().Subscribers.Load(); n != 0 {
		s.t.Errorf("track %v: the log counts %d subscribers", t.name, n)
	}
}
