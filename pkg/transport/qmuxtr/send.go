package qmuxtr

import (
	"context"
	"os"
	"time"

	"oxymoq/pkg/transport"
)

// sendHalf is the writing half of a stream.
type sendHalf struct {
	s    *stream
	wake chan struct{} // one slot: pending was taken, or an error or deadline came

	// Guarded by c.mu.
	limit       uint64 // MAX_STREAM_DATA of the peer
	sent        uint64 // in records
	buf         buffer // taken by Write, not in a record; within the limits
	pending     []byte // what a Write that waits still has, behind buf
	boundary    uint64 // a reset loses nothing before it
	fin         bool   // Close was called
	err         error  // *transport.StreamError: cancelled
	code        uint64 // of the reset
	resetDue    bool   // when buf is empty
	done        bool   // FIN or reset is in a record
	starved     bool   // in c.starved
	index       int    // in its queue, -1: in none
	urgency     int
	incremental bool
	turn        uint64
	deadline    deadline
	ctx         context.Context // made by Context
	cancel      context.CancelCauseFunc
}

// Write implements transport.SendStream. Small writes are copied and sent
// together with others, while the peer's limits allow more data; large ones
// wait until the last byte is in a record.
func (h *sendHalf) Write(b []byte) (int, error) {
	c := h.s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := h.failed(); err != nil {
		return 0, err
	}
	size := uint64(len(b))
	if uint64(h.buf.len())+size <= min(StreamBuffer, h.limit-h.sent) &&
		c.buffered+size <= min(ConnBuffer, c.sendLimit-c.sent) {
		h.buf.put(b)
		c.buffered += size
		c.schedule(h)
		return len(b), nil
	}
	h.pending = b
	c.schedule(h)
	for len(h.pending) > 0 {
		c.mu.Unlock()
		select {
		case <-h.wake:
		case <-c.ctx.Done():
		}
		c.mu.Lock()
		if err := h.failed(); err != nil && len(h.pending) > 0 {
			n := len(b) - len(h.pending)
			h.pending = nil
			return n, err
		}
	}
	h.pending = nil
	return len(b), nil
}

// failed says why Write cannot go on. mu is held.
func (h *sendHalf) failed() error {
	switch {
	case h.fin:
		return transport.ErrStreamClosed
	case h.err != nil:
		return h.err
	case h.s.c.err != nil:
		return h.s.c.err
	case h.deadline.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// sendable says whether there is anything for a STREAM frame, given what the
// peer allows for this stream. mu is held.
func (h *sendHalf) sendable() bool {
	switch {
	case h.done:
		return false
	case h.buf.len() > 0:
		return true
	case h.err != nil:
		return false
	case len(h.pending) > 0:
		return h.sent < h.limit
	}
	return h.fin
}

// Close implements transport.SendStream.
func (h *sendHalf) Close() error {
	c := h.s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.err != nil {
		return h.err
	}
	if h.fin || c.err != nil {
		return nil
	}
	h.fin = true
	h.end(transport.ErrStreamClosed)
	c.schedule(h)
	return nil
}

// CancelWrite implements transport.SendStream.
func (h *sendHalf) CancelWrite(code uint64) {
	h.s.c.mu.Lock()
	defer h.s.c.mu.Unlock()
	h.reset(&transport.StreamError{Code: code}, h.boundary)
}

// reset cancels the half, except for what lies before the boundary. mu is held.
func (h *sendHalf) reset(e *transport.StreamError, boundary uint64) {
	c := h.s.c
	if h.done || h.err != nil || c.err != nil {
		return
	}
	h.err, h.code = e, e.Code
	h.fin, h.boundary, h.resetDue = false, boundary, true
	keep := 0
	if boundary > h.sent {
		keep = int(boundary - h.sent)
	}
	c.buffered -= uint64(h.buf.len())
	h.buf.truncate(keep)
	c.buffered += uint64(h.buf.len())
	h.end(e)
	c.schedule(h) // it may have nothing more, or only the rest
	if h.buf.len() == 0 {
		h.s.say()
	}
}

// end tells those who wait that nothing more will be written. mu is held.
func (h *sendHalf) end(cause error) {
	if h.cancel != nil {
		h.cancel(cause)
	}
	h.deadline.set(time.Time{}, h.wake)
}

// finish is called when FIN or reset is in a record. mu is held.
func (h *sendHalf) finish() {
	h.done = true
	h.s.release()
}

// stopped handles STOP_SENDING: a peer that stopped reading is owed nothing. mu
// is held.
func (h *sendHalf) stopped(code uint64) {
	h.reset(&transport.StreamError{Code: code, Remote: true}, 0)
}

// grow handles MAX_STREAM_DATA. mu is held.
func (h *sendHalf) grow(limit uint64) {
	if limit > h.limit {
		h.limit = limit
		h.s.c.schedule(h)
	}
}

// resetFrame is RESET_STREAM, or RESET_STREAM_AT where something must survive
// and the peer knows it. Others deliver at will what came before a reset. mu is
// held.
func (h *sendHalf) resetFrame() frame {
	f := frame{typ: frameResetStream, id: h.s.id, code: h.code, n: h.sent}
	if until := min(h.boundary, h.sent); until > 0 && h.s.c.dialect.resetAt && h.s.c.peer.resetAt {
		f.typ, f.reliable = frameResetStreamAt, until
	}
	return f
}

// SetReliableBoundary implements transport.SendStream.
func (h *sendHalf) SetReliableBoundary() {
	h.s.c.mu.Lock()
	defer h.s.c.mu.Unlock()
	if h.err == nil {
		h.boundary = h.sent + uint64(h.buf.len())
	}
}

// SetPriority implements transport.SendStream.
func (h *sendHalf) SetPriority(urgency int, incremental bool) {
	c := h.s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue.remove(h)
	h.urgency, h.incremental = max(0, min(urgency, lastUrgency)), incremental
	c.schedule(h)
}

// SetWriteDeadline implements transport.SendStream.
func (h *sendHalf) SetWriteDeadline(t time.Time) error {
	h.s.c.mu.Lock()
	defer h.s.c.mu.Unlock()
	h.deadline.set(t, h.wake)
	return nil
}

// Context implements transport.SendStream. Most streams never need one, so it
// is made when asked for.
func (h *sendHalf) Context() context.Context {
	c := h.s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.ctx == nil {
		h.ctx, h.cancel = context.WithCancelCause(c.ctx)
		switch {
		case h.err != nil:
			h.cancel(h.err)
		case h.fin:
			h.cancel(transport.ErrStreamClosed)
		}
	}
	return h.ctx
}
