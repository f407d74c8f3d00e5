package moqtest

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"time"

	"oxymoq/pkg/model"
)

// Protocol is the first field of every namespace, which a Server publishes.
const Protocol = "moq-test-00"

// TrackName is the name that moxygen gives every track; any other will do.
const TrackName = "test"

// Forwarding is how the objects of a track travel.
type Forwarding uint8

// Ways to travel.
const (
	SubgroupPerGroup  Forwarding = iota // one stream for each group
	SubgroupPerObject                   // one for each object; its Subgroup ID is the Object ID
	TwoSubgroups                        // two for each group: even Object IDs and odd ones
	Datagrams
)

// Params say what a track consists of. The zero value of a field is not its
// default; see Defaults.
type Params struct {
	Forwarding Forwarding
	// Start is the first group and the first Object ID of every group, Last the
	// last of both, inclusive.
	Start, Last model.Location
	// PerGroup bounds Last.Object, and means nothing else.
	PerGroup uint64
	// FirstSize is the payload of the first object of each group in bytes, Size
	// that of the others.
	FirstSize, Size uint64
	Interval        time.Duration // between objects, in whole milliseconds
	// GroupStep and ObjectStep are the differences of successive IDs.
	GroupStep, ObjectStep uint64
	// EndOfGroup makes the last object of each group an END_OF_GROUP.
	EndOfGroup bool
	// IntProperty n gives each object a property of type 2n, BytesProperty n one
	// of type 2n+1.
	IntProperty, BytesProperty model.Opt[uint64]
	// Timeout is the OBJECT_DELIVERY_TIMEOUT of the track, in whole milliseconds;
	// 0: none.
	Timeout time.Duration
}

// Limits of what a track may be asked to have.
const (
	maxNumber = 1<<62 - 1 // what every draft can write
	// MaxSize is the largest payload in bytes.
	MaxSize = 16 << 20
	// MaxDatagram is the largest payload of a datagram in bytes: what is left of
	// the smallest packet of QUIC (RFC 9000, section 14) by its own header, by
	// WebTransport, and by an object's header with properties.
	MaxDatagram = 1200 - 112
	// MaxBurst is how many objects there may be if there is no time between them.
	MaxBurst = 1 << 16
	// maxInterval is the longest pause and timeout; the rest is overflow.
	maxInterval = 24 * time.Hour
)

// Defaults are those of the draft, which stand for empty fields.
func Defaults() Params {
	return Params{
		Last: model.Location{Group: maxNumber}, PerGroup: 10, FirstSize: 1024, Size: 100,
		Interval: time.Second, GroupStep: 1, ObjectStep: 1,
	}.Filled()
}

// Filled returns p with the largest last object that it allows.
func (p Params) Filled() Params {
	p.Last.Object = p.largestObject()
	return p
}

// largestObject is the largest that Last.Object may be.
func (p Params) largestObject() uint64 {
	n := p.PerGroup
	if p.EndOfGroup {
		n++
	}
	over, id := bits.Mul64(n, p.ObjectStep)
	if over > 0 {
		return maxNumber
	}
	return min(id, maxNumber)
}

// fieldCount is how many fields a namespace has.
const fieldCount = 16

// ErrProtocol says that a namespace is not of this protocol.
var ErrProtocol = errors.New("the namespace does not begin with " + Protocol)

// Parse reads a namespace. An empty field is its default, which only drafts up to
// 15 can carry, and moxygen refuses.
func Parse(ns model.Namespace) (Params, error) {
	if len(ns) == 0 || ns[0] != Protocol {
		return Params{}, ErrProtocol
	}
	if len(ns) != fieldCount {
		return Params{}, fmt.Errorf("the namespace has %d fields and not %d", len(ns), fieldCount)
	}
	r := fieldReader{ns: ns}
	p := Defaults()
	p.Forwarding = Forwarding(r.number(1, 0, uint64(Datagrams)))
	p.Start.Group = r.number(2, 0, maxNumber)
	p.Start.Object = r.number(3, 0, maxNumber)
	p.Last.Group = r.number(4, maxNumber, maxNumber)
	p.PerGroup = r.number(6, p.PerGroup, maxNumber)
	p.FirstSize = r.number(7, p.FirstSize, MaxSize)
	p.Size = r.number(8, p.Size, MaxSize)
	p.Interval = r.milliseconds(9, p.Interval)
	p.GroupStep = r.number(10, 1, maxNumber)
	p.ObjectStep = r.number(11, 1, maxNumber)
	p.EndOfGroup = r.number(12, 0, 1) == 1
	p.IntProperty = r.property(13)
	p.BytesProperty = r.property(14)
	p.Timeout = r.milliseconds(15, 0)
	p.Last.Object = r.number(5, p.largestObject(), maxNumber)
	if r.err != nil {
		return Params{}, r.err
	}
	return p, p.Validate()
}

