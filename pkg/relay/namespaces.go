package relay

import (
	"context"
	"iter"
	"log/slog"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
)

// PublishNamespace admits a publisher: whoever watches is told, and tracks that
// wait for one, or whose subscribers it could serve too, are asked for.
func (p *peer) PublishNamespace(_ context.Context, req *session.NamespaceRequest) {
	if !p.isReady() {
		return
	}
	p.counters.RequestsIn.Add(1)
	r := p.r
	if isHops(req.Namespace) { // ways are asked for, never pushed
		p.refused("PUBLISH_NAMESPACE", req.Namespace, errReserved)
		_ = req.Reject(errReserved) // the peer may have left
		return
	}
	pub := &publication{peer: p, ns: req.Namespace}
	if p.link != nil {
		pub.way = hops{p.hop} // it is a relay, and does not say whose it is
	}
	r.mu.Lock()
	if p.namespaces >= r.cfg.MaxNamespaces {
		r.mu.Unlock()
		p.refused("PUBLISH_NAMESPACE", req.Namespace, errTooMany)
		_ = req.Reject(errTooMany) // the peer may have left
		return
	}
	// Entered before it is accepted: who has seen the acceptance may count on
	// being found.
	p.namespaces++
	sc := p.scope
	sc.publishLocked(pub)
	r.mu.Unlock()
	_ = req.Accept() // if it fails the context has ended
	p.note(slog.LevelInfo, observe.KindNamespace, nil, "namespace published", "namespace", req.Namespace)

	context.AfterFunc(req.Context(), func() {
		r.mu.Lock()
		p.namespaces--
		sc.withdrawLocked(pub)
		r.mu.Unlock()
		p.note(slog.LevelInfo, observe.KindNamespace, nil, "namespace withdrawn", "namespace", req.Namespace)
	})
}

var errReserved = &model.RequestError{Code: model.DoesNotExist, Reason: "reserved namespace"}

var errTooMany = &model.RequestError{Code: model.RequestExcessiveLoad, Reason: "too many namespaces"}

func anyOf[V any](seq iter.Seq[V]) bool {
	for range seq {
		return true
	}
	return false
}
