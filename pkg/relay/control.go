package relay

import (
	"context"
	"log/slog"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
)

// Kick is for observe.Control. The session is closed with UNAUTHORIZED, because
// peers do not come back at once after that; what it published and wanted ends as
// if it had left.
func (r *Relay) Kick(_ context.Context, session, reason string) error {
	r.mu.Lock()
	var kicked *peer
	for p, up := range r.peers {
		if up && p.id == session {
			kicked = p
		}
	}
	r.mu.Unlock()
	if kicked == nil || kicked.session.Context().Err() != nil {
		return observe.ErrNoSession
	}
	kicked.note(slog.LevelWarn, observe.KindSession, nil, "session kicked", "reason", reason)
	kicked.session.Close(model.Unauthorized, reason)
	return nil
}

// Purge is for observe.Control.
func (r *Relay) Purge(ctx context.Context, id string) error {
	r.mu.Lock()
	t := r.tracks[id]
	r.mu.Unlock()
	if t == nil {
		return observe.ErrNoTrack
	}
	n := t.log.Purge()
	r.note(observe.Recorded(ctx), slog.LevelWarn, observe.KindTrack, t, "track purged", "objects", n)
	return nil
}

// Drain is for observe.Control. Those that remain in the end must be cut off by
// ending the context of Serve.
func (r *Relay) Drain(ctx context.Context, uri string, within time.Duration) error {
	d := &drain{uri, time.Now().Add(within)}
	r.mu.Lock()
	first := r.draining == nil
	r.draining = d
	var peers []*peer
	for p, up := range r.peers {
		if up && p.link == nil { // links stay for as long as somebody does
			peers = append(peers, p)
		}
	}
	if first && r.guests == 0 {
		close(r.drained)
	}
	r.mu.Unlock()
	r.note(observe.Recorded(ctx), slog.LevelWarn, observe.KindRelay, nil, "drains", "sessions", len(peers), "uri", uri, "within", within)
	for _, p := range peers {
		d.tell(p)
	}
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case <-r.drained:
		r.note(observe.Recorded(ctx), slog.LevelInfo, observe.KindRelay, nil, "drained")
		return nil
	case <-t.C:
		return observe.ErrRemain
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
