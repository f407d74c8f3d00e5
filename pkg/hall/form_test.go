package hall

import (
	"bytes"
	"errors"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/track"
	"oxymoq/pkg/varint"
	"oxymoq/pkg/wire"
)

// list is a list of properties in a form.
func list(t *testing.T, f wire.PropertyForm, p ...model.Property) []byte {
	t.Helper()
	return testkit.Must(wire.AppendProperties(nil, f, p))(t)
}

var form18 = wire.PropertyFormOf(model.Draft18)

// TestFormsAreComparable: the log takes objects of equal forms as they are.
func TestFormsAreComparable(t *testing.T) {
	if FormOf(model.Draft18, true) != Native(true) || FormOf(model.Draft18, true) == FormOf(model.Draft18, false) {
		t.Error("forms of equal bytes differ, or others do not")
	}
}

func TestFormWritesWhatItsDraftDoes(t *testing.T) {
	props := list(t, form18, model.Property{Type: 6, Int: 1 << 40})
	for _, tt := range []struct {
		name string
		form track.Form
		prev model.Opt[uint64]
		h    track.ObjectHeader
		want []byte
	}{
		{"first", Native(false), model.Opt[uint64]{}, track.ObjectHeader{ID: 5, PayloadLen: 3}, []byte{5, 3}},
		{"next", Native(false), model.Some(uint64(5)), track.ObjectHeader{ID: 6, PayloadLen: 3}, []byte{0, 3}},
		{"after a gap", Native(false), model.Some(uint64(5)), track.ObjectHeader{ID: 16, PayloadLen: 3}, []byte{10, 3}},
		{"empty", Native(false), model.Opt[uint64]{}, track.ObjectHeader{}, []byte{0, 0, 0}},
		{"marker", Native(false), model.Opt[uint64]{}, track.ObjectHeader{ID: 1, Status: model.StatusEndOfGroup}, []byte{1, 0, 3}},
		{"no properties", Native(true), model.Opt[uint64]{}, track.ObjectHeader{ID: 1, PayloadLen: 1}, []byte{1, 0, 1}},
		{"properties", Native(true), model.Opt[uint64]{}, track.ObjectHeader{ID: 1, PayloadLen: 1, Properties: props, From: Native(true)},
			append(append([]byte{1, byte(len(props))}, props...), 1)},
	} {
		b := testkit.Must(tt.form.AppendObject([]byte("before"), tt.prev, tt.h))(t)
		if !bytes.Equal(b, append([]byte("before"), tt.want...)) {
			t.Errorf("%s: wrote %x, want %x", tt.name, b[6:], tt.want)
		}
		if got := tt.form.Properties(b[6:]); !bytes.Equal(got, tt.h.Properties) {
			t.Errorf("%s: found the properties %x, want %x", tt.name, got, tt.h.Properties)
		}
	}
}

// TestFormTranslates properties that came with integers of another kind.
func TestFormTranslates(t *testing.T) {
	some := []model.Property{{Type: 6, Int: 1000}, {Type: 0x3801, Bytes: []byte("x")}}
	old, now := FormOf(model.Draft16, true), FormOf(model.Draft18, true)
	oldBytes, nowBytes := list(t, wire.PropertyFormOf(model.Draft16), some...), list(t, form18, some...)
	if bytes.Equal(oldBytes, nowBytes) {
		t.Fatal("the test proves nothing")
	}
	h := track.ObjectHeader{ID: 1, PayloadLen: 1, Properties: oldBytes, From: old}
	b := testkit.Must(now.AppendObject(nil, model.Opt[uint64]{}, h))(t)
	if got := now.Properties(b); !bytes.Equal(got, nowBytes) {
		t.Errorf("wrote %x, want %x", got, nowBytes)
	}
}

// TestMarkersLoseTheirProperties where a draft does not let them have any.
func TestMarkersLoseTheirProperties(t *testing.T) {
	from := FormOf(model.Draft14, true)
	h := track.ObjectHeader{ID: 1, Properties: []byte{0x06, 0x01}, From: from, Status: model.StatusEndOfGroup}
	for d, want := range map[model.Draft][]byte{model.Draft14: {1, 2, 6, 1, 0, 3}, model.Draft16: {1, 0, 0, 3}, model.Draft18: {1, 0, 0, 3}} {
		if b := testkit.Must(FormOf(d, true).AppendObject(nil, model.Opt[uint64]{}, h))(t); !bytes.Equal(b, want) {
			t.Errorf("draft %v: wrote %x, want %x", d, b, want)
		}
	}
}

