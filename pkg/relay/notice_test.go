package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"

	"github.com/google/go-cmp/cmp"
)

// policyOf lets a subscriber lag so many groups.
func policyOf(groups int) egress.Policy { return egress.Policy{MaxGroups: groups} }

// tell returns what happened after an event, one line each: level, kind, session,
// track and text.
func (s *stage) tell(after uint64) (lines []string, last uint64) {
	s.t.Helper()
	s.settle()
	if last = s.r.events.Last(); last == after {
		return nil, last
	}
	events, _, err := s.r.Events(s.t.Context(), after)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range events {
		lines = append(lines, strings.Join([]string{e.Level, e.Kind, e.Session, e.Track, e.Text}, "|"))
	}
	return lines, last
}

func TestEvents(t *testing.T) {
	play(t, Config{Grace: time.Minute}, func(t *testing.T, s *stage) {
		last := uint64(0)
		want := func(why string, want ...string) {
			t.Helper()
			var got []string
			got, last = s.tell(last)
			slices.Sort(got) // different goroutines tell
			slices.Sort(want)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", why, d)
			}
		}
		pub, sub := s.join(), s.join()
		want("two sessions", "info|session|1||session", "info|session|2||session")
		ns := pub.publish("moq-date", "date", session.Offer{})
		want("a publisher", "info|namespace|1||namespace published")
		in := sub.mustSubscribe(date)
		want("a subscriber", "info|track||1|track live")
		pub.past["date"] = locations(1, 0, 3)
		s.join().wantFetch("all", session.FetchOptions{Range: span(1, 0, 1, 2)}, "1/0 1/1 1/2")
		want("a fetch", "info|session|3||session", "info|fetch|3|1|fetch upstream")
		if _, err := sub.subscribe(name("nobody", "x"), session.Change{}); err == nil {
			t.Error("a track of nobody was accepted")
		}
		want("a refusal", "info|request|2||request refused")
		sub.watch("moq-date")
		want("a watcher", "info|namespace|2||watches namespaces")
		ns.Withdraw()
		want("the namespace goes", "info|namespace|1||namespace withdrawn")
		out := pub.outbound("date")
		pub.stream(out, 5, 0, 1)
		s.settle()
		pub.sess.Close(model.NoError, "over")
		pass(time.Second)
		want("the publisher goes",
			"info|session|1||session ended", "info|track|1|1|publisher of a track gone", "warn|track||1|track orphaned")
		again := s.join()
		again.publish("moq-date", "date", largest(1, 0))
		want("it comes back", "info|session|4||session", "info|namespace|4||namespace published",
			"warn|track||1|new epoch: the publisher began anew", "info|track||1|track live")
		<-in.Context().Done()
		viewer := s.join()
		in = viewer.mustSubscribe(date)
		want("the next viewer, of a track that is new", "info|session|5||session", "info|track||3|track live")
		if err := again.outbound("date").Done(model.DoneTrackEnded, "bye", model.Some(uint64(0))); err != nil {
			t.Fatal(err)
		}
		<-in.Context().Done()
		want("the track ends", "info|track|4|3|publisher of a track gone", "info|track||3|track ended")
		if err := s.r.Kick(t.Context(), "5", "enough"); err != nil {
			t.Fatal(err)
		}
		want("a kick", "warn|session|5||session kicked", "info|session|5||session ended")
		again.offer("other", session.Offer{})
		viewer = s.join()
		viewer.mustSubscribe(name("moq-date", "other"))
		want("another track", "info|session|6||session", "info|track||4|track live")
		if err := s.r.Purge(t.Context(), "4"); err != nil {
			t.Fatal(err)
		}
		want("a purge", "warn|track||4|track purged")
		_ = s.r.Drain(t.Context(), "", time.Nanosecond) // they stay
		want("a drain", "warn|relay|||drains")
	})
}

func TestEventDetails(t *testing.T) {
	deny := auth.Func(func(_ context.Context, r auth.Request) (auth.Grant, error) {
		if r.Action == auth.Subscribe {
			return auth.Grant{}, auth.Deny("members only")
		}
		return auth.Grant{}, nil
	})
	play(t, Config{Authorizer: deny}, func(t *testing.T, s *stage) {
		sub := s.joinAs("tester")
		s.settle() // requests are looked at even before the session is mentioned
		if _, err := sub.subscribe(date, session.Change{}); err == nil {
			t.Error("it was allowed")
		}
		s.settle()
		events, _, err := s.r.Events(t.Context(), 0)
		if err != nil || len(events) != 2 {
			t.Fatal(events, err)
		}
		if d := events[0].Detail; d["implementation"] != "tester" || d["transport"] != "mem" || d["draft"] != "18" || d["peer"] == "" {
			t.Errorf("a session: %v", d)
		}
		e := events[1]
		if d := e.Detail; e.Kind != observe.KindRequest || e.Level != "warn" || d["request"] != "SUBSCRIBE" || d["name"] != date.String() || !strings.Contains(d["because"], "members only") {
			t.Errorf("a refusal: %+v", e)
		}
		if c := s.state(); c.Counters.RequestsForbidden != 1 || c.Sessions[0].Counters.Refused != 1 || c.Sessions[0].Counters.RequestsIn != 1 {
			t.Errorf("%+v", c.Counters)
		}
	})
}

