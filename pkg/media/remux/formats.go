package remux

import (
	"fmt"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/aac"
	"oxymoq/pkg/media/flv"
	"oxymoq/pkg/media/h264"
	"oxymoq/pkg/media/hevc"
	"oxymoq/pkg/media/nal"
	"oxymoq/pkg/media/opus"
)

// fourBytes is how long the length before a NAL unit is in every sample.
const fourBytes = 4

// codecs are the codecs that both sides know. FLV has VP9 as well, samples have not.
var codecs = map[flv.Codec]media.Codec{
	flv.H264: media.H264, flv.HEVC: media.HEVC, flv.AV1: media.AV1, flv.AAC: media.AAC, flv.Opus: media.Opus,
}

// flvCodec returns a codec as FLV names it, 0 if it does not.
func flvCodec(c media.Codec) flv.Codec {
	for f, m := range codecs {
		if m == c {
			return f
		}
	}
	return 0
}

// config is what a sequence header says: how to decode, and what must be done to
// the data before.
type config struct {
	format     *media.Format
	lengthSize int           // of NAL units in the tags; 0 for other codecs
	frame      time.Duration // how long each frame of sound is; 0 if that differs
}

// parseConfig reads a sequence header. Lengths of other than four bytes become such
// of four.
func parseConfig(c media.Codec, data []byte) (*config, error) {
	cfg := &config{}
	var rewritten []byte
	var err error
	switch c {
	case media.H264:
		var r *h264.Config
		if r, err = h264.ParseConfig(data); err == nil && r.LengthSize != fourBytes {
			cfg.lengthSize, r.LengthSize = r.LengthSize, fourBytes
			rewritten, err = r.Append(nil)
		}
	case media.HEVC:
		var r *hevc.Config
		if r, err = hevc.ParseConfig(data); err == nil && r.LengthSize != fourBytes {
			cfg.lengthSize, r.LengthSize = r.LengthSize, fourBytes
			rewritten, err = r.Append(nil)
		}
	case media.AAC:
		var r *aac.Config
		if r, err = aac.ParseConfig(data); err == nil && r.OutputHertz() > 0 {
			cfg.frame = time.Duration(r.FrameSamples()) * time.Second / time.Duration(r.OutputHertz())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the configuration of %v: %w", c, err)
	}
	if rewritten != nil {
		data = rewritten
	}
	if cfg.format, err = media.ParseFormat(c, data); err != nil {
		return nil, err
	}
	return cfg, nil
}

// hints fills in what the configuration does not say and the metadata does.
func (c *config) hints(m flv.Metadata) {
	f := c.format
	if f.Codec.Kind() != media.Video {
		return
	}
	side := func(name string) int {
		if n := m.Number(name); n >= 1 && n <= h264.MaxSide {
			return int(n)
		}
		return 0
	}
	if f.Width == 0 || f.Height == 0 {
		if w, h := side("width"), side("height"); w > 0 && h > 0 {
			f.Width, f.Height = w, h
		}
	}
	if rate := m.Number("framerate"); f.FrameRate == 0 && rate > 0 && rate <= maxFrameRate {
		f.FrameRate = rate
	}
}

// maxFrameRate is the largest framerate of the metadata that is believed: above
// it pictures have the same millisecond.
const maxFrameRate = 1000

// data returns the data of a frame as samples have it.
func (c *config) data(b []byte) ([]byte, error) {
	switch {
	case c.lengthSize == 0:
		return b, nil
	case c.format.Codec == media.HEVC:
		return nal.Relength(make([]byte, 0, len(b)), b, c.lengthSize)
	}
	return nal.Relength(make([]byte, 0, len(b)), b, c.lengthSize)
}

// duration returns how long a frame is by what it or the format says, or 0.
func (c *config) duration(data []byte) time.Duration {
	switch {
	case c.frame > 0:
		return c.frame
	case c.format.Codec == media.Opus:
		if d, err := opus.Duration(data); err == nil {
			return d
		}
	case c.format.Codec.Kind() == media.Video && c.format.FrameRate >= 1:
		return time.Duration(float64(time.Second) / c.format.FrameRate)
	}
	return 0
}
