package relay

import (
	"cmp"
	"context"
	"slices"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
)

// trackDetailView is what Track takes under Relay.mu.
type trackDetailView struct {
	trackView
	sources []sourceView
	readers []subscriberView
}

type sourceView struct {
	p      *peer
	in     *session.Inbound // nil: it was asked
	told   bool
	pushed bool
}

type subscriberView struct {
	d       *downstream
	out     *session.Outbound // nil: it waits
	sub     *egress.Subscription
	forward bool
}

// Track is for observe.Source.
func (r *Relay) Track(_ context.Context, id string) (*observe.TrackDetail, error) {
	now := time.Now()
	v, ok := r.trackView(id)
	if !ok {
		return nil, observe.ErrNoTrack
	}
	t := v.t
	priority, order := t.log.Defaults()
	d := &observe.TrackDetail{
		TrackState: v.show(now), Time: now,
		Priority: priority, Order: order.String(), Properties: hall.ShowProperties(t.log.Properties()),
		Sources:       make([]observe.PublisherState, 0, len(v.sources)),
		Groups:        hall.ShowGroups(t.log),
		Subscriptions: make([]observe.SubscriberState, 0, len(v.readers)),
		Objects:       hall.ShowObjects(t.log),
	}
	for _, s := range v.sources {
		d.Sources = append(d.Sources, s.state())
	}
	for _, s := range v.readers {
		d.Subscriptions = append(d.Subscriptions, s.state(now))
	}
	return d, nil
}

// trackView takes what there is of a track, in the order in which peers came.
func (r *Relay) trackView(id string) (v trackDetailView, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tracks[id]
	if t == nil {
		return v, false
	}
	v.trackView = trackView{t: t, state: t.stateLocked(), subs: len(t.subs)}
	for p, u := range t.ups {
		v.senders = append(v.senders, p)
		v.sources = append(v.sources, sourceView{p, u.in, u.told, u.pushed})
	}
	for p, u := range t.opening {
		v.sources = append(v.sources, sourceView{p: p, pushed: u.pushed})
	}
	slices.SortFunc(v.sources, func(a, b sourceView) int { return cmp.Compare(a.p.number, b.p.number) })
	v.readers = make([]subscriberView, 0, len(t.subs))
	for d, served := range t.subs {
		s := subscriberView{d: d, sub: d.sub, forward: d.forward}
		if served {
			s.out = d.out
		}
		v.readers = append(v.readers, s)
	}
	slices.SortFunc(v.readers, func(a, b subscriberView) int {
		return cmp.Or(a.d.began.Compare(b.d.began), cmp.Compare(a.d.peer.number, b.d.peer.number))
	})
	return v, true
}

// state shows a publisher.
func (v *sourceView) state() observe.PublisherState {
	s := observe.PublisherState{
		Session: v.p.id, Transport: string(v.p.session.Conn().Kind()), Draft: v.p.session.Draft().String(),
		State: "asked", Pushed: v.pushed,
	}
	if v.in == nil {
		return s
	}
	if s.State = "paused"; v.told {
		s.State = "sends"
	}
	alias := v.in.Alias()
	s.Alias = &alias
	return s
}

// state shows a subscriber.
func (v *subscriberView) state(now time.Time) observe.SubscriberState {
	p := v.d.peer
	s := observe.SubscriberState{
		Session: p.id, Transport: string(p.session.Conn().Kind()), Draft: p.session.Draft().String(),
		State: "waits", Forward: v.forward, Order: model.GroupOrderUnset.String(), Began: v.d.began,
	}
	if v.out != nil {
		if s.State = "served"; !v.forward {
			s.State = "paused"
		}
		terms, alias := v.out.Terms(), v.out.Alias()
		s.Priority, s.Order, s.Range, s.Alias = terms.Priority, terms.Order.String(), terms.Range.String(), &alias
	}
	if v.sub != nil {
		v.sub.Measure()
	}
	s.Counters = v.d.counters.Snapshot()
	s.Lag = v.d.late.LagIfGrown(now, &v.d.counters.Delays, s.Counters.ObjectsOut)
	return s
}
