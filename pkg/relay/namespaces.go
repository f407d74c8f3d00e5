package relay

import (
	"context"
	"iter"
	"log/slog"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
)

// publication is a namespace that a peer publishes.
type publication struct {
	peer *peer
	ns   model.Namespace
}

// PublishNamespace admits a publisher: whoever watches is told, and tracks that
// wait for one, or whose subscribers it could serve too, are asked for.
func (p *peer) PublishNamespace(_ context.Context, req *session.NamespaceRequest) {
	if !p.isReady() {
		return
	}
	p.counters.RequestsIn.Add(1)
	r := p.r
	pub := &publication{peer: p, ns: req.Namespace}
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
	known := anyOf(sc.published.At(req.Namespace))
	sc.published.Insert(req.Namespace, pub)
	if !known {
		for prefix, w := range sc.watchers.Covering(req.Namespace) {
			w.reportLocked(req.Namespace[len(prefix):], true)
		}
	}
	for _, t := range sc.tracks {
		if t.name.Namespace.HasPrefix(req.Namespace) && t.wantsPublisherLocked() {
			t.openLocked(p)
		}
	}
	r.mu.Unlock()
	_ = req.Accept() // if it fails the context has ended
	p.note(slog.LevelInfo, observe.KindNamespace, nil, "namespace published", "namespace", req.Namespace)

	context.AfterFunc(req.Context(), func() {
		r.mu.Lock()
		p.namespaces--
		sc.published.Remove(req.Namespace, pub)
		if !anyOf(sc.published.At(req.Namespace)) {
			for prefix, w := range sc.watchers.Covering(req.Namespace) {
				w.reportLocked(req.Namespace[len(prefix):], false)
			}
		}
		r.mu.Unlock()
		p.note(slog.LevelInfo, observe.KindNamespace, nil, "namespace withdrawn", "namespace", req.Namespace)
	})
}

var errTooMany = &model.RequestError{Code: model.RequestExcessiveLoad, Reason: "too many namespaces"}

func anyOf[V any](seq iter.Seq[V]) bool {
	for range seq {
		return true
	}
	return false
}
