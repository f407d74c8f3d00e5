package session

import (
	"context"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// Draft 14 reports the namespaces below a prefix by PUBLISH_NAMESPACE requests of
// the publisher (its section 6.1). Behind the lane of a SUBSCRIBE_NAMESPACE they
// are NAMESPACE and NAMESPACE_DONE, as since draft 15.

// announce makes a namespace below the prefix known to the peer that asked. The
// peer's answer changes nothing and is only logged.
func (l *share) announce(suffix model.Namespace) error {
	s := l.c.s
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.Limits.MessageTimeout)
	defer cancel()
	ns := l.namespace.Join(suffix)
	r, err := s.begin(ctx, wire.KindPublishNamespace, func(id uint64) wire.Message {
		return &wire.PublishNamespace{RequestID: id, Namespace: ns}
	}, nil)
	if err != nil {
		return err
	}
	s.loops.Go(func() {
		if err := r.wait(s.ctx); err != nil {
			s.log.Debug("peer does not want a namespace that it asked for", "namespace", ns, "because", err)
		}
	})
	l.c.mu.Lock()
	late := l.over
	if !late {
		if l.reported == nil {
			l.reported = map[string]*request{}
		}
		l.reported[suffix.Key()] = r
	}
	l.c.mu.Unlock()
	if late {
		r.abandon(model.ResetCancelled)
	}
	return nil
}

// withdraw takes a namespace back that was announced.
func (l *share) withdraw(suffix model.Namespace) error {
	l.c.mu.Lock()
	r := l.reported[suffix.Key()]
	delete(l.reported, suffix.Key())
	l.c.mu.Unlock()
	if r != nil {
		r.abandon(model.ResetCancelled)
	}
	return nil
}

// announcedLocked reports whether a PUBLISH_NAMESPACE of the peer is the answer to
// a SUBSCRIBE_NAMESPACE of ours, and tells that one.
func (c *sharedControl) announcedLocked(l *share) bool {
	if !c.s.dialect.namespaceMeansBoth {
		return false
	}
	for _, asked := range c.lanes {
		if asked.kind != wire.KindSubscribeNamespace || asked.us != Requester || !asked.answered || !l.namespace.HasPrefix(asked.namespace) {
			continue
		}
		for _, other := range c.lanes {
			if other.under == asked && other.namespace.Equal(l.namespace) {
				return true // it was told; one PUBLISH_NAMESPACE_DONE ends both
			}
		}
		if asked.deliverLocked(heard{m: &wire.Namespace{Suffix: l.namespace[len(asked.namespace):]}}) == nil {
			l.under = asked
		}
		return true
	}
	return false
}

// adoptLocked makes a SUBSCRIBE_NAMESPACE of ours that was accepted tell of what
// answered an earlier one and was not withdrawn: a publisher need not send that
// again (draft 14, section 9.28).
func (l *share) adoptLocked() error {
	if l.kind != wire.KindSubscribeNamespace || l.us != Requester {
		return nil
	}
	for _, known := range l.c.lanes {
		if known.under == nil || !known.under.over || !known.namespace.HasPrefix(l.namespace) {
			continue
		}
		known.under = l
		if err := l.deliverLocked(heard{m: &wire.Namespace{Suffix: known.namespace[len(l.namespace):]}}); err != nil {
			return err
		}
	}
	return nil
}

// namespaceEndedLocked passes the end of a lane on to those that belong to it.
func (l *share) namespaceEndedLocked() {
	if l.under != nil && l.c.broken == nil {
		// An inbox that is full already closes the session with the next message.
		_ = l.under.deliverLocked(heard{m: &wire.NamespaceDone{Suffix: l.namespace[len(l.under.namespace):]}})
	}
	if len(l.reported) == 0 {
		return
	}
	reported := l.reported
	l.reported = nil
	l.c.s.loops.Go(func() {
		for _, r := range reported {
			r.abandon(model.ResetCancelled)
		}
	})
}

// acknowledge accepts a PUBLISH_NAMESPACE that answers a SUBSCRIBE_NAMESPACE of
// ours, and stays until the namespace is withdrawn.
func (s *Session) acknowledge(r *request) {
	s.release(r)
	if err := r.send(&wire.RequestOK{}, false); err != nil {
		r.abandon(model.ResetInternalError) // it was withdrawn meanwhile, or the session has ended
	}
	r.run()
}
