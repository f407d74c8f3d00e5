package egress

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
	"oxymoq/pkg/transport"
)

// ObjectSource yields what a fetch stream carries, in the order of the stream:
// groups by the fetch's group order, objects by ID. It returns io.EOF at the end.
// What it returns is valid until the next call. It may block; ctx ends that.
type ObjectSource interface {
	Next(ctx context.Context) (track.Item, error)
}

// SourceFunc is a function that is an ObjectSource.
type SourceFunc func(ctx context.Context) (track.Item, error)

// Next calls f.
func (f SourceFunc) Next(ctx context.Context) (track.Item, error) { return f(ctx) }

// FromLog returns a source of what a track's log holds.
func FromLog(r *track.RangeReader) ObjectSource {
	return SourceFunc(func(context.Context) (track.Item, error) { return r.Next() })
}

// FetchOptions are the terms of a fetch.
type FetchOptions struct {
	RequestID uint64
	Order     model.GroupOrder
	Priority  uint8 // of the subscriber
	// Default is the publisher priority of objects that state none.
	Default uint8
	// MarkUnknown writes an end of unknown range for what the source does not
	// know. Otherwise, and always in descending order, the stream is reset there.
	MarkUnknown bool
	// Prompt sends each item before the next is asked for. Otherwise small
	// ones are gathered, which is for sources that do not wait.
	Prompt bool
	// KeepImmutable resets the stream rather than put immutable properties into
	// the form of another draft; OnRewrite, if set, is called once when that is
	// done.
	KeepImmutable bool
	OnRewrite     func()
	// Counters are added to; nil counts for nobody.
	Counters *observe.Subscriber
}

// ErrUnknownRange says that the source did not know what is in a part of the
// range, so that the stream was reset with UNKNOWN_OBJECT_STATUS.
var ErrUnknownRange = errors.New("part of the range is unknown")

// Sizes of what ServeFetch hands over at a time.
const (
	fetchBatch = 16 << 10 // bytes that are gathered
	fetchCopy  = 2 << 10  // payloads up to this are copied to be gathered
)

// ServeFetch writes a fetch stream and returns when it has ended: nil after FIN,
// else why it was reset. An error that holds a *model.StreamError gives the code
// of the reset; ctx cancels. It takes its turn among the session's streams.
func (s *Scheduler) ServeFetch(ctx context.Context, o FetchOptions, source ObjectSource) error {
	if o.Counters == nil {
		o.Counters = new(observe.Subscriber)
	}
	f := &fetch{s: s, opts: o, turn: make(chan error, 1)}
	f.flow = flow{owner: f, priority: o.Priority, descending: o.Order == model.Descending, place: -1}
	f.job = job{flow: &f.flow, work: f, priority: o.Default, eager: true, place: -1}
	f.enc = s.session.NewFetchEncoder(o.RequestID, o.Order)
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	defer f.cancel(nil)
	if err := s.add(&f.flow); err != nil {
		return err
	}
	defer s.drop(&f.flow)
	err := f.send(f.ctx, source)
	f.finish(err)
	return err
}

// fetch is one fetch stream. The goroutine of ServeFetch gathers a batch, a
// writer writes it, and in between only one of them touches it.
type fetch struct {
	s      *Scheduler
	opts   FetchOptions
	flow   flow
	job    job
	enc    FetchEncoder
	ctx    context.Context
	cancel context.CancelCauseFunc
	turn   chan error  // the writer is done with the batch
	ready  atomic.Bool // there is a batch for the writer

	st      transport.SendStream
	head    []byte
	payload [][]byte // behind head; belongs to the source's present item
	objects int

	rewritten bool
}

