package wire

import (
	"slices"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// ObjectHeader is what precedes the payload of an object on a subgroup stream
// (section 11.4.2).
type ObjectHeader struct {
	ID         uint64 // absolute
	Properties []byte // the list without its length
	PayloadLen uint64 // bytes
	Status     model.ObjectStatus
}

// ObjectForm is the form in which the objects of a subgroup stream are written.
// It is comparable: objects in equal forms have equal bytes.
type ObjectForm struct {
	PropertyForm
	Properties bool // every object has a list of properties
}

// FormOf returns the form of a stream of draft d whose header has or has not
// the PROPERTIES bit.
func FormOf(d model.Draft, properties bool) ObjectForm {
	return ObjectForm{PropertyFormOf(d), properties}
}

// Fits reports whether the integers of f can hold those of h. AppendObject
// panics otherwise; ask when h came from a draft with larger integers.
func (f ObjectForm) Fits(h ObjectHeader) bool { return max(h.ID, h.PayloadLen) <= f.Kind.Max() }

const subgroupObject = "subgroup object"

// AppendObject appends the header of an object, without the payload that must
// follow. prev is the ID of the object before it on the stream, which must be
// smaller. Properties are left out if the form has none; a status other than
// normal excludes payload and, but for draft 14, properties. It allocates nothing if b has room.
func (f ObjectForm) AppendObject(b []byte, prev model.Opt[uint64], h ObjectHeader) []byte {
	delta := h.ID
	if p, ok := prev.Get(); ok {
		delta -= p + 1
	}
	b = f.Kind.Append(b, delta)
	if f.Properties {
		b = f.Kind.Append(b, uint64(len(h.Properties)))
		b = append(b, h.Properties...)
	}
	b = f.Kind.Append(b, h.PayloadLen)
	if h.PayloadLen == 0 {
		b = f.Kind.Append(b, uint64(h.Status))
	}
	return b
}

// AppendTranslated is AppendObject for properties that were read in another form.
// It fails if f cannot express them; b is then returned as it was.
func (f ObjectForm) AppendTranslated(b []byte, prev model.Opt[uint64], h ObjectHeader, from PropertyForm) ([]byte, error) {
	start := len(b)
	head := h
	head.Properties = nil
	if b = f.AppendObject(b, prev, head); !f.Properties {
		return b, nil
	}
	// The empty list is one byte, before payload length and status.
	tail := f.Kind.Len(h.PayloadLen)
	if h.PayloadLen == 0 {
		tail += f.Kind.Len(uint64(h.Status))
	}
	at := len(b) - tail - 1
	var rest [2 * varint.MaxLen]byte
	end := append(rest[:0], b[at+1:]...)
	b, err := TranslateObjectProperties(b[:at], from, f.PropertyForm, h.Properties)
	if err != nil {
		return b[:start], err
	}
	var length [varint.MaxLen]byte
	b = slices.Insert(b, at, f.Kind.Append(length[:0], uint64(len(b)-at))...)
	return append(b, end...), nil
}

// ParseObject reads the header of an object from the front of r, and leaves r
// at the payload. Properties alias the input and were checked. It returns
// varint.ErrTruncated if r ends early, and the header beside an error that only
// makes the track malformed. It allocates only to report an error.
//
// Whether a gap reaches before group 0 depends on the group: see PriorGaps.
func (f ObjectForm) ParseObject(prev model.Opt[uint64], r *varint.Reader) (ObjectHeader, error) {
	var h ObjectHeader
	h.ID = r.Uint()
	if p, ok := prev.Get(); ok {
		// p+1 must not wrap before the sum is checked
		h.ID = r.Add(p, h.ID, errOverflow)
		h.ID = r.Add(h.ID, 1, errOverflow)
	}
	if err := r.Err(); err != nil {
		return ObjectHeader{}, streamError(subgroupObject, "Object ID Delta", r)
	}
	if f.Properties {
		if h.Properties = r.LengthPrefixed(MaxPropertiesLen, errTooLong); r.Err() != nil {
			return ObjectHeader{}, propertiesLenError(subgroupObject, r)
		}
	}
	h.PayloadLen = r.Uint()
	if h.PayloadLen == 0 {
		status := r.Uint()
		if r.Err() == nil && !f.validStatus(status) {
			return ObjectHeader{}, violation(subgroupObject, "Object Status", r.Offset(), errValue)
		}
		h.Status = model.ObjectStatus(status)
	}
	if err := streamError(subgroupObject, "Object Payload Length", r); err != nil {
		return ObjectHeader{}, err
	}
	if len(h.Properties) == 0 {
		h.Properties = nil
		return h, nil
	}
	return h, checkObject(subgroupObject, f.PropertyForm, h.Properties, h.Status, model.Location{Group: model.MaxID, Object: h.ID})
}

// checkObject checks the properties of an object at l.
func checkObject(message string, form PropertyForm, raw []byte, status model.ObjectStatus, l model.Location) error {
	if !form.mayHaveProperties(status) {
		return violation(message, "Properties", 0, errNotPermitted)
	}
	var scan propertyScan
	err := scan.run(form, ObjectProperties, raw)
	if err == nil {
		err = scan.gaps.check(l)
	}
	if err != nil {
		err.Message = message
		return err
	}
	return nil
}

// propertiesLenError returns what stopped the reading of a list of properties.
// A list that is too long for us is no fault of the peer.
func propertiesLenError(message string, r *varint.Reader) error {
	err := streamError(message, "Properties Length", r)
	if pe, ok := err.(*ParseError); ok && pe.Err == errTooLong {
		pe.Code = model.InternalError
	}
	return err
}

// marksAbsence reports whether StatusDoesNotExist is a status of the form's
// drafts. Those are the ones that write types whole: draft 14 has both, draft 16
// neither.
func (f PropertyForm) marksAbsence() bool { return f.Absolute }

func (f PropertyForm) validStatus(v uint64) bool {
	switch v {
	case uint64(model.StatusNormal), uint64(model.StatusEndOfGroup), uint64(model.StatusEndOfTrack):
		return true
	case uint64(model.StatusDoesNotExist):
		return f.marksAbsence()
	}
	return false
}

// mayHaveProperties reports whether an object of the status may have properties.
// In draft 14 markers may, but not for what does not exist (its section 10.2.1.2).
func (f PropertyForm) mayHaveProperties(s model.ObjectStatus) bool {
	return s == model.StatusNormal || f.marksAbsence() && s != model.StatusDoesNotExist
}
