package track

import (
	"time"

	"oxymoq/pkg/model"
)

// Form is one way to write object headers: a draft's, with or without
// properties. Values must be comparable with ==; equal values write equal bytes.
type Form interface {
	// AppendObject appends the header of h, everything before its payload. prev
	// is the ID of the object before it on the same stream, absent for the
	// first. It fails if the form cannot express h.
	AppendObject(b []byte, prev model.Opt[uint64], h ObjectHeader) ([]byte, error)
	// Properties returns the encoded properties in a header that AppendObject
	// of the same form wrote. The result aliases it.
	Properties(header []byte) []byte
}

// ObjectHeader is what precedes the payload of an object.
type ObjectHeader struct {
	ID         uint64
	Properties []byte // the encoded list without its length, in the form From
	From       Form   // nil: the form that is asked to write the header
	PayloadLen uint64
	Status     model.ObjectStatus
	// Immutable says that Properties hold some that a relay may not change.
	Immutable bool

	// PriorGroupGap and PriorObjectGap are the values of the properties of that
	// name, 0 if absent: so many groups, or objects of this group, before this
	// one do not exist (sections 12.8 and 12.9). The log only learns from them;
	// they are written as part of Properties.
	PriorGroupGap, PriorObjectGap uint64
}

// Object is a view of one object in the log. What its slices refer to never
// changes.
type Object struct {
	model.Location
	Subgroup   uint64 // meaningless if Datagram
	Datagram   bool
	EndOfGroup bool // a datagram that says it is the last of its group
	Priority   model.Opt[uint8]
	Status     model.ObjectStatus
	Properties []byte // encoded, in Form
	Form       Form
	Immutable  bool     // as in ObjectHeader
	Payload    [][]byte // in pieces
	Arrival    time.Time
}

// PayloadLen returns the length of the payload in bytes.
func (o *Object) PayloadLen() (n int) {
	for _, p := range o.Payload {
		n += len(p)
	}
	return n
}
