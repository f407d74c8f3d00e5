package model

import "fmt"

// Priorities run from 0 to 255; lower is sooner (section 7.1).
const (
	// DefaultPriority is the subscriber and publisher priority where none is given.
	DefaultPriority uint8 = 128
)

// GroupOrder says in which order groups are delivered when not all can be.
type GroupOrder uint8

// Group orders (section 10.2.8). The zero value means that none was stated.
const (
	GroupOrderUnset GroupOrder = 0
	Ascending       GroupOrder = 1
	Descending      GroupOrder = 2
)

// String returns the name of the order.
func (o GroupOrder) String() string {
	switch o {
	case GroupOrderUnset:
		return "unset"
	case Ascending:
		return "ascending"
	case Descending:
		return "descending"
	}
	return fmt.Sprintf("GroupOrder(%d)", uint8(o))
}

// ObjectStatus tells a normal object from a marker (section 11.2.1.1).
type ObjectStatus uint8

// Object statuses. A marker has neither payload nor properties.
const (
	StatusNormal ObjectStatus = 0
	// StatusDoesNotExist is said in draft 14 only: no object with this ID exists
	// or ever will. Elsewhere absence has no object.
	StatusDoesNotExist ObjectStatus = 1
	StatusEndOfGroup   ObjectStatus = 3 // no object with this or a larger ID exists in the group
	StatusEndOfTrack   ObjectStatus = 4 // no object at this or a later location exists
)

// String returns the name of the status.
func (s ObjectStatus) String() string {
	switch s {
	case StatusNormal:
		return "normal"
	case StatusDoesNotExist:
		return "does not exist"
	case StatusEndOfGroup:
		return "end of group"
	case StatusEndOfTrack:
		return "end of track"
	}
	return fmt.Sprintf("ObjectStatus(%d)", uint8(s))
}

// Property is one entry of a list of track or object properties (section 2.5).
// An even type carries an integer, an odd type bytes.
type Property struct {
	Type  uint64
	Int   uint64 // if Type is even
	Bytes []byte // if Type is odd
}

// Property types with a meaning in the transport itself (section 12).
const (
	PropObjectDeliveryTimeout   uint64 = 0x02 // track; ms
	PropMaxCacheDuration        uint64 = 0x04 // track; ms
	PropSubgroupDeliveryTimeout uint64 = 0x06 // track; ms
	PropImmutable               uint64 = 0x0B // track and object; a nested list
	PropDefaultPriority         uint64 = 0x0E // track; 0..255
	PropDefaultGroupOrder       uint64 = 0x22 // track; 1 or 2
	PropDynamicGroups           uint64 = 0x30 // track; 0 or 1
	PropPriorGroupIDGap         uint64 = 0x3C // object
	PropPriorObjectIDGap        uint64 = 0x3E // object
	PropMandatoryFirst          uint64 = 0x4000
	PropMandatoryLast           uint64 = 0x7FFF // 4000-7FFF: a track whose reader must understand them
)

// Properties is a list in wire order; types ascend.
type Properties []Property

// Int returns the integer of the first property of the even type t.
func (p Properties) Int(t uint64) (uint64, bool) {
	for _, e := range p {
		if e.Type == t {
			return e.Int, true
		}
	}
	return 0, false
}

// Object is one object of a track with everything that must survive a relay.
type Object struct {
	Location
	Subgroup   uint64 // meaningless if Datagram
	Datagram   bool   // the forwarding preference (section 11.2.1)
	Priority   Opt[uint8]
	Status     ObjectStatus
	Properties Properties
	Payload    []byte
}
