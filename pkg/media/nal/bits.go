package nal

import "errors"

// Bits reads fields of bits of a payload, the first bit of a byte being its highest
// (ISO/IEC 14496-10 and 23008-2, section 7.2). After an error all reads give zero.
type Bits struct {
	b   []byte
	at  int // in bits
	err error
}

// NewBits returns a reader of what Unescape returned.
func NewBits(b []byte) *Bits { return &Bits{b: b} }

// U reads n bits, at most 32.
func (r *Bits) U(n int) uint32 {
	if r.err == nil && n > 8*len(r.b)-r.at {
		r.err = ErrTruncated
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

// Flag reads one bit.
func (r *Bits) Flag() bool { return r.U(1) == 1 }

// UE reads an unsigned Exp-Golomb code (section 9.1 of 14496-10, 9.2 of 23008-2),
// which is below 2^32-1. A signed one is as long, and can be passed over so.
func (r *Bits) UE() uint32 {
	zeros := 0
	for r.err == nil && !r.Flag() {
		if zeros++; zeros == 32 {
			r.Fail(errors.New("integer too large"))
		}
	}
	v := 1<<zeros - 1 + r.U(zeros)
	if r.err != nil {
		return 0
	}
	return v
}

// SE reads a signed Exp-Golomb code (section 9.1.1 of 14496-10).
func (r *Bits) SE() int32 {
	k := r.UE()
	if k&1 == 1 {
		return int32(k/2) + 1
	}
	return -int32(k / 2)
}

// Skip passes over n bits.
func (r *Bits) Skip(n int) {
	for ; n > 32; n -= 32 {
		r.U(32)
	}
	r.U(n)
}

// Fail makes err the error, unless there is one.
func (r *Bits) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Err returns why reads give zero; nil if they do not.
func (r *Bits) Err() error { return r.err }
