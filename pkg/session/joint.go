package session

import (
	"sync"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// joint is the one answer to a request that the Handler sees as several: up to
// draft 16 a SUBSCRIBE_NAMESPACE may be a SUBSCRIBE_TRACKS too. It is accepted if
// either half is, and refused with the first reason if neither is.
type joint struct {
	r *request

	mu       sync.Mutex // held while the answer is sent, which must come first
	waiting  map[wire.MessageKind]bool
	accepted bool
	refusal  *model.RequestError
}

// halvesOf returns the kinds of request that a SUBSCRIBE_NAMESPACE stands for.
func (s *Session) halvesOf(m *wire.SubscribeNamespace) []wire.MessageKind {
	if s.dialect.namespaceMeansBoth || s.dialect.namespaceStream && m.Options == wire.WantBoth {
		return []wire.MessageKind{wire.KindSubscribeNamespace, wire.KindSubscribeTracks}
	}
	return []wire.MessageKind{s.kindOf(m)}
}

// handlePrefix calls the Handler for each of the kinds and returns when it has.
func (s *Session) handlePrefix(h Handler, r *request, prefix model.Namespace, p wire.Params, kinds ...wire.MessageKind) {
	j := &joint{r: r, waiting: map[wire.MessageKind]bool{}}
	for _, kind := range kinds {
		j.waiting[kind] = true
	}
	var all sync.WaitGroup
	defer all.Wait()
	for _, kind := range kinds[1:] {
		all.Go(func() { s.handleHalf(h, j, kind, prefix, p) })
	}
	s.handleHalf(h, j, kinds[0], prefix, p)
}

func (s *Session) handleHalf(h Handler, j *joint, kind wire.MessageKind, prefix model.Namespace, p wire.Params) {
	r := j.r
	defer func() { // does nothing if the half was answered
		_ = j.reject(kind, &model.RequestError{Code: model.RequestInternalError, Reason: "not answered"})
	}()
	if err := s.authorize(r, kind, model.FullTrackName{Namespace: prefix}); err != nil {
		_ = j.reject(kind, asRequestError(err))
		return
	}
	hold := &prefixHold{prefix, r}
	if err := s.holdPrefix(r, kind, hold); err != nil {
		_ = j.reject(kind, err)
		return
	}
	req := &PrefixRequest{peerRequest: peerRequest{s, r}, Prefix: prefix, Forward: p.Forward.Or(true), kind: kind, hold: hold, joint: j}
	if kind == wire.KindSubscribeTracks {
		h.SubscribeTracks(r.ctx, req)
	} else {
		h.SubscribeNamespace(r.ctx, req)
	}
}

// accept answers for one half; update is what changes of its parameters are told.
// A request of two halves has no parameters that could be changed.
func (j *joint) accept(kind wire.MessageKind, update func(wire.Params) (wire.Params, error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.waiting[kind] {
		return errTerminated
	}
	single := len(j.waiting) == 1
	j.waiting[kind] = false
	if j.accepted {
		return j.r.err()
	}
	j.accepted = true
	if single {
		j.r.onUpdate = update
	}
	return j.r.send(&wire.RequestOK{}, false)
}

// reject refuses one half.
func (j *joint) reject(kind wire.MessageKind, e *model.RequestError) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.waiting[kind] {
		return nil
	}
	j.waiting[kind] = false
	if j.refusal == nil {
		j.refusal = e
	}
	for _, waits := range j.waiting {
		if waits {
			return nil
		}
	}
	if j.accepted {
		return nil
	}
	return j.r.reject(j.refusal)
}
