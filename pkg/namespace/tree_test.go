package namespace_test

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oxymoq/pkg/model"
	"oxymoq/pkg/namespace"
)

// entry is one value of the naive model: a list that is searched whole.
type entry struct {
	NS model.Namespace
	V  int
}

func collect(seq iter.Seq2[model.Namespace, int]) []entry {
	var out []entry
	for ns, v := range seq {
		out = append(out, entry{ns, v})
	}
	return out
}

func sorted(e []entry) []entry {
	e = slices.Clone(e)
	slices.SortFunc(e, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.NS.Key(), b.NS.Key()), cmp.Compare(a.V, b.V))
	})
	return e
}

func filter(list []entry, keep func(model.Namespace) bool) []entry {
	var out []entry
	for _, e := range list {
		if keep(e.NS) {
			out = append(out, e)
		}
	}
	return out
}

func ns(fields ...string) model.Namespace { return fields }

// Duties: 9.
func TestPrefixesMatchFieldByField(t *testing.T) {
	var tree namespace.Tree[int]
	tree.Insert(nil, 0)
	tree.Insert(ns("live"), 1)
	tree.Insert(ns("live", "cam1"), 2)
	tree.Insert(ns("live", "cam1"), 3)
	tree.Insert(ns("live", "cam12"), 4)
	tree.Insert(ns("livecam1"), 5)

	all := []entry{{ns("live", "cam1"), 2}, {ns("live", "cam1"), 3}, {ns("live"), 1}, {nil, 0}}
	for _, tt := range []struct {
		name string
		got  []entry
		want []entry
	}{
		{"covering yields the longest prefix first", collect(tree.Covering(ns("live", "cam1", "hd"))), all},
		{"covering includes the namespace itself", collect(tree.Covering(ns("live", "cam1"))), all},
		{"covering never matches within a field", collect(tree.Covering(ns("live", "cam"))), []entry{{ns("live"), 1}, {nil, 0}}},
		{"covering of nothing is the root", collect(tree.Covering(nil)), []entry{{nil, 0}}},
		{"below includes the prefix itself", sorted(collect(tree.Below(ns("live", "cam1")))), []entry{{ns("live", "cam1"), 2}, {ns("live", "cam1"), 3}}},
		{"below an unknown prefix is empty", collect(tree.Below(ns("live", "cam"))), nil},
		{"overlaps looks both ways", sorted(collect(tree.Overlaps(ns("live")))),
			sorted([]entry{{nil, 0}, {ns("live"), 1}, {ns("live", "cam1"), 2}, {ns("live", "cam1"), 3}, {ns("live", "cam12"), 4}})},
		{"overlaps of an unknown leaf is what covers it", collect(tree.Overlaps(ns("live", "cam9"))), []entry{{ns("live"), 1}, {nil, 0}}},
	} {
		if diff := gocmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if got := slices.Collect(tree.At(ns("live", "cam1"))); !slices.Equal(got, []int{2, 3}) {
		t.Errorf("At gives %v, want the two in the order of insertion", got)
	}
	if got := slices.Collect(tree.At(ns("none"))); got != nil {
		t.Errorf("At an unknown namespace gives %v", got)
	}
}

func TestInsertAndRemoveReportChange(t *testing.T) {
	var tree namespace.Tree[int]
	a := ns("a", "b")
	for _, step := range []struct {
		what string
		got  bool
		want bool
		size int
	}{
		{"first insert", tree.Insert(a, 1), true, 1},
		{"same value again", tree.Insert(a, 1), false, 1},
		{"remove at a prefix", tree.Remove(ns("a"), 1), false, 1},
		{"remove below", tree.Remove(ns("a", "b", "c"), 1), false, 1},
		{"remove another value", tree.Remove(a, 2), false, 1},
		{"remove", tree.Remove(a, 1), true, 0},
		{"remove again", tree.Remove(a, 1), false, 0},
	} {
		if step.got != step.want {
			t.Errorf("%s: %v, want %v", step.what, step.got, step.want)
		}
	}
	if tree.Len() != 0 {
		t.Errorf("Len() = %d after the last removal", tree.Len())
	}
}

func TestIterationStopsWhenTold(t *testing.T) {
	var tree namespace.Tree[int]
	for i := range 4 {
		tree.Insert(ns("a", "b", "c", "d")[:i+1], i)
	}
	deep := ns("a", "b", "c", "d")
	for name, seq := range map[string]iter.Seq2[model.Namespace, int]{
		"Covering": tree.Covering(deep), "Below": tree.Below(nil),
		"Overlaps upwards": tree.Overlaps(deep), "Overlaps downwards": tree.Overlaps(ns("a")),
	} {
		count := 0
		for range seq {
			if count++; count == 2 {
				break
			}
		}
		if count != 2 {
			t.Errorf("%s yielded %d values, want to be stopped at 2", name, count)
		}
	}
	for range tree.At(deep) {
		break
	}
}

// check holds the tree against the naive list from one namespace's view.
func check(t interface {
	Helper()
	Fatalf(string, ...any)
}, tree *namespace.Tree[int], list []entry, at model.Namespace) {
	t.Helper()
	covers := func(p model.Namespace) bool { return at.HasPrefix(p) }
	below := func(p model.Namespace) bool { return p.HasPrefix(at) }
	for _, q := range []struct {
		name string
		got  []entry
		want []entry
	}{
		{"Covering", collect(tree.Covering(at)), filter(list, covers)},
		{"Below", collect(tree.Below(at)), filter(list, below)},
		{"Overlaps", collect(tree.Overlaps(at)), filter(list, func(p model.Namespace) bool { return covers(p) || below(p) })},
	} {
		if diff := gocmp.Diff(sorted(q.want), sorted(q.got)); diff != "" {
			t.Fatalf("%s(%v) (-naive +tree):\n%s", q.name, at, diff)
		}
	}
	if tree.Len() != len(list) {
		t.Fatalf("Len() = %d, the naive list has %d", tree.Len(), len(list))
	}
	var exact []int
	for _, e := range filter(list, at.Equal) {
		exact = append(exact, e.V)
	}
	if got := slices.Collect(tree.At(at)); !slices.Equal(got, exact) {
		t.Fatalf("At(%v) = %v, want %v", at, got, exact)
	}
}

// apply does to the naive list what Insert or Remove does to the tree.
func apply(list []entry, insert bool, e entry) ([]entry, bool) {
	i := slices.IndexFunc(list, func(x entry) bool { return x.V == e.V && x.NS.Equal(e.NS) })
	switch {
	case insert && i < 0:
		return append(list, e), true
	case !insert && i >= 0:
		return slices.Delete(list, i, i+1), true
	}
	return list, false
}

func TestTreeAgreesWithNaiveList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.SampledFrom([]string{"a", "b", "ab", "\x00", ""})
		name := rapid.Custom(func(t *rapid.T) model.Namespace {
			return rapid.SliceOfN(field, 0, 4).Draw(t, "fields")
		})
		var tree namespace.Tree[int]
		var list []entry
		change := func(insert bool) func(*rapid.T) {
			return func(t *rapid.T) {
				e := entry{name.Draw(t, "ns"), rapid.IntRange(0, 3).Draw(t, "v")}
				op := tree.Remove
				if insert {
					op = tree.Insert
				}
				var want bool
				list, want = apply(list, insert, e)
				if got := op(e.NS, e.V); got != want {
					t.Fatalf("insert %v of %v: %v, want %v", insert, e, got, want)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"insert": change(true),
			"remove": change(false),
			"":       func(t *rapid.T) { check(t, &tree, list, name.Draw(t, "look")) },
		})
	})
}

