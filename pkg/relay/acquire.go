package relay

import (
	"context"
	"errors"
	"time"

	"oxymoq/pkg/model"
)

// acquire makes sure that a publisher sends the track to those who asked, of whom
// from is one. It asks all who publish by themselves, and of the relays that lead
// to others one after the other, and waits up to rendezvous for one to appear. The
// caller has joined.
func (t *relayTrack) acquire(ctx context.Context, from *peer, rendezvous time.Duration) error {
	var late <-chan time.Time
	if rendezvous > 0 {
		timer := time.NewTimer(min(rendezvous, MaxRendezvous))
		defer timer.Stop()
		late = timer.C
	}
	asked := map[*peer]bool{}
	for first := true; ; first = false {
		t.r.mu.Lock()
		circular := t.circularLocked(from)
		if (len(t.ups) > 0 || t.orphaned) && !circular {
			t.turnLocked(from)
			t.r.mu.Unlock()
			return nil
		}
		if first && len(t.opening) == 0 {
			t.refused = nil
		}
		for p := range t.opening {
			asked[p] = true
		}
		opening := len(t.opening) > 0 && !circular
		if !opening {
			opening = t.openNextLocked(from, asked)
		}
		refused, changed := t.refused, t.changed
		t.r.mu.Unlock()
		switch {
		case opening || late != nil: // publishers that come are asked by PublishNamespace
		case len(asked) > 0 && refused != nil:
			return refusal(refused)
		default:
			return t.noPublisher()
		}
		select {
		case <-changed:
		case <-late:
			return &model.RequestError{Code: model.RequestTimeout, Reason: "no publisher came in time"}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// awaitFlow waits until a publisher that was paused sends again and has told its
// largest location. Until then the log's is that of the pause, and a subscriber
// that fetches up to there would miss what was published during the pause. A
// publisher that does not answer is not waited for longer than UpstreamTimeout.
func (t *relayTrack) awaitFlow(ctx context.Context, d *downstream) {
	for {
		t.r.mu.Lock()
		resuming := false
		for _, u := range t.ups {
			resuming = resuming || u.updating && u.forward
		}
		wait := d.forward && resuming && !t.flowsLocked()
		changed := t.changed
		t.r.mu.Unlock()
		if !wait {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// refusal is what a subscriber is told when all publishers refused.
func refusal(err error) error {
	if re, ok := errors.AsType[*model.RequestError](err); ok {
		return &model.RequestError{Code: re.Code, Reason: re.Reason, RetryAfter: re.RetryAfter}
	}
	return &model.RequestError{Code: model.DoesNotExist, Reason: "the publisher does not answer"}
}

// candidatesLocked returns the peers that may have the track and that take
// requests.
func (t *relayTrack) candidatesLocked() map[*peer]bool {
	all, relays := t.sourcesLocked(nil)
	for _, p := range relays {
		all[p] = true
	}
	for _, pub := range t.scope.routes.Covering(t.name.Namespace) {
		if pub.untold && pub.peer.takesRequests() {
			all[pub.peer] = true
		}
	}
	return all
}

// takesRequests reports whether new requests can be sent to the peer: it is
// there, and has not announced by GOAWAY that it leaves.
func (p *peer) takesRequests() bool {
	select {
	case <-p.session.GoawayReceived():
		return false
	default:
		return p.session.Context().Err() == nil
	}
}
