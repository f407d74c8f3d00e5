package relay

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
)

var errNotAsked = &model.RequestError{Code: model.Uninterested, Reason: "relays are asked for tracks, and need not offer them"}

// exchange begins to tell and to ask another relay what there is. Relays that tell
// hops ask each other, whichever of them made the session. Others are told by
// PUBLISH_NAMESPACE if we made it; if they did they are clients like others.
func (p *peer) exchange() {
	switch {
	case p.relayID != "":
		for _, prefix := range p.prefixes() {
			p.r.work.Go(func() { p.learn(model.Namespace{hopsField}.Join(prefix), p.learnWay) })
		}
		if p.link != nil {
			p.routeUp()
		}
	case p.link != nil:
		for _, prefix := range p.prefixes() {
			p.r.work.Go(func() { p.learn(prefix, p.learnForeign) })
		}
		p.routeUp()
		p.export()
	}
}

// prefixes are what is exchanged with a relay.
func (p *peer) prefixes() []model.Namespace {
	if p.link == nil {
		return []model.Namespace{{}}
	}
	return p.link.prefixes
}

// learn asks a relay for the namespaces below a prefix for as long as the session
// lasts.
func (p *peer) learn(prefix model.Namespace, report func(ns model.Namespace, live bool)) {
	ctx := p.session.Context()
	for level := slog.LevelWarn; ; level = slog.LevelDebug { // it says the same again
		p.counters.RequestsOut.Add(1)
		sub, err := p.session.SubscribeNamespace(ctx, prefix, func(suffix model.Namespace, live bool) {
			report(prefix.Join(suffix), live)
		})
		if err == nil {
			<-sub.Context().Done()
			err = context.Cause(sub.Context())
		}
		p.forget(prefix)
		if ctx.Err() != nil || !p.takesRequests() {
			return
		}
		p.note(level, observe.KindNamespace, nil, "another relay does not tell its namespaces", "prefix", prefix, "because", err)
		select {
		case <-time.After(dial.LongestPause):
		case <-ctx.Done():
			return
		}
	}
}

// learnWay takes what a relay that tells hops reports.
func (p *peer) learnWay(told model.Namespace, live bool) {
	ns, way, route, ok := parseAnnouncement(told)
	switch {
	case !ok:
		p.log.Debug("not an announcement", "namespace", told)
	case slices.Contains(way, p.r.id) || way[0] != p.relayID: // it leads back, or is not of this relay
	case p.link != nil && !p.link.touches(ns):
	default:
		p.take(told, &publication{peer: p, ns: ns, way: way}, route, live)
	}
}

// learnForeign takes what another relay reports. It may be what it has from us; that
// goes when it goes here, and does not matter until then, because those who
// publish here are asked first.
func (p *peer) learnForeign(ns model.Namespace, live bool) {
	if isHops(ns) {
		return
	}
	p.take(ns, &publication{peer: p, ns: ns, way: hops{p.hop}}, false, live)
}

// take makes known what a relay reports, or the end of it.
func (p *peer) take(told model.Namespace, pub *publication, route, live bool) {
	r, sc := p.r, p.scope
	r.mu.Lock()
	defer r.mu.Unlock()
	key := told.Key()
	had := p.learnt[key]
	switch {
	case live && had == nil && p.session.Context().Err() == nil:
		if p.learnt == nil {
			p.learnt = map[string]*publication{}
		}
		p.learnt[key] = pub
		pub.told, pub.route = told, route
		if route {
			sc.routeLocked(pub)
			return
		}
		p.namespaces++
		sc.publishLocked(pub)
	case !live && had != nil:
		p.dropLocked(key, had)
	}
}

// dropLocked undoes take.
func (p *peer) dropLocked(key string, pub *publication) {
	delete(p.learnt, key)
	if pub.route {
		p.scope.unrouteLocked(pub)
		return
	}
	p.namespaces--
	p.scope.withdrawLocked(pub)
}

