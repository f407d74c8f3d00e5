package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
)

// LinkConfig says to which other relay a relay stays connected.
type LinkConfig struct {
	Target dial.Target
	// Prefixes are what is exchanged with the other relay: namespaces below one of
	// them. None: all.
	Prefixes []model.Namespace
	// Dial says how to connect. Its Session is that of the relay.
	Dial dial.Options
}

// link is a connection to another relay, made anew whenever it is lost.
type link struct {
	r        *Relay
	cfg      LinkConfig
	prefixes []model.Namespace // at least one, none below another
	sessions sync.WaitGroup
	noted    context.Context

	// Guarded by Relay.mu.
	state   string
	peer    *peer // nil unless the state is linkUp
	since   time.Time
	nextTry time.Time
	reason  string
	made    int // sessions
}

// The states of a link.
const (
	linkConnecting = "connecting"
	linkUp         = "up"
	linkDown       = "down"
)

// LinkTimeout bounds one attempt to connect to another relay if LinkConfig does
// not.
const LinkTimeout = 5 * time.Second

// Link connects the relay to another one until ctx ends, and returns the cause of
// that. Each is told what the other's clients publish and asks the other for what
// its own want.
func (r *Relay) Link(ctx context.Context, cfg LinkConfig) error {
	l := &link{r: r, cfg: cfg, prefixes: topmost(cfg.Prefixes), noted: observe.Recorded(ctx), state: linkConnecting, since: time.Now()}
	if l.cfg.Dial.Timeout == 0 {
		l.cfg.Dial.Timeout = LinkTimeout
	}
	r.mu.Lock()
	r.links = append(r.links, l)
	r.mu.Unlock()
	defer func() {
		l.sessions.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.links = slices.DeleteFunc(r.links, func(o *link) bool { return o == l })
	}()
	var p *peer
	for {
		if p == nil {
			if p = l.connect(ctx, nil, cfg.Target); p == nil {
				return context.Cause(ctx)
			}
		}
		began := time.Now()
		p = l.stay(ctx, p)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if p == nil && time.Since(began) < dial.LongestPause { // it was of no use
			if !l.pause(ctx, dial.LongestPause) {
				return context.Cause(ctx)
			}
		}
	}
}

// topmost returns the prefixes that are not below another one; without any, the
// one that is above all.
func topmost(prefixes []model.Namespace) []model.Namespace {
	if len(prefixes) == 0 {
		return []model.Namespace{{}}
	}
	var top []model.Namespace
	for i, p := range prefixes {
		below := slices.ContainsFunc(prefixes[:i], p.Equal)
		for _, o := range prefixes {
			below = below || len(o) < len(p) && p.HasPrefix(o)
		}
		if !below {
			top = append(top, p)
		}
	}
	return top
}

// covers reports whether a namespace, or what is below it, is exchanged.
func (l *link) covers(ns model.Namespace) bool {
	return slices.ContainsFunc(l.prefixes, ns.HasPrefix)
}

// touches reports whether any of what a prefix asks for is exchanged.
func (l *link) touches(prefix model.Namespace) bool {
	return slices.ContainsFunc(l.prefixes, func(p model.Namespace) bool { return prefix.HasPrefix(p) || p.HasPrefix(prefix) })
}

// admits refuses requests of the other relay for what is not exchanged with it.
func (l *link) admits(req auth.Request) error {
	ns := req.Track.Namespace
	if isHops(ns) {
		ns = ns[1:]
	}
	switch req.Action {
	case auth.Setup:
		return nil
	case auth.SubscribeNamespace, auth.SubscribeTracks:
		if l.touches(ns) {
			return nil
		}
	default:
		if l.covers(ns) {
			return nil
		}
	}
	return errNotExchanged
}

var errNotExchanged = &model.RequestError{Code: model.DoesNotExist, Reason: "nothing of this namespace is exchanged"}

// connect tries until there is a session, and returns nil when ctx or the session
// that is to be replaced, if there is one, has ended.
func (l *link) connect(ctx context.Context, replaced *peer, target dial.Target) *peer {
	if replaced != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(replaced.session.Context(), cancel)()
	}
	for pause := dial.FirstPause; ; pause = min(2*pause, dial.LongestPause) {
		if replaced == nil {
			l.enter(linkConnecting, nil, nil)
		}
		p, err := l.dial(ctx, target)
		if err == nil {
			return p
		}
		if ctx.Err() != nil {
			return nil
		}
		l.r.note(l.noted, slog.LevelWarn, observe.KindRelay, nil, "link failed", "url", target, "because", err)
		if replaced == nil {
			l.enter(linkDown, nil, err)
		}
		if !l.pause(ctx, pause) {
			return nil
		}
	}
}

