package flv

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// readStep is how many bytes are read of a tag before more memory is set aside:
// the size that a tag claims is not believed until its bytes are there.
const readStep = 1 << 16

// Reader reads the tags of a file or a stream. It reads no byte that the tag it
// returns does not need, beyond what the input offers at once.
type Reader struct {
	in       *bufio.Reader
	off      int64 // bytes consumed
	tolerant bool
	header   Header
	files    int    // headers met
	owed     bool   // a PreviousTagSize comes next
	size     uint32 // what it should say
	repairs  Repairs
	err      error // why nothing more can be read
}

// Option changes how a Reader reads.
type Option func(*Reader)

// NewReader returns a reader of in.
func NewReader(in io.Reader, opts ...Option) *Reader {
	r := &Reader{in: bufio.NewReaderSize(in, readStep)}
	for _, o := range opts {
		o(r)
	}
	return r
}

// Header returns the header of the file, which it reads if Next has not yet. Its
// errors are those of Next.
func (r *Reader) Header() (Header, error) {
	if r.files == 0 && r.err == nil {
		r.err = r.readHeader()
	}
	if r.files == 0 {
		return Header{}, r.err
	}
	return r.header, nil
}

// Files returns how many headers were read. It is more than one behind the place
// where files were joined as they are, which a Reader passes: a header cannot be
// taken for a tag. Times are likely to start again there.
func (r *Reader) Files() int { return r.files }

// Offset returns how many bytes were read.
func (r *Reader) Offset() int64 { return r.off }

// Next returns the next tag, whose data belongs to the caller. At the end of the
// input, behind the size of its last tag, it returns io.EOF.
//
// An input that ends elsewhere gives a *TruncatedError, bytes that are no FLV a
// *FormatError; what the input says is wrapped. After these every call returns the
// same. A tag that is encrypted gives an *UnsupportedError, after which the next
// call goes on with the next tag.
func (r *Reader) Next() (Tag, error) {
	if _, err := r.Header(); err != nil {
		return Tag{}, err
	}
	if r.err != nil {
		return Tag{}, r.err
	}
	for {
		tag, encrypted, err := r.next()
		switch {
		case err != nil:
			r.err = err
			return Tag{}, err
		case !encrypted:
			return tag, nil
		case !r.tolerant:
			return Tag{}, &UnsupportedError{tag.Type, "encryption"}
		}
		r.repairs.Encrypted++
	}
}

func (r *Reader) next() (tag Tag, encrypted bool, err error) {
	if err := r.boundary(); err != nil {
		return Tag{}, false, err
	}
	begin := r.off
	var head [tagHeadSize]byte
	if err := r.full(head[:], "the header of a tag"); err != nil {
		return Tag{}, false, err
	}
	if reason := faultOfTag(head[:]); reason != "" && (!r.tolerant || !toleratesTag(head[:])) {
		return Tag{}, false, &FormatError{begin, reason}
	}
	tag = Tag{
		Type: TagType(head[0] & 0x1f),
		Time: uint32(head[7])<<24 | uint24(head[4:]),
	}
	size := uint24(head[1:])
	tag.Data, err = r.data(int(size), tag.Type)
	if err != nil {
		return Tag{}, false, err
	}
	r.owed, r.size = true, tagHeadSize+size
	return tag, head[0]&0x20 != 0, nil
}

// faultOfTag returns what is wrong with the eleven bytes before the data of a tag
// (annex E.4.1), or nothing.
func faultOfTag(head []byte) string {
	switch t := TagType(head[0] & 0x1f); {
	case head[0]&0xc0 != 0 || !t.known():
		return fmt.Sprintf("a tag cannot begin with 0x%02x", head[0])
	case uint24(head[8:]) != 0:
		return fmt.Sprintf("the stream ID of a tag is %d, must be 0", uint24(head[8:]))
	}
	return ""
}

