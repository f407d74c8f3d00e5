package relay

import (
	"container/list"
	"strconv"
	"sync/atomic"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// relayTrack is one track in one scope. All but what comes before ups is guarded
// by Relay.mu.
type relayTrack struct {
	r        *Relay
	scope    *scope
	id       string        // a number, in the order in which tracks became known
	place    *list.Element // in Relay.inOrder
	name     model.FullTrackName
	fullName string   // printable
	prefixes []string // keys of the namespace and all that it is below
	began    time.Time
	log      *track.Track
	// rewritten: somebody got immutable properties in another form.
	rewritten atomic.Bool
	policy    Upstream
	late      observe.Window

	ups     map[*peer]*upstream     // publishers that send, or would if anybody wanted it
	opening map[*peer]*upstream     // publishers that were asked and have not answered
	leaving map[*peer]chan struct{} // closed when our cancellation is through
	refused error                   // what the last publisher that was asked said
	lost    error                   // how the last of ups ended, until another one sends
	lostBy  *peer                   // whose it was
	subs    map[*downstream]bool    // true: served; false: waits for a publisher
	holds   int                     // requests that need the log only

	fillings []*filling   // fetches of ours that are under way
	backfill *backfilling // nil: none is
	// source is whose track the log has while nobody subscribes, if that is known.
	source *publication

	orphaned bool
	turn     int         // which of several relays is asked next
	sought   bool        // all that could replace a lost publisher were asked
	grace    *time.Timer // ends the wait of an orphan
	retry    *time.Timer // asks again for an orphan
	linger   *time.Timer // ends upstream subscriptions that nobody needs

	changed chan struct{} // closed and replaced when publishers come, go or resume
	idle    *list.Element // its place in Relay.idle; nil: in use
	expiry  *time.Timer   // drops an idle track of which nothing may be sent any more
	dropped bool
}

// trackLocked returns the track of a name, making it if need be. The caller
// makes use of it before it gives up the lock.
func (sc *scope) trackLocked(r *Relay, name model.FullTrackName) *relayTrack {
	key := name.Key()
	t := sc.tracks[key]
	if t == nil {
		r.nextTrack++
		policy, cache := r.tuned.Load().policy(name)
		t = &relayTrack{
			r: r, scope: sc, name: name, fullName: name.String(), prefixes: prefixes(name.Namespace), policy: policy, began: time.Now(),
			id:  strconv.FormatUint(r.nextTrack, 36),
			log: track.New(track.Config{Budget: r.budget, MaxGroups: cache.Groups, MaxAge: cache.Age, Settle: settleTime}),
			ups: map[*peer]*upstream{}, opening: map[*peer]*upstream{}, leaving: map[*peer]chan struct{}{},
			subs: map[*downstream]bool{}, changed: make(chan struct{}),
		}
		sc.tracks[key] = t
		r.tracks[t.id] = t
		t.place = r.inOrder.PushBack(t)
		r.counters.Tracks.Add(1)
		r.counters.TracksTotal.Add(1)
	}
	return t
}

// prefixes returns the keys of the prefixes of a namespace, itself included.
func prefixes(ns model.Namespace) []string {
	keys := make([]string, 0, len(ns)+1)
	for n := range len(ns) + 1 {
		keys = append(keys, ns[:n].Key())
	}
	return keys
}

// settleTime is how long a publisher's streams may overtake each other: after
// it, a group that a newer one has jumped over is taken not to exist.
const settleTime = 2 * time.Second

func (t *relayTrack) signalLocked() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// settleLocked is called after every change of who uses the track. One that
// nobody uses is kept for fetches if it holds anything that may be sent; of too
// many, the one that was used least recently goes.
func (t *relayTrack) settleLocked() {
	r := t.r
	used := len(t.subs) > 0 || t.holds > 0 || len(t.ups) > 0 || len(t.opening) > 0 || len(t.leaving) > 0 || t.orphaned
	switch {
	case t.dropped:
	case used && t.idle != nil:
		r.idle.Remove(t.idle)
		t.idle = nil
		stop(&t.expiry)
	case used || t.idle != nil:
	case !t.log.Newest().Set:
		t.dropLocked()
	default:
		t.idle = r.idle.PushBack(t)
		t.expireIdleLocked()
		if r.idle.Len() > r.tuned.Load().IdleTracks {
			r.idle.Front().Value.(*relayTrack).dropLocked()
		}
	}
}

// expireIdleLocked drops a track that nobody uses when all it holds is too old.
func (t *relayTrack) expireIdleLocked() {
	age, limited := t.log.KeptFor().Get()
	if !limited {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(age, func() {
		t.r.mu.Lock()
		defer t.r.mu.Unlock()
		if t.expiry == timer { // nobody came meanwhile
			t.dropLocked()
		}
	})
	t.expiry = timer
}

// dropLocked forgets a track that nobody uses.
func (t *relayTrack) dropLocked() {
	if t.idle != nil {
		t.r.idle.Remove(t.idle)
		t.idle = nil
	}
	stop(&t.expiry)
	t.dropped = true
	delete(t.scope.tracks, t.name.Key())
	delete(t.r.tracks, t.id)
	t.r.inOrder.Remove(t.place)
	t.r.gone.Dropped.Merge(t.log.Counters().Dropped.Snapshot())
	t.r.counters.Tracks.Add(-1)
	t.log.Discard()
	t.r.tidyLocked(t.scope)
}

// hold keeps the track from being dropped, without need of a publisher, until
// release.
func (t *relayTrack) holdLocked() {
	t.holds++
	t.settleLocked()
}

func (t *relayTrack) release() {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	t.holds--
	t.settleLocked()
}

// joinLocked adds a subscriber, which is to wait for acquire before it is served.
// If it makes a publisher resume it follows the log from before that.
func (t *relayTrack) joinLocked(p *peer, forward bool) *downstream {
	d := &downstream{t: t, peer: p, serving: make(chan struct{}), forward: forward, began: time.Now()}
	t.subs[d] = false
	if len(t.ups) > 0 {
		d.followLocked()
	}
	stop(&t.linger)
	t.settleLocked()
	t.refreshLocked()
	return d
}

// partLocked is the counterpart of joinLocked. When the last subscriber leaves,
// the upstream subscriptions end as the policy says.
func (t *relayTrack) partLocked(d *downstream) {
	delete(t.subs, d)
	switch {
	case len(t.subs) > 0 || t.policy.Mode == Eager:
		t.refreshLocked()
	case t.policy.Linger > 0 && t.flowsLocked():
		t.lingerLocked()
	default:
		t.endGraceLocked()
		t.closeLocked()
	}
}

// lingerLocked lets objects come for a time although nobody wants them.
func (t *relayTrack) lingerLocked() {
	var timer *time.Timer
	timer = time.AfterFunc(t.policy.Linger, func() {
		t.r.mu.Lock()
		defer t.r.mu.Unlock()
		if t.linger == timer { // nobody came, or came and left again
			t.linger = nil
			t.closeLocked()
		}
	})
	t.linger = timer
}

// closeLocked ends the upstream subscriptions that we made. Those that
// publishers made by PUBLISH stay, paused.
func (t *relayTrack) closeLocked() {
	t.refreshLocked()
	for _, u := range t.ups {
		if !u.pushed {
			t.source = t.publicationLocked(u.peer)
			t.partFromLocked(u)
		}
	}
	t.stoppedLocked()
	t.settleLocked()
}

// partFromLocked ends one upstream subscription.
func (t *relayTrack) partFromLocked(u *upstream) {
	p := u.peer
	t.forgetLocked(p)
	gone := make(chan struct{})
	t.leaving[p] = gone
	t.r.work.Go(func() {
		u.in.Cancel(model.ResetCancelled)
		close(gone)
		t.r.mu.Lock()
		defer t.r.mu.Unlock()
		delete(t.leaving, p)
		t.settleLocked()
	})
}

// forgetLocked takes a publisher from those that send.
func (t *relayTrack) forgetLocked(p *peer) {
	delete(t.ups, p)
	p.counters.Publications.Add(-1)
}

// wantsPublisherLocked reports whether a new publisher of the track should be
// asked for it.
func (t *relayTrack) wantsPublisherLocked() bool {
	return len(t.subs) > 0 || t.orphaned || t.policy.Mode == Eager
}

// wantedLocked reports whether anybody wants objects now.
func (t *relayTrack) wantedLocked() bool {
	for d := range t.subs {
		if d.forward {
			return true
		}
	}
	return t.policy.Mode == Eager || t.linger != nil
}

// flowsLocked reports whether a publisher sends objects as it makes them, so
// that the log knows the largest location.
func (t *relayTrack) flowsLocked() bool {
	for _, u := range t.ups {
		if u.told {
			return true
		}
	}
	return false
}

// offer is what subscribers are told about the track.
func (t *relayTrack) offer() session.Offer {
	return session.Offer{Largest: t.log.Largest(), Properties: t.log.Properties()}
}

// endGraceLocked ends the wait for a lost publisher.
func (t *relayTrack) endGraceLocked() {
	t.orphaned = false
	stop(&t.grace)
	stop(&t.retry)
}

// stop ends a timer that may not run.
func stop(timer **time.Timer) {
	if *timer != nil {
		(*timer).Stop()
		*timer = nil
	}
}
