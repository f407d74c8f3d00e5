package inspect

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"oxymoq/pkg/hall"
	"oxymoq/pkg/media/catalog"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

var _ observe.Source = (*Inspector)(nil)

// Events is for observe.Source.
func (i *Inspector) Events(ctx context.Context, after uint64) ([]observe.Event, uint64, error) {
	return i.events.Events(ctx, after)
}

// view is what is taken of a subject under Inspector.mu.
type view struct {
	t     *subject
	state string
	in    *session.Inbound
	flows bool // its objects come
	log   *track.Track
}

func (t *subject) viewLocked() view {
	v := view{t: t, state: t.state, in: t.in, flows: t.state == isLive, log: t.log}
	if t.offer != nil && v.in == nil {
		v.in = t.offer.in
	}
	return v
}

// State is for observe.Source. Without a session it fails, with ErrAway if there
// may be another.
func (i *Inspector) State(context.Context) (*observe.State, error) {
	now := time.Now()
	i.learn()
	i.mu.Lock()
	v := i.visit
	if v == nil {
		lost := i.lost
		i.mu.Unlock()
		if lost == nil {
			return nil, ErrAway
		}
		return nil, fmt.Errorf("%w: %w", ErrAway, lost)
	}
	i.sweepLocked(now)
	totals := i.gone
	var views []view
	for _, t := range i.subjects {
		if !t.hiddenLocked() {
			views = append(views, t.viewLocked())
		}
	}
	spaces := make([]*space, 0, len(i.spaces))
	for _, sp := range i.spaces {
		spaces = append(spaces, sp)
	}
	i.mu.Unlock()
	slices.SortFunc(views, func(a, b view) int { return cmp.Compare(a.t.number, b.t.number) })
	slices.SortFunc(spaces, func(a, b *space) int { return slices.Compare(a.ns, b.ns) })

	counters := v.counters.Snapshot()
	totals.Add(counters)
	s := &observe.State{
		Time:   now,
		Relay:  observe.Identity{Name: v.s.PeerImplementation(), Addresses: []string{i.opts.Target.String()}, Drafts: []string{v.s.Draft().String()}},
		Totals: totals,
		Cache:  observe.CacheState{Bytes: i.budget.Used(), Budget: i.budget.Limit()},
		Spaces: make([]observe.NamespaceState, 0, len(spaces)+1),
		Tracks: make([]observe.TrackState, 0, len(views)),
		Links:  []observe.LinkState{},
	}
	s.Counters.Sessions, s.Counters.SessionsTotal = 1, uint64(v.number)
	s.Counters.Tracks, s.Counters.TracksTotal = int64(len(views)), uint64(len(views))
	received := 0
	for n := range views {
		s.Tracks = append(s.Tracks, views[n].show(v))
		t := &s.Tracks[n]
		s.Cache.Groups += t.Counters.LogGroups
		if t.Counters.LogGroups > 0 {
			s.Cache.Tracks++
		}
		received += t.Subscribers
	}
	s.Sessions = []observe.SessionState{v.show(i.opts.Target.Path, len(spaces), received, counters)}
	s.Spaces = i.namespaces(v, spaces, s.Tracks)
	return s, nil
}

// show shows the session. What comes by it is the relay's to publish.
func (v *visit) show(path string, namespaces, received int, counters observe.SessionSnapshot) observe.SessionState {
	counters.Publications = int64(received)
	s := observe.SessionState{
		ID: v.id(), Remote: fmt.Sprint(v.s.Conn().RemoteAddr()), Transport: string(v.s.Conn().Kind()), Draft: v.s.Draft().String(),
		Role: "–", Implementation: v.s.PeerImplementation(), Path: path, Began: v.began,
		Namespaces: namespaces, Publishes: received, Link: hall.ShowPath(v.s.Conn().Stats()), Counters: counters,
	}
	if namespaces+received > 0 {
		s.Role = "pub"
	}
	return s
}

