package session

import (
	"context"
	"errors"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// acceptRequests serves the peer's request streams until the connection ends.
func (s *Session) acceptRequests() {
	select { // requests that come early wait in the transport (section 3.3)
	case <-s.setupDone:
	case <-s.ctx.Done():
		return
	}
	for {
		stream, err := s.conn.AcceptStream(s.ctx)
		if err != nil {
			return
		}
		s.loops.Go(func() {
			l := s.newStreamLane(stream)
			if typ, body, ok := l.first(); ok {
				s.serveRequest(l, typ, body)
			}
		})
	}
}

// serveRequest serves the request of a stream, whose first message was read.
func (s *Session) serveRequest(l *streamLane, typ uint64, body []byte) {
	m, err := s.parseMessage(l.stream, s.context(wire.RequestStream, 0, 0), typ, body)
	refusal, err := refusalOf(m, err)
	if err != nil {
		s.fail(err)
		return
	}
	id, _, _, ok := describe(m)
	if !ok {
		s.fail(violation("a request stream begins with %s", wire.MessageName(s.cfg.Draft, typ)))
		return
	}
	l.kind, l.id = m.Kind(), id // the kind of the request is what the message itself says
	r := s.newRequest(s.kindOf(m), Responder, id, l)
	err = s.admit(r, m, refusal)
	if se := sessionError(err); se != nil {
		s.fail(se)
		return
	}
	s.serve(r, m, err)
}

// refusalOf sorts the error of a request that was read: a refusal costs only the
// request, err the session.
func refusalOf(m wire.Message, err error) (refusal *model.RequestError, fatal error) {
	if pe, ok := errors.AsType[*wire.ParseError](err); ok && !pe.Fatal() && m != nil {
		return &model.RequestError{Code: pe.Request.Or(model.RequestMalformedTrack), Reason: pe.Error()}, nil
	}
	return nil, err
}

// serve hands a request to the Handler, unless it is refused for err, and reads
// on to its end.
func (s *Session) serve(r *request, m wire.Message, err error) {
	if err != nil {
		s.grant(false)
		_ = r.reject(asRequestError(err)) // the stream may be gone; nothing to do then
		r.run()
		return
	}
	s.loops.Go(func() {
		defer s.release(r)
		s.handle(r, m)
	})
	r.run()
}

// describe returns what all requests have in common; ok is false for messages
// that are none.
func describe(m wire.Message) (id uint64, track model.FullTrackName, tokens []wire.Token, ok bool) {
	switch m := m.(type) {
	case *wire.Subscribe:
		return m.RequestID, m.Track, m.Params.Tokens, true
	case *wire.Publish:
		return m.RequestID, m.Track, m.Params.Tokens, true
	case *wire.Fetch:
		return m.RequestID, m.Track, m.Params.Tokens, true
	case *wire.TrackStatus:
		return m.RequestID, m.Track, m.Params.Tokens, true
	case *wire.PublishNamespace:
		return m.RequestID, model.FullTrackName{Namespace: m.Namespace}, m.Params.Tokens, true
	case *wire.SubscribeNamespace:
		return m.RequestID, model.FullTrackName{Namespace: m.Prefix}, m.Params.Tokens, true
	case *wire.SubscribeTracks:
		return m.RequestID, model.FullTrackName{Namespace: m.Prefix}, m.Params.Tokens, true
	}
	return 0, model.FullTrackName{}, nil, false
}

// kindOf returns the kind of a request, which draft 16 says by an option: its
// SUBSCRIBE_NAMESPACE for nothing but tracks is what is SUBSCRIBE_TRACKS since.
func (s *Session) kindOf(m wire.Message) wire.MessageKind {
	if n, ok := m.(*wire.SubscribeNamespace); ok && s.dialect.namespaceStream && n.Options == wire.WantTracks {
		return wire.KindSubscribeTracks
	}
	return m.Kind()
}

var actions = map[wire.MessageKind]auth.Action{
	wire.KindSubscribe: auth.Subscribe, wire.KindPublish: auth.Publish, wire.KindFetch: auth.Fetch,
	wire.KindTrackStatus: auth.TrackStatus, wire.KindPublishNamespace: auth.PublishNamespace,
	wire.KindSubscribeNamespace: auth.SubscribeNamespace, wire.KindSubscribeTracks: auth.SubscribeTracks,
}

// admit makes the checks that are the same for all requests; refusal, if not nil,
// is what the request is refused for in any case. A *model.SessionError closes the
// session, any other error refuses the request.
func (s *Session) admit(r *request, m wire.Message, refusal *model.RequestError) error {
	_, track, tokens, _ := describe(m)
	if err := s.useID(r.id); err != nil {
		return err
	}
	r.state = Pending // nobody else knows r yet
	s.mu.Lock()
	values, err := s.cache.resolve(tokens, false)
	full := s.open >= s.cfg.Limits.Requests
	leaving := s.goneAway
	s.mu.Unlock()
	switch {
	case err != nil:
		return err
	case refusal != nil:
		return refusal
	case leaving:
		return &model.RequestError{Code: model.RequestGoingAway, Reason: "this endpoint is going away"}
	case full:
		return &model.RequestError{Code: model.RequestExcessiveLoad, Reason: "too many open requests"}
	}
	// ".session" is between us and the peer, and we have nothing there; "."
	// alone is reserved (sections 3.2.1 and 3.2.2).
	if ns := track.Namespace; len(ns) > 0 && (ns[0] == "." || ns[0] == ".session") {
		return &model.RequestError{Code: model.DoesNotExist, Reason: "reserved namespace"}
	}
	r.tokens = values
	s.mu.Lock()
	s.open++
	s.mu.Unlock()
	return nil
}

// authorize asks the Authorizer. It may block, and runs where the Handler runs.
func (s *Session) authorize(r *request, kind wire.MessageKind, track model.FullTrackName) error {
	grant, err := s.cfg.Authorizer.Authorize(r.ctx, auth.Request{
		Session: s.info(&s.peer, s.tokens), Action: actions[kind], Track: track, Tokens: r.tokens,
	})
	if err != nil {
		return err
	}
	if !grant.Expires.IsZero() || grant.Revoked != nil {
		bound, stop := grant.Bound(r.ctx)
		context.AfterFunc(bound, func() {
			defer stop()
			if r.ctx.Err() == nil {
				r.expire(context.Cause(bound))
			}
		})
	}
	return nil
}

// release gives back the place of a request when it is over.
func (s *Session) release(r *request) {
	context.AfterFunc(r.ctx, func() {
		s.mu.Lock()
		s.open--
		s.mu.Unlock()
		s.grant(false)
	})
}

// handle calls the Handler for one request and refuses what it leaves
// unanswered.
func (s *Session) handle(r *request, m wire.Message) {
	defer func() {
		r.mu.Lock()
		unanswered := r.state == Pending
		r.mu.Unlock()
		if unanswered {
			_ = r.reject(&model.RequestError{Code: model.RequestInternalError, Reason: "not answered"})
		}
	}()
	_, track, _, _ := describe(m)
	if f, ok := m.(*wire.Fetch); ok && f.FetchKind != wire.FetchStandalone {
		joined, err := s.joined(r.ctx, f.JoiningRequestID)
		if err != nil {
			_ = r.reject(asRequestError(err))
			return
		}
		track = joined.Track
	}
	h := s.cfg.Handler
	switch m := m.(type) { // which may be two requests, see joint
	case *wire.SubscribeNamespace:
		s.handlePrefix(h, r, m.Prefix, m.Params, s.halvesOf(m)...)
		return
	case *wire.SubscribeTracks:
		s.handlePrefix(h, r, m.Prefix, m.Params, m.Kind())
		return
	}
	if err := s.authorize(r, r.kind, track); err != nil {
		_ = r.reject(asRequestError(err))
		return
	}
	switch m := m.(type) {
	case *wire.Subscribe:
		s.handleSubscribe(h, r, m)
	case *wire.Publish:
		s.handlePublish(h, r, m)
	case *wire.Fetch:
		s.handleFetch(h, r, m)
	case *wire.TrackStatus:
		h.TrackStatus(r.ctx, &TrackStatusRequest{peerRequest{s, r}, m.Track})
	case *wire.PublishNamespace:
		h.PublishNamespace(r.ctx, &NamespaceRequest{peerRequest{s, r}, m.Namespace})
	}
}

// Handler answers the requests of the peer. Each method runs in a goroutine of
// its own and must call Accept or Reject before it returns; it may take its
// time, and stop when ctx ends, which says that the request was cancelled.
// After Accept the request lives on until its context ends.
type Handler interface {
	Subscribe(ctx context.Context, r *SubscribeRequest)
	Publish(ctx context.Context, r *PublishRequest)
	Fetch(ctx context.Context, r *FetchRequest)
	TrackStatus(ctx context.Context, r *TrackStatusRequest)
	PublishNamespace(ctx context.Context, r *NamespaceRequest)
	SubscribeNamespace(ctx context.Context, r *PrefixRequest)
	SubscribeTracks(ctx context.Context, r *PrefixRequest)
}

// Refuse is a Handler that refuses everything with NOT_SUPPORTED; embed it to
// implement only what you serve.
type Refuse struct{}

var notSupported = &model.RequestError{Code: model.NotSupported, Reason: "this endpoint does not serve such requests"}

// Subscribe refuses.
func (Refuse) Subscribe(_ context.Context, r *SubscribeRequest) { _ = r.Reject(notSupported) }

// Publish refuses.
func (Refuse) Publish(_ context.Context, r *PublishRequest) { _ = r.Reject(notSupported) }

// Fetch refuses.
func (Refuse) Fetch(_ context.Context, r *FetchRequest) { _ = r.Reject(notSupported) }

// TrackStatus refuses.
func (Refuse) TrackStatus(_ context.Context, r *TrackStatusRequest) { _ = r.Reject(notSupported) }

// PublishNamespace refuses.
func (Refuse) PublishNamespace(_ context.Context, r *NamespaceRequest) { _ = r.Reject(notSupported) }

// SubscribeNamespace refuses.
func (Refuse) SubscribeNamespace(_ context.Context, r *PrefixRequest) { _ = r.Reject(notSupported) }

// SubscribeTracks refuses.
func (Refuse) SubscribeTracks(_ context.Context, r *PrefixRequest) { _ = r.Reject(notSupported) }

// peerRequest is what all requests of the peer offer.
type peerRequest struct {
	s *Session
	r *request
}

// Session returns the session that the request came on.
func (p *peerRequest) Session() *Session { return p.s }

// ID returns the Request ID.
func (p *peerRequest) ID() uint64 { return p.r.id }

// Context ends when the request is over; its cause says why.
func (p *peerRequest) Context() context.Context { return p.r.ctx }

// Tokens returns the authorization tokens that came with the request.
func (p *peerRequest) Tokens() []auth.Token { return p.r.tokens }

// Reject refuses the request. Errors that are not a *model.RequestError are
// told to the peer as INTERNAL_ERROR without their text.
func (p *peerRequest) Reject(err error) error { return p.r.reject(asRequestError(err)) }
