package flv

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"

	"oxymoq/internal/testkit"
)

var scriptRows = []struct {
	name     string
	wire     string
	value    any
	readOnly bool
	open     bool // it is also read without its end
}{
	{name: "number", wire: "00 4045000000000000 // 42", value: 42.0},
	{name: "true", wire: "01 01", value: true},
	{name: "false", wire: "01 00", value: false},
	{name: "string", wire: "02 0002 6869", value: "hi"},
	{name: "empty string", wire: "02 0000", value: ""},
	{name: "null", wire: "05", value: nil},
	{name: "undefined", wire: "06", value: Undefined{}},
	{name: "unsupported", wire: "0d", value: Undefined{}, readOnly: true},
	{name: "date", wire: "0b 4045000000000000 ffc4 // 42 ms, -60 min", value: Date{Millis: 42, Zone: -60}},
	{name: "object", wire: `
		03                    // object
		0001 62  05           // b: null
		0001 61  01 01        // a: true
		0000 09               // end`,
		value: Object{{"b", nil}, {"a", true}}},
	{name: "empty object", wire: "03 0000 09", value: Object{}},
	{name: "ECMA array", wire: `
		08 00000001           // of one
		0005 7769647468 00 4074000000000000 // width: 320
		0000 09               // end`,
		value: Array{{"width", 320.0}}, open: true},
	{name: "ECMA array of wrong length", wire: "08 00000000 0001 61 05 0000 09", readOnly: true, open: true,
		value: Array{{"a", nil}}},
	{name: "ECMA array without end", wire: "08 00000001 0001 61 05", readOnly: true,
		value: Array{{"a", nil}}},
	{name: "strict array", wire: "0a 00000002 05 0a 00000000", value: []any{nil, []any{}}},
	{name: "object of a class", wire: "10 0001 43 0001 61 05 0000 09", readOnly: true,
		value: Object{{"a", nil}}},
	{name: "long string", wire: "0c 00000002 6869", readOnly: true, value: "hi"},
	{name: "XML", wire: "0f 00000004 3c612f3e", readOnly: true, value: "<a/>"},
	{name: "objects in arrays", wire: "0a 00000001 03 0001 61 08 00000000 0000 09 0000 09",
		value: []any{Object{{"a", Array{}}}}},
}

func TestScript(t *testing.T) {
	for _, row := range scriptRows {
		t.Run(row.name, func(t *testing.T) {
			b := append(annotated(t, "02 0001 78"), annotated(t, row.wire)...)
			name, value, err := ParseScript(b)
			testkit.NoErr(t, err)
			testkit.Equal(t, name, "x")
			testkit.Equal(t, value, row.value)
			if !row.readOnly {
				testkit.Equal(t, testkit.Must(AppendScript(nil, "x", row.value))(t), b)
			}
			for n := range b {
				if _, _, err := ParseScript(b[:n]); err == nil && !row.open {
					t.Errorf("%d of %d bytes are read", n, len(b))
				}
			}
		})
	}
}

func TestScriptThatIsRefused(t *testing.T) {
	deep := strings.Repeat("0a 00000001 ", MaxScriptDepth+1) + "05"
	many := "0a 00010000 " + strings.Repeat("05", MaxScriptValues)
	for _, row := range []struct{ name, wire, want string }{
		{"nothing", "", "FLV: byte 0: 0 bytes are left for the type of the name, must be 1"},
		{"no name", "00 4045000000000000", "FLV: byte 0: the name has type 0, must be a string"},
		{"no value", "02 0001 78", "FLV: byte 4: 0 bytes are left for the type of a value, must be 1"},
		{"reference", "02 0000 07 0000", "FLV: a reference in a tag of script is not supported"},
		{"AMF 3", "02 0000 11 01", "FLV: AMF 3 in a tag of script is not supported"},
		{"movie clip", "02 0000 04", "FLV: byte 3: values of type 4 are not defined"},
		{"end without object", "02 0000 09", "FLV: byte 3: values of type 9 are not defined"},
		{"property without name", "02 0000 03 0000 05", "FLV: byte 4: a property has no name"},
		{"long string that is too long", "02 0000 0c 01000000", "FLV: byte 8: a string of 16777216 bytes does not fit in a tag"},
		{"array that claims the most", "02 0000 0a ffffffff 05", "FLV: byte 9: 0 bytes are left for the type of a value, must be 1"},
		{"too deep", "02 0000 " + deep, "FLV: byte 88: values are more than 16 deep in one another"},
		{"too many", "02 0000 " + many, "FLV: byte 65543: there are more than 65536 values"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, value, err := ParseScript(annotated(t, row.wire))
			if err == nil {
				t.Fatalf("it was read as %v", value)
			}
			testkit.Equal(t, err.Error(), row.want)
		})
	}
}

