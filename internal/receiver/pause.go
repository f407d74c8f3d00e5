package receiver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"oxymoq/pkg/dial"
)

// pauses between requests for a track grow like those between connections, and
// are short again after something has gone well for as long as the longest.
type pauses struct {
	next time.Duration
	over time.Time // when the last one was over
}

// take returns the next pause.
func (p *pauses) take() time.Duration {
	if p.next == 0 || time.Since(p.over) > dial.LongestPause {
		p.next = dial.FirstPause
	}
	d := p.next - rand.N(p.next/2)
	p.next = min(2*p.next, dial.LongestPause)
	p.over = time.Now().Add(d)
	return d
}

// wait waits for a time, or less if poke comes first. It returns false if ctx ended.
func wait(ctx context.Context, poke <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-poke:
		return true
	case <-ctx.Done():
		return false
	}
}

// expectAnswer calls cancel if what it returns is not called in time: the peer has
// Receiver.Answer, and what it was asked to wait for a publisher.
func (r *Receiver) expectAnswer(waits time.Duration, cancel context.CancelCauseFunc) (answered func()) {
	if r.Answer == 0 {
		return func() {}
	}
	limit := r.Answer + waits
	t := time.AfterFunc(limit, func() { cancel(fmt.Errorf("no answer within %v", limit)) })
	return func() { t.Stop() }
}
