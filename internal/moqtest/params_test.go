package moqtest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
)

// TestNamespaces: what is written is read again, for every case.
func TestNamespaces(t *testing.T) {
	for _, suite := range []Suite{Suite50, Suite80} {
		for _, c := range Cases(suite) {
			ns := c.Ask.Params.Namespace()
			if got := testkit.Must(Parse(ns))(t); got != c.Ask.Params {
				t.Errorf("%s: %v is read as %+v, want %+v", c.ID(), ns, got, c.Ask.Params)
			}
			name := c.Ask.name()
			if err := name.Validate(); err != nil {
				t.Errorf("%s: %v", c.ID(), err)
			}
		}
	}
	const want = "moq-test-00/2/10/2/14/18/8/2048/512/50/2/2/1/1/1/0"
	if got := strings.Join(Cases(Suite50)[44].Ask.Params.Namespace(), "/"); got != want {
		t.Errorf("case 45 has the namespace %s, want %s", got, want)
	}
}

// TestEmptyFields: they stand for the defaults of the draft.
func TestEmptyFields(t *testing.T) {
	ns := append(model.Namespace{Protocol}, slices.Repeat([]string{""}, 15)...)
	got := testkit.Must(Parse(ns))(t)
	want := Params{
		Last: model.Location{Group: 1<<62 - 1, Object: 10}, PerGroup: 10, FirstSize: 1024, Size: 100, Interval: time.Second, GroupStep: 1, ObjectStep: 1,
	}
	if got != want || got != Defaults() {
		t.Errorf("got %+v", got)
	}
	ns[6], ns[11], ns[12] = "4", "3", "1"
	if got := testkit.Must(Parse(ns))(t).Last.Object; got != 15 {
		t.Errorf("the last object is %d", got)
	}
}

// with returns the namespace of three groups of six objects with other fields, as
// in "4=2 5=9".
func with(changes string) model.Namespace {
	ns := model.ParseNamespace("moq-test-00/0/0/0/2/5/5/1024/100/50/1/1/0/-1/-1/0", "/")
	for change := range strings.FieldsSeq(changes) {
		at, value, _ := strings.Cut(change, "=")
		ns[len(at)] = value
	}
	return ns
}

// TestNoSuchTrack: field numbers are written as so many dots.
func TestNoSuchTrack(t *testing.T) {
	field := func(n int, value string) string { return strings.Repeat(".", n) + "=" + value }
	for _, tt := range []struct {
		ns   model.Namespace
		want string
	}{
		{nil, "does not begin with moq-test-00"},
		{model.Namespace{"moq-date"}, "does not begin with moq-test-00"},
		{model.Namespace{Protocol}, "1 fields and not 16"},
		{append(with(""), "0"), "17 fields and not 16"},
		{with(field(1, "4")), `field 1 is "4"`},
		{with(field(2, "3")), "the first group, 3, is larger than the last, 2"},
		{with(field(2, "-1")), `field 2 is "-1"`},
		{with(field(3, "6")), "the first object, 6, is larger than the last, 5"},
		{with(field(4, "4611686018427387904")), "field 4 is"},
		{with(field(4, "18446744073709551616")), "field 4 is"},
		{with(field(5, "6")), "the last object, 6, is larger than 5"},
		{with(field(7, "16777217")), "field 7 is"},
		{with(field(8, "x")), `field 8 is "x"`},
		{with(field(9, "86400001")), "field 9 is"},
		{with(field(10, "0")), "an increment is 0"},
		{with(field(11, "0")), "an increment is 0"},
		{with(field(12, "2")), `field 12 is "2"`},
		{with(field(13, "-2")), `field 13 is "-2"`},
		{with(field(13, "30")), "type 0x3c"},
		{with(field(13, "31")), "type 0x3e"},
		{with(field(13, "8192")), "type 0x4000"},
		{with(field(14, "5")), "type 0xb"},
		{with(field(15, "1.5")), "field 15 is"},
		{with(field(1, "3") + " " + field(7, "1089")), "larger than the 1088 bytes that a datagram can have"},
		{with(field(9, "0") + " " + field(4, "1000000")), "without time between them"},
	} {
		_, err := Parse(tt.ns)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %q", tt.ns, err, tt.want)
		}
	}
}

// TestOfTracksOnly: the cases that a strict publisher refuses are those with the
// integer properties 1 and 2.
func TestOfTracksOnly(t *testing.T) {
	for suite, want := range map[Suite][]int{
		Suite50: {37, 39, 41, 42, 45},
		Suite80: {32, 33, 34, 41, 42, 44, 46, 47, 50, 55, 61, 79},
	} {
		var got []int
		for _, c := range Cases(suite) {
			if expect, why := c.Expected(true); expect == ExpectRefused && why != "" {
				got = append(got, c.Number)
			}
			if expect, why := c.Expected(false); expect != ExpectPass || why != "" {
				t.Errorf("%s: %v, %s", c.ID(), expect, why)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("suite %v: %v, want %v", suite, got, want)
		}
	}
}

// FuzzParse: whatever is asked for is a track that can be walked through, or none.
func FuzzParse(f *testing.F) {
	for _, c := range Cases(Suite80) {
		f.Add(strings.Join(c.Ask.Params.Namespace(), "/"), uint64(1), uint64(2))
	}
	f.Add("moq-test-00/////////////////", uint64(0), uint64(0))
	f.Fuzz(func(t *testing.T, text string, group, object uint64) {
		p, err := Parse(model.ParseNamespace(text, "/"))
		if err != nil {
			return
		}
		if again, err := Parse(p.Namespace()); err != nil || again != p {
			t.Fatalf("%+v becomes %+v, %v", p, again, err)
		}
		if p.Duration() < 0 || p.Count() == 0 || !p.Has(p.First()) || !p.Has(p.End()) {
			t.Fatalf("%+v: %v, %d", p, p.Duration(), p.Count())
		}
		at := p.First()
		for range 20 {
			next, more := p.Next(at)
			if !more {
				break
			}
			if !at.Less(next) || !p.Has(next) {
				t.Fatalf("%+v: %v after %v", p, next, at)
			}
			at = next
		}
		for _, order := range []model.GroupOrder{model.Ascending, model.Descending} {
			w := newWalk(p, model.Range{Start: model.Location{Group: group}, End: model.Location{Group: group, Object: object}}, order)
			for range 20 {
				if l, err := w.next(); err != nil {
					break
				} else if !p.Has(l) || l.Group != group || l.Object > object {
					t.Fatalf("%+v: %v", p, l)
				}
			}
		}
	})
}