// namespaces shows what is announced, and what is looked for.
func (i *Inspector) namespaces(v *visit, spaces []*space, tracks []observe.TrackState) []observe.NamespaceState {
	below := map[string]int{} // tracks by the prefixes of their namespaces
	for t := range tracks {
		for n := range len(tracks[t].Namespace) + 1 {
			below[model.Namespace(tracks[t].Namespace[:n]).Key()]++
		}
	}
	show := func(ns model.Namespace, publishers, watchers []string) observe.NamespaceState {
		return observe.NamespaceState{
			Fields: append([]string{}, ns...), Name: ns.String(), Publishers: publishers, Watchers: watchers, Tracks: below[ns.Key()],
		}
	}
	all := []observe.NamespaceState{show(i.opts.Prefix, []string{}, []string{v.id()})}
	for _, sp := range spaces {
		if sp.ns.Equal(i.opts.Prefix) {
			all[0].Publishers = []string{v.id()}
			continue
		}
		all = append(all, show(sp.ns, []string{v.id()}, []string{}))
	}
	return all
}

// show shows a track.
func (w *view) show(v *visit) observe.TrackState {
	t := w.t
	s := observe.TrackState{
		ID: t.id, Namespace: t.name.Namespace, Name: t.name.Name, FullName: t.fullName, State: w.state,
		Media: t.study.text(t.name.Name), Began: t.began, Publishers: []string{},
	}
	if v != nil && w.in != nil {
		s.Publishers = []string{v.id()}
	}
	if w.flows {
		s.Subscribers = 1
	}
	if w.log == nil {
		return s
	}
	glance := w.log.Glance()
	s.Newest, s.Counters = glance.Arrival, w.log.Counters().Snapshot()
	s.Counters.Subscribers = int64(s.Subscribers)
	if l, ok := glance.Largest.Get(); ok {
		s.Largest = &observe.Location{Group: l.Group, Object: l.Object}
	}
	return s
}

// Track is for observe.Source. Objects of the track come from now on until
// LookTime after the last call.
func (i *Inspector) Track(_ context.Context, id string) (*observe.TrackDetail, error) {
	i.mu.Lock()
	var t *subject
	for _, known := range i.subjects {
		if known.id == id {
			t = known
		}
	}
	if t == nil || i.closed {
		i.mu.Unlock()
		return nil, observe.ErrNoTrack
	}
	t.lookLocked()
	i.mu.Unlock()
	i.learn(t)
	i.mu.Lock()
	w, v := t.viewLocked(), i.visit
	i.mu.Unlock()
	now := time.Now()
	d := &observe.TrackDetail{
		TrackState: w.show(v), Time: now, Properties: []observe.PropertyState{}, Sources: []observe.PublisherState{},
		Groups: []observe.GroupState{}, Subscriptions: []observe.SubscriberState{}, Objects: []observe.ObjectState{},
		Timing: t.study.timing(now, w.flows),
	}
	if w.in != nil && v != nil {
		alias := w.in.Alias()
		source := observe.PublisherState{
			Session: v.id(), Transport: string(v.s.Conn().Kind()), Draft: v.s.Draft().String(), State: "paused",
			Pushed: i.isPushed(t), Alias: &alias,
		}
		if w.flows {
			source.State = "sends"
		}
		d.Sources = append(d.Sources, source)
	}
	if w.log != nil {
		priority, order := w.log.Defaults()
		d.Priority, d.Order, d.Properties = priority, order.String(), hall.ShowProperties(w.log.Properties())
		d.Groups, d.Objects = hall.ShowGroups(w.log), hall.ShowObjects(w.log)
	}
	return d, nil
}

func (i *Inspector) isPushed(t *subject) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return t.offer != nil
}

// learn reads the objects that came since, of the tracks given or of all.
func (i *Inspector) learn(of ...*subject) {
	type lesson struct {
		t   *subject
		log *track.Track
	}
	var all []lesson
	i.mu.Lock()
	for _, t := range i.subjects {
		if t.log != nil && (len(of) == 0 || slices.Contains(of, t)) {
			all = append(all, lesson{t, t.log})
		}
	}
	i.mu.Unlock()
	slices.SortFunc(all, func(a, b lesson) int { return cmp.Compare(a.t.number, b.t.number) })
	for _, l := range all {
		var news *catalog.Catalog
		news, err := l.t.study.take(l.log)
		switch {
		case err != nil:
			i.note(slog.LevelWarn, observe.KindTrack, l.t, "the catalog cannot be read", "because", err)
		case news != nil:
			i.listed(l.t, news)
		}
	}
}
