package text

import (
	"context"
	"errors"
	"io"
	"sync"
	"syscall"
	"time"
)

const (
	// maxPending is how many bytes may wait to be written before Print blocks;
	// one object may exceed it.
	maxPending = 1 << 20
	// flushTime is how long a reader has, when the program is told to stop, to
	// take what still waits.
	flushTime = time.Second
)

// Output prints objects from any goroutine and counts them.
type Output struct {
	w      io.Writer
	format Format
	limit  uint64 // objects; 0: none
	stop   context.CancelCauseFunc
	gone   chan struct{} // closed when the writer has ended

	mu      sync.Mutex
	changed *sync.Cond // pending, stopped or closing
	pending []byte
	printed uint64
	stopped bool // no more objects are taken
	closing bool // the writer ends when nothing is pending
	err     error
}

// Why an Output stops the program.
var (
	// ErrCount says that as many objects were printed as were wanted.
	ErrCount = errors.New("all objects that were wanted have come")
	// ErrReaderGone says that nobody reads the output any more.
	ErrReaderGone = errors.New("the reader of the output has gone")
)

// NewOutput starts an Output that prints at most limit objects (0: all) on w.
// It calls stop when there is nothing more to do, and takes no more objects
// when ctx has ended.
func NewOutput(ctx context.Context, w io.Writer, format Format, limit uint64, stop context.CancelCauseFunc) *Output {
	o := &Output{w: w, format: format, limit: limit, stop: stop, gone: make(chan struct{})}
	o.changed = sync.NewCond(&o.mu)
	context.AfterFunc(ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.stopped = true
		o.changed.Broadcast()
	})
	go o.write()
	return o
}

// Print takes an object. It blocks while too much waits to be written, and
// returns false if no more objects are taken.
func (o *Output) Print(a *Arrival) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.pending) >= maxPending && !o.stopped {
		o.changed.Wait()
	}
	if o.stopped {
		return false
	}
	o.pending = o.format(o.pending, a)
	o.changed.Broadcast()
	if o.printed++; o.printed == o.limit {
		o.stopped = true
		o.stop(ErrCount)
	}
	return true
}

// Finish stops taking objects and writes text after the last.
func (o *Output) Finish(text []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stopped = true
	o.pending = append(o.pending, text...)
	o.changed.Broadcast()
}

// Printed returns how many objects were taken.
func (o *Output) Printed() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.printed
}

// Close waits until everything is written, once ctx has ended for a while only,
// and returns why it was not. The Output cannot be used again.
func (o *Output) Close(ctx context.Context) error {
	o.mu.Lock()
	o.stopped, o.closing = true, true
	o.changed.Broadcast()
	o.mu.Unlock()
	select {
	case <-o.gone:
	case <-ctx.Done():
		select {
		case <-o.gone:
		case <-time.After(flushTime):
			return errors.New("the reader of the output does not read; the last objects are lost")
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// write writes what is pending until the Output is closed or fails.
func (o *Output) write() {
	defer close(o.gone)
	var spare []byte
	for {
		o.mu.Lock()
		for len(o.pending) == 0 && !o.closing {
			o.changed.Wait()
		}
		b := o.pending
		o.pending = spare[:0]
		o.changed.Broadcast()
		o.mu.Unlock()
		if len(b) == 0 {
			return
		}
		_, err := o.w.Write(b)
		if err != nil {
			o.fail(err)
			return
		}
		if spare = b; cap(spare) > 2*maxPending { // an object of unusual size
			spare = nil
		}
	}
}

func (o *Output) fail(err error) {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		err = ErrReaderGone
	}
	o.mu.Lock()
	o.err, o.stopped = err, true
	o.changed.Broadcast()
	o.mu.Unlock()
	o.stop(err)
}
