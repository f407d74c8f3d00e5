package relay

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"
)

func TestKick(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		other := s.join()
		other.mustSubscribe(date)
		pub.stream(out, 1, 0, 1)
		if err := s.r.Kick(t.Context(), "2", "you are too loud"); err != nil {
			t.Fatal(err)
		}
		<-sub.sess.Context().Done()
		var got *model.SessionError
		if !errors.As(sub.sess.Err(), &got) || got.Code != model.Unauthorized || got.Reason != "you are too loud" || !got.Remote {
			t.Errorf("the peer is told %v", sub.sess.Err())
		}
		pub.stream(out, 2, 0, 1)
		other.want("the others stay", "1/0 2/0")
		st := s.state()
		if len(st.Sessions) != 2 || st.Tracks[0].Subscribers != 1 {
			t.Errorf("%d sessions, %d subscribers are left", len(st.Sessions), st.Tracks[0].Subscribers)
		}
		for _, id := range []string{"2", "9", ""} {
			if err := s.r.Kick(t.Context(), id, ""); !errors.Is(err, observe.ErrNoSession) {
				t.Errorf("session %q: %v", id, err)
			}
		}
	})
}

// TestKickBeforeSetup: a peer that has not said anything yet is no session.
func TestKickBeforeSetup(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		_, srv := memtr.Pair()
		s.work.Go(func() { _ = s.r.Serve(s.ctx, srv) })
		s.settle()
		if err := s.r.Kick(t.Context(), "1", ""); !errors.Is(err, observe.ErrNoSession) {
			t.Error(err)
		}
	})
}

func TestPurge(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		slow := s.clockOf(&clock{gate: make(chan struct{})}, memtr.WithWindow(1_000))
		pub.past["date"] = append(locations(1, 0, 3), locations(2, 0, 3)...)
		pub.stream(out, 1, 0, 3).Close()
		g := pub.open(out, session.SubgroupHeader{Group: 2, FirstObject: true})
		for id := range uint64(3) {
			g.put(session.ObjectHeader{ID: id}, strings.Repeat("x", 2000))
		}
		pass(settleTime)
		sub.want("before", "1/0 1/1 1/2 2/0 2/1 2/2")
		held := s.state().Cache.Bytes
		id := s.state().Tracks[0].ID
		if err := s.r.Purge(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		got := s.detail(date)
		if got.Counters.Purged != 5 || got.State != "live" || *got.Largest != (observe.Location{Group: 2, Object: 2}) {
			t.Errorf("after the purge: %+v", got.TrackState)
		}
		if now := s.state().Cache.Bytes; now >= held {
			t.Errorf("%d bytes were held, now %d", held, now)
		}
		g.put(session.ObjectHeader{ID: 3}, "3")
		g.Close()
		pub.stream(out, 3, 0, 1)
		pass(settleTime)
		sub.want("who was up to date goes on", "2/3=3 3/0")
		close(slow.gate)
		pass(time.Second)
		for _, l := range []model.Location{loc(2, 2), loc(2, 3), loc(3, 0)} {
			if !slow.after(l, time.Now()).Set {
				t.Errorf("who was behind lacks %v", l)
			}
		}
		if c := s.detail(date).Counters; c.Dropped[observe.DropPurged] == 0 {
			t.Errorf("dropped %v", c.Dropped)
		}
		s.join().wantFetch("what was purged is asked for", session.FetchOptions{Range: span(1, 0, 1, 2)}, "1/0 1/1 1/2")
		if _, fetches := pub.counts(); fetches != 1 {
			t.Errorf("%d fetches upstream", fetches)
		}
		if err := s.r.Purge(t.Context(), "no such track"); !errors.Is(err, observe.ErrNoTrack) {
			t.Error(err)
		}
	})
}

func TestDrainSaysHowItEnded(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		a := s.join()
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		if err := s.r.Drain(ctx, "", time.Minute); !errors.Is(err, why) {
			t.Error(err)
		}
		if !s.state().Relay.Draining {
			t.Error("it does not say that it drains")
		}
		if err := s.r.Drain(t.Context(), "", time.Second); !errors.Is(err, observe.ErrRemain) {
			t.Error(err)
		}
		a.sess.Close(model.NoError, "")
		if err := s.r.Drain(t.Context(), "", time.Minute); err != nil {
			t.Error(err)
		}
	})
}
