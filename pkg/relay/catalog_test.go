package relay

import (
	"testing"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// joins are the ways in which a late joiner gets the one object of a track, each
// with what it did not get.
var joins = []struct {
	name string
	join func(a *actor, track model.FullTrackName)
}{
	{"joining fetch", func(a *actor, track model.FullTrackName) {
		a.wantFetch("joining fetch", session.FetchOptions{Join: &session.Join{To: a.mustSubscribe(track), Relative: true}}, "0/0")
	}},
	{"absolute joining fetch", func(a *actor, track model.FullTrackName) {
		a.wantFetch("absolute joining fetch", session.FetchOptions{Join: &session.Join{To: a.mustSubscribe(track)}}, "0/0")
	}},
	{"from the beginning", func(a *actor, track model.FullTrackName) {
		if _, err := a.subscribe(track, session.Change{Filter: model.Some(model.From(loc(0, 0)))}); err != nil {
			a.t.Error(err)
		}
		a.want("from the beginning", "0/0")
	}},
	{"fetch", func(a *actor, track model.FullTrackName) {
		a.wantFetch("fetch", session.FetchOptions{Track: track, Range: span(0, 0, 0, model.MaxID)}, "0/0")
	}},
}

// TestCatalogsReachLateJoiners of every draft in every way, whichever was the first:
// those of tracks that were complete before the relay knew them.
// Duties in drafts 18, 16, 14: 68.
func TestCatalogsReachLateJoiners(t *testing.T) {
	for first := range joins {
		t.Run(joins[first].name, func(t *testing.T) {
			betweenDrafts(t, Config{Rules: rules(t, "a/*=lazy+replay")}, func(c *crossing) {
				c.pub = c.s.joinDraft(c.from, transport.QUIC)
				c.pub.past["catalog"] = []model.Location{{}}
				c.pub.publish("a", "catalog", largest(0, 0))
				for i := range 2 * len(joins) {
					joins[(first+i)%len(joins)].join(c.s.joinDraft(c.to, transport.QUIC), name("a", "catalog"))
				}
				if _, fetches := c.pub.counts(); fetches > 2 {
					c.t.Errorf("%d fetches upstream", fetches) // one while nobody subscribed, for the whole group
				}
			})
		})
	}
}

// TestCatalogsThatPassed: the relay has seen the object itself, and the publisher
// serves no fetches. No policy is needed.
func TestCatalogsThatPassed(t *testing.T) {
	betweenDrafts(t, Config{}, func(c *crossing) {
		c.pub = c.s.joinDraft(c.from, transport.QUIC)
		c.pub.publish("a", "catalog", session.Offer{})
		early := c.s.joinDraft(c.to, transport.QUIC)
		early.mustSubscribe(name("a", "catalog"))
		c.pub.stream(c.pub.outbound("catalog"), 0, 0, 1).Close()
		early.want("live", "0/0")
		for _, j := range joins {
			j.join(c.s.joinDraft(c.to, transport.QUIC), name("a", "catalog"))
		}
	})
}

// TestReplayIsNotTheDefault: a subscription gets what comes (section 10.7), unless
// the policy says otherwise.
// Duties: 31.
func TestReplayIsNotTheDefault(t *testing.T) {
	for policy, want := range map[string]string{"*=lazy": "", "*=lazy+replay": "5/0 5/1"} {
		play(t, Config{Rules: rules(t, policy)}, func(t *testing.T, s *stage) {
			pub, sub := s.join(), s.join()
			pub.past["date"] = locations(5, 0, 2)
			pub.publish("moq-date", "date", largest(5, 1))
			if _, err := sub.subscribe(date, session.Change{Filter: model.Some(model.From(loc(0, 0)))}); err != nil {
				t.Fatal(err)
			}
			sub.want(policy, want)
			pub.stream(pub.outbound("date"), 5, 2, 1)
			sub.want("what comes", "5/2")
		})
	}
}

// TestManyReplaysAskOnce: of those who begin in the past at once one asks upstream.
func TestManyReplaysAskOnce(t *testing.T) {
	play(t, Config{Rules: rules(t, "*=lazy+replay")}, func(t *testing.T, s *stage) {
		pub := s.join()
		pub.publish("moq-date", "date", largest(5, 1))
		asked := pub.answerFetches(loc(5, 1))
		var all []*actor
		for range 20 {
			a := s.join()
			all = append(all, a)
			s.work.Go(func() {
				_, err := a.sess.Subscribe(s.ctx, session.SubscribeOptions{Track: date, Change: session.Change{Filter: model.Some(model.From(loc(5, 0)))}}, a)
				if err != nil {
					t.Error(err)
				}
			})
		}
		p := <-asked
		s.settle()
		p.put(loc(5, 0), loc(5, 1))
		p.finish()
		for _, a := range all {
			a.want("the group", "5/0 5/1")
		}
		pub.wantCounts("for all", 1, 1)
	})
}
