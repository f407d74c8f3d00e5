package session

import (
	"context"
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

func (s *Session) takeID() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids.take()
}

// useID records a Request ID of the peer, or closes with INVALID_REQUEST_ID.
func (s *Session) useID(id uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ids.use(id); err != nil {
		return &model.SessionError{Code: model.InvalidRequestID, Reason: err.Error()}
	}
	return nil
}

// begin opens a request stream, waiting for the peer's credit, and sends the
// message that make returns for the Request ID. If ctx ends while it waits it
// fails with transport.ErrNoCredit. prepare, if not nil, runs
// before anything is sent and sets the hooks.
func (s *Session) begin(ctx context.Context, kind wire.MessageKind, make func(id uint64) wire.Message, prepare func(*request)) (*request, error) {
	select {
	case <-s.goawayC:
		return nil, ErrGoingAway
	default:
	}
	stream, err := s.conn.OpenStream(ctx)
	if err != nil {
		if ctx.Err() == nil {
			return nil, s.endOf(err)
		}
		if s.ctx.Err() != nil {
			return nil, s.Err()
		}
		// It is all that OpenStream waits for.
		return nil, fmt.Errorf("%w: %w", transport.ErrNoCredit, err)
	}
	l := s.newStreamLane(stream)
	l.kind = kind
	r := s.newRequest(kind, Requester, s.takeID(), l)
	if prepare != nil {
		prepare(r)
	}
	if err := r.send(make(r.id), false); err != nil {
		r.abandon(model.ResetCancelled)
		return nil, s.endOf(err)
	}
	s.loops.Go(r.run)
	return r, nil
}

// wait blocks until the request was answered. If ctx ends first the request is
// cancelled.
func (r *request) wait(ctx context.Context) error {
	select {
	case <-r.answered:
	case <-ctx.Done():
		r.abandon(model.ResetCancelled)
		return context.Cause(ctx)
	case <-r.ctx.Done():
	}
	return r.failure()
}

// established reports whether the request was accepted, whatever came after.
func (r *request) established() bool { return r.failure() == nil }

// failure returns why the request is not established, nil if it is.
func (r *request) failure() error {
	r.mu.Lock()
	state := r.state
	err := r.over
	r.mu.Unlock()
	if state == Established || state == Terminated && err == errAnswered {
		return nil
	}
	if r.s.ctx.Err() != nil {
		return r.s.Err()
	}
	if err == nil { // terminated, and run has not said why yet
		<-r.ctx.Done()
		err = r.err()
	}
	if err == errAnswered {
		return nil
	}
	return err
}
