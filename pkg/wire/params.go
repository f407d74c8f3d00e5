package wire

import (
	"oxymoq/pkg/model"
)

// Params are the message parameters of one message (section 10.2). The codec
// refuses those that the message may not carry.
type Params struct {
	ObjectDeliveryTimeout   model.Opt[uint64] // ms
	Tokens                  []Token
	RendezvousTimeout       model.Opt[uint64] // ms
	SubgroupDeliveryTimeout model.Opt[uint64] // ms
	Expires                 model.Opt[uint64] // ms; 0: unknown
	LargestObject           model.Opt[model.Location]
	FillTimeout             model.Opt[uint64] // ms
	Forward                 model.Opt[bool]
	SubscriberPriority      model.Opt[uint8]
	Filter                  model.Opt[model.Filter]
	GroupOrder              model.Opt[model.GroupOrder]
	Fill                    *Params // drafts from 20 on: FILL_PARAMETERS
	NewGroupRequest         model.Opt[uint64]
	NamespacePrefix         model.Opt[model.Namespace]
	IncludeProperties       model.Opt[bool] // drafts from 20 on

	// KeyValues says that the sender wrote, or that the receiver reads, values
	// in the manner of Key-Value-Pairs; see lenient.go.
	KeyValues bool
}

// paramID names a field of Params independently of its type number.
type paramID uint8

const (
	paramObjectDeliveryTimeout paramID = iota
	paramToken
	paramRendezvousTimeout
	paramSubgroupDeliveryTimeout
	paramExpires
	paramLargestObject
	paramFillTimeout
	paramForward
	paramSubscriberPriority
	paramFilter
	paramGroupOrder
	paramFill
	paramNewGroupRequest
	paramNamespacePrefix
	paramIncludeProperties
	paramCount
)

var paramNames = [paramCount]string{
	"OBJECT_DELIVERY_TIMEOUT", "AUTHORIZATION_TOKEN", "RENDEZVOUS_TIMEOUT", "SUBGROUP_DELIVERY_TIMEOUT", "EXPIRES",
	"LARGEST_OBJECT", "FILL_TIMEOUT", "FORWARD", "SUBSCRIBER_PRIORITY", "LOCATION_FILTER", "GROUP_ORDER",
	"FILL_PARAMETERS", "NEW_GROUP_REQUEST", "TRACK_NAMESPACE_PREFIX", "INCLUDE_PROPERTIES",
}

// count returns how often a parameter appears in p.
func (p *Params) count(id paramID) int {
	set := false
	switch id {
	case paramToken:
		return len(p.Tokens)
	case paramLargestObject:
		set = p.LargestObject.Set
	case paramFilter:
		set = p.Filter.Set
	case paramFill:
		set = p.Fill != nil
	case paramNamespacePrefix:
		set = p.NamespacePrefix.Set
	default:
		_, set = p.number(id)
	}
	if set {
		return 1
	}
	return 0
}

// Empty reports whether there are no parameters.
func (p *Params) Empty() bool {
	for id := range paramCount {
		if p.count(id) > 0 {
			return false
		}
	}
	return true
}

// number returns a parameter whose value is a number.
func (p *Params) number(id paramID) (uint64, bool) {
	switch id {
	case paramObjectDeliveryTimeout:
		return p.ObjectDeliveryTimeout.Get()
	case paramRendezvousTimeout:
		return p.RendezvousTimeout.Get()
	case paramSubgroupDeliveryTimeout:
		return p.SubgroupDeliveryTimeout.Get()
	case paramExpires:
		return p.Expires.Get()
	case paramFillTimeout:
		return p.FillTimeout.Get()
	case paramForward:
		return truth(p.Forward.Value), p.Forward.Set
	case paramSubscriberPriority:
		return uint64(p.SubscriberPriority.Value), p.SubscriberPriority.Set
	case paramGroupOrder:
		return uint64(p.GroupOrder.Value), p.GroupOrder.Set
	case paramNewGroupRequest:
		return p.NewGroupRequest.Get()
	case paramIncludeProperties:
		return truth(p.IncludeProperties.Value), p.IncludeProperties.Set
	}
	return 0, false
}

// setNumber stores a parameter whose value is a number; its range was checked.
func (p *Params) setNumber(id paramID, v uint64) {
	switch id {
	case paramObjectDeliveryTimeout:
		p.ObjectDeliveryTimeout = model.Some(v)
	case paramRendezvousTimeout:
		p.RendezvousTimeout = model.Some(v)
	case paramSubgroupDeliveryTimeout:
		p.SubgroupDeliveryTimeout = model.Some(v)
	case paramExpires:
		p.Expires = model.Some(v)
	case paramFillTimeout:
		p.FillTimeout = model.Some(v)
	case paramForward:
		p.Forward = model.Some(v == 1)
	case paramSubscriberPriority:
		p.SubscriberPriority = model.Some(uint8(v))
	case paramGroupOrder:
		p.GroupOrder = model.Some(model.GroupOrder(v))
	case paramNewGroupRequest:
		p.NewGroupRequest = model.Some(v)
	case paramIncludeProperties:
		p.IncludeProperties = model.Some(v == 1)
	}
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// params writes the number of parameters and the parameters, in the order of
// their types.
func (e *encoder) params(at place, p *Params) {
	sent, n := *p, 0
	if e.table.filterNoneIsAbsence && at&inAnyUpdate == 0 && p.Filter.Value.Kind == model.FilterNone {
		sent.Filter = model.Opt[model.Filter]{} // only an update has to say that there is none
	}
	for id := range paramCount {
		count := sent.count(id)
		if count == 0 {
			continue
		}
		row := e.table.paramOf(id)
		switch {
		case row == nil:
			e.fail("draft %v has no %s", e.ctx.Draft, paramNames[id])
			return
		case row.in&at == 0:
			e.fail("%s is not allowed here", row.name)
			return
		}
		n += count
	}
	e.uint(uint64(n))
	prev := uint64(0)
	for i := range e.table.params {
		row := &e.table.params[i]
		for k := range sent.count(row.id) {
			e.uint(row.typ - prev)
			prev = row.typ
			e.paramValue(row, &sent, k)
		}
	}
}

// params reads the number of parameters and the parameters.
func (d *decoder) params(at place) Params {
	if at == inSubscribe {
		return d.paramsWithOrWithoutKeyValues(at)
	}
	return d.countedParams(at, false)
}

// countedParams is params without regard to habits of peers.
func (d *decoder) countedParams(at place, keyValues bool) Params {
	p := Params{KeyValues: keyValues}
	n := d.uint("Number of Parameters")
	d.paramList(at, &p, func() bool { n--; return n != ^uint64(0) })
	return p
}

// paramList reads parameters as long as more says so. Every parameter takes at
// least one byte, so that an absurd count ends with the input.
func (d *decoder) paramList(at place, p *Params, more func() bool) {
	var seen [paramCount]bool
	typ := uint64(0)
	for d.err == nil && more() {
		delta := d.uint("Parameter Type")
		typ = d.r.Add(typ, delta, errOverflow)
		d.check("Parameter Type")
		if d.err != nil {
			return
		}
		row := d.table.paramOfType(typ)
		switch {
		case row == nil:
			d.fail("Parameter Type", unknownNumber(typ))
		case row.in&at == 0 && !d.toleratesParam(row, at):
			d.fail(row.name, errNotPermitted)
		case seen[row.id] && !row.repeats:
			d.fail(row.name, errDuplicate)
		default:
			seen[row.id] = true
			d.paramValue(row, p)
		}
	}
}
