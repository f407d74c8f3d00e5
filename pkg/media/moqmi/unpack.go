package moqmi

import (
	"fmt"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/elementary"
	"oxymoq/pkg/model"
)

// Unpacker makes samples of the objects of one track.
type Unpacker struct {
	stream   *elementary.Stream
	flavours flavours
}

// NewUnpacker returns an unpacker of a track of the kind. hint is what is known
// of it from elsewhere, or nil.
func NewUnpacker(kind media.Kind, hint *media.Format) *Unpacker {
	return &Unpacker{stream: elementary.NewStream(kind, hint)}
}

// Unpack returns the sample of an object. It fails with ErrNotMoQMi if there is
// no media type, with *PropertyError if a property breaks the rules, and with
// elementary.ErrNoConfig as long as no key picture has brought the decoder's
// configuration. The sample's data may alias the payload.
func (u *Unpacker) Unpack(props model.Properties, payload []byte) (*media.Sample, error) {
	f, err := gather(props)
	if err != nil {
		return nil, err
	}
	codec, metadata, err := f.codec()
	if err != nil {
		return nil, err
	}
	s := &media.Sample{HasSeq: true}
	c := elementary.Chunk{Codec: codec, Data: payload}
	switch codec.Kind() {
	case media.Video:
		c.Config = f.values[propAVCConfig]
		if codec == media.HEVC {
			c.Config = f.values[propHEVCConfig]
		}
		err = u.video(s, f.values[metadata])
	default:
		err = u.audio(s, &c, f.values[metadata])
	}
	if err != nil {
		return nil, &PropertyError{metadata, err}
	}
	frame, err := u.stream.Frame(c)
	if err != nil {
		return nil, fmt.Errorf("MoQMi: %w", err)
	}
	s.Format, s.Data, s.Key = frame.Format, frame.Data, frame.Key
	return s, nil
}

// video reads sequence, PTS, DTS, timebase, duration, wallclock.
func (u *Unpacker) video(s *media.Sample, b []byte) error {
	v, err := u.flavours.read(b, videoLayout)
	if err != nil {
		return err
	}
	if s.DTS, err = elementary.Duration(v[2], v[3]); err != nil {
		return fmt.Errorf("DTS: %w", err)
	}
	return shared(s, v[0], v[1], v[3], v[4], v[5])
}

// audio reads sequence, PTS, timebase, hertz, channels, duration, wallclock, and
// makes the configuration of what it reads.
func (u *Unpacker) audio(s *media.Sample, c *elementary.Chunk, b []byte) error {
	v, err := u.flavours.read(b, audioLayout)
	if err != nil {
		return err
	}
	if err := shared(s, v[0], v[1], v[2], v[5], v[6]); err != nil {
		return err
	}
	s.DTS = s.PTS
	c.Config, err = elementary.AudioConfig(c.Codec, v[3], v[4])
	return err
}

// shared sets what video and audio have in common.
func shared(s *media.Sample, seq, pts, timebase, duration, wallclock uint64) (err error) {
	s.Seq = seq
	if s.PTS, err = elementary.Duration(pts, timebase); err != nil {
		return fmt.Errorf("PTS: %w", err)
	}
	if s.Duration, err = elementary.Duration(duration, timebase); err != nil {
		return fmt.Errorf("duration: %w", err)
	}
	if wallclock > maxWallclock {
		return fmt.Errorf("wallclock %d ms is too large", wallclock)
	}
	if wallclock != 0 {
		s.Captured = time.UnixMilli(int64(wallclock))
	}
	return nil
}
