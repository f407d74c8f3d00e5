package wttr

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"

	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
)

const (
	// receivedDatagrams is how many datagrams wait for ReceiveDatagram, as
	// many as quic-go keeps on raw QUIC. HTTP/3 alone would keep 32.
	receivedDatagrams = 128

	// A side that closes gives the other some round trips to take the code,
	// within these limits, before the connection is gone.
	minCloseWait = 250 * time.Millisecond
	maxCloseWait = 2 * time.Second
	closeTrips   = 4
)

// connectStream is the CONNECT stream of a session, on either side.
type connectStream interface {
	// TryWriteAll writes all or nothing, at once.
	TryWriteAll(b []byte) error
	Close() error
	ReceiveDatagram(ctx context.Context) ([]byte, error)
}

// half is one direction of a stream.
type half interface{ abort() }

// conn is a session, and the QUIC connection that it has for itself.
type conn struct {
	q         *quic.Conn
	id        quic.StreamID // of the CONNECT stream
	connect   connectStream
	authority string // as requested
	path      string
	protocol  string

	ctx    context.Context
	cancel context.CancelCauseFunc

	datagrams *quictr.Datagrams // to the peer
	received  chan []byte
	bidi      *queue[transport.Stream] // opened by the peer
	uni       *queue[transport.ReceiveStream]

	bidiHeader, uniHeader []byte

	mu      sync.Mutex
	over    bool
	streams map[half]struct{} // open
}

var (
	_ transport.Conn      = (*conn)(nil)
	_ transport.Requested = (*conn)(nil)
	_ transport.Traced    = (*conn)(nil)
)

// newConn makes a session on q that ends with it. It takes streams from now on,
// and datagrams from start on.
func newConn(q *quic.Conn, id quic.StreamID) *conn {
	c := &conn{
		q:          q,
		id:         id,
		received:   make(chan []byte, receivedDatagrams),
		bidi:       newQueue[transport.Stream](),
		uni:        newQueue[transport.ReceiveStream](),
		bidiHeader: streamHeader(bidiType, id),
		uniHeader:  streamHeader(uniType, id),
		streams:    make(map[half]struct{}),
	}
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(q.Context()))
	context.AfterFunc(q.Context(), func() { c.end(connectionError(context.Cause(q.Context()))) })
	return c
}

// start begins to carry datagrams, if the peer takes them.
func (c *conn) start(connect connectStream, datagrams bool) {
	c.connect = connect
	support := c.q.ConnectionState().SupportsDatagrams
	c.datagrams = quictr.NewDatagrams(c.q, datagrams && support.Local && support.Remote, quicvarint.Append(nil, uint64(c.id/4))...)
	go c.receive()
}

// receive takes datagrams from HTTP/3 until the session ends. As there, a full
// queue drops the newest.
func (c *conn) receive() {
	for {
		b, err := c.connect.ReceiveDatagram(c.ctx)
		if err != nil {
			return
		}
		select {
		case c.received <- b:
		default:
		}
	}
}

// end ends ctx, once. It returns the streams that are then to be aborted.
func (c *conn) end(cause error) (open map[half]struct{}, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil, false
	}
	c.over = true
	c.cancel(cause)
	open, c.streams = c.streams, nil
	return open, true
}

// peerEnded says that the peer's half of the CONNECT stream has ended, by which
// the session has too. It closes the connection with code, unless CloseWithError
// is about to. It is called once.
func (c *conn) peerEnded(cause error, code quic.ApplicationErrorCode) {
	_, first := c.end(cause)
	if !first {
		return
	}
	_ = c.connect.Close()
	reason := ""
	if code != codeNoError {
		reason = cause.Error()
	}
	_ = c.q.CloseWithError(code, quictr.CutReason(reason, quictr.MaxReason))
}

// CloseWithError implements transport.Conn. It returns when the peer has taken
// code and reason and closed the connection, or has had time to; of the reason,
// 1024 bytes are sent.
//
// Code and reason go out twice: in a capsule, which WebTransport wants, and in
// CONNECTION_CLOSE, which needs no credit. Between them nothing is sent that
// could overtake the capsule on its way through a browser, which answers it
// before its page has heard of it, and does not close the connection.
func (c *conn) CloseWithError(code uint64, reason string) error {
	n, reason := clampCode(code), quictr.CutReason(reason, maxReason)
	open, first := c.end(&transport.CloseError{Code: uint64(n), Reason: reason})
	if !first {
		<-c.q.Context().Done() // whoever ended it closes the connection
		return nil
	}
	told := c.connect.TryWriteAll(appendClose(nil, n, reason)) == nil && c.connect.Close() == nil
	for s := range open {
		s.abort()
	}
	if told {
		wait := time.NewTimer(c.closeWait())
		defer wait.Stop()
		select {
		case <-c.q.Context().Done():
		case <-wait.C:
		}
	}
	_ = c.q.CloseWithError(quic.ApplicationErrorCode(toHTTP(n)), quictr.CutReason(reason, quictr.MaxReason))
	return nil
}

