package relay

import (
	"sync"
	"testing"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// waiters is how many subscribers wait at once: enough that some run only after
// the first object has come.
const waiters = 40

// await makes actors subscribe that wait for a publisher. What is returned
// waits for their answers.
func (s *stage) await() (all []*actor, answered func() []*session.Inbound) {
	s.t.Helper()
	var done sync.WaitGroup
	ins := make([]*session.Inbound, waiters)
	for i := range ins {
		a := s.join()
		all = append(all, a)
		done.Go(func() {
			in, err := a.sess.Subscribe(s.ctx, session.SubscribeOptions{Track: date, Rendezvous: time.Minute}, a)
			if err != nil {
				s.t.Error(err)
			}
			ins[i] = in
		})
	}
	s.settle()
	return all, func() []*session.Inbound {
		s.t.Helper()
		done.Wait()
		if s.t.Failed() {
			s.t.FailNow()
		}
		return ins
	}
}

// TestFirstObjectReachesWhoWaited: a publisher answers the relay and sends its
// next object in the same breath. Who waited for it gets that object, however
// late its goroutine runs.
func TestFirstObjectReachesWhoWaited(t *testing.T) {
	for _, offer := range []struct {
		name  string
		had   session.Offer
		first model.Location
	}{
		{"of a new track", session.Offer{}, loc(0, 0)},
		{"of a track that is under way", largest(5, 2), loc(5, 3)},
	} {
		for _, tt := range []struct {
			name string
			// begin makes a publisher answer and send the first object
			begin func(s *stage, pub *actor, had session.Offer, first model.Location)
		}{
			{"announced", func(_ *stage, pub *actor, had session.Offer, first model.Location) {
				pub.accepted = func(out *session.Outbound) { pub.single(out, first) }
				pub.publish("moq-date", "date", had)
			}},
			{"pushed", func(_ *stage, pub *actor, had session.Offer, first model.Location) {
				pub.single(pub.push(date, had), first)
			}},
		} {
			t.Run(tt.name+" "+offer.name, func(t *testing.T) {
				play(t, Config{}, func(t *testing.T, s *stage) {
					subs, answered := s.await()
					tt.begin(s, s.join(), offer.had, offer.first)
					wantFirst(t, subs, answered(), offer.had.Largest, offer.first)
				})
			})
		}
		t.Run("paused "+offer.name, func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				pub, resume := s.join(), make(chan struct{})
				var out *session.Outbound
				out, err := pub.sess.Publish(s.ctx, session.PublishOptions{
					Track: date, Offer: offer.had, Largest: func() model.Opt[model.Location] { return offer.had.Largest },
					OnUpdate: func(_, next session.Terms, _ model.Opt[uint64]) error {
						if next.Forward {
							<-resume
							pub.single(out, offer.first) // overtakes the answer
						}
						return nil
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				s.settle()
				subs, answered := s.await()
				close(resume)
				wantFirst(t, subs, answered(), offer.had.Largest, offer.first)
			})
		})
	}
}

// wantFirst checks what subscribers were told that waited for a publisher, and
// that the object that it sent first came to them.
func wantFirst(t *testing.T, subs []*actor, ins []*session.Inbound, told model.Opt[model.Location], first model.Location) {
	t.Helper()
	for i, a := range subs {
		if l := ins[i].Offer.Largest; l != told {
			t.Errorf("subscriber %d is told the largest location %+v, want %+v", i, l, told)
		}
		a.want("the first object", first.String())
	}
}

// TestWhoWaitedFollowsTheNewEpoch: a subscriber was not told anything yet when
// the publisher that it waited for begins anew.
func TestWhoWaitedFollowsTheNewEpoch(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		pub.stream(out, 5, 0, 1).Close()
		sub.want("before", "5/0")
		s.join()
		s.settle()
		s.r.mu.Lock()
		var last *peer
		for p := range s.r.peers {
			if last == nil || p.number > last.number {
				last = p
			}
		}
		late := last.scope.tracks[date.Key()].joinLocked(last, true) // its goroutine has not run yet
		s.r.mu.Unlock()
		pub.sess.Close(model.NoError, "killed")
		s.settle()
		again := s.join()
		again.publish("moq-date", "date", session.Offer{})
		out = again.outbound("date")
		if l := late.follow().Largest; l.Set {
			t.Errorf("it is told %v, of the old epoch", l.Value)
		}
		late.sub.Start(egress.Options{Range: span(0, 0, 0, 1), Forward: true, Counters: &late.counters})
		again.stream(out, 0, 0, 1).Close()
		s.settle()
		select {
		case <-late.sub.Done():
			t.Errorf("it ended with %+v", late.sub.Result())
		default:
		}
		late.abandon()
	})
}