// fieldReader reads numbers and keeps the first error.
type fieldReader struct {
	ns  model.Namespace
	err error
}

func (r *fieldReader) number(i int, def, largest uint64) uint64 {
	if r.ns[i] == "" {
		return def
	}
	v, err := strconv.ParseUint(r.ns[i], 10, 64)
	if (err != nil || v > largest) && r.err == nil {
		r.err = fmt.Errorf("field %d is %q and not a number up to %d", i, r.ns[i], largest)
	}
	return v
}

func (r *fieldReader) milliseconds(i int, def time.Duration) time.Duration {
	ms := r.number(i, uint64(def.Milliseconds()), uint64(maxInterval.Milliseconds()))
	return time.Duration(min(ms, uint64(maxInterval.Milliseconds()))) * time.Millisecond
}

// noProperty stands for none; the draft has an empty field for that.
const noProperty = "-1"

func (r *fieldReader) property(i int) model.Opt[uint64] {
	if r.ns[i] == "" || r.ns[i] == noProperty {
		return model.Opt[uint64]{}
	}
	return model.Some(r.number(i, 0, maxNumber/2-1))
}

// Namespace returns the fields, none of them empty.
func (p Params) Namespace() model.Namespace {
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	property := func(n model.Opt[uint64]) string {
		if id, ok := n.Get(); ok {
			return number(id)
		}
		return noProperty
	}
	marked := "0"
	if p.EndOfGroup {
		marked = "1"
	}
	return model.Namespace{
		Protocol, number(uint64(p.Forwarding)), number(p.Start.Group), number(p.Start.Object), number(p.Last.Group), number(p.Last.Object),
		number(p.PerGroup), number(p.FirstSize), number(p.Size), number(uint64(p.Interval.Milliseconds())),
		number(p.GroupStep), number(p.ObjectStep), marked, property(p.IntProperty), property(p.BytesProperty),
		number(uint64(p.Timeout.Milliseconds())),
	}
}

// Validate reports why there is no such track.
func (p Params) Validate() error {
	largest := p.largestObject()
	switch {
	case p.Forwarding > Datagrams:
		return fmt.Errorf("there is no forwarding preference %d", p.Forwarding)
	case p.Start.Group > p.Last.Group:
		return fmt.Errorf("the first group, %d, is larger than the last, %d", p.Start.Group, p.Last.Group)
	case p.Start.Object > p.Last.Object:
		return fmt.Errorf("the first object, %d, is larger than the last, %d", p.Start.Object, p.Last.Object)
	case p.Last.Group > maxNumber:
		return fmt.Errorf("the last group is larger than %d", uint64(maxNumber))
	case p.GroupStep == 0 || p.ObjectStep == 0:
		return errors.New("an increment is 0")
	case p.Last.Object > largest:
		return fmt.Errorf("the last object, %d, is larger than %d, which so many objects allow", p.Last.Object, largest)
	case p.FirstSize > MaxSize || p.Size > MaxSize:
		return fmt.Errorf("an object is larger than %d bytes", MaxSize)
	case p.Forwarding == Datagrams && (p.FirstSize > MaxDatagram || p.Size > MaxDatagram):
		return fmt.Errorf("an object is larger than the %d bytes that a datagram can have", MaxDatagram)
	case p.Interval == 0 && p.Count() > MaxBurst:
		return fmt.Errorf("there are more than %d objects without time between them", MaxBurst)
	}
	for _, t := range []uint64{2 * p.IntProperty.Or(0), 2*p.BytesProperty.Or(0) + 1} {
		if meansSomething(t) {
			return fmt.Errorf("what a property of type %#x says cannot be made up", t)
		}
	}
	return nil
}

// meansSomething reports whether the transport acts upon a property of an object
// (section 12), so that a value of chance would make the track malformed.
func meansSomething(t uint64) bool {
	return t == model.PropImmutable || t == model.PropPriorGroupIDGap || t == model.PropPriorObjectIDGap ||
		t >= model.PropMandatoryFirst && t <= model.PropMandatoryLast
}

// OfTracksOnly reports whether the integer property of the objects is one that the
// drafts define for tracks alone. Relays leave it alone, because they look into no
// properties of objects but the few that say what does not exist; a strict
// publisher refuses to send it.
func (p Params) OfTracksOnly() bool {
	n, has := p.IntProperty.Get()
	switch 2 * n {
	case model.PropObjectDeliveryTimeout, model.PropMaxCacheDuration, model.PropSubgroupDeliveryTimeout,
		model.PropDefaultPriority, model.PropDefaultGroupOrder, model.PropDynamicGroups:
		return has
	}
	return false
}
