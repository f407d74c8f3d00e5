package moqt

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"oxymoq/pkg/model"
)

// Objects yields the objects of the track in order: by group, then by ID. The
// frame is overwritten each time; Clone keeps one.
//
// A group that has begun is read to its end before the next, which costs memory
// up to DefaultBuffer. When objects are known to be lost a *GapError comes
// instead of a frame, and the loop may go on. After any other error it ends. It
// ends without one after the end of the track.
func (t *TrackReader) Objects(ctx context.Context) iter.Seq2[*Frame, error] {
	return func(yield func(*Frame, error) bool) {
		o := ordered{t: t, frame: NewFrame(0)}
		defer o.leave()
		for {
			err := o.next(ctx)
			if err == io.EOF {
				return
			}
			_, gap := errors.AsType[*GapError](err)
			if !yield(frameOr(o.frame, err), err) || err != nil && !gap {
				return
			}
		}
	}
}

// ordered reads a track in order. It is for one goroutine.
type ordered struct {
	t     *TrackReader
	frame *Frame
	group *GroupReader
	at    model.Location    // the first that was not read, in group
	last  model.Opt[uint64] // the group that was read before
	jumps bool              // the last step from group to group was a jump
}

// next reads the next object into the frame.
func (o *ordered) next(ctx context.Context) error {
	for {
		if o.group == nil {
			if err := o.open(ctx); err != nil {
				return err
			}
		}
		u, err := o.group.next(ctx)
		switch {
		case err == nil && u.gap:
			o.at = u.to
			return &GapError{From: u.Location, To: u.to}
		case err == nil:
			o.at = u.Location.Next()
			spare := o.frame.fill(&u.Object)
			o.t.mu.Lock()
			o.t.recycle(spare)
			o.t.mu.Unlock()
			return nil
		case o.group.end == nil: // ctx has ended
			return err
		}
		o.leave()
		if err != io.EOF {
			if t := o.t.Err(); t != nil && t != io.EOF && errors.Is(err, t) {
				return t
			}
			return &GapError{From: o.at, To: model.Location{Group: o.at.Group, Object: model.MaxID}.Next(), Err: err}
		}
	}
}

// leave lets the present group go.
func (o *ordered) leave() {
	if o.group == nil {
		return
	}
	o.group.Close()
	o.t.mu.Lock()
	o.t.inOrder = nil
	o.t.mu.Unlock()
	o.last = model.Some(o.group.f.seq)
	o.group = nil
}

// open waits for the next group.
func (o *ordered) open(ctx context.Context) error {
	t := o.t
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		t.mu.Lock()
		if lost := t.lost; lost != nil {
			t.lost = nil
			t.mu.Unlock()
			return lost
		}
		f, due := o.choose(time.Now())
		err, shed, told := t.err, t.shed, false
		if f != nil {
			told = f.follows(o.last.Value)
			t.shed = model.Opt[uint64]{}
			t.accept()
			t.inOrder = f
		}
		t.mu.Unlock()
		if f != nil {
			o.group = &GroupReader{f: f}
			last, again := o.last.Get()
			jumped := o.jumps
			o.jumps = again && f.seq != last+1
			o.at = model.Location{Group: f.seq}
			if from, ok := shed.Get(); ok && from < f.seq {
				return &GapError{From: model.Location{Group: from}, To: o.at, Err: ErrTooFarBehind}
			}
			if o.jumps && !jumped && !told {
				return &GapError{From: model.Location{Group: last + 1}, To: o.at}
			}
			return nil
		}
		if err != nil {
			return err
		}
		var timeout <-chan time.Time
		if !due.IsZero() {
			timer.Reset(time.Until(due))
			timeout = timer.C
		}
		select {
		case <-t.arrived:
		case <-timeout:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// choose returns the group that follows, nil if that may still come. Unless it
// is zero the caller looks again at the time that is returned. t.mu is held.
func (o *ordered) choose(now time.Time) (*feed, time.Time) {
	t := o.t
	last, again := o.last.Get()
	for again && len(t.waiting) > 0 && t.waiting[0].seq <= last {
		t.remove(t.waiting[0]) // too late: it was passed over
	}
	if !t.known || len(t.waiting) == 0 {
		return nil, time.Time{}
	}
	f := t.waiting[0]
	switch {
	case t.err != nil:
	case f.fetching() && t.fetched.Group < f.seq:
		return nil, time.Time{} // others may come by the fetch
	case t.backlog.Set && !f.fetching():
		return nil, time.Time{}
	case !again && f.seq != t.first.Group: // the first may have been overtaken
		if due := f.born.Add(t.sub.Patience / 4); due.After(now) {
			return nil, due
		}
	case !again || o.jumps || f.follows(last):
	default:
		if due := f.born.Add(t.sub.Patience); due.After(now) {
			return nil, due
		}
	}
	return f, time.Time{}
}

// follows reports whether no group exists between last and this one: it is the
// next, or its first object says so (section 12.8).
func (f *feed) follows(last uint64) bool {
	if f.seq-last == 1 {
		return true
	}
	if f.out.len() == 0 {
		return false
	}
	absent, ok := f.out.units[f.out.head].Properties.Int(model.PropPriorGroupIDGap)
	return ok && f.seq-last-1 <= absent
}
