package memtr

import (
	"context"

	"oxymoq/pkg/transport"
)

// streamKind has the values of the second lowest bit of a QUIC stream ID.
type streamKind uint64

const (
	bidiKind streamKind = 0
	uniKind  streamKind = 1
)

// outgoing counts the streams of one kind that an end has opened.
type outgoing struct {
	count  int
	limit  int           // how many the peer allows in total so far
	credit chan struct{} // one slot: limit has grown
}

// incoming holds the streams of one kind that the peer has opened.
type incoming struct {
	hidden []*stream // opened, but nothing was sent on them or a later one yet
	queue  []*stream // not accepted yet
	ready  chan struct{}
}

func (c *conn) OpenStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.openWait(ctx, bidiKind)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (c *conn) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	s, err := c.openWait(ctx, uniKind)
	if err != nil {
		return nil, err
	}
	return s.sendHalf, nil
}

func (c *conn) TryOpenStream() (transport.Stream, error) {
	s, err := c.tryOpen(bidiKind)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (c *conn) TryOpenUniStream() (transport.SendStream, error) {
	s, err := c.tryOpen(uniKind)
	if err != nil {
		return nil, err
	}
	return s.sendHalf, nil
}

func (c *conn) tryOpen(k streamKind) (*stream, error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	o := &c.opened[k]
	if o.count >= o.limit {
		return nil, transport.ErrNoCredit
	}
	s := c.open(k)
	if o.count < o.limit {
		signal(o.credit) // another goroutine may wait too
	}
	return s, nil
}

func (c *conn) openWait(ctx context.Context, k streamKind) (*stream, error) {
	for {
		if err := c.failed(ctx); err != nil {
			return nil, err
		}
		if s, err := c.tryOpen(k); err != transport.ErrNoCredit {
			return s, err
		}
		select {
		case <-c.opened[k].credit:
		case <-ctx.Done():
		case <-c.ctx.Done():
		}
	}
}

// open makes both ends of a stream. p.mu is held.
func (c *conn) open(k streamKind) *stream {
	id := uint64(c.opened[k].count)<<2 | uint64(k)<<1 | c.firstID
	c.opened[k].count++
	here := &stream{c: c, id: id}
	there := &stream{c: c.peer, id: id, foreign: true}
	join(here, there)
	if k == bidiKind {
		join(there, here)
	} else {
		there.sendDone = true
	}
	in := &c.peer.accepted[k]
	in.hidden = append(in.hidden, there)
	return here
}

// announce makes the peer see a stream of ours, and all earlier ones of its
// kind, as the first frame on it does. p.mu is held by a link.
func (s *stream) announce() {
	in := &s.c.accepted[s.kind()]
	if !s.foreign || s.announced {
		return
	}
	for len(in.hidden) > 0 {
		h := in.hidden[0]
		if h.id > s.id {
			break
		}
		h.announced = true
		in.hidden = in.hidden[1:]
		in.queue = append(in.queue, h)
	}
	signal(in.ready)
}

func (c *conn) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.accept(ctx, bidiKind)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (c *conn) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	s, err := c.accept(ctx, uniKind)
	if err != nil {
		return nil, err
	}
	return s.receiveHalf, nil
}

func (c *conn) accept(ctx context.Context, k streamKind) (*stream, error) {
	in := &c.accepted[k]
	for {
		if err := c.failed(ctx); err != nil {
			return nil, err
		}
		if s := c.next(in); s != nil {
			return s, nil
		}
		select {
		case <-in.ready:
		case <-ctx.Done():
		case <-c.ctx.Done():
		}
	}
}

// next takes the first stream that waits to be accepted.
func (c *conn) next(in *incoming) *stream {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
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

// release gives the peer credit for another stream once this one of its own
// is over in both directions and was accepted. p.mu is held.
func (s *stream) release() {
	if !s.foreign || s.released || !s.accepted || !s.sendDone || !s.receiveDone {
		return
	}
	s.released = true
	s.c.out.send(func() {
		o := &s.c.peer.opened[s.kind()]
		o.limit++
		signal(o.credit)
	})
}
