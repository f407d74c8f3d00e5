package wire

import (
	"cmp"
	"fmt"
	"slices"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// PropertyForm is how a draft writes properties. It is comparable: lists in
// equal forms have equal bytes.
type PropertyForm struct {
	Kind varint.Kind
	// Absolute says that types are written whole, in any order, not as deltas
	// (draft 14, section 1.4.2).
	Absolute bool
}

// PropertyFormOf returns the form of a draft.
func PropertyFormOf(d model.Draft) PropertyForm {
	return PropertyForm{Kind: VarintKind(d), Absolute: d <= 14}
}

// insideForm is the form of the list inside IMMUTABLE_PROPERTIES in a
// model.Properties, whichever form the bytes around it had: who reads it there
// knows no drafts.
var insideForm = PropertyForm{Kind: varint.MoQ}

// reserves reports whether the form's drafts know mandatory track properties
// (draft 18, section 12): up to 16 their types are like any other.
func (f PropertyForm) reserves() bool { return f.Kind == varint.MoQ }

// zeroTimeoutForbidden reports whether a delivery timeout of 0 ends the session
// (draft 16, section 11).
func (f PropertyForm) zeroTimeoutForbidden() bool { return f.Kind == varint.QUIC }

// cannotSay reports whether a track property is one that the form's drafts have
// no number for, or forbid where others mean nothing by it.
func (f PropertyForm) cannotSay(e model.Property) bool {
	switch {
	case e.Type >= model.PropMandatoryFirst && e.Type <= model.PropMandatoryLast:
		return false
	case e.Type == model.PropObjectDeliveryTimeout && e.Int == 0:
		return f.zeroTimeoutForbidden()
	}
	return e.Type > f.Kind.Max() || e.Type&1 == 0 && e.Int > f.Kind.Max()
}

// append writes one pair; prev is the type before it, 0 for the first, and from
// is the form of the list inside if e is IMMUTABLE_PROPERTIES.
func (f PropertyForm) append(b []byte, prev uint64, e *kvp, from PropertyForm) ([]byte, error) {
	start := len(b)
	inside := e.Type == model.PropImmutable && f != from
	switch {
	case e.Type > f.Kind.Max() || e.Type&1 == 0 && e.Int > f.Kind.Max():
		return b, fmt.Errorf("property 0x%x: %w", e.Type, varint.ErrTooLarge)
	case len(e.Bytes) > MaxPropertyLen && !inside:
		return b, tooLong(e.Type, len(e.Bytes))
	}
	typ := e.Type
	if !f.Absolute {
		if typ < prev {
			return b, fmt.Errorf("property 0x%x after 0x%x: types must ascend", typ, prev)
		}
		typ -= prev
	}
	b = f.Kind.Append(b, typ)
	switch {
	case e.Type&1 == 0:
		return f.Kind.Append(b, e.Int), nil
	case !inside:
		b = f.Kind.Append(b, uint64(len(e.Bytes)))
		return append(b, e.Bytes...), nil
	}
	at := len(b)
	b, err := translate(b, from, f, e.Bytes)
	n := len(b) - at
	if err == nil && n > MaxPropertyLen {
		err = tooLong(e.Type, n)
	}
	if err != nil {
		return b[:start], err
	}
	var length [varint.MaxLen]byte
	return slices.Insert(b, at, f.Kind.Append(length[:0], uint64(n))...), nil
}

func tooLong(typ uint64, n int) error {
	return fmt.Errorf("property 0x%x has %d bytes, at most %d are allowed", typ, n, MaxPropertyLen)
}

// TranslateObjectProperties appends a list of object properties that was read in
// one form as another has it, the list inside IMMUTABLE_PROPERTIES included, for
// its bytes would mean something else to the reader. In the same form it is
// copied. It fails if the form cannot express the list; b is then returned as it
// was. Up to 16 properties it allocates nothing if b has room.
func TranslateObjectProperties(b []byte, from, to PropertyForm, raw []byte) ([]byte, error) {
	if from == to {
		return append(b, raw...), nil
	}
	start := len(b)
	b, err := translate(b, from, to, raw)
	if err == nil && to.reserves() && !from.reserves() {
		if err := CheckProperties(to, ObjectProperties, b[start:]); err != nil {
			return b[:start], err
		}
	}
	return b, err
}

// translate is TranslateObjectProperties for lists of any kind.
func translate(b []byte, from, to PropertyForm, raw []byte) ([]byte, error) {
	var few [16]kvp
	list, err := gather(few[:0], from, raw)
	if err != nil {
		return b, err
	}
	start, prev := len(b), uint64(0)
	for i := range list {
		e := &list[i]
		if b, err = to.append(b, prev, e, from); err != nil {
			return b[:start], err
		}
		prev = e.Type
	}
	return b, nil
}

// gather reads a list into pairs that alias it, in the order of their types.
func gather(list []kvp, form PropertyForm, raw []byte) ([]kvp, error) {
	in := kvpReader{absolute: form.Absolute}
	in.r.Reset(form.Kind, raw)
	for in.more() {
		e, err := in.next()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	if form.Absolute {
		slices.SortStableFunc(list, func(a, b kvp) int { return cmp.Compare(a.Type, b.Type) })
	}
	return list, nil
}

// HasImmutable reports whether a list that was checked before has
// IMMUTABLE_PROPERTIES.
func HasImmutable(form PropertyForm, raw []byte) bool {
	in := kvpReader{absolute: form.Absolute}
	in.r.Reset(form.Kind, raw)
	for in.more() {
		if e, err := in.next(); err != nil || e.Type == model.PropImmutable {
			return err == nil
		}
	}
	return false
}
