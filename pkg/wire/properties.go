package wire

import (
	"errors"

	"oxymoq/pkg/model"
)

// PropertyScope says what a list of properties describes.
type PropertyScope uint8

// The scopes of section 15.8.
const (
	TrackProperties PropertyScope = iota
	ObjectProperties
)

var (
	errNested    = errors.New("IMMUTABLE_PROPERTIES inside IMMUTABLE_PROPERTIES")
	errMandatory = errors.New("mandatory track property on an object")
	errGap       = errors.New("gap larger than the ID it precedes")
)

// AppendProperties appends a list without its length. Types must ascend, unless
// the form writes them whole; values of odd types must not exceed MaxPropertyLen
// and integers must fit the form. b is returned as it was beside an error.
func AppendProperties(b []byte, form PropertyForm, p model.Properties) ([]byte, error) {
	return appendPairs(b, form, p, insideForm)
}

// appendPairs is AppendProperties for any list of Key-Value-Pairs; inside is the
// form of a list inside IMMUTABLE_PROPERTIES, form itself where there is none.
func appendPairs(b []byte, form PropertyForm, p model.Properties, inside PropertyForm) ([]byte, error) {
	start, prev := len(b), uint64(0)
	for i := range p {
		var err error
		if b, err = form.append(b, prev, (*kvp)(&p[i]), inside); err != nil {
			return b[:start], err
		}
		prev = p[i].Type
	}
	return b, nil
}

// ParseProperties reads a list that takes all of raw, and checks it as
// CheckProperties does. The result is a copy of the input, in the order of its
// types; the list inside IMMUTABLE_PROPERTIES is in the form of draft 18 in it. It
// is returned beside an error that only makes the track malformed.
func ParseProperties(form PropertyForm, scope PropertyScope, raw []byte) (model.Properties, error) {
	var scan propertyScan
	if err := scan.run(form, scope, raw); err != nil && err.Fatal() {
		return nil, err
	}
	list, err := gather(nil, form, raw)
	if err != nil {
		return nil, err
	}
	var p model.Properties
	for i := range list {
		e := list[i].clone()
		if e.Type == model.PropImmutable && form != insideForm {
			if inside, err := translate(nil, form, insideForm, e.Bytes); err == nil {
				e.Bytes = inside // else it is malformed, or what may not be on an object in draft 18
			}
		}
		p = append(p, e)
	}
	if scan.err != nil {
		return p, scan.err
	}
	return p, nil
}

// CheckProperties checks a list that takes all of raw: that it can be read,
// nested lists included, and that properties of the transport itself are used
// as section 12 allows. It allocates only to report an error.
func CheckProperties(form PropertyForm, scope PropertyScope, raw []byte) error {
	var scan propertyScan
	if err := scan.run(form, scope, raw); err != nil {
		return err
	}
	return nil
}

// PriorGaps are the gaps before an object that it says will never be filled
// (sections 12.8 and 12.9).
type PriorGaps struct {
	Groups  model.Opt[uint64]
	Objects model.Opt[uint64]
}

// ParsePriorGaps finds the gaps in a list of object properties that was checked
// before, also inside the immutable ones.
func ParsePriorGaps(form PropertyForm, raw []byte) PriorGaps {
	var scan propertyScan
	_ = scan.run(form, ObjectProperties, raw) // was checked before
	return scan.gaps
}

// Check reports the track as malformed if a gap begins before the first group
// or object. ParseObject cannot see the group; its caller asks here.
func (g PriorGaps) Check(l model.Location) error {
	if err := g.check(l); err != nil {
		return err
	}
	return nil
}

func (g PriorGaps) check(l model.Location) *ParseError {
	switch {
	case g.Groups.Value > l.Group:
		return &ParseError{Message: "object properties", Field: "PRIOR_GROUP_ID_GAP", Err: errGap, Malformed: true}
	case g.Objects.Value > l.Object:
		return &ParseError{Message: "object properties", Field: "PRIOR_OBJECT_ID_GAP", Err: errGap, Malformed: true}
	}
	return nil
}

// propertyScan is one pass over a list.
type propertyScan struct {
	gaps      PriorGaps
	immutable bool        // seen
	err       *ParseError // the first that makes the track malformed
}

