package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// TestChain: a publisher at one end of three relays, viewers at the other, every
// draft on either link.
func TestChain(t *testing.T) {
	for _, first := range allDrafts {
		for _, second := range allDrafts {
			t.Run(fmt.Sprintf("%v %v", first, second), func(t *testing.T) {
				meet(t, []string{"a", "b", "c"}, func(t *testing.T, n *network) {
					n.draft = first
					n.link("b", "a")
					n.draft = second
					n.link("c", "b")
					n.through(t, "a", "b", "c")
					n.through(t, "c", "b", "a")
				})
			})
		}
	}
}

// through publishes the date at one relay and views it at another.
func (n *network) through(t *testing.T, from, by, to string) {
	pub, one, two := n.relays[from].join(), n.relays[to].join(), n.relays[to].join()
	pub.publish("moq-date", "date", session.Offer{})
	pass(0)
	one.mustSubscribe(date)
	two.mustSubscribe(date)
	out := pub.outbound("date")
	pub.stream(out, 1, 0, 2).Close()
	one.want("the group", "1/0 1/1")
	two.want("the group", "1/0 1/1")
	for _, relay := range []string{from, by} {
		n.wantTrack(relay, 1, 1)
	}
	n.wantTrack(to, 1, 2)
	if subscribes, _ := pub.counts(); subscribes != 1 {
		t.Errorf("the publisher saw %d subscriptions", subscribes)
	}
	got, err := one.fetch(session.FetchOptions{Track: date, Range: model.Range{Start: loc(1, 0), End: loc(1, 1)}})
	if err != nil || got != "1/0 1/1" {
		t.Errorf("fetched %q, %v", got, err)
	}
	if offer, err := two.sess.TrackStatus(t.Context(), date); err != nil || offer.Largest != model.Some(loc(1, 1)) {
		t.Errorf("status %+v, %v", offer, err)
	}
	for _, a := range []*actor{pub, one, two} {
		a.sess.Close(model.NoError, "")
	}
	pass(2 * DefaultGrace)
	n.wantTrack(by, 0, 0)
}

// TestRing: three relays, each linked to the next. Nothing goes in circles, and
// nothing stays when the publisher has gone.
// Duties: 17.
func TestRing(t *testing.T) {
	meet(t, []string{"a", "b", "c"}, func(t *testing.T, n *network) {
		n.link("a", "b")
		n.link("b", "c")
		n.link("c", "a")
		pub := n.relays["a"].join()
		pub.publish("moq-date", "date", session.Offer{})
		pass(0)
		viewers := map[string]*actor{}
		for relay, s := range n.relays {
			viewers[relay] = s.join()
			viewers[relay].mustSubscribe(date)
		}
		pub.stream(pub.outbound("date"), 1, 0, 3).Close()
		for relay, v := range viewers {
			v.want("each object once at "+relay, "1/0 1/1 1/2")
			if d := n.relays[relay].only().log.Counters().Duplicates.Load(); d != 0 {
				t.Errorf("%d duplicates at %s", d, relay)
			}
		}
		n.wantTrack("a", 1, 3)
		n.wantTrack("b", 1, 1)
		n.wantTrack("c", 1, 1)
		if _, err := viewers["b"].subscribe(name("nothing", "there"), session.Change{}); !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) {
			t.Errorf("a track that nobody has: %v", err)
		}
		pub.sess.Close(model.NoError, "")
		pass(DefaultGrace + time.Second) // which the first relay waits, the others do not
		for relay := range n.relays {
			n.wantTrack(relay, 0, 0)
			n.wantNoPublishers(relay)
		}
	})
}

// TestTwoWays: of two ways to a publisher the shorter is used, and the other when
// that is lost.
func TestTwoWays(t *testing.T) {
	meet(t, []string{"a", "b", "c"}, func(t *testing.T, n *network) {
		n.link("c", "a")
		n.link("b", "a")
		n.link("c", "b")
		pub, sub, keeper := n.relays["a"].join(), n.relays["c"].join(), n.relays["a"].join()
		pub.publish("moq-date", "date", session.Offer{})
		pass(0)
		sub.mustSubscribe(date)
		keeper.mustSubscribe(date) // so that the publisher's stream goes on
		g := pub.stream(pub.outbound("date"), 1, 0, 2)
		sub.want("the group", "1/0 1/1")
		n.wantTrack("b", 0, 0)
		n.cut("c", "a")
		pass(10 * time.Second)
		g.write(2)
		sub.want("the rest", "1/2 1/3")
		n.wantTrack("b", 1, 1)
	})
}

