package inspect

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"oxymoq/pkg/media/catalog"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
)

// space is a namespace that the relay announces.
type space struct {
	ns     model.Namespace
	number int // of the visit that told of it last; 0: it was withdrawn
}

// Pauses between two requests of the same kind that were refused.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
	catalogPause = 5 * time.Minute // many publishers have no catalog
)

// watchNamespaces asks for namespaces during a visit.
func (i *Inspector) watchNamespaces(ctx context.Context, v *visit) {
	i.watch(ctx, v, "SUBSCRIBE_NAMESPACE", func(ctx context.Context) (*session.PrefixSubscription, error) {
		return v.s.SubscribeNamespace(ctx, i.opts.Prefix, func(suffix model.Namespace, live bool) {
			i.announced(v, i.opts.Prefix.Join(suffix), live)
		})
	})
}

// watchTracks asks for tracks during a visit. They come to handler.Publish.
func (i *Inspector) watchTracks(ctx context.Context, v *visit) {
	i.watch(ctx, v, "SUBSCRIBE_TRACKS", func(ctx context.Context) (*session.PrefixSubscription, error) {
		return v.s.SubscribeTracks(ctx, i.opts.Prefix, false, func(suffix model.Namespace, name string) {
			t := model.FullTrackName{Namespace: i.opts.Prefix.Join(suffix), Name: name}
			i.note(slog.LevelWarn, observe.KindTrack, nil, "the relay has no streams to publish a track", "track", t)
		})
	})
}

// watch makes a request until ctx ends, again and again if it is refused, unless
// the relay does not know such requests. A refusal is an event and no failure.
func (i *Inspector) watch(ctx context.Context, v *visit, request string, ask func(context.Context) (*session.PrefixSubscription, error)) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		asking, cancel := context.WithTimeoutCause(ctx, AnswerTime, errNoAnswer)
		v.counters.RequestsOut.Add(1)
		p, err := ask(asking)
		cancel()
		if err == nil {
			pause = firstPause
			i.note(slog.LevelInfo, observe.KindNamespace, nil, "accepted "+request, "prefix", prefixName(i.opts.Prefix))
			select {
			case <-p.Context().Done():
				err = context.Cause(p.Context())
			case <-ctx.Done():
				p.Cancel()
			}
		}
		if ctx.Err() != nil || v.s.Context().Err() != nil {
			return
		}
		i.note(slog.LevelWarn, observe.KindRequest, nil, "the relay does not do "+request, "prefix", prefixName(i.opts.Prefix), "because", err)
		if errors.Is(err, &model.RequestError{Code: model.NotSupported, Remote: true}) || !wait(ctx, nil, pause) {
			return
		}
	}
}

func prefixName(ns model.Namespace) string {
	if len(ns) == 0 {
		return "(everything)"
	}
	return ns.String()
}

// announced notes that a namespace is there, or no longer.
func (i *Inspector) announced(v *visit, ns model.Namespace, live bool) {
	i.mu.Lock()
	key := ns.Key()
	sp := i.spaces[key]
	switch {
	case sp == nil && live:
		if len(i.spaces) >= MaxNamespaces {
			i.limitLocked("namespaces", MaxNamespaces)
			i.mu.Unlock()
			return
		}
		sp = &space{ns: ns}
		i.spaces[key] = sp
	case sp == nil:
		i.mu.Unlock()
		return
	}
	fresh := live && sp.number != v.number
	if live {
		sp.number = v.number
		i.followCatalogsLocked(ns)
	} else {
		i.withdrawLocked(sp)
	}
	i.mu.Unlock()
	switch {
	case !live:
		i.note(slog.LevelInfo, observe.KindNamespace, nil, "namespace withdrawn", "namespace", ns)
	case fresh:
		i.note(slog.LevelInfo, observe.KindNamespace, nil, "namespace published", "namespace", ns)
	}
}

// withdrawLocked forgets a namespace, and leaves its catalogs and what they list.
func (i *Inspector) withdrawLocked(sp *space) {
	delete(i.spaces, sp.ns.Key())
	if i.isNamedLocked(sp.ns) {
		return
	}
	for _, t := range i.subjects {
		if t.follows && t.name.Namespace.Equal(sp.ns) {
			t.follows = false
			t.settleLocked()
			if t.name.Name == catalogNames[0] {
				i.catalogs--
			}
		}
	}
	for _, t := range i.subjects {
		if t.lister != nil && !t.lister.follows {
			t.lister, t.seen = nil, 0
		}
	}
}

