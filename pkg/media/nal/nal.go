package nal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
)

// ErrTruncated says that a NAL unit is longer than what is left of its sample.
var ErrTruncated = errors.New("truncated")

// Units goes through the NAL units of a length-prefixed sample (ISO/IEC 14496-15
// sections 5.3.4.2 and 8.3.4.2); lengthSize is 1, 2 or 4. The units alias the sample; empty
// ones are left out. After an error nothing follows.
func Units(sample []byte, lengthSize int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for at := 0; at < len(sample); {
			rest := sample[at:]
			size, ok := length(rest, lengthSize)
			if !ok || size > uint64(len(rest)-lengthSize) {
				yield(nil, fmt.Errorf("the NAL unit at byte %d of %d: %w", at, len(sample), ErrTruncated))
				return
			}
			end := lengthSize + int(size) // fits: it is within the sample
			if size > 0 && !yield(rest[lengthSize:end:end], nil) {
				return
			}
			at += end
		}
	}
}

// length reads the length before a NAL unit.
func length(b []byte, size int) (uint64, bool) {
	if len(b) < size {
		return 0, false
	}
	switch size {
	case 1:
		return uint64(b[0]), true
	case 2:
		return uint64(binary.BigEndian.Uint16(b)), true
	case 4:
		return uint64(binary.BigEndian.Uint32(b)), true
	}
	return 0, false
}

// Relength appends to b a sample whose NAL units have lengths of lengthSize
// bytes as one where they have four.
func Relength(b, sample []byte, lengthSize int) ([]byte, error) {
	for nal, err := range Units(sample, lengthSize) {
		if err != nil {
			return nil, err
		}
		b = AppendLengths(b, nal)
	}
	return b, nil
}

// AppendLengths appends NAL units to b, each behind its length in four bytes.
func AppendLengths(b []byte, units ...[]byte) []byte {
	for _, nal := range units {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(nal))), nal...)
	}
	return b
}

// AppendAnnexB appends NAL units to b, each behind a start code of four bytes.
func AppendAnnexB(b []byte, units ...[]byte) []byte {
	for _, nal := range units {
		b = append(append(b, 0, 0, 0, 1), nal...)
	}
	return b
}

// SplitAnnexB returns the NAL units of a byte stream (Annex B of
// ISO/IEC 14496-10 and 23008-2),
// without the zeros that may stand around them. They alias b; empty ones are left
// out. It fails if the stream does not begin with a start code.
func SplitAnnexB(b []byte) ([][]byte, error) {
	at, after := startCode(b)
	if after == 0 || !zeros(b[:at]) {
		return nil, errors.New("the byte stream does not begin with a start code")
	}
	var units [][]byte
	for after > 0 {
		b = b[after:]
		at, after = startCode(b)
		nal := b[:at:at]
		for len(nal) > 0 && nal[len(nal)-1] == 0 { // a NAL unit does not end so
			nal = nal[:len(nal)-1]
		}
		if len(nal) > 0 {
			units = append(units, nal)
		}
	}
	return units, nil
}

// startCode returns where the next 00 00 01 is and where it ends: the length of
// b and 0 if there is none.
func startCode(b []byte) (at, after int) {
	for i := 2; i < len(b); {
		switch {
		case b[i] > 1:
			i += 3
		case b[i] == 1 && b[i-1] == 0 && b[i-2] == 0:
			return i - 2, i + 1
		default:
			i++
		}
	}
	return len(b), 0
}

func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// IsAnnexB reports whether a sample is a byte stream with start codes and not
// length-prefixed by four bytes. The first may look like the other: 00 00 00 01
// is also the length of a NAL unit of one byte, 00 00 01 xx one of 256 to 511.
// What reads as lengths to its very end is taken for length-prefixed.
func IsAnnexB(sample []byte) bool {
	at, after := startCode(sample)
	if after == 0 || !zeros(sample[:at]) {
		return false
	}
	for _, err := range Units(sample, 4) {
		if err != nil {
			return true
		}
	}
	return false
}

// Unescape returns the payload of a NAL unit without the bytes that prevent the
// emulation of start codes: 00 00 03 becomes 00 00 (section 7.4.1 of 14496-10).
func Unescape(b []byte) []byte {
	rbsp := make([]byte, 0, len(b))
	zeros := 0
	for _, c := range b {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		rbsp = append(rbsp, c)
	}
	return rbsp
}
