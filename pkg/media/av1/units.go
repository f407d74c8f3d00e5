package av1

import (
	"fmt"
	"iter"
)

// Types of OBUs (section 6.2.2).
const (
	TypeSequence    = 1
	TypeDelimiter   = 2
	TypeFrameHeader = 3
	TypeFrame       = 6
	TypePadding     = 15
)

// maxSizeLen is the largest leb128 number in bytes (section 4.10.5).
const maxSizeLen = 8

// keyFrame is the frame_type KEY_FRAME (section 6.8.2).
const keyFrame = 0

// Unit is an open bitstream unit (section 5.3).
type Unit struct {
	Type    int
	Payload []byte // without header and size
}

// Units goes through the OBUs of a sample or of a configuration. Their payloads
// alias b. An OBU without a size reaches to the end. After an error nothing
// follows.
func Units(b []byte) iter.Seq2[Unit, error] {
	return func(yield func(Unit, error) bool) {
		for at := 0; at < len(b); {
			u, n, err := parseUnit(b[at:])
			if err != nil {
				yield(Unit{}, fmt.Errorf("the OBU at byte %d of %d: %w", at, len(b), err))
				return
			}
			if !yield(u, nil) {
				return
			}
			at += n
		}
	}
}

// parseUnit reads one OBU and returns its size with header.
//
//	forbidden (1) type (4) extension (1) has_size (1) reserved (1), extension byte, size (leb128), payload
func parseUnit(b []byte) (Unit, int, error) {
	if len(b) == 0 {
		return Unit{}, 0, errTruncated
	}
	if b[0]&0x80 != 0 {
		return Unit{}, 0, errForbidden
	}
	u, at := Unit{Type: int(b[0] >> 3 & 0xf)}, 1
	if b[0]&4 != 0 {
		at++
	}
	if at > len(b) {
		return Unit{}, 0, errTruncated
	}
	if b[0]&2 == 0 {
		u.Payload = b[at:len(b):len(b)]
		return u, len(b), nil
	}
	size, n, err := parseSize(b[at:])
	at += n
	if err == nil && size > uint64(len(b)-at) {
		err = errTruncated
	}
	if err != nil {
		return Unit{}, 0, err
	}
	end := at + int(size) // fits: it is within b
	u.Payload = b[at:end:end]
	return u, end, nil
}

// parseSize reads a leb128 number, of seven bits a byte, the lowest first.
func parseSize(b []byte) (size uint64, n int, err error) {
	for n < maxSizeLen {
		if n == len(b) {
			return 0, n, errTruncated
		}
		c := b[n]
		size |= uint64(c&0x7f) << (7 * n)
		n++
		if c&0x80 == 0 {
			return size, n, nil
		}
	}
	return 0, n, fmt.Errorf("a size of more than %d bytes", maxSizeLen)
}

// appendUnit writes an OBU with its size and without extension behind b.
func appendUnit(b []byte, kind int, payload []byte) []byte {
	b = append(b, byte(kind)<<3|2)
	size := len(payload)
	for ; size > 0x7f; size >>= 7 {
		b = append(b, byte(size)|0x80)
	}
	return append(append(b, byte(size)), payload...)
}

// IsKey reports whether decoding can begin at a sample: it has a sequence header,
// and its first frame is a shown key frame (AV1 in ISOBMFF section 2.5). A broken
// sample is none.
func IsKey(sample []byte) bool {
	sequence, still := false, false
	for u, err := range Units(sample) {
		if err != nil {
			return false
		}
		switch u.Type {
		case TypeSequence:
			s, err := ParseSequence(u.Payload)
			if err != nil {
				return false
			}
			sequence, still = true, s.reducedStill
		case TypeFrameHeader, TypeFrame:
			if !sequence {
				return false
			}
			// show_existing_frame (1), frame_type (2), show_frame (1); a reduced
			// still picture is always a shown key frame (section 5.9.2).
			r := bitReader{b: u.Payload}
			key := !r.flag() && r.u(2) == keyFrame && r.flag()
			return r.err == nil && (still || key)
		}
	}
	return false
}
