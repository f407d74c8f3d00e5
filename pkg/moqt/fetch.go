package moqt

import (
	"context"
	"fmt"
	"io"
	"iter"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// FetchReader reads objects of the past. It is for one goroutine, except Close.
type FetchReader struct {
	f      *session.Fetch
	s      *session.Session
	info   session.FetchInfo
	ctx    context.Context
	cancel context.CancelCauseFunc
	next   Location // the first location that was not told of
	end    error
}

// Fetch asks for the objects of a range, both ends included, and returns once
// the peer has accepted. A *RequestError is a refusal. To fetch the whole of a
// group, let the range end with Object: model.MaxID. The end of ctx cancels it.
func (x *Session) Fetch(ctx context.Context, name TrackName, from, to Location) (*FetchReader, error) {
	if err := name.Validate(); err != nil {
		return nil, err
	}
	if to.Less(from) {
		return nil, &RequestError{Code: model.InvalidRange, Reason: fmt.Sprintf("%v is after %v", from, to)}
	}
	ctx, cancel := x.bind(ctx)
	s, err := x.chain.wait(ctx, nil)
	if err != nil {
		cancel(err)
		return nil, err
	}
	f, err := s.Fetch(ctx, session.FetchOptions{Track: name, Range: model.Range{Start: from, End: to}})
	if err != nil {
		cancel(err)
		return nil, err
	}
	r := &FetchReader{f: f, s: s, ctx: ctx, cancel: cancel, next: from}
	if r.info, err = f.OK(ctx); err != nil {
		return nil, r.finish(err)
	}
	return r, nil
}

// End returns the last location that will be read at most; the publisher may
// have less than was asked for.
func (r *FetchReader) End() Location { return r.info.End }

// Properties returns the properties of the track.
func (r *FetchReader) Properties() Properties { return r.info.Properties }

// ReadFrame reads the next object, in ascending order. It returns io.EOF after
// the last, and a *GapError where the peer does not know whether objects exist;
// reading may go on after it.
func (r *FetchReader) ReadFrame(f *Frame) error {
	switch {
	case f == nil:
		return errNoFrame
	case r.end != nil:
		return r.end
	}
	for {
		item, err := r.f.Next(r.ctx)
		if err != nil {
			return r.finish(err)
		}
		from := r.next
		r.next = item.Location.Next()
		switch item.Kind {
		case session.FetchObject:
			return r.fill(f, item)
		case session.FetchEndNonExistent:
		default:
			return &GapError{From: from, To: r.next}
		}
	}
}

func (r *FetchReader) fill(f *Frame, item session.FetchItem) (err error) {
	f.Reset()
	f.at, f.placed = item.Location, true
	if f.props, err = r.s.ObjectProperties(item.Properties); err != nil {
		return r.finish(err)
	}
	if item.PayloadLen > uint64(cap(f.body)) {
		f.body, err = r.f.Payload()
	} else {
		f.body = f.body[:item.PayloadLen]
		_, err = io.ReadFull(r.f, f.body)
	}
	if err != nil {
		f.Reset()
		return r.finish(err)
	}
	return nil
}

// finish ends the fetch.
func (r *FetchReader) finish(err error) error {
	if r.end = err; err != io.EOF {
		r.f.Cancel()
	}
	r.cancel(ErrClosed)
	return err
}

// Frames yields the objects that are left, in buf, which is overwritten each
// time; nil makes a new one. After a *GapError the loop may go on; any other
// error ends it, and the end of the range does so without one.
func (r *FetchReader) Frames(buf *Frame) iter.Seq2[*Frame, error] {
	return func(yield func(*Frame, error) bool) {
		if buf == nil {
			buf = NewFrame(0)
		}
		for {
			err := r.ReadFrame(buf)
			if err == io.EOF || !yield(frameOr(buf, err), err) || r.end != nil {
				return
			}
		}
	}
}

// Close cancels what was not read. Calling it again does nothing.
func (r *FetchReader) Close() error {
	r.f.Cancel()
	r.cancel(ErrClosed)
	return nil
}
