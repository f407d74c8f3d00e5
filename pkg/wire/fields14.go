package wire

import (
	"oxymoq/pkg/model"
)

// Draft 14 has fields where later drafts have parameters and track properties.
// They are read into Params and TrackProperties and written from there; what is
// absent there gets the value that later drafts give to its absence.

// The least Group Order: a request may leave it open, an answer may not.
const (
	orderUnset14   = uint64(model.GroupOrderUnset)
	orderSettled14 = uint64(model.Ascending)
)

// subscribeFields writes the fields of SUBSCRIBE and TRACK_STATUS behind the
// track name (sections 9.7 and 9.20). No filter is Largest Object, without which
// a subscription could not be joined by a FETCH.
func (e *encoder) subscribeFields(at place, p *Params) {
	e.byte(p.SubscriberPriority.Or(model.DefaultPriority))
	e.order14(p.GroupOrder.Or(model.GroupOrderUnset), orderUnset14)
	e.byte(byte(truth(p.Forward.Or(true))))
	e.filterField(p.Filter, model.NextObject)
	e.params(at, p.without(paramSubscriberPriority, paramGroupOrder, paramForward, paramFilter))
}

func (d *decoder) subscribeFields(at place) Params {
	priority := model.Some(d.byte("Subscriber Priority"))
	order := d.order14(orderUnset14)
	forward := model.Some(d.flag("Forward"))
	filter := model.Some(d.filter18("Filter Type"))
	p := d.params(at)
	p.SubscriberPriority, p.Forward, p.Filter = priority, forward, filter
	if order != model.GroupOrderUnset {
		p.GroupOrder = model.Some(order)
	}
	return p
}

// trackFields writes the fields of SUBSCRIBE_OK and TRACK_STATUS_OK behind the
// Track Alias (sections 9.8 and 9.21).
func (e *encoder) trackFields(at place, p *Params, props model.Properties) {
	e.uint(p.Expires.Or(0))
	e.order14(p.GroupOrder.Or(orderOf(props)), orderSettled14)
	e.largest(p.LargestObject)
	e.params(at, p.without(paramExpires, paramGroupOrder, paramLargestObject).withTrack(props))
}

func (d *decoder) trackFields(at place) (p Params, props model.Properties) {
	expires := d.uint("Expires")
	order := d.settledOrder()
	largest := d.largest()
	p = d.params(at)
	props = p.takeTrack(order)
	p.LargestObject = largest
	if expires != 0 {
		p.Expires = model.Some(expires)
	}
	return p, props
}

// publishFields writes the fields of PUBLISH behind the Track Alias (section
// 9.13).
func (e *encoder) publishFields(p *Params, props model.Properties) {
	e.order14(orderOf(props), orderSettled14)
	e.largest(p.LargestObject)
	e.byte(byte(truth(p.Forward.Or(true))))
	e.params(inPublish, p.without(paramLargestObject, paramForward).withTrack(props))
}

func (d *decoder) publishFields() (p Params, props model.Properties) {
	order := d.settledOrder()
	largest := d.largest()
	forward := model.Some(d.flag("Forward"))
	p = d.params(inPublish)
	props = p.takeTrack(order)
	p.LargestObject, p.Forward = largest, forward
	return p, props
}

// fetchFields writes the fields of FETCH behind the Request ID (section 9.16).
func (e *encoder) fetchFields(p *Params) {
	e.byte(p.SubscriberPriority.Or(model.DefaultPriority))
	e.order14(p.GroupOrder.Or(model.GroupOrderUnset), orderUnset14)
}

func (d *decoder) fetchFields(p *Params) {
	p.SubscriberPriority = model.Some(d.byte("Subscriber Priority"))
	if order := d.order14(orderUnset14); order != model.GroupOrderUnset {
		p.GroupOrder = model.Some(order)
	}
}

// appendFields writes what follows the Request ID in the OK of a request
// (sections 9.14, 9.21, 9.24 and 9.29).
func (m *RequestOK) appendFields(e *encoder) {
	p := &m.Params
	switch e.ctx.Answers {
	case KindPublish:
		e.byte(byte(truth(p.Forward.Or(true))))
		e.byte(p.SubscriberPriority.Or(model.DefaultPriority))
		e.order14(p.GroupOrder.Or(model.Ascending), orderSettled14)
		e.filterField(p.Filter, model.From(model.Location{}))
		e.params(inPublishOK, p.without(paramForward, paramSubscriberPriority, paramGroupOrder, paramFilter))
	case KindTrackStatus:
		e.uint(m.TrackAlias)
		e.trackFields(inTrackStatusOK, p, m.TrackProperties)
	default:
		e.noParams(p)
	}
}

func (m *RequestOK) parseFields(d *decoder) {
	switch d.ctx.Answers {
	case KindPublish:
		forward := model.Some(d.flag("Forward"))
		priority := model.Some(d.byte("Subscriber Priority"))
		order := d.settledOrder()
		filter := model.Some(d.filter18("Filter Type"))
		m.Params = d.params(inPublishOK)
		m.Params.Forward, m.Params.SubscriberPriority, m.Params.Filter = forward, priority, filter
		if order != model.GroupOrderUnset {
			m.Params.GroupOrder = model.Some(order)
		}
	case KindTrackStatus:
		m.TrackAlias = d.uint("Track Alias")
		m.Params, m.TrackProperties = d.trackFields(inTrackStatusOK)
	}
}

