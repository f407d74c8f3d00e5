package relay

import (
	"cmp"
	"slices"
	"time"

	"oxymoq/pkg/model"
)

// publication is a namespace that can be had from a peer.
type publication struct {
	peer *peer
	ns   model.Namespace
	way  hops // from the peer on; none if it publishes by itself
	// pushed: the peer does not serve the namespace, but sent PUBLISH for a track
	// in it.
	pushed bool
	// untold: it is where a link leads, which says nothing of what is there. It is
	// of use to those who came to us, and nobody is told.
	untold bool
	// told is what a relay reported, and route whether it is not published.
	told  model.Namespace
	route bool
}

// own reports whether the peer publishes by itself, not for others.
func (pub *publication) own() bool { return len(pub.way) == 0 }

// publishLocked makes a namespace known: whoever watches is told, and tracks that
// wait for a publisher, or whose subscribers this one could serve too, are asked
// for.
func (sc *scope) publishLocked(pub *publication) {
	before := sc.watchersThatSeeLocked(pub.ns)
	sc.published.Insert(pub.ns, pub)
	for prefix, w := range sc.watchers.Covering(pub.ns) {
		if !before[w] && sc.seesLocked(w, pub.ns) {
			w.reportLocked(pub.ns[len(prefix):], true)
		}
	}
	sc.changedLocked(pub.ns, false)
	sc.askForWaitingLocked(pub)
}

// withdrawLocked undoes publishLocked.
func (sc *scope) withdrawLocked(pub *publication) {
	before := sc.watchersThatSeeLocked(pub.ns)
	sc.published.Remove(pub.ns, pub)
	for prefix, w := range sc.watchers.Covering(pub.ns) {
		if before[w] && !sc.seesLocked(w, pub.ns) {
			w.reportLocked(pub.ns[len(prefix):], false)
		}
	}
	sc.changedLocked(pub.ns, false)
}

// routeLocked makes known that tracks below a namespace can be asked for, although
// nobody publishes it.
func (sc *scope) routeLocked(pub *publication) {
	sc.routes.Insert(pub.ns, pub)
	sc.changedLocked(pub.ns, true)
	sc.askForWaitingLocked(pub)
}

// unrouteLocked undoes routeLocked.
func (sc *scope) unrouteLocked(pub *publication) {
	sc.routes.Remove(pub.ns, pub)
	sc.changedLocked(pub.ns, true)
}

// changedLocked tells the other relays of a change.
func (sc *scope) changedLocked(ns model.Namespace, route bool) {
	sc.waysChangedLocked(ns, route)
	for e := range sc.exporters {
		e.changedLocked(ns)
	}
}

// watchersThatSeeLocked returns those who are told of a namespace at present.
func (sc *scope) watchersThatSeeLocked(ns model.Namespace) map[*watcher]bool {
	if !anyOf(sc.published.At(ns)) {
		return nil
	}
	seen := map[*watcher]bool{}
	for _, w := range sc.watchers.Covering(ns) {
		if sc.seesLocked(w, ns) {
			seen[w] = true
		}
	}
	return seen
}

// seesLocked reports whether a watcher is told of a namespace. Upstream relays are
// not told of what they, or others that tell no hops, have told us: it would go in
// circles.
func (sc *scope) seesLocked(w *watcher, ns model.Namespace) bool {
	for pub := range sc.published.At(ns) {
		if w.peer.link == nil || !pub.way.foreign() && w.peer.link.covers(ns) {
			return true
		}
	}
	return false
}

// askForWaitingLocked asks a new publisher for what it could serve. Other relays
// are asked if nobody else sends the track: one subscription per track and hop.
func (sc *scope) askForWaitingLocked(pub *publication) {
	if pub.pushed || !pub.peer.takesRequests() {
		return
	}
	for _, t := range sc.tracks {
		if !t.name.Namespace.HasPrefix(pub.ns) || !t.wantsPublisherLocked() {
			continue
		}
		if pub.own() || !t.suppliedLocked() {
			t.openLocked(pub.peer)
		}
	}
}

// suppliedLocked reports whether somebody sends the track, or was asked to, and is
// going to stay.
func (t *relayTrack) suppliedLocked() bool {
	for _, ups := range []map[*peer]*upstream{t.ups, t.opening} {
		for p := range ups {
			if p.takesRequests() {
				return true
			}
		}
	}
	return false
}

