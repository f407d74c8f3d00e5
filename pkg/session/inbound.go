package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// Receiver is given the objects of an Inbound.
type Receiver interface {
	// ReceiveSubgroup reads one subgroup stream to its end or cancels it. It
	// runs in the goroutine of the stream.
	ReceiveSubgroup(r *SubgroupReader)
	// ReceiveDatagram takes one object that came as a datagram. It must not
	// block; d is valid during the call only.
	ReceiveDatagram(d *wire.Datagram)
}

// Inbound is a subscription through which we receive objects.
type Inbound struct {
	s     *Session
	r     *request
	Track model.FullTrackName
	// Offer is what the publisher told about the track. It does not change.
	Offer Offer
	// Terms are those that were agreed first.
	Terms Terms

	asking     *request // our SUBSCRIBE, once it is about to be sent; guarded by Session.mu
	superseded bool     // before that, by the peer's PUBLISH; guarded by Session.mu

	alias    uint64
	receiver Receiver
	ctx      context.Context // ends when no more objects can come
	cancel   context.CancelCauseFunc

	mu      sync.Mutex
	streams uint64            // that have begun
	open    int               // that have not ended
	expect  model.Opt[uint64] // the number in PUBLISH_DONE
	done    error             // cause of the end, once PUBLISH_DONE was read
}

// Alias returns the track alias that the peer chose.
func (in *Inbound) Alias() uint64 { return in.alias }

// ID returns the Request ID of the SUBSCRIBE or PUBLISH.
func (in *Inbound) ID() uint64 { return in.r.id }

// Session returns the session of the subscription.
func (in *Inbound) Session() *Session { return in.s }

// Context ends when no more objects can come. Its cause is a *model.DoneError
// if the publisher ended the subscription, a *model.SessionError or the error
// of the transport if the session ended, a *model.StreamError if one side
// cancelled.
func (in *Inbound) Context() context.Context { return in.ctx }

// Done returns a channel that is closed when the publisher has ended the
// subscription, possibly while its last streams are still on their way.
func (in *Inbound) Done() <-chan struct{} { return in.r.ctx.Done() }

// Cancel ends the subscription from our side. Streams that are being read end
// with an error.
func (in *Inbound) Cancel(code model.ResetCode) {
	in.r.abandon(code)
	in.cancel(&model.StreamError{Code: code})
}

// Update changes the terms and returns the largest location at the publisher.
func (in *Inbound) Update(ctx context.Context, c Change) (model.Opt[model.Location], error) {
	reply, err := in.r.update(ctx, c.params())
	return reply.LargestObject, err
}

// SubscribeOptions describe a SUBSCRIBE of ours.
type SubscribeOptions struct {
	Track  model.FullTrackName
	Change Change // terms that differ from the defaults
	// Rendezvous asks the peer to wait for a publisher that long.
	Rendezvous time.Duration
	Tokens     []auth.Token
}

