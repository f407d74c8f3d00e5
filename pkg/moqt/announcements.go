package moqt

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// Announcement is a namespace below which the peer has tracks.
type Announcement struct {
	Namespace Namespace
	ctx       context.Context
	cancel    context.CancelCauseFunc
}

// ErrWithdrawn is the cause of the end of an Announcement that was taken back.
var ErrWithdrawn = errors.New("the namespace was withdrawn")

// Context ends when the namespace is withdrawn; its cause is ErrWithdrawn then,
// or why nothing is known any more. With context.AfterFunc a function follows.
func (a *Announcement) Context() context.Context { return a.ctx }

// Active reports whether the namespace is still there.
func (a *Announcement) Active() bool { return a.ctx.Err() == nil }

// Announcements yields the namespaces below a prefix, those that are there and
// those that come, until ctx ends or the loop is left; then it also forgets
// them, and their contexts end. A namespace that has gone before the loop came
// to it is left out. The peer's refusal, and the end of the session, are yielded
// as an error, with which it ends.
func (x *Session) Announcements(ctx context.Context, prefix Namespace) iter.Seq2[*Announcement, error] {
	return func(yield func(*Announcement, error) bool) {
		ctx, cancel := x.bind(ctx)
		l := &lookout{ctx: ctx, prefix: prefix, known: map[string]*Announcement{}, more: make(chan struct{}, 1)}
		over := make(chan error, 1)
		begun := x.spawn(func() {
			over <- x.chain.each(ctx, l.look, func(error) bool { return x.stays && l.seen() })
			close(over)
		})
		if !begun {
			over <- context.Cause(x.ctx)
			close(over)
		}
		defer func() {
			cancel(ErrClosed)
			for range over {
				continue // it is closed in the end
			}
		}()
		for {
			for a := l.take(); a != nil; a = l.take() {
				if !yield(a, nil) {
					return
				}
			}
			select {
			case <-l.more:
			case err := <-over:
				yield(nil, err)
				return
			}
		}
	}
}

// lookout knows what a SUBSCRIBE_NAMESPACE has found.
type lookout struct {
	ctx    context.Context
	prefix Namespace
	more   chan struct{}

	mu       sync.Mutex
	known    map[string]*Announcement
	fresh    []*Announcement // that were not yielded
	accepted bool
}

func (l *lookout) seen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.accepted
}

// look asks one session. What the one before knew and this one does not report
// within a moment has gone.
func (l *lookout) look(ctx context.Context, s *session.Session) error {
	found := map[string]bool{}
	var mu sync.Mutex
	p, err := s.SubscribeNamespace(ctx, l.prefix, func(suffix model.Namespace, live bool) {
		ns := l.prefix.Join(suffix)
		mu.Lock()
		found[ns.Key()] = live
		mu.Unlock()
		if live {
			l.add(ns)
		} else {
			l.remove(ns.Key())
		}
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.accepted = true
	l.mu.Unlock()
	settle := time.NewTimer(settleTime)
	defer settle.Stop()
	for {
		select {
		case <-settle.C:
			mu.Lock()
			l.keep(found)
			mu.Unlock()
		case <-p.Context().Done():
			return context.Cause(p.Context())
		case <-ctx.Done():
			p.Cancel()
			return context.Cause(ctx)
		}
	}
}

func (l *lookout) add(ns Namespace) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := ns.Key()
	if l.known[key] != nil {
		return
	}
	a := &Announcement{Namespace: ns}
	a.ctx, a.cancel = context.WithCancelCause(l.ctx)
	l.known[key] = a
	l.fresh = append(l.fresh, a)
	poke(l.more)
}

func (l *lookout) remove(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.known[key]; a != nil {
		delete(l.known, key)
		a.cancel(ErrWithdrawn)
	}
}

// keep removes all that were not found.
func (l *lookout) keep(found map[string]bool) {
	l.mu.Lock()
	var gone []string
	for key := range l.known {
		if !found[key] {
			gone = append(gone, key)
		}
	}
	l.mu.Unlock()
	for _, key := range gone {
		l.remove(key)
	}
}

// take returns the next announcement that is still there.
func (l *lookout) take() *Announcement {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.fresh) > 0 {
		a := l.fresh[0]
		l.fresh[0] = nil
		l.fresh = l.fresh[1:]
		if a.Active() {
			return a
		}
	}
	return nil
}

// settleTime is how long a new session may take to report the namespaces that
// are there.
const settleTime = time.Second
