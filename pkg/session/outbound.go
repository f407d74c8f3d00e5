package session

import (
	"context"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// SubscribeRequest is a SUBSCRIBE of the peer.
type SubscribeRequest struct {
	peerRequest
	Track model.FullTrackName
	// Terms are what the subscriber asks for; Range is set by Accept. The
	// handler may set another Filter before.
	Terms Terms
	// Rendezvous is how long the subscriber would wait for a publisher.
	Rendezvous time.Duration
	NewGroup   model.Opt[uint64]

	keyValues bool // how the peer writes and reads parameters, see wire.Params
}

func (s *Session) handleSubscribe(h Handler, r *request, m *wire.Subscribe) {
	o := &Outbound{s: s, r: r, Track: m.Track, terms: defaultTerms()}
	o.terms.apply(m.Params, model.Opt[model.Location]{})
	if !s.claimSending(o) {
		_ = r.reject(&model.RequestError{Code: model.DuplicateSubscription, Reason: "there is a subscription to this track already"})
		return
	}
	o.list()
	h.Subscribe(r.ctx, &SubscribeRequest{
		peerRequest: peerRequest{s, r}, Track: m.Track, Terms: o.terms,
		Rendezvous: milliseconds(m.Params.RendezvousTimeout.Or(0)), NewGroup: m.Params.NewGroupRequest,
		keyValues: m.Params.KeyValues,
	})
}

// overtaking is how long a request waits for the end of one that it may have
// overtaken: a cancellation and the request after it are on different streams.
const overtaking = 250 * time.Millisecond

// claimSending reserves a track for a subscription of the peer: one per track
// and role (section 5.1).
func (s *Session) claimSending(o *Outbound) bool {
	late := time.NewTimer(overtaking)
	defer late.Stop()
	key := o.Track.Key()
	var waited *Outbound
	for {
		s.mu.Lock()
		before := s.sending[key]
		if before == nil {
			s.sending[key] = o
			s.mu.Unlock()
			return true
		}
		r := before.r
		s.mu.Unlock()
		if r == nil || before == waited { // a PUBLISH of ours, not sent yet; or its permission has ended
			return false
		}
		waited = before
		select {
		case <-r.ctx.Done():
		case <-o.r.ctx.Done():
			return false
		case <-late.C:
			return false
		}
	}
}

// Accept answers with SUBSCRIBE_OK. onUpdate is called, one call at a time,
// when the subscriber changes its terms; it returns the largest location at
// that moment, or an error that refuses the change. See Outbound.OnUpdate.
func (r *SubscribeRequest) Accept(offer Offer, onUpdate UpdateFunc) (*Outbound, error) {
	s := r.s
	s.mu.Lock()
	o := s.sending[r.Track.Key()]
	if o == nil || o.r != r.r { // cancelled meanwhile
		s.mu.Unlock()
		return nil, errTerminated
	}
	o.alias = s.nextAlias
	s.nextAlias++
	s.mu.Unlock()
	o.mu.Lock()
	o.terms.Filter = r.Terms.Filter
	o.terms.Range = o.terms.Filter.Resolve(offer.Largest)
	o.joining = offer.Largest
	o.onUpdate = onUpdate
	o.mu.Unlock()
	params := offer.params()
	params.KeyValues = r.keyValues
	err := r.r.send(&wire.SubscribeOK{TrackAlias: o.alias, Params: params, TrackProperties: offer.Properties}, false)
	if err != nil {
		return nil, err
	}
	return o, nil
}

// UpdateFunc is told of new terms of a subscription before they hold; now and
// next differ in what the subscriber changed. next.Range is resolved already,
// against the location that largest returned. When it returns with Forward set
// anew, everything after the largest location of then must be sent.
type UpdateFunc func(now, next Terms, newGroup model.Opt[uint64]) error

// Outbound is a subscription through which we send objects.
type Outbound struct {
	s     *Session
	r     *request
	Track model.FullTrackName
	alias uint64

	updating sync.Mutex // one update at a time

	mu       sync.Mutex
	terms    Terms
	joining  model.Opt[model.Location] // the Joining Location (section 5.1)
	largest  func() model.Opt[model.Location]
	onUpdate UpdateFunc
}

// Alias returns the track alias under which objects are sent.
func (o *Outbound) Alias() uint64 { return o.alias }

// ID returns the Request ID of the SUBSCRIBE or PUBLISH.
func (o *Outbound) ID() uint64 { return o.r.id }

// Session returns the session of the subscription.
func (o *Outbound) Session() *Session { return o.s }

// Context ends when the subscription does; its cause is a *model.StreamError
// if the peer cancelled it.
func (o *Outbound) Context() context.Context { return o.r.ctx }

// Terms returns what is agreed at present.
func (o *Outbound) Terms() Terms {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.terms
}

// Settled calls f with the present terms; no update begins or ends meanwhile.
func (o *Outbound) Settled(f func(Terms)) {
	o.updating.Lock()
	defer o.updating.Unlock()
	f(o.Terms())
}

// SetLargest tells where answers to updates take LARGEST_OBJECT from; without
// it they carry none.
func (o *Outbound) SetLargest(f func() model.Opt[model.Location]) {
	o.mu.Lock()
	o.largest = f
	o.mu.Unlock()
}

// Done ends the subscription with PUBLISH_DONE. All its streams must be closed
// before; streams is their number, absent if it is not known.
func (o *Outbound) Done(code model.DoneCode, reason string, streams model.Opt[uint64]) error {
	m := &wire.PublishDone{Code: code, Reason: reason, StreamCount: streams}
	return o.r.conclude(m, &model.DoneError{Code: code, Reason: reason})
}

// list makes o known to joining FETCHes.
func (o *Outbound) list() {
	o.r.onUpdate = o.update
	// The permission of a subscription ends with PUBLISH_DONE, which only
	// whoever owns the streams can send: the end of ctx tells it.
	late := o.r.whenOver(o.forget, func(cause error) { o.r.cancel(cause) })
	if late {
		o.forget()
		return
	}
	o.s.mu.Lock()
	o.s.outbound[o.r.id] = o
	close(o.s.joinable)
	o.s.joinable = make(chan struct{})
	o.s.mu.Unlock()
	if o.r.err() != nil { // it ended just now
		o.forget()
	}
}

// forget takes o out of the tables of the session.
func (o *Outbound) forget() {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	if o.s.sending[o.Track.Key()] == o {
		delete(o.s.sending, o.Track.Key())
	}
	if o.s.outbound[o.r.id] == o {
		delete(o.s.outbound, o.r.id)
	}
}

// update answers a REQUEST_UPDATE of the subscriber.
func (o *Outbound) update(p wire.Params) (wire.Params, error) {
	o.updating.Lock()
	defer o.updating.Unlock()
	o.mu.Lock()
	now, onUpdate, largestNow := o.terms, o.onUpdate, o.largest
	o.mu.Unlock()
	var largest model.Opt[model.Location]
	if largestNow != nil {
		largest = largestNow()
	}
	next := now
	next.apply(p, largest)
	if o.s.widens(now, next) {
		return wire.Params{}, violation("update widens a subscription from %v to %v", now.Range, next.Range)
	}
	if onUpdate != nil {
		if err := onUpdate(now, next, p.NewGroupRequest); err != nil {
			return wire.Params{}, err
		}
	}
	resumed := next.Forward && !now.Forward
	if resumed && largestNow != nil {
		largest = largestNow() // onUpdate may have waited for it
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.terms = next
	if resumed && !o.s.dialect.joinsNextObject {
		o.joining = largest
	}
	return wire.Params{LargestObject: largest}, nil
}

// PublishOptions describe a PUBLISH of ours.
type PublishOptions struct {
	Track   model.FullTrackName
	Offer   Offer
	Forward model.Opt[bool] // absent: true
	// OnUpdate is as in SubscribeRequest.Accept.
	OnUpdate UpdateFunc
	// Largest is as in Outbound.SetLargest.
	Largest func() model.Opt[model.Location]
}

// Publish offers a track to the peer and waits until it is accepted. A
// *model.RequestError says that the peer does not want it.
func (s *Session) Publish(ctx context.Context, opts PublishOptions) (*Outbound, error) {
	key := opts.Track.Key()
	o := &Outbound{s: s, Track: opts.Track, terms: defaultTerms(), onUpdate: opts.OnUpdate, largest: opts.Largest}
	o.terms.Forward = opts.Forward.Or(true)
	s.mu.Lock()
	if _, dup := s.sending[key]; dup {
		s.mu.Unlock()
		return nil, &model.RequestError{Code: model.DuplicateSubscription, Reason: "the peer has subscribed to this track already"}
	}
	s.sending[key] = o
	o.alias = s.nextAlias
	s.nextAlias++
	s.mu.Unlock()
	o.joining = opts.Offer.Largest
	prepare := func(r *request) {
		s.mu.Lock()
		o.r = r
		s.mu.Unlock()
		o.list()
		r.onOK = func(m wire.Message) error {
			o.mu.Lock()
			o.terms.apply(m.(*wire.RequestOK).Params, opts.Offer.Largest)
			o.mu.Unlock()
			return nil
		}
	}
	r, err := s.begin(ctx, wire.KindPublish, func(id uint64) wire.Message {
		p := opts.Offer.params()
		p.Forward = opts.Forward
		return &wire.Publish{RequestID: id, Track: opts.Track, TrackAlias: o.alias, Params: p, TrackProperties: opts.Offer.Properties}
	}, prepare)
	if err == nil {
		err = r.wait(ctx)
	}
	if err != nil {
		if o.r == nil {
			s.mu.Lock()
			delete(s.sending, key)
			s.mu.Unlock()
		}
		return nil, err
	}
	return o, nil
}

// joined finds the subscription that a joining FETCH refers to. Requests on
// different streams have no order, so the SUBSCRIBE may be on its way, or its
// answer not yet decided.
func (s *Session) joined(ctx context.Context, id uint64) (*Outbound, error) {
	unknown := &model.RequestError{Code: model.InvalidJoiningRequestID, Reason: "no such subscription"}
	timeout := time.NewTimer(s.cfg.Limits.AliasWait)
	defer timeout.Stop()
	for {
		s.mu.Lock()
		o, grown := s.outbound[id], s.joinable
		s.mu.Unlock()
		if o != nil {
			select {
			case <-o.r.answered:
				if !o.r.established() {
					return nil, unknown
				}
				return o, nil
			case <-o.r.ctx.Done():
				return nil, unknown
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		select {
		case <-grown:
		case <-timeout.C:
			return nil, unknown
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
