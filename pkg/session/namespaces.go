package session

import (
	"context"
	"slices"
	"time"

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

// Context ends when the peer revokes the namespace or the session ends; Err says
// why.
func (p *PublishedNamespace) Context() context.Context { return p.r.ctx }

// Err returns why Context ended, for people too: the cause, with what is known of
// the peer. It is nil before.
func (p *PublishedNamespace) Err() error { return p.r.s.explainRevocation(context.Cause(p.r.ctx)) }

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

// PrefixRequest is a SUBSCRIBE_NAMESPACE or SUBSCRIBE_TRACKS of the peer, or one
// half of a request that is both (drafts up to 16).
type PrefixRequest struct {
	peerRequest
	Prefix model.Namespace
	// Forward is the forwarding state of the PUBLISHes that answer a
	// SUBSCRIBE_TRACKS.
	Forward bool
	kind    wire.MessageKind
	hold    *prefixHold
	joint   *joint
}

// Reject refuses the request, as peerRequest.Reject does.
func (p *PrefixRequest) Reject(err error) error { return p.joint.reject(p.kind, asRequestError(err)) }

// prefixHold is a prefix that the peer has subscribed to.
type prefixHold struct {
	prefix model.Namespace
	r      *request
}

// holdPrefix records a prefix unless one of the same kind overlaps with it:
// one contains the other. The two kinds of request do not disturb each other.
// One that the peer may have given up before is waited for.
func (s *Session) holdPrefix(r *request, kind wire.MessageKind, hold *prefixHold) *model.RequestError {
	late := time.NewTimer(overtaking)
	defer late.Stop()
	for {
		s.mu.Lock()
		before := s.overlapLocked(kind, hold, nil)
		if before == nil {
			s.prefixes[kind] = append(s.prefixes[kind], hold)
			s.mu.Unlock()
			break
		}
		s.mu.Unlock()
		select {
		case <-before.r.ctx.Done():
		case <-r.ctx.Done():
			return errOverlap
		case <-late.C:
			return errOverlap
		}
	}
	context.AfterFunc(r.ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.prefixes[kind] = slices.DeleteFunc(s.prefixes[kind], func(h *prefixHold) bool { return h == hold })
	})
	return nil
}

var errOverlap = &model.RequestError{Code: model.PrefixOverlap, Reason: "the prefix overlaps with one that is subscribed to"}

// overlapLocked returns a prefix that overlaps with one, other than instead.
func (s *Session) overlapLocked(kind wire.MessageKind, hold, instead *prefixHold) *prefixHold {
	for _, k := range s.prefixKinds(kind) {
		for _, h := range s.prefixes[k] {
			if h.r == hold.r && k != kind || h == instead || h.r.ctx.Err() != nil {
				continue
			}
			if h.prefix.HasPrefix(hold.prefix) || hold.prefix.HasPrefix(h.prefix) {
				return h
			}
		}
	}
	return nil
}

// movePrefix changes a prefix that is held.
func (s *Session) movePrefix(kind wire.MessageKind, hold *prefixHold, to model.Namespace) *model.RequestError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.overlapLocked(kind, &prefixHold{to, hold.r}, hold) != nil {
		return errOverlap
	}
	hold.prefix = to
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
	update := func(u wire.Params) (wire.Params, error) {
		next := u.NamespacePrefix.Or(prefix)
		if !next.Equal(prefix) {
			if err := p.s.movePrefix(p.kind, p.hold, next); err != nil {
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
	if err := p.joint.accept(p.kind, update); err != nil {
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
// Drafts up to 16 have no words for that.
func (f *PrefixFeed) Blocked(suffix model.Namespace, name string) error {
	if !f.s.dialect.blocked {
		return nil
	}
	return f.r.send(&wire.PublishBlocked{Suffix: suffix, Name: name}, false)
}

// Abandon ends the request, when the peer does not read what we report.
func (f *PrefixFeed) Abandon(code model.ResetCode) { f.r.abandon(code) }

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
