package egress

import (
	"errors"
	"sync/atomic"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
	"oxymoq/pkg/transport"
)

// stream carries one run to one subscriber. A writer goroutine that serves its
// job owns it; the fields below sub.mu are shared.
type stream struct {
	sub    *Subscription
	run    *track.Run
	reader track.Reader
	job    job
	whole  bool // the range ends after the subgroup
	headed bool
	failed int          // objects in a Write that failed
	doomed atomic.Bool  // cancel is set
	inside atomic.Int64 // bytes that a Write holds
	oldest atomic.Int64 // when the first object of which came, as Track.Age; see left

	// Guarded by sub.mu.
	st     transport.SendStream
	shut   bool // st was closed or reset
	cancel ending
	next   []*track.Run // later runs of the subgroup, to be begun after this one
}

// ending is how and why a stream ends.
type ending struct {
	fin    bool
	reset  model.ResetCode
	reach  bool               // what was written is to arrive although the stream is reset
	drop   observe.DropReason // of what was not sent
	skip   bool               // nothing more of the subgroup is sent
	behind bool               // the subscriber was too slow
	edge   bool               // what was not sent was not wanted
	again  bool               // the rest of the run is to have another stream
	sealed bool               // the subscriber's draft needs immutable properties rewritten
}

var cancelled = ending{reset: model.ResetCancelled, drop: observe.DropCancelled}

// Wake queues the stream. It is for package track.
func (o *stream) Wake() {
	o.sub.watch(0)
	o.sub.s.wake(&o.job)
}

// abandon makes the stream end, also if a writer is inside Write. sub.mu is held.
func (o *stream) abandon(e ending) {
	if o.shut || o.doomed.Load() {
		return
	}
	o.cancel = e
	o.doomed.Store(true)
	if o.st != nil {
		o.st.CancelWrite(o.sub.s.session.ResetCode(e.reset))
	}
	o.sub.s.rouse(&o.job)
}

// serve sends one span.
func (o *stream) serve(buf []byte) ([]byte, outcome) {
	if o.doomed.Load() {
		return buf, o.end(ending{})
	}
	notBefore := o.sub.notBefore()
	if o.st == nil { // only serve sets it
		switch state := o.reader.Poll(notBefore); state {
		case track.ReadWait:
			return buf, parked
		case track.ReadSpan:
		default:
			return buf, o.end(o.ending(state))
		}
		st, err := o.sub.s.open(&o.job)
		if lacksCredit(err) {
			return buf, starved
		}
		if err != nil {
			return buf, o.end(ending{reset: model.ResetInternalError, drop: observe.DropCancelled})
		}
		if !o.attach(st) {
			return buf, o.end(ending{})
		}
	}
	if o.sub.subgroupExpired(o.run) {
		return buf, o.end(o.ending(track.ReadExpired))
	}
	span, state := o.reader.Read(buf, notBefore)
	buf = span.Head[:0]
	switch state {
	case track.ReadWait:
		return buf, parked
	case track.ReadSpan:
	default:
		return buf, o.end(o.ending(state))
	}
	if span.Rewritten {
		o.sub.rewrote()
	}
	o.oldest.Store(int64(span.First))
	o.inside.Store(int64(span.Len()))
	o.sub.watch(span.First)
	buf, err := o.write(span)
	o.inside.Store(0)
	o.reader.Release()
	if err != nil {
		o.failed = span.Objects
		return buf, o.end(refusal(err))
	}
	if span.Objects > 0 {
		age := o.sub.t.Age()
		o.sub.stayed(age-span.Oldest, age-span.Newest, span.Objects)
	}
	o.sub.count(span.Objects, span.Len())
	return buf, more
}

// attach takes the stream unless it was abandoned meanwhile.
func (o *stream) attach(st transport.SendStream) bool {
	o.sub.mu.Lock()
	defer o.sub.mu.Unlock()
	o.st = st
	o.sub.counters.OpenStreams.Add(1)
	return !o.doomed.Load()
}

// opened counts a stream that the subscriber will know of.
func (sub *Subscription) opened() {
	sub.counters.Streams.Add(1)
	sub.mu.Lock()
	sub.result.Streams++
	sub.mu.Unlock()
}

// joinedWrite is the largest Body that is copied behind a Head to save a Write.
const joinedWrite = 4 << 10

