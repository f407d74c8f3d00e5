package track

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"

	"github.com/google/go-cmp/cmp"
)

func TestLookShowsTheNewestGroups(t *testing.T) {
	tr := New(Config{})
	oneObject(t, tr, 1, 10)
	w := open(t, tr, 2, 5)
	bring(t, w, 0, 1)
	must(t, w.Begin(ObjectHeader{ID: 2, PayloadLen: 5}))
	w.Abort(0)
	open(t, tr, 3, 0)
	got := tr.Look(2, 1)
	if len(got) != 2 || got[0].ID != 2 || got[1].ID != 3 {
		t.Fatalf("groups = %+v", got)
	}
	if g := got[0]; g.Objects != 2 || g.Torn != 1 || g.Last != 1 || g.Bytes < 14 || g.Arrival.IsZero() || g.Born.IsZero() || g.Ended {
		t.Errorf("group 2 = %+v", g)
	}
	if g := got[1]; g.Writers != 1 || !g.Arrival.IsZero() || g.Objects != 0 {
		t.Errorf("group 3 = %+v", g)
	}
	if all := tr.Look(9, 1); len(all) != 3 || !all[0].Ended {
		t.Errorf("all = %+v", all)
	}
	if n := tr.GroupsAfter(1); n != 2 {
		t.Errorf("%d groups after the first", n)
	}
}

func TestHoles(t *testing.T) {
	fetched := func(t *testing.T, tr *Track, o uint64) {
		must(t, tr.AddFetched(&FetchedObject{Location: at(1, o), Form: formA, Payload: []byte("f")}))
	}
	for _, row := range []struct {
		name        string
		do          func(t *testing.T, tr *Track)
		first, last uint64
		want        []Hole
		more        bool
	}{
		{"an empty group", func(t *testing.T, tr *Track) { open(t, tr, 1, 0) }, 0, 0, nil, false},
		{"one object", func(t *testing.T, tr *Track) { bring(t, open(t, tr, 1, 0), 7) }, 7, 7, nil, false},
		{"none", func(t *testing.T, tr *Track) { bring(t, open(t, tr, 1, 0), 0, 1, 2) }, 0, 2, nil, false},
		{"one object is missing", func(t *testing.T, tr *Track) { bring(t, open(t, tr, 1, 0), 3, 5) }, 3, 5, []Hole{{4, 4, false}}, false},
		{"the publisher says that they do not exist", func(t *testing.T, tr *Track) {
			w := open(t, tr, 1, 0)
			bring(t, w, 0)
			must(t, w.Append(ObjectHeader{ID: 5, PriorObjectGap: 2}, nil))
		}, 0, 5, []Hole{{1, 2, false}, {3, 4, true}}, false},
		{"other subgroups fill some", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 0, 9)
			bring(t, open(t, tr, 1, 1), 2, 3)
		}, 0, 9, []Hole{{1, 1, false}, {4, 8, false}}, false},
		{"fetches fill some", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 4, 6)
			fetched(t, tr, 5)
			fetched(t, tr, 1)
		}, 1, 6, []Hole{{2, 3, false}}, false},
		{"a fetch found nothing there", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 4, 9)
			tr.MarkKnown(span2(at(1, 5), at(1, 6)))
		}, 4, 9, []Hole{{5, 6, true}, {7, 8, false}}, false},
		{"too many", func(t *testing.T, tr *Track) { bring(t, open(t, tr, 1, 0), 0, 2, 4, 6, 8) }, 0, 8,
			[]Hole{{1, 1, false}, {3, 3, false}, {5, 5, false}}, true},
		{"the last ID there is", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 0, model.MaxID-1, model.MaxID)
		}, 0, model.MaxID, []Hole{{1, model.MaxID - 2, false}}, false},
		{"what left the log is no hole", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 0, 1, 2)
			tr.Purge()
		}, 0, 2, nil, false},
	} {
		tr := New(Config{})
		row.do(t, tr)
		g := tr.Look(1, 3)[0]
		if d := cmp.Diff(row.want, g.Holes); d != "" || g.First != row.first || g.Last != row.last || g.MoreHoles != row.more {
			t.Errorf("%s: %d to %d, more: %v, holes (-want +got):\n%s", row.name, g.First, g.Last, g.MoreHoles, d)
		}
	}
}

func TestGlance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := New(Config{})
		if g := tr.Glance(); g != (Glance{}) {
			t.Errorf("of nothing: %+v", g)
		}
		time.Sleep(time.Second)
		came := time.Now()
		oneObject(t, tr, 4, 1)
		time.Sleep(time.Second)
		must(t, tr.AddFetched(&FetchedObject{Location: at(1, 0), Form: formA}))
		tr.End(model.DoneTrackEnded, "")
		if g := tr.Glance(); g.Largest != model.Some(at(4, 0)) || !g.Arrival.Equal(came) || !g.Ended {
			t.Errorf("glance = %+v, the object came at %v", g, came)
		}
		if tr.Age() != 2*time.Second {
			t.Errorf("age = %v", tr.Age())
		}
	})
}

