package session

import (
	"context"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// TraceFunc is told of everything that a session writes and reads, for logs of
// the protocol. It is called in the goroutines that do so, from several at a
// time, and keeps nothing of the event.
type TraceFunc func(TraceEvent)

// TraceEvent is one message or header.
type TraceEvent struct {
	Sent bool // about to be written by us; otherwise read
	// Stream is the ID of the stream, as the carrier says (transport.Identified)
	// or else in the order in which streams were opened. Meaningless for a
	// datagram.
	Stream uint64
	// Name is what the draft calls a wire.Message, as in SUBSCRIBE_OK; empty for
	// everything else.
	Name string
	// What is a wire.Message, *wire.SubgroupHeader, *TracedObject,
	// *TracedFetch, *wire.FetchItem or *wire.Datagram.
	What any
}

// TracedObject is the header of an object on a subgroup stream.
type TracedObject struct {
	Group, Subgroup uint64
	Prev            model.Opt[uint64] // ID of the object before it on the stream
	wire.ObjectHeader
}

// TracedFetch is the header of a fetch stream.
type TracedFetch struct{ RequestID uint64 }

// startTrace makes conn number its streams and show what is written to data
// streams, which other rooms do. It returns conn if nobody wants to know.
func (s *Session) startTrace(conn transport.Conn) transport.Conn {
	if s.cfg.Trace == nil {
		return conn
	}
	if s.trace = s.cfg.Trace(s); s.trace == nil {
		return conn
	}
	t := &tracedConn{Conn: conn, s: s, orders: map[uint64]model.GroupOrder{}}
	if r, ok := conn.(transport.Requested); ok {
		return struct {
			*tracedConn
			transport.Requested
		}{t, r}
	}
	return t
}

// traced tells of one event on a stream. Callers ask first whether there is a
// trace, so that an event costs nothing where there is none.
func (s *Session) traced(sent bool, stream any, what any) { s.tracedAs("", sent, stream, what) }

// tracedAs is traced for messages, which have a name.
func (s *Session) tracedAs(name string, sent bool, stream any, what any) {
	e := TraceEvent{Sent: sent, Name: name, What: what}
	if n, ok := stream.(numbered); ok {
		e.Stream = n.number()
	}
	s.trace(e)
}

// sendMessage writes a control message.
func (s *Session) sendMessage(w *messageWriter, ctx wire.Context, m wire.Message, fin bool) error {
	if s.trace != nil {
		s.tracedAs(wire.NameOf(ctx, m.Kind()), true, w.dst, m)
	}
	return w.write(ctx, m, fin)
}

// parseMessage reads a control message of the peer.
func (s *Session) parseMessage(stream any, ctx wire.Context, typ uint64, body []byte) (wire.Message, error) {
	m, err := wire.ParseMessage(ctx, typ, body)
	if s.trace != nil && m != nil {
		s.tracedAs(wire.MessageName(s.cfg.Draft, typ), false, stream, m)
	}
	return m, err
}

// traceFetch remembers in which order a FETCH of the peer is answered: the
// bytes do not tell it.
func (s *Session) traceFetch(ctx context.Context, id uint64, order model.GroupOrder) {
	t := s.tracedConn()
	if t == nil {
		return
	}
	t.mu.Lock()
	t.orders[id] = order
	t.mu.Unlock()
	context.AfterFunc(ctx, func() {
		t.mu.Lock()
		delete(t.orders, id)
		t.mu.Unlock()
	})
}

func (s *Session) tracedConn() *tracedConn {
	switch c := s.conn.(type) {
	case *tracedConn:
		return c
	case struct {
		*tracedConn
		transport.Requested
	}:
		return c.tracedConn
	}
	return nil
}

// traceObject tells of an object that was read from a subgroup stream.
func (r *SubgroupReader) traceObject(h ObjectHeader) {
	r.s.traced(false, r.stream, &TracedObject{Group: r.Header.Group, Subgroup: r.Header.Subgroup, Prev: r.prev, ObjectHeader: h})
}
