package session

import (
	"context"
	"slices"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// NamespaceRequest is a PUBLISH_NAMESPACE of the peer. After Accept its Context
// lasts until the peer withdraws the namespace.
type NamespaceRequest struct {
	peerRequest
	Namespace model.Namespace
}

// Accept answers with REQUEST_OK.
func (n *NamespaceRequest) Accept() error { return n.r.send(&wire.RequestOK{}, false) }

// Revoke tells the peer that the namespace is no longer wanted.
func (n *NamespaceRequest) Revoke(code model.ResetCode) { n.r.abandon(code) }

// PublishedNamespace is a PUBLISH_NAMESPACE of ours that was accepted.
type PublishedNamespace struct{ r *request }

// Context ends when the peer revokes the namespace or the session ends.
func (p *PublishedNamespace) Context() context.Context { return p.r.ctx }

// Withdraw takes the namespace back.
func (p *PublishedNamespace) Withdraw() { p.r.abandon(model.ResetCancelled) }

// PublishNamespace tells the peer that tracks below ns can be had here.
func (s *Session) PublishNamespace(ctx context.Context, ns model.Namespace, tokens ...auth.Token) (*PublishedNamespace, error) {
	r, err := s.begin(ctx, wire.KindPublishNamespace, func(id uint64) wire.Message {
		return &wire.PublishNamespace{RequestID: id, Namespace: ns, Params: wire.Params{Tokens: wireTokens(tokens)}}
	}, nil)
	if err != nil {
		return nil, err
	}
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	return &PublishedNamespace{r}, nil
}

// PrefixRequest is a SUBSCRIBE_NAMESPACE or SUBSCRIBE_TRACKS of the peer.
type PrefixRequest struct {
	peerRequest
	Prefix model.Namespace
	// Forward is the forwarding state of the PUBLISHes that answer a
	// SUBSCRIBE_TRACKS.
	Forward bool
	hold    *prefixHold
}

// prefixHold is a prefix that the peer has subscribed to.
type prefixHold struct{ prefix model.Namespace }

func (s *Session) handlePrefix(r *request, prefix model.Namespace, p wire.Params, serve func(*PrefixRequest)) {
	hold := &prefixHold{prefix}
	if err := s.holdPrefix(r, hold, nil); err != nil {
		_ = r.reject(err)
		return
	}
	serve(&PrefixRequest{peerRequest: peerRequest{s, r}, Prefix: prefix, Forward: p.Forward.Or(true), hold: hold})
}

// holdPrefix records a prefix unless one of the same kind overlaps with it:
// one contains the other. The two kinds of request do not disturb each other.
func (s *Session) holdPrefix(r *request, hold, instead *prefixHold) *model.RequestError {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.prefixes[r.kind]
	for _, h := range held {
		if h != instead && (h.prefix.HasPrefix(hold.prefix) || hold.prefix.HasPrefix(h.prefix)) {
			return &model.RequestError{Code: model.PrefixOverlap, Reason: "the prefix overlaps with one that is subscribed to"}
		}
	}
	if instead != nil {
		instead.prefix = hold.prefix
		return nil
	}
	s.prefixes[r.kind] = append(held, hold)
	context.AfterFunc(r.ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.prefixes[r.kind] = slices.DeleteFunc(s.prefixes[r.kind], func(h *prefixHold) bool { return h == hold })
	})
	return nil
}

// PrefixFeed answers a PrefixRequest with what is found below the prefix.
type PrefixFeed struct {
	s *Session
	r *request
}

// Context ends when the peer cancels the request.
func (f *PrefixFeed) Context() context.Context { return f.r.ctx }

// Accept answers with REQUEST_OK. onPrefix, if not nil, is told when the peer
// changes the prefix or the forwarding state; it may refuse by an error.
func (p *PrefixRequest) Accept(onChange func(prefix model.Namespace, forward bool) error) (*PrefixFeed, error) {
	prefix, forward := p.Prefix, p.Forward
	p.r.onUpdate = func(u wire.Params) (wire.Params, error) {
		next := u.NamespacePrefix.Or(prefix)
		if !next.Equal(prefix) {
			if err := p.s.holdPrefix(p.r, &prefixHold{next}, p.hold); err != nil {
				return wire.Params{}, err
			}
		}
		nextForward := u.Forward.Or(forward)
		if onChange != nil {
			if err := onChange(next, nextForward); err != nil {
				return wire.Params{}, err
			}
		}
		prefix, forward = next, nextForward
		return wire.Params{}, nil
	}
	if err := p.r.send(&wire.RequestOK{}, false); err != nil {
		return nil, err
	}
	return &PrefixFeed{p.s, p.r}, nil
}

// Namespace reports a namespace by what follows the prefix.
func (f *PrefixFeed) Namespace(suffix model.Namespace) error {
	return f.r.send(&wire.Namespace{Suffix: suffix}, false)
}

