package relay

import (
	"context"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// currentGroup selects the group of the largest object, from its beginning.
var currentGroup = model.Filter{Kind: model.FilterRelative, Back: 1}

// joinByGroup gives peers that join by group what they expect.
func (d *downstream) joinByGroup(ctx context.Context, req *session.SubscribeRequest) {
	kind := req.Terms.Filter.Kind
	if d.peer.session.Quirks().JoinsByGroup && (kind == model.FilterNone || kind == model.FilterNextObject) {
		d.backfill(ctx)
		req.Terms.Filter, d.replay = currentGroup, true
	}
}
