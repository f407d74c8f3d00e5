package relay

import (
	"testing"
	"testing/synctest"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// TestSubscribersThatJoinByGroup: they get the group that is being published
// from its beginning, once, also if they come first; others get what comes.
func TestSubscribersThatJoinByGroup(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, first := s.join(), s.joinAs("moq-lite-js")
		pub.publish("moq-date", "date", session.Offer{})
		first.mustSubscribe(date)
		out := pub.outbound("date")
		pub.stream(out, 1, 0, 2).Close()
		second := pub.stream(out, 2, 0, 3)
		first.want("all", "1/0 1/1 2/0 2/1 2/2")

		late, next, other := s.joinAs("moq-lite-js"), s.joinAs("moq-lite-js"), s.joinAs("some other")
		late.mustSubscribe(date)
		if _, err := next.subscribe(date, session.Change{Filter: model.Some(model.NextGroup)}); err != nil {
			t.Fatal(err)
		}
		other.mustSubscribe(date)
		late.want("the group so far", "2/0 2/1 2/2")
		next.want("nothing of the group", "")
		other.want("nothing of before", "")

		second.write(1)
		late.want("and on", "2/3")
		next.want("nothing of the group", "")
		other.want("from now on", "2/3")
		pub.stream(out, 3, 0, 1)
		for _, a := range []*actor{late, next, other} {
			a.want("the next group", "3/0")
		}
	})
}

// TestWhoJoinsByGroupGetsACatalog: its only object is older than the relay's
// subscription, which is made for the subscriber. Others get what comes.
func TestWhoJoinsByGroupGetsACatalog(t *testing.T) {
	for _, tt := range []struct {
		what string
		past []model.Location
		want string
	}{
		{"a publisher that serves fetches", []model.Location{{Group: 7}}, "7/0"},
		{"one that does not", nil, ""},
	} {
		t.Run(tt.what, func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				pub := s.join()
				pub.past["date"] = tt.past
				pub.publish("moq-date", "date", session.Offer{Largest: model.Some(model.Location{Group: 7})})
				other, first, second := s.join(), s.joinAs("moq-lite-js"), s.joinAs("moq-lite-js")
				if _, err := other.subscribe(date, session.Change{Filter: model.Some(model.NextObject)}); err != nil {
					t.Fatal(err)
				}
				first.mustSubscribe(date)
				first.want("what is there", tt.want)
				second.mustSubscribe(date)
				second.want("the same", tt.want)
				if _, fetches := pub.counts(); tt.past != nil && fetches != 1 {
					t.Errorf("%d fetches upstream", fetches)
				}
				pub.stream(pub.outbound("date"), 8, 0, 1)
				other.want("only what comes", "8/0")
				first.want("the next group", "8/0")
				second.want("the next group", "8/0")
			})
		})
	}
}

// TestWhoJoinsByGroupGetsTheGroupOnce: what was published of a group before the
// relay had subscribed comes before what is published after, in one stream.
func TestWhoJoinsByGroupGetsTheGroupOnce(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, viewer := s.join(), s.joinAs("moq-lite-js")
		pub.past["date"] = []model.Location{{Group: 7}, {Group: 7, Object: 1}}
		pub.publish("moq-date", "date", session.Offer{Largest: model.Some(model.Location{Group: 7, Object: 1})})
		viewer.mustSubscribe(date)
		viewer.want("the past of the group", "7/0 7/1")
		live := pub.stream(pub.outbound("date"), 7, 2, 2)
		viewer.want("and on", "7/2 7/3")
		live.Close()
		late := s.joinAs("moq-lite-js")
		late.mustSubscribe(date)
		late.want("all of it", "7/0 7/1 7/2 7/3")
		pub.stream(pub.outbound("date"), 8, 0, 1).Close()
		viewer.want("the next", "8/0")
		late.want("the next", "8/0")
	})
}

// TestPublishersThatTakeNoUpdate: their tracks are not paused, which needs an
// update; those of others are, until somebody wants them.
func TestPublishersThatTakeNoUpdate(t *testing.T) {
	for implementation, updates := range map[string]bool{"imquic 0.0.2/alpha": false, "some other": true} {
		play(t, Config{}, func(t *testing.T, s *stage) {
			pub := s.joinAs(implementation)
			told := make(chan bool, 8)
			out, err := pub.sess.Publish(s.ctx, session.PublishOptions{Track: date, OnUpdate: func(_, next session.Terms, _ model.Opt[uint64]) error {
				told <- next.Forward
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if forward := out.Terms().Forward; forward == updates {
				t.Errorf("%s: FORWARD %v before anybody wants it", implementation, forward)
			}
			viewer := s.join()
			viewer.mustSubscribe(date)
			synctest.Wait()
			if got := len(told) > 0; got != updates {
				t.Errorf("%s: told to forward by an update: %v, want %v", implementation, got, updates)
			}
			pub.stream(out, 1, 0, 1)
			viewer.want("what is published", "1/0")
		})
	}
}
