package relay

import (
	"context"
	"errors"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

func rules(t *testing.T, texts ...string) (all []Rule) {
	t.Helper()
	for _, text := range texts {
		r, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func TestParseRule(t *testing.T) {
	for text, want := range map[string]Rule{
		"*=lazy":                     {Pattern: "*"},
		"a/*=eager":                  {Pattern: "a/*", Upstream: Upstream{Mode: Eager}},
		"a/b/*=linger:30s":           {Pattern: "a/b/*", Upstream: Upstream{Linger: 30 * time.Second}},
		"*/catalog=lazy+replay":      {Pattern: "*/catalog", Upstream: Upstream{Replay: true}},
		"*/catalog=linger:1m+replay": {Pattern: "*/catalog", Upstream: Upstream{Linger: time.Minute, Replay: true}},
		"a[b-c]/x=eager+replay":      {Pattern: "a[b-c]/x", Upstream: Upstream{Mode: Eager, Replay: true}},
		"*=lazy+groups:4":            {Pattern: "*", Cache: Cache{Groups: 4}},
		"*=eager+age:10s+groups:1+replay": {
			Pattern: "*", Upstream: Upstream{Mode: Eager, Replay: true}, Cache: Cache{Groups: 1, Age: 10 * time.Second},
		},
		"moq-date/date=linger:1h30m0s": {Pattern: "moq-date/date", Upstream: Upstream{Linger: 90 * time.Minute}},
	} {
		if got, err := ParseRule(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "lazy", "=lazy", "a=", "a=lzy", "a=eager:3s", "a=lazy:3s", "a=linger", "a=linger:x", "a=linger:-1s", "[=lazy", "a=replay", "a=lazy+replay+replay", "a=lazy+", "a=lazy+replay:1",
		"a=lazy+groups", "a=lazy+groups:0", "a=lazy+groups:x", "a=lazy+age:0s", "a=lazy+age:1", "a=lazy+age:1s+groups:2+age:3s", "a=lazy+bytes:1"} {
		if r, err := ParseRule(text); err == nil {
			t.Errorf("%q is taken for %+v", text, r)
		}
	}
}

func TestFirstRuleThatMatchesHolds(t *testing.T) {
	c := Config{CacheGroups: 9, Rules: rules(t, "a/b/*=eager", "a/*/*=linger:1s", "*=lazy+replay")}
	for track, want := range map[string]Upstream{
		"a/b": {Mode: Eager}, "a/c": {Linger: time.Second}, "a/b/c": {Replay: true}, "x": {Replay: true},
	} {
		if got, cache := c.policy(name(track, "t")); got != want || cache.Groups != 9 || cache.Age != 0 {
			t.Errorf("%s/t: %+v, want %+v", track, got, want)
		}
	}
	if got, _ := (&Config{}).policy(date); got != (Upstream{}) {
		t.Errorf("without a rule: %+v", got)
	}
}

// TestEager: the upstream subscription begins with the publisher and survives
// the last subscriber.
func TestEager(t *testing.T) {
	play(t, Config{Rules: rules(t, "moq-date/*=eager")}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		pub.wantCounts("nobody has named the track", 0, 0)
		in := sub.mustSubscribe(date)
		out := pub.outbound("date")
		in.Cancel(model.ResetCancelled)
		pass(time.Hour)
		if out.Context().Err() != nil || !out.Terms().Forward {
			t.Error("it ended with the subscriber")
		}
		pub.stream(out, 1, 0, 3).end()
		pass(time.Minute)
		s.join().wantFetch("what nobody saw", session.FetchOptions{Range: span(1, 0, 1, 2)}, "1/0 1/1 1/2")
		pub.sess.Close(model.NoError, "")
		pass(time.Second)
		again := s.join()
		again.publish("moq-date", "date", largest(2, 0))
		again.wantCounts("the publisher came back", 1, 0)
	})
}

func TestEagerPublish(t *testing.T) {
	play(t, Config{Rules: rules(t, "moq-date/*=eager")}, func(t *testing.T, s *stage) {
		pub := s.join()
		out := pub.push(date, session.Offer{})
		if !out.Terms().Forward {
			t.Error("it is paused")
		}
		pub.stream(out, 1, 0, 3).end()
		pass(time.Minute)
		s.join().wantFetch("what nobody saw", session.FetchOptions{Range: span(1, 0, 1, 2)}, "1/0 1/1 1/2")
	})
}

// TestLingerSurvivesASecondPublisher: the timer goes on when another publisher
// comes.
func TestLingerSurvivesASecondPublisher(t *testing.T) {
	play(t, Config{Rules: rules(t, "moq-date/*=linger:1m")}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		sub.mustSubscribe(date).Cancel(model.ResetCancelled)
		out := pub.outbound("date")
		pass(30 * time.Second)
		s.join().push(date, session.Offer{})
		pass(31 * time.Second)
		if out.Context().Err() == nil {
			t.Error("it stays for ever")
		}
	})
}

// TestLingeringIsLive: fetches are answered from the log meanwhile.
func TestLingeringIsLive(t *testing.T) {
	play(t, Config{Rules: rules(t, "moq-date/*=linger:1m")}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		in := sub.mustSubscribe(date)
		pub.stream(pub.outbound("date"), 1, 0, 2).end()
		sub.want("live", "1/0 1/1 end 1/2")
		in.Cancel(model.ResetCancelled)
		pass(30 * time.Second)
		pub.stream(pub.outbound("date"), 2, 0, 1)
		pass(settleTime)
		sub.wantFetch("from the log", session.FetchOptions{Range: span(1, 0, 2, 9)}, "1/0 1/1 2/0")
		pub.wantCounts("no fetch", 1, 0)
	})
}

// catalog begins a track of one object, which was published while somebody
// watched.
func (s *stage) catalog(n uint64) (pub *actor, track model.FullTrackName) {
	s.t.Helper()
	pub = s.join()
	track = name("a", "catalog")
	pub.publish("a", "catalog", session.Offer{})
	first := s.join()
	in := first.mustSubscribe(track)
	pub.stream(pub.outbound("catalog"), 0, 0, n).Close()
	s.settle()
	in.Cancel(model.ResetCancelled)
	s.settle()
	pub.offer("catalog", largest(0, n-1))
	return pub, track
}

func TestCatalogIsReplayed(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, track := s.catalog(1)
		late := s.join()
		if _, err := late.subscribe(track, session.Change{Filter: model.Some(model.From(loc(0, 0)))}); err != nil {
			t.Fatal(err)
		}
		late.want("the one object", "0/0")
		other := s.join()
		other.mustSubscribe(track)
		other.want("without a filter it is what comes from now on", "")
		pub.stream(pub.outbound("catalog"), 1, 0, 1).Close()
		late.want("the next", "1/0")
		other.want("the next", "1/0")
	})
}

