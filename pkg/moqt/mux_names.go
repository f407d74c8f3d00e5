package moqt

import (
	"context"

	"oxymoq/pkg/session"
)

// SubscribeNamespace answers a SUBSCRIBE_NAMESPACE with the namespaces of the
// tracks that are there, and of those that come and go, until it ends.
func (m *TrackMux) SubscribeNamespace(_ context.Context, req *session.PrefixRequest) {
	w := &watcher{m: m, prefix: req.Prefix}
	feed, err := req.Accept(w.onChange)
	if err != nil {
		return // the peer has left
	}
	told := map[string]Namespace{} // by key: what follows the prefix
	for {
		m.mu.Lock()
		prefix, changed := w.prefix, m.changed
		there := m.namespaces(prefix)
		m.mu.Unlock()
		for key, suffix := range told {
			if _, ok := there[key]; !ok {
				delete(told, key)
				if feed.NamespaceDone(suffix) != nil {
					return
				}
			}
		}
		for key, ns := range there {
			if _, ok := told[key]; !ok {
				told[key] = ns[len(prefix):]
				if feed.Namespace(told[key]) != nil {
					return
				}
			}
		}
		select {
		case <-changed:
		case <-feed.Context().Done():
			return
		}
	}
}

// watcher is a prefix that a peer has subscribed to.
type watcher struct {
	m      *TrackMux
	prefix Namespace // guarded by m.mu
}

func (w *watcher) onChange(prefix Namespace, _ bool) error {
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	w.prefix = prefix
	w.m.change()
	return nil
}

// namespaces returns those below a prefix, by key. m.mu is held.
func (m *TrackMux) namespaces(prefix Namespace) map[string]Namespace {
	all := map[string]Namespace{}
	add := func(ns Namespace) {
		if ns.HasPrefix(prefix) {
			all[ns.Key()] = ns
		}
	}
	for _, t := range m.tracks {
		add(t.Name.Namespace)
	}
	for _, s := range m.sources {
		add(s.prefix)
	}
	return all
}
