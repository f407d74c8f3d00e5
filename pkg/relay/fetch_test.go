package relay

import (
	"errors"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// span is a range of locations, ends included.
func span(g, o, endG, endO uint64) model.Range {
	return model.Range{Start: loc(g, o), End: loc(endG, endO)}
}

// wantFetch compares what a FETCH of the track moq-date/date brings.
func (a *actor) wantFetch(why string, opts session.FetchOptions, want string) {
	a.t.Helper()
	if opts.Join == nil && opts.Track.Name == "" {
		opts.Track = date
	}
	got, err := a.fetch(opts)
	if err != nil || got != want {
		a.t.Errorf("%s: fetched %q, %v, want %q", why, got, err, want)
	}
}

// wantRefused checks with which code a FETCH of moq-date/date is refused.
func (a *actor) wantRefused(why string, opts session.FetchOptions, code model.RequestCode) {
	a.t.Helper()
	if opts.Join == nil && opts.Track.Name == "" {
		opts.Track = date
	}
	if got, err := a.fetch(opts); !errors.Is(err, &model.RequestError{Code: code, Remote: true}) {
		a.t.Errorf("%s: fetched %q, %v, want %v", why, got, err, code)
	}
}

func (a *actor) wantCounts(why string, subscribes, fetches int) {
	a.t.Helper()
	if s, f := a.counts(); s != subscribes || f != fetches {
		a.t.Errorf("%s: the publisher saw %d subscriptions and %d fetches, want %d and %d", why, s, f, subscribes, fetches)
	}
}

// live begins a track of which nothing was published before, with a subscriber
// that keeps it flowing.
func (s *stage) live() (pub, sub *actor, out *session.Outbound) {
	s.t.Helper()
	pub, sub = s.join(), s.join()
	pub.publish("moq-date", "date", session.Offer{})
	sub.in = append(sub.in, sub.mustSubscribe(date))
	return pub, sub, pub.outbound("date")
}

// locations lists the objects of a group.
func locations(group, from, to uint64) (all []model.Location) {
	for ; from < to; from++ {
		all = append(all, loc(group, from))
	}
	return all
}

func TestFetchFromTheLog(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		pub.stream(out, 1, 0, 3).end()
		pub.stream(out, 2, 0, 2).end()
		pub.stream(out, 3, 0, 2)
		sub.want("live", "1/0 1/1 1/2 end 1/3 2/0 2/1 end 2/2 3/0 3/1")
		pass(settleTime)
		late := s.join()
		late.wantFetch("everything", session.FetchOptions{Range: span(0, 0, 9, 9)}, "1/0 1/1 1/2 2/0 2/1 3/0 3/1")
		late.wantFetch("a part", session.FetchOptions{Range: span(1, 1, 2, 0)}, "1/1 1/2 2/0")
		late.wantFetch("a whole group", session.FetchOptions{Range: span(2, 0, 2, model.MaxID)}, "2/0 2/1")
		late.wantFetch("newest group first", session.FetchOptions{Range: span(1, 0, 3, 9), Order: model.Descending}, "3/0 3/1 2/0 2/1 1/0 1/1 1/2")
		late.wantFetch("an empty range", session.FetchOptions{Range: span(1, 7, 1, 9)}, "")
		late.wantRefused("beyond the live edge", session.FetchOptions{Range: span(3, 2, 9, 0)}, model.InvalidRange)
		late.wantRefused("another track", session.FetchOptions{Track: name("moq-date", "other"), Range: span(0, 0, 9, 9)}, model.InvalidRange)
		pub.wantCounts("all but the last came from the log", 1, 1)
	})
}

