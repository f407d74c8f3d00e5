package relay

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
)

// A Relay is what windows look at and act on.
var (
	_ observe.Source  = (*Relay)(nil)
	_ observe.Control = (*Relay)(nil)
)

// Events is for observe.Source.
func (r *Relay) Events(ctx context.Context, after uint64) ([]observe.Event, uint64, error) {
	return r.events.Events(ctx, after)
}

// view is what State takes under Relay.mu: pointers, and what only mu guards. All
// else is read without it, so that looking holds up nobody for long.
type view struct {
	peers    []peerView
	tracks   []trackView
	spaces   []spaceView
	links    []linkView
	draining bool
	totals   observe.Totals
	delays   observe.Counts
}

type peerView struct {
	p                   *peer
	namespaces, watches int
}

type trackView struct {
	t       *relayTrack
	state   string
	subs    int
	senders []*peer
}

// spaceView is one who publishes or watches a namespace.
type spaceView struct {
	scope     *scope
	ns        model.Namespace
	peer      *peer
	publishes bool
}

// State is for observe.Source.
func (r *Relay) State(context.Context) (*observe.State, error) {
	now := time.Now()
	v := r.view()
	s := &observe.State{
		Time: now, Relay: r.cfg.Identity, Counters: r.counters.Snapshot(), Totals: v.totals,
		Cache:    observe.CacheState{Bytes: r.budget.Used(), Budget: r.budget.Limit()},
		Sessions: make([]observe.SessionState, 0, len(v.peers)),
		Tracks:   make([]observe.TrackState, 0, len(v.tracks)),
		Links:    []observe.LinkState{},
	}
	s.Relay.Began, s.Relay.Draining = r.began, v.draining
	for i := range v.peers {
		p := &v.peers[i]
		delays := p.p.counters.Delays.Counts()
		v.delays.Merge(&delays)
		s.Sessions = append(s.Sessions, p.state(now, &delays))
		s.Totals.Add(s.Sessions[i].Counters)
	}
	s.Lag, s.Totals.Delays = r.late.LagOf(now, &v.delays), v.delays.Histogram()
	for i := range v.tracks {
		s.Tracks = append(s.Tracks, v.tracks[i].show(now))
		c := &s.Tracks[i].Counters
		s.Totals.Dropped.Merge(c.Dropped)
		s.Cache.Groups += c.LogGroups
		if c.LogGroups > 0 {
			s.Cache.Tracks++
		}
	}
	s.Spaces = v.namespaces()
	for i := range v.links {
		s.Links = append(s.Links, v.links[i].show())
	}
	return s, nil
}

// view takes what there is, sessions and tracks in the order in which they came.
func (r *Relay) view() *view {
	r.mu.Lock()
	v := r.viewLocked()
	r.mu.Unlock()
	slices.SortFunc(v.peers, func(a, b peerView) int { return cmp.Compare(a.p.number, b.p.number) })
	return v
}

// viewLocked takes what there is, sessions in no order.
func (r *Relay) viewLocked() *view {
	v := new(view)
	v.draining, v.totals, v.delays = r.draining != nil, r.gone, r.goneDelays
	v.peers = make([]peerView, 0, len(r.peers))
	for p, up := range r.peers {
		if up {
			v.peers = append(v.peers, peerView{p, p.namespaces, p.watches})
		}
	}
	v.tracks = make([]trackView, 0, len(r.tracks))
	senders := make([]*peer, 0, len(r.tracks)) // of all tracks, in one piece
	for at := r.inOrder.Front(); at != nil; at = at.Next() {
		t := at.Value.(*relayTrack)
		first := len(senders)
		for p := range t.ups {
			senders = append(senders, p)
		}
		v.tracks = append(v.tracks, trackView{t, t.stateLocked(), len(t.subs), senders[first:len(senders):len(senders)]})
	}
	for _, l := range r.links {
		v.links = append(v.links, l.viewLocked())
	}
	for _, sc := range r.scopes {
		for ns, pub := range sc.published.Below(nil) {
			v.spaces = append(v.spaces, spaceView{sc, ns, pub.peer, true})
		}
		for ns, w := range sc.watchers.Below(nil) {
			v.spaces = append(v.spaces, spaceView{sc, ns, w.peer, false})
		}
		for ns, c := range sc.collectors.Below(nil) {
			v.spaces = append(v.spaces, spaceView{sc, ns, c.peer, false})
		}
	}
	return v
}

