package relay

import (
	"context"
	"time"

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
	out  *session.Outbound // set before serving is closed by serve

	replay bool // whatever the policy says; set before serve

	// serving is closed when sub delivers, or never will. An update may come
	// as soon as the subscription was accepted.
	serving chan struct{}

	began    time.Time
	counters observe.Subscriber
	late     observe.Window
	quiet    time.Time // until then nobody hears how slow it is; guarded by the lock of sub
	silenced int       // how often that was; likewise

	// Guarded by Relay.mu.
	forward  bool
	newGroup model.Opt[uint64] // wished for before there was a publisher
	// sub follows the log, nil before followLocked. The subscriber is told
	// largest and gets what comes after it. Neither changes once it is told.
	sub     *egress.Subscription
	largest model.Opt[model.Location]
	told    bool
}

// followLocked begins to follow the log, if d does not yet. It must be called
// before the first object that a waiting subscriber is to get can come, however
// late the goroutine of the subscriber runs.
func (d *downstream) followLocked() {
	if d.sub == nil {
		d.sub = d.peer.sched.Subscribe(d.t.log)
		d.sub.OnSlow(d.slow)
		d.sub.OnRewrite(func() { d.peer.rewrote(d.t) })
		d.largest = d.sub.Largest()
	}
}

// followLocked makes those who wait for a publisher follow the log from where
// it is now. One that follows already, and was not told yet from where, goes on
// to the location where a publisher says that it is.
func (t *relayTrack) followLocked(publisher model.Opt[model.Location]) {
	theirs, some := publisher.Get()
	for d, served := range t.subs {
		if served || d.told {
			continue
		}
		d.followLocked()
		if ours, seen := d.largest.Get(); some && (!seen || ours.Less(theirs)) {
			d.largest = publisher
		}
	}
}

// unfollowLocked undoes followLocked for those who were told nothing yet, when
// what they follow ends.
func (t *relayTrack) unfollowLocked() {
	for d := range t.subs {
		if d.sub != nil && !d.told {
			d.sub.Stop(model.ResetCancelled)
			d.sub = nil
		}
	}
}

// follow begins to follow the log, if d does not yet, and returns what the
// subscriber is told; what comes after that is delivered.
func (d *downstream) follow() session.Offer {
	d.t.r.mu.Lock()
	defer d.t.r.mu.Unlock()
	d.followLocked()
	d.told = true
	return session.Offer{Largest: d.largest, Properties: d.t.log.Properties()}
}

// abandon undoes joinLocked and follow.
func (d *downstream) abandon() {
	close(d.serving)
	d.part() // from now on nobody else makes it follow
	if d.sub != nil {
		d.sub.Stop(model.ResetCancelled)
	}
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
	d.peer.counters.Subscriptions.Add(1)
	r.work.Go(func() {
		defer d.peer.counters.Subscriptions.Add(-1)
		close(d.serving)
		hall.Deliver(d.sub, out, hall.Options{
			Policy: r.tuned.Load().Slow, Replay: d.replay || t.replays(terms.Filter), KeepImmutable: r.cfg.KeepImmutable, Counters: &d.counters,
		})
		d.part()
		d.peer.log.Debug("unsubscribed", "track", t.name, "because", context.Cause(out.Context()))
	})
}

// replays reports whether a subscription that begins in the past gets what there is
// of it: if the policy says so, or if the log knows the track as a single object, as
// catalogs are.
func (t *relayTrack) replays(f model.Filter) bool {
	if f.Kind != model.FilterAbsolute {
		return false
	}
	if t.policy.Replay {
		return true
	}
	return t.log.IsSingle()
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
