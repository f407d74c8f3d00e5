package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Kind says what carries a connection.
type Kind string

// The carriers.
const (
	QUIC         Kind = "quic"
	WebTransport Kind = "wt"
	Memory       Kind = "mem"
	QMUX         Kind = "qmux"
)

// Errors of Conn and its streams. Test with errors.Is.
var (
	// ErrStreamClosed is what Write says after Close, and the cause of the
	// stream's context then.
	ErrStreamClosed = errors.New("stream closed for writing")
	// ErrNoCredit says that the peer allows no further stream for now.
	ErrNoCredit = errors.New("no stream credit")
	// ErrDatagramDropped says that the send queue was full.
	ErrDatagramDropped = errors.New("datagram dropped: send queue full")
	// ErrDatagramTooLarge says that a datagram exceeds what the path carries.
	ErrDatagramTooLarge = errors.New("datagram too large")
	// ErrIdle is the cause of a connection that went silent.
	ErrIdle = errors.New("connection timed out: the peer stopped answering")
)

// CloseError is the cause of a connection that one side closed.
type CloseError struct {
	Code   uint64
	Reason string
	Remote bool
}

// Error names side, code and reason.
func (e *CloseError) Error() string {
	side := "locally"
	if e.Remote {
		side = "by the peer"
	}
	return fmt.Sprintf("connection closed %s with code 0x%x %q", side, e.Code, e.Reason)
}

// Unwrap makes errors.Is(err, net.ErrClosed) true.
func (e *CloseError) Unwrap() error { return net.ErrClosed }

// StreamError says that a stream was cancelled: our reading or writing by us
// (Remote false), or by the peer's RESET_STREAM or STOP_SENDING (Remote true).
type StreamError struct {
	Code   uint64
	Remote bool
}

// Error names side and code.
func (e *StreamError) Error() string {
	side := "locally"
	if e.Remote {
		side = "by the peer"
	}
	return fmt.Sprintf("stream cancelled %s with code 0x%x", side, e.Code)
}

// SendStream is the writing half of a stream.
type SendStream interface {
	// Write blocks until flow control has taken all of b.
	io.Writer
	// Close sends FIN after what was written; never call CancelWrite after it.
	// For a stream that was cancelled it returns the *StreamError.
	io.Closer
	// CancelWrite resets the stream. Data that was not delivered is lost,
	// except what lies before the reliable boundary.
	CancelWrite(code uint64)
	// SetReliableBoundary makes everything written so far arrive even if the
	// stream is reset later, where the peer can do that (RESET_STREAM_AT).
	SetReliableBoundary()
	// SetPriority sets the urgency, 0 (first) to 7. Streams of equal urgency
	// share the link if incremental, else the lowest stream ID goes first.
	SetPriority(urgency int, incremental bool)
	// SetWriteDeadline makes Write fail with os.ErrDeadlineExceeded from t on.
	SetWriteDeadline(t time.Time) error
	// Context ends when the writing half is closed, reset or refused; the
	// cause is then ErrStreamClosed, a *StreamError or the connection's cause.
	Context() context.Context
}

// ReceiveStream is the reading half of a stream.
type ReceiveStream interface {
	// Read returns io.EOF after FIN.
	io.Reader
	// CancelRead asks the peer to stop sending.
	CancelRead(code uint64)
	// SetReadDeadline makes Read fail with os.ErrDeadlineExceeded from t on.
	SetReadDeadline(t time.Time) error
}

// Stream is a bidirectional stream.
type Stream interface {
	SendStream
	ReceiveStream
}

// Conn is one connection between two MoQT endpoints.
//
// When it ends, everything that waits on it or on its streams fails, with an error
// that wraps net.ErrClosed or is ErrIdle; only then, too. Context ends at the same
// time, which may be a moment later.
type Conn interface {
	// OpenStream and OpenUniStream wait until the peer grants a stream.
	OpenStream(ctx context.Context) (Stream, error)
	OpenUniStream(ctx context.Context) (SendStream, error)
	// TryOpenUniStream fails with ErrNoCredit instead of waiting.
	TryOpenUniStream() (SendStream, error)
	// TryOpenStream fails with ErrNoCredit instead of waiting.
	TryOpenStream() (Stream, error)

	AcceptStream(ctx context.Context) (Stream, error)
	AcceptUniStream(ctx context.Context) (ReceiveStream, error)

	// SendDatagram never blocks. It copies b. See ErrDatagramDropped and
	// ErrDatagramTooLarge.
	SendDatagram(b []byte) error
	// MaxDatagramSize is the largest b that SendDatagram takes at present, 0
	// if the peer takes none.
	MaxDatagramSize() int
	ReceiveDatagram(ctx context.Context) ([]byte, error)

	// CloseWithError closes the connection and all its streams at once.
	CloseWithError(code uint64, reason string) error
	// Context ends with the connection. Its cause is a *CloseError, ErrIdle,
	// or what the network said.
	Context() context.Context

	// Protocol is the application protocol that was negotiated: "moqt-18".
	Protocol() string
	Kind() Kind
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
	Stats() Stats
}

// Requested is implemented by connections whose carrier says what the client
// asked for: WebTransport, by :authority and :path of its CONNECT request.
type Requested interface {
	// Requested returns what the client asked for, on both sides; path is with
	// query.
	Requested() (authority, path string)
}

// Identified is implemented by streams whose carrier counts them as QUIC does
// (RFC 9000, section 2.1): those of all carriers of this module.
type Identified interface {
	// StreamID is the same on both sides.
	StreamID() uint64
}

// Stats describes the path of a connection; fields that a carrier cannot tell
// are zero.
type Stats struct {
	RTT              time.Duration
	CongestionWindow int // bytes
	BytesSent        uint64
	BytesReceived    uint64
	PacketsSent      uint64
	PacketsLost      uint64
	DatagramsDropped uint64 // refused by SendDatagram
}
