package moqmi

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/aac"
	"oxymoq/pkg/media/elementary"
	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// Timebase is what times are written by, in a second.
const Timebase = 1000

var (
	errNoFormat = errors.New("sample without a format")
	errNoConfig = errors.New("key picture without the decoder's configuration")
)

// A CodecError is a codec that MoQMi cannot carry.
type CodecError struct{ Codec media.Codec }

func (e *CodecError) Error() string {
	return fmt.Sprintf("MoQMi cannot carry %v; the packaging loc can", e.Codec)
}

// Options are in which of the incompatible ways objects are written; the zero
// value is the draft's.
type Options struct {
	MoxygenOpus      bool // media type 4 for Opus, the only one that moxygen reads
	OldVideoProperty bool // 0x0b for the metadata of H.264, as before 2025
	TransportVarints bool // the transport's integers in metadata (draft 17 of MoQT on)
}

// Packer makes objects of samples.
type Packer struct {
	o    Options
	kind varint.Kind
	seq  uint64 // of the next sample without one
}

// NewPacker returns a packer for one track.
func NewPacker(o Options) *Packer {
	p := &Packer{o: o, kind: varint.QUIC}
	if o.TransportVarints {
		p.kind = varint.MoQ
	}
	return p
}

// Pack returns the properties of an object, ascending, and its payload, which is
// the sample's data itself.
//
// It fails for a codec without media type (*CodecError), for times that an
// unsigned integer cannot say, and for a key picture without configuration.
func (p *Packer) Pack(s *media.Sample) (model.Properties, []byte, error) {
	if s.Format == nil {
		return nil, nil, errNoFormat
	}
	var err error
	var props model.Properties
	switch s.Format.Codec {
	case media.H264:
		t := propVideo
		if p.o.OldVideoProperty {
			t = propOldVideo
		}
		props, err = p.video(s, typeH264, t, propAVCConfig)
	case media.HEVC:
		props, err = p.video(s, typeFour, propHEVC, propHEVCConfig)
	case media.Opus:
		t := typeOpus
		if p.o.MoxygenOpus {
			t = typeFour
		}
		props, err = p.audio(s, t, propOpus)
	case media.AAC:
		props, err = p.audio(s, typeAAC, propAAC)
	default:
		err = &CodecError{s.Format.Codec}
	}
	if err != nil {
		return nil, nil, err
	}
	slices.SortFunc(props, func(a, b model.Property) int { return cmp.Compare(a.Type, b.Type) })
	return props, s.Data, nil
}

func (p *Packer) video(s *media.Sample, mediaType, metadata, config uint64) (model.Properties, error) {
	t, err := p.times(s)
	if err != nil {
		return nil, err
	}
	blob, err := p.blob(t.seq, t.pts, t.dts, Timebase, t.duration, t.wallclock)
	if err != nil {
		return nil, err
	}
	props := model.Properties{{Type: propMediaType, Int: mediaType}, {Type: metadata, Bytes: blob}}
	if s.Key {
		if len(s.Format.Config) == 0 {
			return nil, errNoConfig
		}
		props = append(props, model.Property{Type: config, Bytes: s.Format.Config})
	}
	return props, nil
}

func (p *Packer) audio(s *media.Sample, mediaType, metadata uint64) (model.Properties, error) {
	t, err := p.times(s)
	if err != nil {
		return nil, err
	}
	hertz, channels, err := numbers(s.Format)
	if err != nil {
		return nil, err
	}
	if hertz <= 0 || channels <= 0 {
		return nil, fmt.Errorf("%v with %d Hz and %d channels", s.Format.Codec, hertz, channels)
	}
	blob, err := p.blob(t.seq, t.pts, Timebase, uint64(hertz), uint64(channels), t.duration, t.wallclock)
	if err != nil {
		return nil, err
	}
	return model.Properties{{Type: propMediaType, Int: mediaType}, {Type: metadata, Bytes: blob}}, nil
}

// numbers returns what a receiver makes the configuration of. For AAC they are
// those of the core, for the configuration will say AAC-LC; a decoder finds SBR
// in the frames by itself.
func numbers(f *media.Format) (hertz, channels int, err error) {
	if f.Codec == media.AAC && len(f.Config) > 0 {
		c, err := aac.ParseConfig(f.Config)
		if err != nil {
			return 0, 0, err
		}
		return c.Hertz, c.Channels, nil
	}
	return f.SampleRate, f.Channels, nil
}

// times are those of a sample as they are written.
type times struct{ seq, pts, dts, duration, wallclock uint64 }

func (p *Packer) times(s *media.Sample) (t times, err error) {
	limit := p.kind.Max()
	if t.pts, err = elementary.Ticks(s.PTS, Timebase, limit); err != nil {
		return t, fmt.Errorf("PTS: %w", err)
	}
	if t.dts, err = elementary.Ticks(s.DTS, Timebase, limit); err != nil {
		return t, fmt.Errorf("DTS: %w", err)
	}
	if t.duration, err = elementary.Ticks(s.Duration, Timebase, limit); err != nil {
		return t, fmt.Errorf("duration: %w", err)
	}
	if ms := s.Captured.UnixMilli(); !s.Captured.IsZero() && ms > 0 {
		t.wallclock = uint64(ms)
	}
	t.seq = p.seq
	if s.HasSeq {
		t.seq = s.Seq
	}
	p.seq = t.seq + 1
	return t, nil
}

// blob writes the integers of metadata.
func (p *Packer) blob(v ...uint64) ([]byte, error) {
	b := make([]byte, 0, MaxMetadata)
	for _, n := range v {
		if n > p.kind.Max() {
			return nil, fmt.Errorf("metadata %d: %w", n, varint.ErrTooLarge)
		}
		b = p.kind.Append(b, n)
	}
	return b, nil
}
