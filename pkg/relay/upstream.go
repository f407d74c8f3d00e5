package relay

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// upstream is a subscription of the relay to a publisher. It receives the
// objects and puts them into the log.
type upstream struct {
	t      *relayTrack
	peer   *peer
	in     *session.Inbound // set before admitted is closed
	pushed bool             // made by the publisher's PUBLISH
	fixed  bool             // its terms cannot be changed

	// admitted is closed when the log is ready for the publisher's objects:
	// its epoch was judged, which needs its answer, and data may be faster.
	admitted chan struct{}
	refused  bool // set before admitted is closed: the objects are not wanted

	// Guarded by Relay.mu.
	forward  bool              // what we want
	told     bool              // the publisher knows that we want objects, and sends them
	updating bool              // a REQUEST_UPDATE is under way
	newGroup model.Opt[uint64] // to be asked for
	asked    groupWish

	early   sync.Mutex
	waiting []session.Datagram // that came before admitted, bounded
}

// openLocked asks a publisher for the track, unless it was asked already.
func (t *relayTrack) openLocked(p *peer) {
	if t.opening[p] != nil || t.ups[p] != nil {
		return
	}
	u := &upstream{t: t, peer: p, admitted: make(chan struct{}), forward: true, told: true}
	u.asked = t.wishLocked()
	t.opening[p] = u
	t.settleLocked()
	gone := t.leaving[p]
	t.r.work.Go(func() {
		if gone != nil { // one subscription per track and session
			<-gone
		}
		u.open()
	})
}

func (u *upstream) open() {
	t, p := u.t, u.peer
	ctx, cancel := context.WithTimeoutCause(p.session.Context(), t.r.cfg.UpstreamTimeout, errNoAnswer)
	defer cancel()
	in, err := u.subscribe(ctx)
	if errors.Is(err, session.ErrSuperseded) { // peer.Publish takes the place in opening
		u.admit(true)
		return
	}
	t.r.mu.Lock()
	current := t.opening[p] == u // else its PUBLISH came meanwhile
	wanted := err == nil && current && t.wantsPublisherLocked()
	if current {
		delete(t.opening, p)
	}
	switch {
	case wanted:
		u.in = in
		u.bridgeLocked(in.Offer.Largest)
		t.adoptLocked(u, in.Offer)
	case current:
		t.refused = err
		t.bereavedLocked()
	}
	t.signalLocked()
	t.settleLocked()
	t.r.mu.Unlock()
	u.admit(!wanted)
	switch {
	case wanted:
		p.log.Debug("subscribed upstream", "track", t.name, "largest", in.Offer.Largest)
		context.AfterFunc(in.Context(), u.ended)
	case err == nil: // nobody waits any more
		in.Cancel(model.ResetCancelled)
	default:
		p.log.Debug("upstream subscription refused", "track", t.name, "because", err)
	}
}

// overtaken is how often, each time after a longer pause, a publisher is asked
// again that has not heard yet that we left.
const overtaken = 5

