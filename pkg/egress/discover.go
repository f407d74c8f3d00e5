package egress

import (
	"errors"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
	"oxymoq/pkg/transport"
)

// attend takes in what is new on the track: it opens a stream for every run and
// sends datagrams.
func (sub *Subscription) attend() {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	for !sub.ended {
		e := sub.cursor.Next()
		if e.Missed > 0 && sub.opts.Forward {
			sub.drop(observe.DropEvicted, e.Missed)
		}
		switch e.Kind {
		case track.EventNone:
			sub.police()
			sub.endOfRange()
			return
		case track.EventRun:
			if sub.opts.Forward {
				sub.begin(e.Run)
			}
		case track.EventDatagram:
			if sub.opts.Forward {
				sub.sendDatagram(&e.Datagram)
			}
		case track.EventEnded:
			sub.ended = true
			sub.result.Code, sub.result.Reason = e.Code, e.Reason
			sub.conclude()
		}
	}
}

// maxSkipped bounds the number of subgroups that are remembered as skipped.
const maxSkipped = 1 << 12

// begin opens a stream for a run, or puts it off until an earlier run of the
// same subgroup is through.
func (sub *Subscription) begin(run *track.Run) {
	key := run.Key()
	if key.Group < sub.opts.Range.Start.Group || key.Group > sub.opts.Range.End.Group {
		return
	}
	if _, skip := sub.skipped[key]; skip {
		return
	}
	if o := sub.active[key]; o != nil {
		if o.run != run || o.doomed.Load() {
			o.next = append(o.next, run)
		}
		return
	}
	publisher, _ := sub.t.Defaults()
	o := &stream{sub: sub, run: run}
	o.job = job{
		flow: &sub.flow, work: o, priority: run.Priority().Or(publisher),
		group: key.Group, subgroup: key.Subgroup, place: -1,
	}
	first, last := sub.edges(key.Group)
	o.whole = last == model.MaxID
	o.reader.Init(run, track.ReaderOptions{
		Form: sub.s.session.ObjectForm(run.HasProperties()), Waiter: o, First: first, Last: last, Since: sub.cursor.Since(),
		KeepImmutable: sub.opts.KeepImmutable,
	})
	sub.active[key] = o
	if state := o.reader.Poll(sub.notBefore()); state != track.ReadWait { // else it is parked
		o.job.eager = state == track.ReadSpan
		sub.watch(0)
		sub.s.wake(&o.job)
	}
}

// streamEnded is called when a stream is through.
func (sub *Subscription) streamEnded(o *stream, e ending) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	delete(sub.active, o.run.Key())
	if e.skip {
		if len(sub.skipped) >= maxSkipped {
			sub.forgetSkipped()
		}
		sub.skipped[o.run.Key()] = struct{}{}
	}
	if e.behind {
		sub.fellBehind(o)
	}
	if e.sealed {
		sub.stop(immutable, immutableResult)
	}
	if !e.skip && !sub.ended {
		next := o.next
		if e.again && !o.run.Gone() {
			next = append([]*track.Run{o.run}, next...)
		}
		for i, run := range next {
			sub.begin(run)
			if n := sub.active[run.Key()]; n != nil {
				n.next = next[i+1:]
				break
			}
		}
	}
	if sub.ended {
		sub.conclude()
	} else {
		sub.endOfRange()
	}
}

// forgetSkipped makes room: what lies lowest is least likely to come again.
func (sub *Subscription) forgetSkipped() {
	newest, _ := sub.t.Newest().Get()
	for key := range sub.skipped {
		if key.Group < newest {
			delete(sub.skipped, key)
		}
	}
	if len(sub.skipped) >= maxSkipped {
		clear(sub.skipped)
	}
}

// graceGroups is how many newer groups must have begun before a group without
// a known end is taken to be through.
const graceGroups = 2

// endOfRange ends the subscription when all of its range was published and sent.
func (sub *Subscription) endOfRange() {
	end := sub.opts.Range.End
	if end == model.Forever || sub.ended || len(sub.active) > 0 {
		return
	}
	largest, ok := sub.t.Largest().Get()
	if !ok || largest.Less(end) {
		return
	}
	if sub.t.GroupsAfter(end.Group) < graceGroups &&
		!sub.t.Covered(model.Range{Start: model.Location{Group: end.Group}, End: end}) {
		return
	}
	sub.ended = true
	sub.result.Code = model.DoneSubscriptionEnded
	sub.conclude()
}

// sendDatagram sends an object as it came.
func (sub *Subscription) sendDatagram(o *track.Object) {
	if !sub.opts.Range.Contains(o.Location) || sub.expired(o.Arrival) {
		if sub.opts.Range.Contains(o.Location) {
			sub.drop(observe.DropTimeout, 1)
		}
		return
	}
	foreign := o.Immutable && o.Form != sub.s.session.ObjectForm(true)
	if foreign && sub.opts.KeepImmutable {
		sub.drop(observe.DropUnencodable, 1)
		sub.stop(immutable, immutableResult)
		return
	}
	priority, _ := sub.t.Defaults()
	switch err := sub.s.session.SendDatagram(sub.opts.Alias, o, priority); {
	case err == nil:
		if foreign {
			sub.rewrote()
		}
		sub.counters.Datagrams.Add(1)
		stayed := time.Since(o.Arrival)
		sub.stayed(stayed, stayed, 1)
		sub.count(1, o.PayloadLen())
	case errors.Is(err, transport.ErrDatagramTooLarge):
		sub.drop(observe.DropDatagramSize, 1)
	case errors.Is(err, transport.ErrDatagramDropped):
		sub.drop(observe.DropDatagramFull, 1)
	default:
		sub.drop(observe.DropUnencodable, 1)
	}
}

// count adds to what was handed to the transport.
func (sub *Subscription) count(objects, bytes int) {
	sub.counters.ObjectsOut.Add(uint64(objects))
	sub.counters.BytesOut.Add(uint64(bytes))
	sub.s.counters.ObjectsOut.Add(uint64(objects))
	sub.s.counters.BytesOut.Add(uint64(bytes))
	t := sub.t.Counters()
	t.ObjectsOut.Add(uint64(objects))
	t.BytesOut.Add(uint64(bytes))
}

// stayed counts how long objects were here that came one after the other and were
// handed over together. It comes before count: see observe.Window.
func (sub *Subscription) stayed(longest, shortest time.Duration, objects int) {
	n := uint64(objects)
	sub.counters.Delays.AddSpread(longest, shortest, n)
	sub.s.counters.Delays.AddSpread(longest, shortest, n)
	sub.t.Counters().Delays.AddSpread(longest, shortest, n)
}

// drop counts objects that the subscriber does not get.
func (sub *Subscription) drop(why observe.DropReason, objects uint64) {
	sub.counters.Drop(why, objects)
	sub.t.Counters().Dropped[why].Add(objects)
}
