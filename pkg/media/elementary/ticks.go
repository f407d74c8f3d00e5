package elementary

import (
	"errors"
	"fmt"
	"math/bits"
	"time"
)

// MaxTime is the largest time that is read: 146 years, far enough from the ends
// of a duration that times can be compared and shifted without overflow.
const MaxTime time.Duration = 1 << 62

// ErrTimescale says that a clock has no ticks: nothing can be divided by it.
var ErrTimescale = errors.New("timescale is 0")

// A TimeError is a time that cannot be said: more than MaxTime, or before the origin where only unsigned integers are written.
type TimeError struct {
	Ticks     uint64        // what was read
	Time      time.Duration // or what was to be written
	Timescale uint64        // ticks in a second
}

func (e *TimeError) Error() string {
	if e.Ticks == 0 {
		return fmt.Sprintf("time %v is not an unsigned count of 1/%d s", e.Time, e.Timescale)
	}
	return fmt.Sprintf("time %d/%d s is too large", e.Ticks, e.Timescale)
}

// Duration returns how long ticks of a clock take, to the nearest nanosecond.
// The product has 128 bits, so no timescale makes it overflow unseen.
func Duration(ticks, timescale uint64) (time.Duration, error) {
	if timescale == 0 {
		return 0, ErrTimescale
	}
	n, ok := scale(ticks, uint64(time.Second), timescale)
	if !ok || n > uint64(MaxTime) {
		return 0, &TimeError{Ticks: ticks, Timescale: timescale}
	}
	return time.Duration(n), nil
}

// Ticks returns how many ticks of a clock a time takes, to the nearest; max is
// the largest value that can be written.
func Ticks(d time.Duration, timescale, max uint64) (uint64, error) {
	if timescale == 0 {
		return 0, ErrTimescale
	}
	if d < 0 {
		return 0, &TimeError{Time: d, Timescale: timescale}
	}
	n, ok := scale(uint64(d), timescale, uint64(time.Second))
	if !ok || n > max {
		return 0, &TimeError{Time: d, Timescale: timescale}
	}
	return n, nil
}

// scale returns v*mul/div, rounded to the nearest, and whether it has 64 bits.
func scale(v, mul, div uint64) (uint64, bool) {
	hi, lo := bits.Mul64(v, mul)
	lo, carry := bits.Add64(lo, div/2, 0)
	hi += carry // cannot wrap: hi is at most 2^64-2
	if hi >= div {
		return 0, false
	}
	q, _ := bits.Div64(hi, lo, div)
	return q, true
}
