package moqt

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"oxymoq/pkg/model"
)

// GroupReader reads one group of a track. It must be read to its end, or closed.
// ReadFrame and Frames are for one goroutine; Close and CancelRead may be called
// from any.
type GroupReader struct {
	f *feed

	once  sync.Once
	timer *time.Timer
	end   error // what ReadFrame returns from now on
}

// GroupSequence returns the ID of the group.
func (g *GroupReader) GroupSequence() GroupSequence { return g.f.seq }

// ReadFrame reads the next object into f, in ascending order of ID, as soon as
// it has come. What was in f is lost: the two exchange their memory, so that
// nothing is copied or allocated.
//
// It returns io.EOF at the end of the group. Any other error says that the group
// is not complete: a *StreamError if the publisher broke it off, ErrTooFarBehind
// if it was read too slowly, ErrClosed, or why the subscription ended. IDs that
// are missing in between were lost, or never existed.
func (g *GroupReader) ReadFrame(f *Frame) error {
	if f == nil {
		return errNoFrame
	}
	for {
		u, err := g.next(g.f.t.forever)
		if err != nil {
			return err
		}
		if u.gap {
			continue
		}
		spare := f.fill(&u.Object)
		g.f.t.mu.Lock()
		g.f.t.recycle(spare)
		g.f.t.mu.Unlock()
		return nil
	}
}

// next returns the next unit. The end of ctx ends the waiting only.
func (g *GroupReader) next(ctx context.Context) (u unit, err error) {
	if g.end != nil {
		return u, g.end
	}
	f, t := g.f, g.f.t
	for {
		t.mu.Lock()
		if f.out.len() == 0 && f.err == nil && !f.gone {
			f.count(func() { f.q.Expire(time.Now()) })
		}
		if f.out.len() > 0 {
			f.count(func() { u = f.out.pop() })
			t.mu.Unlock()
			return u, nil
		}
		due, err := f.verdict(time.Now())
		t.mu.Unlock()
		if err != nil {
			g.finish(err)
			return u, g.end
		}
		var timeout <-chan time.Time
		if !due.IsZero() {
			if g.timer == nil {
				g.timer = time.NewTimer(time.Until(due))
			} else {
				g.timer.Reset(time.Until(due))
			}
			timeout = g.timer.C
		}
		select {
		case <-f.wake:
		case <-timeout:
		case <-ctx.Done():
			return u, context.Cause(ctx)
		}
	}
}

// finish ends the reading.
func (g *GroupReader) finish(err error) {
	g.end = err
	if err != io.EOF {
		g.end = fmt.Errorf("group %d: %w", g.f.seq, err)
	}
	if g.timer != nil {
		g.timer.Stop()
	}
	g.cancel(err, model.ResetCancelled)
}

// cancel lets the group go.
func (g *GroupReader) cancel(err error, code model.ResetCode) {
	g.once.Do(func() {
		t := g.f.t
		t.mu.Lock()
		if g.f.err == nil {
			g.f.err = err
		}
		stop := t.remove(g.f)
		t.mu.Unlock()
		cancelAll(stop, code)
	})
}

// Frames yields the objects that are left, in buf, which is overwritten each
// time; nil makes a new one. After the end of the group it stops, after another
// error it yields that and stops.
func (g *GroupReader) Frames(buf *Frame) iter.Seq2[*Frame, error] {
	return func(yield func(*Frame, error) bool) {
		if buf == nil {
			buf = NewFrame(0)
		}
		for {
			err := g.ReadFrame(buf)
			if err == io.EOF || !yield(frameOr(buf, err), err) || err != nil {
				return
			}
		}
	}
}

func frameOr(f *Frame, err error) *Frame {
	if err != nil {
		return nil
	}
	return f
}

// Close lets the group go, read to its end or not; the publisher is asked not to
// send the rest. Calling it again does nothing.
func (g *GroupReader) Close() error {
	g.cancel(ErrClosed, model.ResetCancelled)
	return nil
}

// CancelRead is Close with a code for the publisher.
func (g *GroupReader) CancelRead(code GroupErrorCode) { g.cancel(ErrClosed, code) }
