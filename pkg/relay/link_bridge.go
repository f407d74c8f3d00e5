package relay

import (
	"context"

	"oxymoq/pkg/model"
)

// bridgeLocked fetches what a track has missed while the relay that sends it could
// not be reached, before u takes its place: from the largest location that was seen
// up to the one that the other relay tells. Viewers who were served until then get
// it late, all that the other relay still has. From publishers it is not fetched:
// they began anew, or keep nothing.
func (u *upstream) bridgeLocked(theirs model.Opt[model.Location]) {
	t := u.t
	from, seen := t.log.Largest().Get()
	to, some := theirs.Get()
	if !u.peer.isRelay() || !seen || !some || !from.Less(to) || !t.servesLocked() {
		return
	}
	missed := model.Range{Start: from.Next(), End: to}
	if groups := uint64(t.r.tuned.Load().CacheGroups); to.Group-from.Group >= groups { // no more than is kept
		missed.Start = model.Location{Group: to.Group - groups + 1}
	}
	life := u.in.Context()
	t.r.work.Go(func() {
		ctx, cancel := context.WithTimeoutCause(life, t.r.cfg.UpstreamTimeout, errNoAnswer)
		defer cancel()
		if err := t.fetchInto(ctx, life, u.peer, missed, to.Group); err != nil {
			u.peer.log.Debug("what was missed is not to be had", "track", t.name, "range", missed, "because", err)
		}
	})
}

// servesLocked reports whether a subscriber follows the track.
func (t *relayTrack) servesLocked() bool {
	for _, served := range t.subs {
		if served {
			return true
		}
	}
	return false
}
