package track

import (
	"testing"

	"oxymoq/pkg/model"
	"pgregory.net/rapid"
)

// TestIntervalsAgainstBits compares an interval set over a small universe, with
// both ends of the ID space in it, with an array of bits.
func TestIntervalsAgainstBits(t *testing.T) {
	const n = 64
	point := func(i int) objectID { // 0..31 at the bottom, the rest at the very top
		if i < n/2 {
			return objectID(i)
		}
		return objectID(model.MaxID - uint64(n-1-i))
	}
	rapid.Check(t, func(t *rapid.T) {
		var s idSet
		var bits [n]bool
		at := rapid.IntRange(0, n-1)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				lo, hi := at.Draw(t, "lo"), at.Draw(t, "hi")
				if lo < n/2 && hi >= n/2 {
					hi = n/2 - 1 // the gap between is not modelled
				}
				s.add(point(lo), point(hi))
				for i := lo; i <= hi; i++ {
					bits[i] = true
				}
			},
			"remove": func(t *rapid.T) {
				lo, hi := at.Draw(t, "lo"), at.Draw(t, "hi")
				s.remove(point(lo), point(hi))
				for i := lo; i <= hi; i++ {
					bits[i] = false
				}
			},
			"": func(t *rapid.T) {
				for i := range n {
					if got := s.contains(point(i)); got != bits[i] {
						t.Fatalf("contains(%d) = %v in %v", point(i), got, s.spans)
					}
				}
				for i, sp := range s.spans {
					if sp.lo > sp.hi || i > 0 && s.spans[i-1].hi >= sp.lo-1 {
						t.Fatalf("spans overlap or touch: %v", s.spans)
					}
				}
				lo, hi := at.Draw(t, "from"), at.Draw(t, "to")
				if lo > hi || (lo < n/2) != (hi < n/2) {
					return
				}
				all, some := true, false
				for i := lo; i <= hi; i++ {
					all, some = all && bits[i], some || bits[i]
				}
				if s.containsAll(point(lo), point(hi)) != all || s.intersects(point(lo), point(hi)) != some {
					t.Fatalf("range %d..%d of %v: want all %v some %v", lo, hi, s.spans, all, some)
				}
			},
		})
	})
}

func TestIntervalsOverLocations(t *testing.T) {
	at := func(g, o uint64) model.Location { return model.Location{Group: g, Object: o} }
	var s placeSet
	s.add(at(1, 0), at(1, model.MaxID))
	s.add(at(2, 0), at(2, 5)) // touches across the group's end
	if len(s.spans) != 1 || !s.containsAll(at(1, 7), at(2, 5)) {
		t.Errorf("neighbouring groups did not merge: %v", s.spans)
	}
	s.remove(wholeGroup(1))
	if s.contains(at(1, model.MaxID)) || !s.contains(at(2, 0)) {
		t.Errorf("removing a group took something else: %v", s.spans)
	}
	s.add(at(9, 0), model.Forever)
	s.add(at(0, 0), at(0, 0))
	if len(s.spans) != 3 {
		t.Errorf("the last location touches the first: %v", s.spans)
	}
	s.bound(1)
	if len(s.spans) != 1 || s.spans[0].lo != at(9, 0) {
		t.Errorf("bound did not forget the lowest: %v", s.spans)
	}
}
