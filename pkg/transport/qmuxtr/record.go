package qmuxtr

import (
	"bufio"
	"io"

	"oxymoq/pkg/varint"
)

// readStep is how much memory a record takes ahead of its bytes, and what is
// kept between records.
const readStep = 16 << 10

// recordReader reads records from a byte stream.
type recordReader struct {
	r   *bufio.Reader
	buf []byte
}

func newRecordReader(r io.Reader) *recordReader {
	return &recordReader{r: bufio.NewReaderSize(r, readStep)}
}

// next returns the frames of the next record; they are valid until the next
// call. Besides a *TransportError it returns what the stream says, io.EOF only
// between records.
func (r *recordReader) next() ([]byte, error) {
	var size [8]byte
	first, err := r.r.ReadByte()
	if err != nil {
		return nil, err
	}
	size[0] = first
	n := 1 << (first >> 6)
	if _, err := io.ReadFull(r.r, size[1:n]); err != nil {
		return nil, truncated(err)
	}
	length, _, err := varint.QUIC.Parse(size[:n])
	switch {
	case err != nil:
		return nil, err
	case length > MaxRecord:
		return nil, violation(FrameEncodingError, 0, "a record of %d bytes, %d are allowed", length, MaxRecord)
	case length == 0:
		return nil, violation(ProtocolViolation, 0, "a record without frames")
	}
	if cap(r.buf) > readStep {
		r.buf = nil // it was for one large record
	}
	r.buf = r.buf[:0]
	for left := int(length); left > 0; {
		// Memory grows with what arrives, not with what was promised.
		step := min(left, readStep)
		have := len(r.buf)
		if cap(r.buf)-have < step {
			r.buf = append(make([]byte, 0, max(readStep, 2*have+step)), r.buf...)
		}
		r.buf = r.buf[:have+step]
		if _, err := io.ReadFull(r.r, r.buf[have:]); err != nil {
			return nil, truncated(err)
		}
		left -= step
	}
	return r.buf, nil
}

// truncated is the error for a stream that ends inside a record.
func truncated(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// recordHeader is the space in front of a record's frames for its size, which
// takes two bytes up to DefaultRecord.
const recordHeader = 2

// seal writes the size of a record that was built behind recordHeader, and
// returns the part of b to send.
func seal(b []byte) []byte {
	n := len(b) - recordHeader
	if n < 1<<6 {
		b[1] = byte(n)
		return b[1:]
	}
	b[0], b[1] = byte(1<<6|n>>8), byte(n)
	return b
}
