package session

import (
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// Terms are what the two sides of a subscription agree on. The subscriber
// sets them by SUBSCRIBE, PUBLISH_OK and REQUEST_UPDATE, the publisher
// proposes some in PUBLISH.
type Terms struct {
	Forward  bool
	Priority uint8
	// Order is GroupOrderUnset where the publisher's preference holds.
	Order  model.GroupOrder
	Filter model.Filter
	// Range is what the filter selects. It is resolved where the filter is
	// accepted, against the largest location known then.
	Range model.Range
	// Timeouts of delivery; 0: none (section 8).
	ObjectTimeout, SubgroupTimeout time.Duration
}

// defaultTerms holds for what a message does not state.
func defaultTerms() Terms {
	return Terms{Forward: true, Priority: model.DefaultPriority, Range: model.Range{End: model.Forever}}
}

// apply changes the terms by the parameters that are present; largest is what
// a new filter is resolved against.
func (t *Terms) apply(p wire.Params, largest model.Opt[model.Location]) {
	if v, ok := p.Forward.Get(); ok {
		t.Forward = v
	}
	if v, ok := p.SubscriberPriority.Get(); ok {
		t.Priority = v
	}
	if v, ok := p.GroupOrder.Get(); ok {
		t.Order = v
	}
	if v, ok := p.Filter.Get(); ok {
		t.Filter = v
		t.Range = v.Resolve(largest)
	}
	if v, ok := p.ObjectDeliveryTimeout.Get(); ok {
		t.ObjectTimeout = milliseconds(v)
	}
	if v, ok := p.SubgroupDeliveryTimeout.Get(); ok {
		t.SubgroupTimeout = milliseconds(v)
	}
}

// Change is a set of terms to be changed; what is absent stays. It serves
// SUBSCRIBE, PUBLISH_OK and REQUEST_UPDATE alike.
type Change struct {
	Forward         model.Opt[bool]
	Priority        model.Opt[uint8]
	Order           model.Opt[model.GroupOrder] // not in a REQUEST_UPDATE
	Filter          model.Opt[model.Filter]
	ObjectTimeout   model.Opt[time.Duration]
	SubgroupTimeout model.Opt[time.Duration]
	// NewGroup asks the publisher to begin a group after this one; 0 if none
	// is known (section 10.2.13).
	NewGroup model.Opt[uint64]
}

func (c Change) params() wire.Params {
	return wire.Params{
		Forward: c.Forward, SubscriberPriority: c.Priority, GroupOrder: c.Order, Filter: c.Filter,
		ObjectDeliveryTimeout: inMilliseconds(c.ObjectTimeout), SubgroupDeliveryTimeout: inMilliseconds(c.SubgroupTimeout),
		NewGroupRequest: c.NewGroup,
	}
}

func inMilliseconds(d model.Opt[time.Duration]) model.Opt[uint64] {
	if v, ok := d.Get(); ok {
		return model.Some(uint64(max(0, v.Milliseconds())))
	}
	return model.Opt[uint64]{}
}

// Offer is what a publisher tells of a track when it accepts or proposes a
// subscription.
type Offer struct {
	Largest    model.Opt[model.Location] // must be set if anything was published
	Properties model.Properties
	Expires    time.Duration // 0: unknown
}

func (o Offer) params() wire.Params {
	p := wire.Params{LargestObject: o.Largest}
	if o.Expires > 0 {
		p.Expires = model.Some(uint64(o.Expires.Milliseconds()))
	}
	return p
}

func offerOf(p wire.Params, props model.Properties) Offer {
	return Offer{Largest: p.LargestObject, Properties: props, Expires: milliseconds(p.Expires.Or(0))}
}

// wireTokens sends tokens by value, which every peer takes.
func wireTokens(tokens []auth.Token) []wire.Token {
	var out []wire.Token
	for _, t := range tokens {
		out = append(out, wire.Token{Action: wire.TokenUseValue, Type: t.Type, Value: t.Value})
	}
	return out
}
