package moqtest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// inServer calls f in a world where a Server takes the place of the relay.
func inServer(t *testing.T, f func(*testing.T, *world, *Server)) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		server := NewServer(nil)
		w.cfg.Publish = false
		w.serve = func(ctx context.Context, c session.Conn) {
			draft, _ := session.DraftOf(c.Protocol())
			s, err := session.Start(ctx, c, session.Config{Role: session.Server, Draft: draft, Handler: server})
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { s.Close(model.NoError, "") })
			defer stop()
			s.Wait()
		}
		f(t, w, server)
		synctest.Wait()
		server.mu.Lock()
		left := len(server.sources)
		server.mu.Unlock()
		if left > 0 {
			t.Errorf("%d tracks are published to nobody", left)
		}
		server.Wait()
	})
}

// dial opens a session with the Server.
func (w *world) dial(t *testing.T, h session.Handler) *session.Session {
	t.Helper()
	r := &runner{cfg: w.cfg}
	return testkit.Must(r.connect(t.Context(), h))(t)
}

// TestDirect: a Server passes all cases that need no relay, in every draft.
func TestDirect(t *testing.T) {
	for _, protocol := range session.Protocols() {
		t.Run(protocol, func(t *testing.T) {
			inServer(t, func(t *testing.T, w *world, _ *Server) {
				w.protocol = protocol
				cases := slices.DeleteFunc(Cases(Suite80), func(c Case) bool { return c.Ask.Request == Publish })
				if len(cases) != 80-8 {
					t.Errorf("%d cases", len(cases))
				}
				if err := Run(t.Context(), w.cfg, cases); err != nil {
					t.Error(err)
				}
				for _, r := range w.results {
					if r.Err != nil {
						t.Errorf("%s %s: %v", r.Case.ID(), r.Case.Name, r.Err)
					}
				}
			})
		})
	}
}

// TestRefusals: what is no track is refused, by whatever request.
func TestRefusals(t *testing.T) {
	inServer(t, func(t *testing.T, w *world, _ *Server) {
		s := w.dial(t, nil)
		name := model.FullTrackName{Namespace: model.Namespace{Protocol, "0"}, Name: TrackName}
		_, subscribed := s.Subscribe(t.Context(), session.SubscribeOptions{Track: name}, newCollector(s))
		f := testkit.Must(s.Fetch(t.Context(), session.FetchOptions{Track: name, Range: model.Range{End: model.Forever}}))(t)
		_, fetched := f.OK(t.Context())
		_, status := s.TrackStatus(t.Context(), name)
		_, collected := s.SubscribeTracks(t.Context(), name.Namespace, true, nil)
		for request, err := range map[string]error{"SUBSCRIBE": subscribed, "FETCH": fetched, "TRACK_STATUS": status, "SUBSCRIBE_TRACKS": collected} {
			if e := testkit.ErrAs[*model.RequestError](t, err); e.Code != model.NotSupported || !strings.HasPrefix(e.Reason, "Invalid Parameters") {
				t.Errorf("%s: %v", request, err)
			}
		}
		name.Namespace = with("")
		f = testkit.Must(s.Fetch(t.Context(), session.FetchOptions{Track: name, Range: model.Range{Start: model.Location{Group: 3}, End: model.Forever}}))(t)
		_, behind := f.OK(t.Context())
		if e := testkit.ErrAs[*model.RequestError](t, behind); e.Code != model.InvalidRange {
			t.Errorf("a range behind the end: %v", behind)
		}
		s.Close(model.NoError, "")
		s.Wait()
	})
}