// TestLinkIsCut: a link is lost in the middle of a group, and comes back when the
// group, and another, have gone on. Viewers get all of it.
func TestLinkIsCut(t *testing.T) {
	meet(t, []string{"a", "b"}, func(t *testing.T, n *network) {
		n.link("b", "a")
		pub, sub, keeper := n.relays["a"].join(), n.relays["b"].join(), n.relays["a"].join()
		pub.publish("moq-date", "date", session.Offer{})
		pass(0)
		in := sub.mustSubscribe(date)
		keeper.mustSubscribe(date) // so that relay a goes on to know the track
		out := pub.outbound("date")
		g := pub.stream(out, 1, 0, 3)
		sub.want("before", "1/0 1/1 1/2")
		n.cut("b", "a")
		if l := n.relays["b"].onlyLink(); l.State == linkUp || l.Reason == "" || l.Namespaces != 0 {
			t.Errorf("the link is %+v", l)
		}
		g.write(2)
		g.end()
		h := pub.stream(out, 2, 0, 2)
		pass(5 * time.Second)
		sub.want("meanwhile", "")
		n.reach("a", true)
		n.relays["b"].reconnected()
		pass(2 * retryPause)
		h.write(1)
		sub.want("all that was missed", "1/3 1/4 2/0 2/1 2/2")
		if err := in.Context().Err(); err != nil {
			t.Error("the subscription ended:", err)
		}
		if l := n.relays["b"].onlyLink(); l.Namespaces != 1 || l.Tracks != 1 || l.Sessions != 2 || l.Counters.ObjectsIn == 0 {
			t.Errorf("the link is %+v", l)
		}
	})
}

// TestTwoLinks: each for a prefix; nothing else goes over them.
func TestTwoLinks(t *testing.T) {
	meet(t, []string{"a", "b", "c"}, func(t *testing.T, n *network) {
		n.run("a", LinkConfig{Target: testTarget(t, "b"), Prefixes: []model.Namespace{{"sport"}, {"sport", "ball"}}})
		pass(0)
		n.link("a", "c", "news")
		for relay, ns := range map[string]string{"b": "sport/ball", "c": "news"} {
			n.relays[relay].join().publish(ns, "video", session.Offer{})
			n.relays[relay].join().publish("private", "video", session.Offer{})
		}
		ours := n.relays["a"].join()
		ours.publish("sport/chess", "video", session.Offer{})
		ours.publish("secret", "video", session.Offer{})
		pass(0)
		sub := n.relays["a"].join()
		sub.mustSubscribe(name("sport/ball", "video"))
		sub.mustSubscribe(name("news", "video"))
		n.relays["b"].join().mustSubscribe(name("sport/chess", "video"))
		for relay, tracks := range map[string][]string{"a": {"private"}, "b": {"news", "secret"}, "c": {"sport/ball", "sport/chess", "secret"}} {
			for _, ns := range tracks {
				if _, err := n.relays[relay].join().subscribe(name(ns, "video"), session.Change{}); err == nil {
					t.Errorf("%s can be had at %s", ns, relay)
				}
			}
		}
		st, _ := n.relays["a"].r.State(t.Context())
		if len(st.Links) != 2 || st.Links[0].Namespaces != 1 || st.Links[1].Namespaces != 1 || st.Links[0].Prefixes[0] != "sport" || len(st.Links[0].Prefixes) != 1 {
			t.Errorf("links %+v", st.Links)
		}
	})
}

// TestPushedTracksAreFound: at another relay, although nobody has published their
// namespace.
func TestPushedTracksAreFound(t *testing.T) {
	meet(t, []string{"a", "b", "c"}, func(t *testing.T, n *network) {
		n.link("b", "a")
		n.link("c", "b", "moq-date")
		for _, way := range [][2]string{{"a", "c"}, {"c", "a"}} {
			pub, sub, watcher := n.relays[way[0]].join(), n.relays[way[1]].join(), n.relays[way[1]].join()
			seen := watcher.watch("")
			out, err := pub.sess.Publish(t.Context(), session.PublishOptions{Track: date})
			if err != nil {
				t.Fatal(err)
			}
			pass(0)
			sub.mustSubscribe(date)
			pub.stream(out, 1, 0, 2).Close()
			sub.want("the group", "1/0 1/1")
			seen.want("nobody published a namespace", "")
			pub.sess.Close(model.NoError, "")
			sub.sess.Close(model.NoError, "")
			pass(2 * DefaultGrace)
		}
	})
}