// TestFetchEndsWhereTheTrackIs checks FETCH_OK.
// Duties: 25, 67.
func TestFetchEndsWhereTheTrackIs(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, _, out := s.live()
		pub.stream(out, 1, 0, 3)
		s.settle()
		for end, want := range map[model.Location]model.Location{
			loc(1, 1): loc(1, 1), loc(1, 2): loc(1, 2), loc(1, model.MaxID): loc(1, 2), loc(7, 0): loc(1, 2),
		} {
			f, err := s.join().sess.Fetch(t.Context(), session.FetchOptions{Track: date, Range: model.Range{End: end}})
			if err != nil {
				t.Fatal(err)
			}
			if info, err := f.OK(t.Context()); err != nil || info.End != want {
				t.Errorf("asked up to %v: FETCH_OK says %v, %v, want %v", end, info.End, err, want)
			}
			f.Cancel()
		}
	})
}

// Duties: 64, 66, 69.
func TestFetchIsKept(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", largest(5, 2))
		pub.past["date"] = append(locations(4, 0, 3), locations(5, 0, 3)...)
		sub.mustSubscribe(date)
		sub.wantFetch("from the publisher", session.FetchOptions{Range: span(4, 0, 5, 2)}, "4/0 4/1 4/2 5/0 5/1 5/2")
		pub.wantCounts("the first asker", 1, 1)
		late := s.join()
		late.wantFetch("from the log", session.FetchOptions{Range: span(4, 0, 5, 2)}, "4/0 4/1 4/2 5/0 5/1 5/2")
		late.wantFetch("a part", session.FetchOptions{Range: span(4, 2, 5, 0)}, "4/2 5/0")
		late.wantFetch("descending", session.FetchOptions{Range: span(4, 0, 5, 2), Order: model.Descending}, "5/0 5/1 5/2 4/0 4/1 4/2")
		pub.wantCounts("those after it", 1, 1)
		late.wantFetch("more than that", session.FetchOptions{Range: span(3, 0, 5, 2)}, "4/0 4/1 4/2 5/0 5/1 5/2")
		pub.wantCounts("what was not asked for before", 1, 2)
	})
}

// TestFetchWithoutSubscription: what was fetched stays for as long as the
// publisher is there; one that comes anew may have begun anew.
func TestFetchWithoutSubscription(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, a := s.join(), s.join()
		ns := pub.publish("moq-date", "date", largest(5, 2))
		pub.past["date"] = locations(5, 0, 3)
		a.wantFetch("first", session.FetchOptions{Range: span(5, 0, 5, 2)}, "5/0 5/1 5/2")
		a.wantFetch("again", session.FetchOptions{Range: span(5, 0, 5, 2)}, "5/0 5/1 5/2")
		a.wantFetch("a part", session.FetchOptions{Range: span(5, 1, 5, 1)}, "5/1")
		pub.wantCounts("once", 0, 1)
		pub.past["date"] = locations(5, 0, 5)
		a.wantFetch("it may have grown", session.FetchOptions{Range: span(5, 0, 5, 9)}, "5/0 5/1 5/2 5/3 5/4")
		pub.wantCounts("what was not there", 0, 2)

		pub.past["date"] = locations(5, 1, 2)
		ns.Withdraw()
		s.settle()
		pub.publish("moq-date", "date", largest(5, 1))
		a.wantFetch("another life", session.FetchOptions{Range: span(5, 0, 5, 1)}, "5/1")
		pub.wantCounts("the first of it", 0, 3)
		a.wantFetch("the same life", session.FetchOptions{Range: span(5, 0, 5, 1)}, "5/1")
		pub.wantCounts("the second of it", 0, 3)

		pub.sess.Close(model.NoError, "gone")
		pass(time.Second)
		a.wantFetch("nobody is there", session.FetchOptions{Range: span(5, 0, 5, 1)}, "5/1")
	})
}

// Duties: 66.
func TestFetchDescendingIsPassedOn(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", largest(5, 1))
		pub.past["date"] = append(locations(5, 0, 2), locations(4, 0, 2)...) // as it sends them
		sub.mustSubscribe(date)
		sub.wantFetch("passed on", session.FetchOptions{Range: span(4, 0, 5, 1), Order: model.Descending}, "5/0 5/1 4/0 4/1")
		sub.wantFetch("kept", session.FetchOptions{Range: span(4, 0, 5, 1), Order: model.Descending}, "5/0 5/1 4/0 4/1")
		pub.wantCounts("two fetches", 1, 1)
	})
}

