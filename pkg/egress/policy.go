package egress

import (
	"cmp"
	"slices"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
)

// Action is what becomes of a subscriber that is too slow.
type Action uint8

// Actions.
const (
	// SkipToNewestGroup gives up the older groups: their streams are reset.
	SkipToNewestGroup Action = iota
	// EndTooFarBehind ends the subscription.
	EndTooFarBehind
)

// Policy says when a subscriber is too slow, and what is done then.
type Policy struct {
	// MaxGroups is how many groups newer than the one being sent there may
	// be; 0 is no limit. Groups may be single objects, so no number suits all
	// tracks.
	MaxGroups int
	// MaxBytes is how much of the log may wait to be sent, over all streams;
	// 0 is DefaultMaxBytes.
	MaxBytes int64
	Action   Action
}

// DefaultMaxBytes is the default of Policy.MaxBytes.
const DefaultMaxBytes = 16 << 20

var tooSlow = ending{reset: model.ResetTooFarBehind, drop: observe.DropSkipped, skip: true}

// police applies the policy. It is called when something new was discovered,
// with sub.mu held.
func (sub *Subscription) police() {
	if len(sub.active) == 0 {
		sub.counters.GroupsBehind.Store(0)
		sub.counters.BytesBehind.Store(0)
		return
	}
	p := sub.opts.Policy
	p.MaxBytes = cmp.Or(p.MaxBytes, DefaultMaxBytes)
	newest, _ := sub.t.Newest().Get()
	var slow []*stream // that have something unsent or in a Write, oldest group first
	var behind int64
	for _, o := range sub.active {
		objects, bytes := o.reader.Behind()
		if inside := o.inside.Load(); objects > 0 || inside > 0 {
			slow = append(slow, o)
			behind += bytes + inside
		}
	}
	slices.SortFunc(slow, func(a, b *stream) int { return cmp.Compare(a.job.group, b.job.group) })
	groups := 0
	if len(slow) > 0 {
		groups = sub.t.GroupsAfter(slow[0].job.group)
	}
	sub.counters.GroupsBehind.Store(int64(groups))
	sub.counters.BytesBehind.Store(behind)
	if (p.MaxGroups == 0 || groups <= p.MaxGroups) && behind <= p.MaxBytes {
		return
	}
	if p.Action == EndTooFarBehind {
		sub.stop(tooSlow, Result{Code: model.DoneTooFarBehind, Reason: "subscriber is too slow"})
		return
	}
	for _, o := range slow {
		if o.job.group < newest {
			o.abandon(tooSlow)
		}
	}
}

// fellBehind is called when what a stream would send next left the log. If that
// was the newest group there is nothing to skip to.
func (sub *Subscription) fellBehind(o *stream) {
	newest, _ := sub.t.Newest().Get()
	if sub.opts.Policy.Action == EndTooFarBehind || o.job.group >= newest {
		sub.stop(tooSlow, Result{Code: model.DoneTooFarBehind, Reason: "subscriber is too slow"})
	}
}
