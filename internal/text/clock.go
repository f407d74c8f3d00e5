package text

import (
	"math"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/model"
)

const (
	// clockTries is how many objects are looked at for times before a track is
	// taken to have none.
	clockTries = 64
	// clockBegins and clockEnds are years: what is said to be captured before is
	// media time whose timescale was left out, what is after cannot be shown.
	clockBegins, clockEnds = 1990, 9999
	// The properties of LOC whose meaning does not hang on the payload
	// (draft-ietf-moq-loc-04 section 2.3.1).
	locTimescale uint64 = 0x08
	locTimestamp uint64 = 0x10
)

// times is what an object says of itself.
type times struct {
	captured time.Time // zero: nothing
	media    model.Opt[time.Duration]
	key      bool
}

// clock reads the times of the objects of one track, whatever its packaging. Its
// zero value is for a track of which nothing is known.
type clock struct {
	kinds []*packaging.Detector // that may be right; one, once one is
	found bool
	tries int
}

// read returns the times of an object.
func (c *clock) read(o *model.Object) (t times) {
	if len(o.Properties) == 0 {
		return t // no packaging without a catalog
	}
	if c.kinds == nil {
		c.kinds = []*packaging.Detector{packaging.NewDetector(media.Video, nil), packaging.NewDetector(media.Audio, nil)}
	}
	if c.found || c.tries < clockTries {
		c.tries++
		for _, d := range c.kinds {
			s, err := d.Unpack(o.Properties, o.Payload)
			if err != nil {
				continue // an object of something else is shown all the same
			}
			c.kinds, c.found = []*packaging.Detector{d}, true
			return times{onClock(s.Captured), model.Some(s.DTS), s.Key}
		}
	}
	// A timestamp of LOC is one whatever the payload is, be it text.
	ticks, stamped := o.Properties.Int(locTimestamp)
	if _, scaled := o.Properties.Int(locTimescale); stamped && !scaled {
		t.captured = onClock(time.UnixMicro(int64(min(ticks, math.MaxInt64))))
	}
	return t
}

// onClock returns a time that a clock can have shown, or the zero time.
func onClock(t time.Time) time.Time {
	if y := t.UTC().Year(); y < clockBegins || y > clockEnds {
		return time.Time{}
	}
	return t
}
