package listen

import (
	"context"
	"maps"
	"sync"

	"github.com/quic-go/quic-go"

	"oxymoq/pkg/transport"
)

// closed is the reason that the peers are given.
const closed = "the server was closed"

// Shutdown answers no new connections, waits until all connections have ended,
// and closes the Listener. When ctx ends before, it closes what is left, and
// returns the cause of ctx. Those who serve the connections must be told
// otherwise that they should end.
func (l *Listener) Shutdown(ctx context.Context) error {
	l.refuseOnce.Do(l.refuse)
	select {
	case <-l.drained():
		return l.Close()
	case <-ctx.Done():
		l.Close()
		return context.Cause(ctx)
	}
}

// Close closes all connections with NO_ERROR, and the socket. It waits for the
// handlers.
func (l *Listener) Close() error {
	l.closeOnce.Do(func() {
		l.refuseOnce.Do(l.refuse)
		l.mu.Lock()
		open := maps.Clone(l.conns)
		l.mu.Unlock()
		var wg sync.WaitGroup
		for q, c := range open {
			wg.Go(func() {
				if c != nil {
					c.CloseWithError(codeNoError, closed)
				}
				// There may be a session by now, but its client is told too.
				q.CloseWithError(codeHTTPNoError, closed)
			})
		}
		wg.Wait()
		l.tr.Close()
		l.pc.Close()
		l.tasks.Wait()
	})
	return nil
}

// refuse ends accepting, and turns away those who wait for Accept.
func (l *Listener) refuse() {
	l.ln.Close() // run takes those whose handshake is done, and ends
	<-l.ended
	l.turnAway()
}

// turnAway closes the connections that wait for Accept.
func (l *Listener) turnAway() {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		select {
		case c := <-l.accepted:
			wg.Go(func() { c.CloseWithError(codeNoError, closed) })
		default:
			return
		}
	}
}

// hold remembers the session on q, if that is still open.
func (l *Listener) hold(q *quic.Conn, c transport.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, open := l.conns[q]; open {
		l.conns[q] = c
	}
}

// track keeps q among the open connections until it ends.
func (l *Listener) track(q *quic.Conn, c transport.Conn) {
	l.mu.Lock()
	l.conns[q] = c
	l.mu.Unlock()
	context.AfterFunc(q.Context(), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.conns, q)
		if len(l.conns) == 0 && l.empty != nil {
			close(l.empty)
			l.empty = nil
		}
	})
}

// drained returns a channel that is closed when no connection is open.
func (l *Listener) drained() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) == 0 {
		c := make(chan struct{})
		close(c)
		return c
	}
	if l.empty == nil {
		l.empty = make(chan struct{})
	}
	return l.empty
}
