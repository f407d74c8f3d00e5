package hevc

import "errors"

var errTruncated = errors.New("truncated")

// bitReader reads fields of bits, the first bit of a byte being its highest
// (ISO/IEC 23008-2 section 7.2). After an error all reads give zero.
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

// ue reads an unsigned Exp-Golomb code (section 9.2), which is below 2^32-1. A
// signed one is as long, and can be passed over so.
func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.err == nil && !r.flag() {
		if zeros++; zeros == 32 {
			r.fail(errors.New("integer too large"))
		}
	}
	v := 1<<zeros - 1 + r.u(zeros)
	if r.err != nil {
		return 0
	}
	return v
}

func (r *bitReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// skip passes over n bits.
func (r *bitReader) skip(n int) {
	for ; n > 32; n -= 32 {
		r.u(32)
	}
	r.u(n)
}
