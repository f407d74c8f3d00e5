package loc

import (
	"errors"
	"fmt"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/elementary"
	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// Timescale is what timestamps are written by, in a second: the microseconds of
// WebCodecs.
const Timescale = 1_000_000

var (
	errNoFormat = errors.New("sample without a format")
	errNoConfig = errors.New("key picture without the decoder's configuration")
)

// Packer makes objects of samples.
type Packer struct {
	format *media.Format // of which name and config are
	name   string
	config []byte
}

// NewPacker returns a packer for one track.
func NewPacker() *Packer { return new(Packer) }

// Pack returns the properties of an object, ascending, and its payload, which is
// the sample's data itself. The timestamp is the PTS; objects belong in the
// order of decoding, which LOC says by their IDs only.
//
// It fails for a PTS before the origin and for a key picture of H.264 or HEVC
// without configuration.
func (p *Packer) Pack(s *media.Sample) (model.Properties, []byte, error) {
	if s.Format == nil {
		return nil, nil, errNoFormat
	}
	if p.format != s.Format {
		name, config, err := elementary.Describe(s.Format)
		if err != nil {
			return nil, nil, fmt.Errorf("LOC: %w", err)
		}
		p.format, p.name, p.config = s.Format, name, config
	}
	timestamp, err := elementary.Ticks(s.PTS, Timescale, varint.MaxQUIC)
	if err != nil {
		return nil, nil, fmt.Errorf("PTS: %w", err)
	}
	props := make(model.Properties, 0, 5)
	props = append(props, model.Property{Type: propTimescale, Int: Timescale})
	if s.Format.Codec.Kind() == media.Video {
		marking := markStart | markEnd
		if s.Key {
			marking |= markIndependent
		}
		props = append(props, model.Property{Type: propFrameMarking, Bytes: []byte{marking}})
		if s.Key && len(p.config) > 0 {
			props = append(props, model.Property{Type: propVideoConfig, Bytes: p.config})
		}
		if s.Key && len(p.config) == 0 && s.Format.Codec != media.AV1 {
			return nil, nil, errNoConfig
		}
	} else if len(p.config) > 0 {
		props = append(props, model.Property{Type: propAudioConfig, Bytes: p.config})
	}
	props = append(props, model.Property{Type: propTimestamp, Int: timestamp})
	if p.name != "" {
		props = append(props, model.Property{Type: propCodec, Bytes: []byte(p.name)})
	}
	return props, s.Data, nil
}
