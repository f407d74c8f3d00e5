package relay

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// The tests of this file, seeds_content_test.go and seeds_load_test.go show rows of docs/seeds.md
// that no other test shows.

// tapeOf subscribes a new actor and returns what will be recorded.
func (s *stage) tapeOf(track model.FullTrackName) *tape {
	s.t.Helper()
	p := new(tape)
	testkit.Must(s.join().sess.Subscribe(s.t.Context(), session.SubscribeOptions{Track: track}, p))(s.t)
	return p
}

// byGroup returns what came so far, in order of groups.
func (p *tape) byGroup() []taped {
	streams, _ := p.take()
	slices.SortFunc(streams, func(a, b taped) int { return cmp.Compare(a.Header.Group, b.Header.Group) })
	return streams
}

// equal compares streams of objects without properties.
func (a taped) equal(b taped) bool {
	return a.Header == b.Header && a.End == b.End && slices.Equal(a.Payload, b.Payload) &&
		slices.EqualFunc(a.Objects, b.Objects, func(a, b wire.ObjectHeader) bool {
			return a.ID == b.ID && a.Status == b.Status && len(a.Properties)+len(b.Properties) == 0
		})
}

// crowd is how many subscribers a crowd has.
var crowd = 1000

// TestEverySubscriberGetsTheSame: equal bytes with equal IDs, gaps included,
// and one subscription upstream, however many there are.
// Duties: 27.
func TestEverySubscriberGetsTheSame(t *testing.T) {
	for _, n := range []int{1, 2, 64, crowd} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				pub := s.join()
				pub.publish("moq-date", "date", session.Offer{})
				tapes := make([]*tape, n)
				for i := range tapes {
					tapes[i] = s.tapeOf(date)
				}
				out := pub.outbound("date")
				var want []taped
				for _, group := range []uint64{5, 9, 10} {
					one := taped{
						Header: wire.SubgroupHeader{Group: group, Mode: wire.SubgroupExplicit, Priority: model.Some(uint8(7)), FirstObject: true},
						End:    io.EOF.Error(),
					}
					g := pub.open(out, one.Header)
					for _, id := range []uint64{0, 1, 4, 90} {
						payload := content(loc(group, id))
						g.put(session.ObjectHeader{ID: id}, payload)
						one.Objects = append(one.Objects, wire.ObjectHeader{ID: id, PayloadLen: uint64(len(payload))})
						one.Payload = append(one.Payload, payload)
					}
					g.Close()
					want = append(want, one)
				}
				for _, p := range tapes {
					if got := p.byGroup(); !slices.EqualFunc(got, want, taped.equal) {
						testkit.Equal(t, got, want, emptyIsNil) // shows the difference, but is slow
						break
					}
				}
				pub.wantCounts("all of them", 1, 0)
			})
		})
	}
}

// TestGroupsDoNotWaitForEachOther: the end of group 5 is late, and group 6 is
// complete before it.
func TestGroupsDoNotWaitForEachOther(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		p := s.tapeOf(date)
		fifth := pub.stream(out, 5, 0, 2)
		pub.stream(out, 6, 0, 3).Close()
		sub.want("both are there", "5/0 5/1 6/0 6/1 6/2")
		whole := func(why string, group uint64, objects int) {
			t.Helper()
			if got := p.byGroup(); len(got) != 1 || got[0].Header.Group != group || got[0].End != "EOF" || len(got[0].Objects) != objects {
				t.Errorf("%s: streams %+v have ended", why, got)
			}
		}
		whole("group 5 is still open", 6, 3)
		pass(time.Second)
		fifth.write(1)
		fifth.Close()
		whole("then it ends too", 5, 3)
	})
}

// clock is a Receiver that notes when each object came. It reads nothing
// before its gate is closed, if it has one.
type clock struct {
	gate chan struct{}
	mu   sync.Mutex
	came map[model.Location]time.Time
}

func (c *clock) ReceiveSubgroup(r *session.SubgroupReader) {
	if c.gate != nil {
		<-c.gate
	}
	for {
		h, err := r.Next()
		if err == nil {
			_, err = r.Payload()
		}
		if err != nil {
			return
		}
		c.mu.Lock()
		if c.came == nil {
			c.came = map[model.Location]time.Time{}
		}
		c.came[loc(r.Header.Group, h.ID)] = time.Now()
		c.mu.Unlock()
	}
}

func (c *clock) ReceiveDatagram(*session.Datagram) {}

// after is how long after a moment an object came; absent if it has not.
func (c *clock) after(l model.Location, sent time.Time) model.Opt[time.Duration] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.came[l]; ok {
		return model.Some(at.Sub(sent))
	}
	return model.Opt[time.Duration]{}
}

// hop is how long everything takes between the relay and one of its peers in
// the tests that look at time, which is virtual.
const hop = 5 * time.Millisecond

func (s *stage) clockOf(c *clock, opts ...memtr.Option) *clock {
	s.t.Helper()
	a := s.join(append([]memtr.Option{memtr.WithDelay(hop)}, opts...)...)
	testkit.Must(a.sess.Subscribe(s.t.Context(), session.SubscribeOptions{Track: date}, c))(s.t)
	return c
}

