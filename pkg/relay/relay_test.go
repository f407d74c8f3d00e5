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

var date = name("moq-date", "date")

// Duties: 32.
func TestUnknownTrackIsRefusedAtOnce(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		began := time.Now()
		_, err := s.join().subscribe(date, session.Change{})
		if !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) || time.Since(began) != 0 {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

func TestObjectsPassThrough(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", largest(5, 2))
		in := sub.mustSubscribe(date)
		if in.Offer.Largest != model.Some(loc(5, 2)) {
			t.Errorf("largest %v", in.Offer.Largest)
		}
		out := pub.outbound("date")
		g := pub.stream(out, 5, 3, 2)
		sub.want("objects of an open stream", "5/3 5/4")
		g.write(1)
		g.end()
		sub.want("the rest", "5/5 end 5/6")
		if err := out.Done(model.DoneTrackEnded, "over", model.Some(uint64(1))); err != nil {
			t.Fatal(err)
		}
		<-in.Context().Done()
		if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded}) {
			t.Errorf("ended with %v", err)
		}
	})
}

// Duties: 55.
func TestDatagramsPassThrough(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		sub.mustSubscribe(date)
		d := session.Datagram{TrackAlias: pub.outbound("date").Alias(), Group: 5, Object: 3, Priority: model.Some(uint8(1)), Payload: []byte("5/3")}
		if err := pub.sess.Conn().SendDatagram(d.Append(nil, model.Draft18)); err != nil {
			t.Fatal(err)
		}
		sub.want("a datagram", "dgram 5/3")
	})
}

// Duties: 26, 27.
func TestOneUpstreamForManySubscribers(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.join()
		pub.publish("moq-date", "date", session.Offer{})
		var subs []*actor
		var ins []*session.Inbound
		for range 50 {
			a := s.join()
			subs = append(subs, a)
			ins = append(ins, a.mustSubscribe(date))
		}
		out := pub.outbound("date")
		pub.stream(out, 1, 0, 1).Close()
		for _, a := range subs {
			a.want("every subscriber", "1/0")
		}
		for i, in := range ins {
			if out.Context().Err() != nil {
				t.Fatalf("the upstream subscription ended with %d subscribers left", len(ins)-i)
			}
			in.Cancel(model.ResetCancelled)
			synctest.Wait()
		}
		if out.Context().Err() == nil {
			t.Error("the upstream subscription outlives the last subscriber")
		}
		if n, _ := pub.counts(); n != 1 {
			t.Errorf("the publisher saw %d subscriptions", n)
		}
		subs[0].mustSubscribe(date)
		if n, _ := pub.counts(); n != 2 {
			t.Errorf("after the pause the publisher saw %d subscriptions", n)
		}
	})
}

func TestLinger(t *testing.T) {
	play(t, Config{Rules: []Rule{{Pattern: "moq-date/*", Upstream: Upstream{Linger: time.Minute}}}}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		sub.mustSubscribe(date).Cancel(model.ResetCancelled)
		out := pub.outbound("date")
		pass(59 * time.Second)
		if out.Context().Err() != nil {
			t.Error("ended before its time")
		}
		sub.mustSubscribe(date).Cancel(model.ResetCancelled)
		pass(59 * time.Second)
		if out.Context().Err() != nil {
			t.Error("a subscriber in between does not start the time anew")
		}
		pass(time.Second)
		if out.Context().Err() == nil {
			t.Error("lingers for ever")
		}
	})
}

// Duties: 9, 25.
func TestRoutingByPrefix(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("a/b", "t", session.Offer{})
		sub.mustSubscribe(name("a/b/c/d", "t"))
		if _, err := sub.subscribe(name("a/bc", "t"), session.Change{}); !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) {
			t.Errorf("fields are compared whole: %v", err)
		}
		if _, err := sub.subscribe(name("a/b", "other"), session.Change{}); !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) {
			t.Errorf("the publisher's refusal: %v", err)
		}
	})
}

