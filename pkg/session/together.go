package session

import (
	"context"
	"errors"
	"sync"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// askedPrefix is a SUBSCRIBE_NAMESPACE of ours in draft 14, where it asks for
// namespaces and for tracks: everybody here who asks for either shares it, since a
// second one for the prefix would overlap with it.
type askedPrefix struct {
	answered chan struct{} // closed when r and err are known
	r        *request
	err      error

	telling sync.Mutex // one message at a time, and none while a listener is told of the past

	listeners map[*PrefixSubscription]func(wire.Message) error // guarded by Session.mu
	known     map[string]model.Namespace                       // by suffix; guarded by telling
}

// askTogether returns a share of the one request for a prefix.
func (s *Session) askTogether(ctx context.Context, prefix model.Namespace, p wire.Params, on func(wire.Message) error) (*PrefixSubscription, error) {
	for {
		s.mu.Lock()
		a := s.asked[prefix.Key()]
		first := a == nil
		if first {
			a = &askedPrefix{
				answered:  make(chan struct{}),
				listeners: map[*PrefixSubscription]func(wire.Message) error{}, known: map[string]model.Namespace{},
			}
			s.asked[prefix.Key()] = a
		}
		s.mu.Unlock()
		if first {
			s.askFirst(ctx, a, prefix, p)
		}
		select {
		case <-a.answered:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if a.err != nil {
			if _, refused := errors.AsType[*model.RequestError](a.err); first || refused || s.ctx.Err() != nil {
				return nil, a.err
			}
			continue // who asked has given up
		}
		if sub := s.listen(a, prefix, on); sub != nil {
			return sub, nil
		}
		// The last of the others has just left.
	}
}

// askFirst makes the request.
func (s *Session) askFirst(ctx context.Context, a *askedPrefix, prefix model.Namespace, p wire.Params) {
	defer close(a.answered)
	a.r, a.err = s.begin(ctx, wire.KindSubscribeNamespace, func(id uint64) wire.Message {
		return &wire.SubscribeNamespace{RequestID: id, Prefix: prefix, Params: p}
	}, func(r *request) { r.onMessage = func(m wire.Message) error { return s.tell(a, m) } })
	if a.err == nil {
		a.err = a.r.wait(ctx)
	}
	if a.err != nil {
		s.forgetAsked(a, prefix)
		return
	}
	context.AfterFunc(a.r.ctx, func() { s.forgetAsked(a, prefix) })
}

func (s *Session) forgetAsked(a *askedPrefix, prefix model.Namespace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked[prefix.Key()] == a {
		delete(s.asked, prefix.Key())
	}
}

// tell passes a message on to all listeners.
func (s *Session) tell(a *askedPrefix, m wire.Message) error {
	a.telling.Lock()
	defer a.telling.Unlock()
	switch m := m.(type) {
	case *wire.Namespace:
		if len(a.known) >= MaxKnownNamespaces {
			return &model.StreamError{Code: model.ResetExcessiveLoad}
		}
		a.known[m.Suffix.Key()] = m.Suffix
	case *wire.NamespaceDone:
		delete(a.known, m.Suffix.Key())
	}
	s.mu.Lock()
	all := make([]func(wire.Message) error, 0, len(a.listeners))
	for _, on := range a.listeners {
		all = append(all, on)
	}
	s.mu.Unlock()
	for _, on := range all {
		if err := on(m); err != nil {
			return err
		}
	}
	return nil
}

// listen adds a listener and tells it what is known. It returns nil if the request
// is given up already.
func (s *Session) listen(a *askedPrefix, prefix model.Namespace, on func(wire.Message) error) *PrefixSubscription {
	a.telling.Lock()
	defer a.telling.Unlock()
	sub := &PrefixSubscription{}
	ctx, cancel := context.WithCancelCause(a.r.ctx)
	sub.ctx = ctx
	sub.cancel = func() {
		s.mu.Lock()
		delete(a.listeners, sub)
		last := len(a.listeners) == 0 && s.asked[prefix.Key()] == a
		if last {
			delete(s.asked, prefix.Key())
		}
		s.mu.Unlock()
		cancel(&model.StreamError{Code: model.ResetCancelled})
		if last {
			a.r.abandon(model.ResetCancelled)
		}
	}
	s.mu.Lock()
	gone := s.asked[prefix.Key()] != a
	if !gone {
		a.listeners[sub] = on
	}
	s.mu.Unlock()
	if gone {
		cancel(nil)
		return nil
	}
	for _, suffix := range a.known {
		if on(&wire.Namespace{Suffix: suffix}) != nil {
			break
		}
	}
	return sub
}
