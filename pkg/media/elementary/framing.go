package elementary

import (
	"iter"
	"slices"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/aac"
	"oxymoq/pkg/media/av1"
	"oxymoq/pkg/media/h264"
	"oxymoq/pkg/media/hevc"
	"oxymoq/pkg/media/nal"
	"oxymoq/pkg/media/opus"
)

// data brings a chunk's data into the form of a sample's, and takes the
// configuration out of it where none came from outside.
func (s *Stream) data(codec media.Codec, name string, b []byte) ([]byte, error) {
	switch codec {
	case media.H264:
		return s.units(avc, name, b)
	case media.HEVC:
		return s.units(hvc, name, b)
	case media.AV1:
		return b, s.av1(name, b)
	case media.AAC:
		return s.aac(name, b)
	case media.Opus:
		return b, s.opus(name)
	}
	return b, nil
}

// row is what a codec's NAL units are.
type row struct {
	codec media.Codec
	// config makes a configuration record of the parameter sets among units; nil
	// if not all are there.
	config func(units [][]byte) ([]byte, error)
	isSet  func(unit []byte) bool // a parameter set that config takes
}

var avc = &row{
	codec: media.H264,
	config: func(units [][]byte) ([]byte, error) {
		c, err := h264.ConfigFromUnits(units)
		if c == nil || err != nil {
			return nil, err
		}
		return c.Append(nil)
	},
	isSet: func(unit []byte) bool {
		t := h264.UnitType(unit)
		return t == h264.TypeSPS || t == h264.TypePPS
	},
}

var hvc = &row{
	codec: media.HEVC,
	config: func(units [][]byte) ([]byte, error) {
		c, err := hevc.ConfigFromUnits(units)
		if c == nil || err != nil {
			return nil, err
		}
		return c.Append(nil)
	},
	isSet: func(unit []byte) bool {
		t := hevc.UnitType(unit)
		return t == hevc.TypeVPS || t == hevc.TypeSPS || t == hevc.TypePPS
	},
}

// units gives NAL units lengths of four bytes and moves parameter sets into the
// configuration, unless one came from outside.
func (s *Stream) units(r *row, name string, b []byte) ([]byte, error) {
	annexB := nal.IsAnnexB(b)
	var units [][]byte
	var err error
	if annexB {
		units, err = nal.SplitAnnexB(b)
	} else {
		units, err = collect(nal.Units(b, s.lengthSize))
	}
	if err != nil {
		return nil, err
	}
	same := !annexB && s.lengthSize == 4
	if !s.outside || annexB && s.hinted {
		config, err := r.config(units)
		if err != nil {
			return nil, err
		}
		if config != nil {
			if err := s.adopt(r.codec, name, config, false); err != nil {
				return nil, err
			}
			units, same = slices.DeleteFunc(units, r.isSet), false
		}
	}
	switch {
	case len(units) == 0:
		return nil, errEmpty
	case same:
		return b, nil
	}
	return nal.AppendLengths(nil, units...), nil
}

func collect(seq iter.Seq2[[]byte, error]) (units [][]byte, err error) {
	for unit, err := range seq {
		if err != nil {
			return nil, err
		}
		units = append(units, unit)
	}
	return units, nil
}

// av1 takes the configuration from the sequence header before a key picture,
// which stays there as samples have it too.
func (s *Stream) av1(name string, b []byte) error {
	if s.outside || !av1.IsKey(b) {
		return nil
	}
	c, err := av1.ConfigFromSample(b)
	if c == nil || err != nil {
		return err
	}
	config, err := c.Append(nil)
	if err != nil {
		return err
	}
	return s.adopt(media.AV1, name, config, false)
}

// aac takes the header of ADTS off and the configuration from it, if no other
// says that there is none.
func (s *Stream) aac(name string, b []byte) ([]byte, error) {
	if s.outside {
		return b, nil
	}
	if !aac.IsADTS(b) {
		return nil, ErrNoConfig
	}
	h, err := aac.ParseADTS(b)
	if err != nil {
		return nil, err
	}
	if h.Blocks != 1 {
		return nil, errBlocks
	}
	config, err := h.Config().Append(nil)
	if err != nil {
		return nil, err
	}
	return b[h.HeaderLen:h.Len], s.adopt(media.AAC, name, config, false)
}

// opus needs no configuration: mono or stereo says each packet itself, two
// channels hold both.
func (s *Stream) opus(name string) error {
	if s.format != nil {
		return nil
	}
	channels := 2
	if s.hint != nil && s.hint.Channels > 0 {
		channels = s.hint.Channels
	}
	config, err := AudioConfig(media.Opus, opus.Hertz, uint64(channels))
	if err != nil {
		return err
	}
	return s.adopt(media.Opus, name, config, false)
}
