package session

import (
	"errors"
	"io"
	"math"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/varint"
	"oxymoq/pkg/wire"
)

// SubgroupReader reads the objects of one subgroup stream. It is for one
// goroutine; only Cancel may be called from others.
type SubgroupReader struct {
	Header wire.SubgroupHeader

	s      *Session
	in     *Inbound
	stream transport.ReceiveStream
	window *window
	form   wire.ObjectForm
	prev   model.Opt[uint64]
	left   uint64             // bytes of the present payload that were not read
	end    error              // what Next returns from now on
	fatal  error              // what the session must be closed for
	trace  func(ObjectHeader) // told of each header; may be nil
}

// Inbound returns the subscription that the stream belongs to.
func (r *SubgroupReader) Inbound() *Inbound { return r.in }

// Form is the form in which the objects arrive.
func (r *SubgroupReader) Form() wire.ObjectForm { return r.form }

// SubgroupID returns the ID of the subgroup, which in one mode is the ID of
// its first object; ok is false before that was read.
func (r *SubgroupReader) SubgroupID() (id uint64, ok bool) {
	switch r.Header.Mode {
	case wire.SubgroupExplicit:
		return r.Header.Subgroup, true
	case wire.SubgroupFirstObject:
		return r.Header.Subgroup, r.prev.Set
	}
	return 0, true
}

// Next returns the header of the next object; what was left of the payload
// before is skipped. Properties are valid until the next call. After FIN it
// returns io.EOF, after a reset a *model.StreamError.
func (r *SubgroupReader) Next() (wire.ObjectHeader, error) {
	if err := r.skip(); err != nil {
		return wire.ObjectHeader{}, err
	}
	var h wire.ObjectHeader
	err := r.window.parse(func(in *varint.Reader) (err error) {
		h, err = r.form.ParseObject(r.prev, in)
		return err
	})
	if err != nil {
		return h, r.ended(err)
	}
	if !r.prev.Set && r.Header.Mode == wire.SubgroupFirstObject {
		r.Header.Subgroup = h.ID
	}
	if r.trace != nil {
		r.trace(h)
	}
	r.prev = model.Some(h.ID)
	r.left = h.PayloadLen
	return h, nil
}

// Read reads from the payload of the present object. It returns io.EOF at the
// end of the payload.
func (r *SubgroupReader) Read(p []byte) (int, error) {
	if r.end != nil {
		return 0, r.end
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	if uint64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.window.read(p)
	r.left -= uint64(n)
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // the payload was promised
		}
		return n, r.ended(err)
	}
	return n, nil
}

func (r *SubgroupReader) skip() error {
	if r.end != nil {
		return r.end
	}
	return skipPayload(&r.left, r.Read)
}

// skipBuffer is how much of an unwanted payload is read at a time.
const skipBuffer = 4096

func skipPayload(left *uint64, read func([]byte) (int, error)) error {
	if *left == 0 {
		return nil
	}
	buf := make([]byte, min(*left, skipBuffer))
	for *left > 0 {
		if _, err := read(buf); err != nil {
			return err
		}
	}
	return nil
}

// ended records why no more objects come.
func (r *SubgroupReader) ended(err error) error {
	r.end, r.fatal = r.s.streamEnd(r.stream, err)
	return r.end
}

// streamEnd sorts the error of a data stream into what its reader is told and
// what the session is closed for.
func (s *Session) streamEnd(stream transport.ReceiveStream, err error) (end, fatal error) {
	if err == io.EOF {
		return io.EOF, nil
	}
	if se, ok := errors.AsType[*transport.StreamError](err); ok {
		return &model.StreamError{Code: wire.ResetCodeFromWire(s.cfg.Draft, se.Code), Remote: se.Remote}, nil
	}
	if end := s.endOf(err); s.ctx.Err() != nil {
		return end, nil
	}
	code := model.ResetInternalError
	if pe, ok := errors.AsType[*wire.ParseError](err); ok && pe.Malformed {
		code = model.ResetMalformedTrack
	}
	stream.CancelRead(wire.ResetCodeToWire(s.cfg.Draft, code))
	if errors.Is(err, errStalled) {
		return &model.StreamError{Code: model.ResetInternalError}, nil // costs the stream only
	}
	return err, err
}

// Cancel stops the stream; a stream that was read to its end is not affected.
func (r *SubgroupReader) Cancel(code model.ResetCode) {
	r.stream.CancelRead(wire.ResetCodeToWire(r.s.cfg.Draft, code))
}

// MaxObject is the largest payload that a whole-object read accepts.
const MaxObject = 64 << 20

// ErrObjectTooLarge says that a payload exceeds MaxObject.
var ErrObjectTooLarge = errors.New("object exceeds the size limit")

// readPayload reads the rest of a payload of n bytes, growing with what really
// arrives so that a length alone reserves no memory.
func readPayload(n uint64, read func([]byte) (int, error)) ([]byte, error) {
	if n > MaxObject || n > math.MaxInt {
		return nil, ErrObjectTooLarge
	}
	buf := make([]byte, 0, min(n, 16<<10))
	for uint64(len(buf)) < n {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		free := buf[len(buf):cap(buf)]
		if want := n - uint64(len(buf)); uint64(len(free)) > want {
			free = free[:want]
		}
		m, err := read(free)
		buf = buf[:len(buf)+m]
		if err != nil {
			return nil, err
		}
	}
	return buf, nil
}

// Payload reads the whole payload of the present object.
func (r *SubgroupReader) Payload() ([]byte, error) { return readPayload(r.left, r.Read) }

// ObjectProperties parses the properties of an object of this session. The
// result does not alias raw.
func (s *Session) ObjectProperties(raw []byte) (model.Properties, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	return wire.ParseProperties(wire.PropertyFormOf(s.cfg.Draft), wire.ObjectProperties, raw)
}
