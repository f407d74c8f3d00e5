package relay

import (
	"oxymoq/pkg/model"
)

// The log of a track that nobody subscribes to goes on being served to fetches as
// long as the publisher that it is of is there: one that comes anew may have begun
// anew, and without a subscription nobody would tell.

// publicationLocked returns the namespace publication by which a peer may be asked
// for the track, nil if there is none.
func (t *relayTrack) publicationLocked(p *peer) *publication {
	for _, pub := range t.scope.published.Covering(t.name.Namespace) {
		if pub.peer == p {
			return pub
		}
	}
	return nil
}

// vouchedLocked reports whether the log is of the present life of the track.
func (t *relayTrack) vouchedLocked() bool {
	if len(t.ups) > 0 {
		return true
	}
	if t.source != nil {
		for _, pub := range t.scope.published.Covering(t.name.Namespace) {
			if pub == t.source {
				return true
			}
		}
	}
	return false
}

// vouchLocked is called when a publisher has accepted a fetch, and reports whether
// what it brings may go into the log. If that is of a publisher that is gone, it
// begins anew, but not while somebody waits for the publisher to come back.
func (t *relayTrack) vouchLocked(p *peer, properties model.Properties) bool {
	source := t.publicationLocked(p)
	switch {
	case t.vouchedLocked():
		return true
	case t.dropped || source == nil || t.orphaned || len(t.subs) > 0 || len(t.opening) > 0:
		return false
	}
	if t.log.Newest().Set || t.log.Largest().Set {
		t.newEpochLocked("fetched from a publisher that may have begun anew")
	}
	t.source = source
	t.log.SetProperties(properties)
	return true
}

// newEpochLocked forgets all that is known of the track.
func (t *relayTrack) newEpochLocked(why string) {
	t.fillings = nil // they end, because they are of the old one
	t.log.NewEpoch(model.DoneTrackEnded, why)
}
