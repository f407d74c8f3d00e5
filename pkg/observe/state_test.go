package observe

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample puts something that is not zero into every field below v, so that nobody
// forgets one. Times are whole seconds; strings say where they are.
func sample(v reflect.Value, name string, next *uint64) {
	*next++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, int(*next%60), 0, time.UTC)))
		return
	case time.Duration:
		v.SetInt(int64(*next) * int64(time.Millisecond))
		return
	case []byte:
		v.SetBytes([]byte(name))
		return
	case DropCounts:
		v.Index(int(*next % uint64(DropReasons))).SetUint(*next)
		return
	case Counts:
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			sample(v.Field(i), strings.ToLower(v.Type().Field(i).Name), next)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		sample(v.Index(0), name, next)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		sample(v.Elem(), name, next)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"name": name}))
	case reflect.String:
		v.SetString(name)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(float64(*next))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*next))
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(*next % 256)
	default:
		panic("no sample of " + v.Type().String())
	}
}

// TestJSON compares the forms in which all of this leaves a relay with files, and
// reads them back.
func TestJSON(t *testing.T) {
	for name, value := range map[string]any{"state": new(State), "track": new(TrackDetail), "event": new(Event)} {
		next := uint64(0)
		sample(reflect.ValueOf(value).Elem(), name, &next)
		got, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(file, append(got, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(bytes.TrimSpace(want)), string(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", file, d)
		}
		back := reflect.New(reflect.TypeOf(value).Elem()).Interface()
		if err := json.Unmarshal(got, back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(value, back); d != "" {
			t.Errorf("%s: read back (-want +got):\n%s", name, d)
		}
		durations(t, reflect.TypeOf(value).Elem())
	}
}

// durations checks that each field of a time.Duration says that it is nanoseconds.
func durations(t *testing.T, typ reflect.Type) {
	switch typ.Kind() {
	case reflect.Slice, reflect.Pointer:
		durations(t, typ.Elem())
	case reflect.Struct:
		for f := range typ.Fields() {
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case !f.IsExported() || f.Anonymous:
			case tag == "":
				t.Errorf("%v.%s has no name in JSON", typ, f.Name)
			case (f.Type == reflect.TypeFor[time.Duration]()) != strings.HasSuffix(tag, "_ns"):
				t.Errorf("%v.%s is a %v and is called %s", typ, f.Name, f.Type, tag)
			}
			if f.Type != reflect.TypeFor[time.Time]() {
				durations(t, f.Type)
			}
		}
	}
}

func TestUnknownIsLeftOut(t *testing.T) {
	b, err := json.Marshal(TrackState{})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"began", "newest"} {
		if v, ok := got[name]; ok {
			t.Errorf("%s is %v", name, v)
		}
	}
	if v, ok := got["largest"]; !ok || v != nil {
		t.Errorf("largest is %v", v)
	}
}

func TestDropCountsInJSON(t *testing.T) {
	for _, row := range []struct {
		c    DropCounts
		text string
	}{
		{DropCounts{}, `{}`},
		{DropCounts{DropTimeout: 3}, `{"timeout":3}`},
		{DropCounts{DropTimeout: 1<<64 - 1, DropPurged: 2}, `{"timeout":18446744073709551615,"purged":2}`},
	} {
		b, err := json.Marshal(row.c)
		if err != nil || string(b) != row.text {
			t.Errorf("%v is written as %s, %v", row.c, b, err)
		}
		c := DropCounts{DropEvicted: 9}
		if err := json.Unmarshal(b, &c); err != nil || c != row.c {
			t.Errorf("%s is read as %v, %v", b, c, err)
		}
	}
	c := DropCounts{DropEvicted: 9}
	if err := json.Unmarshal([]byte(`{"torn":1,"a reason of tomorrow":2}`), &c); err != nil || c != (DropCounts{DropTorn: 1}) {
		t.Errorf("%v, %v", c, err)
	}
	if err := json.Unmarshal([]byte(`null`), &c); err != nil || c != (DropCounts{}) {
		t.Errorf("null is %v, %v", c, err)
	}
	if err := json.Unmarshal([]byte(`[1,2]`), &c); err == nil {
		t.Error("a list is taken")
	}
	c = DropCounts{DropTorn: 1}
	c.Merge(DropCounts{DropTorn: 2, DropEvicted: 3})
	if d := cmp.Diff(DropCounts{DropTorn: 3, DropEvicted: 3}, c, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

func TestEveryDropReasonHasALabel(t *testing.T) {
	seen := map[string]bool{}
	for r := range DropReason(DropReasons) {
		l := r.Label()
		if l == "" || seen[l] || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz_") != "" {
			t.Errorf("reason %v has label %q", r, l)
		}
		seen[l] = true
	}
	if l := DropReason(200).Label(); l != "unknown" {
		t.Errorf("label %q", l)
	}
}

func TestLoss(t *testing.T) {
	if l := (LinkQuality{}).Loss(); l != 0 {
		t.Errorf("of nothing: %v", l)
	}
	if l := (LinkQuality{PacketsSent: 8, PacketsLost: 2}).Loss(); l != 0.25 {
		t.Errorf("%v", l)
	}
}

func TestTotalsAdd(t *testing.T) {
	var got Totals
	one := SessionSnapshot{ObjectsIn: 1, BytesIn: 2, ObjectsOut: 3, BytesOut: 4, RequestsIn: 5, RequestsOut: 6, Refused: 7}
	got.Add(one)
	got.Add(one)
	want := Totals{ObjectsIn: 2, BytesIn: 4, ObjectsOut: 6, BytesOut: 8, RequestsIn: 10, RequestsOut: 12, Refused: 14}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestLocationText(t *testing.T) {
	if s := (Location{Group: 1<<64 - 1, Object: 7}).String(); s != "18446744073709551615/7" {
		t.Error(s)
	}
}
