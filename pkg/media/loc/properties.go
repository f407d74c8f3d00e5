package loc

import (
	"errors"
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// The properties of an object (draft-ietf-moq-loc-04, section 2.3).
const (
	propTimescale    uint64 = 0x08 // ticks of the timestamp in a second
	propFrameMarking uint64 = 0x09 // RFC 9626
	propVideoConfig  uint64 = 0x0D
	propAudioConfig  uint64 = 0x0F
	propTimestamp    uint64 = 0x10
	// propCodec is the codec string. No draft has it; the browser player of
	// moq-encoder-player writes it and cannot play without.
	propCodec uint64 = 0x11
)

// The numbers of the timestamp in earlier drafts.
const (
	propTimestamp02 uint64 = 0x06 // draft 02, and the table of draft 03
	propTimestamp03 uint64 = 0x0A // the text of draft 03
)

// The bits of a frame marking (RFC 9626 section 3.1).
const (
	markStart       byte = 0x80
	markEnd         byte = 0x40
	markIndependent byte = 0x20
)

// MaxCodec is the largest length of a codec string, in bytes.
const MaxCodec = 255

var (
	// ErrNotLOC says that an object is not one of LOC: it has no timestamp.
	ErrNotLOC = errors.New("not LOC: no timestamp (property 0x10)")

	errTwice   = errors.New("given twice")
	errTooLong = errors.New("codec string too long")
)

// A PropertyError is a property of LOC that breaks its rules.
type PropertyError struct {
	Type uint64 // of the property
	Err  error
}

func (e *PropertyError) Error() string {
	return fmt.Sprintf("LOC property 0x%02x: %v", e.Type, e.Err)
}

func (e *PropertyError) Unwrap() error { return e.Err }

// fields are the properties of one object. What is absent is unset or nil.
type fields struct {
	timestamp, timescale model.Opt[uint64]
	old02, old03         model.Opt[uint64]
	config               []byte // of video or audio
	codec                string
}

// gather reads a list, and the one inside the transport's immutable properties,
// where section 3.1.2 lets LOC's stand. Others' types are left out.
func gather(props model.Properties) (*fields, error) {
	f := new(fields)
	for _, p := range props {
		if p.Type == model.PropImmutable {
			for _, q := range inside(p.Bytes) {
				if err := f.set(q); err != nil {
					return nil, err
				}
			}
			continue
		}
		if err := f.set(p); err != nil {
			return nil, err
		}
	}
	f.earlier()
	if !f.timestamp.Set {
		return nil, ErrNotLOC
	}
	return f, nil
}

// earlier takes the timestamp at the numbers of earlier drafts, if it is not at
// the present one. This is the one place that knows them.
func (f *fields) earlier() {
	if f.timestamp.Set {
		return
	}
	if f.old03.Set && (f.timescale.Set || f.old03.Value > maxMediaType) {
		f.timestamp = f.old03
		return
	}
	f.timestamp = f.old02
}

// maxMediaType is the largest value of property 0x0a that may be the media type
// of MoQMi and not a time. Times by the wall clock are larger, and those of
// media come with a timescale, which MoQMi does not have.
const maxMediaType = 0xFF

func (f *fields) set(p model.Property) error {
	switch p.Type {
	case propTimestamp:
		return setInt(&f.timestamp, p)
	case propTimescale:
		return setInt(&f.timescale, p)
	case propTimestamp02:
		return setInt(&f.old02, p)
	case propTimestamp03:
		return setInt(&f.old03, p)
	case propVideoConfig, propAudioConfig:
		if f.config != nil {
			return &PropertyError{p.Type, errTwice}
		}
		f.config = p.Bytes
	case propCodec:
		if f.codec != "" {
			return &PropertyError{p.Type, errTwice}
		}
		if len(p.Bytes) > MaxCodec {
			return &PropertyError{p.Type, errTooLong}
		}
		f.codec = string(p.Bytes)
	}
	return nil
}

func setInt(o *model.Opt[uint64], p model.Property) error {
	if o.Set {
		return &PropertyError{p.Type, errTwice}
	}
	*o = model.Some(p.Int)
	return nil
}

// inside reads the list in IMMUTABLE_PROPERTIES, whose integers are of the
// transport's encoding, which is not known here: whichever reads the bytes to
// their end. What neither reads has nothing for us; the session checks it.
func inside(b []byte) model.Properties {
	for _, kind := range []varint.Kind{varint.MoQ, varint.QUIC} {
		if list, ok := pairs(kind, b); ok {
			return list
		}
	}
	return nil
}

// pairs reads {type as the difference to the one before, integer or length and
// bytes}... that take all of b (draft-ietf-moq-transport-18, section 1.4.3).
func pairs(kind varint.Kind, b []byte) (model.Properties, bool) {
	var list model.Properties
	r := varint.NewReader(kind, b)
	var p model.Property
	for r.Len() > 0 {
		p = model.Property{Type: r.Add(p.Type, r.Uint(), varint.ErrTooLarge)}
		if p.Type%2 == 0 {
			p.Int = r.Uint()
		} else {
			p.Bytes = r.Bytes(r.Uint())
		}
		list = append(list, p)
	}
	return list, r.Err() == nil
}
