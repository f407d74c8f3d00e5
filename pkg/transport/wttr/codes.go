package wttr

import (
	"math"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// Codes that HTTP/3 and WebTransport use on QUIC streams and connections.
const (
	// firstCode and lastCode bound the HTTP/3 codes that stand for codes of
	// the application; every 0x1f-th is left out, since HTTP/3 reserves it.
	firstCode = 0x52e4a40fa8db
	lastCode  = 0x52e5ac983162
	// codeStride is how many codes lie between two that are reserved.
	codeStride = 0x1e

	// codeSessionGone is for streams whose session has ended.
	codeSessionGone = 0x170d7b68
	// codeStreamRejected is for streams that belong to no session.
	codeStreamRejected = 0x3994bd84

	codeNoError   = quic.ApplicationErrorCode(http3.ErrCodeNoError)
	codeIDError   = quic.ApplicationErrorCode(http3.ErrCodeIDError)
	codeCapsule   = quic.ApplicationErrorCode(http3.ErrCodeDatagramError)
	codeCancelled = quic.StreamErrorCode(http3.ErrCodeRequestCanceled)
)

// unknownCode stands for a stream code that no application can have sent: in
// MoQT it means an internal error.
const unknownCode = 0

// clampCode makes a code of MoQT one of WebTransport, which has 32 bits.
func clampCode(code uint64) uint32 { return uint32(min(code, math.MaxUint32)) }

// toHTTP returns the HTTP/3 code for a code of the application.
func toHTTP(code uint32) uint64 {
	return firstCode + uint64(code) + uint64(code/codeStride)
}

// fromHTTP is the reverse of toHTTP; !ok if h is no code of the application.
func fromHTTP(h uint64) (code uint32, ok bool) {
	if h < firstCode || h > lastCode || (h-0x21)%(codeStride+1) == 0 {
		return 0, false
	}
	n := h - firstCode
	return uint32(n - n/(codeStride+1)), true
}
