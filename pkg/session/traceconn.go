package session

import (
	"context"
	"errors"
	"sync"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/varint"
	"oxymoq/pkg/wire"
)

// numbered is a stream that knows its ID.
type numbered interface{ number() uint64 }

type streamNumber uint64

func (n streamNumber) number() uint64 { return uint64(n) }

// The two lowest bits of a stream ID (RFC 9000, section 2.1).
const (
	bitServer = 1
	bitUni    = 2
)

// tracedConn is the connection of a session that is traced.
type tracedConn struct {
	transport.Conn
	s *Session

	mu     sync.Mutex
	next   [4]uint64                   // how many streams were counted, by the bits of their IDs
	orders map[uint64]model.GroupOrder // of the peer's FETCHes, by Request ID
}

// number returns the ID of a stream. Of carriers that do not tell it, streams are
// counted as they come; ours says which side opened this one.
func (t *tracedConn) number(st any, ours bool, bits uint64) streamNumber {
	if known, ok := st.(transport.Identified); ok {
		return streamNumber(known.StreamID())
	}
	if ours == (t.s.cfg.Role == wire.Server) {
		bits |= bitServer
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.next[bits]
	t.next[bits]++
	return streamNumber(n<<2 | bits)
}

// The kinds of streams, numbered.
type (
	numberedStream struct {
		transport.Stream
		streamNumber
	}
	numberedReceive struct {
		transport.ReceiveStream
		streamNumber
	}
)

func (t *tracedConn) OpenStream(ctx context.Context) (transport.Stream, error) {
	return t.stream(t.Conn.OpenStream(ctx))
}

func (t *tracedConn) TryOpenStream() (transport.Stream, error) {
	return t.stream(t.Conn.TryOpenStream())
}

func (t *tracedConn) stream(st transport.Stream, err error) (transport.Stream, error) {
	if err != nil {
		return nil, err
	}
	return numberedStream{st, t.number(st, true, 0)}, nil
}

func (t *tracedConn) AcceptStream(ctx context.Context) (transport.Stream, error) {
	st, err := t.Conn.AcceptStream(ctx)
	if err != nil {
		return nil, err
	}
	return numberedStream{st, t.number(st, false, 0)}, nil
}

func (t *tracedConn) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	st, err := t.Conn.AcceptUniStream(ctx)
	if err != nil {
		return nil, err
	}
	return numberedReceive{st, t.number(st, false, bitUni)}, nil
}

func (t *tracedConn) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	return t.sendStream(t.Conn.OpenUniStream(ctx))
}

func (t *tracedConn) TryOpenUniStream() (transport.SendStream, error) {
	return t.sendStream(t.Conn.TryOpenUniStream())
}

func (t *tracedConn) sendStream(st transport.SendStream, err error) (transport.SendStream, error) {
	if err != nil {
		return nil, err
	}
	w := &tracedSend{SendStream: st, streamNumber: t.number(st, true, bitUni), t: t}
	w.next = w.header
	return w, nil
}

func (t *tracedConn) SendDatagram(b []byte) error {
	if d, padding, err := wire.ParseDatagram(t.s.cfg.Draft, b); err == nil && !padding {
		t.s.traced(true, nil, &d)
	}
	return t.Conn.SendDatagram(b)
}

// tracedSend reads along what is written to a stream. It is for one goroutine
// that writes, as the stream is.
type tracedSend struct {
	transport.SendStream
	streamNumber
	t *tracedConn

	held []byte                     // the beginning of a header
	skip uint64                     // bytes of the payload that are to come
	next func(*varint.Reader) error // reads the next header; nil: the rest is not understood, or of no interest
}

func (w *tracedSend) Write(b []byte) (int, error) {
	w.follow(b)
	return w.SendStream.Write(b)
}

func (w *tracedSend) follow(b []byte) {
	for w.next != nil {
		n := min(w.skip, uint64(len(b)))
		w.skip -= n
		if b = b[n:]; len(b) == 0 {
			return
		}
		w.held = append(w.held, b...)
		var in varint.Reader
		in.Reset(wire.VarintKind(w.t.s.cfg.Draft), w.held)
		err := w.next(&in)
		switch {
		case errors.Is(err, varint.ErrTruncated):
			return
		case err != nil:
			w.next = nil
			return
		}
		b = b[len(b)-(len(w.held)-in.Offset()):]
		w.held = w.held[:0]
	}
}

// header reads what a data stream begins with.
func (w *tracedSend) header(in *varint.Reader) error {
	s := w.t.s
	typ := in.Uint()
	if in.Err() != nil {
		return in.Err()
	}
	kind, err := wire.UniStreamKind(s.cfg.Draft, typ)
	if err != nil {
		return err
	}
	switch kind {
	case wire.UniSubgroup:
		h, err := wire.ParseSubgroupHeader(s.cfg.Draft, typ, in)
		if err != nil {
			return err
		}
		s.traced(true, w, &h)
		w.objects(h)
	case wire.UniFetch:
		id, err := wire.ParseFetchHeader(s.cfg.Draft, in)
		if err != nil {
			return err
		}
		s.traced(true, w, &TracedFetch{RequestID: id})
		w.items(id)
	default: // messages are traced where they are written, padding is nothing
		w.next = nil
	}
	return nil
}

// objects reads a subgroup stream after its header.
func (w *tracedSend) objects(h wire.SubgroupHeader) {
	form := wire.FormOf(w.t.s.cfg.Draft, h.Properties)
	var prev model.Opt[uint64]
	w.next = func(in *varint.Reader) error {
		o, err := form.ParseObject(prev, in)
		if err != nil {
			return err
		}
		if !prev.Set && h.Mode == wire.SubgroupFirstObject {
			h.Subgroup = o.ID
		}
		w.t.s.traced(true, w, &TracedObject{Group: h.Group, Subgroup: h.Subgroup, Prev: prev, ObjectHeader: o})
		prev = model.Some(o.ID)
		w.skip = o.PayloadLen
		return nil
	}
}

// items reads a fetch stream after its header.
func (w *tracedSend) items(id uint64) {
	w.t.mu.Lock()
	order := w.t.orders[id]
	w.t.mu.Unlock()
	dec := wire.NewFetchDecoder(w.t.s.cfg.Draft, order).Of(w.t.s.Quirks().Sent())
	w.next = func(in *varint.Reader) error {
		item, err := dec.Parse(in)
		if err != nil {
			return err
		}
		w.t.s.traced(true, w, &item)
		w.skip = item.PayloadLen
		return nil
	}
}