func (c *conn) closeWait() time.Duration {
	return max(minCloseWait, min(closeTrips*c.q.ConnectionStats().SmoothedRTT, maxCloseWait))
}

// track has s aborted when the session ends, or at once if it has.
func (c *conn) track(s half) {
	c.mu.Lock()
	over := c.over
	if !over {
		c.streams[s] = struct{}{}
	}
	c.mu.Unlock()
	if over {
		s.abort()
	}
}

// untrack forgets a half that has ended.
func (c *conn) untrack(s half) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.streams, s)
}

func (c *conn) OpenStream(ctx context.Context) (transport.Stream, error) {
	return waitOpen(c, ctx, c.TryOpenStream, func(ctx context.Context) (transport.Stream, error) {
		s, err := c.q.OpenStreamSync(ctx)
		if err != nil {
			return nil, err
		}
		return c.opened(s), nil
	})
}

func (c *conn) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	return waitOpen(c, ctx, c.TryOpenUniStream, func(ctx context.Context) (transport.SendStream, error) {
		s, err := c.q.OpenUniStreamSync(ctx)
		if err != nil {
			return nil, err
		}
		return c.openedUni(s), nil
	})
}

// waitOpen waits only if it must: the end of the session has to end the wait,
// and that costs a context.
func waitOpen[S any](c *conn, ctx context.Context, try func() (S, error), wait func(context.Context) (S, error)) (S, error) {
	var none S
	if err := ended(ctx, c.ctx); err != nil {
		return none, err
	}
	s, err := try()
	if !errors.Is(err, transport.ErrNoCredit) {
		return s, err
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	if s, err = wait(waiting); err != nil {
		return none, c.openError(ctx, err)
	}
	return s, nil
}

func (c *conn) TryOpenStream() (transport.Stream, error) {
	if c.ctx.Err() != nil {
		return nil, context.Cause(c.ctx)
	}
	s, err := c.q.OpenStream()
	if err != nil {
		return nil, c.openError(c.ctx, err)
	}
	return c.opened(s), nil
}

func (c *conn) TryOpenUniStream() (transport.SendStream, error) {
	if c.ctx.Err() != nil {
		return nil, context.Cause(c.ctx)
	}
	s, err := c.q.OpenUniStream()
	if err != nil {
		return nil, c.openError(c.ctx, err)
	}
	return c.openedUni(s), nil
}

func (c *conn) opened(s *quic.Stream) transport.Stream {
	return newStream(c, nativeSender{s}, nativeReceiver{s}, c.bidiHeader)
}

func (c *conn) openedUni(s *quic.SendStream) transport.SendStream {
	return newSendStream(c, nativeSender{s}, c.uniHeader)
}

func (c *conn) AcceptStream(ctx context.Context) (transport.Stream, error) {
	return c.bidi.pop(ctx, c.ctx)
}

func (c *conn) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	return c.uni.pop(ctx, c.ctx)
}

func (c *conn) SendDatagram(b []byte) error {
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	err := c.datagrams.SendDatagram(b)
	if err == nil || err == transport.ErrDatagramDropped || err == transport.ErrDatagramTooLarge {
		return err
	}
	<-c.ctx.Done() // the connection has ended
	return context.Cause(c.ctx)
}

func (c *conn) MaxDatagramSize() int { return c.datagrams.MaxDatagramSize() }

func (c *conn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	if err := ended(ctx, c.ctx); err != nil {
		return nil, err
	}
	select {
	case b := <-c.received:
		return b, nil
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
	return nil, ended(ctx, c.ctx)
}

func (c *conn) Context() context.Context { return c.ctx }
func (c *conn) Protocol() string         { return c.protocol }
func (c *conn) Kind() transport.Kind     { return transport.WebTransport }
func (c *conn) LocalAddr() net.Addr      { return c.q.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr     { return c.q.RemoteAddr() }

// Requested implements transport.Requested.
func (c *conn) Requested() (authority, path string) { return c.authority, c.path }

// Trace implements transport.Traced: the trace is that of the QUIC connection.
func (c *conn) Trace() transport.Trace { return quictr.TraceOf(c.q) }

func (c *conn) Stats() transport.Stats {
	s := quictr.PathStats(c.q)
	s.DatagramsDropped = c.datagrams.Dropped()
	return s
}
