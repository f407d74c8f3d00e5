package session

import (
	"context"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// PrefixSubscription is a SUBSCRIBE_NAMESPACE or SUBSCRIBE_TRACKS of ours.
type PrefixSubscription struct {
	ctx    context.Context
	cancel func()
}

// Context ends when the peer ends the subscription or the session ends.
func (p *PrefixSubscription) Context() context.Context { return p.ctx }

// Cancel ends the subscription.
func (p *PrefixSubscription) Cancel() { p.cancel() }

// SubscribeNamespace asks which namespaces exist below a prefix. report is
// called for each that appears and, with live false, disappears; it runs in
// the goroutine of the stream and should not block.
func (s *Session) SubscribeNamespace(ctx context.Context, prefix model.Namespace, report func(suffix model.Namespace, live bool), tokens ...auth.Token) (*PrefixSubscription, error) {
	known := map[string]bool{}
	return s.subscribePrefix(ctx, wire.KindSubscribeNamespace, prefix, wire.Params{Tokens: wireTokens(tokens)}, func(m wire.Message) error {
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
// peer could not publish. Draft 14 cannot say forward: there the Handler does, when
// it accepts. Draft 16 has one kind of request for this and SubscribeNamespace, and
// a peer may refuse the second for the same prefix with PREFIX_OVERLAP.
func (s *Session) SubscribeTracks(ctx context.Context, prefix model.Namespace, forward bool, blocked func(suffix model.Namespace, name string), tokens ...auth.Token) (*PrefixSubscription, error) {
	p := wire.Params{Tokens: wireTokens(tokens)}
	if !forward && !s.dialect.namespaceMeansBoth {
		p.Forward = model.Some(false)
	}
	return s.subscribePrefix(ctx, wire.KindSubscribeTracks, prefix, p, func(m wire.Message) error {
		if b, ok := m.(*wire.PublishBlocked); ok && blocked != nil {
			blocked(b.Suffix, b.Name)
		}
		return nil
	})
}

func (s *Session) subscribePrefix(ctx context.Context, kind wire.MessageKind, prefix model.Namespace, p wire.Params, on func(wire.Message) error) (*PrefixSubscription, error) {
	if s.dialect.namespaceMeansBoth {
		return s.askTogether(ctx, prefix, p, on)
	}
	r, err := s.begin(ctx, kind, func(id uint64) wire.Message {
		switch {
		case s.dialect.namespaceStream && kind == wire.KindSubscribeTracks:
			return &wire.SubscribeNamespace{RequestID: id, Prefix: prefix, Params: p, Options: wire.WantTracks}
		case s.dialect.namespaceStream:
			return &wire.SubscribeNamespace{RequestID: id, Prefix: prefix, Params: p, Options: wire.WantNamespaces}
		case kind == wire.KindSubscribeTracks:
			return &wire.SubscribeTracks{RequestID: id, Prefix: prefix, Params: p}
		}
		return &wire.SubscribeNamespace{RequestID: id, Prefix: prefix, Params: p}
	}, func(r *request) { r.onMessage = on })
	if err != nil {
		return nil, err
	}
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	return &PrefixSubscription{r.ctx, func() { r.abandon(model.ResetCancelled) }}, nil
}