// NamespaceDone withdraws one that was reported.
func (f *PrefixFeed) NamespaceDone(suffix model.Namespace) error {
	return f.r.send(&wire.NamespaceDone{Suffix: suffix}, false)
}

// Blocked says that a track could not be published for want of stream credit.
func (f *PrefixFeed) Blocked(suffix model.Namespace, name string) error {
	return f.r.send(&wire.PublishBlocked{Suffix: suffix, Name: name}, false)
}

// Abandon ends the request, when the peer does not read what we report.
func (f *PrefixFeed) Abandon(code model.ResetCode) { f.r.abandon(code) }

// PrefixSubscription is a SUBSCRIBE_NAMESPACE or SUBSCRIBE_TRACKS of ours.
type PrefixSubscription struct{ r *request }

// Context ends when the peer ends the subscription or the session ends.
func (p *PrefixSubscription) Context() context.Context { return p.r.ctx }

// Cancel ends the subscription.
func (p *PrefixSubscription) Cancel() { p.r.abandon(model.ResetCancelled) }

// SubscribeNamespace asks which namespaces exist below a prefix. report is
// called for each that appears and, with live false, disappears; it runs in
// the goroutine of the stream and should not block.
func (s *Session) SubscribeNamespace(ctx context.Context, prefix model.Namespace, report func(suffix model.Namespace, live bool), tokens ...auth.Token) (*PrefixSubscription, error) {
	known := map[string]bool{}
	return s.subscribePrefix(ctx, wire.KindSubscribeNamespace, func(id uint64) wire.Message {
		return &wire.SubscribeNamespace{RequestID: id, Prefix: prefix, Params: wire.Params{Tokens: wireTokens(tokens)}}
	}, func(m wire.Message) error {
		switch m := m.(type) {
		case *wire.Namespace:
			if len(known) >= MaxKnownNamespaces && !known[m.Suffix.Key()] {
				return &model.StreamError{Code: model.ResetExcessiveLoad}
			}
			known[m.Suffix.Key()] = true
			report(m.Suffix, true)
		case *wire.NamespaceDone:
			if !known[m.Suffix.Key()] {
				return violation("NAMESPACE_DONE for a namespace that was not reported")
			}
			delete(known, m.Suffix.Key())
			report(m.Suffix, false)
		}
		return nil
	})
}

// MaxKnownNamespaces is how many namespaces one SUBSCRIBE_NAMESPACE of ours may
// find at a time; a peer that reports more is cut off.
const MaxKnownNamespaces = 1 << 16

// SubscribeTracks asks the peer to PUBLISH every track below a prefix; the
// PUBLISHes reach the Handler. blocked, if not nil, is told of tracks that the
// peer could not publish.
func (s *Session) SubscribeTracks(ctx context.Context, prefix model.Namespace, forward bool, blocked func(suffix model.Namespace, name string), tokens ...auth.Token) (*PrefixSubscription, error) {
	return s.subscribePrefix(ctx, wire.KindSubscribeTracks, func(id uint64) wire.Message {
		p := wire.Params{Tokens: wireTokens(tokens)}
		if !forward {
			p.Forward = model.Some(false)
		}
		return &wire.SubscribeTracks{RequestID: id, Prefix: prefix, Params: p}
	}, func(m wire.Message) error {
		if b, ok := m.(*wire.PublishBlocked); ok && blocked != nil {
			blocked(b.Suffix, b.Name)
		}
		return nil
	})
}

func (s *Session) subscribePrefix(ctx context.Context, kind wire.MessageKind, make func(uint64) wire.Message, on func(wire.Message) error) (*PrefixSubscription, error) {
	r, err := s.begin(ctx, kind, make, func(r *request) { r.onMessage = on })
	if err != nil {
		return nil, err
	}
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	return &PrefixSubscription{r}, nil
}

// TrackStatusRequest is a TRACK_STATUS of the peer.
type TrackStatusRequest struct {
	peerRequest
	Track model.FullTrackName
}

// Accept answers with what is known of the track.
func (t *TrackStatusRequest) Accept(offer Offer) error {
	p := wire.Params{LargestObject: offer.Largest}
	return t.r.conclude(&wire.RequestOK{Params: p, TrackProperties: offer.Properties}, errAnswered)
}

// TrackStatus asks the peer what it knows of a track.
func (s *Session) TrackStatus(ctx context.Context, track model.FullTrackName, tokens ...auth.Token) (Offer, error) {
	var offer Offer
	r, err := s.begin(ctx, wire.KindTrackStatus, func(id uint64) wire.Message {
		return &wire.TrackStatus{RequestID: id, Track: track, Params: wire.Params{Tokens: wireTokens(tokens)}}
	}, func(r *request) {
		r.onOK = func(m wire.Message) error {
			ok := m.(*wire.RequestOK)
			offer = offerOf(ok.Params, ok.TrackProperties)
			return nil
		}
	})
	if err != nil {
		return Offer{}, err
	}
	return offer, r.wait(ctx)
}
