package model

import "testing"

func TestFilterResolve(t *testing.T) {
	l := Some(Location{Group: 9, Object: 5})
	none := Opt[Location]{}
	last := Some(EndLocation{Group: 12})
	for _, tt := range []struct {
		name    string
		f       Filter
		largest Opt[Location]
		want    Range
	}{
		{"no filter", Filter{}, l, Range{End: Forever}},
		{"next object", NextObject, l, Range{Location{9, 6}, Forever}},
		{"next object of nothing", NextObject, none, Range{Location{}, Forever}},
		{"next object at the end of a group", NextObject, Some(Location{9, MaxID}), Range{Location{10, 0}, Forever}},
		{"next group", NextGroup, l, Range{Location{10, 0}, Forever}},
		{"next group of nothing", NextGroup, none, Range{Location{}, Forever}},
		{"next group of the last", NextGroup, Some(Location{MaxID, 0}), Range{Forever, Forever}},
		{"this group", Filter{Kind: FilterRelative, Back: 1}, l, Range{Location{9, 0}, Forever}},
		{"two groups back", Filter{Kind: FilterRelative, Back: 3}, l, Range{Location{7, 0}, Forever}},
		{"before the beginning", Filter{Kind: FilterRelative, Back: 99}, l, Range{Location{}, Forever}},
		{"from a location", From(Location{3, 4}), l, Range{Location{3, 4}, Forever}},
		{"up to a group", Filter{Kind: FilterAbsolute, Start: Location{3, 4}, End: last}, l, Range{Location{3, 4}, Location{12, MaxID}}},
		{"up to an object", Filter{Kind: FilterAbsolute, End: Some(EndLocation{Group: 12, Object: Some(uint64(7))})}, l, Range{Location{}, Location{12, 7}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.f.Resolve(tt.largest); got != tt.want {
				t.Errorf("Resolve = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestFilterEndsBefore(t *testing.T) {
	f := Filter{Kind: FilterAbsolute, End: Some(EndLocation{Group: 8})}
	for _, tt := range []struct {
		name    string
		f       Filter
		largest Opt[Location]
		want    bool
	}{
		{"an earlier group", f, Some(Location{9, 0}), true},
		{"the present group", f, Some(Location{8, 3}), false},
		{"nothing published", f, Opt[Location]{}, false},
		{"no end", From(Location{}), Some(Location{9, 0}), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.f.EndsBefore(tt.largest); got != tt.want {
				t.Errorf("EndsBefore = %v", got)
			}
		})
	}
}
