package varint

// Reader reads fields from the front of a byte slice. The first failed read
// makes every later one fail with the same error, so a parser may read all its
// fields and ask Err once.
type Reader struct {
	kind Kind
	buf  []byte
	off  int
	err  error
}

// NewReader returns a reader of b, whose integers are of the kind.
func NewReader(kind Kind, b []byte) *Reader {
	return &Reader{kind: kind, buf: b}
}

// Reset makes the reader start at the front of b, with no error.
func (r *Reader) Reset(kind Kind, b []byte) { *r = Reader{kind: kind, buf: b} }

// Kind returns the integer encoding in force.
func (r *Reader) Kind() Kind { return r.kind }

// Err returns the error of the first read that failed.
func (r *Reader) Err() error { return r.err }

// Fail makes the reader fail with err, unless it already has.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Offset returns the number of bytes read.
func (r *Reader) Offset() int { return r.off }

// Len returns the number of bytes left; none are left after an error.
func (r *Reader) Len() int {
	if r.err != nil {
		return 0
	}
	return len(r.buf) - r.off
}

// Uint reads an integer.
func (r *Reader) Uint() uint64 {
	if r.err != nil {
		return 0
	}
	v, n, err := r.kind.Parse(r.buf[r.off:])
	if err != nil {
		r.err = err
		return 0
	}
	r.off += n
	return v
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if r.err != nil {
		return 0
	}
	if r.off == len(r.buf) {
		r.err = ErrTruncated
		return 0
	}
	c := r.buf[r.off]
	r.off++
	return c
}

// Bytes reads n bytes. The result aliases the input.
func (r *Reader) Bytes(n uint64) []byte {
	if r.err != nil {
		return nil
	}
	if n > uint64(len(r.buf)-r.off) {
		r.err = ErrTruncated
		return nil
	}
	end := r.off + int(n) // fits: n is at most the length of a slice
	b := r.buf[r.off:end:end]
	r.off = end
	return b
}

// LengthPrefixed reads an integer and as many bytes, at most max; a larger
// length fails with tooLong before any byte is touched.
func (r *Reader) LengthPrefixed(max uint64, tooLong error) []byte {
	n := r.Uint()
	if r.err == nil && n > max {
		r.err = tooLong
	}
	return r.Bytes(n)
}

// Rest reads all bytes that are left.
func (r *Reader) Rest() []byte { return r.Bytes(uint64(r.Len())) }

// Sub returns a reader of the next n bytes, of the same kind, and moves past them.
func (r *Reader) Sub(n uint64) Reader {
	return Reader{kind: r.kind, buf: r.Bytes(n), err: r.err}
}

// Add returns a+b, or fails with overflow if the sum is more than an integer of
// the kind can be: what is read from deltas can then be written whole.
func (r *Reader) Add(a, b uint64, overflow error) uint64 {
	if limit := r.kind.Max(); b > limit || a > limit-b {
		r.Fail(overflow)
		return 0
	}
	return a + b
}