// forget drops what a relay has reported below a prefix.
func (p *peer) forget(prefix model.Namespace) {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	for key, pub := range p.learnt {
		if pub.told.HasPrefix(prefix) {
			p.dropLocked(key, pub)
		}
	}
}

// routeUp lets everything below the prefixes of a link be asked for there: the other
// relay may still keep what nobody publishes any more, and one that tells no hops
// may have what it does not report.
func (p *peer) routeUp() {
	var routes []*publication
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	for _, prefix := range p.link.prefixes {
		pub := &publication{peer: p, ns: prefix, way: hops{p.hop}, untold: p.relayID != ""}
		routes = append(routes, pub)
		p.scope.routeLocked(pub)
	}
	context.AfterFunc(p.session.Context(), func() {
		p.r.mu.Lock()
		defer p.r.mu.Unlock()
		for _, pub := range routes {
			p.scope.unrouteLocked(pub)
		}
	})
}

// pushed makes known to other relays that a track of a namespace can be asked for,
// which a client sends without having published the namespace.
func (p *peer) pushed(ctx context.Context, ns model.Namespace) {
	pub := &publication{peer: p, ns: ns, pushed: true}
	p.r.mu.Lock()
	p.scope.routeLocked(pub)
	p.r.mu.Unlock()
	context.AfterFunc(ctx, func() {
		p.r.mu.Lock()
		defer p.r.mu.Unlock()
		p.scope.unrouteLocked(pub)
	})
}

// exports are the namespaces that a relay is told of that tells no hops. What such
// relays have told us is not among them: it could go in circles.
type exports struct {
	peer *peer
	sent map[string]*export // guarded by Relay.mu, as the rest
}

type export struct {
	withdraw context.CancelFunc
	over     chan struct{} // closed when it is withdrawn
}

func (p *peer) export() {
	r, sc := p.r, p.scope
	e := &exports{peer: p, sent: map[string]*export{}}
	r.mu.Lock()
	defer r.mu.Unlock()
	sc.exporters[e] = true
	var all []model.Namespace
	for ns := range sc.published.Below(nil) {
		all = append(all, ns)
	}
	for ns := range sc.routes.Below(nil) {
		all = append(all, ns)
	}
	for _, ns := range all {
		e.changedLocked(ns)
	}
	context.AfterFunc(p.session.Context(), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(sc.exporters, e)
	})
}

// changedLocked tells the relay if a namespace is there now, or is no more.
func (e *exports) changedLocked(ns model.Namespace) {
	sc, key := e.peer.scope, ns.Key()
	want := false
	if e.peer.link.covers(ns) {
		for pub := range sc.published.At(ns) {
			want = want || !pub.way.foreign()
		}
		for pub := range sc.routes.At(ns) {
			want = want || pub.pushed
		}
	}
	had := e.sent[key]
	switch {
	case want && (had == nil || had.withdraw == nil):
		ctx, cancel := context.WithCancel(e.peer.session.Context())
		now := &export{cancel, make(chan struct{})}
		e.sent[key] = now
		e.peer.r.work.Go(func() { e.send(ctx, ns, had, now) })
	case !want && had != nil && had.withdraw != nil:
		had.withdraw()
		had.withdraw = nil
	}
}

// send publishes a namespace when the one before it is withdrawn, until ctx ends.
func (e *exports) send(ctx context.Context, ns model.Namespace, before, now *export) {
	if before != nil {
		<-before.over
	}
	var published *session.PublishedNamespace
	if ctx.Err() == nil {
		e.peer.counters.RequestsOut.Add(1)
		var err error
		if published, err = e.peer.session.PublishNamespace(ctx, ns); err != nil && ctx.Err() == nil {
			e.peer.note(slog.LevelWarn, observe.KindNamespace, nil, "another relay does not take a namespace", "namespace", ns, "because", err)
		}
	}
	context.AfterFunc(ctx, func() {
		if published != nil {
			published.Withdraw()
		}
		e.peer.r.mu.Lock()
		defer e.peer.r.mu.Unlock()
		close(now.over)
		if key := ns.Key(); e.sent[key] == now {
			delete(e.sent, key)
		}
	})
}
