package egress

import (
	"math"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
)

// tooLate ends a stream whose time is over. Nothing more of its subgroup is sent
// (section 8).
var tooLate = ending{reset: model.ResetDeliveryTimeout, drop: observe.DropTimeout, skip: true}

// setTimeouts takes the shorter ones of track and subscriber. sub.mu is held.
func (sub *Subscription) setTimeouts() {
	p := sub.t.Properties()
	object := shorter(sub.opts.ObjectTimeout, p, model.PropObjectDeliveryTimeout)
	subgroup := shorter(sub.opts.SubgroupTimeout, p, model.PropSubgroupDeliveryTimeout)
	if sub.timer == nil && (object > 0 || subgroup > 0) {
		sub.timer = time.AfterFunc(math.MaxInt64, sub.expire)
	}
	sub.objectTimeout.Store(object) // after timer, which whoever reads this may use
	sub.subgroupTimeout.Store(subgroup)
	if sub.timer != nil {
		sub.watching.Store(true)
		sub.timer.Reset(0) // what waits may be too late already
	}
}

func shorter(d time.Duration, p model.Properties, t uint64) int64 {
	if ms, ok := p.Int(t); ok && ms > 0 && ms < uint64(math.MaxInt64/time.Millisecond) {
		if v := time.Duration(ms) * time.Millisecond; d <= 0 || v < d {
			d = v
		}
	}
	return int64(max(d, 0))
}

// notBefore returns when an object must have come so as not to be too late.
func (sub *Subscription) notBefore() (t time.Time) {
	if d := sub.objectTimeout.Load(); d > 0 {
		t = time.Now().Add(-time.Duration(d))
	}
	return t
}

// expired reports whether a datagram that came at the time is too late.
func (sub *Subscription) expired(came time.Time) bool {
	d := sub.objectTimeout.Load()
	if s := sub.subgroupTimeout.Load(); s > 0 && (d == 0 || s < d) {
		d = s
	}
	return d > 0 && time.Since(came) > time.Duration(d)
}

// subgroupExpired reports whether the subgroup ended so long ago that the rest
// of it is too late.
func (sub *Subscription) subgroupExpired(r *track.Run) bool {
	d := sub.subgroupTimeout.Load()
	if d == 0 {
		return false
	}
	at, finished := r.FinishedAt()
	return finished && time.Since(at) > time.Duration(d)
}

// watch makes the timer run if a timeout is set. at is when the object came that
// waits, as Track.Age; 0: now. It is called with or without sub.mu, also when the
// timer runs, which costs one or two looks at an atomic.
func (sub *Subscription) watch(at time.Duration) {
	object, subgroup := sub.objectTimeout.Load(), sub.subgroupTimeout.Load()
	if object == 0 && subgroup == 0 || !sub.watching.CompareAndSwap(false, true) {
		return
	}
	left := time.Duration(math.MaxInt64)
	if object > 0 {
		left = time.Duration(object)
		if at > 0 {
			left -= sub.t.Age() - at
		}
	}
	if subgroup > 0 {
		left = min(left, time.Duration(subgroup))
	}
	sub.timer.Reset(max(left, 0))
}

// expire resets the streams that wait for longer than they may, be it for credit,
// for their turn, or inside a Write that the subscriber does not let go on. It is
// called by the timer, and sets it for the next stream that waits.
func (sub *Subscription) expire() {
	sub.watching.Store(false) // what is written from now on sets the timer itself
	sub.mu.Lock()
	defer sub.mu.Unlock()
	if sub.over {
		return
	}
	next := time.Duration(math.MaxInt64)
	for _, o := range sub.active {
		switch left, waits := o.left(); {
		case !waits:
		case left <= 0:
			o.abandon(tooLate)
		default:
			next = min(next, left)
		}
	}
	if next < math.MaxInt64 {
		sub.watching.Store(true)
		sub.timer.Reset(next)
	}
}

// left returns how long the stream may wait on, if it has something unsent or in a
// Write. Where that depends on what comes it is when to look again.
func (o *stream) left() (left time.Duration, waits bool) {
	inside := o.inside.Load() > 0
	at, unsent := o.reader.Next()
	if o.doomed.Load() || !inside && !unsent {
		return 0, false
	}
	left = math.MaxInt64
	if d := time.Duration(o.sub.objectTimeout.Load()); d > 0 {
		if inside {
			at = time.Duration(o.oldest.Load())
		}
		left = d - (o.sub.t.Age() - at) + 1 // to exceed it
	}
	if d := time.Duration(o.sub.subgroupTimeout.Load()); d > 0 {
		rest := d
		if at, finished := o.run.FinishedAt(); finished {
			rest -= time.Since(at) - 1
		}
		left = min(left, rest)
	}
	return left, true
}
