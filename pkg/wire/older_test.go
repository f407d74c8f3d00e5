package wire

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

func TestFetchStreamsOfOlderDrafts(t *testing.T) {
	for _, r := range olderFetchRows {
		t.Run(r.draft.String()+" "+r.name, func(t *testing.T) {
			if diff := firstDifference(t, r.wire, r.append(t, r.draft)); diff != "" {
				t.Errorf("append: %s", diff)
			}
			whole := annotated(t, r.wire)
			id, items, err := parseFetchStream(r.draft, r.order, whole)
			if err != nil || id != r.requestID {
				t.Fatalf("parse: Request ID %d, %v", id, err)
			}
			if diff := cmp.Diff(r.items, items, comparePayloads); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			for n := range whole {
				_, items, err := parseFetchStream(r.draft, r.order, whole[:n])
				if err != nil && err != varint.ErrTruncated || len(items) > len(r.items) {
					t.Errorf("cut to %d bytes: %d items, %v", n, len(items), err)
				}
			}
		})
	}
}

func TestBadFetchStreamsOfOlderDrafts(t *testing.T) {
	const first16 = "1c 05 0a 80 00  object {5,10}\n"
	const first14 = "05 00 0a 80 00 00 00  object {5,10}\n"
	for _, test := range []struct {
		name  string
		draft model.Draft
		order model.GroupOrder
		items string
		code  model.SessionCode // NoError: malformed
	}{
		{"first object without group", model.Draft16, model.Ascending, "14 0a 80 00", model.ProtocolViolation},
		{"first object with prior priority", model.Draft16, model.Ascending, "0c 05 0a 00", model.ProtocolViolation},
		{"end of timed-out range", model.Draft16, model.Ascending, first16 + "420c 06 00", model.ProtocolViolation},
		{"group against ascending order", model.Draft16, model.Ascending, first16 + "0c 04 00 00", model.NoError},
		{"group against descending order", model.Draft16, model.Descending, first16 + "0c 06 00 00", model.NoError},
		{"the same object", model.Draft16, model.Ascending, first16 + "04 0a 00", model.NoError},
		{"an earlier object", model.Draft16, model.Descending, first16 + "04 09 00", model.NoError},
		{"object gap before object 0", model.Draft16, model.Ascending, "3c 05 0a 80 02 3e 0b 00", model.NoError},
		{"the same object", model.Draft14, model.Ascending, first14 + "05 00 0a 80 00 00 00", model.NoError},
		{"group against ascending order", model.Draft14, model.Ascending, first14 + "04 00 0a 80 00 00 00", model.NoError},
		{"status 2", model.Draft14, model.Ascending, "05 00 0a 80 00 00 02", model.ProtocolViolation},
		{"properties of what does not exist", model.Draft14, model.Ascending, "05 00 0a 80 02 02 01 00 01", model.ProtocolViolation},
		{"group gap before group 0", model.Draft14, model.Ascending, "05 00 0a 80 02 3c 06 00 00", model.NoError},
	} {
		t.Run(test.draft.String()+" "+test.name, func(t *testing.T) {
			_, items, err := parseFetchStream(test.draft, test.order, annotated(t, "05 04  FETCH_HEADER\n"+test.items))
			pe, ok := errors.AsType[*ParseError](err)
			if !ok {
				t.Fatalf("got %+v and %v, want a ParseError", items, err)
			}
			if pe.Code != test.code || pe.Malformed != (test.code == model.NoError) {
				t.Errorf("%v: code %v, malformed %v; want %v", err, pe.Code, pe.Malformed, test.code)
			}
		})
	}
}

