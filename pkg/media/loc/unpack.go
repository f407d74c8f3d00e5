package loc

import (
	"fmt"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/elementary"
	"oxymoq/pkg/model"
)

// Unpacker makes samples of the objects of one track.
type Unpacker struct {
	stream *elementary.Stream
	order  elementary.Order
}

// NewUnpacker returns an unpacker of a track of the kind. hint is what is known
// of it from elsewhere, or nil.
func NewUnpacker(kind media.Kind, hint *media.Format) *Unpacker {
	return &Unpacker{stream: elementary.NewStream(kind, hint)}
}

// Unpack returns the sample of an object. It fails with ErrNotLOC if there is no
// timestamp, with *PropertyError if a property breaks the rules, with
// elementary.ErrNoConfig as long as nothing has said how to decode, and with
// *elementary.OrderError where no decode time fits. The sample's data may alias
// the payload.
func (u *Unpacker) Unpack(props model.Properties, payload []byte) (*media.Sample, error) {
	f, err := gather(props)
	if err != nil {
		return nil, err
	}
	s := new(media.Sample)
	if err := f.time(s); err != nil {
		return nil, &PropertyError{propTimestamp, err}
	}
	frame, err := u.stream.Frame(elementary.Chunk{Name: f.codec, Config: f.config, Data: payload})
	if err != nil {
		return nil, fmt.Errorf("LOC: %w", err)
	}
	s.Format, s.Data, s.Key = frame.Format, frame.Data, frame.Key
	s.DTS, err = u.order.DTS(s.PTS, frame)
	if err != nil {
		return nil, fmt.Errorf("LOC: %w", err)
	}
	return s, nil
}

// time sets when a sample is shown: media time by the timescale, or, without
// one, wall clock in microseconds since 1970, which is when it was captured too
// (section 2.3.1.1).
func (f *fields) time(s *media.Sample) (err error) {
	timescale, isMedia := f.timescale.Get()
	if !isMedia {
		timescale = Timescale
	}
	s.PTS, err = elementary.Duration(f.timestamp.Value, timescale)
	if err == nil && !isMedia {
		s.Captured = time.Unix(0, int64(s.PTS))
	}
	return err
}
