package relay

import (
	"errors"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// TestLeavingPublisher: after its GOAWAY nothing new is asked of it, and what
// it sends goes on.
// Duties: 74.
func TestLeavingPublisher(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		pub.offer("other", session.Offer{})
		pub.past["date"] = locations(1, 0, 1)
		if err := pub.sess.Goaway("", 0); err != nil {
			t.Fatal(err)
		}
		s.settle()
		if _, err := sub.subscribe(name("moq-date", "other"), session.Change{}); !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) {
			t.Errorf("SUBSCRIBE: %v", err)
		}
		sub.wantRefused("FETCH", session.FetchOptions{Track: name("moq-date", "other"), Range: span(0, 0, 1, 0)}, model.DoesNotExist)
		pub.stream(out, 1, 0, 1)
		sub.want("what it sends", "1/0")
		s.join().mustSubscribe(date)
		pub.wantCounts("nothing new", 1, 0)
		if pub.sess.Context().Err() != nil {
			t.Error(pub.sess.Err())
		}
	})
}

// TestSuccessorOfLeavingPublisher: one that waits gets it.
func TestSuccessorOfLeavingPublisher(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		old, sub := s.join(), s.join()
		old.announce("moq-date")
		if err := old.sess.Goaway("", 0); err != nil {
			t.Fatal(err)
		}
		s.settle()
		accepted := make(chan error, 1)
		go func() {
			_, err := sub.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date, Rendezvous: time.Minute}, sub)
			accepted <- err
		}()
		s.settle()
		next := s.join()
		next.publish("moq-date", "date", session.Offer{})
		if err := <-accepted; err != nil {
			t.Error(err)
		}
		old.wantCounts("the one that leaves", 0, 0)
	})
}

// TestMakeBeforeBreak: a publisher that leaves is replaced by a session of its
// own before it goes; viewers notice nothing.
// Duties: 44.
func TestMakeBeforeBreak(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		old, sub := s.join(), s.join()
		a := old.push(date, session.Offer{})
		in := sub.mustSubscribe(date)
		old.stream(a, 1, 0, 2).Close()
		sub.want("before", "1/0 1/1")
		next := s.join()
		b := next.push(date, largest(1, 1))
		if !b.Terms().Forward {
			t.Error("the new one is told to wait")
		}
		next.stream(b, 2, 0, 1)
		if err := a.Done(model.DoneGoingAway, "", model.Some(uint64(1))); err != nil {
			t.Fatal(err)
		}
		old.sess.Close(model.NoError, "")
		next.stream(b, 3, 0, 1)
		sub.want("after", "2/0 3/0")
		if in.Context().Err() != nil {
			t.Error("the viewer noticed")
		}
	})
}

// TestDrainRefuses: a relay that drains takes no new requests.
// Duties: 73.
func TestDrainRefuses(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		go s.r.Drain(s.ctx, "moqt://elsewhere:443", time.Minute)
		<-sub.sess.GoawayReceived()
		if uri := sub.sess.PeerGoaway().URI; uri != "moqt://elsewhere:443" {
			t.Errorf("sent to %q", uri)
		}
		late, err := s.tryJoin("")
		if err != nil {
			t.Fatal(err)
		}
		<-late.sess.GoawayReceived()
		pub.stream(out, 1, 0, 1)
		sub.want("those who stay are served", "1/0")
	})
}