// Duties: 35.
func TestSelfSubscription(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		a := s.join()
		a.publish("moq-date", "date", session.Offer{})
		a.mustSubscribe(date)
		a.stream(a.outbound("date"), 1, 0, 2).Close()
		a.want("its own objects", "1/0 1/1")
	})
}

// Duties: 32.
func TestRendezvous(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		sub, pub := s.join(), s.join()
		wait := func() error {
			_, err := sub.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date, Rendezvous: 10 * time.Second}, sub)
			return err
		}
		began := time.Now()
		if err := wait(); !errors.Is(err, &model.RequestError{Code: model.RequestTimeout, Remote: true}) || time.Since(began) != 10*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		done := make(chan error, 1)
		go func() { done <- wait() }()
		pass(5 * time.Second)
		pub.publish("moq-date", "date", session.Offer{})
		if err := <-done; err != nil {
			t.Errorf("the publisher came: %v", err)
		}
	})
}

// TestPublisherComesBack kills the publisher without a word and lets another
// take its place, ahead of where it was, behind, or not at all.
// Duties: 37, 44.
func TestPublisherComesBack(t *testing.T) {
	begin := func(t *testing.T, s *stage) (*actor, *session.Inbound) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		in := sub.mustSubscribe(date)
		pub.stream(pub.outbound("date"), 5, 0, 3).Close()
		sub.want("before", "5/0 5/1 5/2")
		pub.sess.Close(model.NoError, "killed")
		pass(time.Second)
		if in.Context().Err() != nil {
			t.Fatal("the viewer is not patient")
		}
		return sub, in
	}
	t.Run("ahead", func(t *testing.T) {
		play(t, Config{}, func(t *testing.T, s *stage) {
			sub, in := begin(t, s)
			pub := s.join()
			pub.publish("moq-date", "date", largest(6, 0))
			pub.stream(pub.outbound("date"), 6, 1, 1).Close()
			sub.want("viewers go on", "6/1")
			if in.Context().Err() != nil {
				t.Error("the subscription ended")
			}
		})
	})
	t.Run("behind", func(t *testing.T) {
		play(t, Config{}, func(t *testing.T, s *stage) {
			sub, in := begin(t, s)
			pub := s.join()
			pub.publish("moq-date", "date", session.Offer{})
			<-in.Context().Done()
			if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded}) {
				t.Errorf("ended with %v", err)
			}
			again := sub.mustSubscribe(date)
			if again.Offer.Largest.Set {
				t.Errorf("the log of the old epoch is still there: largest %v", again.Offer.Largest)
			}
			pub.stream(pub.outbound("date"), 0, 0, 1).Close()
			sub.want("the new epoch", "0/0")
		})
	})
	t.Run("never", func(t *testing.T) {
		play(t, Config{Grace: 30 * time.Second}, func(t *testing.T, s *stage) {
			_, in := begin(t, s)
			pass(29 * time.Second)
			<-in.Context().Done()
			if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneInternalError}) {
				t.Errorf("ended with %v", err)
			}
		})
	})
}

// Duties: 37.
func TestSecondPublisherKeepsTheTrackAlive(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		one, two, sub := s.join(), s.join(), s.join()
		one.publish("moq-date", "date", session.Offer{})
		two.publish("moq-date", "date", session.Offer{})
		sub.mustSubscribe(date)
		a := one.stream(one.outbound("date"), 1, 0, 2)
		b := two.stream(two.outbound("date"), 1, 0, 3)
		sub.want("objects of both, once", "1/0 1/1 1/2")
		one.sess.Close(model.NoError, "")
		b.write(1)
		sub.want("the other goes on", "1/3")
		_ = a
	})
}

