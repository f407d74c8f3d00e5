package text

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
)

// rendezvousAgain is how long the peer is asked to wait for a publisher that was
// there before: longer than our pauses, so that nothing is missed of its return
// where the peer knows how to wait.
const rendezvousAgain = 10 * time.Second

// follower subscribes to the track, again whenever the subscription ends, with
// one Subscriber over all sessions, so that nothing is printed twice or missed.
func (c *Client) follower() way {
	m := c.tracks.of(c.Track)
	sub := c.subscriber(m)
	c.live.change(func(l *live) { l.subs = func() []*moqt.Subscriber { return []*moqt.Subscriber{sub} } })
	var answered func()
	sub.Subscribed = func(o session.Offer) {
		m.offered(o)
		answered()
		if !c.worked.Load() && c.Leave > 0 {
			time.AfterFunc(c.Leave, func() { c.finish(errTimeUp) })
		}
		c.accepted()
		sub.Rendezvous = max(c.Rendezvous, rendezvousAgain)
	}
	again := retry{c: c}
	return func(ctx context.Context, s *session.Session) error {
		again.pauses = pauses{}
		for {
			run, cancel := context.WithCancelCause(ctx)
			answered = c.expectAnswer(sub.Rendezvous, cancel)
			m.asked(time.Now())
			err := sub.Run(run, s)
			c.live.change(func(l *live) { l.accepted = false })
			answered()
			cancel(nil)
			if complete(err) {
				m.end(true, time.Now())
			}
			if errors.Is(err, moqt.ErrEnd) {
				return nil
			}
			if stop, err := again.after(ctx, s, err, "subscribing again"); stop {
				return err
			}
		}
	}
}

// complete reports whether a subscription ended because nothing more is to come.
func complete(err error) bool {
	return errors.Is(err, moqt.ErrEnd) || errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded})
}

// retry waits between requests of one kind.
type retry struct {
	c      *Client
	pauses pauses
	reason string // of the last one, which is told once
}

// after decides, when a request on s has ended with err, whether it is to be
// made again, and if so returns false when the time has come. Otherwise it
// returns what the way returns.
func (r *retry) after(ctx context.Context, s *session.Session, err error, doing string) (stop bool, _ error) {
	if ctx.Err() != nil {
		return true, context.Cause(ctx)
	}
	if s.Context().Err() != nil {
		return true, r.c.lost(s.Err())
	}
	final, pause, sentence := r.c.verdict(err, r.pauses.take())
	if final {
		return true, sentence
	}
	level := slog.LevelWarn
	if err.Error() == r.reason {
		level = slog.LevelDebug
	}
	r.reason = err.Error()
	r.c.Log.Log(ctx, level, doing, "in", pause.Round(time.Millisecond), "because", err)
	switch {
	case wait(ctx, s.Context().Done(), pause):
		return false, nil
	case ctx.Err() != nil:
		return true, context.Cause(ctx)
	}
	return true, r.c.lost(s.Err())
}
