package relay

import (
	"context"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
)

// downstream is one subscriber of a track, or one who waits to be.
type downstream struct {
	t    *relayTrack
	peer *peer
	sub  *egress.Subscription // nil before follow
	out  *session.Outbound    // set before serving is closed by serve

	replay bool // whatever the policy says; set before serve

	// serving is closed when sub delivers, or never will. An update may come
	// as soon as the subscription was accepted.
	serving chan struct{}

	counters observe.Subscriber

	// Guarded by Relay.mu.
	forward  bool
	newGroup model.Opt[uint64] // wished for before there was a publisher
}

// follow begins to follow the log, if it has not, and returns what the
// subscriber is told; what comes after that is delivered.
func (d *downstream) follow() session.Offer {
	if d.sub == nil {
		d.sub = d.peer.sched.Subscribe(d.t.log)
	}
	return session.Offer{Largest: d.sub.Largest(), Properties: d.t.log.Properties()}
}

// abandon undoes joinLocked and follow.
func (d *downstream) abandon() {
	close(d.serving)
	if d.sub != nil {
		d.sub.Stop(model.ResetCancelled)
	}
	d.part()
}

func (d *downstream) part() {
	d.t.r.mu.Lock()
	defer d.t.r.mu.Unlock()
	d.t.partLocked(d)
}

// serve begins to send and returns at once.
func (d *downstream) serve(out *session.Outbound) {
	r, t := d.t.r, d.t
	terms := out.Terms()
	d.out = out
	r.mu.Lock()
	t.subs[d] = true
	d.forward = terms.Forward
	t.refreshLocked()
	r.mu.Unlock()
	d.peer.log.Debug("subscribed", "track", t.name, "range", terms.Range)
	r.work.Go(func() {
		close(d.serving)
		hall.Deliver(d.sub, out, hall.Options{
			Policy: r.cfg.Slow, Replay: d.replay || t.replays(terms.Filter), Counters: &d.counters,
		})
		d.part()
		d.peer.log.Debug("unsubscribed", "track", t.name, "because", context.Cause(out.Context()))
	})
}

// replays reports whether a subscription that begins in the past gets what the
// log holds of it: if the policy says so, or if the track is a single object,
// as catalogs are.
func (t *relayTrack) replays(f model.Filter) bool {
	if f.Kind != model.FilterAbsolute {
		return false
	}
	if t.policy.Replay {
		return true
	}
	s := t.log.Snapshot(2)
	return len(s.Groups) == 1 && s.Groups[0].Objects == 1
}

// update takes new terms of the subscriber.
func (d *downstream) update(now, next session.Terms, newGroup model.Opt[uint64]) error {
	t, r := d.t, d.t.r
	if next.Range != now.Range && next.Filter.EndsBefore(t.log.Largest()) {
		return errPast
	}
	<-d.serving
	if d.out == nil {
		return nil // abandoned: nobody reads the answer
	}
	if !next.Forward {
		hall.Revise(d.sub, now, next)
	}
	r.mu.Lock()
	d.forward = next.Forward
	t.refreshLocked()
	if g, ok := newGroup.Get(); ok {
		t.askGroupLocked(g)
	}
	r.mu.Unlock()
	if next.Forward {
		t.awaitFlow(d.out.Context(), d)
		hall.Revise(d.sub, now, next)
	}
	return nil
}
