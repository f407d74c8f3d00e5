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
	slow, groups, behind := sub.behind()
	if (p.MaxGroups == 0 || groups <= p.MaxGroups) && behind <= p.MaxBytes {
		return
	}
	if p.Action == EndTooFarBehind {
		sub.tooSlow(Slow{Ended: true, Groups: groups, Bytes: behind})
		return
	}
	skipped := 0
	for _, o := range slow {
		if o.job.group < newest {
			o.abandon(tooSlow)
			skipped++
		}
	}
	if skipped > 0 && sub.onSlow != nil {
		sub.onSlow(Slow{Groups: groups, Bytes: behind})
	}
}

// Slow says what a subscriber was too slow for.
type Slow struct {
	Ended  bool  // the subscription ended; else it was moved on to the newest group
	Groups int   // newer than the one being sent
	Bytes  int64 // that waited; 0 if they left the log meanwhile
}

// OnSlow makes f be called whenever the subscriber is too slow. f is called under
// the lock of the subscription and must neither block nor use it. To be called
// before Start.
func (sub *Subscription) OnSlow(f func(Slow)) { sub.onSlow = f }

// tooSlow ends a subscription.
func (sub *Subscription) tooSlow(s Slow) {
	sub.stop(tooSlow, Result{Code: model.DoneTooFarBehind, Reason: "subscriber is too slow"})
	if sub.onSlow != nil {
		sub.onSlow(s)
	}
}

// behind returns the streams that have something unsent or in a Write, oldest group
// first, how many groups are newer than the first of them, and how many bytes wait.
func (sub *Subscription) behind() (slow []*stream, groups int, bytes int64) {
	for _, o := range sub.active {
		objects, unsent := o.reader.Behind()
		if inside := o.inside.Load(); objects > 0 || inside > 0 {
			slow = append(slow, o)
			bytes += unsent + inside
		}
	}
	slices.SortFunc(slow, func(a, b *stream) int { return cmp.Compare(a.job.group, b.job.group) })
	if len(slow) > 0 {
		groups = sub.t.GroupsAfter(slow[0].job.group)
	}
	sub.counters.GroupsBehind.Store(int64(groups))
	sub.counters.BytesBehind.Store(bytes)
	return slow, groups, bytes
}

// Measure brings GroupsBehind and BytesBehind of the counters up to date, which
// otherwise happens when something new is discovered.
func (sub *Subscription) Measure() {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	if sub.started && !sub.over {
		sub.behind()
	}
}

// fellBehind is called when what a stream would send next left the log. If that
// was the newest group there is nothing to skip to.
func (sub *Subscription) fellBehind(o *stream) {
	newest, _ := sub.t.Newest().Get()
	if sub.opts.Policy.Action == EndTooFarBehind || o.job.group >= newest {
		sub.tooSlow(Slow{Ended: true, Groups: sub.t.GroupsAfter(o.job.group)})
		return
	}
	if sub.onSlow != nil {
		sub.onSlow(Slow{Groups: sub.t.GroupsAfter(o.job.group)})
	}
}