// appendFields writes what follows the two Request IDs of SUBSCRIBE_UPDATE
// (section 9.10). It says everything anew: nothing stays as it was, so that
// nothing may be absent.
func (m *RequestUpdate) appendFields(e *encoder) {
	p := &m.Params
	f := p.Filter.Value
	switch {
	case !p.Filter.Set || !p.SubscriberPriority.Set || !p.Forward.Set:
		e.fail("draft %v cannot update without filter, priority and FORWARD", e.ctx.Draft)
	case f.Kind != model.FilterAbsolute && f.Kind != model.FilterNone:
		e.fail("draft %v cannot update to a filter without a location", e.ctx.Draft)
	case f.End.Value.Object.Set:
		e.fail("draft %v cannot express a filter that ends inside a group", e.ctx.Draft)
	case f.End.Set && f.End.Value.Group < f.Start.Group:
		e.fail("filter ends in group %d and starts in %d", f.End.Value.Group, f.Start.Group)
	}
	e.location(f.Start)
	if end, ok := f.End.Get(); ok {
		e.uint(end.Group + 1)
	} else {
		e.uint(0)
	}
	e.byte(p.SubscriberPriority.Value)
	e.byte(byte(truth(p.Forward.Value)))
	e.params(inUpdateOfSubscription, p.without(paramFilter, paramSubscriberPriority, paramForward))
}

func (m *RequestUpdate) parseFields(d *decoder) {
	f := model.From(d.location("Start Location"))
	if end := d.uint("End Group"); end > 0 {
		f.End = model.Some(model.EndLocation{Group: end - 1})
		if end-1 < f.Start.Group {
			d.fail("End Group", errEndBeforeStart)
		}
	}
	priority := model.Some(d.byte("Subscriber Priority"))
	forward := model.Some(d.flag("Forward"))
	m.Params = d.params(inUpdateOfSubscription)
	m.Params.Filter, m.Params.SubscriberPriority, m.Params.Forward = model.Some(f), priority, forward
}

// filterField writes a filter, that of absence if there is none.
func (e *encoder) filterField(f model.Opt[model.Filter], none model.Filter) {
	if f.Value.Kind == model.FilterNone {
		e.filter18(none)
	} else {
		e.filter18(f.Value)
	}
}

// order14 writes a Group Order of at least least.
func (e *encoder) order14(o model.GroupOrder, least uint64) {
	if uint64(o) < least || o > model.Descending {
		e.fail("GROUP_ORDER: %d is not allowed", o)
	}
	e.byte(byte(o))
}

func (d *decoder) order14(least uint64) model.GroupOrder {
	o := d.byte("Group Order")
	if d.err == nil && (uint64(o) < least || model.GroupOrder(o) > model.Descending) {
		d.fail("Group Order", errValue)
	}
	return model.GroupOrder(o)
}

// largest writes Content Exists and Largest Location.
func (e *encoder) largest(l model.Opt[model.Location]) {
	e.byte(byte(truth(l.Set)))
	if l.Set {
		e.location(l.Value)
	}
}

func (d *decoder) largest() (l model.Opt[model.Location]) {
	if d.flag("Content Exists") {
		l = model.Some(d.location("Largest Location"))
	}
	return l
}

// withTrack adds the properties that draft 14 has as parameters to p.
func (p *Params) withTrack(props model.Properties) *Params {
	p.ObjectDeliveryTimeout = intOf(props, model.PropObjectDeliveryTimeout)
	p.MaxCacheDuration = intOf(props, model.PropMaxCacheDuration)
	return p
}

func intOf(props model.Properties, typ uint64) model.Opt[uint64] {
	if v, ok := props.Int(typ); ok {
		return model.Some(v)
	}
	return model.Opt[uint64]{}
}

// takeTrack moves what says something of the track from p into properties. No
// order is the same as Ascending.
func (p *Params) takeTrack(order model.GroupOrder) (props model.Properties) {
	if v, ok := p.ObjectDeliveryTimeout.Get(); ok {
		props = append(props, model.Property{Type: model.PropObjectDeliveryTimeout, Int: v})
	}
	if v, ok := p.MaxCacheDuration.Get(); ok {
		props = append(props, model.Property{Type: model.PropMaxCacheDuration, Int: v})
	}
	if order == model.Descending {
		props = append(props, model.Property{Type: model.PropDefaultGroupOrder, Int: uint64(order)})
	}
	p.ObjectDeliveryTimeout, p.MaxCacheDuration = model.Opt[uint64]{}, model.Opt[uint64]{}
	return props
}

// orderOf returns the order that the properties of a track state.
func orderOf(props model.Properties) model.GroupOrder {
	if v, ok := props.Int(model.PropDefaultGroupOrder); ok {
		return model.GroupOrder(v)
	}
	return model.Ascending
}