// Duties: 28, 34.
func TestForwardIsAggregated(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, a, b := s.join(), s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		inA := a.mustSubscribe(date)
		out := pub.outbound("date")
		inB, err := b.subscribe(date, session.Change{Forward: model.Some(false)})
		if err != nil {
			t.Fatal(err)
		}
		forward := func(why string, want bool) {
			t.Helper()
			synctest.Wait()
			if got := out.Terms().Forward; got != want {
				t.Errorf("%s: forward %v upstream", why, got)
			}
		}
		set := func(in *session.Inbound, v bool) {
			t.Helper()
			if _, err := in.Update(t.Context(), session.Change{Forward: model.Some(v)}); err != nil {
				t.Error(err)
			}
		}
		forward("one of two wants objects", true)
		set(inA, false)
		forward("none does", false)
		set(inB, true)
		forward("the other does", true)
		pub.stream(out, 1, 0, 1).Close()
		a.want("paused", "")
		b.want("resumed", "1/0")
	})
}

// Duties: 29, 39.
func TestTrackStatus(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", largest(5, 2))
		sub.mustSubscribe(date)
		offer, err := sub.TrackStatusOf(date)
		if err != nil || offer.Largest != model.Some(loc(5, 2)) {
			t.Errorf("got %+v, %v", offer, err)
		}
		if _, err := sub.TrackStatusOf(name("x", "y")); !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) {
			t.Errorf("unknown track: %v", err)
		}
	})
}

// TrackStatusOf asks the relay.
func (a *actor) TrackStatusOf(n model.FullTrackName) (session.Offer, error) {
	return a.sess.TrackStatus(a.t.Context(), n)
}

// Duties: 2, 72.
func TestMalformedTrackEndsForEveryone(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		in := sub.mustSubscribe(date)
		out := pub.outbound("date")
		pub.stream(out, 1, 0, 2).end()
		pub.stream(out, 1, 7, 1).Close() // beyond the end of the group
		<-in.Context().Done()
		if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneMalformedTrack}) {
			t.Errorf("ended with %v", err)
		}
		<-out.Context().Done()
		if pub.sess.Context().Err() != nil {
			t.Error("the session of the publisher ended too")
		}
	})
}

// Duties: 60.
func TestScopes(t *testing.T) {
	for _, tt := range []struct {
		scope Scope
		meet  bool
	}{{ScopeNone, true}, {ScopePath, false}} {
		play(t, Config{Scope: tt.scope}, func(t *testing.T, s *stage) {
			pub := s.joinAt("/one")
			sub := s.joinAt("/two")
			pub.publish("moq-date", "date", session.Offer{})
			_, err := sub.subscribe(date, session.Change{})
			if (err == nil) != tt.meet {
				t.Errorf("scope %s: %v", tt.scope, err)
			}
		})
	}
}

func TestWrongPath(t *testing.T) {
	play(t, Config{Path: "/moq-relay"}, func(t *testing.T, s *stage) {
		for path, ok := range map[string]bool{"/moq-relay": true, "": true, "/other": false} {
			a, err := s.tryJoin(path)
			synctest.Wait()
			if err == nil {
				err = a.sess.Err() // the relay's SETUP is faster than its verdict
			}
			if (err == nil) != ok {
				t.Errorf("path %q: %v", path, err)
			}
			if err != nil && !errors.Is(err, &model.SessionError{Code: model.InvalidPath, Remote: true}) {
				t.Errorf("path %q refused with %v", path, err)
			}
		}
	})
}

// Duties: 73.
func TestDrain(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		polite, deaf := s.join(), s.join()
		began := time.Now()
		done := make(chan struct{})
		go func() { s.r.Drain(t.Context(), "", 10*time.Second); close(done) }()
		<-polite.sess.GoawayReceived()
		polite.sess.Close(model.NoError, "leaving")
		<-done
		if time.Since(began) != 10*time.Second {
			t.Errorf("drained after %v", time.Since(began))
		}
		<-deaf.sess.Context().Done()
		if !errors.Is(deaf.sess.Err(), &model.SessionError{Code: model.GoawayTimeout, Remote: true}) {
			t.Errorf("the one that stayed ended with %v", deaf.sess.Err())
		}
	})
}