// boundary goes to the beginning of the next tag. It returns io.EOF if there is
// none.
func (r *Reader) boundary() error {
	for {
		if err := r.pointer(); err != nil {
			return err
		}
		b, err := r.peek(len(signature))
		if err != nil {
			return err
		}
		switch {
		case len(b) == 0:
			return io.EOF
		case string(b) == signature:
			if err := r.readHeader(); err != nil {
				return err
			}
			continue
		}
		if r.tolerant {
			again, err := r.sane()
			if err != nil {
				return err
			}
			if again {
				continue
			}
		}
		return nil
	}
}

// pointer reads a PreviousTagSize, if one comes next.
func (r *Reader) pointer() error {
	if !r.owed {
		return nil
	}
	r.owed = false
	if r.tolerant {
		return r.anyPointer()
	}
	begin := r.off
	var b [backPointer]byte
	if err := r.full(b[:], "the size of the tag before"); err != nil {
		return err
	}
	if got := binary.BigEndian.Uint32(b[:]); got != r.size {
		return &FormatError{begin, fmt.Sprintf("the size of the tag before is %d, must be %d", got, r.size)}
	}
	return nil
}

// signature is how a file begins: the letters and the version (annex E.2).
const signature = "FLV\x01"

// readHeader reads the header of a file and leaves the PreviousTagSize0 behind it
// to be read next.
func (r *Reader) readHeader() error {
	begin := r.off
	b, err := r.peek(headerSize)
	if err != nil {
		return err
	}
	for i := range min(len(b), len(signature)) {
		if b[i] != signature[i] {
			if i == 3 {
				return &FormatError{begin + 3, fmt.Sprintf("the version is %d, must be 1", b[i])}
			}
			return &FormatError{begin, "this is no FLV: it does not begin with the letters FLV"}
		}
	}
	var head [headerSize]byte
	if err := r.full(head[:], "the header"); err != nil {
		return err
	}
	flags, length := head[4], binary.BigEndian.Uint32(head[5:])
	switch {
	case r.tolerant:
		if err := r.anyHeader(begin, flags, length); err != nil {
			return err
		}
	case flags&^0x05 != 0:
		return &FormatError{begin + 4, fmt.Sprintf("reserved bits of the header's flags 0x%02x are set", flags)}
	case length != headerSize:
		return &FormatError{begin + 5, fmt.Sprintf("the header says it has %d bytes, must be 9", length)}
	}
	r.header = Header{Audio: flags&4 != 0, Video: flags&1 != 0}
	r.files++
	r.owed, r.size = true, 0
	return nil
}

// data reads the data of a tag.
func (r *Reader) data(size int, t TagType) ([]byte, error) {
	within := "a tag of " + t.String()
	b := make([]byte, min(size, readStep))
	for have := 0; ; {
		if err := r.full(b[have:], within); err != nil {
			return nil, err
		}
		if len(b) == size {
			return b, nil
		}
		have = len(b)
		longer := make([]byte, min(size, 2*have))
		copy(longer, b)
		b = longer
	}
}

// peek returns the next n bytes, or fewer if the input ends before.
func (r *Reader) peek(n int) ([]byte, error) {
	b, err := r.in.Peek(n)
	if err != nil && err != io.EOF {
		return nil, r.failed(err)
	}
	return b, nil
}

// full fills b.
func (r *Reader) full(b []byte, within string) error {
	n, err := io.ReadFull(r.in, b)
	r.off += int64(n)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &TruncatedError{r.off, within}
	}
	return r.failed(err)
}

// discard passes n bytes that peek has shown.
func (r *Reader) discard(n int) {
	d, _ := r.in.Discard(n)
	r.off += int64(d)
}

// failed says at which byte the input itself failed.
func (r *Reader) failed(err error) error {
	return fmt.Errorf("FLV: reading at byte %d: %w", r.off, err)
}

func uint24(b []byte) uint32 {
	return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
}
