package relay

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// foreign makes a relay tell no hops, and ask for none, as those of other makers do.
func (n *network) foreign(name string) { n.relays[name].r.id = "" }

// TestForeignRelay: a publisher and a viewer at relays on either side of one that
// tells no hops, every draft.
func TestForeignRelay(t *testing.T) {
	for _, d := range allDrafts {
		t.Run(d.String(), func(t *testing.T) {
			meet(t, []string{"a", "f", "b"}, func(t *testing.T, n *network) {
				n.draft = d
				n.foreign("f")
				n.link("a", "f", "moq-date", "unheard")
				n.link("b", "f", "moq-date")
				pub, sub := n.relays["a"].join(), n.relays["b"].join()
				seen := n.relays["b"].join().watch("")
				first := pub.publish("moq-date", "date", session.Offer{})
				pub.publish("secret", "date", session.Offer{})
				seen.want("published beyond", "+moq-date")
				sub.mustSubscribe(date)
				pub.stream(pub.outbound("date"), 1, 0, 2).Close()
				sub.want("the group", "1/0 1/1")
				if l := n.relays["b"].onlyLink(); l.Namespaces != 1 || l.Tracks != 1 {
					t.Errorf("the link is %+v", l)
				}
				if _, err := n.relays["f"].join().subscribe(name("secret", "date"), session.Change{}); err == nil {
					t.Error("a namespace went over the link that is not exchanged")
				}
				first.Withdraw()
				seen.want("withdrawn", "-moq-date")
				pub.publish("moq-date", "date", session.Offer{})
				seen.want("published again", "+moq-date")

				// What nobody has told of is asked for there.
				other := n.relays["f"].join()
				if _, err := other.sess.Publish(t.Context(), session.PublishOptions{Track: name("unheard", "of")}); err != nil {
					t.Fatal(err)
				}
				viewer := n.relays["a"].join()
				viewer.mustSubscribe(name("unheard", "of"))
				if _, err := viewer.sess.TrackStatus(t.Context(), name("unheard", "of")); err != nil {
					t.Error(err)
				}
				if _, err := viewer.subscribe(name("unheard", "things"), session.Change{}); !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) {
					t.Error(err)
				}
			})
		})
	}
}

// TestForeignRing: two relays that tell hops, and one between them that does not.
// When the publisher has gone nothing is left.
// Duties: 17.
func TestForeignRing(t *testing.T) {
	meet(t, []string{"a", "b", "f"}, func(t *testing.T, n *network) {
		n.foreign("f")
		n.link("a", "f")
		n.link("b", "f")
		n.link("b", "a")
		pub := n.relays["a"].join()
		pub.publish("moq-date", "date", session.Offer{})
		pass(0)
		viewers := map[string]*actor{}
		for relay, s := range n.relays {
			viewers[relay] = s.join()
			viewers[relay].mustSubscribe(date)
		}
		pub.stream(pub.outbound("date"), 1, 0, 2).Close()
		for relay, v := range viewers {
			v.want("at "+relay, "1/0 1/1")
			if d := n.relays[relay].only().log.Counters().Duplicates.Load(); d != 0 && relay != "f" { // who subscribes to all publishers
				t.Errorf("%d duplicates at %s", d, relay)
			}
		}
		pub.sess.Close(model.NoError, "")
		pass(4 * DefaultGrace) // one relay waits after the other
		for relay := range n.relays {
			n.wantTrack(relay, 0, 0)
			n.wantNoPublishers(relay)
		}
	})
}

// TestErrorsOfAnotherRelay reach the viewer as they are.
func TestErrorsOfAnotherRelay(t *testing.T) {
	for _, foreign := range []bool{false, true} {
		meet(t, []string{"a", "b"}, func(t *testing.T, n *network) {
			if foreign {
				n.foreign("a")
			}
			n.link("b", "a")
			pub, sub := n.relays["a"].join(), n.relays["b"].join()
			refusal := &model.RequestError{Code: model.RequestUnauthorized, Reason: "not for you"}
			pub.fetching = func(_ context.Context, r *session.FetchRequest) { _ = r.Reject(refusal) }
			pub.announce("moq-date")
			pass(0)
			if _, err := sub.subscribe(date, session.Change{}); !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) {
				t.Error(err)
			}
			if _, err := sub.fetch(session.FetchOptions{Track: date, Range: model.Range{End: loc(1, 1)}}); !errors.Is(err, &model.RequestError{Code: model.RequestUnauthorized, Remote: true}) {
				t.Error(err)
			}
		})
	}
}

// TestRedirectedLink: the other relay drains and names a third, to which the link
// goes before it leaves. Viewers miss nothing.
// Duties: 74.
func TestRedirectedLink(t *testing.T) {
	meet(t, []string{"a", "b", "origin", "edge"}, func(t *testing.T, n *network) {
		n.link("a", "origin")
		n.link("b", "origin")
		n.link("edge", "a")
		pub, sub := n.relays["origin"].join(), n.relays["edge"].join()
		pub.publish("moq-date", "date", session.Offer{})
		pass(dialTime)
		in := sub.mustSubscribe(date)
		g := pub.stream(pub.outbound("date"), 1, 0, 2)
		sub.want("before", "1/0 1/1")
		old := n.relays["edge"].onlyLink()
		drained := make(chan error, 1)
		go func() { drained <- n.relays["a"].r.Drain(t.Context(), "moqt://b:4433", 10*time.Second) }()
		synctest.Wait()
		g.write(2)
		sub.want("on the way", "1/2 1/3")
		pass(time.Second)
		if l := n.relays["edge"].onlyLink(); l.State != linkUp || l.Session == old.Session || l.Sessions != 2 || l.Tracks != 1 {
			t.Errorf("the link is %+v, was %+v", l, old)
		}
		if err := <-drained; err != nil {
			t.Error("the relay could not leave:", err)
		}
		n.wantTrack("a", 0, 0)
		n.wantTrack("b", 1, 1)
		g.write(1)
		sub.want("afterwards", "1/4")
		if in.Context().Err() != nil {
			t.Error(context.Cause(in.Context()))
		}
	})
}

// TestSuccessorHasLess: the session that is to be left is so after LeaveTime,
// although a track comes from there alone.
func TestSuccessorHasLess(t *testing.T) {
	meet(t, []string{"a", "b", "edge"}, func(t *testing.T, n *network) {
		n.link("edge", "a")
		pub, sub := n.relays["a"].join(), n.relays["edge"].join()
		pub.publish("moq-date", "date", session.Offer{})
		pass(dialTime)
		sub.mustSubscribe(date)
		g := pub.stream(pub.outbound("date"), 1, 0, 2)
		go func() { _ = n.relays["a"].r.Drain(t.Context(), "moqt://b:4433", time.Minute) }()
		pass(LeaveTime - time.Millisecond)
		g.write(1)
		sub.want("until then", "1/0 1/1 1/2")
		pass(2 * time.Millisecond)
		n.wantTrack("edge", 0, 1)
		if l := n.relays["edge"].onlyLink(); l.State != linkUp || l.Sessions != 2 {
			t.Errorf("the link is %+v", l)
		}
		pub.sess.Close(model.NoError, "")
		pass(time.Minute)
	})
}

// dialTime is longer than a link must have lasted to be made again at once.
const dialTime = 10 * time.Second
