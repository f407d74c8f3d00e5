package wttr

import (
	"context"
	"sync"
)

// queue holds what the peer opened until somebody accepts it. What it holds is
// bounded by the credit that QUIC gives the peer.
type queue[T any] struct {
	mu    sync.Mutex
	items []T
	more  chan struct{} // has one token if items may not be empty
}

func newQueue[T any]() *queue[T] { return &queue[T]{more: make(chan struct{}, 1)} }

func (q *queue[T]) push(v T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, v)
	q.signal()
}

func (q *queue[T]) signal() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// pop waits for an item. It fails with the cause of session, or else of ctx.
func (q *queue[T]) pop(ctx, session context.Context) (T, error) {
	var none T
	for {
		if err := ended(ctx, session); err != nil {
			return none, err
		}
		select {
		case <-q.more:
		case <-ctx.Done():
			continue
		case <-session.Done():
			continue
		}
		q.mu.Lock()
		if len(q.items) == 0 {
			q.mu.Unlock()
			continue
		}
		v := q.items[0]
		q.items[0] = none
		q.items = q.items[1:]
		if len(q.items) > 0 {
			q.signal()
		}
		q.mu.Unlock()
		return v, nil
	}
}

// ended says why a call on a session cannot go on.
func ended(ctx, session context.Context) error {
	if session.Err() != nil {
		return context.Cause(session)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
