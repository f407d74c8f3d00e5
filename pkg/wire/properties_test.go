package wire

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

var form18 = PropertyFormOf(model.Draft18)

var everyKindOfProperty = model.Properties{
	{Type: 0x06, Int: 200}, {Type: 0x0B, Bytes: []byte{0x40, 0x80, 0x05}}, {Type: 0x0D}, {Type: 0x40, Int: 1 << 20}, {Type: 0x40, Int: 3}, {Type: 0x79, Bytes: []byte("x")},
}

func TestPropertiesBothWays(t *testing.T) {
	for _, test := range []struct {
		name string
		form PropertyForm
		wire string
	}{
		{"deltas and integers of MoQT", PropertyForm{Kind: varint.MoQ}, `
			06 80c8  0x06
			05 03 408005  IMMUTABLE_PROPERTIES
			02 00  0x0D
			33 d00000  0x40
			00 03  0x40
			39 01 78  0x79`},
		{"deltas and integers of QUIC", PropertyForm{Kind: varint.QUIC}, `
			06 40c8  0x06
			05 03 404005  IMMUTABLE_PROPERTIES, with the integers of QUIC
			02 00  0x0D
			33 80100000  0x40
			00 03  0x40
			39 01 78  0x79`},
		{"whole types and integers of QUIC", PropertyForm{Kind: varint.QUIC, Absolute: true}, `
			06 40c8  0x06
			0b 03 404005  IMMUTABLE_PROPERTIES, with the integers of QUIC
			0d 00  0x0D
			4040 80100000  0x40
			4040 03  0x40
			4079 01 78  0x79`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := AppendProperties(nil, test.form, everyKindOfProperty)
			if err != nil {
				t.Fatal(err)
			}
			if diff := firstDifference(t, test.wire, b); diff != "" {
				t.Errorf("append: %s\n got %x", diff, b)
			}
			p, err := ParseProperties(test.form, ObjectProperties, b)
			if err != nil {
				t.Fatalf("parse: %v", err)
			}
			want := slices.Clone(everyKindOfProperty)
			if test.form != insideForm { // read in the shortest form of what the reader knows
				want[1].Bytes = []byte{0x40, 0x05}
			}
			if diff := cmp.Diff(want, p); diff != "" {
				t.Errorf("parse (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPropertiesThatCannotBeSent(t *testing.T) {
	for name, p := range map[string]model.Properties{
		"out of order":            {{Type: 4}, {Type: 2}},
		"a type beyond 2^62":      {{Type: 1 << 62}},
		"an integer beyond 2^62":  {{Type: 2, Int: 1 << 62}},
		"a value of 65,536 bytes": {{Type: 0x41, Bytes: make([]byte, MaxPropertyLen+1)}},
	} {
		before := []byte{1}
		b, err := AppendProperties(before, PropertyFormOf(model.Draft16), append(model.Properties{{Type: 0}}, p...))
		if err == nil || !slices.Equal(b, before) {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
	if _, err := AppendProperties(nil, form18, model.Properties{{Type: 1<<64 - 2, Int: 1<<64 - 1}}); err != nil {
		t.Errorf("the largest property in MoQT's integers: %v", err)
	}
}

// What a property means depends on what it describes.
func TestScopeDecidesWhatIsChecked(t *testing.T) {
	for _, test := range []struct {
		name          string
		raw           []byte
		track, object bool // legal
	}{
		{"priority 256", []byte{0x0e, 0x81, 0x00}, false, true},
		{"group order 3", []byte{0x22, 0x03}, false, true},
		{"dynamic groups 2", []byte{0x30, 0x02}, false, true},
		{"mandatory property", []byte{0xc0, 0x40, 0x00, 0x01}, true, false},
		{"the largest mandatory property", []byte{0xc0, 0x7f, 0xff, 0x00}, true, false},
		{"behind the mandatory ones", []byte{0xc0, 0x80, 0x00, 0x00}, true, true},
		{"gap twice", []byte{0x3c, 0x01, 0x00, 0x01}, true, false},
		{"immutable twice", []byte{0x0b, 0x00, 0x00, 0x00}, true, false},
		{"immutable inside immutable", []byte{0x0b, 0x02, 0x0b, 0x00}, false, false},
	} {
		for scope, want := range map[PropertyScope]bool{TrackProperties: test.track, ObjectProperties: test.object} {
			if err := CheckProperties(form18, scope, test.raw); (err == nil) != want {
				t.Errorf("%s in scope %d: %v", test.name, scope, err)
			}
		}
	}
}

func TestPriorGaps(t *testing.T) {
	at := func(group, object uint64) model.Location { return model.Location{Group: group, Object: object} }
	for name, test := range map[string]struct {
		raw       []byte
		want      PriorGaps
		good, bad []model.Location
	}{
		"none":             {nil, PriorGaps{}, []model.Location{at(0, 0)}, nil},
		"both":             {[]byte{0x3c, 0x02, 0x02, 0x03}, PriorGaps{model.Some[uint64](2), model.Some[uint64](3)}, []model.Location{at(2, 3)}, []model.Location{at(1, 3), at(2, 2)}},
		"inside immutable": {[]byte{0x0b, 0x02, 0x3e, 0x01}, PriorGaps{Objects: model.Some[uint64](1)}, []model.Location{at(0, 1)}, []model.Location{at(9, 0)}},
	} {
		got := ParsePriorGaps(form18, test.raw)
		if got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
		for _, l := range test.good {
			if err := got.Check(l); err != nil {
				t.Errorf("%s at %v: %v", name, l, err)
			}
		}
		for _, l := range test.bad {
			if pe, ok := errors.AsType[*ParseError](got.Check(l)); !ok || !pe.Malformed {
				t.Errorf("%s at %v is not malformed: %v", name, l, pe)
			}
		}
	}
}
