package relay

import (
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// TestHoleAtTheLiveEdge: streams overtake each other, and a joiner comes in
// between. Its subscription begins after the largest object, its FETCH covers
// all before, so an object that is late must be in one of the two, even if the
// relay gets it only after both have begun.
// Duties: 68.
func TestHoleAtTheLiveEdge(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, late  model.Location // late is published first and arrives last
		after         model.Location
		fetched, live string
	}{
		{"within a group", loc(5, 2), loc(5, 1), loc(5, 3), "5/0 5/1 5/2", "5/3"},
		{"across groups", loc(6, 0), loc(5, 1), loc(6, 1), "5/0 5/1 6/0", "6/1"},
		{"a whole group", loc(7, 0), loc(6, 0), loc(7, 1), "5/0 6/0 7/0", "7/1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				pub, _, out := s.live()
				pub.streamPerObject = true
				single := func(l model.Location) { pub.single(out, l) }
				single(loc(5, 0))
				pass(time.Minute)
				single(tt.before)
				pub.past["date"] = []model.Location{loc(5, 0), tt.late, tt.before}
				s.settle()

				joiner := s.join()
				in, err := joiner.subscribe(date, session.Change{Filter: model.Some(model.NextObject)})
				if err != nil {
					t.Fatal(err)
				}
				if in.Offer.Largest != model.Some(tt.before) {
					t.Errorf("largest %v", in.Offer.Largest)
				}
				joiner.wantFetch("the past", session.FetchOptions{Join: &session.Join{To: in, Start: 5}}, tt.fetched)
				single(tt.late)
				single(tt.after)
				joiner.want("live", tt.live)

				pass(time.Minute)
				s.join().wantFetch("later, from the log", session.FetchOptions{Range: model.Range{Start: loc(5, 0), End: tt.before}}, tt.fetched)
				pub.wantCounts("one fetch", 1, 1)
			})
		})
	}
}

// TestSkippedGroupsDoNotExist: after a while a group that was jumped over is
// not asked for any more.
func TestSkippedGroupsDoNotExist(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		pub.stream(out, 100, 0, 1).Close()
		pub.stream(out, 200, 0, 1).Close()
		sub.want("live", "100/0 200/0")
		pass(settleTime)
		sub.wantFetch("from the log", session.FetchOptions{Range: span(0, 0, 200, 0)}, "100/0 200/0")
		pub.wantCounts("no fetch", 1, 0)
	})
}

// TestStreamsThatArriveLate: viewers who were there get everything.
func TestStreamsThatArriveLate(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		for _, l := range []model.Location{loc(5, 3), loc(5, 1), loc(6, 0), loc(5, 0), loc(5, 2), loc(4, 0)} {
			pub.single(out, l)
		}
		sub.want("all of them", "4/0 5/0 5/1 5/2 5/3 6/0")
	})
}
