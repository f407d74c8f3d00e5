package hall

import (
	"context"
	"errors"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
)

// Options say how to deliver, beyond what the subscriber asked for.
type Options struct {
	Policy egress.Policy
	// Replay also delivers what the log holds of the range already.
	Replay bool
	// KeepImmutable ends the subscription rather than rewrite immutable
	// properties for the subscriber's draft.
	KeepImmutable bool
	Counters      *observe.Subscriber
}

// Deliver sends a track to a subscriber until one of them ends, and tells the
// subscriber how it ended. The range is that of out's terms.
func Deliver(sub *egress.Subscription, out *session.Outbound, o Options) {
	out.Settled(func(t session.Terms) { // an update before it is in t, one after it reaches Revise
		sub.Start(egress.Options{
			Alias: out.Alias(), Range: t.Range, Forward: t.Forward, Priority: t.Priority, Order: t.Order,
			ObjectTimeout: t.ObjectTimeout, SubgroupTimeout: t.SubgroupTimeout,
			Replay: o.Replay, Policy: o.Policy, KeepImmutable: o.KeepImmutable, Counters: o.Counters,
		})
	})
	select {
	case <-sub.Done():
		r := sub.Result()
		_ = out.Done(r.Code, r.Reason, model.Some(r.Streams)) // fails only if the subscriber has left
	case <-out.Context().Done():
		sub.Stop(model.ResetCancelled)
		<-sub.Done()
		// A permission that ended is the one end that the subscriber has not
		// made itself.
		if re, ok := errors.AsType[*model.RequestError](context.Cause(out.Context())); ok {
			code := model.DoneUnauthorized
			if re.Code == model.RequestExpiredAuthToken {
				code = model.DoneExpired
			}
			_ = out.Done(code, re.Reason, model.Some(sub.Result().Streams)) // as above
		}
	}
}

// Revise passes new terms on to a subscription that is being delivered.
func Revise(sub *egress.Subscription, now, next session.Terms) {
	var c egress.Change
	if next.Range != now.Range {
		c.Range = model.Some(next.Range)
	}
	if next.Forward != now.Forward {
		c.Forward = model.Some(next.Forward)
	}
	if next.Priority != now.Priority {
		c.Priority = model.Some(next.Priority)
	}
	if next.ObjectTimeout != now.ObjectTimeout {
		c.ObjectTimeout = model.Some(next.ObjectTimeout)
	}
	if next.SubgroupTimeout != now.SubgroupTimeout {
		c.SubgroupTimeout = model.Some(next.SubgroupTimeout)
	}
	sub.Update(c)
}
