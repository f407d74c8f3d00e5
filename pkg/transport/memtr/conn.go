package memtr

import (
	"context"
	"net"
	"time"

	"oxymoq/pkg/transport"
)

// addr is the address of an end: "client" or "server".
type addr string

func (addr) Network() string  { return "mem" }
func (a addr) String() string { return string(a) }

// conn is one end.
type conn struct {
	p      *pair
	peer   *conn
	local  addr
	ctx    context.Context
	cancel context.CancelCauseFunc

	// Guarded by p.mu.
	out      link // towards peer
	err      error
	firstID  uint64 // 0 for the client, 1 for the server: the low bit of stream IDs
	opened   [2]outgoing
	accepted [2]incoming
	stats    transport.Stats

	datagrams chan []byte // arrived; capacity is the queue limit
	inFlight  int         // datagrams on their way to this end
}

var _ transport.Conn = (*conn)(nil)

// end finishes this end with cause, once. p.mu is held.
func (c *conn) end(cause error) {
	if c.err == nil {
		c.err = cause
		c.cancel(cause) // wakes everything that waits
	}
}

// CloseWithError implements transport.Conn. Only the first close counts.
func (c *conn) CloseWithError(code uint64, reason string) error {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if c.err != nil {
		return nil
	}
	c.end(&transport.CloseError{Code: code, Reason: reason})
	c.out.send(func() {
		c.peer.end(&transport.CloseError{Code: code, Reason: reason, Remote: true})
	})
	return nil
}

// Break ends c with cause (nil: transport.ErrIdle) without telling the other
// end, as if the network had gone. It panics if c is not of this package.
func Break(c transport.Conn, cause error) {
	mc := c.(*conn)
	mc.p.mu.Lock()
	defer mc.p.mu.Unlock()
	if cause == nil {
		cause = transport.ErrIdle
	}
	mc.end(cause)
}

func (c *conn) Context() context.Context { return c.ctx }
func (c *conn) Protocol() string         { return c.p.cfg.protocol }
func (c *conn) Kind() transport.Kind     { return c.p.cfg.kind }
func (c *conn) LocalAddr() net.Addr      { return c.local }
func (c *conn) RemoteAddr() net.Addr     { return c.peer.local }

// Stats counts the bytes of stream data and datagrams, and the datagrams as
// packets.
func (c *conn) Stats() transport.Stats {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	s := c.stats
	s.RTT = 2 * max(0, c.p.cfg.delay)
	return s
}

// SendDatagram implements transport.Conn. One queue stands for the sender's
// and the receiver's: a datagram is refused as long as it is full.
func (c *conn) SendDatagram(b []byte) error {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if len(b) > c.p.cfg.datagramSize || c.p.cfg.datagramSize == 0 {
		return transport.ErrDatagramTooLarge
	}
	to := c.peer
	if to.inFlight+len(to.datagrams) >= cap(to.datagrams) {
		c.stats.DatagramsDropped++
		return transport.ErrDatagramDropped
	}
	c.stats.BytesSent += uint64(len(b))
	c.stats.PacketsSent++
	to.inFlight++
	b = append([]byte(nil), b...)
	c.out.send(func() {
		to.inFlight--
		if to.err == nil {
			to.stats.BytesReceived += uint64(len(b))
			to.datagrams <- b // never blocks: inFlight reserved the place
		}
	})
	return nil
}

func (c *conn) MaxDatagramSize() int { return c.p.cfg.datagramSize }

func (c *conn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	if err := c.failed(ctx); err != nil {
		return nil, err
	}
	select {
	case b := <-c.datagrams:
		return b, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.ctx.Done():
		return nil, context.Cause(c.ctx)
	}
}

// failed says why a call on the connection cannot go on.
func (c *conn) failed(ctx context.Context) error {
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	return context.Cause(ctx)
}

// deadline is one of the two deadlines of a stream. Guarded by the pair's mu.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

// set moves the deadline and makes sure that wake is signalled when it comes.
func (d *deadline) set(at time.Time, wake chan struct{}) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if at.IsZero() {
		return
	}
	if left := time.Until(at); left > 0 {
		d.timer = time.AfterFunc(left, func() { signal(wake) })
	} else {
		signal(wake)
	}
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }
