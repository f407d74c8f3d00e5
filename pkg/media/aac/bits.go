package aac

import "errors"

var errTruncated = errors.New("truncated")

// bitReader reads fields of bits, the first bit of a byte being its highest
// (ISO/IEC 14496-3 section 4). After an error all reads give zero.
type bitReader struct {
	b   []byte
	at  int // in bits
	err error
}

// u reads n bits, at most 32.
func (r *bitReader) u(n int) uint32 {
	if r.err == nil && n > 8*len(r.b)-r.at {
		r.err = errTruncated
	}
	if r.err != nil {
		return 0
	}
	var v uint32
	for ; n > 0; n-- {
		v = v<<1 | uint32(r.b[r.at>>3]>>(7-r.at&7)&1)
		r.at++
	}
	return v
}

func (r *bitReader) flag() bool { return r.u(1) == 1 }
