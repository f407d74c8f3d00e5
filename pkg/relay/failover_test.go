package relay

import (
	"context"
	"strings"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// redundant begins a track with two publishers that send the same.
func (s *stage) redundant() (one, two, sub *actor, a, b *session.Outbound) {
	s.t.Helper()
	one, two, sub = s.join(), s.join(), s.join()
	one.publish("moq-date", "date", session.Offer{})
	two.publish("moq-date", "date", session.Offer{})
	sub.in = append(sub.in, sub.mustSubscribe(date))
	return one, two, sub, one.outbound("date"), two.outbound("date")
}

// Duties: 42.
func TestDuplicatesOfTwoPublishers(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		one, two, sub, a, b := s.redundant()
		g, h := one.stream(a, 1, 0, 2), two.stream(b, 1, 0, 4)
		sub.want("each object once", "1/0 1/1 1/2 1/3")
		g.write(3)
		sub.want("whoever is first", "1/4")
		h.write(1)
		g.end()
		h.end()
		sub.want("and one end", "end 1/5")
		two.stream(b, 2, 0, 2).Close()
		one.stream(a, 2, 0, 2).Close()
		sub.want("the next group", "2/0 2/1")
		if s.only().log.Counters().Duplicates.Load() == 0 {
			t.Error("no duplicate was seen")
		}
	})
}

// Duties: 44.
func TestPublisherDiesMidGroup(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		one, two, sub, a, b := s.redundant()
		one.stream(a, 1, 0, 3)
		h := two.stream(b, 1, 0, 1)
		sub.want("the first is ahead", "1/0 1/1 1/2")
		one.sess.Close(model.NoError, "killed")
		s.settle()
		h.write(5)
		sub.want("the second catches up and goes on", "1/3 1/4 1/5")
		if sub.in[0].Context().Err() != nil {
			t.Error(context.Cause(sub.in[0].Context()))
		}
	})
}

// TestPublisherDiesMidObject: large objects flow through while they come, so
// viewers have a part of one. It must come whole once more.
func TestPublisherDiesMidObject(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		one, two, sub, a, b := s.redundant()
		big := strings.Repeat("x", 100_000)
		g := one.stream(a, 1, 0, 1)
		g.promise(session.ObjectHeader{ID: 1, PayloadLen: uint64(len(big))}, big[:50_000])
		sub.want("the first object", "1/0")
		one.sess.Close(model.NoError, "killed")
		s.settle()
		h := two.stream(b, 1, 0, 1)
		h.put(session.ObjectHeader{ID: 1}, big)
		h.write(1)
		sub.want("the half is taken back, the whole comes", "torn 1/1 1/2")
	})
}

// TestSecondPublisherIsFoundWhenNeeded: it refused before, or was not there.
// Duties: 10, 12.
func TestSecondPublisherIsFoundWhenNeeded(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		one, two, sub := s.join(), s.join(), s.join()
		one.publish("moq-date", "date", session.Offer{})
		two.announce("moq-date")
		in := sub.mustSubscribe(date)
		two.wantCounts("both are asked", 1, 0)
		one.stream(one.outbound("date"), 1, 0, 1)
		sub.want("live", "1/0")
		two.offer("date", largest(1, 0))
		one.sess.Close(model.NoError, "killed")
		two.stream(two.outbound("date"), 1, 1, 1)
		sub.want("the other takes over", "1/1")
		if in.Context().Err() != nil {
			t.Error(context.Cause(in.Context()))
		}
	})
}

// TestPublisherDiesWhileAnotherIsAsked, which then refuses: viewers must not
// wait for nobody.
func TestPublisherDiesWhileAnotherIsAsked(t *testing.T) {
	play(t, Config{Grace: 5 * time.Second}, func(t *testing.T, s *stage) {
		one, sub := s.join(), s.join()
		one.publish("moq-date", "date", session.Offer{})
		in := sub.mustSubscribe(date)
		two := s.join()
		two.hold = make(chan struct{})
		two.announce("moq-date")
		s.settle()
		one.sess.Close(model.NoError, "killed")
		pass(time.Second)
		close(two.hold)
		began := time.Now()
		<-in.Context().Done()
		if d := time.Since(began); d != 5*time.Second {
			t.Errorf("ended after %v with %v", d, context.Cause(in.Context()))
		}
	})
}

// TestTrackEndsWhileAnotherIsAsked: the other one decides.
func TestTrackEndsWhileAnotherIsAsked(t *testing.T) {
	for _, takes := range []bool{true, false} {
		play(t, Config{}, func(t *testing.T, s *stage) {
			one, sub := s.join(), s.join()
			one.publish("moq-date", "date", session.Offer{})
			in := sub.mustSubscribe(date)
			two := s.join()
			two.hold = make(chan struct{})
			if takes {
				two.offer("date", session.Offer{})
			}
			two.announce("moq-date")
			s.settle()
			if err := one.outbound("date").Done(model.DoneTrackEnded, "", model.Some(uint64(0))); err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
			close(two.hold)
			s.settle()
			if ended := in.Context().Err() != nil; ended == takes {
				t.Errorf("the other takes it: %v, the subscription ended: %v", takes, ended)
			}
		})
	}
}

// TestOneMalformedPublisherOfTwo: the other goes on.
// Duties: 43, 72.
func TestOneMalformedPublisherOfTwo(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		one, two, sub, a, b := s.redundant()
		one.stream(a, 1, 0, 2)
		sub.want("both", "1/0 1/1")
		g := two.stream(b, 1, 0, 1)
		g.put(session.ObjectHeader{ID: 1}, "another")
		<-b.Context().Done()
		one.stream(a, 2, 0, 1)
		sub.want("the honest one", "2/0")
		if sub.in[0].Context().Err() != nil || a.Context().Err() != nil {
			t.Error("the track ended")
		}
		if n := s.r.counters.MalformedTracks.Load(); n != 1 {
			t.Errorf("%d malformed tracks are counted", n)
		}
	})
}
