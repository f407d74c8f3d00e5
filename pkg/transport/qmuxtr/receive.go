package qmuxtr

import (
	"io"
	"os"
	"time"

	"oxymoq/pkg/transport"
)

// receiveHalf is the reading half of a stream.
type receiveHalf struct {
	s    *stream
	wake chan struct{} // one slot: data, end, error or deadline changed

	// Guarded by c.mu.
	buf       buffer
	limit     uint64 // MAX_STREAM_DATA of ours
	window    uint64
	received  uint64
	read      uint64
	finished  bool  // FIN arrived
	resetErr  error // *transport.StreamError of the peer
	cancelled error // *transport.StreamError of ours
	done      bool  // nothing more will come or be read
	stopCode  uint64
	stopDue   bool // STOP_SENDING
	grantDue  bool // MAX_STREAM_DATA
	deadline  deadline
}

// Read implements transport.ReceiveStream. The last bytes come together with
// io.EOF if FIN has come with them. What came before a reset can be read, as
// QMux keeps the order.
func (h *receiveHalf) Read(b []byte) (int, error) {
	c := h.s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if err := h.failed(); err != nil {
			return 0, err
		}
		if n := h.buf.take(b); n > 0 || len(b) == 0 {
			h.read += uint64(n)
			c.consume(uint64(n))
			h.grant()
			h.settle()
			if h.finished && h.buf.len() == 0 {
				return n, io.EOF
			}
			return n, nil
		}
		c.mu.Unlock()
		select {
		case <-h.wake:
		case <-c.ctx.Done():
		}
		c.mu.Lock()
	}
}

// failed says why Read has nothing to give now or later. The end of the stream
// holds even when the connection is gone. mu is held.
func (h *receiveHalf) failed() error {
	switch {
	case h.cancelled != nil:
		return h.cancelled
	case h.finished && h.buf.len() == 0:
		return io.EOF
	case h.resetErr != nil && h.buf.len() == 0:
		return h.resetErr
	case h.s.c.err != nil:
		return h.s.c.err
	case h.deadline.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// over says that the peer sends nothing more. mu is held.
func (h *receiveHalf) over() bool { return h.finished || h.resetErr != nil }

// settle notices that the half is over: all was read, or nobody will read. mu
// is held.
func (h *receiveHalf) settle() {
	if h.done || !h.over() || h.buf.len() > 0 {
		return
	}
	h.done = true
	h.deadline.set(time.Time{}, h.wake)
	h.s.release()
}

// arrive handles STREAM. mu is held.
func (h *receiveHalf) arrive(f *frame) *TransportError {
	c := h.s.c
	size := uint64(len(f.data))
	switch {
	case f.hasOffset && f.n != h.received, !f.hasOffset && h.received > 0 && c.dialect.strict:
		// moxygen gives no frame an offset, so older peers are believed.
		return violation(ProtocolViolation, frameStream, "stream %d goes on at %d instead of %d", f.id, f.n, h.received)
	case h.over():
		return violation(FinalSizeError, frameStream, "stream %d goes on after its end", f.id)
	case h.received+size > h.limit:
		return violation(FlowControlError, frameStream, "stream %d exceeds its limit of %d bytes", f.id, h.limit)
	case c.received+size > c.granted:
		return violation(FlowControlError, frameStream, "the streams exceed their limit of %d bytes", c.granted)
	}
	h.received += size
	c.received += size
	if h.cancelled != nil {
		c.consume(size)
	} else {
		h.buf.put(f.data)
	}
	h.finished = f.fin
	signal(h.wake)
	h.settle()
	return nil
}

// ended handles RESET_STREAM and RESET_STREAM_AT. mu is held.
func (h *receiveHalf) ended(f *frame) *TransportError {
	c := h.s.c
	if h.over() {
		return nil // the end that came first counts
	}
	// All data of the stream has come before the reset, whatever size it names.
	// The difference is what the peer counts as sent although it never was.
	if f.n < h.received && c.dialect.strict {
		return violation(FinalSizeError, f.typ, "stream %d ends at %d after %d bytes", f.id, f.n, h.received)
	}
	if f.n > h.received {
		missing := f.n - h.received
		switch within := f.n <= h.limit && c.received+missing <= c.granted; {
		case within:
			c.received += missing
			c.consume(missing)
		case c.dialect.strict:
			return violation(FlowControlError, f.typ, "stream %d ends at %d, above its limit", f.id, f.n)
		}
	}
	h.resetErr = &transport.StreamError{Code: f.code, Remote: true}
	h.stopDue = false
	signal(h.wake)
	h.settle()
	return nil
}

// keepsUp is the part of a window that may be unread for its reader to count as
// one that waits for data.
const keepsUp = 8

// grant allows the peer more data once half of the window was read, and a
// larger window to a reader that waits for data. mu is held.
func (h *receiveHalf) grant() {
	if h.over() || h.limit-h.read > h.window/2 {
		return
	}
	if uint64(h.buf.len()) <= h.window/keepsUp {
		h.window = max(h.window, min(2*h.window, MaxStreamWindow))
	}
	h.limit = h.read + h.window
	h.grantDue = true
	h.s.say()
}

// consume counts bytes that no longer take memory, and allows the peer more. mu
// is held.
func (c *conn) consume(n uint64) {
	c.consumed += n
	if c.granted-c.consumed > c.window/2 {
		return
	}
	if c.received-c.consumed <= c.window/keepsUp {
		c.window = max(c.window, min(2*c.window, MaxConnWindow))
	}
	c.granted = c.consumed + c.window
	c.grantDue = true
	signal(c.work)
}

// CancelRead implements transport.ReceiveStream.
func (h *receiveHalf) CancelRead(code uint64) {
	c := h.s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.cancelled != nil || h.done || c.err != nil {
		return
	}
	c.consume(uint64(h.buf.len()))
	h.buf.truncate(0)
	if h.resetErr != nil {
		h.cancelled = h.resetErr // the peer's error came first and is the one to tell
	} else {
		h.cancelled = &transport.StreamError{Code: code}
	}
	if !h.over() {
		h.stopCode, h.stopDue, h.grantDue = code, true, false
		h.s.say()
	}
	signal(h.wake)
	h.settle()
}

// SetReadDeadline implements transport.ReceiveStream.
func (h *receiveHalf) SetReadDeadline(t time.Time) error {
	h.s.c.mu.Lock()
	defer h.s.c.mu.Unlock()
	h.deadline.set(t, h.wake)
	return nil
}
