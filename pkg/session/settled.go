package session

import (
	"errors"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// Draft 14 has fields where later drafts leave out what does not change, so that a
// lane must know the terms of its subscription.

var errWidens = errors.New("the draft allows a subscription to be narrowed only")

// agree notes the terms that a request itself proposes.
func (l *share) agree(m wire.Message) {
	switch m := m.(type) {
	case *wire.Subscribe:
		l.terms.apply(m.Params, model.Opt[model.Location]{})
	case *wire.Publish:
		l.largest = m.Params.LargestObject
		l.terms.apply(m.Params, l.largest)
		if v, ok := m.TrackProperties.Int(model.PropDefaultGroupOrder); ok {
			l.order = model.GroupOrder(v)
		}
	}
}

// settleLocked fills the fields of a message that later drafts may leave out.
func (l *share) settleLocked(m wire.Message, to reply) error {
	switch m := m.(type) {
	case *wire.SubscribeOK:
		if l.terms.Order != model.GroupOrderUnset {
			m.Params.GroupOrder = model.Some(l.terms.Order)
		}
	case *wire.RequestOK:
		if to.kind == wire.KindPublish {
			l.terms.apply(m.Params, l.largest)
			m.Params.Forward = model.Some(l.terms.Forward)
			if !m.Params.GroupOrder.Set && l.order != model.GroupOrderUnset {
				m.Params.GroupOrder = model.Some(l.order)
			}
		}
	case *wire.RequestUpdate:
		return l.completeLocked(&m.Params)
	}
	return nil
}

// completeLocked makes an update say all terms, as they will be.
func (l *share) completeLocked(p *wire.Params) error {
	next := l.terms
	next.apply(*p, l.largest)
	if p.Filter.Value.Kind == model.FilterNextObject || p.Filter.Value.Kind == model.FilterRelative {
		// The largest location of today is not known. That of the beginning is no
		// larger, and neither is where the subscription began.
		if next.Range.Start.Less(l.terms.Range.Start) {
			next.Range.Start = l.terms.Range.Start
		}
	}
	if next.Range.Start.Less(l.terms.Range.Start) || l.terms.Range.End.Less(next.Range.End) {
		return notSent{errWidens}
	}
	f := model.From(next.Range.Start)
	if next.Range.End != model.Forever {
		f.End = model.Some(model.EndLocation{Group: next.Range.End.Group})
	}
	p.Filter, p.SubscriberPriority, p.Forward = model.Some(f), model.Some(next.Priority), model.Some(next.Forward)
	l.terms = next
	return nil
}