// write sends a span, after the header if it is the first.
func (o *stream) write(s track.Span) (buf []byte, err error) {
	if !o.headed {
		o.headed = true
		header, err := o.sub.s.session.AppendSubgroupHeader(make([]byte, 0, 64), o.header())
		if err != nil {
			return s.Head[:0], errUnencodable
		}
		if _, err := o.st.Write(header); err != nil {
			return s.Head[:0], err
		}
		o.st.SetReliableBoundary() // so that the subscriber can count the stream
		o.sub.opened()
	}
	head, body := s.Head, s.Body
	if len(head) > 0 && len(body) <= joinedWrite {
		head, body = append(head, body...), nil
	}
	if len(head) > 0 {
		_, err = o.st.Write(head)
	}
	if err == nil && len(body) > 0 {
		_, err = o.st.Write(body)
	}
	return head[:0], err
}

var errUnencodable = errors.New("not expressible in the draft")

func (o *stream) header() SubgroupHeader {
	o.sub.mu.Lock()
	alias := o.sub.opts.Alias
	o.sub.mu.Unlock()
	key := o.run.Key()
	priority, _ := o.sub.t.Defaults()
	return SubgroupHeader{
		TrackAlias: alias, Group: key.Group, Subgroup: key.Subgroup, Priority: o.run.Priority(), Default: priority,
		Properties: o.run.HasProperties(), EndOfGroup: o.run.EndOfGroup() && o.whole,
		FirstObject: o.reader.StartsSubgroup(),
	}
}

// ending says how a stream ends whose reader came to the state.
func (o *stream) ending(s track.ReadState) ending {
	switch s {
	case track.ReadFinished:
		if o.incomplete() {
			return ending{reset: model.ResetCancelled, reach: true, drop: observe.DropCancelled}
		}
		return ending{fin: true}
	case track.ReadRangeEnd:
		return ending{reset: model.ResetCancelled, reach: true, edge: true}
	case track.ReadReset:
		return ending{reset: o.reader.Code(), reach: !o.reader.Within(), drop: observe.DropTorn}
	case track.ReadEvicted:
		return ending{reset: model.ResetTooFarBehind, drop: observe.DropEvicted, skip: true, behind: true}
	case track.ReadPurged:
		return ending{reset: model.ResetCancelled, drop: observe.DropPurged, again: true}
	case track.ReadEnded:
		return ending{reset: model.ResetCancelled, drop: observe.DropEvicted, skip: true}
	case track.ReadImmutable:
		return ending{reset: model.ResetInternalError, drop: observe.DropUnencodable, skip: true, sealed: true}
	case track.ReadExpired:
		return tooLate
	}
	return ending{reset: model.ResetInternalError, reach: true, drop: observe.DropUnencodable, skip: true}
}

// incomplete reports whether objects of the run were left out because the
// subscription did not forward at the time.
func (o *stream) incomplete() bool {
	o.sub.mu.Lock()
	defer o.sub.mu.Unlock()
	return o.sub.resumed && o.reader.Skipped()
}

// refusal says how a stream ends whose Write failed.
func refusal(err error) ending {
	if errors.Is(err, errUnencodable) {
		return ending{reset: model.ResetInternalError, drop: observe.DropUnencodable, skip: true}
	}
	if se, ok := errors.AsType[*transport.StreamError](err); ok && se.Remote {
		return ending{reset: model.ResetCancelled, drop: observe.DropRefused, skip: true}
	}
	return cancelled // by us, or the session ended
}

// end closes or resets the stream. What was said to abandon comes first.
func (o *stream) end(e ending) outcome {
	sub := o.sub
	objects, _ := o.reader.Behind()
	if e.again {
		objects = o.reader.Purged()
	}
	objects += o.failed
	o.reader.Close()
	sub.mu.Lock()
	if o.doomed.Load() {
		e = o.cancel
	}
	opened := o.st != nil
	o.shut = true
	if opened {
		if e.fin {
			_ = o.st.Close() // it fails only if the stream is gone already
		} else {
			if e.reach {
				o.st.SetReliableBoundary()
			}
			o.st.CancelWrite(sub.s.session.ResetCode(e.reset))
		}
		sub.counters.OpenStreams.Add(-1)
	}
	sub.mu.Unlock()
	if objects > 0 && !e.edge {
		sub.drop(e.drop, uint64(objects))
	}
	sub.s.shut(&o.job)
	sub.streamEnded(o, e)
	return over
}
