package mlog

import (
	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// with adds the parameters of a message.
func with(f fields, p wire.Params) fields {
	list := params(&p)
	return append(f, field{"number_of_parameters", len(list)}, field{"parameters", list})
}

func params(p *wire.Params) []fields {
	all := []fields{}
	add := func(name string, value any) { all = append(all, fields{{"name", name}, {"value", value}}) }
	number := func(name string, v model.Opt[uint64]) {
		if v.Set {
			add(name, v.Value)
		}
	}
	truth := func(name string, v model.Opt[bool]) {
		switch {
		case v.Set && v.Value:
			add(name, 1)
		case v.Set:
			add(name, 0)
		}
	}
	number("delivery_timeout", p.ObjectDeliveryTimeout)
	number("max_cache_duration", p.MaxCacheDuration)
	for _, t := range p.Tokens {
		all = append(all, token(t))
	}
	number("rendezvous_timeout", p.RendezvousTimeout)
	number("subgroup_delivery_timeout", p.SubgroupDeliveryTimeout)
	number("expires", p.Expires)
	if l, ok := p.LargestObject.Get(); ok {
		add("largest_object", location(l))
	}
	number("fill_timeout", p.FillTimeout)
	truth("forward", p.Forward)
	if v, ok := p.SubscriberPriority.Get(); ok {
		add("subscriber_priority", v)
	}
	if v, ok := p.Filter.Get(); ok {
		add("subscription_filter", filter(v))
	}
	if v, ok := p.GroupOrder.Get(); ok {
		add("group_order", uint8(v))
	}
	if p.Fill != nil {
		add("fill_parameters", params(p.Fill))
	}
	number("new_group_request", p.NewGroupRequest)
	if v, ok := p.NamespacePrefix.Get(); ok {
		add("track_namespace_prefix", namespace(v))
	}
	truth("include_properties", p.IncludeProperties)
	return all
}

// Filter types of the schema, which are the wire's.
const (
	nextGroupStart = 1
	largestObject  = 2
	absoluteStart  = 3
	absoluteRange  = 4
)

func filter(v model.Filter) fields {
	switch v.Kind {
	case model.FilterNextObject:
		return fields{{"filter_type", largestObject}}
	case model.FilterRelative:
		return fields{{"filter_type", nextGroupStart}}
	}
	end, ranged := v.End.Get()
	if !ranged {
		return fields{{"filter_type", absoluteStart}, {"start_location", location(v.Start)}}
	}
	return fields{{"filter_type", absoluteRange}, {"start_location", location(v.Start)}, {"end_group_delta", end.Group - v.Start.Group}}
}
