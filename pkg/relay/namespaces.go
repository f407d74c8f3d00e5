package relay

import (
	"context"
	"iter"

	"oxymoq/pkg/model"
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
	r := p.r
	pub := &publication{peer: p, ns: req.Namespace}
	r.mu.Lock()
	if p.namespaces >= r.cfg.MaxNamespaces {
		r.mu.Unlock()
		_ = req.Reject(&model.RequestError{Code: model.RequestExcessiveLoad, Reason: "too many namespaces"})
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
	p.log.Info("namespace published", "namespace", req.Namespace)

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
		p.log.Info("namespace withdrawn", "namespace", req.Namespace)
	})
}

func anyOf[V any](seq iter.Seq[V]) bool {
	for range seq {
		return true
	}
	return false
}
