package memtr

import (
	"bytes"
	"context"
	"os"
	"time"

	"oxymoq/pkg/transport"
)

// What SetPriority changes; quic-go has the same defaults.
const (
	defaultUrgency = 3
	maxUrgency     = 7
)

// sendHalf is the writing half of a stream.
type sendHalf struct {
	s      *stream
	peer   *receiveHalf
	ctx    context.Context
	cancel context.CancelCauseFunc
	wake   chan struct{} // one slot: window, error or deadline changed

	// Guarded by the pair's mu.
	sent        uint64 // bytes handed to the link
	limit       uint64 // sent may not pass it
	boundary    uint64
	finished    bool
	err         error
	urgency     int
	incremental bool
	deadline    deadline
}

var _ transport.SendStream = (*sendHalf)(nil)

func (h *sendHalf) Write(b []byte) (n int, err error) {
	mu := &h.s.c.p.mu
	mu.Lock()
	defer mu.Unlock()
	for {
		if err := h.failed(); err != nil {
			return n, err
		}
		if k := min(h.limit-h.sent, uint64(len(b)-n)); k > 0 {
			h.push(b[n:][:k])
			n += int(k)
		}
		if n == len(b) {
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

// failed says why Write cannot go on.
func (h *sendHalf) failed() error {
	switch {
	case h.finished:
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

// push hands b to the link. Without a delay the receiver copies it into its
// buffer, so that writing allocates nothing.
func (h *sendHalf) push(b []byte) {
	h.sent += uint64(len(b))
	h.s.c.stats.BytesSent += uint64(len(b))
	if out := &h.s.c.out; out.delay > 0 {
		b = bytes.Clone(b)
		out.send(func() { h.peer.arrive(b) })
		return
	}
	h.peer.arrive(b)
}

func (h *sendHalf) Close() error {
	mu := &h.s.c.p.mu
	mu.Lock()
	defer mu.Unlock()
	if h.err != nil {
		return h.err
	}
	if h.finished || h.s.c.err != nil {
		return nil
	}
	h.finished = true
	h.done(transport.ErrStreamClosed)
	h.s.c.out.send(h.peer.fin)
	return nil
}

// CancelWrite resets the stream. After Close it takes back what was not read,
// as a reset that overtakes the data does.
func (h *sendHalf) CancelWrite(code uint64) {
	mu := &h.s.c.p.mu
	mu.Lock()
	defer mu.Unlock()
	if h.err == nil && h.s.c.err == nil {
		h.fail(&transport.StreamError{Code: code})
	}
}

// fail ends the half with e and sends the reset. mu is held.
func (h *sendHalf) fail(e *transport.StreamError) {
	h.err = e
	h.done(e)
	until := h.boundary
	if e.Remote {
		until = 0 // a peer that stopped reading is owed nothing
	}
	h.s.c.out.send(func() { h.peer.reset(e.Code, until) })
}

func (h *sendHalf) done(cause error) {
	h.cancel(cause)
	h.deadline.set(time.Time{}, h.wake)
	signal(h.wake)
	h.s.sendDone = true
	h.s.release()
}

// stopped handles STOP_SENDING. mu is held.
func (h *sendHalf) stopped(code uint64) {
	h.s.announce()
	if h.err == nil && h.s.c.err == nil {
		h.fail(&transport.StreamError{Code: code, Remote: true})
	}
}

// grow handles MAX_STREAM_DATA. mu is held.
func (h *sendHalf) grow(limit uint64) {
	h.limit = limit
	signal(h.wake)
}

func (h *sendHalf) SetReliableBoundary() {
	mu := &h.s.c.p.mu
	mu.Lock()
	defer mu.Unlock()
	if h.err == nil && !h.s.c.p.cfg.noBoundary {
		h.boundary = h.sent
	}
}

func (h *sendHalf) SetPriority(urgency int, incremental bool) {
	mu := &h.s.c.p.mu
	mu.Lock()
	defer mu.Unlock()
	h.urgency, h.incremental = max(0, min(urgency, maxUrgency)), incremental
}

func (h *sendHalf) SetWriteDeadline(t time.Time) error {
	mu := &h.s.c.p.mu
	mu.Lock()
	defer mu.Unlock()
	h.deadline.set(t, h.wake)
	return nil
}

func (h *sendHalf) Context() context.Context { return h.ctx }
