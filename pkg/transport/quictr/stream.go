package quictr

import (
	"context"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/pkg/transport"
)

// quicSender is what *quic.Stream and *quic.SendStream share.
type quicSender interface {
	Write(b []byte) (int, error)
	Close() error
	CancelWrite(code quic.StreamErrorCode)
	SetReliableBoundary()
	SetPriority(urgency int8, incremental bool)
	SetWriteDeadline(t time.Time) error
	Context() context.Context
	StreamID() quic.StreamID
}

// sendStream is a writing half.
type sendStream struct {
	q    quicSender
	once sync.Once
	ctx  context.Context // made by Context
}

// What SetPriority takes; quic-go has eight levels.
const (
	firstUrgency = 0
	lastUrgency  = 7
)

// StreamID implements transport.Identified.
func (s *sendStream) StreamID() uint64 { return uint64(s.q.StreamID()) }

func (s *sendStream) Write(b []byte) (int, error) {
	n, err := s.q.Write(b)
	if err != nil {
		err = Translate(err)
	}
	return n, err
}

func (s *sendStream) Close() error {
	if s.q.Close() == nil {
		return nil
	}
	// quic-go says only that the stream was cancelled, its context says why.
	return Translate(context.Cause(s.q.Context()))
}

func (s *sendStream) CancelWrite(code uint64) { s.q.CancelWrite(quic.StreamErrorCode(code)) }
func (s *sendStream) SetReliableBoundary()    { s.q.SetReliableBoundary() }

func (s *sendStream) SetPriority(urgency int, incremental bool) {
	s.q.SetPriority(int8(max(firstUrgency, min(urgency, lastUrgency))), incremental)
}

func (s *sendStream) SetWriteDeadline(t time.Time) error {
	return Translate(s.q.SetWriteDeadline(t))
}

// Context implements transport.SendStream. Most streams never need one, so it
// is made when asked for.
func (s *sendStream) Context() context.Context {
	s.once.Do(func() {
		q := s.q.Context()
		ctx, cancel := context.WithCancelCause(context.WithoutCancel(q))
		end := func() { cancel(Translate(context.Cause(q))) }
		if q.Err() != nil {
			end()
		} else {
			context.AfterFunc(q, end)
		}
		s.ctx = ctx
	})
	return s.ctx
}

// quicReceiver is what *quic.Stream and *quic.ReceiveStream share.
type quicReceiver interface {
	Read(b []byte) (int, error)
	CancelRead(code quic.StreamErrorCode)
	SetReadDeadline(t time.Time) error
	StreamID() quic.StreamID
}

// receiveStream is a reading half.
type receiveStream struct{ q quicReceiver }

// StreamID implements transport.Identified.
func (s receiveStream) StreamID() uint64 { return uint64(s.q.StreamID()) }

func (s receiveStream) Read(b []byte) (int, error) {
	n, err := s.q.Read(b)
	if err != nil {
		err = Translate(err)
	}
	return n, err
}

func (s receiveStream) CancelRead(code uint64) { s.q.CancelRead(quic.StreamErrorCode(code)) }

func (s receiveStream) SetReadDeadline(t time.Time) error {
	return Translate(s.q.SetReadDeadline(t))
}

// stream is both halves.
type stream struct {
	sendStream
	receiveStream
}

func newStream(q *quic.Stream) *stream {
	return &stream{sendStream: sendStream{q: q}, receiveStream: receiveStream{q}}
}

// StreamID implements transport.Identified.
func (s *stream) StreamID() uint64 { return s.sendStream.StreamID() }

var (
	_ transport.Stream        = (*stream)(nil)
	_ transport.SendStream    = (*sendStream)(nil)
	_ transport.ReceiveStream = receiveStream{}
)
