package remux

import (
	"iter"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/h264"
	"oxymoq/pkg/media/hevc"
	"oxymoq/pkg/media/nal"
)

// withSets returns the data of a key picture with the parameter sets of its format
// in front, unless it has such already or is of a codec without.
//
// That is for formats that change in the middle of a file. The configuration in a
// tag of its own is for the decoder; ffmpeg's parser, which works ahead of it, does
// not hear of it and reads the pictures by the old one, with complaints and wrong
// times. Those in the pictures it sees.
func withSets(s *media.Sample) []byte {
	switch s.Format.Codec {
	case media.H264:
		c, err := h264.ParseConfig(s.Format.Config)
		if err != nil {
			return s.Data
		}
		return insert(s.Data, nal.Units(s.Data, fourBytes), append(c.SPS[:len(c.SPS):len(c.SPS)], c.PPS...), func(nal []byte) (set, first bool) {
			t := h264.UnitType(nal)
			return t == h264.TypeSPS, t == h264.TypeDelimiter
		})
	case media.HEVC:
		c, err := hevc.ParseConfig(s.Format.Config)
		if err != nil {
			return s.Data
		}
		var sets [][]byte
		for _, a := range c.Arrays {
			if a.Type == hevc.TypeVPS || a.Type == hevc.TypeSPS || a.Type == hevc.TypePPS {
				sets = append(sets, a.Units...)
			}
		}
		return insert(s.Data, nal.Units(s.Data, fourBytes), sets, func(nal []byte) (set, first bool) {
			t := hevc.UnitType(nal)
			return t == hevc.TypeSPS, t == hevc.TypeDelimiter
		})
	}
	return s.Data
}

// insert puts NAL units before the others of a sample, but behind those that must
// be first. kind says of a unit whether it is one of those, or a parameter set.
func insert(data []byte, units iter.Seq2[[]byte, error], sets [][]byte, kind func([]byte) (set, first bool)) []byte {
	var leading, rest [][]byte
	for nal, err := range units {
		if err != nil {
			return data
		}
		set, first := kind(nal)
		switch {
		case set:
			return data
		case first && rest == nil:
			leading = append(leading, nal)
		default:
			rest = append(rest, nal)
		}
	}
	out := nal.AppendLengths(make([]byte, 0, len(data)+256), leading...)
	out = nal.AppendLengths(out, sets...)
	return nal.AppendLengths(out, rest...)
}