func TestFetchItemsThatOlderDraftsCannotSay(t *testing.T) {
	huge := object(1<<62, 0, 0, 1, 0)
	for _, d := range []model.Draft{model.Draft14, model.Draft16} {
		if _, err := NewFetchEncoder(d, model.Ascending).Append(nil, huge); !errors.Is(err, varint.ErrTooLarge) {
			t.Errorf("draft %v: group 2^62: %v", d, err)
		}
		b, err := NewFetchEncoder(d, model.Ascending).Append([]byte{1}, endAt(FetchEndUnknown, 1, 1))
		if d == model.Draft14 && (!errors.Is(err, ErrUnknownRange) || len(b) != 1) || d == model.Draft16 && err != nil {
			t.Errorf("draft %v: end of unknown range: %x, %v", d, b, err)
		}
	}
	// What does not exist is an object in draft 14, and a datagram's subgroup is its ID.
	e := NewFetchEncoder(model.Draft14, model.Ascending)
	b, err := e.Append(nil, endAt(FetchEndNonExistent, 5, 3))
	if err == nil {
		b, err = e.Append(b, FetchItem{Location: model.Location{Group: 5, Object: 4}, Datagram: true, Priority: 7})
	}
	if want := []byte{5, 0, 3, 0, 0, 0, 1, 5, 4, 4, 7, 0, 0, 0}; err != nil || !slices.Equal(b, want) {
		t.Errorf("%x, %v; want %x", b, err, want)
	}
	if FetchSaysDatagram(model.Draft14) || FetchMayBeEmpty(model.Draft14) || !FetchSaysDatagram(model.Draft16) || !FetchMayBeEmpty(model.Draft16) {
		t.Error("drafts 14 and 16 do not differ in what fetch streams say")
	}
	if TellsFirstObject(model.Draft16) || !TellsFirstObject(model.Draft18) || HasDefaultPriority(model.Draft14) || !HasDefaultPriority(model.Draft16) {
		t.Error("what headers say is not what their bits are")
	}
}

// TestStatusesByDraft: draft 14 has a marker for what does not exist, and lets
// the other markers have properties.
func TestStatusesByDraft(t *testing.T) {
	props := []byte{0x02, 0x01}
	for _, test := range []struct {
		status         model.ObjectStatus
		props          []byte
		in14, in16, ok bool
	}{
		{model.StatusNormal, props, true, true, true},
		{model.StatusDoesNotExist, nil, true, false, true},
		{model.StatusDoesNotExist, props, false, false, true},
		{model.StatusEndOfGroup, nil, true, true, true},
		{model.StatusEndOfGroup, props, true, false, true},
		{model.StatusEndOfTrack, props, true, false, true},
		{2, nil, false, false, true},
	} {
		for d, want := range map[model.Draft]bool{model.Draft14: test.in14, model.Draft16: test.in16, model.Draft18: test.in16} {
			form := FormOf(d, true)
			b := form.Kind.Append([]byte{4}, uint64(len(test.props)))
			b = append(append(b, test.props...), 0, byte(test.status))
			h, err := form.ParseObject(model.Opt[uint64]{}, varint.NewReader(form.Kind, b))
			if (err == nil) != want {
				t.Errorf("draft %v, status %v with properties %x: %v", d, test.status, test.props, err)
			}
			if err == nil && (h.Status != test.status || !slices.Equal(h.Properties, test.props)) {
				t.Errorf("draft %v: read as %+v", d, h)
			}
			typ := byte(datagramStatus)
			b = []byte{typ, 1, 2, 4, 0}
			if len(test.props) > 0 {
				b = append([]byte{typ | datagramProperties, 1, 2, 4, 0, byte(len(test.props))}, test.props...)
			}
			b = append(b, byte(test.status))
			g, _, err := ParseDatagram(d, b)
			if (err == nil) != want {
				t.Errorf("draft %v, datagram with status %v and properties %x: %v", d, test.status, test.props, err)
			}
			if err == nil && !slices.Equal(g.Append(nil, d), b) {
				t.Errorf("draft %v: %x is written again as %x", d, b, g.Append(nil, d))
			}
		}
	}
}

// TestTranslateObjectProperties between all forms; what is inside
// IMMUTABLE_PROPERTIES is written anew too.
func TestTranslateObjectProperties(t *testing.T) {
	all := model.Properties{
		{Type: 0x06, Int: 200}, {Type: model.PropImmutable, Bytes: []byte{0x04, 0x80, 0xc8, 0x05, 0x01, 0x78}},
		{Type: 0x0D, Bytes: []byte("odd")}, {Type: model.PropPriorObjectIDGap, Int: 3}, {Type: 0x3801, Bytes: make([]byte, 300)},
	}
	forms := []PropertyForm{PropertyFormOf(model.Draft14), PropertyFormOf(model.Draft16), form18}
	for _, from := range forms {
		raw, err := AppendProperties(nil, from, all)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range forms {
			want, err := AppendProperties([]byte("before"), to, all)
			if err != nil {
				t.Fatal(err)
			}
			got, err := TranslateObjectProperties([]byte("before"), from, to, raw)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%+v to %+v: %x, %v; want %x", from, to, got, err, want)
			}
			if !HasImmutable(from, raw) {
				t.Errorf("%+v: the immutable properties are not seen", from)
			}
			buf := make([]byte, 0, 1024)
			if n := testing.AllocsPerRun(10, func() { _, _ = TranslateObjectProperties(buf, from, to, raw) }); n != 0 {
				t.Errorf("%+v to %+v allocates %v times", from, to, n)
			}
		}
	}
	if HasImmutable(form18, []byte{0x06, 0x01}) || HasImmutable(form18, nil) {
		t.Error("immutable properties where none are")
	}
}

