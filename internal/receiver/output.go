package receiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/remux"
)

// Limits of an Output.
const (
	// MaxQueued and MaxQueuedBytes are how many samples, and bytes of them, wait
	// to be written. Beyond that what comes is dropped: audio until there is room,
	// video up to a key picture after that.
	MaxQueued      = 4096
	MaxQueuedBytes = 32 << 20
	// flushTime is how long what still waits may take to be written at the end.
	flushTime = 3 * time.Second
)

// Why an Output cannot go on.
var (
	// ErrReaderGone says that nobody reads the output any more.
	ErrReaderGone = errors.New("the reader of the output has gone")
	errNotRead    = errors.New("its reader does not read; the last of it is lost")
)

// Output writes samples to a Sink in a goroutine of its own, so that a slow disk
// or reader holds up nothing.
type Output struct {
	sink *Sink
	stop context.CancelCauseFunc
	gone chan struct{} // closed when the writer has ended

	mu      sync.Mutex
	changed *sync.Cond // queue or closing
	queue   []*media.Sample
	bytes   int
	kinds   map[media.Kind]bool
	broken  bool // nothing of the video can be decoded before the next key picture
	dropped uint64
	refused uint64
	closing bool
	err     error // why nothing more is written
}

// NewOutput starts one that writes to the sink, in which there may be video and
// audio. It calls stop if it cannot go on.
func NewOutput(sink *Sink, video, audio bool, stop context.CancelCauseFunc) *Output {
	o := &Output{
		sink: sink, stop: stop, gone: make(chan struct{}),
		kinds: map[media.Kind]bool{media.Video: video, media.Audio: audio},
	}
	o.changed = sync.NewCond(&o.mu)
	go o.write()
	return o
}

// Add takes a sample, whose data must not change any more. It does not wait.
func (o *Output) Add(s *media.Sample) {
	o.mu.Lock()
	defer o.mu.Unlock()
	video := s.Format.Codec.Kind() == media.Video
	full := len(o.queue) >= MaxQueued || o.bytes+len(s.Data) > MaxQueuedBytes && len(o.queue) > 0
	switch {
	case o.err != nil || o.closing:
		return
	case full, video && o.broken && !s.Key:
		o.broken = o.broken || video
		o.dropped++
		return
	case video:
		o.broken = false
	}
	o.queue = append(o.queue, s)
	o.bytes += len(s.Data)
	o.changed.Signal()
}

// Dropped returns how many samples were dropped because writing was too slow, or
// could not be written.
func (o *Output) Dropped() (slow, refused uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dropped, o.refused
}

// Close waits until everything is written and the file is complete, or for a
// while, and returns why it is not.
func (o *Output) Close() error {
	o.mu.Lock()
	o.closing = true
	o.changed.Signal()
	o.mu.Unlock()
	t := time.NewTimer(flushTime)
	defer t.Stop()
	select {
	case <-o.gone:
		return o.err
	case <-t.C:
	}
	if o.sink.Interrupt() {
		<-o.gone
	}
	return errNotRead
}

// write writes what waits until the Output is closed or fails.
func (o *Output) write() {
	defer close(o.gone)
	var mux *remux.Muxer
	skip := false // pictures up to the next key
	for {
		o.mu.Lock()
		for len(o.queue) == 0 && !o.closing {
			o.changed.Wait()
		}
		queue := o.queue
		o.queue, o.bytes = nil, 0
		o.mu.Unlock()
		if len(queue) == 0 {
			if mux != nil {
				o.fail(mux.Close())
			}
			return
		}
		if mux == nil {
			out, seekable, err := o.sink.Begin()
			if err != nil {
				o.fail(err)
				return
			}
			mux = remux.NewMuxer(out, remux.MuxerOptions{
				Video: o.kinds[media.Video], Audio: o.kinds[media.Audio], Seekable: seekable,
			})
		}
		for _, s := range queue {
			video := s.Format.Codec.Kind() == media.Video
			if skip = skip && !(video && s.Key); skip && video {
				o.refuse()
				continue
			}
			err := mux.Write(s)
			switch {
			case errors.Is(err, remux.ErrBackwards), errors.Is(err, remux.ErrNotKey), errors.Is(err, remux.ErrUnwritable):
				skip = skip || video
				o.refuse()
			case err != nil:
				o.fail(err)
				return
			}
		}
	}
}

func (o *Output) refuse() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refused++
}

// fail notes why nothing more is written.
func (o *Output) fail(err error) {
	if err == nil {
		return
	}
	if readerGone(err) {
		err = ErrReaderGone
	}
	o.mu.Lock()
	o.err, o.queue = err, nil
	o.mu.Unlock()
	o.stop(err)
}