func TestIsSingle(t *testing.T) {
	tr := New(Config{})
	for i, want := range []bool{false, true, false} {
		if tr.IsSingle() != want {
			t.Errorf("with %d objects: %v", i, !want)
		}
		oneObject(t, tr, uint64(i), 1)
	}
}

func TestLatestShowsObjectsInOrderOfArrival(t *testing.T) {
	tr := New(Config{})
	a, b := open(t, tr, 1, 0), open(t, tr, 2, 3, func(i *SubgroupInfo) { i.Priority = model.Some(uint8(9)) })
	bring(t, a, 0)
	must(t, b.Append(ObjectHeader{ID: 4, Properties: []byte("props")}, []byte(strings.Repeat("0123456789", 9000))))
	bring(t, a, 1)
	for _, id := range []uint64{9, 8} {
		must(t, tr.AppendDatagram(&Datagram{Location: at(3, id), Form: formB, Payload: []byte("d")}))
	}
	must(t, tr.AddFetched(&FetchedObject{Location: at(1, 7), Form: formA, Payload: []byte("fetched")}))
	must(t, b.Append(ObjectHeader{ID: 5, Status: model.StatusEndOfGroup}, nil))
	must(t, a.Begin(ObjectHeader{ID: 2, PayloadLen: 9})) // not complete
	var got []string
	for _, o := range tr.Latest(99, 12, 4) {
		got = append(got, fmt.Sprintf("%d: %v.%d %q of %d, %d/%d properties", o.Number, o.Location, o.Subgroup, o.Peek, o.Size, len(o.Properties), o.PropertyBytes))
	}
	want := []string{
		`1: 1/0.0 "payload" of 7, 0/0 properties`,
		`2: 2/4.3 "012345678901" of 90000, 0/5 properties`,
		`3: 1/1.0 "payload" of 7, 0/0 properties`,
		`4: 3/9.0 "d" of 1, 0/0 properties`,
		`5: 3/8.0 "d" of 1, 0/0 properties`,
		`6: 1/7.0 "fetched" of 7, 0/0 properties`,
		`7: 2/5.3 "" of 0, 0/0 properties`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	last := tr.Latest(2, 12, 99)
	if len(last) != 2 || last[0].Location != at(1, 7) || !last[0].Fetched || last[1].Status != model.StatusEndOfGroup || last[1].Priority != 9 {
		t.Errorf("the last two: %+v", last)
	}
	all := tr.Latest(99, 90_001, 99)
	if o := all[1]; string(o.Properties) != "props" || len(o.Peek) != o.Size || o.Form != formA || !all[3].Datagram || all[0].Priority != model.DefaultPriority {
		t.Errorf("%+v", o)
	}
}

func TestLatestWhenMuchIsEvicted(t *testing.T) {
	tr := New(Config{MaxGroups: 3})
	for id := range uint64(100) {
		oneObject(t, tr, id, 10)
	}
	var groups []uint64
	for _, o := range tr.Latest(2, 0, 0) {
		groups = append(groups, o.Group)
	}
	if !slices.Equal(groups, []uint64{98, 99}) {
		t.Errorf("groups %d", groups)
	}
}

// TestLookingWhileMuchHappens is for the race detector.
func TestLookingWhileMuchHappens(t *testing.T) {
	tr := New(Config{Budget: NewBudget(64 << 10), MaxGroups: 4})
	var all sync.WaitGroup
	defer all.Wait()
	done := make(chan struct{})
	defer close(done)
	for range 2 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				tr.Glance()
				for _, g := range tr.Look(8, 4) {
					if g.Objects > 0 && g.Bytes == 0 {
						t.Errorf("%+v", g)
					}
				}
				objects := tr.Latest(50, 8, 8)
				for i, o := range objects {
					if i > 0 && o.Number <= objects[i-1].Number || string(o.Peek) != "payload" {
						t.Errorf("%d: %+v", i, o)
					}
				}
			}
		})
	}
	for g := range uint64(300) {
		w := open(t, tr, g, 0)
		subgroups := uint64(5)
		if g%100 == 0 {
			subgroups = lookRuns + 5
		}
		for s := range subgroups {
			bring(t, open(t, tr, g, 1+s), 1000*(1+s))
		}
		for id := range uint64(20) {
			bring(t, w, id)
		}
		must(t, w.Close())
		if g%50 == 49 {
			tr.Purge()
		}
	}
}
