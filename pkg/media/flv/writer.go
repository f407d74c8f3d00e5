package flv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Writer writes a file or a stream. Each call is one call of the output's Write,
// so that a reader at the other end of a pipe gets whole tags.
type Writer struct {
	out     io.Writer
	buf     []byte
	written int64
	begun   bool
	err     error // why nothing more can be written
}

// NewWriter returns a writer to out, which it does not close.
func NewWriter(out io.Writer) *Writer { return &Writer{out: out} }

// Errors of a Writer's caller. Test with errors.Is.
var (
	// ErrNoHeader says that a tag comes before the header.
	ErrNoHeader = errors.New("FLV: a tag cannot come before the header")
	// ErrHeaderTwice says that a second header is to be written.
	ErrHeaderTwice = errors.New("FLV: the header is written already")
	// ErrTagTooLarge says that a tag has more than MaxTagData bytes of data.
	ErrTagTooLarge = errors.New("FLV: a tag cannot have that much data")
)

// WriteHeader writes the header, which must be first and only once. It says which
// kinds of tags there will be.
func (w *Writer) WriteHeader(h Header) error {
	if w.begun {
		return ErrHeaderTwice
	}
	w.begun = true
	var flags byte
	if h.Audio {
		flags |= 4
	}
	if h.Video {
		flags |= 1
	}
	b := append(w.buf[:0], signature...)
	b = append(b, flags)
	b = binary.BigEndian.AppendUint32(b, headerSize)
	b = binary.BigEndian.AppendUint32(b, 0) // PreviousTagSize0
	return w.write(b)
}

// WriteTag writes a tag and its size behind it. An error of the output is returned
// by every later call as well; a tag that is refused writes nothing.
func (w *Writer) WriteTag(t Tag) error {
	switch {
	case !w.begun:
		return ErrNoHeader
	case !t.Type.known():
		return fmt.Errorf("FLV: a tag cannot be of %s", t.Type)
	case len(t.Data) > MaxTagData:
		return fmt.Errorf("%w: %d bytes", ErrTagTooLarge, len(t.Data))
	}
	return w.write(AppendTag(w.buf[:0], t))
}

// AppendTag appends a tag of at most MaxTagData bytes and its size behind it.
func AppendTag(b []byte, t Tag) []byte {
	b = append(b, byte(t.Type))
	b = appendUint24(b, uint32(len(t.Data)))
	b = appendUint24(b, t.Time)
	b = append(b, byte(t.Time>>24), 0, 0, 0) // stream ID 0
	b = append(b, t.Data...)
	return binary.BigEndian.AppendUint32(b, uint32(tagHeadSize+len(t.Data)))
}

// Written returns how many bytes were written.
func (w *Writer) Written() int64 { return w.written }

func (w *Writer) write(b []byte) error {
	w.buf = b
	if w.err != nil {
		return w.err
	}
	n, err := w.out.Write(b)
	w.written += int64(n)
	w.err = err
	return err
}

func appendUint24(b []byte, v uint32) []byte {
	return append(b, byte(v>>16), byte(v>>8), byte(v))
}
