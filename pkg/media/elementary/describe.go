package elementary

import (
	"fmt"
	"math"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/aac"
	"oxymoq/pkg/media/opus"
)

// Describe returns what WebCodecs configures a decoder with: the codec string
// and the description, which AV1 may lack. Opus gets an identification header
// that says its rate, because a browser player takes the rate from there.
func Describe(f *media.Format) (name string, config []byte, err error) {
	name, config = f.Name, f.Config
	if f.Codec == media.Opus {
		if config, err = opusHead(f); err != nil {
			return "", nil, err
		}
	}
	if name == "" {
		g, err := media.ParseFormat(f.Codec, config)
		if err != nil {
			return "", nil, err
		}
		name = g.Name
	}
	return name, config, nil
}

func opusHead(f *media.Format) ([]byte, error) {
	if len(f.Config) == 0 {
		return AudioConfig(media.Opus, uint64(or(f.SampleRate, opus.Hertz)), uint64(or(f.Channels, 2)))
	}
	h, err := opus.ParseHead(f.Config)
	if err != nil || h.SourceRate != 0 {
		return f.Config, err
	}
	h.SourceRate = opus.Hertz
	return h.Append(nil)
}

// AudioConfig returns the configuration of AAC-LC or Opus of which only rate and
// channels are known.
func AudioConfig(codec media.Codec, hertz, channels uint64) ([]byte, error) {
	if channels == 0 || channels > math.MaxUint8 {
		return nil, fmt.Errorf("%v with %d channels", codec, channels)
	}
	switch codec {
	case media.AAC:
		if hertz > aac.MaxHertz {
			return nil, fmt.Errorf("%v with %d Hz", codec, hertz)
		}
		c, err := aac.LC(int(hertz), int(channels))
		if err != nil {
			return nil, err
		}
		return c.Append(nil)
	case media.Opus:
		if hertz > math.MaxUint32 {
			return nil, fmt.Errorf("%v with %d Hz", codec, hertz)
		}
		h := opus.NewHead(int(channels))
		h.SourceRate = uint32(hertz)
		return h.Append(nil)
	}
	return nil, fmt.Errorf("%v is not described by rate and channels", codec)
}