// sourcesLocked returns who can be asked for a track: those who publish its
// namespace by themselves, and the relays that lead to others, the best first. For
// a relay, only the best way is given that does not lead over itself: it gets
// shorter with each relay, so that a request cannot go in circles. from is who
// asks, nil for the relay itself. Only for a client what a link leads to is asked
// without a way, at last.
func (t *relayTrack) sourcesLocked(from *peer) (own map[*peer]bool, relays []*peer) {
	own = map[*peer]bool{}
	type candidate struct {
		pub   *publication
		route bool
	}
	var ways []candidate
	client := from != nil && !from.isRelay()
	consider := func(pub *publication, route bool) {
		switch {
		case pub.untold && !client:
		case pub.pushed || !pub.peer.takesRequests():
		case pub.own():
			own[pub.peer] = true
		case pub.way.foreign() && t.goesToLocked(pub.way[len(pub.way)-1]): // it may have it from here only
		case from == nil || !pub.leadsOver(from):
			ways = append(ways, candidate{pub, route})
		}
	}
	for _, pub := range t.scope.published.Covering(t.name.Namespace) {
		consider(pub, false)
	}
	for _, pub := range t.scope.routes.Covering(t.name.Namespace) {
		consider(pub, true)
	}
	slices.SortFunc(ways, func(a, b candidate) int {
		for _, last := range [][2]bool{{a.route, b.route}, {a.pub.untold, b.pub.untold}} {
			switch {
			case last[0] && !last[1]:
				return 1
			case last[1] && !last[0]:
				return -1
			}
		}
		return cmp.Or(a.pub.way.compare(b.pub.way), cmp.Compare(a.pub.peer.number, b.pub.peer.number))
	})
	for _, c := range ways {
		if !own[c.pub.peer] && !slices.Contains(relays, c.pub.peer) {
			relays = append(relays, c.pub.peer)
		}
	}
	if from != nil && from.isRelay() && len(relays) > 1 {
		relays = relays[:1]
	}
	return own, relays
}

// noPublisher is what a subscriber is told of a track that nobody publishes: to come
// back if a link is down behind which somebody may.
func (t *relayTrack) noPublisher() error {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	for _, l := range t.r.links {
		if l.state != linkUp && l.covers(t.name.Namespace) {
			return errNotReached
		}
	}
	return errNoPublisher
}

var errNotReached = &model.RequestError{
	Code: model.DoesNotExist, Reason: "a relay that may have the track cannot be reached", RetryAfter: model.Some(time.Second),
}

// goesToLocked reports whether a relay that tells no hops subscribes to the track.
func (t *relayTrack) goesToLocked(foreign string) bool {
	for d := range t.subs {
		if d.peer.hop == foreign {
			return true
		}
	}
	return false
}

// openNextLocked asks all who publish the track's namespace by themselves, and when
// those were asked in vain the relays one by one. It reports whether there was
// anybody to ask.
func (t *relayTrack) openNextLocked(from *peer, asked map[*peer]bool) bool {
	own, relays := t.sourcesLocked(from)
	some := false
	for p := range own {
		if !asked[p] {
			some, asked[p] = true, true
			t.openLocked(p)
		}
	}
	for _, p := range relays {
		if some {
			break
		}
		if !asked[p] {
			some, asked[p] = true, true
			t.openLocked(p)
		}
	}
	return some
}

// openAllLocked asks everybody who may have the track, except for one: of the
// relays one at a time, each time another.
func (t *relayTrack) openAllLocked(except *peer) {
	own, relays := t.sourcesLocked(nil)
	asked := false
	for p := range own {
		if p != except {
			asked = true
			t.openLocked(p)
		}
	}
	relays = slices.DeleteFunc(relays, func(p *peer) bool { return p == except })
	if len(relays) == 0 || asked && except != nil {
		return
	}
	t.openLocked(relays[t.turn%len(relays)])
	t.turn++
}

// elsewhereLocked returns those of the publishers that may be asked for a peer: all,
// unless it is a relay, for which it is the best that does not lead back to it.
func (t *relayTrack) elsewhereLocked(from *peer, publishers []*peer) []*peer {
	own, relays := t.sourcesLocked(from)
	kept := publishers[:0:0]
	for _, p := range publishers {
		u := t.ups[p]
		if own[p] || slices.Contains(relays, p) || u != nil && !p.sameRelay(from) && (u.pushed || !from.isRelay()) {
			kept = append(kept, p)
		}
	}
	slices.SortStableFunc(kept, func(a, b *peer) int {
		if x, y := t.ups[a] != nil, t.ups[b] != nil; x != y {
			if x {
				return -1
			}
			return 1
		}
		return cmp.Compare(slices.Index(relays, a), slices.Index(relays, b)) // who publishes by itself has -1
	})
	return kept
}

// isRelay reports whether the peer is known to be a relay.
func (p *peer) isRelay() bool { return p.link != nil || p.relayID != "" }

// sameRelay reports whether two sessions are of one relay.
func (p *peer) sameRelay(o *peer) bool {
	return p == o || p.relayID != "" && p.relayID == o.relayID
}

// circularLocked reports whether the track comes, or is asked for, from a relay
// only that now asks for it itself, and so has no other source.
func (t *relayTrack) circularLocked(from *peer) bool {
	if !from.isRelay() {
		return false
	}
	for _, ups := range []map[*peer]*upstream{t.ups, t.opening} {
		for p := range ups {
			if !p.sameRelay(from) {
				return false
			}
		}
	}
	return len(t.ups)+len(t.opening) > 0 || t.orphaned
}

// turnLocked ends what a relay sends us of a track that it gets from us from now
// on: it has no other source, and each would wait for the other for ever.
func (t *relayTrack) turnLocked(from *peer) {
	if !from.isRelay() {
		return
	}
	for p, u := range t.ups {
		if p.sameRelay(from) && !u.pushed && len(t.ups) > 1 {
			t.partFromLocked(u)
		}
	}
}
