package wire

import (
	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// Bits of an object datagram's type (section 11.3.1).
const (
	datagramProperties      = 0x01
	datagramEndOfGroup      = 0x02
	datagramZeroObject      = 0x04
	datagramDefaultPriority = 0x08
	datagramStatus          = 0x20
)

// Datagram is one object in a datagram (section 11.3.1).
type Datagram struct {
	TrackAlias, Group, Object uint64
	EndOfGroup                bool             // the group's last object; never with a status other than normal
	Priority                  model.Opt[uint8] // absent: that of the track
	Properties                []byte           // the list without its length; nil if there is none
	Status                    model.ObjectStatus
	Payload                   []byte
}

const objectDatagram = "OBJECT_DATAGRAM"

// validDatagramType reports whether a draft defines the type.
func validDatagramType(d model.Draft, typ uint64) bool {
	bits := uint64(datagramProperties | datagramEndOfGroup | datagramZeroObject | datagramDefaultPriority | datagramStatus)
	forbidden := uint64(datagramEndOfGroup) // together with a status
	if d <= 14 {
		bits &^= datagramDefaultPriority
		forbidden |= datagramZeroObject
	}
	return typ&^bits == 0 && (typ&datagramStatus == 0 || typ&forbidden == 0)
}

// typeOf returns the type to write in draft d. An empty normal object is
// written with its status, as section 11.2.1.1 asks, unless it ends its group,
// which that form cannot say.
func (g *Datagram) typeOf(d model.Draft) uint64 {
	typ := uint64(0)
	if len(g.Properties) > 0 && PropertyFormOf(d).mayHaveProperties(g.Status) {
		typ |= datagramProperties
	}
	if !g.Priority.Set && d > 14 {
		typ |= datagramDefaultPriority
	}
	switch {
	case g.Status != model.StatusNormal || len(g.Payload) == 0 && !g.EndOfGroup:
		typ |= datagramStatus
	case g.EndOfGroup:
		typ |= datagramEndOfGroup
	}
	if g.Object == 0 && (d > 14 || typ&datagramStatus == 0) {
		typ |= datagramZeroObject
	}
	return typ
}

// Fits reports whether the integers of draft d can hold those of g. Append
// panics otherwise.
func (g *Datagram) Fits(d model.Draft) bool {
	return max(g.TrackAlias, g.Group, g.Object) <= VarintKind(d).Max()
}

// Append appends the datagram. A status other than normal excludes payload,
// EndOfGroup and, but for draft 14, properties, which are then left out. Draft 14
// has no default priority: there an absent one is written as
// model.DefaultPriority.
func (g *Datagram) Append(b []byte, d model.Draft) []byte { return g.appendAs(b, d, g.typeOf(d)) }

func (g *Datagram) appendAs(b []byte, d model.Draft, typ uint64) []byte {
	k := VarintKind(d)
	b = k.Append(b, typ)
	b = k.Append(b, g.TrackAlias)
	b = k.Append(b, g.Group)
	if typ&datagramZeroObject == 0 {
		b = k.Append(b, g.Object)
	}
	if typ&datagramDefaultPriority == 0 {
		b = append(b, g.Priority.Or(model.DefaultPriority))
	}
	if typ&datagramProperties != 0 {
		b = k.Append(b, uint64(len(g.Properties)))
		b = append(b, g.Properties...)
	}
	if typ&datagramStatus != 0 {
		return k.Append(b, uint64(g.Status))
	}
	return append(b, g.Payload...)
}

// ParseDatagram reads a whole datagram; padding says that it is one to throw
// away. Properties and Payload alias b. The datagram is returned beside an
// error that only makes the track malformed.
func ParseDatagram(d model.Draft, b []byte) (g Datagram, padding bool, err error) {
	form := PropertyFormOf(d)
	var r varint.Reader
	r.Reset(form.Kind, b)
	typ := r.Uint()
	if r.Err() != nil {
		return Datagram{}, false, datagramError("Type", &r)
	}
	if d > 16 && typ == DatagramTypePadding {
		return Datagram{}, true, nil
	}
	if !validDatagramType(d, typ) {
		return Datagram{}, false, violation(objectDatagram, "Type", 0, unknownNumber(typ))
	}
	g.TrackAlias = r.Uint()
	g.Group = r.Uint()
	g.EndOfGroup = typ&datagramEndOfGroup != 0
	if typ&datagramZeroObject == 0 {
		g.Object = r.Uint()
	}
	if typ&datagramDefaultPriority == 0 {
		g.Priority = model.Some(r.Byte())
	}
	if typ&datagramProperties != 0 {
		g.Properties = r.LengthPrefixed(MaxPropertiesLen, errTooLong)
		if r.Err() == nil && len(g.Properties) == 0 {
			r.Fail(errEmptyProperties)
		}
	}
	if r.Err() != nil {
		return Datagram{}, false, datagramError("", &r)
	}
	if typ&datagramStatus == 0 {
		g.Payload = r.Rest()
	} else {
		status := r.Uint()
		switch {
		case r.Err() != nil:
		case !form.validStatus(status):
			r.Fail(errValue)
		case r.Len() > 0:
			r.Fail(errTrailing)
		}
		if r.Err() != nil {
			return Datagram{}, false, datagramError("Object Status", &r)
		}
		g.Status = model.ObjectStatus(status)
	}
	if g.Properties == nil {
		return g, false, nil
	}
	err = checkObject(objectDatagram, form, g.Properties, g.Status, model.Location{Group: g.Group, Object: g.Object})
	if pe, ok := err.(*ParseError); ok && pe.Fatal() {
		return Datagram{}, false, err
	}
	return g, false, err
}

// datagramError is what stopped the reading of a datagram; a datagram is whole,
// so that running out of it is final.
func datagramError(field string, r *varint.Reader) error {
	err := r.Err()
	if err == varint.ErrTruncated {
		err = errShort
	}
	return violation(objectDatagram, field, r.Offset(), err)
}
