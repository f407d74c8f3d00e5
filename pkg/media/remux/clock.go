package remux

import "time"

// MaxJitter is how far the times of a track may go back, or jump where another
// file begins, without being taken for those of a source that started again.
const MaxJitter = 3 * time.Second

const maxJitter = int64(MaxJitter / time.Millisecond)

// clock makes one growing clock of the times of tags, in milliseconds.
type clock struct {
	begun bool
	raw   uint32 // of the last frame
	now   int64  // what raw stands for
	end   int64  // where the samples so far end
}

// restarts reports whether a frame with the time raw is of a source that started
// again. last is the time of the frame before it in its track, if there is one;
// file says that a file began since then.
func (c *clock) restarts(raw uint32, last int64, hasLast, file bool) bool {
	if !c.begun {
		return false
	}
	at := c.at(raw)
	switch {
	case !file:
		return hasLast && at < last-maxJitter
	case hasLast:
		return at <= last || at > c.end+maxJitter
	}
	return at < c.end || at > c.end+maxJitter
}

// at returns what the time of a tag stands for: of all times with these 32 bits the
// one that is nearest to that of the last frame. Where the highest bit alone would
// make a jump, the writer leaves it out, as ffmpeg and moxygen do, and begins anew
// after 2^31-1.
func (c *clock) at(raw uint32) int64 {
	if !c.begun {
		return int64(raw)
	}
	const highest = 1 << 31
	step := int64(int32(raw - c.raw))
	switch {
	case step <= -highest+maxJitter:
		step += highest
	case step >= highest-maxJitter:
		step -= highest
	}
	return c.now + step
}

// set goes to the time of a frame.
func (c *clock) set(raw uint32) int64 {
	c.now = c.at(raw)
	c.raw, c.begun = raw, true
	return c.now
}

// restart makes raw stand for the end of the samples so far.
func (c *clock) restart(raw uint32) { c.raw, c.now = raw, c.end }

// ended takes note of where a sample ends.
func (c *clock) ended(dts int64, d time.Duration) {
	c.end = max(c.end, dts+int64((d+time.Millisecond-1)/time.Millisecond))
}
