package relay

import (
	"context"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// paused begins a track of which the relay has 5/0 and 5/1, that was paused
// since, and of which the publisher has got to 7/1.
func (s *stage) paused() (pub, sub *actor, in *session.Inbound, out *session.Outbound) {
	s.t.Helper()
	pub, sub = s.join(), s.join()
	pub.publish("moq-date", "date", session.Offer{})
	in = sub.mustSubscribe(date)
	out = pub.outbound("date")
	pub.stream(out, 5, 0, 2).end()
	sub.want("before", "5/0 5/1 end 5/2")
	s.forward(in, false)
	s.settle()
	if out.Terms().Forward {
		s.t.Error("the publisher is not paused")
	}
	pub.past["date"] = append(append(locations(5, 0, 2), locations(6, 0, 2)...), locations(7, 0, 2)...)
	out.SetLargest(func() model.Opt[model.Location] { return model.Some(loc(7, 1)) })
	pass(time.Minute)
	return pub, sub, in, out
}

func (s *stage) forward(in *session.Inbound, on bool) model.Opt[model.Location] {
	s.t.Helper()
	largest, err := in.Update(s.ctx, session.Change{Forward: model.Some(on)})
	if err != nil {
		s.t.Error(err)
	}
	return largest
}

const sinceThen = "5/0 5/1 6/0 6/1 7/0 7/1"

// TestJoiningAPausedTrack: the largest location that the relay has seen is not
// the one that the publisher has.
// Duties: 29.
func TestJoiningAPausedTrack(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, _, _, out := s.paused()
		a := s.join()
		in := a.mustSubscribe(date)
		if in.Offer.Largest != model.Some(loc(7, 1)) {
			t.Errorf("SUBSCRIBE_OK says that the largest location is %v", in.Offer.Largest)
		}
		a.wantFetch("what came before", session.FetchOptions{Join: &session.Join{To: in, Start: 5}}, sinceThen)
		pub.stream(out, 7, 2, 1)
		a.want("what comes after", "7/2")
	})
}

// TestResumingAPausedTrack: the same for who paused it.
// Duties: 29.
func TestResumingAPausedTrack(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, in, out := s.paused()
		if l := s.forward(in, true); l != model.Some(loc(7, 1)) {
			t.Errorf("REQUEST_OK says that the largest location is %v", l)
		}
		sub.wantFetch("what came during the pause", session.FetchOptions{Join: &session.Join{To: in, Start: 5}}, sinceThen)
		pub.stream(out, 7, 2, 1)
		sub.want("what comes after", "7/2")
	})
}

// TestPausedTrackIsAskedFor: while a track is paused only the publisher knows
// how far it is.
func TestPausedTrackIsAskedFor(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, _, _ := s.paused()
		sub.wantFetch("of what the log has", session.FetchOptions{Range: span(5, 0, 5, 1)}, "5/0 5/1")
		pub.wantCounts("it has it", 1, 0)
		sub.wantFetch("beyond what the log has", session.FetchOptions{Range: span(5, 0, 9, 9)}, sinceThen)
		sub.wantFetch("all beyond it", session.FetchOptions{Range: span(6, 1, 9, 9)}, "6/1 7/0 7/1")
		pub.wantCounts("it does not", 1, 2)
		offer, err := sub.TrackStatusOf(date)
		if err != nil || offer.Largest != model.Some(loc(7, 1)) {
			t.Errorf("TRACK_STATUS of a publisher that does not serve it: %+v, %v", offer, err)
		}
	})
}

// TestSilentPublisherIsNotAwaitedForEver: SUBSCRIBE_OK comes in time even if
// the publisher does not say that it resumes.
func TestSilentPublisherIsNotAwaitedForEver(t *testing.T) {
	play(t, Config{UpstreamTimeout: 3 * time.Second}, func(t *testing.T, s *stage) {
		_, _, _, out := s.paused()
		release := make(chan struct{})
		out.SetLargest(func() model.Opt[model.Location] { <-release; return model.Some(loc(7, 1)) })
		began := time.Now()
		in := s.join().mustSubscribe(date)
		if d := time.Since(began); d != 3*time.Second {
			t.Errorf("accepted after %v", d)
		}
		if in.Context().Err() != nil {
			t.Error(context.Cause(in.Context()))
		}
		close(release)
	})
}

// TestNothingIsTakenForAbsentAfterAPause: groups of the pause were not seen,
// which does not mean that they do not exist.
func TestNothingIsTakenForAbsentAfterAPause(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, in, out := s.paused()
		s.forward(in, true)
		pub.stream(out, 8, 0, 1).Close()
		sub.want("live", "8/0")
		pass(time.Minute)
		pub.past["date"] = append(pub.past["date"], loc(8, 0))
		sub.wantFetch("all", session.FetchOptions{Range: span(5, 0, 8, 0)}, sinceThen+" 8/0")
		pub.wantCounts("the publisher was asked", 1, 1)
	})
}

// TestPublisherThatHidesItsLargestLocation: a track is published while nobody
// wants it, and goes on unseen. When it is wanted the publisher answers without
// LARGEST_OBJECT, as it may only if it has published nothing (section 10.2.11).
// What it does not tell of is asked for all the same.
func TestPublisherThatHidesItsLargestLocation(t *testing.T) {
	for _, tt := range []struct {
		name    string
		unseen  []model.Location
		fetched string
	}{
		{"although there is one", locations(100, 0, 1), "100/0 101/0 101/1 102/0"},
		{"because there is none", nil, "101/0 101/1 102/0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				pub, sub := s.join(), s.join()
				out := pub.push(date, session.Offer{})
				s.settle()
				if out.Terms().Forward {
					t.Error("the relay wants what nobody wants")
				}
				in := sub.mustSubscribe(date)
				pub.stream(out, 101, 0, 2).Close()
				sub.want("a group", "101/0 101/1")
				pub.stream(out, 102, 0, 1).Close()
				sub.want("the next", "102/0")
				pass(time.Minute)
				if l := in.Offer.Largest; l.Set {
					t.Errorf("SUBSCRIBE_OK says that the largest location is %v", l.Value)
				}
				pub.past["date"] = append(append(tt.unseen, locations(101, 0, 2)...), loc(102, 0))
				a := s.join()
				joined := a.mustSubscribe(date)
				a.wantFetch("from where the relay has come in", session.FetchOptions{Range: span(101, 0, 102, 0)}, "101/0 101/1 102/0")
				pub.wantCounts("the log has it", 0, 0)
				for range 2 {
					a.wantFetch("three groups", session.FetchOptions{Join: &session.Join{To: joined, Relative: true, Start: 2}}, tt.fetched)
					pub.wantCounts("the publisher is asked once", 0, 1)
				}
			})
		})
	}
}