func TestLongerTracksAreNotReplayed(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		_, track := s.catalog(2)
		late := s.join()
		if _, err := late.subscribe(track, session.Change{Filter: model.Some(model.From(loc(0, 0)))}); err != nil {
			t.Fatal(err)
		}
		late.want("what comes from now on", "")
	})
}

// Duties: 31.
func TestReplayPolicy(t *testing.T) {
	play(t, Config{Rules: rules(t, "*=lazy+replay")}, func(t *testing.T, s *stage) {
		_, track := s.catalog(5)
		late := s.join()
		if _, err := late.subscribe(track, session.Change{Filter: model.Some(model.From(loc(0, 2)))}); err != nil {
			t.Fatal(err)
		}
		late.want("from there on", "0/2 0/3 0/4")
	})
}

// TestPublisherEndsASubscription: what is meant by each code.
// Duties: 38.
func TestPublisherEndsASubscription(t *testing.T) {
	for _, tt := range []struct {
		code, want model.DoneCode
		after      time.Duration
	}{
		{model.DoneTrackEnded, model.DoneTrackEnded, 0},
		{model.DoneMalformedTrack, model.DoneMalformedTrack, 0},
		{model.DoneSubscriptionEnded, model.DoneSubscriptionEnded, DefaultGrace},
		{model.DoneGoingAway, model.DoneInternalError, DefaultGrace},
		{model.DoneTooFarBehind, model.DoneInternalError, DefaultGrace},
	} {
		t.Run(tt.code.String(), func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				pub, sub := s.join(), s.join()
				out := pub.push(date, session.Offer{})
				in := sub.mustSubscribe(date)
				began := time.Now()
				if err := out.Done(tt.code, "for a reason", model.Some(uint64(0))); err != nil {
					t.Fatal(err)
				}
				<-in.Context().Done()
				if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: tt.want}) || time.Since(began) != tt.after {
					t.Errorf("ended after %v with %v", time.Since(began), err)
				}
			})
		})
	}
}

// TestPublisherIsAskedAgain: one that ended the subscription, but not the track,
// may take it up again.
func TestPublisherIsAskedAgain(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		pub.stream(out, 1, 0, 2).Close()
		sub.want("before", "1/0 1/1")
		if err := out.Done(model.DoneTooFarBehind, "", model.Some(uint64(1))); err != nil {
			t.Fatal(err)
		}
		pub.offer("date", largest(2, 5))
		s.settle()
		pub.wantCounts("not at once", 1, 0)
		pass(retryPause)
		pub.wantCounts("a moment later", 2, 0)
		pub.stream(pub.outbound("date"), 2, 6, 1)
		sub.want("after", "2/6")
	})
}
