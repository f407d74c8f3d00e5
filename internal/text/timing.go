package text

import (
	"context"
	"fmt"
	"sync"
	"time"

	"oxymoq/pkg/session"
)

// idleTimer notices that no object comes. Its zero value notices nothing.
type idleTimer struct {
	mu      sync.Mutex
	after   time.Duration
	fire    func()
	timer   *time.Timer // nil before start
	stopped bool
}

// set says what to do after what time, once the timer was started.
func (i *idleTimer) set(after time.Duration, fire func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.after, i.fire = after, fire
}

func (i *idleTimer) start() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.fire != nil && i.timer == nil && !i.stopped {
		i.timer = time.AfterFunc(i.after, i.fire)
	}
}

// reset begins to count anew.
func (i *idleTimer) reset() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.timer != nil && !i.stopped {
		i.timer.Reset(i.after)
	}
}

func (i *idleTimer) stop() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stopped = true
	if i.timer != nil {
		i.timer.Stop()
	}
}

// expectAnswer calls cancel if what it returns is not called in time: the peer
// has Client.Answer, and what it was asked to wait for a publisher.
func (c *Client) expectAnswer(waits time.Duration, cancel context.CancelCauseFunc) (answered func()) {
	if c.Answer == 0 {
		return func() {}
	}
	limit := c.Answer + waits
	t := time.AfterFunc(limit, func() { cancel(fmt.Errorf("no answer within %v", limit)) })
	return func() { t.Stop() }
}

// status asks what is known of the track.
func (c *Client) status(ctx context.Context, s *session.Session) (session.Offer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer c.expectAnswer(0, cancel)()
	return s.TrackStatus(ctx, c.Track)
}

// resolver asks for the present group before it begins, so that distances from
// it become groups. They stay so on further sessions.
func (c *Client) resolver(begin func() way) way {
	var do way
	again := retry{c: c}
	return func(ctx context.Context, s *session.Session) error {
		again.pauses = pauses{}
		for do == nil {
			offer, err := c.status(ctx, s)
			if err == nil {
				c.Span, err = c.Span.resolve(offer.Largest)
			}
			if err == nil {
				c.Log.Info("counted from the present group", "largest", largest(offer), "from", c.Span.Start.Value.String())
				do = begin()
				break
			}
			if stop, err := again.after(ctx, s, err, "asking for the present group again"); stop {
				return err
			}
		}
		return do(ctx, s)
	}
}

func largest(o session.Offer) string {
	if l, ok := o.Largest.Get(); ok {
		return l.String()
	}
	return "none"
}