// TestJoiningFetch lets subscribers join in the middle of a group, one before
// the relay has anything of it and others after.
// Duties: 68.
func TestJoiningFetch(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, first := s.join(), s.join()
		pub.publish("moq-date", "date", largest(5, 2))
		pub.past["date"] = append(locations(4, 0, 3), locations(5, 0, 3)...)
		join := func(a *actor, relative bool, start uint64) session.FetchOptions {
			return session.FetchOptions{Join: &session.Join{To: a.mustSubscribe(date), Relative: relative, Start: start}}
		}
		first.wantFetch("the present group", join(first, true, 0), "5/0 5/1 5/2")
		pub.wantCounts("the first", 1, 1)
		g := pub.stream(pub.outbound("date"), 5, 3, 1)
		first.want("what comes after", "5/3")

		second := s.join()
		second.wantFetch("the present group, which has grown", join(second, true, 0), "5/0 5/1 5/2 5/3")
		pub.wantCounts("the second", 1, 1)
		g.write(1)
		first.want("live", "5/4")
		second.want("no object twice, none left out", "5/4")

		third := s.join()
		third.wantFetch("from a group on", join(third, false, 5), "5/0 5/1 5/2 5/3 5/4")
		pub.wantCounts("the third", 1, 1)

		fourth := s.join()
		fourth.wantFetch("a group before", join(fourth, true, 1), "4/0 4/1 4/2 5/0 5/1 5/2 5/3 5/4")
		pub.wantCounts("the group before was never asked for", 1, 2)
		fifth := s.join()
		fifth.wantFetch("more groups than there are", join(fifth, true, 99), "4/0 4/1 4/2 5/0 5/1 5/2 5/3 5/4")

		ahead := s.join()
		ahead.wantRefused("a group to come", join(ahead, false, 6), model.InvalidRange)
	})
}

// Duties: 67.
func TestJoiningFetchThatCannotBe(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, a, b := s.join(), s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		in := a.mustSubscribe(date)
		a.wantRefused("nothing was published", session.FetchOptions{Join: &session.Join{To: in, Relative: true}}, model.InvalidRange)
		paused, err := b.subscribe(date, session.Change{Forward: model.Some(false)})
		if err != nil {
			t.Fatal(err)
		}
		b.wantRefused("it does not forward", session.FetchOptions{Join: &session.Join{To: paused, Relative: true}}, model.InvalidRange)
		in.Cancel(model.ResetCancelled)
		s.settle()
		a.wantRefused("it has ended", session.FetchOptions{Join: &session.Join{To: in, Relative: true}}, model.InvalidJoiningRequestID)
	})
}

// TestFetchAfterThePublisher: what is known is sent, the rest is marked.
// Duties: 37.
func TestFetchAfterThePublisher(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", largest(4, 9))
		sub.mustSubscribe(date)
		pub.stream(pub.outbound("date"), 5, 0, 2).end()
		pub.stream(pub.outbound("date"), 6, 0, 2)
		pass(time.Minute)
		sub.want("live", "5/0 5/1 end 5/2 6/0 6/1")
		pub.sess.Close(model.NoError, "gone")
		pass(time.Second)
		known := "5/0 5/1 6/0 6/1"
		sub.wantFetch("during the grace", session.FetchOptions{Range: span(5, 0, 6, 1)}, known)
		pass(time.Minute)
		sub.wantFetch("after it", session.FetchOptions{Range: span(5, 0, 6, 1)}, known)
		sub.wantFetch("what is not known before", session.FetchOptions{Range: span(3, 0, 6, 9)}, "unknown..4/9 "+known)
		sub.wantRefused("what may have come after", session.FetchOptions{Range: span(6, 2, 9, 0)}, model.DoesNotExist)
	})
}

// settle lets everything come to rest.
func (s *stage) settle() { pass(0) }