// state shows a session.
func (v *peerView) state(now time.Time, delays *observe.Counts) observe.SessionState {
	p := v.p
	s := observe.SessionState{
		ID: p.id, Remote: p.remote, Transport: string(p.session.Conn().Kind()), Draft: p.session.Draft().String(),
		Role: "–", Implementation: p.session.PeerImplementation(), Path: p.session.Path(), Began: p.began,
		Namespaces: v.namespaces, Watches: v.watches,
		Link: hall.ShowPath(p.session.Conn().Stats()), Lag: p.late.LagOf(now, delays), Counters: p.counters.Snapshot(),
	}
	s.Publishes, s.Subscribes = int(s.Counters.Publications), int(s.Counters.Subscriptions)
	publishes, subscribes := s.Namespaces+s.Publishes > 0, s.Watches+s.Subscribes > 0
	switch {
	case publishes && subscribes:
		s.Role = "pub+sub"
	case publishes:
		s.Role = "pub"
	case subscribes:
		s.Role = "sub"
	}
	return s
}

// show shows a track.
func (v *trackView) show(now time.Time) observe.TrackState {
	t := v.t
	counters, glance := t.log.Counters(), t.log.Glance()
	s := observe.TrackState{
		ID: t.id, Namespace: t.name.Namespace, Name: t.name.Name, FullName: t.fullName, Scope: t.scope.label(),
		State: v.state, Began: t.began, Publishers: ids(v.senders), Subscribers: v.subs, Newest: glance.Arrival,
		Counters: counters.Snapshot(),
	}
	if l, ok := glance.Largest.Get(); ok {
		s.Largest = &observe.Location{Group: l.Group, Object: l.Object}
	}
	s.Lag = t.late.LagIfGrown(now, &counters.Delays, s.Counters.ObjectsOut)
	return s
}

// ids returns the IDs of peers, each once, in the order in which they came.
func ids(peers []*peer) []string {
	slices.SortFunc(peers, func(a, b *peer) int { return cmp.Compare(a.number, b.number) })
	all := make([]string, 0, len(peers))
	for i, p := range peers {
		if i == 0 || peers[i-1] != p {
			all = append(all, p.id)
		}
	}
	return all
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

// label is what people are shown of the key of a scope.
func (sc *scope) label() string {
	return strings.Trim(strings.ReplaceAll(sc.key, "\x00", " "), " ")
}

// namespaces shows who publishes and watches which namespaces, in the order of
// scopes and fields.
func (v *view) namespaces() []observe.NamespaceState {
	slices.SortStableFunc(v.spaces, func(a, b spaceView) int {
		return cmp.Or(cmp.Compare(a.scope.key, b.scope.key), slices.Compare(a.ns, b.ns))
	})
	below := v.tracksBelow()
	all := make([]observe.NamespaceState, 0)
	for len(v.spaces) > 0 {
		first := v.spaces[0]
		n := 1
		for n < len(v.spaces) && v.spaces[n].scope == first.scope && v.spaces[n].ns.Equal(first.ns) {
			n++
		}
		var publishers, watchers []*peer
		for _, s := range v.spaces[:n] {
			if s.publishes {
				publishers = append(publishers, s.peer)
			} else {
				watchers = append(watchers, s.peer)
			}
		}
		v.spaces = v.spaces[n:]
		all = append(all, observe.NamespaceState{
			Fields: append([]string{}, first.ns...), Name: first.ns.String(), Scope: first.scope.label(),
			Publishers: ids(publishers), Watchers: ids(watchers), Tracks: below[spaceKey{first.scope, first.ns.Key()}],
		})
	}
	return all
}

// spaceKey is a namespace in a scope.
type spaceKey struct {
	scope *scope
	key   string
}

// tracksBelow counts the tracks at or below each namespace of the view.
func (v *view) tracksBelow() map[spaceKey]int {
	below := make(map[spaceKey]int, len(v.spaces))
	for _, s := range v.spaces {
		below[spaceKey{s.scope, s.ns.Key()}] = 0
	}
	for i := range v.tracks {
		t := v.tracks[i].t
		for _, prefix := range t.prefixes {
			key := spaceKey{t.scope, prefix}
			if had, wanted := below[key]; wanted {
				below[key] = had + 1
			}
		}
	}
	return below
}
