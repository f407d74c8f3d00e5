package quictr

import (
	"context"
	"net"
	"strings"

	"github.com/quic-go/quic-go"

	"oxymoq/pkg/transport"
)

// MaxReason is the most bytes of a close reason that surely fit the packet;
// quic-go would drop a reason that does not, as a whole.
const MaxReason = 512

// CutReason returns the characters of reason that fit into size bytes.
func CutReason(reason string, size int) string {
	if len(reason) <= size {
		return reason
	}
	return strings.ToValidUTF8(reason[:size], "")
}

// conn is a *quic.Conn as a transport.Conn.
type conn struct {
	q        *quic.Conn
	ctx      context.Context // as q's, but with our cause
	cancel   context.CancelCauseFunc
	protocol string
	*Datagrams
}

var (
	_ transport.Conn   = (*conn)(nil)
	_ transport.Traced = (*conn)(nil)
)

// Wrap makes a transport.Conn of a connection whose handshake is done, and
// which nobody else uses.
func Wrap(q *quic.Conn) transport.Conn {
	state := q.ConnectionState()
	c := &conn{q: q, protocol: state.TLS.NegotiatedProtocol}
	c.Datagrams = NewDatagrams(q, state.SupportsDatagrams.Remote && state.SupportsDatagrams.Local)
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(q.Context()))
	context.AfterFunc(q.Context(), c.end)
	return c
}

// end ends ctx once q has ended.
func (c *conn) end() { c.cancel(Translate(context.Cause(c.q.Context()))) }

func (c *conn) OpenStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.q.OpenStreamSync(ctx)
	if err != nil {
		return nil, waited(ctx, err)
	}
	return newStream(s), nil
}

func (c *conn) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	s, err := c.q.OpenUniStreamSync(ctx)
	if err != nil {
		return nil, waited(ctx, err)
	}
	return &sendStream{q: s}, nil
}

func (c *conn) TryOpenStream() (transport.Stream, error) {
	s, err := c.q.OpenStream()
	if err != nil {
		return nil, Translate(err)
	}
	return newStream(s), nil
}

func (c *conn) TryOpenUniStream() (transport.SendStream, error) {
	s, err := c.q.OpenUniStream()
	if err != nil {
		return nil, Translate(err)
	}
	return &sendStream{q: s}, nil
}

func (c *conn) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.q.AcceptStream(ctx)
	if err != nil {
		return nil, waited(ctx, err)
	}
	return newStream(s), nil
}

func (c *conn) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	s, err := c.q.AcceptUniStream(ctx)
	if err != nil {
		return nil, waited(ctx, err)
	}
	return receiveStream{s}, nil
}

// CloseWithError implements transport.Conn. Of a reason, MaxReason bytes are
// sent. It returns when the CONNECTION_CLOSE frame has been sent once.
func (c *conn) CloseWithError(code uint64, reason string) error {
	err := c.q.CloseWithError(quic.ApplicationErrorCode(code), CutReason(reason, MaxReason))
	c.end() // the caller may look at Context at once
	return err
}

func (c *conn) Context() context.Context { return c.ctx }
func (c *conn) Protocol() string         { return c.protocol }
func (c *conn) Kind() transport.Kind     { return transport.QUIC }
func (c *conn) LocalAddr() net.Addr      { return c.q.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr     { return c.q.RemoteAddr() }

func (c *conn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	b, err := c.q.ReceiveDatagram(ctx)
	if err != nil {
		return nil, waited(ctx, err)
	}
	return b, nil
}

// Trace implements transport.Traced.
func (c *conn) Trace() transport.Trace { return TraceOf(c.q) }

func (c *conn) Stats() transport.Stats {
	s := PathStats(c.q)
	s.DatagramsDropped = c.Dropped()
	return s
}

// PathStats describes the path of q, without DatagramsDropped.
func PathStats(q *quic.Conn) transport.Stats {
	s := q.ConnectionStats()
	return transport.Stats{
		RTT:              s.SmoothedRTT,
		CongestionWindow: clampInt(s.CongestionWindow),
		BytesSent:        s.BytesSent,
		BytesReceived:    s.BytesReceived,
		PacketsSent:      s.PacketsSent,
		PacketsLost:      s.PacketsLost,
	}
}

func clampInt(v uint64) int { return int(min(v, 1<<31-1)) }