// subscribe sends the request. Streams have no order, so that it may overtake
// the cancellation of the one before.
func (u *upstream) subscribe(ctx context.Context) (*session.Inbound, error) {
	for i := 0; ; i++ {
		u.peer.counters.RequestsOut.Add(1)
		in, err := u.peer.session.Subscribe(ctx, session.SubscribeOptions{
			Track: u.t.name, Change: session.Change{Filter: model.Some(model.NextObject), NewGroup: u.asked.after},
		}, u)
		if i == overtaken || !errors.Is(err, &model.RequestError{Code: model.DuplicateSubscription, Remote: true}) && !u.crossed(err) {
			return in, err
		}
		select {
		case <-time.After(50 * time.Millisecond << i):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// crossed reports whether the request may have failed because the peer, a relay, had
// offered the track at the same time and does not know yet that we declined. Draft 14
// has no code for that.
func (u *upstream) crossed(err error) bool {
	re, ok := errors.AsType[*model.RequestError](err)
	if !ok || re.Code != model.DuplicateSubscription && re.Code != model.RequestInternalError {
		return false
	}
	u.t.r.mu.Lock()
	defer u.t.r.mu.Unlock()
	return time.Since(u.peer.declined) < crossingTime
}

// crossingTime is how long after a PUBLISH that was declined a SUBSCRIBE may cross it.
const crossingTime = 2 * time.Second

var errNoAnswer = errors.New("the publisher does not answer")

// adoptLocked makes u a source of the track. A publisher that comes back
// behind what was seen begins a new epoch, unless another one still sends.
func (t *relayTrack) adoptLocked(u *upstream, offer session.Offer) {
	ours, seen := t.log.Largest().Get()
	theirs, some := offer.Largest.Get()
	if len(t.ups) == 0 && seen && (!some || theirs.Less(ours)) {
		t.unfollowLocked()
		t.newEpochLocked("the publisher began anew")
		t.eventLocked(slog.LevelWarn, "new epoch: the publisher began anew", "session", u.peer.id, "was", ours, "is", text(offer.Largest))
	}
	if u.told {
		t.startedLocked(offer.Largest, true)
	} else if some {
		t.log.ObserveLargest(theirs)
	}
	t.followLocked(offer.Largest)
	u.asked.largest = t.log.Largest()
	if t.ups[u.peer] == nil {
		u.peer.counters.Publications.Add(1)
	}
	if len(t.ups) == 0 {
		t.eventLocked(slog.LevelInfo, "track live", "session", u.peer.id, "largest", text(offer.Largest))
	}
	t.ups[u.peer], t.source = u, nil
	t.endGraceLocked()
	t.lost, t.sought = nil, false
	t.log.Reopen()
	t.log.SetProperties(offer.Properties)
	t.refreshLocked()
}

// startedLocked tells the log that from now on a publisher sends everything
// after its largest location. What it had published before that may be unknown:
// only publishers that sent already can have brought it. Without a largest
// location it has published nothing (section 10.2.11), if that is certain: in
// answers to REQUEST_UPDATE many leave it out although they have.
func (t *relayTrack) startedLocked(largest model.Opt[model.Location], certain bool) {
	theirs, some := largest.Get()
	ours, seen := t.log.Largest().Get()
	switch flows := t.flowsLocked(); {
	case some && (!flows || ours.Less(theirs)):
		t.log.LiveFrom(theirs.Next())
	case some || flows || seen:
	case certain:
		t.log.LiveFrom(model.Location{})
	default:
		t.log.LiveFromNext()
	}
	if some {
		t.log.ObserveLargest(theirs)
	}
}

// stoppedLocked tells the log if nobody sends any more.
func (t *relayTrack) stoppedLocked() {
	if !t.flowsLocked() {
		t.log.LiveStopped()
	}
}

// admit lets in what has waited.
func (u *upstream) admit(refused bool) {
	u.early.Lock()
	u.refused = refused
	close(u.admitted)
	waiting := u.waiting
	u.waiting = nil
	u.early.Unlock()
	if refused {
		return
	}
	for i := range waiting {
		u.store(&waiting[i])
	}
}

// ReceiveSubgroup puts one stream into the log.
func (u *upstream) ReceiveSubgroup(s *session.SubgroupReader) {
	select {
	case <-u.admitted:
	case <-u.peer.session.Context().Done():
		return
	}
	if u.refused {
		return
	}
	if err := hall.Store(s, u.t.log, &u.peer.counters); err != nil {
		u.failed(err)
	}
}

// maxEarlyDatagrams is how many datagrams may wait for the answer to the
// SUBSCRIBE to be judged.
const maxEarlyDatagrams = 64

// ReceiveDatagram puts one object into the log.
func (u *upstream) ReceiveDatagram(d *session.Datagram) {
	select {
	case <-u.admitted:
	default:
		if u.postpone(d) {
			return
		}
	}
	if !u.refused {
		u.store(d)
	}
}

// postpone keeps a datagram that came before u was admitted.
func (u *upstream) postpone(d *session.Datagram) bool {
	u.early.Lock()
	defer u.early.Unlock()
	select {
	case <-u.admitted:
		return false
	default:
	}
	if len(u.waiting) < maxEarlyDatagrams {
		kept := *d
		kept.Properties, kept.Payload = slices.Clone(d.Properties), slices.Clone(d.Payload)
		u.waiting = append(u.waiting, kept)
	}
	return true
}

func (u *upstream) store(d *session.Datagram) {
	if err := hall.StoreDatagram(u.peer.session, d, u.t.log, &u.peer.counters); err != nil {
		u.failed(err)
	}
}
