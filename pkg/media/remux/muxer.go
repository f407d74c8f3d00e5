package remux

import (
	"errors"
	"fmt"
	"io"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/flv"
	"oxymoq/pkg/media/opus"
)

// MuxerOptions says what a file is to be.
type MuxerOptions struct {
	// Video and Audio say which kinds there will be. Samples of another kind are
	// refused.
	Video, Audio bool
	// Metadata is written as onMetaData. What the Muxer knows better takes the
	// place of what is here: codecs, sizes, rates, duration and file size.
	Metadata flv.Metadata
	// Seekable lets Close write the duration and the size of the file, and what
	// was not known at the first sample, if the output can seek. A file that is
	// opened for appending must not have it.
	Seekable bool
}

// Errors of Muxer.Write. Test with errors.Is. A sample that is refused is not
// written, and the Muxer can be used on.
var (
	// ErrBackwards says that a sample is to be decoded before one of its track that
	// was written.
	ErrBackwards = errors.New("the time of decoding goes back")
	// ErrNotKey says that the format of pictures changes at one that is no key, or
	// that the first is none.
	ErrNotKey = errors.New("a format of pictures can begin with a key picture only")
	// ErrUnwritable says that FLV cannot have such a sample.
	ErrUnwritable = errors.New("FLV has no such sample")
)

// Muxer writes samples into a file.
type Muxer struct {
	opts   MuxerOptions
	out    *flv.Writer
	seek   io.WriteSeeker // nil: nothing is written again
	start  int64          // where the file begins in seek
	begun  bool           // header and metadata are written
	meta   flv.Metadata
	metaAt int64 // where the tag of the metadata begins, from the file's begin
	video  written
	audio  written
	first  time.Duration // least time of a sample
	end    time.Duration // where the samples end
	timed  bool          // first and end are known
	closed bool
	err    error // of the output
}

// written is what was written of the video or the audio.
type written struct {
	begun  bool
	first  *media.Format
	format *media.Format // of the last sample
	last   int64         // its time in milliseconds
}

// NewMuxer returns a muxer that writes to out, which it does not close. The header
// is written with the first sample, whose format is then in the metadata.
func NewMuxer(out io.Writer, opts MuxerOptions) *Muxer {
	m := &Muxer{opts: opts, out: flv.NewWriter(out)}
	if s, ok := out.(io.WriteSeeker); ok && opts.Seekable {
		// A pipe is an io.WriteSeeker as well, whose Seek fails.
		if at, err := s.Seek(0, io.SeekCurrent); err == nil {
			m.seek, m.start = s, at
		}
	}
	return m
}

// Written returns how many bytes were written.
func (m *Muxer) Written() int64 { return m.out.Written() }

// Write writes a sample, and before it the configuration if the format differs
// from that of the sample before. Times become whole milliseconds, of which a tag
// has the lowest 32 bits. Samples are to come in the order of decoding; they are
// written in the order of the calls. Where the format of pictures changes in the
// middle of the file, the picture gets its parameter sets as well.
//
// It refuses, with the errors above, what FLV cannot have: a kind that the header
// does not announce, a time before 0 or going back within its track, a composition
// time of more than 24 bits, a codec without its configuration. Errors of the
// output are returned by every later call.
func (m *Muxer) Write(s *media.Sample) error {
	if m.err != nil {
		return m.err
	}
	if m.closed {
		return errors.New("FLV: the file is closed")
	}
	t, err := m.check(s)
	if err != nil {
		return err
	}
	decoded, shown := s.DTS.Round(time.Millisecond).Milliseconds(), s.PTS.Round(time.Millisecond).Milliseconds()
	fresh := !t.begun || !s.Format.Same(t.format)
	data := s.Data
	if fresh && t.begun {
		data = withSets(s)
	}
	tags := make([]flv.Tag, 0, 2)
	if fresh {
		start, err := header(s.Format)
		if err != nil {
			return err
		}
		tags = append(tags, start)
	}
	frame, err := frame(s, shown-decoded, data)
	if err != nil {
		return err
	}
	tags = append(tags, frame)
	// From here on nothing is refused.
	if !t.begun {
		t.first = s.Format
	}
	t.format, t.begun, t.last = s.Format, true, decoded
	if m.err = m.begin(); m.err != nil {
		return m.err
	}
	for _, tag := range tags {
		tag.Time = uint32(decoded)
		if m.err = m.out.WriteTag(tag); m.err != nil {
			return m.err
		}
	}
	m.passed(s)
	return nil
}

