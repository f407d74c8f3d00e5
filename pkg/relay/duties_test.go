package relay

import (
	"testing"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// TestEveryPublisherIsPausedAndResumed, not only the one that was asked first.
// Duties: 28.
func TestEveryPublisherIsPausedAndResumed(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		one, two, sub, a, b := s.redundant()
		forward := func(why string, want bool) {
			t.Helper()
			s.forward(sub.in[0], want)
			s.settle()
			if a.Terms().Forward != want || b.Terms().Forward != want {
				t.Errorf("%s: forward is %v and %v upstream", why, a.Terms().Forward, b.Terms().Forward)
			}
		}
		forward("paused", false)
		forward("resumed", true)
		one.stream(a, 1, 0, 1)
		sub.want("of the one", "1/0")
		two.stream(b, 2, 0, 1)
		sub.want("of the other", "2/0")
	})
}

// TestFetchAsksOnePublisher of several.
// Duties: 11.
func TestFetchAsksOnePublisher(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		one, two := s.join(), s.join()
		for _, pub := range []*actor{one, two} {
			pub.publish("moq-date", "date", largest(5, 1))
			pub.past["date"] = locations(5, 0, 2)
		}
		s.join().wantFetch("whoever has it", session.FetchOptions{Range: span(5, 0, 5, 1)}, "5/0 5/1")
		_, first := one.counts()
		_, second := two.counts()
		if first+second != 1 {
			t.Errorf("the publishers saw %d and %d fetches", first, second)
		}
	})
}

// TestNamespacesThatBeginWithADot are served like others, but for those of the
// session itself.
// Duties: 5.
func TestNamespacesThatBeginWithADot(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.offer("t", session.Offer{})
		track := model.FullTrackName{Namespace: model.Namespace{".future", "x"}, Name: "t"}
		if _, err := pub.sess.PublishNamespace(t.Context(), track.Namespace); err != nil {
			t.Fatal(err)
		}
		sub.mustSubscribe(track)
		pub.stream(pub.outbound("t"), 1, 0, 1)
		sub.want("its object", "1/0")
	})
}
