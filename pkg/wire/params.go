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
	// MaxCacheDuration in ms is for the codec of draft 14 alone, where it is no
	// track property: what is read has it among the TrackProperties.
	MaxCacheDuration model.Opt[uint64]

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
	paramMaxCacheDuration
	paramCount
)

var paramNames = [paramCount]string{
	"OBJECT_DELIVERY_TIMEOUT", "AUTHORIZATION_TOKEN", "RENDEZVOUS_TIMEOUT", "SUBGROUP_DELIVERY_TIMEOUT", "EXPIRES",
	"LARGEST_OBJECT", "FILL_TIMEOUT", "FORWARD", "SUBSCRIBER_PRIORITY", "LOCATION_FILTER", "GROUP_ORDER",
	"FILL_PARAMETERS", "NEW_GROUP_REQUEST", "TRACK_NAMESPACE_PREFIX", "INCLUDE_PROPERTIES",
	"MAX_CACHE_DURATION",
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
	case paramMaxCacheDuration:
		return p.MaxCacheDuration.Get()
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
	case paramMaxCacheDuration:
		p.MaxCacheDuration = model.Some(v)
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
	sent := e.sendable(at, p)
	n := 0
	for id := range paramCount {
		n += sent.count(id)
	}
	e.uint(uint64(n))
	sent.KeyValues = sent.KeyValues || e.table.keyValueParams
	prev := uint64(0)
	for i := range e.table.params {
		row := &e.table.params[i]
		for k := range sent.count(row.id) {
			e.uint(row.typ - prev)
			if !e.table.absoluteTypes {
				prev = row.typ
			}
			e.paramValue(row, &sent, k)
		}
	}
}

// noParams is params for a message of a draft that has no place for any.
func (e *encoder) noParams(p *Params) { e.sendable(0, p) }

// sendable returns what is written of p: without what the draft says by saying
// nothing, and without hints that it has no words for. Anything else that does
// not belong at the place is an error.
func (e *encoder) sendable(at place, p *Params) Params {
	sent := *p
	isUpdate := at&inAnyUpdate != 0 // only an update has to say that there is no filter
	switch {
	case p.Filter.Value.Kind != model.FilterNone || !p.Filter.Set:
	case e.table.joinsNextObject && at == inSubscribe:
		sent.Filter = model.Some(model.NextObject)
	case e.table.filterNoneIsAbsence && !isUpdate:
		sent.Filter = model.Opt[model.Filter]{}
	}
	if e.table.positiveTimeouts && sent.ObjectDeliveryTimeout.Value == 0 {
		sent.ObjectDeliveryTimeout = model.Opt[uint64]{}
	}
	for id := range paramCount {
		if sent.count(id) == 0 {
			continue
		}
		row := e.table.paramOf(id)
		if row != nil && row.in&at != 0 {
			continue
		}
		switch {
		case e.table.keyValueParams && hint(id) && (row == nil || id == paramExpires):
			sent.drop(id)
		case row == nil:
			e.fail("draft %v has no %s", e.ctx.Draft, paramNames[id])
			return Params{}
		default:
			e.fail("%s is not allowed here", row.name)
			return Params{}
		}
	}
	return sent
}

// hint reports whether a parameter is only a hint, so that a message means
// nearly the same without it. Drafts up to 16 lack all or some of these, and
// what a relay passes on to their peers may have them.
func hint(id paramID) bool {
	switch id {
	case paramRendezvousTimeout, paramSubgroupDeliveryTimeout, paramFillTimeout, paramNewGroupRequest, paramExpires:
		return true
	}
	return false
}

// drop removes a parameter that is a hint, or one that draft 14 has as a field.
func (p *Params) drop(id paramID) {
	switch id {
	case paramRendezvousTimeout:
		p.RendezvousTimeout = model.Opt[uint64]{}
	case paramSubgroupDeliveryTimeout:
		p.SubgroupDeliveryTimeout = model.Opt[uint64]{}
	case paramFillTimeout:
		p.FillTimeout = model.Opt[uint64]{}
	case paramNewGroupRequest:
		p.NewGroupRequest = model.Opt[uint64]{}
	case paramExpires:
		p.Expires = model.Opt[uint64]{}
	case paramLargestObject:
		p.LargestObject = model.Opt[model.Location]{}
	case paramForward:
		p.Forward = model.Opt[bool]{}
	case paramSubscriberPriority:
		p.SubscriberPriority = model.Opt[uint8]{}
	case paramFilter:
		p.Filter = model.Opt[model.Filter]{}
	case paramGroupOrder:
		p.GroupOrder = model.Opt[model.GroupOrder]{}
	}
}

// without returns a copy of p that lacks parameters.
func (p *Params) without(ids ...paramID) *Params {
	rest := *p
	for _, id := range ids {
		rest.drop(id)
	}
	return &rest
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
	if d.table.positiveTimeouts && p.ObjectDeliveryTimeout.Value == 0 {
		p.ObjectDeliveryTimeout = model.Opt[uint64]{} // draft 16 forbids it, draft 14 gives it no meaning
	}
	return p
}

// paramList reads parameters as long as more says so. Every parameter takes at
// least one byte, so that an absurd count ends with the input.
func (d *decoder) paramList(at place, p *Params, more func() bool) {
	var seen [paramCount]bool
	typ := uint64(0)
	for d.err == nil && more() {
		delta := d.uint("Parameter Type")
		if d.table.absoluteTypes {
			typ = 0
		}
		typ = d.r.Add(typ, delta, errOverflow)
		d.check("Parameter Type")
		if d.err != nil {
			return
		}
		row := d.table.paramOfType(typ)
		switch {
		case row == nil && d.table.ignoresUnknown:
			d.skipKeyValue(typ)
		case row == nil:
			d.fail("Parameter Type", unknownNumber(typ))
		case row.in&at == 0 && d.ignores(row, at):
			d.skipKeyValue(typ)
		case row.in&at == 0 && d.skipsParam(row, at):
			d.byte(row.name)
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

// ignores reports whether a known parameter is skipped in a message that may not
// have it (draft 16, section 9.2.2). An update with a parameter for another kind
// of request is a mistake nevertheless (section 9.11).
func (d *decoder) ignores(row *paramRow, at place) bool {
	return d.table.ignoresMisplaced && (at&inAnyUpdate == 0 || row.in&inAnyUpdate == 0)
}

// skipKeyValue skips the value of a Key-Value-Pair.
func (d *decoder) skipKeyValue(typ uint64) {
	if typ&1 == 0 {
		d.uint("Value")
		return
	}
	d.r.LengthPrefixed(MaxPropertyLen, errTooLong)
	d.check("Value")
}
