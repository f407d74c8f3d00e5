package track

import (
	"slices"
	"sort"

	"oxymoq/pkg/model"
)

// point is what intervals are made of: object IDs or locations.
type point[T any] interface {
	comparable
	Compare(T) int
	Next() T // of the very last, wraps around or stays
	Prev() T // of the very first, stays
}

// objectID is a point within one group.
type objectID uint64

func (a objectID) Compare(b objectID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
func (a objectID) Next() objectID { return a + 1 }
func (a objectID) Prev() objectID {
	if a == 0 {
		return 0
	}
	return a - 1
}

// span is all points from lo to hi, both included.
type span[T point[T]] struct{ lo, hi T }

// intervals is a set of points, kept as disjoint spans in order that do not
// touch. The zero value is empty.
type intervals[T point[T]] struct{ spans []span[T] }

type (
	idSet    = intervals[objectID]
	placeSet = intervals[model.Location]
)

// at returns the index of the first span that ends at or after x.
func (s *intervals[T]) at(x T) int {
	if n := len(s.spans); n == 0 || s.spans[n-1].hi.Compare(x) < 0 {
		return n // most additions are at the end
	}
	return sort.Search(len(s.spans), func(i int) bool { return s.spans[i].hi.Compare(x) >= 0 })
}

// covering returns the span that contains x.
func (s *intervals[T]) covering(x T) (span[T], bool) {
	if i := s.at(x); i < len(s.spans) && s.spans[i].lo.Compare(x) <= 0 {
		return s.spans[i], true
	}
	return span[T]{}, false
}

func (s *intervals[T]) contains(x T) bool {
	_, ok := s.covering(x)
	return ok
}

// containsAll reports whether every point from lo to hi is in the set.
func (s *intervals[T]) containsAll(lo, hi T) bool {
	sp, ok := s.covering(lo)
	return ok && sp.hi.Compare(hi) >= 0
}

// intersects reports whether any point from lo to hi is in the set.
func (s *intervals[T]) intersects(lo, hi T) bool {
	i := s.at(lo)
	return i < len(s.spans) && s.spans[i].lo.Compare(hi) <= 0
}

// after returns the first span that begins after x.
func (s *intervals[T]) after(x T) (span[T], bool) {
	i := sort.Search(len(s.spans), func(i int) bool { return s.spans[i].lo.Compare(x) > 0 })
	if i == len(s.spans) {
		return span[T]{}, false
	}
	return s.spans[i], true
}

// add puts every point from lo to hi into the set.
func (s *intervals[T]) add(lo, hi T) {
	if lo.Compare(hi) > 0 {
		return
	}
	i := s.at(lo)
	if i > 0 && s.spans[i-1].hi.Next() == lo {
		i-- // touches the one before
	}
	j := i
	for j < len(s.spans) && (s.spans[j].lo.Compare(hi) <= 0 || s.spans[j].lo.Prev() == hi) {
		if s.spans[j].lo.Compare(lo) < 0 {
			lo = s.spans[j].lo
		}
		if s.spans[j].hi.Compare(hi) > 0 {
			hi = s.spans[j].hi
		}
		j++
	}
	if j == i+1 {
		s.spans[i] = span[T]{lo, hi}
		return
	}
	s.spans = slices.Replace(s.spans, i, j, span[T]{lo, hi})
}

// remove takes every point from lo to hi out of the set.
func (s *intervals[T]) remove(lo, hi T) {
	if lo.Compare(hi) > 0 {
		return
	}
	i := s.at(lo)
	j := i
	var keep [2]span[T]
	n := 0
	for j < len(s.spans) && s.spans[j].lo.Compare(hi) <= 0 {
		sp := s.spans[j]
		if sp.lo.Compare(lo) < 0 {
			keep[n] = span[T]{sp.lo, lo.Prev()}
			n++
		}
		if sp.hi.Compare(hi) > 0 {
			keep[n] = span[T]{hi.Next(), sp.hi}
			n++
		}
		j++
	}
	s.spans = slices.Replace(s.spans, i, j, keep[:n]...)
}

// bound forgets the lowest spans beyond the number.
func (s *intervals[T]) bound(n int) {
	if extra := len(s.spans) - n; extra > 0 {
		s.spans = slices.Delete(s.spans, 0, extra)
	}
}
