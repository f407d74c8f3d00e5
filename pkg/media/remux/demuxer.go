package remux

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/flv"
)

// Demuxer makes samples of the tags of a file.
type Demuxer struct {
	// Warn, if not nil, is told of what is left out and why: a codec that is not
	// supported (*flv.UnsupportedError), tags that are broken (*flv.FormatError
	// and others, with the time of the tag), script data that cannot be read. Of
	// the same cause it is told once for video and once for audio; Counts has
	// how often. Set it before the first call of Next.
	Warn func(error)

	in     *flv.Reader
	clock  clock
	files  int  // of the reader, when the last frame came
	file   bool // a file began, and no frame of it has come
	video  track
	audio  track
	meta   flv.Metadata
	counts Counts
	warned map[string]bool
}

// Counts says what was left out or repaired, in tags.
type Counts struct {
	NoConfig    int // frames before the first configuration of their track
	Unsupported int // of codecs and kinds that are not supported, or encrypted
	Broken      int // that contradict their format, frames without data among them
	OtherTracks int // of other tracks than the first of their kind
	Backwards   int // frames whose time was before that of the frame before, which they got
	Restarts    int // times that the source started again
}

// track is what is known of the video or the audio.
type track struct {
	id     uint8 // of several in one tag
	has    bool  // id is known
	raw    []byte
	codec  flv.Codec
	now    *config // of the last sample; nil before the first configuration
	next   *config // what takes its place at the next key picture
	seq    uint64
	last   int64 // time of the last frame
	begun  bool  // there is one
	length time.Duration
}

// NewDemuxer returns a demuxer of what a reader reads.
func NewDemuxer(in *flv.Reader) *Demuxer {
	return &Demuxer{in: in, warned: make(map[string]bool)}
}

// Metadata returns what the last onMetaData so far says, nil if there is none.
func (d *Demuxer) Metadata() flv.Metadata { return d.meta }

// Counts returns what was left out or repaired so far.
func (d *Demuxer) Counts() Counts { return d.counts }

// Next returns the next sample. Its error is io.EOF at the end of the file, or that
// of the reader; a tag that cannot be used ends nothing, but Warn is told.
//
// Seq counts from 0 in each of video and audio. The format is another one only at a
// key sample, and only if the configuration differs. Duration is what the sound
// says, or the distance to the sample before, or at first what the rate of pictures
// says; 0 if there is none of them. DTS never goes back within a track, and no time
// is below zero.
func (d *Demuxer) Next() (*media.Sample, error) {
	for {
		tag, err := d.in.Next()
		if unsupported, ok := errors.AsType[*flv.UnsupportedError](err); ok {
			d.unsupported(unsupported)
			continue
		}
		if err != nil {
			return nil, err
		}
		if files := d.in.Files(); files != d.files {
			d.file = d.files > 0
			d.files = files
		}
		var s *media.Sample
		switch tag.Type {
		case flv.Video:
			s, err = d.videoTag(tag)
		case flv.Audio:
			s, err = d.audioTag(tag)
		case flv.Script:
			err = d.script(tag)
		}
		if err != nil {
			d.broken(tag, err)
		}
		if s != nil {
			return s, nil
		}
	}
}

// broken counts a tag that cannot be used.
func (d *Demuxer) broken(tag flv.Tag, err error) {
	if unsupported, ok := errors.AsType[*flv.UnsupportedError](err); ok {
		d.unsupported(unsupported)
		return
	}
	d.counts.Broken++
	d.warn("broken "+tag.Type.String(), fmt.Errorf("a tag of %v at %v: %w", tag.Type, milliseconds(int64(tag.Time)), err))
}

func (d *Demuxer) unsupported(err *flv.UnsupportedError) {
	d.counts.Unsupported++
	d.warn("unsupported "+err.Type.String(), err)
}

// warn tells of a cause once.
func (d *Demuxer) warn(cause string, err error) {
	if d.Warn != nil && !d.warned[cause] {
		d.warned[cause] = true
		d.Warn(err)
	}
}

func (d *Demuxer) script(tag flv.Tag) error {
	m, ok, err := flv.ParseMetadata(tag.Data)
	if ok {
		d.meta = m
	}
	return err
}

