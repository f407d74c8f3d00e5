package latency

import "time"

// What a freeze is.
const (
	// LeastFreeze is the shortest silence that can be a freeze; longer than
	// FreezeObjects times the usual step from object to object it must be too.
	LeastFreeze   = 200 * time.Millisecond
	FreezeObjects = 3
	// usualOf is of how many steps the usual one is the mean, and usualFrom how
	// many must be known before there is one.
	usualOf   = 30
	usualFrom = 5
	// longestStep is the longest step of a media or capture clock that is one.
	// What is longer, or as long and backward, is a publisher that began anew.
	longestStep = 10 * time.Second
)

// rhythm knows how long it usually takes from one object to the next, by their
// media times where they have some.
type rhythm struct {
	told  time.Duration // by the user; 0: not
	steps [usualOf]time.Duration
	n     int // of them were taken
	total time.Duration
}

// observe takes a step. The silence before it counts if the objects do not say
// more and it was not a step through what is past; one that is a freeze counts
// as the shortest, so that a freeze changes little and a slower track is learned.
func (r *rhythm) observe(before, a *Arrival, silence time.Duration, live bool) {
	step := silence
	switch {
	case before.HasMedia && a.HasMedia:
		if step = a.Media - before.Media; step <= 0 || step > longestStep {
			return
		}
	case !live:
		return
	default:
		if freeze, known := r.freeze(); known {
			step = min(step, freeze)
		}
	}
	at := &r.steps[r.n%usualOf]
	r.total += step - *at
	*at = step
	r.n++
}

// freeze returns the silence from which on it is one; known is false as long as
// nothing is usual.
func (r *rhythm) freeze() (threshold time.Duration, known bool) {
	usual := r.told
	if usual == 0 {
		if r.n < usualFrom {
			return 0, false
		}
		usual = r.total / time.Duration(min(r.n, usualOf))
	}
	return max(FreezeObjects*usual, LeastFreeze), true
}

// breaks reports whether a silence is a freeze.
func (r *rhythm) breaks(silence time.Duration) bool {
	threshold, known := r.freeze()
	return known && silence > threshold
}
