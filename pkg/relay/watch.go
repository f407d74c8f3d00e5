package relay

import (
	"context"
	"log/slog"
	"slices"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
)

// watcher is a SUBSCRIBE_NAMESPACE of a peer. Reports are queued under
// Relay.mu and written by a goroutine of the watcher, so that a peer that does
// not read holds up nobody.
type watcher struct {
	r    *Relay
	peer *peer

	// Guarded by Relay.mu.
	feed    *session.PrefixFeed // nil until the request was accepted
	prefix  model.Namespace
	queue   []report
	writing bool
	over    bool
	loading bool     // what there is may be more than maxReports
	ways    tellerOf // of one that asks for ways
}

type report struct {
	suffix model.Namespace
	live   bool
}

// maxReports is how many reports may wait for a peer that does not read; then
// its request is reset.
const maxReports = 1 << 14

// reportLocked queues a report.
func (w *watcher) reportLocked(suffix model.Namespace, live bool) {
	if w.over {
		return
	}
	if len(w.queue) >= maxReports && !w.loading {
		w.giveUpLocked()
		return
	}
	w.queue = append(w.queue, report{suffix, live})
	w.writeLocked()
}

// reportAllLocked queues a report on everything below the prefix, which may be
// more than maxReports.
func (w *watcher) reportAllLocked(sc *scope, live bool) {
	if len(w.queue) >= maxReports {
		w.giveUpLocked()
	}
	if w.over {
		return
	}
	for _, ns := range sc.belowLocked(w.prefix) {
		if sc.seesLocked(w, ns) {
			w.queue = append(w.queue, report{ns[len(w.prefix):], live})
		}
	}
	w.writeLocked()
}

func (w *watcher) writeLocked() {
	if !w.writing && w.feed != nil && len(w.queue) > 0 {
		w.writing = true
		w.r.work.Go(w.write)
	}
}

// giveUpLocked resets the request.
func (w *watcher) giveUpLocked() {
	w.over, w.queue = true, nil
	if feed := w.feed; feed != nil { // else when it is there
		w.r.work.Go(func() { feed.Abandon(model.ResetExcessiveLoad) })
	}
}

// write sends what is queued until nothing is. A report that cannot be written
// in time ends the request, since those after it make no sense without.
func (w *watcher) write() {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	for len(w.queue) > 0 {
		batch := w.queue
		w.queue = nil
		w.r.mu.Unlock()
		sent := 0
		for _, rep := range batch {
			send := w.feed.NamespaceDone
			if rep.live {
				send = w.feed.Namespace
			}
			if send(rep.suffix) != nil {
				break
			}
			sent++
		}
		w.r.mu.Lock()
		if sent < len(batch) && !w.over {
			w.giveUpLocked()
		}
	}
	w.writing = false
}

// watchLocked makes w see a prefix: what is published there is reported now,
// and changes from now on.
func (sc *scope) watchLocked(w *watcher, prefix model.Namespace) {
	w.prefix = prefix
	if isHops(prefix) {
		w.ways = tellerOf{below: prefix[1:], told: map[string]model.Namespace{}}
		sc.tellAllLocked(w)
		return
	}
	sc.watchers.Insert(prefix, w)
	w.reportAllLocked(sc, true)
}

// unwatchLocked takes back what w was told.
func (sc *scope) unwatchLocked(w *watcher) {
	if w.feed == nil {
		w.queue = nil // it was told nothing yet
	}
	if isHops(w.prefix) {
		delete(sc.tellers, w)
		for _, told := range w.ways.told {
			if w.feed != nil {
				w.reportLocked(told[len(w.prefix):], false)
			}
		}
		return
	}
	sc.watchers.Remove(w.prefix, w)
	if w.feed == nil {
		return
	}
	w.reportAllLocked(sc, false)
}

// belowLocked returns the published namespaces below a prefix, each once.
func (sc *scope) belowLocked(prefix model.Namespace) []model.Namespace {
	var all []model.Namespace
	seen := map[string]bool{}
	for ns := range sc.published.Below(prefix) {
		if key := ns.Key(); !seen[key] {
			seen[key] = true
			all = append(all, slices.Clone(ns))
		}
	}
	return all
}

// SubscribeNamespace reports the namespaces below a prefix, also those that the
// peer publishes itself (section 6.1).
func (p *peer) SubscribeNamespace(_ context.Context, req *session.PrefixRequest) {
	if !p.isReady() {
		return
	}
	p.counters.RequestsIn.Add(1)
	r, sc := p.r, p.scope
	w := &watcher{r: r, peer: p}
	// Entered before it is accepted: who has seen the acceptance may count on
	// being told.
	r.mu.Lock()
	sc.watchLocked(w, req.Prefix)
	p.watches++
	r.mu.Unlock()
	context.AfterFunc(req.Context(), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		w.over, w.queue = true, nil
		sc.watchers.Remove(w.prefix, w)
		delete(sc.tellers, w)
		p.watches--
	})
	move := func(prefix model.Namespace, _ bool) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !prefix.Equal(w.prefix) && req.Context().Err() == nil {
			sc.unwatchLocked(w)
			sc.watchLocked(w, prefix)
		}
		return nil
	}
	feed, err := req.Accept(move)
	if err != nil {
		return // the context has ended
	}
	p.note(slog.LevelInfo, observe.KindNamespace, nil, "watches namespaces", "prefix", req.Prefix)
	r.mu.Lock()
	defer r.mu.Unlock()
	w.feed = feed
	if w.over {
		w.giveUpLocked()
	}
	w.writeLocked()
}
