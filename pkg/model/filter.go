package model

import "fmt"

// FilterKind says how the start of a Filter is to be found.
type FilterKind uint8

// Filter kinds: the union of what the drafts can say. "From {0,0}" and "the
// next object" are kept apart everywhere, although draft 20 writes them alike.
const (
	FilterNone       FilterKind = iota // everything that is published from now on
	FilterNextObject                   // {Largest.Group, Largest.Object+1}
	FilterRelative                     // {Largest.Group+1-Back, 0}; Back 0 is the next group
	FilterAbsolute                     // Start, up to End if it is set
)

// EndLocation is the inclusive end of a range: a whole group, or an object in
// it (which only drafts from 20 on can say in a filter).
type EndLocation struct {
	Group  uint64
	Object Opt[uint64]
}

// Last returns the last location that the end includes.
func (e EndLocation) Last() Location {
	return Location{Group: e.Group, Object: e.Object.Or(MaxID)}
}

// Filter selects the objects of a subscription by location (section 5.1.2).
type Filter struct {
	Kind  FilterKind
	Back  uint64           // FilterRelative
	Start Location         // FilterAbsolute
	End   Opt[EndLocation] // FilterAbsolute
}

// Filters that need no argument.
var (
	NextObject = Filter{Kind: FilterNextObject}
	NextGroup  = Filter{Kind: FilterRelative}
)

// From returns the filter for everything from l on.
func From(l Location) Filter { return Filter{Kind: FilterAbsolute, Start: l} }

// Range is a span of locations, inclusive at both ends. The wire's exclusive
// forms are converted in package wire and appear nowhere else.
type Range struct {
	Start, End Location
}

// Forever is the end of a range that has none.
var Forever = Location{Group: MaxID, Object: MaxID}

// Contains reports whether l lies in r.
func (r Range) Contains(l Location) bool { return !l.Less(r.Start) && !r.End.Less(l) }

// Empty reports whether r holds no location.
func (r Range) Empty() bool { return r.End.Less(r.Start) }

// String returns "start..end".
func (r Range) String() string {
	if r.End == Forever {
		return r.Start.String() + ".."
	}
	if r.End.Object == MaxID {
		return fmt.Sprintf("%v..%d/*", r.Start, r.End.Group)
	}
	return r.Start.String() + ".." + r.End.String()
}

// EndsBefore reports whether f ends before the group that is being published,
// so that a subscription would bring nothing (section 10.7).
func (f Filter) EndsBefore(largest Opt[Location]) bool {
	end, ok := f.End.Get()
	l, some := largest.Get()
	return ok && some && end.Group < l.Group
}

// Resolve turns f into the range it selects when the largest location so far
// is largest (absent if nothing was published). For a subscription.
func (f Filter) Resolve(largest Opt[Location]) Range {
	r := Range{End: Forever}
	switch f.Kind {
	case FilterNone:
	case FilterNextObject:
		if l, ok := largest.Get(); ok {
			r.Start = l.Next()
		}
	case FilterRelative:
		if l, ok := largest.Get(); ok {
			switch {
			case f.Back == 0 && l.Group == MaxID:
				r.Start = Forever
			case f.Back == 0:
				r.Start.Group = l.Group + 1
			case f.Back-1 <= l.Group:
				r.Start.Group = l.Group - (f.Back - 1)
			}
		}
	case FilterAbsolute:
		r.Start = f.Start
		if e, ok := f.End.Get(); ok {
			r.End = e.Last()
		}
	}
	return r
}
