package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// openLane returns a lane for a request of ours, waiting for the peer's credit if
// it is a stream. If ctx ends meanwhile it fails with transport.ErrNoCredit.
func (s *Session) openLane(ctx context.Context, kind wire.MessageKind) (lane, error) {
	if s.shared != nil && !(s.dialect.namespaceStream && isForPrefix(kind)) {
		return s.shared.newShare(kind, Requester), nil
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
	return s.newStreamLane(stream), nil
}

func isForPrefix(kind wire.MessageKind) bool {
	return kind == wire.KindSubscribeNamespace || kind == wire.KindSubscribeTracks
}

// begin sends the message that make returns for the Request ID, waiting for the
// peer's credit. If ctx ends while it waits it fails with transport.ErrNoCredit.
// prepare, if not nil, runs before anything is sent and sets the hooks.
func (s *Session) begin(ctx context.Context, kind wire.MessageKind, make func(id uint64) wire.Message, prepare func(*request)) (*request, error) {
	select {
	case <-s.goawayC:
		return nil, ErrGoingAway
	default:
	}
	l, err := s.openLane(ctx, kind)
	if err != nil {
		return nil, err
	}
	id, done, err := s.takeID(ctx)
	if err != nil {
		l.cancel(model.ResetCancelled)
		return nil, err
	}
	m := make(id)
	own, isStream := l.(*streamLane)
	if isStream {
		own.kind, own.id = m.Kind(), id
	}
	r := s.newRequest(kind, Requester, id, l)
	if prepare != nil {
		prepare(r)
	}
	if err := r.send(m, false); err != nil {
		r.abandon(model.ResetCancelled)
		done(wasSent(err))
		return nil, s.endOf(cmp.Or(r.superseded(), err))
	}
	if isStream && s.shared != nil {
		s.loops.Go(func() { s.settle(r, done) })
	} else {
		done(true)
	}
	s.loops.Go(r.run)
	return r, nil
}

// wasSent reports whether some of a message may have been sent, although that
// failed with err.
func wasSent(err error) bool {
	_, unsaid := errors.AsType[notSent](err)
	return !unsaid && !errors.Is(err, errTerminated) && !errors.Is(err, errClosedWriter)
}

// superseded returns why a request was given up before it was sent, if it was.
func (r *request) superseded() error {
	if err := r.err(); errors.Is(err, ErrSuperseded) {
		return err
	}
	return nil
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
