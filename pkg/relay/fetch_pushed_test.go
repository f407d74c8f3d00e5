package relay

import (
	"context"
	"slices"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

// TestFetchOfATrackThatWasPublished: tracks that came by PUBLISH are fetched like
// others, from their publisher and, when it has gone, from the log.
func TestFetchOfATrackThatWasPublished(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.past["date"] = slices.Concat(locations(4, 0, 2), locations(5, 0, 2), locations(6, 0, 2))
		out := pub.push(date, largest(5, 1))
		join := &session.Join{To: sub.mustSubscribe(date), Relative: true}
		sub.wantFetch("the present group", session.FetchOptions{Join: join}, "5/0 5/1")
		pub.stream(out, 6, 0, 2).end()
		sub.want("live", "6/0 6/1 end 6/2")
		pass(settleTime)
		late := s.join()
		late.wantFetch("all of it", session.FetchOptions{Range: span(4, 0, 6, 1)}, "4/0 4/1 5/0 5/1 6/0 6/1")
		pub.wantCounts("the group before was asked for", 0, 2)
		late.wantFetch("newest first", session.FetchOptions{Range: span(4, 0, 6, 1), Order: model.Descending}, "6/0 6/1 5/0 5/1 4/0 4/1")
		pub.wantCounts("all is in the log", 0, 2)
		pub.sess.Close(model.NoError, "gone")
		pass(time.Hour)
		late.wantFetch("after it", session.FetchOptions{Range: span(4, 0, 6, 1)}, "4/0 4/1 5/0 5/1 6/0 6/1")
		late.wantFetch("what nobody knows", session.FetchOptions{Range: span(3, 0, 4, 1)}, "unknown..3/18446744073709551615 4/0 4/1")
	})
}

// TestFetchTellsTheEndOfTheTrack in FETCH_OK, whoever knows of it.
func TestFetchTellsTheEndOfTheTrack(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, _, out := s.live()
		g := pub.open(out, wire.SubgroupHeader{Group: 1, FirstObject: true})
		g.put(wire.ObjectHeader{ID: 0}, "1/0")
		g.put(wire.ObjectHeader{ID: 1}, "1/1")
		g.put(wire.ObjectHeader{ID: 2, Status: model.StatusEndOfTrack}, "")
		s.settle()
		for end, want := range map[model.Location]bool{loc(1, 0): false, loc(1, 1): true, loc(1, 2): true, loc(9, 9): true} {
			f := s.join().ask(model.Range{End: end}, model.Ascending)
			if info, err := f.OK(s.ctx); err != nil || info.EndOfTrack != want {
				t.Errorf("up to %v: %+v, %v, want end of track %v", end, info, err, want)
			}
			f.Cancel()
		}
	})
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", largest(5, 1))
		pub.past["date"] = locations(5, 0, 2)
		pub.fetching = func(_ context.Context, r *session.FetchRequest) {
			if r.Accept(session.FetchInfo{End: loc(5, 1), EndOfTrack: true}) == nil {
				if st, _, header, err := r.Open(s.ctx); err == nil {
					_, _ = st.Write(header)
					_ = st.Close()
				}
				r.Finish()
			}
		}
		f := sub.ask(span(5, 0, 9, 9), model.Ascending)
		if info, err := f.OK(s.ctx); err != nil || !info.EndOfTrack || info.End != loc(5, 1) {
			t.Errorf("the publisher says the end of the track: %+v, %v", info, err)
		}
		f.Cancel()
	})
}
