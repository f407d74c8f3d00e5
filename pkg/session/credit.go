package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// credit counts requests up to draft 16: who may make how many is said by
// MAX_REQUEST_ID (draft 16, sections 9.1, 9.5 and 9.6). Guarded by Session.mu.
type credit struct {
	turn    chan struct{} // holds one token: whoever has it makes the next request
	max     uint64        // our Request IDs must be smaller
	raised  chan struct{} // closed and replaced when max grows
	blocked uint64        // the peer was told that we need more than this; 0: it was not
	granted uint64        // the peer's Request IDs must be smaller
}

func newCredit() credit {
	c := credit{turn: make(chan struct{}, 1), raised: make(chan struct{})}
	c.turn <- struct{}{}
	return c
}

// settling is how long the next request may wait for the answer to one that has a
// stream of its own (SUBSCRIBE_NAMESPACE of draft 16): the peer may insist that
// Request IDs arrive in sequence, and only an answer shows that one has arrived.
const settling = 250 * time.Millisecond

// takeID returns our next Request ID. Where requests need credit it waits for
// that; if ctx ends first it fails with transport.ErrNoCredit. done must be called
// when the message with the ID was sent, or with false when not a byte of it was,
// and returns at once.
func (s *Session) takeID(ctx context.Context) (id uint64, done func(sent bool), err error) {
	if s.shared == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.ids.take(), func(bool) {}, nil
	}
	select {
	case <-s.credit.turn:
	default:
		select {
		case <-s.credit.turn:
		case <-ctx.Done():
			return 0, nil, s.noCredit(ctx)
		case <-s.ctx.Done():
			return 0, nil, s.Err()
		}
	}
	for {
		s.mu.Lock()
		if s.ids.next < s.credit.max {
			id = s.ids.take()
			s.mu.Unlock()
			return id, s.returnTurn, nil
		}
		most, raised := s.credit.max, s.credit.raised
		tell := s.credit.blocked != most+1
		s.credit.blocked = most + 1
		s.mu.Unlock()
		if tell {
			s.shared.post(&wire.RequestsBlocked{Max: most})
		}
		err := error(nil)
		select {
		case <-raised:
			continue
		case <-s.goawayC:
			err = ErrGoingAway
		case <-ctx.Done():
			err = s.noCredit(ctx)
		case <-s.ctx.Done():
			err = s.Err()
		}
		s.credit.turn <- struct{}{}
		return 0, nil, err
	}
}

// returnTurn lets the next request be made. An ID that was not sent is used again,
// since the peer may insist on every one.
func (s *Session) returnTurn(sent bool) {
	if !sent {
		s.mu.Lock()
		s.ids.next -= 2
		s.mu.Unlock()
	}
	s.credit.turn <- struct{}{}
}

// settle calls done when the peer has answered r, or has had the time to.
func (s *Session) settle(r *request, done func(bool)) {
	t := time.NewTimer(settling)
	defer t.Stop()
	select {
	case <-r.answered:
	case <-r.ctx.Done():
	case <-t.C:
	}
	done(true)
}

// noCredit is why a request was not made within ctx.
func (s *Session) noCredit(ctx context.Context) error {
	if s.ctx.Err() != nil {
		return s.Err()
	}
	return fmt.Errorf("%w: %w", transport.ErrNoCredit, context.Cause(ctx))
}

// raise takes a MAX_REQUEST_ID of the peer.
func (s *Session) raise(most uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if most < s.credit.max || most == s.credit.max && !s.repeatsMaxRequestID() {
		return violation("MAX_REQUEST_ID %d after %d", most, s.credit.max)
	}
	if most > s.credit.max {
		s.credit.max = most
		close(s.credit.raised)
		s.credit.raised = make(chan struct{})
	}
	return nil
}

// firstGrant returns the MAX_REQUEST_ID of our SETUP.
func (s *Session) firstGrant() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.credit.granted = s.windowLocked()
	return s.credit.granted
}

// windowLocked returns the limit up to which the peer has as many open requests as
// it may have.
func (s *Session) windowLocked() uint64 {
	return s.ids.top + 2*uint64(max(0, s.cfg.Limits.Requests-s.open))
}

// grant tells the peer by MAX_REQUEST_ID that requests have ended: when half of
// its window is to be had, when it has used all, or when it asks.
func (s *Session) grant(asked bool) {
	if s.shared == nil {
		return
	}
	s.shared.granting.Lock() // what is computed first is sent first
	defer s.shared.granting.Unlock()
	s.mu.Lock()
	next, now := s.windowLocked(), s.credit.granted
	half := next >= now+uint64(s.cfg.Limits.Requests)
	if next <= now || !half && !asked && s.ids.top < now {
		s.mu.Unlock()
		return
	}
	s.credit.granted = next
	s.mu.Unlock()
	s.shared.post(&wire.MaxRequestID{Max: next})
}

// useID records a Request ID of the peer. Its error closes the session.
func (s *Session) useID(id uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := error(nil)
	switch {
	case s.shared == nil:
		err = s.ids.use(id)
	case id&1 == s.ids.odd && id >= s.credit.granted:
		return &model.SessionError{
			Code: model.TooManyRequests, Reason: fmt.Sprintf("request ID %d, and all must be smaller than %d", id, s.credit.granted),
		}
	case id&1 == s.ids.odd && id > s.ids.top+2*s.idsToSkip():
		err = fmt.Errorf("%w: %d where %d is next", errSequence, id, s.ids.top)
	default:
		err = s.ids.use(id)
	}
	if err != nil {
		return &model.SessionError{Code: model.InvalidRequestID, Reason: err.Error()}
	}
	return nil
}

var errSequence = errors.New("request IDs leave out too many")