func TestObjectPropertiesThatCannotBeTranslated(t *testing.T) {
	form14, form16 := PropertyFormOf(model.Draft14), PropertyFormOf(model.Draft16)
	nested := func(form PropertyForm, p model.Property) []byte {
		inside, err := AppendProperties(nil, form, model.Properties{p})
		if err != nil {
			t.Fatal(err)
		}
		return append(form.Kind.Append([]byte{byte(model.PropImmutable)}, uint64(len(inside))), inside...)
	}
	large := model.Property{Type: 6, Int: 1 << 62}
	tooLarge, err := AppendProperties(nil, form18, model.Properties{large})
	if err != nil {
		t.Fatal(err)
	}
	mandatory := model.Property{Type: model.PropMandatoryFirst, Int: 1}
	theirs, err := AppendProperties(nil, form16, model.Properties{mandatory})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		from, to PropertyForm
		raw      []byte
	}{
		{"an integer beyond 2^62", form18, form16, tooLarge},
		{"one inside", form18, form14, nested(form18, large)},
		{"a type that draft 18 keeps for tracks", form16, form18, theirs},
		{"one inside", form16, form18, nested(form16, mandatory)},
		{"no list", form16, form14, []byte{0x06}},
		{"no list inside", form16, form14, []byte{0x0b, 0x01, 0x06}},
	} {
		b, err := TranslateObjectProperties([]byte{9}, test.from, test.to, test.raw)
		if err == nil || !slices.Equal(b, []byte{9}) {
			t.Errorf("%s: %x, %v", test.name, b, err)
		}
	}
	// Up to draft 16 the type is like any other.
	if _, err := TranslateObjectProperties(nil, form16, form14, theirs); err != nil {
		t.Errorf("from draft 16 to 14: %v", err)
	}
}

// TestTrackPropertiesOfOlderDrafts: what cannot be said is left out, unless the
// track cannot be read without it.
func TestTrackPropertiesOfOlderDrafts(t *testing.T) {
	immutable := model.Property{Type: model.PropImmutable, Bytes: []byte{0x04, 0x80, 0xc8}}
	given := model.Properties{
		{Type: model.PropObjectDeliveryTimeout}, {Type: model.PropMaxCacheDuration, Int: 1 << 62}, immutable,
		{Type: model.PropDefaultPriority, Int: 9}, {Type: 1 << 62, Int: 1},
	}
	want := model.Properties{immutable, {Type: model.PropDefaultPriority, Int: 9}}
	e := encoder{kind: varint.QUIC, ctx: Context{Draft: model.Draft16}}
	if e.properties(given); e.err != nil {
		t.Fatal(e.err)
	}
	if diff := firstDifference(t, "0b 03 0440c8  IMMUTABLE_PROPERTIES\n03 09  DEFAULT_PUBLISHER_PRIORITY", e.b); diff != "" {
		t.Error(diff)
	}
	got, err := ParseProperties(PropertyFormOf(model.Draft16), TrackProperties, e.b)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if e.properties(model.Properties{{Type: model.PropMandatoryFirst, Int: 1 << 62}}); e.err == nil {
		t.Error("a mandatory property is left out")
	}
	if err := CheckProperties(PropertyFormOf(model.Draft16), TrackProperties, []byte{0x02, 0x00}); err == nil {
		t.Error("a delivery timeout of 0 is accepted in draft 16")
	}
}

// TestOptionsAreNotProperties: what an option's value is, the transport does not
// know.
func TestOptionsAreNotProperties(t *testing.T) {
	e := encoder{kind: varint.QUIC, ctx: Context{Draft: model.Draft16}}
	e.keyValues(model.Properties{{Type: model.PropImmutable, Bytes: []byte{0xff}}})
	if e.err != nil || !slices.Equal(e.b, []byte{0x0b, 0x01, 0xff}) {
		t.Errorf("%x, %v", e.b, e.err)
	}
}
