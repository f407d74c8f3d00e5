package relay

import (
	"context"
	"errors"
	"time"

	"oxymoq/pkg/model"
)

// acquire makes sure that a publisher sends the track, asking all that can, and
// waiting up to rendezvous for one to appear. The caller has joined.
func (t *relayTrack) acquire(ctx context.Context, rendezvous time.Duration) error {
	var late <-chan time.Time
	if rendezvous > 0 {
		timer := time.NewTimer(min(rendezvous, MaxRendezvous))
		defer timer.Stop()
		late = timer.C
	}
	first, asked := true, false
	for {
		t.r.mu.Lock()
		if len(t.ups) > 0 || t.orphaned {
			t.r.mu.Unlock()
			return nil
		}
		if first && len(t.opening) == 0 {
			t.refused = nil
			t.openAllLocked(nil)
		}
		first, asked = false, asked || len(t.opening) > 0
		opening, refused, changed := len(t.opening) > 0, t.refused, t.changed
		t.r.mu.Unlock()
		switch {
		case opening || late != nil: // publishers that come are asked by PublishNamespace
		case asked:
			return refusal(refused)
		default:
			return errNoPublisher
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

// candidatesLocked returns the peers whose namespaces cover the track and that
// take requests.
func (t *relayTrack) candidatesLocked() map[*peer]bool {
	all := map[*peer]bool{}
	for _, pub := range t.scope.published.Covering(t.name.Namespace) {
		if pub.peer.takesRequests() {
			all[pub.peer] = true
		}
	}
	return all
}

// openAllLocked asks everybody who may have the track, except for one.
func (t *relayTrack) openAllLocked(except *peer) {
	for p := range t.candidatesLocked() {
		if p != except {
			t.openLocked(p)
		}
	}
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