// send writes everything up to the end of the source.
func (f *fetch) send(ctx context.Context, source ObjectSource) error {
	f.head = f.enc.AppendHeader(f.head)
	if err := f.flush(ctx); err != nil { // so that the peer sees the stream at once
		return err
	}
	f.st.SetReliableBoundary()
	for {
		it, err := source.Next(ctx)
		if err == io.EOF {
			return f.flush(ctx)
		}
		if err == nil {
			err = f.add(it)
		}
		if err != nil {
			return cmp.Or(context.Cause(ctx), err)
		}
		if f.opts.Prompt || len(f.head) >= fetchBatch || len(f.payload) > 0 {
			if err := f.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// add puts an item into the batch.
func (f *fetch) add(it track.Item) (err error) {
	if it.Object == nil {
		if !f.opts.MarkUnknown || f.flow.descending {
			return fmt.Errorf("%w: %v: %w", ErrUnknownRange, it.Unknown, &model.StreamError{Code: model.ResetUnknownObjectStatus})
		}
		f.head, err = f.enc.AppendUnknown(f.head, it.Unknown.End)
		return err
	}
	o := it.Object
	if o.Status != model.StatusNormal {
		return nil // fetch streams have no markers: gaps say the same
	}
	if err := f.rewrite(o); err != nil {
		return err
	}
	if f.head, err = f.enc.AppendObject(f.head, o, f.opts.Default); err != nil {
		return err
	}
	f.objects++
	if o.PayloadLen() <= fetchCopy {
		for _, p := range o.Payload {
			f.head = append(f.head, p...)
		}
		return nil
	}
	f.payload = o.Payload
	return nil
}

// flush has the batch written and waits for that.
func (f *fetch) flush(ctx context.Context) error {
	if len(f.head) == 0 && len(f.payload) == 0 {
		return nil
	}
	f.ready.Store(true)
	f.s.wake(&f.job)
	var err error
	select {
	case err = <-f.turn:
	case <-ctx.Done():
		err = f.withdraw(context.Cause(ctx))
	}
	f.head, f.payload, f.objects = f.head[:0], nil, 0
	return err
}

// withdraw takes the batch back from the scheduler.
func (f *fetch) withdraw(cause error) error {
	f.s.mu.Lock()
	if f.job.stream != nil {
		f.job.stream.CancelWrite(f.s.session.ResetCode(resetCode(cause)))
	}
	f.s.mu.Unlock()
	f.s.rouse(&f.job) // if it waits for credit
	return cmp.Or(cause, <-f.turn)
}

// serve writes the batch.
func (f *fetch) serve(buf []byte) ([]byte, outcome) {
	if !f.ready.Load() {
		return buf, parked // roused once too often
	}
	var err error
	if f.st == nil {
		var st transport.SendStream
		if st, err = f.s.open(&f.job); err == nil {
			f.st = st
			f.opts.Counters.Streams.Add(1)
		} else if lacksCredit(err) && f.ctx.Err() == nil {
			return buf, starved
		}
	}
	if err == nil {
		err = f.write()
	}
	f.ready.Store(false)
	f.turn <- err
	return buf, parked
}

func (f *fetch) write() error {
	n, err := f.st.Write(f.head)
	for _, p := range f.payload {
		if err != nil {
			return err
		}
		var m int
		m, err = f.st.Write(p)
		n += m
	}
	if err == nil {
		c := f.opts.Counters
		c.ObjectsOut.Add(uint64(f.objects))
		c.BytesOut.Add(uint64(n))
		f.s.counters.ObjectsOut.Add(uint64(f.objects))
		f.s.counters.BytesOut.Add(uint64(n))
	}
	return err
}

// finish closes or resets the stream.
func (f *fetch) finish(err error) {
	if f.st != nil {
		if err == nil {
			err = f.st.Close()
		}
		if err != nil {
			f.st.CancelWrite(f.s.session.ResetCode(resetCode(err)))
		}
	}
	f.s.shut(&f.job)
}

// resetCode is the code for an error.
func resetCode(err error) model.ResetCode {
	if se, ok := errors.AsType[*model.StreamError](err); ok {
		return se.Code
	}
	if _, ok := errors.AsType[*transport.StreamError](err); ok || errors.Is(err, context.Canceled) {
		return model.ResetCancelled
	}
	if errors.Is(err, errClosed) {
		return model.ResetSessionClosed
	}
	return model.ResetInternalError
}

// attend has nothing to do.
func (f *fetch) attend() {}

// shutdown ends the fetch because the session ended.
func (f *fetch) shutdown() { f.cancel(errClosed) }
