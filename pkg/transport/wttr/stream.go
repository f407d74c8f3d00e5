package wttr

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/pkg/transport"
)

// sender is a writing half below ours, with codes of the application.
type sender interface {
	Write(b []byte) (int, error)
	Close() error
	CancelWrite(code uint32)
	SetReliableBoundary()
	SetPriority(urgency int8, incremental bool)
	SetWriteDeadline(t time.Time) error
	Context() context.Context
	StreamID() quic.StreamID
	// abort ends the half because its session has ended.
	abort()
}

// receiver is a reading half below ours.
type receiver interface {
	Read(b []byte) (int, error)
	CancelRead(code uint32)
	SetReadDeadline(t time.Time) error
	StreamID() quic.StreamID
	abort()
}

// What SetPriority takes; quic-go has eight levels.
const (
	firstUrgency = 0
	lastUrgency  = 7
)

// together is how many bytes of a first Write go out with the header of the
// stream in one piece. It and the header fit the one packet that quic-go copies
// without waiting.
const together = 1024

// pieces holds *[]byte for the first piece of a stream; quic-go copies it.
var pieces = sync.Pool{New: func() any { b := make([]byte, 0, together+maxHeader); return &b }}

// sendStream is a writing half. If we opened the stream, its header goes out
// with the first data, or when it ends, so that no packet holds only a header.
type sendStream struct {
	c *conn
	q sender

	announced atomic.Bool // the header, if any, is written
	mu        sync.Mutex  // held while it is
	header    []byte

	done atomic.Bool // not in c.streams any more
	once sync.Once
	ctx  context.Context // made by Context
}

func newSendStream(c *conn, q sender, header []byte) *sendStream {
	s := &sendStream{}
	s.init(c, q, header)
	return s
}

func (s *sendStream) init(c *conn, q sender, header []byte) {
	s.c, s.q, s.header = c, q, header
	s.announced.Store(len(header) == 0)
	c.track(s)
}

// StreamID implements transport.Identified: it is that of QUIC.
func (s *sendStream) StreamID() uint64 { return uint64(s.q.StreamID()) }

func (s *sendStream) Write(b []byte) (int, error) {
	var n int
	if !s.announced.Load() && len(b) > 0 {
		var err error
		if n, err = s.announce(b); err != nil {
			return n, s.failed(err)
		}
		if n == len(b) {
			return n, nil
		}
	}
	more, err := s.q.Write(b[n:])
	if err != nil {
		return n + more, s.failed(err)
	}
	return n + more, nil
}

// announce writes the header, with b if that is short, and returns how much of
// b that was. It never waits: it is the first Write of the stream, and quic-go
// copies a piece of that size.
func (s *sendStream) announce(b []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.announced.Load() {
		return 0, nil
	}
	if len(b) <= together {
		n = len(b)
	}
	p := pieces.Get().(*[]byte)
	defer pieces.Put(p)
	*p = append(append((*p)[:0], s.header...), b[:n]...)
	if _, err := s.q.Write(*p); err != nil {
		return 0, err
	}
	// Without its header the peer could not tell whose reset it sees.
	s.q.SetReliableBoundary()
	s.announced.Store(true)
	return n, nil
}

// finish writes the header of a stream that ends.
func (s *sendStream) finish() {
	if !s.announced.Load() {
		_ = s.q.SetWriteDeadline(time.Time{}) // one that has passed would keep the header back
		_, _ = s.announce(nil)
	}
	s.leave()
}

// leave forgets a half that has ended.
func (s *sendStream) leave() {
	if !s.done.Swap(true) {
		s.c.untrack(s)
	}
}

// failed translates the error of a Write.
func (s *sendStream) failed(err error) error {
	if !isDeadline(err) {
		s.leave()
	}
	return s.c.streamError(err)
}

func (s *sendStream) Close() error {
	s.finish()
	if s.q.Close() == nil {
		return nil
	}
	// quic-go says only that the stream was cancelled, its context says why.
	return s.c.streamError(context.Cause(s.q.Context()))
}

func (s *sendStream) CancelWrite(code uint64) {
	if s.c.ctx.Err() != nil {
		s.leave()
		s.abort()
		return
	}
	s.finish()
	s.q.CancelWrite(clampCode(code))
}

func (s *sendStream) SetReliableBoundary() {
	if !s.announced.Load() {
		_, _ = s.announce(nil)
	}
	s.q.SetReliableBoundary()
}

func (s *sendStream) SetPriority(urgency int, incremental bool) {
	s.q.SetPriority(int8(max(firstUrgency, min(urgency, lastUrgency))), incremental)
}

func (s *sendStream) SetWriteDeadline(t time.Time) error {
	if s.c.ctx.Err() != nil {
		return context.Cause(s.c.ctx) // abort may have set one
	}
	return s.q.SetWriteDeadline(t)
}

// Context implements transport.SendStream. Most streams never need one, so it
// is made when asked for.
func (s *sendStream) Context() context.Context {
	s.once.Do(func() {
		q := s.q.Context()
		ctx, cancel := context.WithCancelCause(context.WithoutCancel(q))
		end := func() {
			cancel(s.c.streamError(context.Cause(q)))
			s.leave()
		}
		// Who asks late should not have to wait for the answer, unless that
		// is still on its way.
		if q.Err() != nil && !sessionGone(context.Cause(q)) {
			end()
		} else {
			context.AfterFunc(q, end)
		}
		s.ctx = ctx
	})
	return s.ctx
}

func (s *sendStream) abort() { s.q.abort() }

// receiveStream is a reading half.
type receiveStream struct {
	c    *conn
	q    receiver
	done atomic.Bool // not in c.streams any more
}

func newReceiveStream(c *conn, q receiver) *receiveStream {
	s := &receiveStream{}
	s.init(c, q)
	return s
}

func (s *receiveStream) init(c *conn, q receiver) {
	s.c, s.q = c, q
	c.track(s)
}

// StreamID implements transport.Identified: it is that of QUIC.
func (s *receiveStream) StreamID() uint64 { return uint64(s.q.StreamID()) }

func (s *receiveStream) Read(b []byte) (int, error) {
	n, err := s.q.Read(b)
	if err != nil {
		if !isDeadline(err) {
			s.leave()
		}
		err = s.c.streamError(err)
	}
	return n, err
}

func (s *receiveStream) leave() {
	if !s.done.Swap(true) {
		s.c.untrack(s)
	}
}

func (s *receiveStream) CancelRead(code uint64) {
	s.leave()
	if s.c.ctx.Err() != nil {
		s.abort()
		return
	}
	s.q.CancelRead(clampCode(code))
}

func (s *receiveStream) SetReadDeadline(t time.Time) error {
	if s.c.ctx.Err() != nil {
		return context.Cause(s.c.ctx)
	}
	return s.q.SetReadDeadline(t)
}

func (s *receiveStream) abort() { s.q.abort() }

// stream is both halves.
type stream struct {
	sendStream
	receiveStream
}

func newStream(c *conn, out sender, in receiver, header []byte) *stream {
	s := &stream{}
	s.sendStream.init(c, out, header)
	s.receiveStream.init(c, in)
	return s
}

// StreamID implements transport.Identified.
func (s *stream) StreamID() uint64 { return s.sendStream.StreamID() }

var (
	_ transport.Stream        = (*stream)(nil)
	_ transport.SendStream    = (*sendStream)(nil)
	_ transport.ReceiveStream = (*receiveStream)(nil)
)
