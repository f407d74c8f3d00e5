package egress

import (
	"sync"
	"sync/atomic"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
)

// Options are the terms of a subscription.
type Options struct {
	Alias uint64
	// Range is what to deliver; see model.Filter.Resolve.
	Range    model.Range
	Forward  bool
	Priority uint8
	Order    model.GroupOrder // unset: the track's
	// ObjectTimeout and SubgroupTimeout are the subscriber's delivery timeouts;
	// the track's apply too. 0 is none (section 8).
	ObjectTimeout, SubgroupTimeout time.Duration
	// Replay also delivers what is held of the range but was published before
	// the subscription.
	Replay bool
	Policy Policy
	// KeepImmutable ends the subscription rather than put immutable properties
	// into the form of another draft.
	KeepImmutable bool
	// Counters are added to; nil counts for nobody.
	Counters *observe.Subscriber
}

// Change is a set of terms to change; what is absent stays.
type Change struct {
	Range                          model.Opt[model.Range]
	Forward                        model.Opt[bool]
	Priority                       model.Opt[uint8]
	ObjectTimeout, SubgroupTimeout model.Opt[time.Duration]
}

// Result is how a subscription ended.
type Result struct {
	Code    model.DoneCode
	Reason  string
	Streams uint64 // of which the subscriber got the header, for PUBLISH_DONE
}

// Subscription delivers one track to one subscriber. Its methods may be called
// from any goroutine.
type Subscription struct {
	s         *Scheduler
	t         *track.Track
	largest   model.Opt[model.Location]
	counters  *observe.Subscriber
	flow      flow
	done      chan struct{}
	onSlow    func(Slow) // may be nil; set before Start
	onRewrite func()     // likewise
	rewritten atomic.Bool

	objectTimeout, subgroupTimeout atomic.Int64 // nanoseconds
	timer                          *time.Timer  // of expire; set once, before the timeouts
	watching                       atomic.Bool  // timer runs

	mu      sync.Mutex
	opts    Options
	cursor  *track.Cursor
	started bool
	active  map[track.SubgroupKey]*stream
	skipped map[track.SubgroupKey]struct{} // of which nothing more is sent
	resumed bool                           // forwarding was off for a time
	ended   bool                           // nothing more is discovered
	over    bool                           // done is closed
	result  Result
}

// Subscribe returns a subscription to what is published on the track from now
// on. Nothing is sent before Start; without Start it must be ended with Stop.
func (s *Scheduler) Subscribe(t *track.Track) *Subscription {
	sub := &Subscription{
		s: s, t: t, done: make(chan struct{}),
		active: make(map[track.SubgroupKey]*stream), skipped: make(map[track.SubgroupKey]struct{}),
	}
	sub.flow.owner, sub.flow.place = sub, -1
	sub.cursor, sub.largest = t.NewCursor(sub)
	t.Counters().Subscribers.Add(1)
	return sub
}

// Largest is the largest location at the moment of Subscribe.
func (sub *Subscription) Largest() model.Opt[model.Location] { return sub.largest }

// Done is closed when nothing more will be sent and all streams are closed.
func (sub *Subscription) Done() <-chan struct{} { return sub.done }

// Result returns how the subscription ended, once Done is closed.
func (sub *Subscription) Result() Result {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.result
}

// Start begins to deliver. It may be called once.
func (sub *Subscription) Start(o Options) {
	if o.Order == model.GroupOrderUnset {
		_, o.Order = sub.t.Defaults()
	}
	sub.mu.Lock()
	if sub.started || sub.ended {
		sub.mu.Unlock()
		return
	}
	sub.started = true
	if sub.counters = o.Counters; sub.counters == nil {
		sub.counters = new(observe.Subscriber)
	}
	sub.opts = o
	sub.flow.priority, sub.flow.descending = o.Priority, o.Order == model.Descending
	sub.setTimeouts()
	if o.Replay {
		sub.cursor.Rewind()
	}
	sub.mu.Unlock()
	if err := sub.s.add(&sub.flow); err != nil {
		sub.shutdown()
		return
	}
	sub.s.attend(&sub.flow)
}

// Update changes terms. Streams of what is not wanted any more are reset.
func (sub *Subscription) Update(c Change) {
	sub.mu.Lock()
	if !sub.started || sub.ended {
		sub.mu.Unlock()
		return
	}
	if v, ok := c.ObjectTimeout.Get(); ok {
		sub.opts.ObjectTimeout = v
	}
	if v, ok := c.SubgroupTimeout.Get(); ok {
		sub.opts.SubgroupTimeout = v
	}
	sub.setTimeouts()
	if r, ok := c.Range.Get(); ok {
		sub.setRange(r)
	}
	if f, ok := c.Forward.Get(); ok && f != sub.opts.Forward {
		sub.setForward(f)
	}
	priority, reprioritize := c.Priority.Get()
	if reprioritize {
		sub.opts.Priority = priority
	}
	sub.mu.Unlock()
	if reprioritize {
		sub.s.reprioritize(&sub.flow, priority)
	}
	sub.s.attend(&sub.flow)
}

func (sub *Subscription) setRange(r model.Range) {
	sub.opts.Range = r
	for key, o := range sub.active {
		if key.Group < r.Start.Group || key.Group > r.End.Group {
			o.abandon(cancelled)
			continue
		}
		_, last := sub.edges(key.Group)
		o.reader.SetLast(last)
	}
}

// setForward pauses or resumes. What is published while paused is not sent
// later, so the streams of its subgroups begin anew (section 11.4.3).
func (sub *Subscription) setForward(f bool) {
	sub.opts.Forward = f
	if f {
		sub.resumed = true
		clear(sub.skipped)
		sub.cursor.SkipToNow()
		return
	}
	for _, o := range sub.active {
		o.next = nil
		o.abandon(cancelled)
	}
}

// edges returns the first and the last object ID wanted of a group.
func (sub *Subscription) edges(group uint64) (first, last uint64) {
	r := sub.opts.Range
	last = model.MaxID
	if group == r.Start.Group {
		first = r.Start.Object
	}
	if group == r.End.Group {
		last = r.End.Object
	}
	return first, last
}

// Stop ends the subscription and resets its open streams with the code. Done is
// closed soon after.
func (sub *Subscription) Stop(code model.ResetCode) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.stop(ending{reset: code, drop: observe.DropCancelled}, Result{Code: model.DoneSubscriptionEnded})
}

// shutdown is Stop because the session ended.
func (sub *Subscription) shutdown() {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.stop(ending{reset: model.ResetSessionClosed, drop: observe.DropCancelled},
		Result{Code: model.DoneInternalError, Reason: errClosed.Error()})
}

// stop ends everything. sub.mu is held.
func (sub *Subscription) stop(e ending, r Result) {
	if sub.over {
		return
	}
	if !sub.ended {
		sub.ended = true
		sub.result.Code, sub.result.Reason = r.Code, r.Reason
	}
	for _, o := range sub.active {
		o.next = nil
		o.abandon(e)
	}
	sub.conclude()
}

// conclude closes done once everything has ended. sub.mu is held.
func (sub *Subscription) conclude() {
	if !sub.ended || len(sub.active) > 0 || sub.over {
		return
	}
	sub.over = true
	if sub.timer != nil {
		sub.timer.Stop()
	}
	sub.cursor.Close()
	sub.t.Counters().Subscribers.Add(-1)
	sub.s.drop(&sub.flow)
	close(sub.done)
}

// Wake makes a writer look for what is new. It is for package track.
func (sub *Subscription) Wake() { sub.s.attend(&sub.flow) }
