package relay

import (
	"context"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// refreshLocked tells all publishers whether anybody wants objects now.
func (t *relayTrack) refreshLocked() {
	want := t.wantedLocked()
	for _, u := range t.ups {
		u.forwardLocked(want)
	}
}

// forwardLocked tells the publisher whether objects are wanted, one
// REQUEST_UPDATE at a time.
func (u *upstream) forwardLocked(forward bool) {
	if u.fixed {
		return
	}
	u.forward = forward
	u.updateLocked()
}

func (u *upstream) updateLocked() {
	if !u.updating && (u.forward != u.told || u.newGroup.Set) {
		u.updating = true
		u.t.r.work.Go(u.update)
	}
}

// update sends what there is to tell, until the publisher knows all.
func (u *upstream) update() {
	t, r := u.t, u.t.r
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	for err == nil && t.ups[u.peer] == u && (u.forward != u.told || u.newGroup.Set) {
		want, group := u.forward, u.newGroup
		u.newGroup = model.Opt[uint64]{}
		if !want && u.told { // what is published from now on may be missing
			u.told = false
			t.stoppedLocked()
		}
		r.mu.Unlock()
		var largest model.Opt[model.Location]
		ctx, cancel := context.WithTimeoutCause(u.in.Context(), r.cfg.UpstreamTimeout, errNoAnswer)
		largest, err = u.in.Update(ctx, session.Change{Forward: model.Some(want), NewGroup: group})
		cancel()
		if err != nil {
			u.peer.log.Debug("upstream update refused", "track", t.name, "because", err)
		}
		r.mu.Lock()
		if err == nil && want && !u.told && t.ups[u.peer] == u {
			t.startedLocked(largest, false)
			t.followLocked(largest)
			u.told = true
		}
	}
	u.updating = false
	t.signalLocked()
}

// groupWish is a wish for a new group that a publisher was told of. It holds
// until the largest group grows.
type groupWish struct {
	after   model.Opt[uint64]
	largest model.Opt[model.Location] // when it was told
}

// includes reports whether the wish for a group after the given one is told by
// w already.
func (w groupWish) includes(after uint64, largest model.Opt[model.Location]) bool {
	told, ok := w.after.Get()
	return ok && told >= after && w.largest.Value.Group == largest.Value.Group && w.largest.Set == largest.Set
}

// wishLocked returns what a publisher that is asked for the track is told of
// new groups: the furthest wish of the subscribers that wait.
func (t *relayTrack) wishLocked() groupWish {
	w := groupWish{largest: t.log.Largest()}
	for d := range t.subs {
		if after, ok := d.newGroup.Get(); ok && after >= w.after.Value {
			w.after = d.newGroup
		}
	}
	return w
}

// askGroupLocked passes a wish for a new group on, if the track can have one
// and it is not under way (section 10.2.13).
func (t *relayTrack) askGroupLocked(after uint64) {
	if dynamic, _ := t.log.Properties().Int(model.PropDynamicGroups); dynamic != 1 {
		return
	}
	largest := t.log.Largest()
	if l, ok := largest.Get(); ok && after != 0 && after <= l.Group {
		return
	}
	for _, u := range t.ups {
		if u.fixed || u.asked.includes(after, largest) {
			continue
		}
		u.asked = groupWish{after: model.Some(after), largest: largest}
		u.newGroup = model.Some(after)
		u.updateLocked()
	}
}
