package streamer

import (
	"context"
	"sync/atomic"
	"time"
)

// Where the pace begins anew, instead of waiting for or catching up with what is
// this far away.
const (
	// MaxLate is how late a sample may be: beyond it the source was paused.
	MaxLate = time.Second
	// MaxBack is how far back media time may go from one sample to the next,
	// whatever their tracks: audio and video are not interleaved exactly.
	MaxBack = time.Second
	// MaxHole is how far forward it may go: longer ones are holes, not rests.
	MaxHole = 10 * time.Second
)

// pacer lets samples pass when they are due: a moment of media time, by DTS, is
// due as long after the first one as it is later. The zero value is usable.
type pacer struct {
	free   bool // let everything pass at once
	begun  bool
	anchor time.Time     // when media time 0 is due
	last   time.Duration // media time of the last sample
	late   atomic.Int64  // nanoseconds that the last sample was late
}

// begin says when the first sample came, which may wait for other reasons.
func (p *pacer) begin(at time.Time, dts time.Duration) {
	p.begun, p.anchor, p.last = true, at.Add(-dts), dts
}

// wait returns when the sample of that media time may go, and for when it was
// due, or the cause of ctx. One that is late goes at once.
func (p *pacer) wait(ctx context.Context, dts time.Duration) (due time.Time, err error) {
	now := time.Now()
	if p.free {
		return now, nil
	}
	due = p.anchor.Add(dts)
	switch {
	case !p.begun, now.Sub(due) > MaxLate, dts < p.last-MaxBack, dts > p.last+MaxHole:
		p.begin(now, dts)
		due = now
	}
	p.last = dts
	p.late.Store(int64(max(0, now.Sub(due))))
	if !due.After(now) {
		return due, nil
	}
	t := time.NewTimer(due.Sub(now))
	defer t.Stop()
	select {
	case <-t.C:
		return due, nil
	case <-ctx.Done():
		return due, context.Cause(ctx)
	}
}

// lag returns how late the last sample was.
func (p *pacer) lag() time.Duration { return time.Duration(p.late.Load()) }