// TestLinkToItself is not used.
func TestLinkToItself(t *testing.T) {
	meet(t, []string{"a"}, func(t *testing.T, n *network) {
		n.link("a", "a")
		if l := n.relays["a"].onlyLink(); l.State != linkDown || l.Reason != errItself.Error() || l.NextTry.IsZero() {
			t.Errorf("the link is %+v", l)
		}
	})
}

// TestFetchOfWhatIsKept: at the other relay, when nobody publishes it any more.
func TestFetchOfWhatIsKept(t *testing.T) {
	meet(t, []string{"a", "b", "c"}, func(t *testing.T, n *network) {
		n.link("b", "a")
		n.link("c", "b")
		n.link("a", "c") // so that it could go in circles
		pub, keeper := n.relays["a"].join(), n.relays["a"].join()
		pub.publish("moq-date", "date", session.Offer{})
		keeper.mustSubscribe(date)
		pub.stream(pub.outbound("date"), 1, 0, 2).Close()
		keeper.want("the group", "1/0 1/1")
		pub.sess.Close(model.NoError, "")
		pass(2 * DefaultGrace)
		began := time.Now()
		for relay, want := range map[string]string{"b": "1/0 1/1", "c": ""} {
			got, err := n.relays[relay].join().fetch(session.FetchOptions{Track: date, Range: model.Range{Start: loc(1, 0), End: loc(1, 1)}})
			if got != want || want == "" && !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) {
				t.Errorf("fetched at %s: %q, %v", relay, got, err)
			}
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v of virtual time", took)
		}
	})
}

// TestLinkTimeout: the other relay accepts the connection and says nothing.
func TestLinkTimeout(t *testing.T) {
	meet(t, []string{"a"}, func(t *testing.T, n *network) {
		s := n.relays["a"]
		cfg := LinkConfig{Target: testTarget(t, "b")}
		cfg.Dial.Connect = func(ctx context.Context, _ string, _ *tls.Config) (transport.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		s.work.Go(func() { _ = s.r.Link(n.links, cfg) })
		pass(LinkTimeout - time.Millisecond)
		if l := s.onlyLink(); l.State != linkConnecting {
			t.Errorf("before: %+v", l)
		}
		pass(2 * time.Millisecond)
		if l := s.onlyLink(); l.State != linkDown || !strings.Contains(l.Reason, "no answer within 5s") {
			t.Errorf("afterwards: %+v", l)
		}
	})
}

// TestFetchesThatCross: each of two relays asks the other for the same range, which
// neither has, at the same time.
func TestFetchesThatCross(t *testing.T) {
	meet(t, []string{"a", "b"}, func(t *testing.T, n *network) {
		n.link("a", "b")
		n.link("b", "a")
		began := time.Now()
		var fetches sync.WaitGroup
		for _, s := range n.relays {
			viewer := s.join()
			fetches.Go(func() {
				got, err := viewer.fetch(session.FetchOptions{Track: date, Range: model.Range{End: loc(1, 1)}})
				if !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) {
					t.Errorf("fetched %q, %v", got, err)
				}
			})
			fetches.Go(func() {
				if _, err := viewer.subscribe(date, session.Change{}); !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) {
					t.Errorf("subscribed, %v", err)
				}
			})
		}
		fetches.Wait()
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v of virtual time", took)
		}
	})
}

// TestWaitingForALink: who subscribes while a link is down is told to come back, and
// who would rather wait is served when the link is there.
func TestWaitingForALink(t *testing.T) {
	meet(t, []string{"a", "b", "c"}, func(t *testing.T, n *network) {
		n.relays["a"].join().publish("moq-date", "date", session.Offer{})
		n.reach("a", false)
		n.link("b", "a")
		n.link("c", "b")
		_, err := n.relays["b"].join().subscribe(date, session.Change{})
		if re, ok := errors.AsType[*model.RequestError](err); !ok || re.Code != model.DoesNotExist || !re.RetryAfter.Set {
			t.Errorf("the answer is %v", err)
		}
		patient := n.relays["c"].join()
		served := make(chan error, 1)
		go func() {
			_, err := patient.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date, Rendezvous: MaxRendezvous}, patient)
			served <- err
		}()
		pass(10 * time.Second)
		n.reach("a", true)
		if err := <-served; err != nil {
			t.Error(err)
		}
		n.wantTrack("b", 1, 1)
	})
}
