package flv

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// This file holds every place where more is read than the specification allows,
// with who asks for it. The first part is that of a tolerant Reader.

// Repairs counts what a tolerant Reader has read past.
type Repairs struct {
	Headers   int   // headers of odd length, with reserved bits set
	Pointers  int   // sizes of the tag before that are wrong or missing
	StreamIDs int   // tags whose stream ID is not 0
	Encrypted int   // tags that are encrypted, which were left out
	Gaps      int   // places where the next tag had to be looked for
	Skipped   int64 // bytes passed in such places
	Padding   int64 // bytes that are 0 behind the last tag
}

// Tolerant makes a Reader read on past what files are known to have wrong:
//
//   - a header whose length is not nine, or with reserved bits set (old cameras);
//   - a PreviousTagSize that is wrong or missing (the FLV muxer of moxygen is off
//     by one for audio; others write 0);
//   - a stream ID that is not 0 (dumps of RTMP, which has one);
//   - bytes that belong to no tag: the next tag is looked for;
//   - zero bytes behind the last tag (recorders that set space aside);
//   - encrypted tags, which are left out.
//
// An input that ends in the middle of a tag remains a *TruncatedError.
func Tolerant() Option { return func(r *Reader) { r.tolerant = true } }

// Repairs returns what was read past so far.
func (r *Reader) Repairs() Repairs { return r.repairs }

// anyHeader passes what a header has beyond nine bytes.
func (r *Reader) anyHeader(begin int64, flags byte, length uint32) error {
	if flags&^0x05 != 0 || length != headerSize {
		r.repairs.Headers++
	}
	if length > MaxHeader {
		return &FormatError{begin + 5, fmt.Sprintf("the header says it has %d bytes, more than %d", length, MaxHeader)}
	}
	if length <= headerSize {
		return nil
	}
	return r.full(make([]byte, length-headerSize), "the header")
}

// lookAhead is how many bytes tell a tag from others: its header, and the first
// byte of its data.
const lookAhead = tagHeadSize + 1

// anyPointer passes the size of the tag before, be it right, wrong or missing.
func (r *Reader) anyPointer() error {
	b, err := r.peek(backPointer)
	if err != nil {
		return err
	}
	if len(b) == backPointer && binary.BigEndian.Uint32(b) == r.size {
		r.discard(backPointer)
		return nil
	}
	if b, err = r.peek(backPointer + lookAhead); err != nil {
		return err
	}
	switch {
	case len(b) < backPointer && bytes.HasPrefix(binary.BigEndian.AppendUint32(nil, r.size), b):
		r.discard(len(b)) // the file ends with its last tag
	case len(b) >= backPointer && (plausible(b[backPointer:]) || allZero(b[backPointer:])):
		r.discard(backPointer)
	case plausible(b):
	default:
		return r.resync()
	}
	r.repairs.Pointers++
	return nil
}

// toleratesTag reports whether a tag's header is read in spite of its fault: only
// the stream ID may be wrong.
func toleratesTag(head []byte) bool {
	return head[0]&0xc0 == 0 && TagType(head[0]&0x1f).known()
}

// sane looks at the header of the tag that comes next, and for another one if it
// cannot be one. It says whether it did.
func (r *Reader) sane() (again bool, err error) {
	b, err := r.peek(tagHeadSize)
	if err != nil {
		return false, err
	}
	if !toleratesTag(b) {
		return true, r.resync()
	}
	if len(b) == tagHeadSize && uint24(b[8:]) != 0 {
		r.repairs.StreamIDs++
	}
	return false, nil
}

// resync goes to what looks like the next tag or file, which is at least one byte
// ahead. It returns io.EOF if there are only zeros.
func (r *Reader) resync() error {
	begin, zeros := r.off, true
	for n := int64(0); ; {
		b, err := r.peek(lookAhead)
		if err != nil {
			return err
		}
		if more := r.in.Buffered(); more > len(b) {
			b, _ = r.in.Peek(more)
		}
		if len(b) == 0 && zeros {
			r.repairs.Padding += n
			return io.EOF
		}
		if len(b) == 0 || n == MaxSkip {
			return &FormatError{begin, fmt.Sprintf("no tag begins here nor in the %d bytes behind it", n)}
		}
		// Those that have enough behind them to tell, but one at least.
		sure := min(max(len(b)-lookAhead+1, 1), int(MaxSkip-n))
		for i := range sure {
			if n > 0 && plausible(b[i:]) {
				r.discard(i)
				r.repairs.Gaps++
				r.repairs.Skipped += n
				return nil
			}
			zeros = zeros && b[i] == 0
			n++
		}
		r.discard(sure)
	}
}

// allZero reports whether b has nothing but zeros, as has what is empty.
func allZero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

// plausible reports whether b looks like the beginning of a tag or of a file. The
// three bytes of the stream ID and the first byte of the data make it very
// unlikely that the inside of a picture does; sound of format 0, which nobody has,
// is left out because bytes of 0 are frequent.
func plausible(b []byte) bool {
	if len(b) >= len(signature) && string(b[:len(signature)]) == signature {
		return true
	}
	if len(b) < lookAhead || uint24(b[1:]) == 0 || uint24(b[8:]) != 0 {
		return false
	}
	first := b[tagHeadSize]
	switch TagType(b[0]) {
	case Video:
		if first&0x80 != 0 {
			return first>>4&7 <= byte(CommandFrame) && first&0xf <= exModEx
		}
		return first>>4 <= byte(CommandFrame) && (first&0xf == legacyH264 || first&0xf == legacyHEVC || legacyVideo[first&0xf] != "")
	case Audio:
		return first>>4 == soundExHeader || first>>4 == soundAAC || first>>4 != 0 && legacyAudio[first>>4] != ""
	case Script:
		return first == amfString
	}
	return false
}

// The second part is that of the parsers.

// anyFrameType takes frame type 0, which is reserved, for that of an inter frame:
// moxygen's receiver writes it for all of them.
func anyFrameType(t FrameType) FrameType {
	if t == 0 {
		return InterFrame
	}
	return t
}

// dataFrame is the name before the name in script data that was recorded from
// RTMP, where a publisher sends it to the server ("@setDataFrame", "onMetaData",
// values). It is passed.
const dataFrame = "@setDataFrame"

// endsWithoutMark reports whether an array may end without an end mark: as many
// values as it announced were read, and nothing is left. Early writers left the
// mark out, since an array has a length.
func endsWithoutMark(c *cursor, announced, read int) bool {
	return len(c.b) == c.off && announced == read
}