// run checks raw. A fatal error ends it; one that makes the track malformed is
// returned when the whole list was read.
func (s *propertyScan) run(form PropertyForm, scope PropertyScope, raw []byte) *ParseError {
	list := kvpReader{absolute: form.Absolute}
	list.r.Reset(form.Kind, raw)
	for list.more() {
		p, err := list.next()
		if err != nil {
			return scope.error("Key-Value-Pair", list.r.Offset(), err)
		}
		if e := s.property(form, scope, p, list.r.Offset(), false); e != nil {
			return e
		}
	}
	return s.err
}

// property checks one pair that ends at offset.
func (s *propertyScan) property(form PropertyForm, scope PropertyScope, p kvp, offset int, nested bool) *ParseError {
	switch {
	case p.Type == model.PropImmutable && nested:
		s.malformed(scope, "IMMUTABLE_PROPERTIES", offset, errNested)
	case p.Type == model.PropImmutable:
		if s.immutable && scope == ObjectProperties {
			s.malformed(scope, "IMMUTABLE_PROPERTIES", offset, errDuplicate)
		}
		s.immutable = true
		return s.inside(form, scope, p.Bytes, offset-len(p.Bytes))
	case scope == TrackProperties:
		return checkTrackProperty(form, p, offset)
	case form.reserves() && p.Type >= model.PropMandatoryFirst && p.Type <= model.PropMandatoryLast:
		s.malformed(scope, "Type", offset, errMandatory)
	case p.Type == model.PropPriorGroupIDGap:
		s.gap(&s.gaps.Groups, "PRIOR_GROUP_ID_GAP", p.Int, offset)
	case p.Type == model.PropPriorObjectIDGap:
		s.gap(&s.gaps.Objects, "PRIOR_OBJECT_ID_GAP", p.Int, offset)
	}
	return nil
}

// inside checks the list inside IMMUTABLE_PROPERTIES, which begins at base.
// What cannot be read there makes the track malformed (section 12.7).
func (s *propertyScan) inside(form PropertyForm, scope PropertyScope, raw []byte, base int) *ParseError {
	list := kvpReader{absolute: form.Absolute}
	list.r.Reset(form.Kind, raw)
	for list.more() {
		p, err := list.next()
		if err != nil {
			s.malformed(scope, "IMMUTABLE_PROPERTIES", base+list.r.Offset(), err)
			return nil
		}
		if e := s.property(form, scope, p, base+list.r.Offset(), true); e != nil {
			return e
		}
	}
	return nil
}

func (s *propertyScan) gap(g *model.Opt[uint64], name string, v uint64, offset int) {
	if g.Set {
		s.malformed(ObjectProperties, name, offset, errDuplicate)
	}
	*g = model.Some(v)
}

func (s *propertyScan) malformed(scope PropertyScope, field string, offset int, err error) {
	if s.err == nil {
		s.err = scope.error(field, offset, err)
		s.err.Code, s.err.Malformed = 0, true
	}
}

// checkTrackProperty checks the values that section 12 restricts.
func checkTrackProperty(form PropertyForm, p kvp, offset int) *ParseError {
	name := ""
	switch {
	case p.Type == model.PropObjectDeliveryTimeout && p.Int == 0 && form.zeroTimeoutForbidden():
		name = "DELIVERY_TIMEOUT"
	case p.Type == model.PropDefaultPriority && p.Int > 255:
		name = "DEFAULT_PUBLISHER_PRIORITY"
	case p.Type == model.PropDefaultGroupOrder && (p.Int < 1 || p.Int > 2):
		name = "DEFAULT_PUBLISHER_GROUP_ORDER"
	case p.Type == model.PropDynamicGroups && p.Int > 1:
		name = "DYNAMIC_GROUPS"
	default:
		return nil
	}
	return TrackProperties.error(name, offset, errValue)
}

func (s PropertyScope) error(field string, offset int, err error) *ParseError {
	name := "track properties"
	if s == ObjectProperties {
		name = "object properties"
	}
	return &ParseError{Message: name, Field: field, Offset: offset, Err: err, Code: model.ProtocolViolation}
}