// isNamedLocked reports whether the user has named a track in a namespace.
func (i *Inspector) isNamedLocked(ns model.Namespace) bool {
	for _, name := range i.opts.Tracks {
		if name.Namespace.Equal(ns) {
			return true
		}
	}
	return false
}

// catalogNames are the catalogs that are looked for.
var catalogNames = [...]string{catalog.NameMSF, catalog.NameHang}

// followCatalogsLocked receives the catalogs of a namespace.
func (i *Inspector) followCatalogsLocked(ns model.Namespace) {
	if i.opts.NoCatalogs || len(ns) == 0 {
		return
	}
	for n, name := range catalogNames {
		t := i.subjects[model.FullTrackName{Namespace: ns, Name: name}.Key()]
		if t != nil && t.follows {
			continue
		}
		if n == 0 && i.catalogs >= MaxCatalogs {
			i.limitLocked("namespaces for their catalogs to be read", MaxCatalogs)
			return
		}
		if t = i.subjectLocked(model.FullTrackName{Namespace: ns, Name: name}); t == nil {
			return
		}
		if n == 0 {
			i.catalogs++
		}
		t.follows = true
		t.settleLocked()
	}
}

// listed notes what tracks a catalog names.
func (i *Inspector) listed(from *subject, c *catalog.Catalog) {
	hints := map[*subject]*catalog.Track{}
	i.mu.Lock()
	for n := range c.Tracks {
		ct := &c.Tracks[n]
		name := model.FullTrackName{Namespace: ct.Namespace, Name: ct.Name}
		if ct.Namespace == nil {
			name.Namespace = from.name.Namespace
		}
		if name.Validate() != nil {
			continue // nobody could ask for it
		}
		t := i.subjectLocked(name)
		if t == nil {
			break
		}
		t.lister = from
		if i.visit != nil {
			t.seen = i.visit.number
		}
		hints[t] = ct
	}
	for _, t := range i.subjects {
		if t.lister == from && hints[t] == nil {
			t.lister, t.seen = nil, 0
		}
	}
	i.mu.Unlock()
	for t, ct := range hints {
		t.study.hint(ct)
	}
}

// sweepLocked forgets what has gone.
func (i *Inspector) sweepLocked(now time.Time) {
	if i.visit == nil || now.Sub(i.visit.began) < settleTime {
		return
	}
	for _, sp := range i.spaces {
		if sp.number != i.visit.number {
			i.withdrawLocked(sp)
		}
	}
	for key, t := range i.subjects {
		if t.seen != i.visit.number && !t.wantedLocked() && t.offer == nil && !t.running {
			t.discardLocked()
			delete(i.subjects, key)
		}
	}
}

// handler answers the relay.
type handler struct {
	session.Refuse
	i *Inspector
}

// Publish takes a track that the relay publishes, without its objects unless
// somebody wants them.
func (h handler) Publish(ctx context.Context, r *session.PublishRequest) {
	i := h.i
	v, err := i.present(ctx, nil)
	if err != nil || v.s != r.Session() {
		_ = r.Reject(&model.RequestError{Code: model.Uninterested, Reason: "of another session"}) // the relay may be gone
		return
	}
	i.mu.Lock()
	t := i.subjectLocked(r.Track)
	if t == nil || i.closed {
		i.mu.Unlock()
		v.counters.Refused.Add(1)
		_ = r.Reject(&model.RequestError{Code: model.RequestExcessiveLoad, Reason: "too many tracks"}) // as above
		return
	}
	recv := t.receiverLocked(v)
	want := t.wantedLocked()
	i.mu.Unlock()
	in, err := r.Accept(session.Change{Forward: model.Some(want)}, recv)
	if err != nil {
		recv.admit(true)
		return
	}
	t.adopt(in, want)
	recv.admit(false)
	i.mu.Lock()
	t.seen, t.offer = v.number, &offer{in: in, told: want}
	t.settleLocked()
	t.poke()
	i.mu.Unlock()
	i.note(slog.LevelInfo, observe.KindTrack, t, "published by the relay", "largest", known(in.Offer.Largest))
	context.AfterFunc(in.Context(), func() { t.withdrawn(in) })
}

// known shows a location that may not be known.
func known(l model.Opt[model.Location]) string {
	if l, ok := l.Get(); ok {
		return l.String()
	}
	return "–"
}
