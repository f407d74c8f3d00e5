package moqtest

import (
	"io"
	"slices"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
)

// all returns the locations of a track in order.
func all(p Params) (list []model.Location) {
	for at, more := p.First(), true; more; at, more = p.Next(at) {
		list = append(list, at)
	}
	return list
}

// TestObjects: the function and the order agree, for every case.
func TestObjects(t *testing.T) {
	for _, c := range append(Cases(Suite50), Cases(Suite80)...) {
		p := c.Ask.Params
		list := all(p)
		if uint64(len(list)) != p.Count() || list[0] != p.First() || list[len(list)-1] != p.End() {
			t.Errorf("%s: %d objects from %v to %v; want %d from %v to %v", c.ID(), len(list), list[0], list[len(list)-1], p.Count(), p.First(), p.End())
		}
		for _, at := range list {
			o, ok := p.Object(at)
			again, _ := p.Object(at)
			if !ok || o.Location != at || !slices.EqualFunc(o.Properties, again.Properties, func(a, b model.Property) bool {
				return a.Type == b.Type && a.Int == b.Int && string(a.Bytes) == string(b.Bytes)
			}) {
				t.Errorf("%s: %v is %+v", c.ID(), at, o)
			}
			if !slices.IsSortedFunc(o.Properties, func(a, b model.Property) int { return int(a.Type) - int(b.Type) }) {
				t.Errorf("%s: the properties of %v do not ascend: %v", c.ID(), at, o.Properties)
			}
			for _, gap := range []struct {
				n    uint64
				from model.Location
			}{
				{first(p.gaps(at)), model.Location{Group: at.Group, Object: p.Start.Object}},
				{second(p.gaps(at)), at},
			} {
				if gap.n > max(gap.from.Group, gap.from.Object) {
					t.Errorf("%s: %v has a gap of %d before it", c.ID(), at, gap.n)
				}
			}
		}
		if _, ok := p.Object(model.Location{Group: p.Last.Group + 1, Object: p.Start.Object}); ok {
			t.Errorf("%s: there is an object behind the end", c.ID())
		}
	}
}

func first(a, _ uint64) uint64  { return a }
func second(_, b uint64) uint64 { return b }

// TestGaps: what is said not to exist are exactly the IDs between two that do.
func TestGaps(t *testing.T) {
	p := Cases(Suite80)[32].Ask.Params // from object 3, both increments are 2
	for _, tt := range []struct {
		at              model.Location
		groups, objects uint64
	}{
		{model.Location{Group: 0, Object: 3}, 0, 3},
		{model.Location{Group: 0, Object: 5}, 0, 1},
		{model.Location{Group: 2, Object: 3}, 1, 3},
		{model.Location{Group: 4, Object: 11}, 1, 1},
	} {
		if groups, objects := p.gaps(tt.at); groups != tt.groups || objects != tt.objects {
			t.Errorf("%v: %d groups and %d objects", tt.at, groups, objects)
		}
	}
}

// TestWalk: a walk gives the objects of any range, without END_OF_GROUPs.
func TestWalk(t *testing.T) {
	for _, number := range []int{1, 13, 26, 28, 31, 45} {
		p := Cases(Suite50)[number-1].Ask.Params
		list := slices.DeleteFunc(all(p), p.marks)
		for start := uint64(0); start <= p.Last.Group+2; start++ {
			for end := start; end <= p.Last.Group+2; end++ {
				for _, last := range []uint64{0, 4, 7, model.MaxID} {
					r := model.Range{Start: model.Location{Group: start, Object: min(last, 3)}, End: model.Location{Group: end, Object: last}}
					var want []model.Location
					for _, l := range list {
						if r.Contains(l) {
							want = append(want, l)
						}
					}
					if got := walked(t, p, r, model.Ascending); !slices.Equal(got, want) {
						t.Fatalf("case %d, %v: %v, want %v", number, r, got, want)
					}
					slices.SortStableFunc(want, func(a, b model.Location) int { return int(b.Group) - int(a.Group) })
					if got := walked(t, p, r, model.Descending); !slices.Equal(got, want) {
						t.Fatalf("case %d, %v, descending: %v, want %v", number, r, got, want)
					}
				}
			}
		}
	}
}

func walked(t *testing.T, p Params, r model.Range, order model.GroupOrder) (list []model.Location) {
	t.Helper()
	w := newWalk(p, r, order)
	for {
		l, err := w.next()
		if err != nil {
			testkit.ErrIs(t, err, io.EOF)
			return list
		}
		list = append(list, l)
	}
}