// TestObjectsAreForwardedAtOnce, not when their group ends.
// Duties: 54.
func TestObjectsAreForwardedAtOnce(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.join(memtr.WithDelay(hop))
		pub.publish("moq-date", "date", session.Offer{})
		c := s.clockOf(new(clock))
		g := pub.stream(pub.outbound("date"), 1, 0, 0)
		for id := range uint64(3) {
			sent := time.Now()
			g.write(1)
			pass(500 * time.Millisecond)
			if d := c.after(loc(1, id), sent); d != model.Some(2*hop) {
				t.Errorf("object %d took %v, want %v", id, d, 2*hop)
			}
		}
		g.Close()
	})
}

// TestResetOfOneGroup travels to every subscriber with its code, and concerns
// no other group.
// Duties: 50.
func TestResetOfOneGroup(t *testing.T) {
	for _, code := range []model.ResetCode{model.ResetInternalError, model.ResetDeliveryTimeout, model.ResetTooFarBehind} {
		t.Run(code.String(), func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				pub, _, out := s.live()
				tapes := []*tape{s.tapeOf(date), s.tapeOf(date), s.tapeOf(date)}
				fifth, sixth := pub.stream(out, 5, 0, 2), pub.stream(out, 6, 0, 1)
				s.settle()
				fifth.CancelWrite(uint64(code))
				s.settle()
				sixth.write(2)
				sixth.Close()
				reset := (&model.StreamError{Code: code, Remote: true}).Error()
				for _, p := range tapes {
					got := p.byGroup()
					if len(got) != 2 || got[0].End != reset || len(got[0].Objects) != 2 || got[1].End != "EOF" || len(got[1].Objects) != 3 {
						t.Errorf("streams %+v", got)
					}
				}
			})
		})
	}
}

// TestSubscriberDiesMidGroup in several ways, one of ten: the others get every
// byte.
func TestSubscriberDiesMidGroup(t *testing.T) {
	for name, die := range map[string]func(*actor, *session.Inbound, chan struct{}){
		"its session ends":      func(a *actor, _ *session.Inbound, _ chan struct{}) { a.sess.Close(model.NoError, "leaving") },
		"with an error":         func(a *actor, _ *session.Inbound, _ chan struct{}) { a.sess.Close(model.InternalError, "crash") },
		"its subscription ends": func(_ *actor, in *session.Inbound, _ chan struct{}) { in.Cancel(model.ResetCancelled) },
		"it refuses the stream": func(_ *actor, _ *session.Inbound, refuse chan struct{}) { close(refuse) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				pub, dies := s.join(), s.join()
				pub.publish("moq-date", "date", session.Offer{})
				r := &refuser{now: make(chan struct{})}
				in := testkit.Must(dies.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date}, r))(t)
				var tapes []*tape
				for range 9 {
					tapes = append(tapes, s.tapeOf(date))
				}
				g := pub.open(pub.outbound("date"), session.SubgroupHeader{Group: 1, FirstObject: true})
				var want []string
				for id := range uint64(40) {
					payload := content(loc(1, id))
					g.put(session.ObjectHeader{ID: id}, payload)
					want = append(want, payload)
					if id == 20 {
						synctest.Wait()
						die(dies, in, r.now)
					}
				}
				g.Close()
				for i, p := range tapes {
					got := p.byGroup()
					if len(got) != 1 || got[0].End != "EOF" || !slices.Equal(got[0].Payload, want) {
						t.Errorf("subscriber %d has not received the group", i)
					}
				}
			})
		})
	}
}

// refuser reads streams until it is told to refuse them.
type refuser struct{ now chan struct{} }

func (r *refuser) ReceiveSubgroup(st *session.SubgroupReader) {
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-r.now:
			st.Cancel(model.ResetCancelled)
		case <-over:
		}
	}()
	for {
		if _, err := st.Next(); err != nil {
			return
		}
	}
}

func (*refuser) ReceiveDatagram(*session.Datagram) {}

// TestSlowSubscriberIsNotFelt: one of ten reads nothing for ten seconds. No
// object comes later to another for it, and it gets them all afterwards.
// Duties: 58.
func TestSlowSubscriberIsNotFelt(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.join(memtr.WithDelay(hop))
		pub.publish("moq-date", "date", session.Offer{})
		slow := s.clockOf(&clock{gate: make(chan struct{})}, memtr.WithWindow(10_000))
		var others []*clock
		for range 9 {
			others = append(others, s.clockOf(new(clock)))
		}
		const groups, objects, rate = 12, 30, 30 // a second
		payload := strings.Repeat("x", 3000)
		out := pub.outbound("date")
		begin := time.Now()
		for group := range uint64(groups) {
			if group == 10 {
				if d := slow.after(loc(0, 0), begin); d.Set {
					t.Error("the slow one is not slow; the test shows nothing")
				}
				close(slow.gate)
			}
			g := pub.open(out, session.SubgroupHeader{Group: group, FirstObject: true})
			for id := range uint64(objects) {
				sent := time.Now()
				g.put(session.ObjectHeader{ID: id}, payload)
				pass(time.Second / rate)
				for i, c := range others {
					if d := c.after(loc(group, id), sent); d != model.Some(2*hop) {
						t.Fatalf("subscriber %d: object %d/%d took %v, want %v", i, group, id, d, 2*hop)
					}
				}
			}
			g.Close()
		}
		pass(time.Second)
		slow.mu.Lock()
		defer slow.mu.Unlock()
		if len(slow.came) != groups*objects {
			t.Errorf("the slow one has %d objects of %d after %v", len(slow.came), groups*objects, time.Since(begin))
		}
	})
}