// check says why a sample cannot be written, and returns its track.
func (m *Muxer) check(s *media.Sample) (*written, error) {
	if s.Format == nil || flvCodec(s.Format.Codec) == 0 {
		return nil, fmt.Errorf("%w: its codec is not known", ErrUnwritable)
	}
	kind := s.Format.Codec.Kind()
	t, announced := &m.video, m.opts.Video
	if kind == media.Audio {
		t, announced = &m.audio, m.opts.Audio
	}
	decoded := s.DTS.Round(time.Millisecond).Milliseconds()
	switch {
	case !announced:
		return nil, fmt.Errorf("%w: the file is to have no %v", ErrUnwritable, kind)
	case decoded < 0:
		return nil, fmt.Errorf("%w: its time of decoding is %v", ErrUnwritable, s.DTS)
	case len(s.Data) == 0:
		return nil, fmt.Errorf("%w: it has no data", ErrUnwritable)
	case len(s.Format.Config) == 0 && s.Format.Codec != media.Opus:
		return nil, fmt.Errorf("%w: there is no configuration of %v", ErrUnwritable, s.Format.Codec)
	case t.begun && decoded < t.last:
		return nil, fmt.Errorf("%w: %v at %v comes after %v", ErrBackwards, kind, s.DTS, milliseconds(t.last))
	case kind == media.Video && !s.Key && !(t.begun && s.Format.Same(t.format)):
		return nil, fmt.Errorf("%w: %v at %v is none", ErrNotKey, kind, s.DTS)
	}
	return t, nil
}

// header returns the tag with the configuration of a format.
func header(f *media.Format) (flv.Tag, error) {
	config := f.Config
	if f.Codec == media.Opus && len(config) == 0 {
		// A decoder needs to know the channels, and players expect the header.
		var err error
		if config, err = opus.NewHead(max(f.Channels, 1)).Append(nil); err != nil {
			return flv.Tag{}, fmt.Errorf("%w: %w", ErrUnwritable, err)
		}
	}
	return packet(f.Codec, flv.SequenceStart, true, 0, config)
}

// frame returns the tag of a sample.
func frame(s *media.Sample, composition int64, data []byte) (flv.Tag, error) {
	if composition < flv.MinCompositionTime || composition > flv.MaxCompositionTime {
		return flv.Tag{}, fmt.Errorf("%w: it is shown %v after it is decoded", ErrUnwritable, milliseconds(composition))
	}
	return packet(s.Format.Codec, flv.Frames, s.Key, int32(composition), data)
}

// packet returns a tag of any type, without its time.
func packet(c media.Codec, p flv.PacketType, key bool, composition int32, data []byte) (t flv.Tag, err error) {
	if c.Kind() == media.Audio {
		t.Type = flv.Audio
		t.Data, err = flv.AppendAudio(make([]byte, 0, len(data)+8), flv.AudioTag{Codec: flvCodec(c), Packet: p, Data: data})
	} else {
		frame := flv.InterFrame
		if key {
			frame = flv.KeyFrame
		}
		t.Type = flv.Video
		t.Data, err = flv.AppendVideo(make([]byte, 0, len(data)+8), flv.VideoTag{
			FrameType: frame, Codec: flvCodec(c), Packet: p, CompositionTime: composition, Data: data,
		})
	}
	if err == nil && len(t.Data) > flv.MaxTagData {
		err = fmt.Errorf("a tag cannot have %d bytes", len(t.Data))
	}
	if err != nil {
		return flv.Tag{}, fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	return t, nil
}

// passed takes note of the time that a sample takes.
func (m *Muxer) passed(s *media.Sample) {
	if begin := min(s.DTS, s.PTS); !m.timed || begin < m.first {
		m.first = begin
	}
	m.end = max(m.end, s.PTS+s.Duration, s.DTS+s.Duration)
	m.timed = true
}

// Close writes the end of the sequence of pictures, and what Seekable lets it write
// again. It does not close the output. A second call does nothing.
func (m *Muxer) Close() error {
	if m.closed || m.err != nil {
		m.closed = true
		return m.err
	}
	m.closed = true
	if m.err = m.finish(); m.err != nil {
		return m.err
	}
	return nil
}

func (m *Muxer) finish() error {
	if err := m.begin(); err != nil {
		return err
	}
	if v := m.video; v.begun {
		tag, err := packet(v.format.Codec, flv.SequenceEnd, true, 0, nil)
		if err != nil {
			return err
		}
		tag.Time = uint32(v.last)
		if err := m.out.WriteTag(tag); err != nil {
			return err
		}
	}
	return m.rewrite()
}
