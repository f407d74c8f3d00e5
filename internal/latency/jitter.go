package latency

import (
	"math"
	"time"
)

// What the steps of arrivals are compared with for the jitter.
const (
	FromMedia    = "media"    // the steps of media times
	FromCapture  = "capture"  // the steps of capture times
	FromInterval = "interval" // the step before, since the objects say nothing
)

// jitterGain is by what part of a deviation the jitter changes.
const jitterGain = 1.0 / 16

// jitter is the interarrival jitter of RFC 3550 section 6.4.1.
type jitter struct {
	nanos float64
	from  string
	steps int
	step  time.Duration // the one before
}

// observe takes the step from one arrival to the next.
func (j *jitter) observe(before, a *Arrival) {
	step := a.At.Sub(before.At)
	sent := j.step
	j.step = step
	j.steps++
	from := FromInterval
	switch {
	case before.HasMedia && a.HasMedia:
		sent, from = a.Media-before.Media, FromMedia
	case !before.Captured.IsZero() && !a.Captured.IsZero():
		sent, from = a.Captured.Sub(before.Captured), FromCapture
	case j.steps == 1:
		return // there is none to compare it with
	}
	if from != FromInterval && (sent > longestStep || sent < -longestStep) {
		return
	}
	j.from = from
	j.nanos += (math.Abs(float64(step-sent)) - j.nanos) * jitterGain
}

// value returns the jitter in milliseconds; nil if there is none.
func (j *jitter) value() (ms *float64, from string) {
	if j.from == "" {
		return nil, ""
	}
	v := millis(time.Duration(j.nanos))
	return &v, j.from
}
