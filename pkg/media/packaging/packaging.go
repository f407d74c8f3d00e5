package packaging

import (
	"fmt"
	"strings"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/elementary"
	"oxymoq/pkg/media/hang"
	"oxymoq/pkg/media/loc"
	"oxymoq/pkg/media/moqmi"
	"oxymoq/pkg/model"
)

// Name names a packaging, as flags and catalogs do.
type Name string

// The packagings.
const (
	MoQMi Name = "moqmi"
	LOC   Name = "loc"
	Hang  Name = "hang"
)

// Names returns all packagings.
func Names() []Name { return []Name{MoQMi, LOC, Hang} }

// Parse returns the packaging of a name.
func Parse(s string) (Name, error) {
	known := make([]string, 0, 3)
	for _, n := range Names() {
		if strings.EqualFold(s, string(n)) {
			return n, nil
		}
		known = append(known, string(n))
	}
	return "", fmt.Errorf("packaging %q is not known; there are %s", s, strings.Join(known, ", "))
}

// What an Unpacker says of objects that are no fault.
var (
	// ErrNoConfig says that nothing has told yet how to decode: the next key
	// picture will, or a catalog must.
	ErrNoConfig = elementary.ErrNoConfig
	// ErrNoSample says that an object is empty: a mark in time, nothing to decode.
	ErrNoSample = elementary.ErrNoSample
)

// Packer makes objects of the samples of one track, given in the order of
// decoding.
type Packer interface {
	// Pack returns the properties of an object, ascending by type, and its
	// payload, which may alias the sample's data.
	Pack(s *media.Sample) (props model.Properties, payload []byte, err error)
}

// Unpacker makes samples of the objects of one track, given in the order of
// decoding.
type Unpacker interface {
	// Unpack returns the sample of an object. Its data may alias the payload. An
	// error concerns this object only; the next may be good.
	Unpack(props model.Properties, payload []byte) (*media.Sample, error)
}

// Options choose among the ways in which MoQMi is written; the zero value is the
// draft's, see moqmi.Options.
type Options struct {
	MoxygenOpus      bool
	OldVideoProperty bool
	TransportVarints bool
}

// NewPacker returns a packer for one track of the kind, whose samples are
// refused if they are of the other.
func NewPacker(n Name, kind media.Kind, o Options) (Packer, error) {
	var p Packer
	switch n {
	case MoQMi:
		p = moqmi.NewPacker(moqmi.Options(o))
	case LOC:
		p = loc.NewPacker()
	case Hang:
		p = hang.NewPacker()
	default:
		_, err := Parse(string(n))
		return nil, err
	}
	return &checked{kind, p}, nil
}

// checked is a packer for samples of one kind.
type checked struct {
	kind media.Kind
	Packer
}

func (c *checked) Pack(s *media.Sample) (model.Properties, []byte, error) {
	if s.Format != nil && s.Format.Codec.Kind() != c.kind {
		return nil, nil, &elementary.KindError{Want: c.kind, Got: s.Format.Codec}
	}
	return c.Packer.Pack(s)
}

// NewUnpacker returns an unpacker for a packaging that is known, as from a
// catalog. hint is what is known of the format, or nil.
func NewUnpacker(n Name, kind media.Kind, hint *media.Format) (Unpacker, error) {
	switch n {
	case MoQMi:
		return moqmi.NewUnpacker(kind, hint), nil
	case LOC:
		return loc.NewUnpacker(kind, hint), nil
	case Hang:
		return hang.NewUnpacker(kind, hint), nil
	}
	_, err := Parse(string(n))
	return nil, err
}
