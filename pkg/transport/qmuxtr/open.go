package qmuxtr

import (
	"context"

	"oxymoq/pkg/transport"
)

// The kinds of streams, with the values of the second lowest bit of their IDs.
const (
	bidi = 0
	uni  = 1
)

// outgoing counts the streams of one kind that this side has opened.
type outgoing struct {
	count  uint64
	limit  uint64        // how many the peer allows in total so far
	credit chan struct{} // one slot: limit has grown
}

// incoming holds the streams of one kind that the peer has opened.
type incoming struct {
	count uint64
	limit uint64
	queue []*stream // not accepted yet
	ready chan struct{}
}

// OpenStream implements transport.Conn.
func (c *conn) OpenStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.openWait(ctx, bidi)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenUniStream implements transport.Conn.
func (c *conn) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	s, err := c.openWait(ctx, uni)
	if err != nil {
		return nil, err
	}
	return &s.sendHalf, nil
}

// TryOpenStream implements transport.Conn.
func (c *conn) TryOpenStream() (transport.Stream, error) {
	s, err := c.tryOpen(bidi)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// TryOpenUniStream implements transport.Conn.
func (c *conn) TryOpenUniStream() (transport.SendStream, error) {
	s, err := c.tryOpen(uni)
	if err != nil {
		return nil, err
	}
	return &s.sendHalf, nil
}

func (c *conn) tryOpen(kind uint64) (*stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := &c.opened[kind]
	switch {
	case c.err != nil:
		return nil, c.err
	case o.count >= o.limit:
		return nil, transport.ErrNoCredit
	}
	id := o.count<<2 | kind<<1
	if !c.client {
		id |= 1
	}
	o.count++
	if o.count < o.limit {
		signal(o.credit) // another goroutine may wait too
	}
	return c.newStream(id, true), nil
}

func (c *conn) openWait(ctx context.Context, kind uint64) (*stream, error) {
	for {
		if err := c.failed(ctx); err != nil {
			return nil, err
		}
		if s, err := c.tryOpen(kind); err != transport.ErrNoCredit {
			return s, err
		}
		select {
		case <-c.opened[kind].credit:
		case <-ctx.Done():
		case <-c.ctx.Done():
		}
	}
}

// AcceptStream implements transport.Conn.
func (c *conn) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.accept(ctx, bidi)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// AcceptUniStream implements transport.Conn.
func (c *conn) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	s, err := c.accept(ctx, uni)
	if err != nil {
		return nil, err
	}
	return &s.receiveHalf, nil
}

func (c *conn) accept(ctx context.Context, kind uint64) (*stream, error) {
	for {
		if err := c.failed(ctx); err != nil {
			return nil, err
		}
		if s := c.nextAccepted(kind); s != nil {
			return s, nil
		}
		select {
		case <-c.foreign[kind].ready:
		case <-ctx.Done():
		case <-c.ctx.Done():
		}
	}
}

// nextAccepted takes the first stream that waits to be accepted.
func (c *conn) nextAccepted(kind uint64) *stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	in := &c.foreign[kind]
	if len(in.queue) == 0 || c.err != nil {
		return nil
	}
	s := in.queue[0]
	in.queue[0] = nil
	in.queue = in.queue[1:]
	if len(in.queue) > 0 {
		signal(in.ready)
	}
	s.accepted = true
	s.release()
	return s
}

// lookup finds the stream of a frame that concerns our sending half (sending)
// or our receiving half of it, and opens it if the peer does so with the frame.
// It is nil if the stream is over. mu is held.
func (c *conn) lookup(f *frame, sending bool) (*stream, *TransportError) {
	local := (f.id&1 == 0) == c.client
	kind := f.id >> 1 & 1
	if kind == uni && local != sending {
		return nil, violation(StreamStateError, f.typ, "stream %d has no such direction", f.id)
	}
	if s := c.streams[f.id]; s != nil {
		return s, nil
	}
	n := f.id >> 2
	if local {
		if n >= c.opened[kind].count {
			return nil, violation(StreamStateError, f.typ, "stream %d was not opened yet", f.id)
		}
		return nil, nil
	}
	in := &c.foreign[kind]
	if n < in.count {
		return nil, nil
	}
	if n >= in.limit {
		return nil, violation(StreamLimitError, f.typ, "stream %d exceeds the limit of %d", f.id, in.limit)
	}
	for ; in.count <= n; in.count++ {
		in.queue = append(in.queue, c.newStream(in.count<<2|f.id&3, false))
	}
	signal(in.ready)
	return c.streams[f.id], nil
}