// pause waits, up to half of the time less, so that many relays do not come back
// in step. It reports whether ctx lasts.
func (l *link) pause(ctx context.Context, d time.Duration) bool {
	d -= rand.N(d / 2)
	l.r.mu.Lock()
	l.nextTry = time.Now().Add(d)
	l.r.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// enter changes the state.
func (l *link) enter(state string, p *peer, because error) {
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	l.peer, l.nextTry = p, time.Time{}
	if l.state != state {
		l.state, l.since = state, time.Now()
	}
	switch {
	case because != nil:
		l.reason = because.Error()
	case state == linkUp:
		l.reason = ""
	}
}

var errItself = errors.New("this is the relay itself")

// dial makes one session and begins to exchange with the other relay.
func (l *link) dial(ctx context.Context, target dial.Target) (*peer, error) {
	r := l.r
	number := r.nextID.Add(1)
	p := &peer{
		r: r, link: l, number: number, id: strconv.FormatUint(number, 36), remote: target.Addr(), began: time.Now(),
		noted: l.noted, ready: make(chan struct{}),
	}
	p.log = r.cfg.Log.With("session", p.id, "peer", p.remote)
	opts := l.cfg.Dial
	opts.Session = r.sessionConfig(p)
	r.enter(p)
	s, err := dial.Dial(ctx, target, opts)
	if err == nil && r.id != "" && idOf(s.PeerImplementation()) == r.id {
		s.Close(model.NoError, errItself.Error())
		err = errItself
	}
	if err != nil {
		close(p.ready)
		if s != nil {
			s.Wait()
		}
		r.leave(p)
		return nil, err
	}
	r.admit(p, s, target.Path, target.Authority)
	l.sessions.Go(func() {
		s.Wait()
		r.leave(p)
	})
	r.mu.Lock()
	l.made++
	r.mu.Unlock()
	l.enter(linkUp, p, nil)
	p.note(slog.LevelInfo, observe.KindRelay, nil, "link up", "url", target, "relay", cmp.Or(p.relayID, "that tells no hops"))
	return p, nil
}

// stay keeps a session until it is lost, and returns the one that replaces it: nil,
// or what the other relay wished by GOAWAY.
func (l *link) stay(ctx context.Context, p *peer) *peer {
	select {
	case <-p.session.GoawayReceived():
		target := l.redirected(p)
		if time.Since(p.began) < dial.LongestPause { // or it would go on at once, for as long as the other relay drains
			l.pause(p.session.Context(), dial.LongestPause)
		}
		if next := l.connect(ctx, p, target); next != nil {
			l.sessions.Go(func() { l.leave(ctx, p) })
			return next
		}
		<-p.session.Context().Done()
	case <-p.session.Context().Done():
	case <-ctx.Done():
		p.session.Close(model.NoError, "relay stops")
		<-p.session.Context().Done()
	}
	err := fmt.Errorf("session lost: %w", cmp.Or(p.session.Err(), errLeft))
	l.enter(linkDown, nil, err)
	p.note(slog.LevelWarn, observe.KindRelay, nil, "link down", "url", l.cfg.Target, "because", err)
	return nil
}

var errLeft = errors.New("the relay left")

// redirected returns where the other relay wishes us to go.
func (l *link) redirected(p *peer) dial.Target {
	g := p.session.PeerGoaway()
	if g == nil || g.URI == "" {
		return l.cfg.Target
	}
	target, err := dial.Parse(g.URI)
	if err != nil {
		p.note(slog.LevelWarn, observe.KindRelay, nil, "the other relay leads nowhere", "uri", g.URI, "because", err)
		return l.cfg.Target
	}
	p.note(slog.LevelInfo, observe.KindRelay, nil, "link is redirected", "url", l.cfg.Target, "to", target)
	return target
}

// LeaveTime is how long a session that is replaced may stay until all that comes
// from it comes from its successor.
const LeaveTime = 5 * time.Second

// leave ends a session whose successor is there, when nothing depends on it any
// more.
func (l *link) leave(ctx context.Context, p *peer) {
	patience := time.NewTimer(LeaveTime)
	defer patience.Stop()
	for {
		changed := l.r.dependsOn(p)
		if changed == nil {
			break
		}
		select {
		case <-changed:
			continue
		case <-patience.C:
		case <-ctx.Done():
		case <-p.session.Context().Done():
		}
		break
	}
	p.session.Close(model.NoError, "leaving as asked")
}

// dependsOn returns nil if all tracks that a peer sends, and that are wanted, come
// from others too; otherwise what is closed when that may have changed.
func (r *Relay) dependsOn(p *peer) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range p.scope.tracks {
		if t.ups[p] != nil && len(t.ups) == 1 && t.wantsPublisherLocked() {
			return t.changed
		}
	}
	return nil
}

// show is for State.
func (v *linkView) show() observe.LinkState {
	s := v.LinkState
	if v.p != nil {
		s.Session = v.p.id
		s.RTT = hall.ShowPath(v.p.session.Conn().Stats()).RTT
		s.Counters = v.p.counters.Snapshot()
	}
	return s
}

// linkView is what State takes of a link under Relay.mu.
type linkView struct {
	observe.LinkState
	p *peer
}

func (l *link) viewLocked() linkView {
	v := linkView{p: l.peer, LinkState: observe.LinkState{
		URL: l.cfg.Target.String(), State: l.state, Prefixes: []string{}, Since: l.since, NextTry: l.nextTry, Reason: l.reason, Sessions: l.made,
	}}
	for _, p := range l.prefixes {
		if len(p) > 0 {
			v.Prefixes = append(v.Prefixes, p.String())
		}
	}
	if l.peer != nil {
		v.Namespaces = len(l.peer.learnt)
		v.Tracks = l.peer.sendsLocked()
	}
	return v
}

// sendsLocked counts the tracks that come from a peer.
func (p *peer) sendsLocked() int { return int(p.counters.Publications.Load()) }