// TestOneTrackForAll: who comes later joins in the middle, and when the last has
// left the track begins anew.
func TestOneTrackForAll(t *testing.T) {
	inServer(t, func(t *testing.T, w *world, _ *Server) {
		s := w.dial(t, nil)
		other := w.dial(t, nil)
		name := model.FullTrackName{Namespace: with(""), Name: TrackName}
		subscribe := func(s *session.Session, at model.Opt[model.Location]) (*session.Inbound, *collector) {
			got := newCollector(s)
			in := testkit.Must(s.Subscribe(t.Context(), session.SubscribeOptions{Track: name}, got))(t)
			if in.Offer.Largest != at {
				t.Errorf("the largest location is %v, want %v", in.Offer.Largest, at)
			}
			return in, got
		}
		status := func(want model.Opt[model.Location]) {
			t.Helper()
			if offer := testkit.Must(s.TrackStatus(t.Context(), name))(t); offer.Largest != want {
				t.Errorf("TRACK_STATUS tells of %v, want %v", offer.Largest, want)
			}
		}
		var none model.Opt[model.Location]
		status(none)
		first, all := subscribe(s, none)
		time.Sleep(110 * time.Millisecond) // of virtual time: objects at 0, 50 and 100 ms
		status(model.Some(model.Location{Object: 2}))
		second, rest := subscribe(other, model.Some(model.Location{Object: 2}))
		past := testkit.Must(other.Fetch(t.Context(), session.FetchOptions{Track: name, Range: model.Range{End: model.Forever}}))(t)
		info := testkit.Must(past.OK(t.Context()))(t)
		if info.End != (model.Location{Object: 2}) || info.EndOfTrack {
			t.Errorf("the past is %+v", info)
		}
		past.Cancel()
		for _, in := range []*session.Inbound{first, second} {
			if err := ended(t.Context(), in); err != nil {
				t.Error(err)
			}
		}
		if a, b := len(all.came), len(rest.came); a != 18 || b != 15 {
			t.Errorf("%d and %d objects came, want 18 and 15", a, b)
		}
		again, _ := subscribe(s, none)
		time.Sleep(110 * time.Millisecond)
		again.Cancel(model.ResetCancelled)
		synctest.Wait()
		status(none)
		anew, whole := subscribe(other, none)
		if err := ended(t.Context(), anew); err != nil || len(whole.came) != 18 {
			t.Errorf("%v, %d objects", err, len(whole.came))
		}
		for _, s := range []*session.Session{s, other} {
			s.Close(model.NoError, "")
			s.Wait()
		}
	})
}

// TestPaused: a subscriber that wants no objects yet does not make the track begin.
func TestPaused(t *testing.T) {
	inServer(t, func(t *testing.T, w *world, _ *Server) {
		s := w.dial(t, nil)
		name := model.FullTrackName{Namespace: with(""), Name: TrackName}
		got := newCollector(s)
		o := session.SubscribeOptions{Track: name}
		o.Change.Forward = model.Some(false)
		in := testkit.Must(s.Subscribe(t.Context(), o, got))(t)
		time.Sleep(time.Minute) // of virtual time
		if largest := testkit.Must(in.Update(t.Context(), session.Change{Forward: model.Some(true)}))(t); largest.Set {
			t.Errorf("%v was published to nobody", largest)
		}
		if err := ended(t.Context(), in); err != nil || len(got.came) != 18 {
			t.Errorf("%v, %d objects", err, len(got.came))
		}
		s.Close(model.NoError, "")
		s.Wait()
	})
}

// TestAskedFor: a Server publishes the track of a namespace that a peer asks for,
// and names the namespace of all.
func TestAskedFor(t *testing.T) {
	inServer(t, func(t *testing.T, w *world, _ *Server) {
		name := model.FullTrackName{Namespace: with(""), Name: TrackName}
		take := newTaker(name)
		s := w.dial(t, take)
		sub := testkit.Must(s.SubscribeTracks(t.Context(), name.Namespace, true, nil))(t)
		if err := ended(t.Context(), <-take.taken); err != nil || len(take.got.came) != 18 {
			t.Errorf("%v, %d objects", err, len(take.got.came))
		}
		sub.Cancel()
		found := make(chan string, 1)
		all := testkit.Must(s.SubscribeNamespace(t.Context(), nil, func(ns model.Namespace, live bool) { found <- strings.Join(ns, "/") }))(t)
		if ns := <-found; ns != Protocol {
			t.Errorf("the namespace %q", ns)
		}
		all.Cancel()
		s.Close(model.NoError, "")
		s.Wait()
	})
}

// TestTimeoutOfTheTrack: the last field is a property of the track.
func TestTimeoutOfTheTrack(t *testing.T) {
	inServer(t, func(t *testing.T, w *world, _ *Server) {
		s := w.dial(t, nil)
		name := model.FullTrackName{Namespace: Cases(Suite50)[48].Ask.Params.Namespace(), Name: TrackName}
		in := testkit.Must(s.Subscribe(t.Context(), session.SubscribeOptions{Track: name}, newCollector(s)))(t)
		if ms, _ := in.Offer.Properties.Int(model.PropObjectDeliveryTimeout); ms != 1000 {
			t.Errorf("the timeout is %d ms", ms)
		}
		s.Close(model.NoError, "")
		s.Wait()
	})
}
