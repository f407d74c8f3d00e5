package relay

import (
	"slices"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// TestCacheRules: how much of a track is kept is said by the first rule for it.
func TestCacheRules(t *testing.T) {
	play(t, Config{CacheGroups: 3, Rules: rules(t, "a/short=lazy+groups:2", "a/young=lazy+age:10s")}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.announce("a")
		for _, tt := range []struct{ track, soon, later string }{
			{"short", "unknown..3/18446744073709551615 4/0 5/0", "unknown..3/18446744073709551615 4/0 5/0"},
			{"young", "unknown..2/18446744073709551615 3/0 4/0 5/0", "unknown..4/18446744073709551615 unknown..5/0"},
			{"other", "unknown..2/18446744073709551615 3/0 4/0 5/0", "unknown..2/18446744073709551615 3/0 4/0 5/0"},
		} {
			track := name("a", tt.track)
			pub.offer(tt.track, session.Offer{})
			sub.mustSubscribe(track)
			for g := range uint64(5) {
				pub.stream(pub.outbound(tt.track), g+1, 0, 1).Close()
				s.settle()
			}
			opts := session.FetchOptions{Track: track, Range: span(1, 0, 5, 0), FillTimeout: model.Some(time.Duration(0))}
			pass(5 * time.Second)
			sub.wantFetch(tt.track+" soon", opts, tt.soon)
			pass(5*time.Second + time.Millisecond)
			sub.wantFetch(tt.track+" later", opts, tt.later)
		}
	})
}

// TestExpiredIsAskedForAgain: after MAX_CACHE_DURATION the state of an object is
// unknown (section 12.3), live and fetched, with and without a subscription.
// Duties: 62.
func TestExpiredIsAskedForAgain(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, a := s.join(), s.join(), s.join()
		offer := largest(5, 1)
		offer.Properties = model.Properties{{Type: model.PropMaxCacheDuration, Int: 1000}}
		pub.publish("moq-date", "date", offer)
		pub.past["date"] = append(locations(5, 0, 2), locations(6, 0, 2)...)
		in := sub.mustSubscribe(date)
		pub.stream(pub.outbound("date"), 6, 0, 2).Close()
		s.settle()
		all := session.FetchOptions{Range: span(5, 0, 6, 1)}
		for want := 1; want <= 3; want++ {
			a.wantFetch("asked for", all, "5/0 5/1 6/0 6/1")
			pub.wantCounts("it is not there any more", 1, want)
			pass(900 * time.Millisecond)
			a.wantFetch("still there", session.FetchOptions{Range: span(5, 0, 5, 1)}, "5/0 5/1")
			pub.wantCounts("it is", 1, want)
			pass(time.Second)
		}
		in.Cancel(model.ResetCancelled)
		s.settle()
		a.wantFetch("without a subscription", all, "5/0 5/1 6/0 6/1")
		pass(2 * time.Second)
		a.wantFetch("again", all, "5/0 5/1 6/0 6/1")
		pub.wantCounts("each time", 1, 5)
		pub.sess.Close(model.NoError, "gone")
		s.settle()
		a.wantFetch("from the log", all, "5/0 5/1 6/0 6/1")
		pass(2 * time.Second)
		a.wantRefused("nobody is left to be asked", all, model.DoesNotExist)
	})
}

// TestExpiresWhileItIsSent: what a slow fetch of the log finds expired is asked for.
func TestExpiresWhileItIsSent(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		offer := largest(5, 3)
		offer.Properties = model.Properties{{Type: model.PropMaxCacheDuration, Int: 1000}}
		pub.publish("moq-date", "date", offer)
		pub.past["date"] = locations(5, 0, 4)
		sub.mustSubscribe(date)
		sub.wantFetch("into the log", session.FetchOptions{Range: span(5, 0, 5, 3)}, "5/0 5/1 5/2 5/3")
		pass(900 * time.Millisecond)
		it := s.only()
		f := &fetch{
			t: it, rng: span(5, 0, 5, 3), largest: it.log.Largest(), known: true, ctx: t.Context(), fill: t.Context(),
			req: &session.FetchRequest{Track: date, Order: model.Ascending},
		}
		s.r.mu.Lock()
		f.publishers = it.fetchableLocked()
		for p := range s.r.peers {
			if !slices.Contains(f.publishers, p) {
				f.peer = p
			}
		}
		s.r.mu.Unlock()
		source := &stitched{f: f}
		defer source.close()
		source.begin(nothing, nil)
		for i := range 4 {
			item, err := source.Next(t.Context())
			if err != nil || item.Object == nil || item.Object.Location != loc(5, uint64(i)) {
				t.Fatalf("%+v, %v", item, err)
			}
			pass(100 * time.Millisecond)
		}
		pub.wantCounts("the rest", 1, 2)
	})
}

// TestIdleTracksExpire: nothing is left of a track that nobody uses and of which
// nothing may be sent any more.
func TestIdleTracksExpire(t *testing.T) {
	play(t, Config{Rules: rules(t, "a/young=lazy+age:10s")}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.announce("a")
		for _, track := range []string{"young", "other"} {
			pub.offer(track, session.Offer{})
			in := sub.mustSubscribe(name("a", track))
			pub.stream(pub.outbound(track), 1, 0, 1).Close()
			s.settle()
			in.Cancel(model.ResetCancelled)
		}
		pass(8 * time.Second)
		sub.wantFetch("it is used", session.FetchOptions{Track: name("a", "young"), Range: span(1, 0, 1, 0)}, "1/0")
		pass(9 * time.Second)
		if names, _ := s.tracks(); !names["young"] {
			t.Errorf("kept are %v", names)
		}
		pass(time.Second)
		if names, _ := s.tracks(); names["young"] || !names["other"] {
			t.Errorf("kept are %v", names)
		}
		pub.offer("young", session.Offer{})
		sub.mustSubscribe(name("a", "young"))
		pub.stream(pub.outbound("young"), 2, 0, 1).Close()
		sub.want("it comes again", "1/0 1/0 2/0")
	})
}
