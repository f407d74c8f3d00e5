package hang

import (
	"errors"
	"fmt"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/elementary"
	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// Timescale is what timestamps are counted in, in a second.
const Timescale = 1_000_000

var errNoFormat = errors.New("sample without a format")

// Packer makes objects of samples.
type Packer struct{}

// NewPacker returns a packer for one track.
func NewPacker() *Packer { return new(Packer) }

// Pack returns no properties and a payload of its own. It fails for a PTS before
// the origin, for NAL units that cannot be read, and for a key picture whose
// configuration cannot.
func (p *Packer) Pack(s *media.Sample) (model.Properties, []byte, error) {
	if s.Format == nil {
		return nil, nil, errNoFormat
	}
	timestamp, err := elementary.Ticks(s.PTS, Timescale, varint.MaxQUIC)
	if err != nil {
		return nil, nil, fmt.Errorf("PTS: %w", err)
	}
	b := make([]byte, 0, varint.MaxLen+len(s.Data)+len(s.Format.Config))
	b, err = elementary.AppendInBand(varint.QUIC.Append(b, timestamp), s)
	if err != nil {
		return nil, nil, fmt.Errorf("hang: %w", err)
	}
	return nil, b, nil
}

// Unpacker makes samples of the objects of one track.
type Unpacker struct {
	stream *elementary.Stream
	order  elementary.Order
}

// NewUnpacker returns an unpacker of a track of the kind. hint is what the
// catalog says of it, at least the codec, which frames do not say.
func NewUnpacker(kind media.Kind, hint *media.Format) *Unpacker {
	return &Unpacker{stream: elementary.NewStream(kind, hint)}
}

// Unpack returns the sample of an object. It fails with elementary.ErrNoSample
// for a frame without payload, with elementary.ErrNoConfig as long as nothing
// has said how to decode, and with *elementary.OrderError where no decode time
// fits. The sample's data may alias the payload; properties are not looked at.
func (u *Unpacker) Unpack(_ model.Properties, payload []byte) (*media.Sample, error) {
	r := varint.NewReader(varint.QUIC, payload)
	timestamp := r.Uint()
	data := r.Rest()
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("hang: timestamp: %w", err)
	}
	s := new(media.Sample)
	var err error
	if s.PTS, err = elementary.Duration(timestamp, Timescale); err != nil {
		return nil, fmt.Errorf("hang: %w", err)
	}
	frame, err := u.stream.Frame(elementary.Chunk{Data: data})
	if err != nil {
		return nil, fmt.Errorf("hang: %w", err)
	}
	s.Format, s.Data, s.Key = frame.Format, frame.Data, frame.Key
	if s.DTS, err = u.order.DTS(s.PTS, frame); err != nil {
		return nil, fmt.Errorf("hang: %w", err)
	}
	return s, nil
}
