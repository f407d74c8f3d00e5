package relay

import (
	"cmp"
	"fmt"
	"slices"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// Snapshot is what a window shows of a relay. It is a copy; readers of any
// number and speed hold up nothing but each other.
type Snapshot struct {
	Counters observe.RelaySnapshot
	Sessions []SessionSnapshot
	Tracks   []TrackSnapshot
}

// SessionSnapshot is what a window shows of a session.
type SessionSnapshot struct {
	ID, Remote, Transport, Implementation string
	Namespaces                            int // published
	Counters                              observe.SessionSnapshot
	Path                                  session.PathStats
}

// TrackSnapshot is what a window shows of a track.
type TrackSnapshot struct {
	Name        model.FullTrackName
	State       string   // "idle", "opening", "live" or "orphaned"
	Publishers  []string // session IDs
	Subscribers []SubscriberSnapshot
	Log         track.Snapshot
}

// SubscriberSnapshot is what a window shows of a subscriber of a track.
type SubscriberSnapshot struct {
	Session  string
	Forward  bool
	Counters observe.SubscriberSnapshot
}

// snapshotGroups is how many groups of each track a Snapshot shows.
const snapshotGroups = 16

// Snapshot returns the present state, sessions and tracks in a stable order.
func (r *Relay) Snapshot() Snapshot {
	s := Snapshot{Counters: r.counters.Snapshot()}
	var logs []*track.Track
	r.mu.Lock()
	for p, up := range r.peers {
		if up {
			s.Sessions = append(s.Sessions, p.snapshotLocked())
		}
	}
	for _, sc := range r.scopes {
		for _, t := range sc.tracks {
			s.Tracks = append(s.Tracks, t.snapshotLocked())
			logs = append(logs, t.log)
		}
	}
	r.mu.Unlock()
	for i, l := range logs {
		s.Tracks[i].Log = l.Snapshot(snapshotGroups)
	}
	slices.SortFunc(s.Sessions, func(a, b SessionSnapshot) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Tracks, func(a, b TrackSnapshot) int { return cmp.Compare(a.Name.Key(), b.Name.Key()) })
	return s
}

func (p *peer) snapshotLocked() SessionSnapshot {
	conn := p.session.Conn()
	return SessionSnapshot{
		ID: p.id, Remote: fmt.Sprint(conn.RemoteAddr()), Transport: string(conn.Kind()),
		Implementation: p.session.PeerImplementation(), Namespaces: p.namespaces,
		Counters: p.counters.Snapshot(), Path: conn.Stats(),
	}
}

func (t *relayTrack) snapshotLocked() TrackSnapshot {
	s := TrackSnapshot{Name: t.name, State: t.stateLocked()}
	for p := range t.ups {
		s.Publishers = append(s.Publishers, p.id)
	}
	for d := range t.subs {
		s.Subscribers = append(s.Subscribers, SubscriberSnapshot{Session: d.peer.id, Forward: d.forward, Counters: d.counters.Snapshot()})
	}
	slices.Sort(s.Publishers)
	slices.SortFunc(s.Subscribers, func(a, b SubscriberSnapshot) int { return cmp.Compare(a.Session, b.Session) })
	return s
}

func (t *relayTrack) stateLocked() string {
	switch {
	case len(t.ups) > 0:
		return "live"
	case len(t.opening) > 0:
		return "opening"
	case t.orphaned:
		return "orphaned"
	}
	return "idle"
}