// Subscribe asks for a track and waits for the answer. Objects may reach the
// receiver before Subscribe returns. A *model.RequestError is a refusal.
func (s *Session) Subscribe(ctx context.Context, opts SubscribeOptions, recv Receiver) (*Inbound, error) {
	in := s.newInbound(opts.Track, recv)
	in.Terms.apply(opts.Change.params(), model.Opt[model.Location]{})
	if !s.claim(opts.Track, in) {
		return nil, &model.RequestError{Code: model.DuplicateSubscription, Reason: "we have subscribed to this track already"}
	}
	prepare := func(r *request) {
		r.whenOver(func() { s.unclaim(opts.Track, in) }, nil)
		in.attach(r)
		s.mu.Lock()
		in.asking = r
		s.mu.Unlock()
		r.onOK = func(m wire.Message) error {
			ok := m.(*wire.SubscribeOK)
			in.alias = ok.TrackAlias
			in.Offer = offerOf(ok.Params, ok.TrackProperties)
			in.Terms.Range = in.Terms.Filter.Resolve(in.Offer.Largest)
			return s.register(in)
		}
	}
	r, err := s.begin(ctx, wire.KindSubscribe, func(id uint64) wire.Message {
		p := opts.Change.params()
		p.Tokens = wireTokens(opts.Tokens)
		if s.dialect.joinsNextObject && p.Filter.Value.Kind == model.FilterNone {
			p.Filter = model.Some(model.NextObject) // or a FETCH could not join
		}
		if opts.Rendezvous > 0 {
			p.RendezvousTimeout = model.Some(uint64(opts.Rendezvous.Milliseconds()))
		}
		return &wire.Subscribe{RequestID: id, Track: opts.Track, Params: p}
	}, prepare)
	if err != nil {
		s.unclaim(opts.Track, in)
		return nil, err
	}
	s.mu.Lock()
	superseded := in.superseded
	s.mu.Unlock()
	if superseded {
		r.abandon(model.ResetCancelled)
		return nil, ErrSuperseded
	}
	err = r.wait(ctx)
	if _, done := errors.AsType[*model.DoneError](err); done {
		return in, nil // it was accepted, and ended before we looked; its objects may still come
	}
	if err != nil {
		return nil, err
	}
	return in, nil
}

func (s *Session) newInbound(track model.FullTrackName, recv Receiver) *Inbound {
	in := &Inbound{s: s, Track: track, receiver: recv, Terms: defaultTerms()}
	in.ctx, in.cancel = context.WithCancelCause(s.ctx)
	return in
}

// claim reserves a track for owner: one subscription per track and role
// (section 5.1).
func (s *Session) claim(track model.FullTrackName, owner any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := track.Key()
	if s.receiving[key] != nil {
		return false
	}
	s.receiving[key] = owner
	return true
}

// unclaim gives a track back, unless another owner has it by now.
func (s *Session) unclaim(track model.FullTrackName, owner any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key := track.Key(); s.receiving[key] == owner {
		delete(s.receiving, key)
	}
}

// ErrSuperseded is why a SUBSCRIBE of ours fails when the peer's PUBLISH of the
// track comes in its stead. Handler.Publish is called then.
var ErrSuperseded = errors.New("the peer publishes the track by itself")

// supersede cancels our SUBSCRIBE of a track that the peer publishes, unless it
// was answered: the two crossed on their way, and the peer will refuse ours
// (section 5.1). It reports whether it did.
func (s *Session) supersede(track model.FullTrackName) bool {
	s.mu.Lock()
	key := track.Key()
	in, ours := s.receiving[key].(*Inbound)
	if !ours {
		s.mu.Unlock()
		return false
	}
	r := in.asking
	if r == nil { // not sent yet
		in.superseded = true
		delete(s.receiving, key)
	}
	s.mu.Unlock()
	if r == nil {
		return true
	}
	r.mu.Lock()
	pending := r.state < Established
	if pending && r.over == nil {
		r.over = ErrSuperseded
	}
	r.mu.Unlock()
	if pending {
		r.abandon(model.ResetCancelled)
	}
	return pending
}

// claimReceiving reserves a track for a PUBLISH of the peer, waiting for the end of
// what the peer may have ended before it.
func (s *Session) claimReceiving(r *request, track model.FullTrackName) bool {
	late := time.NewTimer(overtaking)
	defer late.Stop()
	for {
		if s.claim(track, r) || s.supersede(track) && s.claim(track, r) {
			return true
		}
		s.mu.Lock()
		var before *request
		switch owner := s.receiving[track.Key()].(type) {
		case *request:
			before = owner
		case *Inbound:
			before = owner.asking
		}
		s.mu.Unlock()
		if before == nil {
			continue // it has just ended, or was not sent yet, and is superseded now
		}
		select {
		case <-before.ctx.Done():
		case <-r.ctx.Done():
			return false
		case <-late.C:
			return false
		}
	}
}

