package streamer

import (
	"context"
	"sync"
)

// gate lets samples pass unless it is closed. Its zero value is open; it may be
// used from any goroutine. Its lock is a leaf.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // closed when it opens again; nil while it is open
}

// Pause stops reading and publishing, or goes on. A source that waits meanwhile is
// taken to have been paused itself.
func (s *Streamer) Pause(on bool) { s.gate.set(on) }

func (g *gate) set(closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case closed && g.opened == nil:
		g.opened = make(chan struct{})
	case !closed && g.opened != nil:
		close(g.opened)
		g.opened = nil
	}
}

func (g *gate) closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened != nil
}

// pass returns when the gate is open, or the cause of ctx.
func (g *gate) pass(ctx context.Context) error {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	if opened == nil {
		return nil
	}
	select {
	case <-opened:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