func (d *Demuxer) videoTag(tag flv.Tag) (*media.Sample, error) {
	v, err := flv.ParseVideo(tag.Data)
	if err != nil {
		return nil, err
	}
	key := v.FrameType == flv.KeyFrame || v.FrameType == flv.GeneratedKeyFrame
	switch v.Packet {
	case flv.SequenceStart:
		return nil, d.configure(&d.video, flv.Video, v.Codec, v.Track, v.Data)
	case flv.Frames:
		return d.frame(&d.video, tag, v.Codec, v.Track, key, v.CompositionTime, v.Data)
	}
	return nil, nil
}

func (d *Demuxer) audioTag(tag flv.Tag) (*media.Sample, error) {
	a, err := flv.ParseAudio(tag.Data)
	if err != nil {
		return nil, err
	}
	switch a.Packet {
	case flv.SequenceStart:
		return nil, d.configure(&d.audio, flv.Audio, a.Codec, a.Track, a.Data)
	case flv.Frames:
		return d.frame(&d.audio, tag, a.Codec, a.Track, true, 0, a.Data)
	}
	return nil, nil
}

// configure takes a sequence header. That of the first track decides which track is
// followed; one that says nothing new changes nothing.
func (d *Demuxer) configure(t *track, kind flv.TagType, c flv.Codec, id uint8, data []byte) error {
	if t.has && t.id != id {
		d.counts.OtherTracks++
		return nil
	}
	if (t.now != nil || t.next != nil) && t.codec == c && bytes.Equal(t.raw, data) {
		return nil
	}
	codec, ok := codecs[c]
	if !ok {
		return &flv.UnsupportedError{Type: kind, What: "codec " + c.String()}
	}
	cfg, err := parseConfig(codec, data)
	if err != nil {
		// What comes is not for the decoder that there was.
		t.raw, t.now, t.next = nil, nil, nil
		return err
	}
	cfg.hints(d.meta)
	t.has, t.id, t.codec, t.raw, t.next = true, id, c, data, cfg
	if t.now != nil && cfg.format.Same(t.now.format) && cfg.lengthSize == t.now.lengthSize {
		t.next = nil // back to what it was before the next key picture
	}
	return nil
}

// frame makes a sample of coded pictures or sound, nil if it is left out.
func (d *Demuxer) frame(t *track, tag flv.Tag, c flv.Codec, id uint8, key bool, composition int32, data []byte) (*media.Sample, error) {
	if _, ok := codecs[c]; !ok {
		return nil, &flv.UnsupportedError{Type: tag.Type, What: "codec " + c.String()}
	}
	if t.has && t.id != id {
		d.counts.OtherTracks++
		return nil, nil
	}
	if t.next != nil && (key || t.now == nil) {
		t.now, t.next = t.next, nil
	}
	if t.now == nil || codecs[c] != t.now.format.Codec {
		d.counts.NoConfig++
		return nil, nil
	}
	data, err := t.now.data(data)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, errNoData
	}
	shown, decoded := d.times(t, tag.Time, composition, t.now.duration(data))
	s := &media.Sample{
		Format: t.now.format,
		PTS:    milliseconds(shown), DTS: milliseconds(decoded), Duration: t.length,
		Key: key, Seq: t.seq, HasSeq: true,
		Data: data,
	}
	t.seq++
	return s, nil
}

// errNoData says that a tag has no picture or sound in it.
var errNoData = errors.New("it has no data")

// times returns when a frame is shown and decoded, and takes note of it. said is
// how long it says it is.
func (d *Demuxer) times(t *track, raw uint32, composition int32, said time.Duration) (shown, decoded int64) {
	if d.clock.restarts(raw, t.last, t.begun, d.file) {
		d.clock.restart(raw)
		d.counts.Restarts++
	}
	d.file = false
	decoded = d.clock.set(raw)
	shown = max(decoded+int64(composition), 0)
	least := int64(0)
	if t.begun {
		least = t.last
	}
	if decoded < least {
		d.counts.Backwards++
		decoded = least
		if composition == 0 {
			shown = decoded
		}
	}
	passed := decoded - t.last
	switch {
	case t == &d.audio && said > 0:
		t.length = said
	case t.begun && passed > 0 && passed <= maxJitter:
		t.length = milliseconds(passed)
	case t.length == 0:
		t.length = said
	}
	t.last, t.begun = decoded, true
	d.clock.ended(decoded, t.length)
	return shown, decoded
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
