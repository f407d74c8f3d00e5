package elementary

import (
	"bytes"
	"errors"
	"fmt"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/h264"
	"oxymoq/pkg/media/hevc"
)

var (
	// ErrNoConfig says that nothing has yet told how to decode a chunk: neither a
	// configuration, nor parameter sets in the stream, nor a catalog.
	ErrNoConfig = errors.New("no configuration of the decoder yet")

	// ErrNoSample says that a chunk has no data: a mark in time and no picture.
	ErrNoSample = errors.New("object without data")

	errEmpty  = errors.New("chunk without a picture")
	errBlocks = errors.New("several frames of AAC in one chunk")
)

// A KindError is a chunk of video in a track of audio, or the reverse.
type KindError struct {
	Want media.Kind
	Got  media.Codec
}

func (e *KindError) Error() string { return fmt.Sprintf("%v in a track of %v", e.Got, e.Want) }

// Chunk is one coded picture or frame of audio as WebCodecs has it.
type Chunk struct {
	Codec  media.Codec // 0: by Name, by Config, or that of the chunks before
	Name   string      // codec string, empty if nobody says
	Config []byte      // WebCodecs' description; empty: that of the chunks before, or none
	Data   []byte
}

// Frame is what a sample has of a chunk. Data may alias the chunk's.
type Frame struct {
	Format *media.Format
	Key    bool
	Data   []byte
}

// Stream makes frames of the chunks of one track, in the order of decoding.
type Stream struct {
	kind   media.Kind
	hint   *media.Format // may be nil
	format *media.Format // nil: not known yet
	// raw is the configuration that format was made of, as it came.
	raw []byte
	// outside says that raw came with a chunk or the hint, not among its data.
	outside bool
	// hinted says that raw is the hint's, which parameter sets behind start codes
	// overrule: such a stream has no other configuration.
	hinted     bool
	lengthSize int // of NAL units, in chunks with lengths
}

// NewStream returns a stream for a track of the kind. hint is what is known of
// it from elsewhere, such as a catalog, or nil; its configuration holds until
// chunks bring another.
func NewStream(kind media.Kind, hint *media.Format) *Stream {
	return &Stream{kind: kind, hint: hint, lengthSize: 4}
}

// Frame returns the frame of a chunk. It fails with ErrNoConfig as long as the
// format is not known, with *KindError for a codec of the other kind, and for
// configurations and data that cannot be read.
func (s *Stream) Frame(c Chunk) (Frame, error) {
	if len(c.Data) == 0 {
		return Frame{}, ErrNoSample
	}
	codec, err := s.codec(c)
	if err != nil {
		return Frame{}, err
	}
	if codec.Kind() != s.kind {
		return Frame{}, &KindError{s.kind, codec}
	}
	switch {
	case len(c.Config) > 0:
		err = s.adopt(codec, c.Name, c.Config, true)
	case s.format == nil && s.hint != nil && s.hint.Codec == codec && len(s.hint.Config) > 0:
		err = s.adopt(codec, c.Name, s.hint.Config, true)
		s.hinted = true
	case s.format != nil && s.format.Codec != codec:
		s.format, s.raw, s.outside, s.lengthSize = nil, nil, false, 4
	}
	if err != nil {
		return Frame{}, err
	}
	data, err := s.data(codec, c.Name, c.Data)
	if err != nil {
		return Frame{}, err
	}
	if s.format == nil {
		return Frame{}, ErrNoConfig
	}
	return Frame{Format: s.format, Data: data, Key: codec.Kind() == media.Audio || media.KeyFrame(codec, data)}, nil
}

// codec finds out what a chunk is coded in.
func (s *Stream) codec(c Chunk) (media.Codec, error) {
	switch {
	case c.Codec != 0:
		return c.Codec, nil
	case c.Name != "":
		return media.ParseName(c.Name)
	case s.kind == media.Audio && bytes.HasPrefix(c.Config, []byte("OpusHead")):
		return media.Opus, nil
	case s.format != nil:
		return s.format.Codec, nil
	case s.hint != nil && s.hint.Codec != 0:
		return s.hint.Codec, nil
	case s.kind == media.Audio && len(c.Config) > 0:
		return media.AAC, nil
	case s.kind == media.Video && len(c.Config) > 0:
		return videoConfig(c.Config)
	}
	return 0, ErrNoConfig
}

// videoConfig tells configuration records apart: avcC and hvcC begin with
// version 1, av1C with a marker and version 1 (0x81). What is a whole avcC is
// one: profile and level of an hvcC do not make sense there.
func videoConfig(b []byte) (media.Codec, error) {
	if b[0] == av1Marker {
		return media.AV1, nil
	}
	if c, err := h264.ParseConfig(b); err == nil && len(c.SPS) > 0 && h264.UnitType(c.SPS[0]) == h264.TypeSPS {
		return media.H264, nil
	}
	if _, err := hevc.ParseConfig(b); err == nil {
		return media.HEVC, nil
	}
	return 0, errors.New("the configuration is of no known video codec")
}

const av1Marker = 0x81

// adopt makes the format of a configuration, unless it is the one in force.
func (s *Stream) adopt(codec media.Codec, name string, config []byte, outside bool) error {
	s.hinted = false
	if s.format != nil && s.format.Codec == codec && bytes.Equal(s.raw, config) {
		s.outside = outside
		return nil
	}
	raw := bytes.Clone(config)
	rewritten, lengthSize, err := fourBytes(codec, raw)
	if err != nil {
		return err
	}
	f, err := media.ParseFormat(codec, rewritten)
	if err != nil {
		return err
	}
	if f.Name == "" {
		f.Name = name
	}
	if _, err := media.ParseName(f.Name); err != nil {
		return err // MPEG-4 audio that is not AAC
	}
	if h := s.hint; h != nil && h.Codec == codec {
		f.Width, f.Height = or(f.Width, h.Width), or(f.Height, h.Height)
		f.FrameRate = or(f.FrameRate, h.FrameRate)
		f.SampleRate, f.Channels = or(f.SampleRate, h.SampleRate), or(f.Channels, h.Channels)
	}
	if s.format.Same(f) {
		f = s.format
	}
	s.format, s.raw, s.outside, s.lengthSize = f, raw, outside, lengthSize
	return nil
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// fourBytes returns a configuration that says lengths of four bytes, and the
// size that the given one says.
func fourBytes(codec media.Codec, config []byte) (rewritten []byte, size int, err error) {
	switch codec {
	case media.H264:
		c, err := h264.ParseConfig(config)
		if err != nil || c.LengthSize == 4 {
			return config, 4, err
		}
		size, c.LengthSize = c.LengthSize, 4
		rewritten, err = c.Append(nil)
		return rewritten, size, err
	case media.HEVC:
		c, err := hevc.ParseConfig(config)
		if err != nil || c.LengthSize == 4 {
			return config, 4, err
		}
		size, c.LengthSize = c.LengthSize, 4
		rewritten, err = c.Append(nil)
		return rewritten, size, err
	}
	return config, 4, nil
}
