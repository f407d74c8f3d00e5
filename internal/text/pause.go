package text

import (
	"context"
	"math/rand/v2"
	"time"

	"oxymoq/pkg/dial"
)

// pauses grow like those between connections, and are short again after
// something has gone well for as long as the longest.
type pauses struct {
	next time.Duration
	came time.Time // when the last one was over
}

// take returns the next pause.
func (p *pauses) take() time.Duration {
	if p.next == 0 || time.Since(p.came) > dial.LongestPause {
		p.next = dial.FirstPause
	}
	d := p.next - rand.N(p.next/2)
	p.next = min(2*p.next, dial.LongestPause)
	p.came = time.Now().Add(d)
	return d
}

// wait sleeps, unless ctx or over ends first; it reports whether it slept.
func wait(ctx context.Context, over <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-over:
	case <-ctx.Done():
	}
	return false
}