// FuzzTree reads each byte as one operation: bit 7 inserts, bits 5 and 6 are the
// value, and the number modulo six tells how many of two fields lead to it.
func FuzzTree(f *testing.F) {
	f.Add([]byte{0x80, 0x9f, 0x1f, 0xaa, 0x2a})
	f.Add([]byte{0xff, 0xff, 0x7f, 0x7f})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var tree namespace.Tree[int]
		var list []entry
		for _, op := range ops[:min(len(ops), 256)] {
			var at model.Namespace
			for bit := range op % 6 {
				at = append(at, string('x'+rune(op>>bit&1)))
			}
			e := entry{at, int(op >> 5 & 3)}
			var want bool
			list, want = apply(list, op&0x80 != 0, e)
			change := tree.Remove
			if op&0x80 != 0 {
				change = tree.Insert
			}
			if got := change(at, e.V); got != want {
				t.Fatalf("operation %#x: %v, want %v", op, got, want)
			}
			check(t, &tree, list, at)
		}
		for len(list) > 0 {
			tree.Remove(list[0].NS, list[0].V)
			list = list[1:]
		}
		if got := collect(tree.Below(nil)); got != nil {
			t.Fatalf("left over after removing everything: %v", got)
		}
	})
}

func BenchmarkTree(b *testing.B) {
	var tree namespace.Tree[int]
	for i := range 10_000 {
		tree.Insert(ns("live", fmt.Sprint(i%100), fmt.Sprint(i)), i)
	}
	track := ns("live", "42", "4242", "video", "hd")
	b.Run("Covering", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for range tree.Covering(track) {
			}
		}
	})
	b.Run("Below100", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for range tree.Below(track[:2]) {
			}
		}
	})
	b.Run("InsertRemove", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tree.Insert(track, 1)
			tree.Remove(track, 1)
		}
	})
}

func ExampleTree_Covering() {
	var offers namespace.Tree[string]
	offers.Insert(model.Namespace{"live"}, "studio")
	offers.Insert(model.Namespace{"live", "cam1"}, "camera")
	for prefix, who := range offers.Covering(model.Namespace{"live", "cam1", "hd"}) {
		fmt.Println(who, "offers", prefix)
	}
	// Output:
	// camera offers live-cam1
	// studio offers live
}
