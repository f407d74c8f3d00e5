package relay

import (
	"context"
	"log/slog"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
)

// peer is one session of the relay and answers its requests.
type peer struct {
	r      *Relay
	number uint64 // in the order of arrival
	id     string
	remote string // address
	began  time.Time
	log    *slog.Logger
	noted  context.Context // for log records that are events too
	ready  chan struct{}   // closed when the fields below are set, or never will be

	link     *link  // what made the session; nil: the peer did
	relayID  string // see idOf
	hop      string // what stands for it in ways: relayID, or its foreignID; empty for a client
	session  *session.Session
	sched    *egress.Scheduler
	scope    *scope
	counters observe.Session
	late     observe.Window

	// Guarded by Relay.mu.
	namespaces int                     // published
	watches    int                     // prefixes
	declined   time.Time               // when it offered a track last that was not asked for
	learnt     map[string]*publication // by the namespace that was reported
}

func (p *peer) begin(s *session.Session) {
	p.session = s
	if p.r.id != "" {
		p.relayID = idOf(s.PeerImplementation())
	}
	if p.hop = p.relayID; p.hop == "" && p.link != nil {
		p.hop = foreignID(p.remote)
	}
	p.sched = egress.NewScheduler(s.Context(), hall.Over(s), &p.counters)
}

// isReady waits until the session is part of its scope; requests may be faster
// than the goroutine that started it.
func (p *peer) isReady() bool {
	<-p.ready
	return p.session != nil
}

// Subscribe joins a subscriber to a track.
func (p *peer) Subscribe(ctx context.Context, req *session.SubscribeRequest) {
	if !p.isReady() {
		return
	}
	p.counters.RequestsIn.Add(1)
	r := p.r
	r.mu.Lock()
	t := p.scope.trackLocked(r, req.Track)
	d := t.joinLocked(p, req.Terms.Forward)
	d.newGroup = req.NewGroup
	r.mu.Unlock()
	if err := t.acquire(ctx, p, req.Rendezvous); err != nil {
		d.abandon()
		p.refused("SUBSCRIBE", req.Track, err)
		_ = req.Reject(err) // the peer may have left
		return
	}
	t.awaitFlow(ctx, d)
	offer := d.follow()
	if req.Terms.Filter.EndsBefore(offer.Largest) {
		d.abandon()
		p.refused("SUBSCRIBE", req.Track, errPast)
		_ = req.Reject(errPast) // as above
		return
	}
	d.joinByGroup(ctx, req)
	d.recall(ctx, req.Terms.Filter)
	out, err := req.Accept(offer, d.update)
	if err != nil {
		d.abandon()
		return
	}
	out.SetLargest(t.log.Largest)
	d.serve(out)
	if g, ok := req.NewGroup.Get(); ok {
		r.mu.Lock()
		t.askGroupLocked(g)
		r.mu.Unlock()
	}
}

var errPast = &model.RequestError{Code: model.InvalidRange, Reason: "the range is in the past; use FETCH"}

// Publish takes a track that the peer offers and passes the offer on to those
// who collect tracks below a prefix.
func (p *peer) Publish(_ context.Context, req *session.PublishRequest) {
	if !p.isReady() {
		return
	}
	p.counters.RequestsIn.Add(1)
	r := p.r
	r.mu.Lock()
	t := p.scope.trackLocked(r, req.Track)
	if p.isRelay() && t.opening[p] == nil { // we have not asked, and what relays push to each other goes in circles
		p.declined = time.Now()
		t.settleLocked()
		r.mu.Unlock()
		p.refused("PUBLISH", req.Track, errNotAsked)
		_ = req.Reject(errNotAsked) // the peer may have left
		return
	}
	fixed := p.session.Quirks().RefusesPublishUpdate
	want := t.wantedLocked() || fixed || p.scope.collectedLocked(req.Track.Namespace, p)
	u := &upstream{t: t, peer: p, pushed: true, fixed: fixed, admitted: make(chan struct{}), forward: want, told: want}
	t.opening[p] = u // also in place of a SUBSCRIBE of ours that it has crossed
	t.settleLocked()
	r.mu.Unlock()

	in, err := req.Accept(session.Change{Forward: model.Some(want)}, u)
	r.mu.Lock()
	delete(t.opening, p)
	if err == nil {
		u.in = in
		t.adoptLocked(u, req.Offer)
		t.signalLocked()
		p.scope.collectLocked(t)
	} else {
		t.bereavedLocked()
	}
	t.settleLocked()
	r.mu.Unlock()
	u.admit(err != nil)
	if err == nil {
		p.note(slog.LevelInfo, observe.KindTrack, t, "track published")
		context.AfterFunc(in.Context(), u.ended)
		if !p.isRelay() {
			p.pushed(in.Context(), req.Track.Namespace)
		}
	}
}

// TrackStatus answers from what the relay receives, or asks a publisher.
func (p *peer) TrackStatus(ctx context.Context, req *session.TrackStatusRequest) {
	if !p.isReady() {
		return
	}
	p.counters.RequestsIn.Add(1)
	r := p.r
	r.mu.Lock()
	t := p.scope.trackLocked(r, req.Track)
	t.holdLocked()
	known, current := len(t.ups) > 0, t.flowsLocked()
	publishers := t.elsewhereLocked(p, t.fetchableLocked())
	r.mu.Unlock()
	defer t.release()
	if current {
		_ = req.Accept(t.offer()) // the peer may have left
		return
	}
	var refused error = errNoPublisher
	ctx, cancel := context.WithTimeoutCause(ctx, r.cfg.UpstreamTimeout, errNoAnswer)
	defer cancel()
	for _, pub := range publishers {
		pub.counters.RequestsOut.Add(1)
		offer, err := pub.session.TrackStatus(ctx, req.Track)
		if err == nil {
			_ = req.Accept(offer) // as above
			return
		}
		refused = refusal(err)
	}
	if known { // paused, and its publisher does not say more
		_ = req.Accept(t.offer()) // as above
		return
	}
	p.refused("TRACK_STATUS", req.Track, refused)
	_ = req.Reject(refused) // as above
}
