package egress

import (
	"testing"

	"pgregory.net/rapid"
)

// number is a heaped int.
type number struct{ value, place int }

func (n *number) before(o *number) bool { return n.value < o.value }
func (n *number) setPlace(i int)        { n.place = i }

func TestHeapAgainstAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h heap[*number]
		var all []*number
		pick := func(t *rapid.T) int {
			if len(all) == 0 {
				t.Skip("empty")
			}
			return rapid.IntRange(0, len(all)-1).Draw(t, "which")
		}
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				n := &number{value: rapid.IntRange(0, 20).Draw(t, "value")}
				h.push(n)
				all = append(all, n)
			},
			"remove": func(t *rapid.T) {
				i := pick(t)
				h.remove(all[i].place)
				if all[i].place != -1 {
					t.Fatal("still placed")
				}
				all = append(all[:i], all[i+1:]...)
			},
			"change": func(t *rapid.T) {
				n := all[pick(t)]
				n.value = rapid.IntRange(0, 20).Draw(t, "value")
				h.fix(n.place)
			},
			"": func(t *rapid.T) {
				if h.len() != len(all) {
					t.Fatalf("%d items, want %d", h.len(), len(all))
				}
				for i, n := range all {
					if h.items[n.place] != n {
						t.Fatalf("item %d is not at its place", i)
					}
					if n.value < h.top().value {
						t.Fatalf("%d is before the top %d", n.value, h.top().value)
					}
				}
			},
		})
	})
}
