package relay

import (
	"context"
	"strings"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// Quirks of peers, known by what they call themselves, one function each. They
// make no difference to other peers.

// rejectsPublishUpdate reports whether a publisher closes the session when the
// subscriber of its PUBLISH sends REQUEST_UPDATE, which section 10.9 allows.
// Such a track is never paused. (imquic 0.0.2)
func rejectsPublishUpdate(implementation string) bool {
	return strings.HasPrefix(implementation, "imquic ")
}

// joinsByGroup reports whether a subscriber that asks for what comes after the
// largest object, or for everything, expects the group that is being published
// from its beginning, which section 5.1.2 does not give it, and fetches nothing.
// Without that it would wait for ever for the only object of a catalog.
// (@moq/net 0.1 to 0.3, of @moq/watch)
func joinsByGroup(implementation string) bool { return implementation == "moq-lite-js" }

// currentGroup selects the group of the largest object, from its beginning.
var currentGroup = model.Filter{Kind: model.FilterRelative, Back: 1}

// joinByGroup grants what joinsByGroup tells of.
func (d *downstream) joinByGroup(ctx context.Context, req *session.SubscribeRequest) {
	kind := req.Terms.Filter.Kind
	if joinsByGroup(d.peer.session.PeerImplementation()) && (kind == model.FilterNone || kind == model.FilterNextObject) {
		d.backfill(ctx)
		req.Terms.Filter, d.replay = currentGroup, true
	}
}
