package elementary

import (
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/h264"
	"oxymoq/pkg/media/hevc"
	"oxymoq/pkg/media/nal"
)

// AppendInBand appends to b a sample as a chunk whose decoder is configured by
// the stream itself: NAL units of H.264 and HEVC behind start codes, the
// parameter sets of the configuration before those of a key picture. Other
// codecs stay as they are.
func AppendInBand(b []byte, s *media.Sample) ([]byte, error) {
	switch s.Format.Codec {
	case media.H264:
		units, err := collect(nal.Units(s.Data, 4))
		if err != nil {
			return nil, err
		}
		if s.Key {
			c, err := h264.ParseConfig(s.Format.Config)
			if err != nil {
				return nil, err
			}
			b = nal.AppendAnnexB(nal.AppendAnnexB(b, c.SPS...), c.PPS...)
		}
		return nal.AppendAnnexB(b, units...), nil
	case media.HEVC:
		units, err := collect(nal.Units(s.Data, 4))
		if err != nil {
			return nil, err
		}
		if s.Key {
			c, err := hevc.ParseConfig(s.Format.Config)
			if err != nil {
				return nil, err
			}
			for _, a := range c.Arrays {
				b = nal.AppendAnnexB(b, a.Units...)
			}
		}
		return nal.AppendAnnexB(b, units...), nil
	}
	return append(b, s.Data...), nil
}
