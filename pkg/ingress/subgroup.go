package ingress

import (
	"errors"
	"io"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
)

// Stream is an inbound subgroup stream. One goroutine uses it.
type Stream interface {
	// Next returns the header of the next object; what was left of the payload
	// before is skipped. It returns io.EOF after FIN and a *model.StreamError
	// after a reset. Properties are valid until the call after.
	Next() (track.ObjectHeader, error)
	// Read reads payload of the present object, and returns io.EOF at its end.
	Read(p []byte) (int, error)
	// Subgroup names the subgroup and tells what the header says of it. It is
	// called after the first Next, whose object may name the subgroup.
	Subgroup() (track.SubgroupKey, track.SubgroupInfo)
	// Cancel asks the publisher to stop sending.
	Cancel(code model.ResetCode)
}

// partSize is how much of a large payload is read at a time, in bytes.
const partSize = 16 << 10

// Subgroup copies a stream into the log and returns when the stream has ended.
// It returns nil after FIN and after a reset by the publisher. On any error of
// ours it cancels the stream: a *track.MalformedError, track.ErrEvicted (it came
// too late), track.ErrEnded, track.ErrTooLarge. Errors of the stream are
// returned as they are. counters may be nil.
func Subgroup(s Stream, t *track.Track, counters *observe.Session) error {
	if counters == nil {
		counters = new(observe.Session)
	}
	c := copier{s: s, t: t, counters: counters}
	err := c.run()
	if err == nil {
		return nil
	}
	if c.w != nil {
		c.w.Abort(codeOf(err))
	}
	if se, ok := errors.AsType[*model.StreamError](err); ok && se.Remote {
		return nil
	}
	s.Cancel(codeOf(err))
	return err
}

// codeOf is the code with which a stream ends that failed.
func codeOf(err error) model.ResetCode {
	if se, ok := errors.AsType[*model.StreamError](err); ok {
		return se.Code
	}
	if _, ok := errors.AsType[*track.MalformedError](err); ok {
		return model.ResetMalformedTrack
	}
	switch {
	case errors.Is(err, track.ErrEvicted):
		return model.ResetTooFarBehind
	case errors.Is(err, track.ErrEnded):
		return model.ResetCancelled
	case errors.Is(err, track.ErrTooLarge), errors.Is(err, track.ErrTooManySubgroups):
		return model.ResetExcessiveLoad
	}
	return model.ResetInternalError
}

// copier copies one stream.
type copier struct {
	s        Stream
	t        *track.Track
	counters *observe.Session
	w        *track.Writer
	buf      []byte
}

func (c *copier) run() error {
	for {
		h, err := c.s.Next()
		if err == io.EOF {
			if c.w == nil {
				return nil // a subgroup without objects says nothing
			}
			return c.w.Close()
		}
		if err != nil {
			return err
		}
		if c.w == nil {
			if c.w, err = c.t.OpenSubgroup(c.s.Subgroup()); err != nil {
				return err
			}
		}
		if h.PayloadLen <= track.CutThrough {
			err = c.whole(h)
		} else {
			err = c.parts(h)
		}
		if err != nil {
			return err
		}
		c.counters.ObjectsIn.Add(1)
		c.counters.BytesIn.Add(h.PayloadLen)
	}
}

// whole reads an object and appends it.
func (c *copier) whole(h track.ObjectHeader) error {
	n := int(h.PayloadLen) // fits: at most track.CutThrough
	c.room(n)
	if _, err := io.ReadFull(c.s, c.buf[:n]); err != nil {
		return within(err)
	}
	return c.w.Append(h, c.buf[:n])
}

// parts lets an object through as it comes.
func (c *copier) parts(h track.ObjectHeader) error {
	if err := c.w.Begin(h); err != nil {
		return err
	}
	c.room(partSize)
	for left := h.PayloadLen; left > 0; {
		n, err := c.s.Read(c.buf)
		if uint64(n) > left {
			n = int(left) // fits: less than n
		}
		if n > 0 {
			left -= uint64(n)
			if _, err := c.w.Write(c.buf[:n]); err != nil {
				return err
			}
		}
		if err != nil && left > 0 {
			return within(err)
		}
	}
	return nil
}

// room makes buf n bytes long or longer. Most subgroups have objects of similar
// sizes, so it grows with them instead of being large at once.
func (c *copier) room(n int) {
	if cap(c.buf) < n {
		c.buf = make([]byte, max(n, 2*cap(c.buf)))
	}
	c.buf = c.buf[:cap(c.buf)]
}

// within makes an end within a payload an error.
func within(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Datagram puts an object that came in a datagram into the log. counters may be
// nil.
func Datagram(d *track.Datagram, t *track.Track, counters *observe.Session) error {
	if counters != nil {
		counters.ObjectsIn.Add(1)
		counters.BytesIn.Add(uint64(len(d.Payload)))
	}
	return t.AppendDatagram(d)
}
