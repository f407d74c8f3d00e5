package relay

import (
	"testing"

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
