package qmuxtr

import (
	"errors"
	"fmt"
	"net"
)

// ErrorCode is a transport error code (RFC 9000, section 20.1).
type ErrorCode uint64

// The codes that QMux uses.
const (
	NoError                 ErrorCode = 0x0
	InternalError           ErrorCode = 0x1
	ConnectionRefused       ErrorCode = 0x2
	FlowControlError        ErrorCode = 0x3
	StreamLimitError        ErrorCode = 0x4
	StreamStateError        ErrorCode = 0x5
	FinalSizeError          ErrorCode = 0x6
	FrameEncodingError      ErrorCode = 0x7
	TransportParameterError ErrorCode = 0x8
	ProtocolViolation       ErrorCode = 0xa
)

var codeNames = map[ErrorCode]string{
	NoError:                 "NO_ERROR",
	InternalError:           "INTERNAL_ERROR",
	ConnectionRefused:       "CONNECTION_REFUSED",
	FlowControlError:        "FLOW_CONTROL_ERROR",
	StreamLimitError:        "STREAM_LIMIT_ERROR",
	StreamStateError:        "STREAM_STATE_ERROR",
	FinalSizeError:          "FINAL_SIZE_ERROR",
	FrameEncodingError:      "FRAME_ENCODING_ERROR",
	TransportParameterError: "TRANSPORT_PARAMETER_ERROR",
	ProtocolViolation:       "PROTOCOL_VIOLATION",
}

// String returns the name in RFC 9000, or the number.
func (c ErrorCode) String() string {
	if name := codeNames[c]; name != "" {
		return name
	}
	return fmt.Sprintf("0x%x", uint64(c))
}

// TransportError is the cause of a connection that ended because one side
// broke the rules of QMux: the peer (Remote false: we noticed and closed), or
// we in the peer's opinion (Remote true).
type TransportError struct {
	Code      ErrorCode
	FrameType uint64 // of the frame at fault, 0 if unknown
	Reason    string
	Remote    bool
}

// Error names side, code and reason.
func (e *TransportError) Error() string {
	side := "locally"
	if e.Remote {
		side = "by the peer"
	}
	return fmt.Sprintf("QMux connection closed %s with %v %q", side, e.Code, e.Reason)
}

// Unwrap makes errors.Is(err, net.ErrClosed) true.
func (e *TransportError) Unwrap() error { return net.ErrClosed }

// violation is what the peer did wrong.
func violation(code ErrorCode, frameType uint64, format string, args ...any) *TransportError {
	return &TransportError{Code: code, FrameType: frameType, Reason: fmt.Sprintf(format, args...)}
}

// Errors of Dial, besides those of TLS. Test with errors.Is.
var (
	// ErrNoAnswer says that nothing at the address answered in time.
	ErrNoAnswer = errors.New("no answer")
	// ErrNoProtocol says that the peer speaks none of the offered protocols.
	ErrNoProtocol = errors.New("the peer speaks none of the offered protocols")
	// ErrRefused says that no program listens at the address.
	ErrRefused = errors.New("the peer refuses the connection")
)

// errEOF is the cause of a connection whose peer left without a word.
var errEOF = fmt.Errorf("the peer ended the TCP connection without saying why: %w", net.ErrClosed)