// TestSlowSubscribersAreMentioned: when they skip, at most once a second, and when
// they are given up.
func TestSlowSubscribersAreMentioned(t *testing.T) {
	for _, action := range []egress.Action{egress.SkipToNewestGroup, egress.EndTooFarBehind} {
		policy := policyOf(1)
		policy.Action = action
		play(t, Config{Slow: policy}, func(t *testing.T, s *stage) {
			pub := s.join()
			pub.publish("moq-date", "date", session.Offer{})
			gate := make(chan struct{})
			defer close(gate)
			s.clockOf(&clock{gate: gate}, memtr.WithWindow(100))
			out := pub.outbound("date")
			const groups = 50
			for group := range uint64(groups) {
				g := pub.open(out, session.SubgroupHeader{Group: group, FirstObject: true})
				g.tryToWrite(60)
				_ = g.Close() // unless it was given up
				pass(100 * time.Millisecond)
			}
			var slow []observe.Event
			events, _, err := s.r.Events(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				if e.Kind == observe.KindSlow {
					slow = append(slow, e)
				}
			}
			if action == egress.EndTooFarBehind {
				if len(slow) != 1 || slow[0].Text != "subscriber too far behind" || slow[0].Session != "2" || slow[0].Track == "" {
					t.Errorf("%+v", slow)
				}
				return
			}
			if len(slow) < 3 || len(slow) > groups/10+1 {
				t.Fatalf("%d events", len(slow))
			}
			for i, e := range slow {
				if e.Text != "subscriber skipped to the newest group" || e.Level != "warn" || i > 0 && e.Detail["times"] == "" {
					t.Errorf("%+v", e)
				}
				if i > 0 && e.Time.Sub(slow[i-1].Time) < slowPause {
					t.Errorf("%v after the one before", e.Time.Sub(slow[i-1].Time))
				}
			}
		})
	}
}

// TestEventsAndLogTellOnce: a log handler of the same Ring adds nothing to what is
// an event, and the text log has both.
func TestEventsAndLogTellOnce(t *testing.T) {
	var text bytes.Buffer
	ring := observe.NewRing(0)
	log := slog.New(slog.NewMultiHandler(observe.NewHandler(ring, slog.LevelDebug), slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug})))
	play(t, Config{Log: log, Events: ring}, func(t *testing.T, s *stage) {
		_, sub, _ := s.live()
		sub.sess.Close(model.NoError, "")
		pass(time.Second)
	})
	events, _, err := ring.Events(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, e := range events {
		seen[e.Kind+" "+e.Text]++
	}
	want := map[string]int{
		"session session": 2, "session session ended": 2, "namespace namespace published": 1, "namespace namespace withdrawn": 1,
		"track track live": 1,
	}
	for what, n := range want {
		if seen[what] != n {
			t.Errorf("%q came %d times, want %d; all: %v", what, seen[what], n, slices.Sorted(maps.Keys(seen)))
		}
	}
	for what := range seen {
		if kind, words, _ := strings.Cut(what, " "); kind == observe.KindLog && seen[observe.KindSession+" "+words] > 0 {
			t.Errorf("%q is also an event", what)
		}
	}
	if n := strings.Count(text.String(), "msg=session "); n != 2 {
		t.Errorf("the text log names %d sessions", n)
	}
	if seen["log subscribed"] == 0 {
		t.Error("log records do not come into the ring")
	}
}

// tryToWrite sends objects, unless nobody wants them any more.
func (g *subgroup) tryToWrite(n uint64) {
	for range n {
		payload := model.Location{Group: g.group, Object: g.next}.String()
		b := g.form.AppendObject(nil, g.prev, session.ObjectHeader{ID: g.next, PayloadLen: uint64(len(payload))})
		if _, err := g.Write(append(b, payload...)); err != nil {
			return
		}
		g.prev = model.Some(g.next)
		g.next++
	}
}

// TestLookingWhileSessionsComeAndGo is for the race detector: everything is looked
// at while everything changes.
func TestLookingWhileSessionsComeAndGo(t *testing.T) {
	play(t, Config{IdleTracks: 2}, func(t *testing.T, s *stage) {
		ctx, stop := context.WithCancel(t.Context())
		var looking sync.WaitGroup
		for range 2 {
			looking.Go(func() {
				for ctx.Err() == nil {
					st, err := s.r.State(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					for _, tr := range st.Tracks {
						if _, err := s.r.Track(ctx, tr.ID); err != nil && !errors.Is(err, observe.ErrNoTrack) {
							t.Error(err)
						}
						if tr.Counters.ObjectsIn == 3 {
							_ = s.r.Purge(ctx, tr.ID) // it may be gone
						}
					}
					select {
					case <-time.After(time.Millisecond):
					case <-ctx.Done():
					}
				}
			})
		}
		looking.Go(func() {
			for after := uint64(0); ; {
				events, skipped, err := s.r.Events(ctx, after)
				if err != nil {
					return
				}
				if events[0].Number != after+skipped+1 {
					t.Errorf("event %d follows %d", events[0].Number, after)
				}
				after = events[len(events)-1].Number
			}
		})
		for i := range 20 {
			pub, sub := s.join(), s.join()
			track := fmt.Sprint(i % 5)
			pub.publish("ns", track, largest(uint64(i), 0)) // no epoch begins
			if in, err := sub.subscribe(name("ns", track), session.Change{}); err == nil {
				g := pub.open(pub.outbound(track), session.SubgroupHeader{Group: uint64(i)})
				g.next = 1
				g.tryToWrite(3)
				pass(2 * time.Millisecond)
				g.tryToWrite(2)
				if i%2 == 0 {
					in.Cancel(model.ResetCancelled)
				}
			}
			pass(time.Millisecond)
			if i%3 == 0 {
				_ = s.r.Kick(ctx, s.state().Sessions[0].ID, "next") // it may be gone
			}
			pub.sess.Close(model.NoError, "")
		}
		stop()
		looking.Wait()
	})
}
