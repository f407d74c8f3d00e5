package varint

import (
	"errors"
	"fmt"
	"math/bits"
)

// Kind is one of the two encodings.
type Kind uint8

// The encodings.
const (
	MoQ  Kind = iota // leading ones give the length; 1 to 9 bytes, 64 bits
	QUIC             // two leading bits give the length; 1, 2, 4 or 8 bytes, 62 bits
)

// MaxLen is the largest number of bytes that an integer takes.
const MaxLen = 9

// MaxQUIC is the largest value that QUIC's encoding can hold.
const MaxQUIC = 1<<62 - 1

// ErrTruncated says that the input ends inside a value: more bytes are needed.
var ErrTruncated = errors.New("truncated")

// ErrTooLarge says that a value has no encoding of the kind.
var ErrTooLarge = errors.New("integer too large for the encoding")

// Max returns the largest value of the kind.
func (k Kind) Max() uint64 {
	if k == QUIC {
		return MaxQUIC
	}
	return 1<<64 - 1
}

// Len returns the number of bytes of the shortest encoding of v, or 0 if the
// kind has none.
func (k Kind) Len(v uint64) int {
	if k == QUIC {
		switch {
		case v < 1<<6:
			return 1
		case v < 1<<14:
			return 2
		case v < 1<<30:
			return 4
		case v <= MaxQUIC:
			return 8
		}
		return 0
	}
	switch n := (bits.Len64(v) + 6) / 7; {
	case n == 0:
		return 1
	case n > 8:
		return 9
	default:
		return n
	}
}

// Append appends the shortest encoding of v. It panics if the kind has none;
// callers check values from outside against Max first.
func (k Kind) Append(b []byte, v uint64) []byte {
	n := k.Len(v)
	if n == 0 {
		panic(fmt.Sprintf("varint: %d does not fit QUIC's encoding", v))
	}
	var prefix byte
	if k == QUIC {
		prefix = byte(bits.TrailingZeros(uint(n))) << 6
	} else {
		prefix = ^byte(0xff >> (n - 1)) // n-1 ones; all eight for n = 9
	}
	if n == 9 {
		b = append(b, prefix)
		n, prefix = 8, 0
	}
	b = append(b, byte(v>>(8*(n-1)))|prefix)
	for i := n - 2; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

// Parse reads one integer from the front of b and returns it with its length.
// Longer forms than necessary are legal. The only error is ErrTruncated.
func (k Kind) Parse(b []byte) (v uint64, n int, err error) {
	if len(b) == 0 {
		return 0, 0, ErrTruncated
	}
	first := b[0]
	if k == QUIC {
		n = 1 << (first >> 6)
		v = uint64(first & 0x3f)
	} else {
		n = bits.LeadingZeros8(^first) + 1
		v = uint64(first) & (0xff >> n) // no bits left of an 8- or 9-byte form
	}
	if len(b) < n {
		return 0, 0, ErrTruncated
	}
	for _, c := range b[1:n] {
		v = v<<8 | uint64(c)
	}
	return v, n, nil
}
