package track

import (
	"errors"
	"io"
	"slices"
	"testing"

	"oxymoq/pkg/model"

	"pgregory.net/rapid"
)

func at(g, o uint64) model.Location { return model.Location{Group: g, Object: o} }

func span2(from, to model.Location) model.Range { return model.Range{Start: from, End: to} }

func TestCoveredNeedsEveryObjectOrItsAbsence(t *testing.T) {
	whole := func(g uint64) model.Range { return span2(at(g, 0), at(g, model.MaxID)) }
	fetched := func(g, o uint64) *FetchedObject {
		return &FetchedObject{Location: at(g, o), Form: formA, Payload: []byte("f")}
	}
	for _, row := range []struct {
		name string
		do   func(t *testing.T, tr *Track)
		r    model.Range
		want bool
	}{
		{"empty track", func(*testing.T, *Track) {}, whole(0), false},
		{"objects that follow each other", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 0, 1, 2)
		}, span2(at(1, 0), at(1, 2)), true},
		{"up to the largest location if the end lies beyond", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 0, 1, 2)
		}, span2(at(1, 0), at(9, 9)), true},
		{"beyond the largest location", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 0)
		}, span2(at(2, 0), at(9, 9)), false},
		{"a hole", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 0, 2)
		}, span2(at(1, 0), at(1, 2)), false},
		{"a hole in a live subscription", func(t *testing.T, tr *Track) {
			tr.LiveFrom(at(0, 0))
			bring(t, open(t, tr, 1, 0), 0, 2)
		}, span2(at(1, 0), at(1, 2)), false},
		{"a hole that the publisher said", func(t *testing.T, tr *Track) {
			w := open(t, tr, 1, 0)
			bring(t, w, 0)
			must(t, w.Append(ObjectHeader{ID: 5, PriorObjectGap: 4}, nil))
		}, span2(at(1, 0), at(1, 5)), true},
		{"a hole that was said to be one", func(t *testing.T, tr *Track) {
			w := open(t, tr, 1, 0)
			bring(t, w, 0)
			must(t, tr.MarkAbsent(at(1, 1)))
			bring(t, w, 2)
		}, span2(at(1, 0), at(1, 2)), true},
		{"a hole that another subgroup fills", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 0, 2)
			bring(t, open(t, tr, 1, 1), 1)
		}, span2(at(1, 0), at(1, 2)), true},
		{"a hole that a fetch fills", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 0, 2)
			must(t, tr.AddFetched(fetched(1, 1)))
		}, span2(at(1, 0), at(1, 2)), true},
		{"a hole that a fetch found empty", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 0, 2)
			tr.MarkKnown(span2(at(1, 0), at(1, 2)))
		}, span2(at(1, 0), at(1, 2)), true},
		{"a group jumped over outside a live subscription", func(t *testing.T, tr *Track) {
			oneObject(t, tr, 1, 1)
			oneObject(t, tr, 9, 1)
		}, span2(at(1, 0), at(9, 0)), false},
		{"a group jumped over in a live subscription", func(t *testing.T, tr *Track) {
			tr.LiveFrom(at(1, 0))
			oneObject(t, tr, 1, 1)
			oneObject(t, tr, 9, 1)
		}, span2(at(1, 0), at(9, 0)), true},
		{"a group that the publisher said does not exist", func(t *testing.T, tr *Track) {
			oneObject(t, tr, 1, 1)
			must(t, open(t, tr, 9, 0).Append(ObjectHeader{ID: 0, PriorGroupGap: 7}, nil))
		}, span2(at(1, 0), at(9, 0)), true},
		{"an old group without end", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 0)
			bring(t, open(t, tr, 2, 0), 0)
		}, span2(at(1, 0), at(2, 0)), false},
		{"an old live group of finished subgroups", func(t *testing.T, tr *Track) {
			tr.LiveFrom(at(1, 0))
			w := open(t, tr, 1, 0)
			bring(t, w, 0)
			must(t, w.Close())
			bring(t, open(t, tr, 2, 0), 0)
		}, span2(at(1, 0), at(2, 0)), true},
		{"an old live group with a subgroup that was reset", func(t *testing.T, tr *Track) {
			tr.LiveFrom(at(1, 0))
			w := open(t, tr, 1, 0)
			bring(t, w, 0)
			w.Abort(0)
			bring(t, open(t, tr, 2, 0), 0)
		}, span2(at(1, 0), at(2, 0)), false},
		{"an old group with an end marker", func(t *testing.T, tr *Track) {
			w := open(t, tr, 1, 0)
			bring(t, w, 0)
			must(t, w.Append(marker(1, model.StatusEndOfGroup), nil))
			bring(t, open(t, tr, 2, 0), 0)
		}, span2(at(1, 0), at(2, 0)), true},
		{"before the live subscription", func(t *testing.T, tr *Track) {
			tr.LiveFrom(at(5, 0))
			oneObject(t, tr, 5, 1)
		}, span2(at(4, 0), at(5, 0)), false},
		{"a live subscription that begins with the next object", func(t *testing.T, tr *Track) {
			tr.LiveFromNext()
			oneObject(t, tr, 1, 1)
			oneObject(t, tr, 9, 1)
		}, span2(at(1, 0), at(9, 0)), true},
		{"before a live subscription that begins with the next object", func(t *testing.T, tr *Track) {
			tr.LiveFromNext()
			oneObject(t, tr, 1, 1)
			oneObject(t, tr, 9, 1)
		}, span2(at(0, 0), at(9, 0)), false},
		{"a live subscription that ended before the next object", func(t *testing.T, tr *Track) {
			tr.LiveFromNext()
			tr.LiveStopped()
			oneObject(t, tr, 1, 1)
			oneObject(t, tr, 9, 1)
		}, span2(at(1, 0), at(9, 0)), false},
		{"a live subscription of the epoch before", func(t *testing.T, tr *Track) {
			tr.LiveFromNext()
			tr.NewEpoch(model.DoneTrackEnded, "")
			oneObject(t, tr, 1, 1)
			oneObject(t, tr, 9, 1)
		}, span2(at(1, 0), at(9, 0)), false},
		{"a break between two live subscriptions", func(t *testing.T, tr *Track) {
			tr.LiveFrom(at(1, 0))
			oneObject(t, tr, 1, 1)
			tr.LiveStopped()
			tr.LiveFrom(at(9, 0))
			oneObject(t, tr, 9, 1)
		}, span2(at(1, 0), at(9, 0)), false},
		{"a group that was evicted", func(t *testing.T, tr *Track) {
			tr.LiveFrom(at(1, 0))
			for g := range uint64(3) {
				oneObject(t, tr, 1+g, 1)
			}
			tr.mu.Lock()
			tr.evictGroup(1, evictEpoch)
			tr.mu.Unlock()
		}, span2(at(1, 0), at(3, 0)), false},
		{"what was known and then evicted", func(t *testing.T, tr *Track) {
			must(t, tr.AddFetched(fetched(1, 0)))
			oneObject(t, tr, 2, 1)
			tr.MarkKnown(whole(1))
			tr.mu.Lock()
			tr.evictGroup(0, evictEpoch)
			tr.mu.Unlock()
		}, whole(1), false},
		{"what was evicted while it was fetched", func(t *testing.T, tr *Track) {
			f := tr.BeginFill()
			defer f.Close()
			must(t, tr.AddFetched(fetched(1, 0)))
			oneObject(t, tr, 2, 1)
			tr.mu.Lock()
			tr.evictGroup(0, evictEpoch)
			tr.mu.Unlock()
			f.MarkKnown(whole(1))
		}, whole(1), false},
		{"the end of the track", func(t *testing.T, tr *Track) {
			must(t, open(t, tr, 1, 0).Append(marker(0, model.StatusEndOfTrack), nil))
		}, span2(at(1, 0), model.Forever), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			tr := New(Config{})
			row.do(t, tr)
			if got := tr.Covered(row.r); got != row.want {
				t.Errorf("Covered(%v) = %v", row.r, got)
			}
		})
	}
}

