package wttr

import (
	"io"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// How streams of a session begin: one of these, and the ID of the session.
const (
	bidiType = 0x41
	uniType  = 0x54
)

// maxHeader is the length of the longest stream header.
const maxHeader = 2 + 8

// streamHeader returns the header of streams of the session.
func streamHeader(typ uint64, session quic.StreamID) []byte {
	return quicvarint.Append(quicvarint.Append(make([]byte, 0, maxHeader), typ), uint64(session))
}

// readHeader reads a stream header whose first integer is typ.
func readHeader(r io.Reader) (session quic.StreamID, err error) {
	b := quicvarint.NewReader(r)
	if _, err := quicvarint.Read(b); err != nil {
		return 0, err
	}
	id, err := quicvarint.Read(b)
	return quic.StreamID(id), err
}

// validSession says whether a session can have that ID: it is that of its
// CONNECT request, a bidirectional stream of the client.
func validSession(id quic.StreamID) bool { return id%4 == 0 }