// TestScriptLimits: what is just within them is written and read.
func TestScriptLimits(t *testing.T) {
	deep, many := any(nil), make([]any, MaxScriptValues-1)
	for range MaxScriptDepth {
		deep = []any{deep}
	}
	for name, value := range map[string]any{"deep": deep, "many": many, "long": strings.Repeat("x", 1<<16)} {
		_, got, err := ParseScript(testkit.Must(AppendScript(nil, name, value))(t))
		testkit.NoErr(t, err)
		if !reflect.DeepEqual(got, value) {
			t.Errorf("%s is read otherwise than written", name)
		}
	}
	for name, value := range map[string]any{
		"too deep": []any{deep}, "too many": append(many, nil), "too long": strings.Repeat("x", MaxTagData+1),
		"name too long": Object{{strings.Repeat("x", 1<<16), nil}}, "no name": Array{{"", nil}},
		"no type of ours": 42, "nor in an array": []any{struct{}{}}, "nor in an object": Object{{"a", int8(1)}},
	} {
		if b, err := AppendScript([]byte("x"), "y", value); err == nil || string(b) != "x" {
			t.Errorf("%s: error %v, %d bytes", name, err, len(b))
		}
	}
	if _, err := AppendScript(nil, strings.Repeat("x", 1<<16), nil); err == nil {
		t.Error("a name of 65536 bytes is written")
	}
}

func TestMetadata(t *testing.T) {
	var m Metadata
	m.Set("duration", 1.5)
	m.Set("encoder", "oxymoq")
	m.Set("duration", 2.5)
	b := testkit.Must(AppendMetadata(nil, m))(t)
	got, ok, err := ParseMetadata(b)
	testkit.NoErr(t, err)
	if !ok {
		t.Fatal("it is no onMetaData")
	}
	testkit.Equal(t, got, Metadata{{"duration", 2.5}, {"encoder", "oxymoq"}})
	testkit.Equal(t, got.Number("duration"), 2.5)
	testkit.Equal(t, got.Number("encoder"), 0.0)
	testkit.Equal(t, got.Get("width"), nil)

	recorded := append(annotated(t, "02 000d 40736574446174614672616d65"), b...)
	got, _, err = ParseMetadata(recorded)
	testkit.NoErr(t, err)
	testkit.Equal(t, got, m)

	object := testkit.Must(AppendScript(nil, "onMetaData", Object{{"a", nil}}))(t)
	got, ok, err = ParseMetadata(object)
	testkit.NoErr(t, err)
	if !ok || len(got) != 1 {
		t.Errorf("an object as metadata is %v, %v", got, ok)
	}

	cue := testkit.Must(AppendScript(nil, "onCuePoint", nil))(t)
	if _, ok, err := ParseMetadata(cue); ok || err != nil {
		t.Errorf("onCuePoint: %v, error %v", ok, err)
	}
	none := testkit.Must(AppendScript(nil, "onMetaData", true))(t)
	_, _, err = ParseMetadata(none)
	testkit.ErrAs[*FormatError](t, err)
	_, _, err = ParseMetadata(nil)
	testkit.ErrAs[*FormatError](t, err)
}

// TestMetadataIsAsLongAsBefore: its numbers can be written again in their place.
func TestMetadataIsAsLongAsBefore(t *testing.T) {
	m := Metadata{{"duration", 0.0}, {"filesize", 0.0}}
	before := testkit.Must(AppendMetadata(nil, m))(t)
	m.Set("duration", 12345.678)
	m.Set("filesize", float64(1<<40))
	after := testkit.Must(AppendMetadata(nil, m))(t)
	testkit.Equal(t, len(after), len(before))
	if bytes.Equal(before, after) || binary.BigEndian.Uint32(after[14:]) != 2 {
		t.Errorf("% x", after)
	}
}