func TestFetchedObjectsAreNotAnnounced(t *testing.T) {
	tr := New(Config{})
	c, _ := tr.NewCursor(&bell{})
	must(t, tr.AddFetched(&FetchedObject{Location: at(1, 0), Form: formA, Payload: []byte("x")}))
	if e := c.Next(); e.Kind != EventNone || tr.Largest().Set {
		t.Errorf("event = %v, largest %v", e.Kind, tr.Largest())
	}
	// The live copy is not a duplicate: subscribers wait for it.
	must(t, open(t, tr, 1, 0).Append(obj(0), []byte("x")))
	if e := c.Next(); e.Kind != EventRun {
		t.Errorf("event = %v", e.Kind)
	}
	err := tr.AddFetched(&FetchedObject{Location: at(1, 0), Form: formA, Payload: []byte("xx")})
	if _, ok := errors.AsType[*MalformedError](err); !ok {
		t.Errorf("another payload: %v", err)
	}
}

// TestRangeAgainstAList puts objects into a track in every way and compares
// what a RangeReader finds with a list, in both orders.
// Duties: 66.
func TestRangeAgainstAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := New(Config{})
		live := rapid.Bool().Draw(t, "live")
		if live {
			tr.LiveFrom(at(0, 0))
		}
		held := map[model.Location]bool{}
		var top model.Location
		loc := rapid.Custom(func(t *rapid.T) model.Location {
			return at(rapid.Uint64Range(0, 5).Draw(t, "group"), rapid.Uint64Range(0, 9).Draw(t, "object"))
		})
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			l := loc.Draw(t, "at")
			how := rapid.IntRange(0, 2).Draw(t, "how")
			if how == 2 {
				l.Group = 5 // datagrams have a group of their own
			} else {
				l.Group %= 5
			}
			switch how {
			case 0:
				w, err := tr.OpenSubgroup(SubgroupKey{l.Group, l.Object}, SubgroupInfo{Form: formA})
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Append(obj(l.Object), []byte("x")); err != nil {
					t.Fatal(err)
				}
				w.Abort(0)
			case 1:
				if err := tr.AddFetched(&FetchedObject{Location: l, Subgroup: l.Object, Form: formA, Payload: []byte("x")}); err != nil {
					t.Fatal(err)
				}
			case 2:
				if err := tr.AppendDatagram(&Datagram{Location: l, Form: formA, Payload: []byte("x")}); err != nil {
					t.Fatal(err)
				}
			}
			held[l] = true
			if top.Less(l) {
				top = l
			}
		}
		r := span2(loc.Draw(t, "from"), loc.Draw(t, "to"))
		tr.MarkKnown(span2(loc.Draw(t, "known"), loc.Draw(t, "known to")))
		for _, order := range []model.GroupOrder{model.Ascending, model.Descending} {
			var want []model.Location
			for l := range held {
				if r.Contains(l) {
					want = append(want, l)
				}
			}
			slices.SortFunc(want, func(a, b model.Location) int {
				if order == model.Descending && a.Group != b.Group {
					return b.Compare(a)
				}
				return a.Compare(b)
			})
			var got []model.Location
			covered := true
			rr := tr.Range(r, order)
			for n := 0; ; n++ {
				it, err := rr.Next()
				if err == io.EOF {
					break
				}
				if err != nil || n > 200 {
					t.Fatalf("error %v after %d items", err, n)
				}
				if it.Object == nil {
					covered = false
					for l := range held {
						if it.Unknown.Contains(l) {
							t.Fatalf("held %v is in unknown %v", l, it.Unknown)
						}
					}
					if !r.Contains(it.Unknown.Start) || !r.Contains(it.Unknown.End) || it.Unknown.Empty() {
						t.Fatalf("unknown %v of %v", it.Unknown, r)
					}
					continue
				}
				got = append(got, it.Object.Location)
			}
			rr.Close()
			if !slices.Equal(got, want) {
				t.Fatalf("%v %v: got %v, want %v", r, order, got, want)
			}
			if !r.Empty() && !tr.Largest().Or(at(0, 0)).Less(r.End) && tr.Largest().Set {
				if is := tr.Covered(r); is != covered {
					t.Fatalf("%v %v: Covered = %v, but the reader found unknown: %v", r, order, is, !covered)
				}
			}
		}
	})
}

func TestRangeReaderOutlivesEviction(t *testing.T) {
	tr := New(Config{})
	tr.LiveFrom(at(0, 0))
	for g := range uint64(4) {
		oneObject(t, tr, g, 100)
	}
	rr := tr.Range(span2(at(0, 0), at(3, 0)), model.Ascending)
	defer rr.Close()
	if it, err := rr.Next(); err != nil || it.Object.Location != at(0, 0) {
		t.Fatal(it, err)
	}
	tr.mu.Lock()
	tr.evictGroup(0, evictEpoch)
	tr.evictGroup(0, evictEpoch)
	tr.mu.Unlock()
	if it, err := rr.Next(); err != nil || it.Object != nil || it.Unknown.End != at(1, model.MaxID) {
		t.Errorf("item = %+v, %v; want group 1 unknown", it, err)
	}
	if it, err := rr.Next(); err != nil || it.Object == nil || it.Object.Location != at(2, 0) {
		t.Errorf("item = %+v, %v; want 2/0", it, err)
	}
	tr.NewEpoch(model.DoneTrackEnded, "")
	if _, err := rr.Next(); !errors.Is(err, ErrEnded) {
		t.Errorf("error = %v", err)
	}
}
