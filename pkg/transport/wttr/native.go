package wttr

import (
	"context"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/webtransport-go"
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

// nativeSender is a writing half of QUIC, with the codes mapped.
type nativeSender struct{ quicSender }

func (s nativeSender) CancelWrite(code uint32) {
	s.quicSender.CancelWrite(quic.StreamErrorCode(toHTTP(code)))
}

func (s nativeSender) abort() { _ = s.quicSender.SetWriteDeadline(past) }

// quicReceiver is what *quic.Stream and *quic.ReceiveStream share.
type quicReceiver interface {
	Read(b []byte) (int, error)
	CancelRead(code quic.StreamErrorCode)
	SetReadDeadline(t time.Time) error
	StreamID() quic.StreamID
}

// nativeReceiver is a reading half of QUIC, with the codes mapped.
type nativeReceiver struct{ quicReceiver }

func (s nativeReceiver) CancelRead(code uint32) {
	s.quicReceiver.CancelRead(quic.StreamErrorCode(toHTTP(code)))
}

func (s nativeReceiver) abort() { _ = s.quicReceiver.SetReadDeadline(past) }

// past is a deadline that has passed. When a session ends, those who read and
// write its streams are woken by it; the end of the connection, which follows,
// ends the streams. They are not reset: Chromium 156 loses the code of the
// session, or the whole page, when resets come with it.
var past = time.Unix(1, 0)

// acceptedSender is the writing half of a stream that webtransport-go accepted.
// It has no priority and no boundary: webtransport-go keeps those to itself.
// What a relay answers on such streams is short.
type acceptedSender struct{ *webtransport.Stream }

func (s acceptedSender) CancelWrite(code uint32) {
	s.Stream.CancelWrite(webtransport.StreamErrorCode(code))
}
func (acceptedSender) SetReliableBoundary()   {}
func (acceptedSender) SetPriority(int8, bool) {}
func (s acceptedSender) abort()               { _ = s.Stream.SetWriteDeadline(past) }

// acceptedReceiver is a reading half that webtransport-go accepted.
type acceptedReceiver struct{ upstreamReceiver }

// upstreamReceiver is what *webtransport.Stream and *webtransport.ReceiveStream
// share.
type upstreamReceiver interface {
	Read(b []byte) (int, error)
	CancelRead(code webtransport.StreamErrorCode)
	SetReadDeadline(t time.Time) error
	StreamID() quic.StreamID
}

func (s acceptedReceiver) CancelRead(code uint32) {
	s.upstreamReceiver.CancelRead(webtransport.StreamErrorCode(code))
}
func (s acceptedReceiver) abort() { _ = s.upstreamReceiver.SetReadDeadline(past) }

var (
	_ sender   = nativeSender{}
	_ sender   = acceptedSender{}
	_ receiver = nativeReceiver{}
	_ receiver = acceptedReceiver{}
)
