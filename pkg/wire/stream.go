package wire

import (
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// Types of unidirectional streams and datagrams (sections 3.4, 11.3 to 11.5).
// Those of subgroups and object datagrams are sets of bits.
const (
	StreamTypeControl   uint64 = 0x2F00
	StreamTypeFetch     uint64 = 0x05
	StreamTypePadding   uint64 = 0x132B3E28
	DatagramTypePadding uint64 = 0x132B3E29
)

// UniKind says what a unidirectional stream is by its first integer.
type UniKind uint8

// Kinds of unidirectional streams.
const (
	UniControl UniKind = iota + 1
	UniSubgroup
	UniFetch
	UniPadding
)

// UniStreamKind returns the kind of a unidirectional stream of the given type.
// A type that the draft does not define is a *ParseError. Up to draft 16 there
// are neither control nor padding streams of this form.
func UniStreamKind(d model.Draft, typ uint64) (UniKind, error) {
	switch {
	case typ == StreamTypeFetch:
		return UniFetch, nil
	case validSubgroupType(d, typ):
		return UniSubgroup, nil
	case d > 16 && typ == StreamTypeControl:
		return UniControl, nil
	case d > 16 && typ == StreamTypePadding:
		return UniPadding, nil
	}
	return 0, &ParseError{Message: fmt.Sprintf("stream 0x%x", typ), Err: errUnknownType, Code: model.ProtocolViolation}
}

// AppendPaddingStream appends a padding stream, or the beginning of one, of n
// zero bytes after its type (section 11.5.1).
func AppendPaddingStream(b []byte, d model.Draft, n int) []byte {
	return append(VarintKind(d).Append(b, StreamTypePadding), make([]byte, n)...)
}

// AppendPaddingDatagram appends a padding datagram of n zero bytes after its
// type (section 11.5.2).
func AppendPaddingDatagram(b []byte, d model.Draft, n int) []byte {
	return append(VarintKind(d).Append(b, DatagramTypePadding), make([]byte, n)...)
}

// streamError returns what stopped the reading of a field at the front of a
// stream: varint.ErrTruncated as it is, anything else with its place.
func streamError(message, field string, r *varint.Reader) error {
	err := r.Err()
	if err == nil || err == varint.ErrTruncated {
		return err
	}
	return violation(message, field, r.Offset(), err)
}

func violation(message, field string, offset int, err error) *ParseError {
	return &ParseError{Message: message, Field: field, Offset: offset, Err: err, Code: model.ProtocolViolation}
}
