package relay

import (
	"context"
	"errors"
	"log/slog"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// collector is a SUBSCRIBE_TRACKS of a peer: every track below the prefix that
// is published by PUBLISH is offered to it in turn.
type collector struct {
	peer *peer
	ctx  context.Context // of the request

	// Guarded by Relay.mu.
	feed    *session.PrefixFeed // nil until the request was accepted
	prefix  model.Namespace
	forward bool
	blocked map[string]bool // tracks that may not be offered again, by key
}

// maxBlocked is how many tracks may be blocked for one collector; then its
// request is reset.
const maxBlocked = 1 << 12

// SubscribeTracks offers the tracks below a prefix, those that are published
// already and those to come.
func (p *peer) SubscribeTracks(_ context.Context, req *session.PrefixRequest) {
	if !p.isReady() {
		return
	}
	p.counters.RequestsIn.Add(1)
	r, sc := p.r, p.scope
	c := &collector{peer: p, ctx: req.Context(), prefix: req.Prefix, forward: req.Forward, blocked: map[string]bool{}}
	// Entered before it is accepted: who has seen the acceptance may count on
	// being found.
	r.mu.Lock()
	sc.collectors.Insert(c.prefix, c)
	p.watches++
	r.mu.Unlock()
	context.AfterFunc(c.ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		sc.collectors.Remove(c.prefix, c)
		p.watches--
	})
	move := func(prefix model.Namespace, forward bool) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		c.forward = forward // of tracks to come
		if !prefix.Equal(c.prefix) && c.ctx.Err() == nil {
			sc.collectors.Remove(c.prefix, c)
			c.prefix = prefix
			sc.collectors.Insert(c.prefix, c)
			sc.offerAllLocked(c)
		}
		return nil
	}
	feed, err := req.Accept(move)
	if err != nil {
		return // the context has ended
	}
	r.mu.Lock()
	c.feed = feed
	sc.offerAllLocked(c)
	r.mu.Unlock()
	p.note(slog.LevelInfo, observe.KindNamespace, nil, "collects tracks", "prefix", req.Prefix)
}

// offerAllLocked offers what is published already.
func (sc *scope) offerAllLocked(c *collector) {
	for _, t := range sc.tracks {
		if t.name.Namespace.HasPrefix(c.prefix) && t.pushedLocked() {
			c.offerLocked(t)
		}
	}
}

// collectLocked offers a track that was just published to all collectors.
func (sc *scope) collectLocked(t *relayTrack) {
	for _, c := range sc.collectors.Covering(t.name.Namespace) {
		c.offerLocked(t)
	}
}

// collectedLocked reports whether somebody collects the tracks of a namespace,
// and wants their objects, but from.
func (sc *scope) collectedLocked(ns model.Namespace, from *peer) bool {
	for _, c := range sc.collectors.Covering(ns) {
		if c.forward && c.peer != from {
			return true
		}
	}
	return false
}

// pushedLocked reports whether somebody has published the track by PUBLISH.
func (t *relayTrack) pushedLocked() bool {
	for _, u := range t.ups {
		if u.pushed {
			return true
		}
	}
	return false
}

// offerLocked sends a PUBLISH, unless the peer has the track already, or waits for
// it by SUBSCRIBE. Whether it wants what it publishes itself, its draft says
// (section 6.1).
func (c *collector) offerLocked(t *relayTrack) {
	_, echo := c.peer.session.Echoes()
	for _, u := range []*upstream{t.ups[c.peer], t.opening[c.peer]} {
		if u != nil && u.pushed && !echo {
			return
		}
	}
	if c.blocked[t.name.Key()] {
		return
	}
	for d := range t.subs {
		if d.peer == c.peer {
			return
		}
	}
	d := t.joinLocked(c.peer, c.forward)
	forward, suffix := c.forward, t.name.Namespace[len(c.prefix):]
	t.r.work.Go(func() { c.offer(d, forward, suffix) })
}

func (c *collector) offer(d *downstream, forward bool, suffix model.Namespace) {
	t := d.t
	ctx, cancel := context.WithTimeoutCause(c.ctx, t.r.cfg.UpstreamTimeout, errNoAnswer)
	defer cancel()
	t.awaitFlow(ctx, d)
	c.peer.counters.RequestsOut.Add(1)
	out, err := c.peer.session.Publish(ctx, session.PublishOptions{
		Track: t.name, Offer: d.follow(), Forward: model.Some(forward), OnUpdate: d.update, Largest: t.log.Largest,
	})
	if err == nil {
		d.serve(out)
		return
	}
	d.abandon()
	c.peer.log.Debug("offer of a track failed", "track", t.name, "because", err)
	if errors.Is(err, transport.ErrNoCredit) && c.ctx.Err() == nil {
		c.block(t, suffix)
	}
}

// block reports that a track could not be offered for want of streams. It will
// not be offered again (section 6.1).
func (c *collector) block(t *relayTrack, suffix model.Namespace) {
	r := t.r
	r.mu.Lock()
	c.blocked[t.name.Key()] = true
	tooMany := len(c.blocked) > maxBlocked
	feed := c.feed
	r.mu.Unlock()
	switch {
	case feed == nil: // the peer takes nothing at all
	case tooMany || feed.Blocked(suffix, t.name.Name) != nil:
		feed.Abandon(model.ResetExcessiveLoad)
	}
}