// TestJoinAndLeaveWithinAGroup: who joins gets what comes from then on, and by a
// joining FETCH what came before; who leaves gets nothing more, its streams
// end, and the relay forgets it.
func TestJoinAndLeaveWithinAGroup(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.join()
		pub.publish("moq-date", "date", session.Offer{})
		var leaver tape
		in := testkit.Must(s.join().sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date}, &leaver))(t)
		out := pub.outbound("date")
		g := pub.stream(out, 1, 0, 3)
		s.settle()
		late := s.join()
		joined := late.mustSubscribe(date)
		late.want("nothing of before by itself", "")
		late.wantFetch("but on request", session.FetchOptions{Join: &session.Join{To: joined, Relative: true}}, "1/0 1/1 1/2")
		g.write(1)
		late.want("and then each object as it comes", "1/3")
		in.Cancel(model.ResetCancelled)
		got := leaver.byGroup()
		if len(got) != 1 || got[0].End == "EOF" || len(got[0].Objects) != 4 {
			t.Errorf("the leaver's streams: %+v", got)
		}
		g.write(1)
		g.Close()
		pub.stream(out, 2, 0, 1).Close()
		late.want("the other stays", "1/4 2/0")
		if got := leaver.byGroup(); len(got) > 0 {
			t.Errorf("the leaver received %+v", got)
		}
		if subs := s.state().Tracks[0].Subscribers; subs != 1 {
			t.Errorf("the relay still knows %d subscribers", subs)
		}
	})
}

// TestUpstreamPolicies shows what each costs the publisher and gives the first
// subscriber.
func TestUpstreamPolicies(t *testing.T) {
	const far = 100 * time.Millisecond // from the publisher to the relay
	open := func(t *testing.T, s *stage) *actor {
		pub := s.join(memtr.WithDelay(far))
		pub.publish("moq-date", "date", session.Offer{})
		pass(time.Hour)
		return pub
	}
	t.Run("lazy", func(t *testing.T) {
		play(t, Config{}, func(t *testing.T, s *stage) {
			pub := open(t, s)
			pub.wantCounts("without subscribers", 0, 0)
			began := time.Now()
			in := s.join().mustSubscribe(date)
			if d := time.Since(began); d != 2*far {
				t.Errorf("the first subscriber is answered after %v, want a round trip to the publisher", d)
			}
			out := pub.outbound("date")
			in.Cancel(model.ResetCancelled)
			pass(2 * far)
			if out.Context().Err() == nil {
				t.Error("the upstream subscription outlives the last subscriber")
			}
		})
	})
	t.Run("eager", func(t *testing.T) {
		play(t, Config{Rules: rules(t, "moq-date/*=eager+replay")}, func(t *testing.T, s *stage) {
			pub := s.join(memtr.WithDelay(far))
			out := pub.push(date, session.Offer{})
			pass(time.Second)
			pub.stream(out, 1, 0, 1)
			pass(time.Hour)
			c, a := new(clock), s.join(memtr.WithDelay(hop))
			began := time.Now()
			o := session.SubscribeOptions{Track: date, Change: session.Change{Filter: model.Some(model.From(loc(1, 0)))}}
			testkit.Must(a.sess.Subscribe(t.Context(), o, c))(t)
			pass(far / 2)
			if d := c.after(loc(1, 0), began); d != model.Some(2*hop) {
				t.Errorf("the first object comes after %v, want a round trip to the relay", d)
			}
			pub.wantCounts("nobody asked it", 0, 0)
		})
	})
	t.Run("linger", func(t *testing.T) {
		play(t, Config{Rules: rules(t, "moq-date/*=linger:1m")}, func(t *testing.T, s *stage) {
			pub := open(t, s)
			for range 5 {
				began := time.Now()
				s.join().mustSubscribe(date).Cancel(model.ResetCancelled)
				if d := time.Since(began); pub.subscribes == 1 && d > 2*far {
					t.Errorf("answered after %v", d)
				}
				pass(50 * time.Second)
			}
			pub.wantCounts("who comes back within the time is not noticed", 1, 0)
			pass(time.Minute)
			s.join().mustSubscribe(date)
			pub.wantCounts("who comes later is", 2, 0)
		})
	})
}
