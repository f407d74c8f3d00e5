package hall

import (
	"errors"
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
	"oxymoq/pkg/varint"
	"oxymoq/pkg/wire"
)

// form makes the object headers of package wire a Form of the log. It is
// comparable, as Forms must be.
type form struct{ wire.ObjectForm }

// FormOf returns the form of the objects of a draft, with or without lists of
// properties.
func FormOf(d model.Draft, properties bool) track.Form { return form{wire.FormOf(d, properties)} }

// Native is the form of objects that are made here, for no peer in particular.
func Native(properties bool) track.Form { return FormOf(session.Primary, properties) }

// errNoProperties refuses properties on a stream whose header denies them.
var errNoProperties = errors.New("the stream has no room for properties")

// AppendObject writes a header; properties that come from another form are
// written anew. Markers of draft 14 may have properties, those of others not,
// which lose them.
func (f form) AppendObject(b []byte, prev model.Opt[uint64], h track.ObjectHeader) ([]byte, error) {
	w := wire.ObjectHeader{ID: h.ID, Properties: h.Properties, PayloadLen: h.PayloadLen, Status: h.Status}
	if !f.Fits(w) {
		return b, fmt.Errorf("object %d: %w", h.ID, varint.ErrTooLarge)
	}
	from, translate := f.foreign(h.From)
	if translate && h.Status != model.StatusNormal {
		w.Properties = nil
	}
	switch {
	case len(w.Properties) == 0:
	case !f.ObjectForm.Properties:
		return b, errNoProperties
	case translate:
		return f.AppendTranslated(b, prev, w, from)
	}
	return f.ObjectForm.AppendObject(b, prev, w), nil
}

// foreign returns the form of properties that are to be put into f, and whether
// they need it.
func (f form) foreign(from track.Form) (wire.PropertyForm, bool) {
	in, ok := from.(form)
	return in.PropertyForm, ok && in.PropertyForm != f.PropertyForm
}

// properties returns a list as f has it, as AppendObject; where that differs from
// what it is in, it is written to buf.
func (f form) properties(buf []byte, from track.Form, raw []byte, s model.ObjectStatus) ([]byte, error) {
	in, translate := f.foreign(from)
	if len(raw) == 0 || !translate {
		return raw, nil
	}
	if s != model.StatusNormal {
		return nil, nil
	}
	return wire.TranslateObjectProperties(buf, in, f.PropertyForm, raw)
}

// Properties finds the list in a header that AppendObject wrote.
func (f form) Properties(header []byte) []byte {
	if !f.ObjectForm.Properties {
		return nil
	}
	var r varint.Reader
	r.Reset(f.Kind, header)
	r.Uint() // the object's ID
	return r.Bytes(r.Uint())
}

// header shows a header that came from a session to the log. Gaps before it are
// checked here, because the parser of the stream does not know the group.
func header(h wire.ObjectHeader, f wire.ObjectForm, group uint64) (track.ObjectHeader, error) {
	out := track.ObjectHeader{ID: h.ID, Properties: h.Properties, From: form{f}, PayloadLen: h.PayloadLen, Status: h.Status}
	if len(h.Properties) == 0 {
		return out, nil
	}
	out.Immutable = wire.HasImmutable(f.PropertyForm, h.Properties)
	gaps := wire.ParsePriorGaps(f.PropertyForm, h.Properties)
	if err := gaps.Check(model.Location{Group: group, Object: h.ID}); err != nil {
		return out, err
	}
	out.PriorGroupGap, out.PriorObjectGap = gaps.Groups.Or(0), gaps.Objects.Or(0)
	return out, nil
}

// EncodeProperties writes a list as the form has it; nil for an empty one.
func EncodeProperties(f track.Form, list model.Properties) ([]byte, error) {
	if len(list) == 0 {
		return nil, nil
	}
	return wire.AppendProperties(nil, f.(form).PropertyForm, list)
}

// DecodeProperties reads what EncodeProperties, or a peer whose objects have the
// form, wrote about an object. The result does not alias raw.
func DecodeProperties(f track.Form, raw []byte) (model.Properties, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	return wire.ParseProperties(f.(form).PropertyForm, wire.ObjectProperties, raw)
}
