package streamer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/moqmi"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
)

// packer makes the object of a sample; a packaging.Packer is one.
type packer interface {
	Pack(s *media.Sample) (props model.Properties, payload []byte, err error)
}

// output is a track of media: samples in, groups of objects out. It is for one
// goroutine, except counts.
type output struct {
	name   string
	kind   media.Kind
	writer *moqt.TrackWriter
	packer packer
	// span is how much time of audio a group has; 0: one sample.
	span time.Duration
	log  *slog.Logger

	format *media.Format // of the samples that are published
	told   *media.Format // that the catalog says
	group  *moqt.GroupWriter
	began  time.Duration // DTS of the group's first sample
	seq    uint64        // of the next sample
	frame  *moqt.Frame

	mu   sync.Mutex
	sum  counts
	last newest
}

// counts are what became of the samples of a track.
type counts struct {
	Codec   string // what it is of now
	Groups  uint64
	Objects uint64
	Bytes   uint64 // of payloads
	Dropped uint64
	// Group and Object are the place of the last object.
	Group, Object uint64
}

// newest is the last object that was published.
type newest struct {
	format *media.Format // nil: there is none
	dts    time.Duration
	every  time.Duration // from the group before to its group; 0: not known
}

func (o *output) counts() counts {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sum
}

func (o *output) newest() newest {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// count changes what is told of the track.
func (o *output) count(f func(*counts)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f(&o.sum)
}

// drop counts a sample that is not published, and says why the first time.
func (o *output) drop(because string) {
	first := false
	o.count(func(c *counts) {
		first = c.Dropped == 0
		c.Dropped++
	})
	if first {
		o.log.Warn("a sample is dropped; more are counted and not named", "track", o.name, "because", because)
	}
}

// tell notes the format that the catalog says from now on, and logs it.
func (o *output) tell(f *media.Format) {
	o.told = f
	what := fmt.Sprintf("%v %dx%d", f.Codec, f.Width, f.Height)
	if o.kind == media.Audio {
		what = fmt.Sprintf("%v %d Hz, %d channels", f.Codec, f.SampleRate, f.Channels)
	}
	o.log.Info("publishing", "track", o.name, "codec", what)
}

// write publishes a sample: video begins a group with each key, audio as span
// says. What cannot be decoded, because it is before the first key or its format
// is another, is dropped, and so is what cannot be packed.
func (o *output) write(s *media.Sample) error {
	if !s.Key {
		switch {
		case o.group == nil:
			o.drop("decoding cannot begin before the first key")
			return nil
		case !o.format.Same(s.Format):
			o.drop("the format changes before a key")
			return o.close()
		}
	}
	// A publisher that goes on after a loss must not number what never went out.
	s.Seq, s.HasSeq = o.seq, true
	props, payload, err := o.packer.Pack(s)
	if _, never := errors.AsType[*moqmi.CodecError](err); never {
		return fmt.Errorf("track %s: %w", o.name, err)
	}
	if err != nil {
		o.drop(err.Error())
		if o.kind == media.Audio {
			return nil
		}
		return o.close() // what follows cannot be decoded without it
	}
	if o.begins(s) {
		if err := o.open(s); err != nil {
			return err
		}
	}
	o.frame.Reset()
	o.frame.SetProperties(props)
	_, _ = o.frame.Write(payload) // never fails
	if err := o.group.WriteFrame(o.frame); err != nil {
		if o.writer.Context().Err() != nil {
			return context.Cause(o.writer.Context())
		}
		// The log had no room for more of this group; the next one begins anew.
		o.group = nil
		o.drop(err.Error())
		return nil
	}
	o.seq++
	o.count(func(c *counts) {
		c.Codec = s.Format.Codec.String()
		o.last.format, o.last.dts = s.Format, s.DTS
		if o.group.GroupSequence() == c.Group && c.Objects > 0 {
			c.Object++
		} else {
			c.Group, c.Object = o.group.GroupSequence(), 0
			c.Groups++
		}
		c.Objects++
		c.Bytes += uint64(len(payload))
	})
	return nil
}

// begins reports whether a group begins with the sample.
func (o *output) begins(s *media.Sample) bool {
	switch {
	case o.group == nil, !o.format.Same(s.Format):
		return true
	case o.kind == media.Video:
		return s.Key
	}
	return o.span == 0 || s.DTS < o.began || s.DTS >= o.began+o.span
}

// open begins a group with a sample.
func (o *output) open(s *media.Sample) error {
	if err := o.close(); err != nil {
		return err
	}
	g, err := o.writer.AppendGroup()
	if err != nil {
		return err
	}
	if every := s.DTS - o.began; o.format != nil && every > 0 {
		o.count(func(*counts) { o.last.every = every })
	}
	o.group, o.began, o.format = g, s.DTS, s.Format
	return nil
}

// close ends the group: there will be no more objects in it.
func (o *output) close() error {
	g := o.group
	if g == nil {
		return nil
	}
	o.group = nil
	return g.Close()
}

// end ends the group and the track.
func (o *output) end() {
	if err := o.close(); err != nil {
		o.log.Debug("the last group does not end well", "track", o.name, "because", err)
	}
	_ = o.writer.Close() // never fails
}
