package relay

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
)

// note writes down what happened to the relay or a track: as an event, and in the
// log. ctx is of observe.Recorded. Relay.mu must not be held, because a log may be
// slow.
func (r *Relay) note(ctx context.Context, l slog.Level, kind string, t *relayTrack, text string, args ...any) {
	r.event(l, kind, "", t, text, args)
	r.cfg.Log.Log(ctx, l, text, withTrack(t, args)...)
}

// note is Relay.note for what happened to a session.
func (p *peer) note(l slog.Level, kind string, t *relayTrack, text string, args ...any) {
	p.r.event(l, kind, p.id, t, text, append([]any{"peer", p.remote}, args...)) // the log has it from With
	p.log.Log(p.noted, l, text, withTrack(t, args)...)
}

// withTrack puts the name of a track, if there is one, before other attributes.
func withTrack(t *relayTrack, args []any) []any {
	if t == nil {
		return args
	}
	return append([]any{"track", t.fullName}, args...)
}

// event writes an event only. It may be called under any lock.
func (r *Relay) event(l slog.Level, kind, session string, t *relayTrack, text string, args []any) {
	e := observe.Event{Level: observe.LevelName(l), Kind: kind, Session: session, Text: text}
	args = withTrack(t, args)
	if len(args) > 0 {
		e.Detail = make(map[string]string, len(args)/2)
	}
	for i := 0; i+1 < len(args); i += 2 {
		e.Detail[fmt.Sprint(args[i])] = fmt.Sprint(args[i+1])
	}
	if t != nil {
		e.Track = t.id
	}
	r.events.Add(e)
}

// text shows a location that may not be known.
func text(l model.Opt[model.Location]) string {
	if l, ok := l.Get(); ok {
		return l.String()
	}
	return "–"
}

// eventLocked writes an event about a track.
func (t *relayTrack) eventLocked(l slog.Level, text string, args ...any) {
	t.r.event(l, observe.KindTrack, "", t, text, args)
}

// refused counts a request that is refused and writes it down. The name of the
// track, or the namespace, is that of the request: there may be no such track.
func (p *peer) refused(request string, name fmt.Stringer, because error) {
	p.counters.Refused.Add(1)
	p.note(slog.LevelInfo, observe.KindRequest, nil, "request refused", "request", request, "name", name, "because", because)
}

// rewrote is told when immutable properties of a track were put into the form of
// another draft, which makes what was signed over their bytes invalid. It is
// written down once for a track.
func (p *peer) rewrote(t *relayTrack) {
	if t.rewritten.CompareAndSwap(false, true) {
		p.note(slog.LevelInfo, observe.KindTrack, t, "immutable properties rewritten for another draft")
	}
}

// slowPause is how long a subscriber that is too slow is not mentioned again.
const slowPause = time.Second

// slow is told whenever the subscriber is too slow. It is called under the lock of
// its subscription.
func (d *downstream) slow(s egress.Slow) {
	now := time.Now()
	if !s.Ended && now.Before(d.quiet) {
		d.silenced++
		return
	}
	text := "subscriber skipped to the newest group"
	if s.Ended {
		text = "subscriber too far behind"
	}
	args := []any{"groups", s.Groups, "bytes", s.Bytes}
	if d.silenced > 0 {
		args = append(args, "times", d.silenced+1)
	}
	d.quiet, d.silenced = now.Add(slowPause), 0
	d.t.r.event(slog.LevelWarn, observe.KindSlow, d.peer.id, d.t, text, args)
}
