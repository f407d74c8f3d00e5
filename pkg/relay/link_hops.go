package relay

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"oxymoq/pkg/model"
)

// Relays of this kind tell each other by which relays a namespace is reached, so
// that nothing goes in circles (docs/adr/0014-links.md). MoQT has no field for
// that, but any namespace may be asked for, so they ask for those below hopsField:
// the fields between it and the last one are the namespace, the last is the list.
const (
	hopsField = "oxymoq-hops"
	// hopsSeparator stands between the IDs of the relays in the last field, the
	// nearest first.
	hopsSeparator = "."
	// foreignMark begins the ID of a relay that tells no hops. It is the last of a
	// list: nobody knows what lies behind it.
	foreignMark = "*"
	// routeMark begins the last field of a namespace that is not published, or not
	// as a whole, but whose tracks can be asked for.
	routeMark = "~"
)

// MaxHops is how many relays a namespace is told over. One that comes from farther
// is not used.
const MaxHops = 16

// idBytes is the length of the ID of a relay, which is shown in hexadecimal.
const idBytes = 8

// newRelayID returns an ID that no other relay has.
func newRelayID() string {
	b := make([]byte, idBytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// A relay tells its ID as the end of what it calls itself in SETUP, which every
// peer of every draft takes as mere text.
const idBefore, idAfter = "(relay ", ")"

// withID adds the ID of a relay to what it calls itself.
func withID(implementation, id string) string {
	return strings.TrimSpace(implementation + " " + idBefore + id + idAfter)
}

// idOf returns the ID in what a peer calls itself, "" if it is not a relay that
// tells hops.
func idOf(implementation string) string {
	_, id, found := strings.Cut(implementation, idBefore)
	id, ended := strings.CutSuffix(id, idAfter)
	if !found || !ended || !isID(id) {
		return ""
	}
	return id
}

// foreignID returns an ID for a relay that has told none, the same at all who dial
// one address.
func foreignID(address string) string {
	sum := sha256.Sum256([]byte(address))
	return foreignMark + hex.EncodeToString(sum[:idBytes])
}

func isID(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == idBytes
}

// hops are the relays that a namespace is reached by, the nearest first; none if it
// is published here.
type hops []string

// foreign reports whether the way leads over a relay that tells no hops.
func (h hops) foreign() bool { return len(h) > 0 && strings.HasPrefix(h[len(h)-1], foreignMark) }

// compare orders ways: those of which every relay is known first, of them the
// shortest, and those of one length in the same order at every relay.
func (h hops) compare(o hops) int {
	if h.foreign() != o.foreign() {
		if h.foreign() {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(len(h), len(o)), slices.Compare(h, o))
}

// announcement returns the namespace by which a way is told.
func announcement(ns model.Namespace, way hops, route bool) model.Namespace {
	last := strings.Join(way, hopsSeparator)
	if route {
		last = routeMark + last
	}
	return model.Namespace{hopsField}.Join(ns).Join(model.Namespace{last})
}

// parseAnnouncement undoes announcement; ok is false for what is none.
func parseAnnouncement(told model.Namespace) (ns model.Namespace, way hops, route, ok bool) {
	if len(told) < 2 || told[0] != hopsField {
		return nil, nil, false, false
	}
	last, route := strings.CutPrefix(told[len(told)-1], routeMark)
	if len(last) > (MaxHops+1)*(2*idBytes+len(hopsSeparator))+len(foreignMark) {
		return nil, nil, false, false
	}
	way = strings.Split(last, hopsSeparator)
	for i, id := range way {
		if i > 0 && i == len(way)-1 {
			id = strings.TrimPrefix(id, foreignMark)
		}
		if !isID(id) {
			return nil, nil, false, false
		}
	}
	return told[1 : len(told)-1], way, route, len(way) <= MaxHops
}

// isHops reports whether a prefix asks for ways.
func isHops(prefix model.Namespace) bool { return len(prefix) > 0 && prefix[0] == hopsField }

// tellerOf is the state of a watcher that is told ways.
type tellerOf struct {
	below model.Namespace            // the prefix, without hopsField
	told  map[string]model.Namespace // announcements, by key of route and namespace
}

// tellAllLocked begins to tell a watcher the ways to all namespaces below its
// prefix.
func (sc *scope) tellAllLocked(w *watcher) {
	sc.tellers[w] = true
	w.loading = true
	defer func() { w.loading = false }()
	var all []model.Namespace
	for ns := range sc.published.Below(w.ways.below) {
		all = append(all, ns)
	}
	for _, ns := range all {
		sc.tellLocked(w, ns, false)
	}
	all = all[:0]
	for ns := range sc.routes.Below(w.ways.below) {
		all = append(all, ns)
	}
	for _, ns := range append(all, w.ways.below) {
		sc.tellLocked(w, ns, true)
	}
}

// waysChangedLocked tells all who are told ways that one to ns has come or gone.
func (sc *scope) waysChangedLocked(ns model.Namespace, route bool) {
	for w := range sc.tellers {
		switch {
		case ns.HasPrefix(w.ways.below):
			sc.tellLocked(w, ns, route)
		case w.ways.below.HasPrefix(ns): // what it asks for lies below
			sc.tellLocked(w, w.ways.below, true)
		}
	}
}

// tellLocked tells a watcher the best way to a namespace, if it is another than
// before.
func (sc *scope) tellLocked(w *watcher, ns model.Namespace, route bool) {
	key := ns.Key()
	if route {
		key = routeMark + key
	}
	var now model.Namespace
	exchanged := w.peer.link == nil || w.peer.link.covers(ns)
	if way, ok := sc.wayLocked(w, ns, route); ok && exchanged && len(way) < MaxHops {
		now = announcement(ns, append(hops{w.r.id}, way...), route)
		if now.Validate() != nil { // with two fields more it is too long to be told
			now = nil
		}
	}
	before := w.ways.told[key]
	if now.Equal(before) {
		return
	}
	if before != nil {
		delete(w.ways.told, key)
		w.reportLocked(before[len(w.prefix):], false)
	}
	if now != nil {
		w.ways.told[key] = now
		w.reportLocked(now[len(w.prefix):], true)
	}
}

// wayLocked returns the best way to a namespace that does not lead over the relay
// that is to be told it.
func (sc *scope) wayLocked(w *watcher, ns model.Namespace, route bool) (best hops, ok bool) {
	consider := func(pub *publication) {
		if !pub.untold && !pub.leadsOver(w.peer) && (!ok || pub.way.compare(best) < 0) {
			best, ok = pub.way, true
		}
	}
	if !route {
		for pub := range sc.published.At(ns) {
			consider(pub)
		}
		return best, ok
	}
	for pub := range sc.routes.At(ns) {
		consider(pub)
	}
	if !ns.Equal(w.ways.below) {
		return best, ok
	}
	for _, pub := range sc.routes.Covering(ns) {
		consider(pub)
	}
	for at, pub := range sc.published.Covering(ns) {
		if len(at) < len(ns) {
			consider(pub)
		}
	}
	return best, ok
}

// leadsOver reports whether the way to what is published leads over a peer.
func (pub *publication) leadsOver(p *peer) bool {
	return pub.peer == p || p.hop != "" && (pub.peer.hop == p.hop || slices.Contains(pub.way, p.hop))
}
