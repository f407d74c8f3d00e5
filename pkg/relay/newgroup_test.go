package relay

import (
	"slices"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// dynamic is the offer of a track whose publisher begins groups on demand.
var dynamic = session.Offer{Properties: model.Properties{{Type: model.PropDynamicGroups, Int: 1}}}

// wantWishes compares what the publisher was asked for since the last call.
func (a *actor) wantWishes(why string, want ...uint64) {
	a.t.Helper()
	pass(0)
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.wishes, want) {
		a.t.Errorf("%s: asked for groups after %v, want %v", why, a.wishes, want)
	}
	a.wishes = nil
}

func (a *actor) wish(track model.FullTrackName, after uint64) *session.Inbound {
	a.t.Helper()
	in, err := a.subscribe(track, session.Change{NewGroup: model.Some(after)})
	if err != nil {
		a.t.Fatal(err)
	}
	return in
}

// TestNewGroupRequests: many subscribers wish for a new group, the publisher
// is asked once for each that it has not begun yet.
// Duties: 33.
func TestNewGroupRequests(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, first := s.join(), s.join()
		pub.publish("moq-date", "date", dynamic)
		in := first.wish(date, 0)
		pub.wantWishes("it goes with the SUBSCRIBE", 0)
		first2 := s.join()
		first2.wish(date, 0)
		pub.wantWishes("the same wish")
		out := pub.outbound("date")
		pub.stream(out, 5, 0, 1)
		pass(time.Second)
		s.join().wish(date, 5)
		pub.wantWishes("it has begun that one")
		s.join().wish(date, 6)
		pub.wantWishes("the next one", 6)
		s.join().wish(date, 6)
		s.join().wish(date, 0)
		pub.wantWishes("that is under way")
		if _, err := in.Update(t.Context(), session.Change{NewGroup: model.Some(uint64(7))}); err != nil {
			t.Error(err)
		}
		pub.wantWishes("a later one", 7)
		pub.stream(out, 7, 0, 1)
		pass(time.Second)
		s.join().wish(date, 0)
		pub.wantWishes("the last was fulfilled", 0)
	})
}

// Duties: 33.
func TestNewGroupOfStaticTrack(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.join()
		pub.publish("moq-date", "date", session.Offer{})
		s.join().wish(date, 0)
		pub.wantWishes("the relay could not know", 0)
		s.join().wish(date, 0)
		pub.wantWishes("now it does")
	})
}