// attach ties in to its request.
func (in *Inbound) attach(r *request) {
	in.r = r
	r.onMessage = in.message
	context.AfterFunc(r.ctx, in.requestOver)
	context.AfterFunc(in.ctx, func() {
		s := in.s
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.inbound[in.alias] == in {
			delete(s.inbound, in.alias)
			s.gone.add(in.alias)
		}
	})
}

// message handles PUBLISH_DONE.
func (in *Inbound) message(m wire.Message) error {
	done, ok := m.(*wire.PublishDone)
	if !ok {
		return violation("unexpected message on the stream of a subscription")
	}
	in.mu.Lock()
	in.done = &model.DoneError{Code: done.Code, Reason: done.Reason}
	in.expect = done.StreamCount
	in.mu.Unlock()
	in.r.concluded(in.done)
	return nil
}

// requestOver runs when the request has ended: at once if it was cancelled,
// else when the streams that PUBLISH_DONE counted have come, or after a while.
func (in *Inbound) requestOver() {
	cause := context.Cause(in.r.ctx)
	if _, ok := errors.AsType[*model.DoneError](cause); !ok {
		if in.s.ctx.Err() != nil {
			cause = in.s.Err()
		}
		in.cancel(cause)
		return
	}
	t := time.AfterFunc(in.s.cfg.Limits.DoneWait, func() { in.endIfComplete(true) })
	context.AfterFunc(in.ctx, func() { t.Stop() })
	in.endIfComplete(false)
}

// endIfComplete ends in after PUBLISH_DONE if all streams have come and ended;
// late says that those that have not begun are no longer awaited.
func (in *Inbound) endIfComplete(late bool) {
	in.mu.Lock()
	count, known := in.expect.Get()
	complete := in.done != nil && in.open == 0 && (late || known && in.streams >= count)
	cause := in.done
	if late && in.done != nil {
		in.expect = model.Some(uint64(0)) // the last open stream ends it
	}
	in.mu.Unlock()
	if complete {
		in.cancel(cause)
	}
}

// streamBegan and streamEnded count the streams of the subscription.
func (in *Inbound) streamBegan() {
	in.mu.Lock()
	in.streams++
	in.open++
	in.mu.Unlock()
}

func (in *Inbound) streamEnded() {
	in.mu.Lock()
	in.open--
	in.mu.Unlock()
	in.endIfComplete(false)
}

// PublishRequest is a PUBLISH of the peer.
type PublishRequest struct {
	peerRequest
	Track model.FullTrackName
	Offer Offer
	// Forward is whether the publisher sends objects before we say so.
	Forward bool
	alias   uint64
}

func (s *Session) handlePublish(h Handler, r *request, m *wire.Publish) {
	if late := r.whenOver(func() { s.unclaim(m.Track, r) }, nil); late {
		return
	}
	if !s.claimReceiving(r, m.Track) {
		_ = r.reject(&model.RequestError{Code: model.DuplicateSubscription, Reason: "there is a subscription to this track already"})
		s.forgetAlias(m.TrackAlias)
		return
	}
	h.Publish(r.ctx, &PublishRequest{
		peerRequest: peerRequest{s, r}, Track: m.Track, alias: m.TrackAlias,
		Offer: offerOf(m.Params, m.TrackProperties), Forward: m.Params.Forward.Or(true),
	})
	if !r.established() {
		s.forgetAlias(m.TrackAlias)
	}
}

// Accept answers with PUBLISH_OK on the given terms. Objects that came before
// it go to the receiver first.
func (p *PublishRequest) Accept(c Change, recv Receiver) (*Inbound, error) {
	in := p.s.newInbound(p.Track, recv)
	in.Terms.Forward = p.Forward
	in.Terms.apply(c.params(), p.Offer.Largest)
	in.Offer, in.alias = p.Offer, p.alias
	in.attach(p.r)
	if err := p.s.register(in); err != nil {
		p.s.fail(err)
		return nil, err
	}
	if err := p.r.send(&wire.RequestOK{Params: c.params()}, false); err != nil {
		in.cancel(err)
		return nil, err
	}
	return in, nil
}
