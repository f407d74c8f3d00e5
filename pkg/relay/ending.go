package relay

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
)

// failed handles what the log refused: a malformed track ends with everyone
// who sees it (section 2.4.2), anything else cost one stream.
func (u *upstream) failed(err error) {
	bad, malformed := errors.AsType[*track.MalformedError](err)
	if !malformed {
		u.peer.log.Debug("stream not stored", "track", u.t.name, "because", err)
		return
	}
	t, r := u.t, u.t.r
	r.mu.Lock()
	first := t.ups[u.peer] == u
	if first {
		r.counters.MalformedTracks.Add(1)
		t.forgetLocked(u.peer)
		t.lost, t.lostBy = &model.DoneError{Code: model.DoneMalformedTrack, Reason: bad.Error()}, u.peer
		t.bereavedLocked()
		t.settleLocked()
	}
	r.mu.Unlock()
	if first {
		u.peer.note(slog.LevelWarn, observe.KindTrack, t, "malformed track", "because", bad)
	}
	u.in.Cancel(model.ResetMalformedTrack)
}

// ended runs when no more objects come from u.
func (u *upstream) ended() {
	t, r := u.t, u.t.r
	cause := context.Cause(u.in.Context())
	r.mu.Lock()
	ours := t.ups[u.peer] != u // we ended it
	if !ours {
		t.forgetLocked(u.peer)
		t.lost, t.lostBy = cause, u.peer
		t.bereavedLocked()
		t.settleLocked()
	}
	r.mu.Unlock()
	if !ours {
		u.peer.note(slog.LevelInfo, observe.KindTrack, t, "publisher of a track gone", "because", cause)
	}
}

// retryPause is how long an orphaned track waits before it asks all publishers
// again.
const retryPause = time.Second

// bereavedLocked is called when a publisher has gone, or did not take its place.
// While there is another nothing happens. Without, all are asked that could have
// the track; if none will, viewers wait for Config.Grace.
func (t *relayTrack) bereavedLocked() {
	t.signalLocked()
	t.stoppedLocked()
	if len(t.ups) > 0 || len(t.opening) > 0 || t.lost == nil || t.orphaned {
		return
	}
	if done, ok := errors.AsType[*model.DoneError](t.lost); ok && ends(done.Code) {
		t.lost = nil
		t.log.End(done.Code, done.Reason)
		t.eventLocked(slog.LevelInfo, "track ended", "code", done.Code, "reason", done.Reason)
		return
	}
	if !t.wantsPublisherLocked() {
		t.lost = nil
		return
	}
	if !t.sought {
		t.sought = true
		t.openAllLocked(t.lostBy)
		if len(t.opening) > 0 {
			return
		}
	}
	t.orphaned = true
	if t.waitedElsewhereLocked() {
		t.giveUpLocked()
		return
	}
	grace := t.r.tuned.Load().Grace
	t.eventLocked(slog.LevelWarn, "track orphaned", "because", t.lost, "grace", grace)
	t.grace = time.AfterFunc(grace, t.giveUp)
	t.retry = time.AfterFunc(retryPause, t.seek)
}

// seek asks for an orphan again.
func (t *relayTrack) seek() {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if t.orphaned {
		t.openAllLocked(nil)
		t.retry = time.AfterFunc(retryPause, t.seek)
	}
}

// ends reports whether a publisher that ends a subscription with the code
// means the track; otherwise it, or another, may go on with it.
func ends(c model.DoneCode) bool {
	switch c {
	case model.DoneTrackEnded, model.DoneMalformedTrack, model.DoneUnauthorized, model.DoneExpired:
		return true
	}
	return false
}

// giveUp ends an orphan whose publisher did not come back.
func (t *relayTrack) giveUp() {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if t.orphaned {
		t.giveUpLocked()
	}
}

// waitedElsewhereLocked reports whether the publisher was lost at another relay,
// which has waited for it already: or viewers at the end of a chain would hear of it
// after as many times Config.Grace as there are relays.
func (t *relayTrack) waitedElsewhereLocked() bool {
	done, ok := errors.AsType[*model.DoneError](t.lost)
	return ok && done.Code == model.DoneInternalError && t.lostBy != nil && t.lostBy.relayID != ""
}

func (t *relayTrack) giveUpLocked() {
	t.endGraceLocked()
	code, reason := model.DoneInternalError, "the publisher is lost"
	if done, ok := errors.AsType[*model.DoneError](t.lost); ok && done.Code == model.DoneSubscriptionEnded {
		code, reason = done.Code, done.Reason
	}
	t.lost = nil
	t.log.End(code, reason)
	t.eventLocked(slog.LevelWarn, "track ended", "code", code, "reason", reason)
	t.signalLocked()
	t.settleLocked()
}
