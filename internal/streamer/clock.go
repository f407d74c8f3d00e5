package streamer

import (
	"time"

	"oxymoq/pkg/media"
)

// clock makes the times of rounds through a file go on, and says how long each
// sample takes. The zero value is usable.
type clock struct {
	begun, again bool
	origin       time.Duration // DTS of the very first sample
	shift        time.Duration // of the present round
	end          time.Duration // when all samples are over
	newest       time.Duration // DTS
	last         map[media.Kind]tick
}

// tick is the last sample of a kind.
type tick struct{ dts, duration time.Duration }

// guess is how long the first sample takes if nothing is known of it.
const guess = 20 * time.Millisecond

// set moves the times of a sample to the present round. Where the duration is
// not known it is the time from the sample before, of the same kind: receivers
// add durations up to know how much they hold.
func (c *clock) set(s *media.Sample) {
	if !c.begun {
		c.begun, c.origin, c.last = true, s.DTS, map[media.Kind]tick{}
		c.newest, c.end = s.DTS, s.DTS
	}
	if c.again {
		c.again, c.shift = false, c.end-s.DTS
	}
	s.DTS += c.shift
	s.PTS += c.shift
	kind := s.Format.Codec.Kind()
	before, some := c.last[kind]
	if s.Duration <= 0 {
		switch d := s.DTS - before.dts; {
		case some && d > 0 && d <= MaxHole:
			s.Duration = d
		case some:
			s.Duration = before.duration
		default:
			s.Duration = guess
		}
	}
	c.last[kind] = tick{s.DTS, s.Duration}
	c.end = max(c.end, s.DTS+s.Duration)
	c.newest = max(c.newest, s.DTS)
}

// rewind says that the next sample is the first of another round.
func (c *clock) rewind() { c.again = true }

// elapsed returns how much media time there was.
func (c *clock) elapsed() time.Duration { return c.newest - c.origin }
