package memtr

import (
	"io"
	"os"
	"time"

	"oxymoq/pkg/transport"
)

// receiveHalf is the reading half of a stream.
type receiveHalf struct {
	s    *stream
	peer *sendHalf
	wake chan struct{} // one slot: data, end, error or deadline changed

	// Guarded by the pair's mu.
	buf       buffer
	read      uint64 // bytes that Read has returned
	granted   uint64 // of those, what the peer knows of
	finished  bool   // FIN arrived
	resetErr  error  // *transport.StreamError of the peer
	cancelled error  // *transport.StreamError of ours
	deadline  deadline
}

var _ transport.ReceiveStream = (*receiveHalf)(nil)

// Read returns the last bytes together with io.EOF if FIN has come with them.
func (h *receiveHalf) Read(b []byte) (int, error) {
	mu := &h.s.c.p.mu
	mu.Lock()
	defer mu.Unlock()
	for {
		if err := h.failed(); err != nil {
			return 0, err
		}
		if n := h.buf.take(b); n > 0 || len(b) == 0 {
			h.read += uint64(n)
			h.grant()
			if h.finished && h.buf.len() == 0 {
				h.done()
				return n, io.EOF
			}
			return n, nil
		}
		mu.Unlock()
		select {
		case <-h.wake:
		case <-h.s.c.ctx.Done():
		}
		mu.Lock()
	}
}

// failed says why Read has nothing to give now or later. The end of the stream
// holds even when the connection is gone.
func (h *receiveHalf) failed() error {
	switch {
	case h.finished && h.buf.len() == 0 && h.cancelled == nil:
		h.done()
		return io.EOF
	case h.cancelled != nil:
		return h.cancelled
	case h.resetErr != nil && h.buf.len() == 0:
		h.done()
		return h.resetErr
	case h.s.c.err != nil:
		return h.s.c.err
	case h.deadline.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// grant tells the writer of the room that Read made, half a window at a time.
func (h *receiveHalf) grant() {
	window := h.s.c.p.cfg.window
	if h.finished || h.resetErr != nil || h.read-h.granted < (window+1)/2 {
		return
	}
	h.granted = h.read
	limit := h.read + window
	h.s.c.out.send(func() { h.peer.grow(limit) })
}

func (h *receiveHalf) done() {
	h.deadline.set(time.Time{}, h.wake)
	h.s.receiveDone = true
	h.s.release()
}

// arrive takes stream data; it copies b. mu is held.
func (h *receiveHalf) arrive(b []byte) {
	h.s.announce()
	if h.s.c.err != nil {
		return
	}
	h.s.c.stats.BytesReceived += uint64(len(b))
	if h.cancelled == nil {
		h.buf.put(b)
		signal(h.wake)
	}
}

// fin takes the end of the stream. mu is held.
func (h *receiveHalf) fin() {
	h.s.announce()
	h.finished = true
	if h.cancelled != nil {
		h.done()
	}
	signal(h.wake)
}

// reset takes RESET_STREAM_AT: bytes from until on are lost, even those that
// are here but were not read. mu is held.
func (h *receiveHalf) reset(code, until uint64) {
	h.s.announce()
	if h.resetErr != nil || h.s.receiveDone {
		return
	}
	h.resetErr = &transport.StreamError{Code: code, Remote: true}
	h.finished = false
	if until < h.read {
		until = h.read
	}
	h.buf.truncate(until - h.read)
	if h.cancelled != nil {
		h.done()
	}
	signal(h.wake)
}

func (h *receiveHalf) CancelRead(code uint64) {
	mu := &h.s.c.p.mu
	mu.Lock()
	defer mu.Unlock()
	if h.cancelled != nil || h.s.receiveDone || h.s.c.err != nil {
		return
	}
	if h.resetErr != nil {
		// The peer's error came first and is the one to tell.
		h.cancelled = h.resetErr
		h.buf.truncate(0)
		h.done()
		return
	}
	h.cancelled = &transport.StreamError{Code: code}
	h.buf.truncate(0)
	signal(h.wake)
	if h.finished {
		h.done()
	}
	h.s.c.out.send(func() { h.peer.stopped(code) })
}

func (h *receiveHalf) SetReadDeadline(t time.Time) error {
	mu := &h.s.c.p.mu
	mu.Lock()
	defer mu.Unlock()
	h.deadline.set(t, h.wake)
	return nil
}

// buffer is a queue of bytes that reuses its memory.
type buffer struct {
	b    []byte
	head int
}

func (q *buffer) len() int { return len(q.b) - q.head }

func (q *buffer) put(p []byte) {
	if q.head > 0 && len(q.b)+len(p) > cap(q.b) {
		q.b = q.b[:copy(q.b, q.b[q.head:])]
		q.head = 0
	}
	q.b = append(q.b, p...)
}

func (q *buffer) take(p []byte) int {
	n := copy(p, q.b[q.head:])
	q.head += n
	if q.head == len(q.b) {
		q.b, q.head = q.b[:0], 0
	}
	return n
}

// truncate keeps the first n bytes at most.
func (q *buffer) truncate(n uint64) {
	if n < uint64(q.len()) {
		q.b = q.b[:uint64(q.head)+n]
	}
}
