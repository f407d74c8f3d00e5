package wttr

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"

	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
)

// closeCapsule ends a session (draft-ietf-webtrans-http3 section 5):
//
//	type 0x2843, length, code (32), reason (UTF-8)
const closeCapsule http3.CapsuleType = 0x2843

// maxReason is how many bytes a reason may have there.
const maxReason = 1024

// errCapsule says that the peer breaks the capsule protocol (RFC 9297).
var errCapsule = errors.New("malformed capsule")

// appendClose appends the capsule that ends a session.
func appendClose(b []byte, code uint32, reason string) []byte {
	reason = quictr.CutReason(reason, maxReason)
	b = quicvarint.Append(b, uint64(closeCapsule))
	b = quicvarint.Append(b, uint64(4+len(reason)))
	b = binary.BigEndian.AppendUint32(b, code)
	return append(b, reason...)
}

// readCapsules reads the CONNECT stream until it ends, or until a capsule says
// that the session does, and returns that as a *CloseError. Other capsules, as
// those that announce draining or credit that nobody asked for, are skipped,
// however long. An error that wraps errCapsule is the peer's fault.
func readCapsules(r io.Reader) error {
	p := http3.NewCapsuleParser(r)
	for {
		typ, body, err := p.Next()
		if err == nil {
			if typ == closeCapsule {
				return readClose(body)
			}
			err = body.Discard()
		}
		if err == io.ErrUnexpectedEOF {
			return fmt.Errorf("%w: cut off", errCapsule)
		}
		if err != nil {
			return err
		}
	}
}

// readClose reads the body of a close capsule. What exceeds maxReason is left
// unread: nothing that comes after it matters.
func readClose(body io.Reader) error {
	var code [4]byte
	if _, err := io.ReadFull(body, code[:]); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return fmt.Errorf("%w: no close code", errCapsule)
		}
		return err
	}
	reason, err := io.ReadAll(io.LimitReader(body, maxReason))
	if err != nil && err != io.ErrUnexpectedEOF {
		return err
	}
	return &transport.CloseError{
		Code:   uint64(binary.BigEndian.Uint32(code[:])),
		Reason: strings.ToValidUTF8(string(reason), "\uFFFD"),
		Remote: true,
	}
}
