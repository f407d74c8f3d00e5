package memtr

import (
	"context"

	"oxymoq/pkg/transport"
)

// stream is one end of a stream. A unidirectional stream has one half only.
type stream struct {
	*sendHalf
	*receiveHalf
	c  *conn
	id uint64

	// Guarded by the pair's mu.
	foreign               bool // the peer opened it
	announced             bool
	accepted              bool
	sendDone, receiveDone bool
	released              bool // credit went back
}

var _ transport.Stream = (*stream)(nil)

// StreamID implements transport.Identified.
func (s *stream) StreamID() uint64 { return s.id }

// StreamID implements transport.Identified.
func (h *sendHalf) StreamID() uint64 { return h.s.id }

// StreamID implements transport.Identified.
func (h *receiveHalf) StreamID() uint64 { return h.s.id }

func (s *stream) kind() streamKind { return streamKind(s.id >> 1 & 1) }

// join makes the direction from one end of a stream to the other.
func join(from, to *stream) {
	out := &sendHalf{
		s: from, wake: make(chan struct{}, 1), limit: from.c.p.cfg.window,
		urgency: defaultUrgency, incremental: true,
	}
	out.ctx, out.cancel = context.WithCancelCause(from.c.ctx)
	in := &receiveHalf{s: to, wake: make(chan struct{}, 1)}
	out.peer, in.peer = in, out
	from.sendHalf, to.receiveHalf = out, in
}

// SendState is what a test may want to know of a stream that it writes.
type SendState struct {
	ID          uint64 // as QUIC numbers streams
	Urgency     int
	Incremental bool
	Sent        uint64 // bytes that flow control has taken
	Boundary    uint64 // the first Boundary bytes survive a reset
	Unread      int    // bytes that arrived at the peer and were not read
}

// Inspect describes a stream that came from a Pair. It panics for others.
func Inspect(str transport.SendStream) SendState {
	var h *sendHalf
	switch str := str.(type) {
	case *stream:
		h = str.sendHalf
	default:
		h = str.(*sendHalf)
	}
	h.s.c.p.mu.Lock()
	defer h.s.c.p.mu.Unlock()
	return SendState{
		ID: h.s.id, Urgency: h.urgency, Incremental: h.incremental,
		Sent: h.sent, Boundary: h.boundary, Unread: h.peer.buf.len(),
	}
}
