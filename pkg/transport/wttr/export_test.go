package wttr

import (
	"bytes"
	"io"
	"net/http"

	"github.com/quic-go/quic-go"
)

// For tests of the parsers.
var (
	ToHTTP          = toHTTP
	FromHTTP        = fromHTTP
	ClampCode       = clampCode
	ParseProtocols  = parseProtocols
	ParseLoosely    = parseLoosely
	FormatProtocols = formatProtocols
	Chosen          = chosen
	NamesFor        = namesFor
	AppendClose     = appendClose
	ErrCapsule      = errCapsule
	ConnectionError = connectionError
)

// Limits and names for tests.
const (
	MaxReason      = maxReason
	MaxOffered     = maxOffered
	MaxHeaderBytes = maxHeaderBytes
	RequestTimeout = requestTimeout
	ReorderTimeout = reorderTimeout
	MinCloseWait   = minCloseWait
	MaxCloseWait   = maxCloseWait
	MaxRefusal     = maxRefusal
	OfferField     = offerField
	ChoiceField    = choiceField
)

// ReadCapsules reads b as a CONNECT stream.
func ReadCapsules(r io.Reader) error { return readCapsules(r) }

// ReadHeader reads b as a stream header.
func ReadHeader(b []byte) (uint64, error) {
	id, err := readHeader(bytes.NewReader(b))
	return uint64(id), err
}

// StreamHeader is the header of a unidirectional stream.
func StreamHeader(session uint64) []byte { return streamHeader(uniType, quic.StreamID(session)) }

// SetOffer sets the header field of a request.
func SetOffer(h http.Header, field string) { h.Set(offerField, field) }