// TestHeaderSeesImmutableProperties, so that nobody rewrites them unawares.
func TestHeaderSeesImmutableProperties(t *testing.T) {
	for _, d := range []model.Draft{model.Draft14, model.Draft16, model.Draft18} {
		f := wire.FormOf(d, true)
		for _, immutable := range []bool{false, true} {
			props := []model.Property{{Type: 0x06, Int: 1}}
			if immutable {
				props = append(props, model.Property{Type: model.PropImmutable, Bytes: []byte{0x04, 0x01}})
			}
			out := testkit.Must(header(wire.ObjectHeader{Properties: list(t, f.PropertyForm, props...)}, f, 0))(t)
			if out.Immutable != immutable {
				t.Errorf("draft %v: immutable %v", d, out.Immutable)
			}
		}
	}
}

func TestFormRefuses(t *testing.T) {
	props := list(t, form18, model.Property{Type: 6, Int: 1})
	if _, err := Native(false).AppendObject(nil, model.Opt[uint64]{}, track.ObjectHeader{Properties: props}); !errors.Is(err, errNoProperties) {
		t.Errorf("properties on a stream without: %v", err)
	}
	large := track.ObjectHeader{ID: 1 << 62}
	if _, err := FormOf(model.Draft16, false).AppendObject(nil, model.Opt[uint64]{}, large); !errors.Is(err, varint.ErrTooLarge) {
		t.Errorf("an ID that the draft cannot write: %v", err)
	}
	bad := track.ObjectHeader{Properties: []byte{0xff}, From: FormOf(model.Draft16, true)}
	if _, err := Native(true).AppendObject(nil, model.Opt[uint64]{}, bad); err == nil {
		t.Error("properties that cannot be read are translated")
	}
	large.Properties = nil
	huge := list(t, form18, model.Property{Type: 6, Int: 1 << 63})
	if _, err := FormOf(model.Draft16, true).AppendObject(nil, model.Opt[uint64]{}, track.ObjectHeader{Properties: huge, From: Native(true)}); err == nil {
		t.Error("a value that the draft cannot write is translated")
	}
}

// TestHeaderLearnsGaps: also from the immutable properties.
func TestHeaderLearnsGaps(t *testing.T) {
	f := wire.FormOf(model.Draft18, true)
	groups := model.Property{Type: model.PropPriorGroupIDGap, Int: 3}
	objects := model.Property{Type: model.PropPriorObjectIDGap, Int: 4}
	nested := model.Property{Type: model.PropImmutable, Bytes: list(t, form18, groups)}
	for _, tt := range []struct {
		name         string
		props        []model.Property
		group, id    uint64
		wantG, wantO uint64
		malformed    bool
	}{
		{name: "none", group: 9, id: 9},
		{name: "groups", props: []model.Property{groups}, group: 9, id: 9, wantG: 3},
		{name: "objects", props: []model.Property{objects}, group: 9, id: 9, wantO: 4},
		{name: "immutable", props: []model.Property{nested, objects}, group: 9, id: 9, wantG: 3, wantO: 4},
		{name: "more groups than there were", props: []model.Property{groups}, group: 2, id: 9, malformed: true},
		{name: "more objects than there were", props: []model.Property{objects}, group: 9, id: 3, malformed: true},
	} {
		out, err := header(wire.ObjectHeader{ID: tt.id, Properties: list(t, form18, tt.props...)}, f, tt.group)
		if bad, ok := errors.AsType[*track.MalformedError](malformed(err, tt.group)); ok != tt.malformed || ok && bad.Location.Group != tt.group {
			t.Errorf("%s: %v", tt.name, err)
		}
		if !tt.malformed && (out.PriorGroupGap != tt.wantG || out.PriorObjectGap != tt.wantO) {
			t.Errorf("%s: gaps of %d groups and %d objects", tt.name, out.PriorGroupGap, out.PriorObjectGap)
		}
	}
}

func TestEncodeProperties(t *testing.T) {
	p := model.Properties{{Type: 6, Int: 1000}}
	if got := testkit.Must(EncodeProperties(Native(true), p))(t); !bytes.Equal(got, list(t, form18, p...)) {
		t.Errorf("wrote %x", got)
	}
	if got := testkit.Must(EncodeProperties(Native(true), nil))(t); got != nil {
		t.Errorf("an empty list is %x", got)
	}
}

func TestDecodeProperties(t *testing.T) {
	props := model.Properties{{Type: 6, Int: 1 << 40}, {Type: 13, Bytes: []byte("bytes")}}
	for _, f := range []track.Form{Native(true), FormOf(model.Draft14, true)} {
		raw := testkit.Must(EncodeProperties(f, props))(t)
		got := testkit.Must(DecodeProperties(f, raw))(t)
		testkit.Equal(t, got, props)
		for i := range raw {
			_, _ = DecodeProperties(f, raw[:i]) // some are lists too, none makes it panic
		}
		if _, err := DecodeProperties(f, raw[:len(raw)-1]); err == nil {
			t.Error("a list that is cut is taken")
		}
	}
	if got, err := DecodeProperties(Native(true), nil); got != nil || err != nil {
		t.Errorf("of nothing: %v, %v", got, err)
	}
}
