package date

import (
	"fmt"
	"strconv"
	"time"

	"oxymoq/pkg/model"
)

// Object IDs of a group.
const (
	headerObject = 0  // the minute line
	lastObject   = 60 // second 59
	endObject    = 61 // END_OF_GROUP
)

// Mode is how objects travel.
type Mode string

// Modes, named as moxygen names them.
const (
	StreamPerGroup  Mode = "spg"
	StreamPerObject Mode = "spo"
	Datagrams       Mode = "datagram"
)

// ParseMode reads the value of a flag.
func ParseMode(s string) (Mode, error) {
	switch m := Mode(s); m {
	case StreamPerGroup, StreamPerObject, Datagrams:
		return m, nil
	}
	return "", fmt.Errorf("unknown mode %q; use %s, %s or %s", s, StreamPerGroup, StreamPerObject, Datagrams)
}

// Clock says which object stands where.
type Clock struct {
	Mode Mode
	// Zone is that of the minute line; nil: local.
	Zone *time.Location
	// TestProperties puts moxygen's two test properties on the minute line.
	TestProperties bool
}

// testProperties are those that moxygen's date server sends.
var testProperties = model.Properties{
	{Type: 0xdeadbeef, Bytes: []byte{1, 2, 3, 4, 5}}, // types ascend
	{Type: 0xacedecade, Int: 1977},
}

// Largest returns the location of the newest object at the time now.
func (c Clock) Largest(now time.Time) model.Location {
	s := now.Unix()
	return model.Location{Group: uint64(s / 60), Object: uint64(s%60) + 1}
}

// Object returns the object at l; ok is false where none will ever be. The end
// markers are objects too.
func (c Clock) Object(l model.Location) (o model.Object, ok bool) {
	if l.Object > endObject || l.Group > maxMinute {
		return model.Object{}, false
	}
	o.Location = l
	o.Priority = model.Some(uint8(0))
	switch c.Mode {
	case StreamPerObject:
		o.Subgroup = l.Object
	case Datagrams:
		o.Datagram = true
	}
	switch l.Object {
	case headerObject:
		zone := c.Zone
		if zone == nil {
			zone = time.Local
		}
		o.Payload = time.Unix(int64(l.Group)*60, 0).In(zone).AppendFormat(nil, "2006-01-02 15:04:")
		if c.TestProperties && c.Mode != StreamPerObject {
			o.Properties = testProperties
		}
	case endObject:
		o.Status = model.StatusEndOfGroup
	default:
		o.Payload = strconv.AppendUint(nil, l.Object-1, 10)
	}
	return o, true
}

// maxMinute is the last minute that time.Unix can name without surprise; the
// year is 9999, the last of four digits.
const maxMinute = 253402300799 / 60

// Since calls yield for every object that is due after the one at from, up to
// the time now, in order: seconds that were slept through are made up for.
func (c Clock) Since(from model.Location, now time.Time, yield func(model.Object)) {
	largest := c.Largest(now)
	for l := from; l.Less(largest); {
		l = c.next(l)
		if o, ok := c.Object(l); ok {
			yield(o)
		}
	}
}

// next returns the location after l, over the end of the group.
func (Clock) next(l model.Location) model.Location {
	if l.Object >= endObject {
		return model.Location{Group: l.Group + 1}
	}
	return model.Location{Group: l.Group, Object: l.Object + 1}
}

// nextTick is when the next object is due.
func nextTick(now time.Time) time.Time { return now.Truncate(time.Second).Add(time.Second) }
