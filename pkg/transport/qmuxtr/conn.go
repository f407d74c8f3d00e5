package qmuxtr

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"oxymoq/pkg/transport"
)

// conn is one QMux connection.
type conn struct {
	nc       net.Conn
	client   bool
	dialect  dialect
	protocol string
	o        Options

	ctx     context.Context
	cancel  context.CancelCauseFunc
	ready   chan struct{} // closed when the peer's parameters have come
	work    chan struct{} // one slot: there may be something to send
	written chan struct{} // closed when the writing goroutine has ended

	mu      sync.Mutex
	err     error  // why the connection ended
	last    *frame // CONNECTION_CLOSE to send, nil if the peer needs none
	polite  bool   // wait for the peer to close after last
	heard   bool   // the peer's parameters have come
	peer    params //
	streams map[uint64]*stream
	opened  [2]outgoing
	foreign [2]incoming

	// Flow control, in bytes of all streams.
	sendLimit uint64 // MAX_DATA of the peer
	sent      uint64 // in records
	buffered  uint64 // taken by Write, not in records
	starved   []*sendHalf
	granted   uint64 // MAX_DATA of ours
	window    uint64
	received  uint64
	consumed  uint64 // of those, read or discarded

	queue    queue
	control  []*stream // have something to say besides data
	grantDue bool      // MAX_DATA
	limitDue [2]bool   // MAX_STREAMS

	outbox  [][]byte // datagrams
	inbox   [][]byte
	inBytes int
	arrived chan struct{} // one slot: inbox has something

	pings
	stats transport.Stats
}

var _ transport.Conn = (*conn)(nil)

// Client and Server turn a byte stream, on which nothing was read or written,
// into a connection. The names of protocol are those of ALPN, as TLS
// negotiated them. They return when the peer's transport parameters have
// come, and close nc when they fail, later with the connection. The values of
// ctx, not its end, are those of the connection's context.
func Client(ctx context.Context, nc net.Conn, protocol string, o Options) (transport.Conn, error) {
	return start(ctx, nc, true, protocol, o)
}

// Server is the other end of Client.
func Server(ctx context.Context, nc net.Conn, protocol string, o Options) (transport.Conn, error) {
	return start(ctx, nc, false, protocol, o)
}

func start(ctx context.Context, nc net.Conn, client bool, protocol string, o Options) (transport.Conn, error) {
	c := newConn(ctx, nc, client, protocol, o)
	go c.writeLoop()
	go c.readLoop()
	timeout := time.NewTimer(c.o.HandshakeTimeout)
	defer timeout.Stop()
	select {
	case <-c.ready:
		return c, nil
	case <-c.ctx.Done():
	case <-ctx.Done():
		c.abandon(context.Cause(ctx))
	case <-timeout.C:
		c.abandon(ErrNoAnswer)
	}
	return nil, context.Cause(c.ctx)
}

func newConn(ctx context.Context, nc net.Conn, client bool, protocol string, o Options) *conn {
	c := &conn{
		nc: nc, client: client, o: o.filled(),
		ready:   make(chan struct{}),
		work:    make(chan struct{}, 1),
		written: make(chan struct{}),
		arrived: make(chan struct{}, 1),
		streams: make(map[uint64]*stream),
	}
	c.dialect, c.protocol = parseALPN(protocol)
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	c.window = uint64(c.o.ConnWindow)
	c.granted = c.window
	c.foreign[bidi].limit, c.foreign[uni].limit = uint64(c.o.MaxStreams), uint64(c.o.MaxUniStreams)
	for k := range c.opened {
		c.opened[k].credit = make(chan struct{}, 1)
		c.foreign[k].ready = make(chan struct{}, 1)
	}
	return c
}

// abandon ends a handshake. There is nobody to say good-bye to.
func (c *conn) abandon(cause error) {
	c.mu.Lock()
	c.fail(cause, nil)
	c.mu.Unlock()
	c.nc.Close()
}

// fail ends the connection, if it has not ended. The last frame is sent if it
// is not nil. mu is held.
func (c *conn) fail(cause error, last *frame) {
	if c.err != nil {
		return
	}
	c.err = cause
	c.last = last
	c.polite = last != nil
	c.pings.stop()
	// A peer that does not read must not hold up the writing goroutine.
	//nolint:errcheck // it fails if nc is closed, which is as good
	c.nc.SetWriteDeadline(time.Now().Add(CloseTimeout))
	c.cancel(cause)
	signal(c.work)
}

// violated ends the connection for what the peer did.
func (c *conn) violated(e *TransportError) {
	c.fail(e, &frame{typ: frameTransportClose, code: uint64(e.Code), n: e.FrameType, data: []byte(cutReason(e.Reason))})
}

// CloseWithError implements transport.Conn. Of a reason, MaxReason bytes are
// sent. It returns when CONNECTION_CLOSE has been handed to TCP, after
// CloseTimeout at the latest.
func (c *conn) CloseWithError(code uint64, reason string) error {
	reason = cutReason(reason)
	c.mu.Lock()
	c.fail(&transport.CloseError{Code: code, Reason: reason}, &frame{typ: frameClose, code: code, data: []byte(reason)})
	c.mu.Unlock()
	<-c.written
	return nil
}

// cutReason returns the characters of reason that fit into MaxReason bytes.
func cutReason(reason string) string {
	if len(reason) <= MaxReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:MaxReason], "")
}

func (c *conn) Context() context.Context { return c.ctx }
func (c *conn) Protocol() string         { return c.protocol }
func (c *conn) Kind() transport.Kind     { return transport.QMUX }
func (c *conn) LocalAddr() net.Addr      { return c.nc.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr     { return c.nc.RemoteAddr() }

// Stats implements transport.Conn. TCP hides losses and its window.
func (c *conn) Stats() transport.Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// failed says why a call that waits cannot go on.
func (c *conn) failed(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// signal fills the one slot of a channel.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
