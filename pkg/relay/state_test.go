package relay

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"

	"github.com/google/go-cmp/cmp"
)

// state returns what a window sees.
func (s *stage) state() *observe.State {
	s.t.Helper()
	synctest.Wait()
	return testkit.Must(s.r.State(s.t.Context()))(s.t)
}

// detail returns what a window sees of a track.
func (s *stage) detail(track model.FullTrackName) *observe.TrackDetail {
	s.t.Helper()
	for _, t := range s.state().Tracks {
		if t.FullName == track.String() {
			return testkit.Must(s.r.Track(s.t.Context(), t.ID))(s.t)
		}
	}
	s.t.Fatalf("there is no track %v", track)
	return nil
}

func TestStateOfNothing(t *testing.T) {
	play(t, Config{Identity: observe.Identity{Name: "eu-1", Version: "1.2"}, CacheBytes: 1 << 20}, func(t *testing.T, s *stage) {
		began := time.Now()
		pass(time.Second)
		got := s.state()
		if got.Relay.Name != "eu-1" || got.Relay.Version != "1.2" || !got.Relay.Began.Equal(began) || got.Relay.Draining ||
			!slices.Contains(got.Relay.Drafts, "18") || !got.Time.Equal(began.Add(time.Second)) || got.Cache.Budget != 1<<20 {
			t.Errorf("%+v", got)
		}
		for name, null := range map[string]bool{
			"addresses": got.Relay.Addresses == nil, "sessions": got.Sessions == nil, "namespaces": got.Spaces == nil,
			"tracks": got.Tracks == nil, "links": got.Links == nil, "buckets": got.Totals.Delays.Buckets == nil,
		} {
			if null {
				t.Errorf("the list of %s would be null", name)
			}
		}
		if _, err := s.r.Track(t.Context(), "1"); !errors.Is(err, observe.ErrNoTrack) {
			t.Error(err)
		}
	})
}

// Duties: 79.
func TestStateOfSessions(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.joinAs("a publisher")
		sub, both := s.join(), s.join()
		s.join() // does nothing
		pass(time.Second)
		pub.publish("moq-date", "date", session.Offer{})
		pub.announce("moq-date/more")
		sub.mustSubscribe(date)
		both.mustSubscribe(date)
		both.announce("other")
		both.watch("moq-date")
		out := pub.outbound("date")
		pub.stream(out, 1, 0, 3)
		if _, err := sub.subscribe(name("nobody", "x"), session.Change{}); err == nil {
			t.Error("a track of nobody was accepted")
		}
		type row struct {
			Role, Implementation                        string
			Namespaces, Publishes, Subscribes, Watches  int
			In, Out, RequestsIn, RequestsOut, Refused   uint64
			Transport, Draft                            string
			WithoutRemote, WithoutBytes, WithoutRTTOnly bool
		}
		var got []row
		for i, p := range s.state().Sessions {
			c := p.Counters
			if p.ID != []string{"1", "2", "3", "4"}[i] || !p.Began.Equal(time.Now().Add(-time.Second)) {
				t.Errorf("session %d is %q since %v", i, p.ID, p.Began)
			}
			got = append(got, row{
				p.Role, p.Implementation, p.Namespaces, p.Publishes, p.Subscribes, p.Watches,
				c.ObjectsIn, c.ObjectsOut, c.RequestsIn, c.RequestsOut, c.Refused, p.Transport, p.Draft,
				p.Remote == "", p.Link.BytesReceived == 0, p.Link.PacketsSent > 0,
			})
		}
		want := []row{
			{"pub", "a publisher", 2, 1, 0, 0, 3, 0, 2, 1, 0, "mem", "18", false, false, false},
			{"sub", "", 0, 0, 1, 0, 0, 3, 2, 0, 1, "mem", "18", false, false, false},
			{"pub+sub", "", 1, 0, 1, 1, 0, 3, 3, 0, 0, "mem", "18", false, false, false},
			{"–", "", 0, 0, 0, 0, 0, 0, 0, 0, 0, "mem", "18", false, false, false},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		before := s.state().Totals
		if before.ObjectsIn != 3 || before.ObjectsOut != 6 || before.RequestsIn != 7 || before.RequestsOut != 1 ||
			before.Refused != 1 || before.Delays.Count != 6 || before.BytesIn != 9 {
			t.Errorf("totals = %+v", before)
		}
		for _, a := range s.cast {
			a.sess.Close(model.NoError, "")
		}
		pass(time.Second)
		after := s.state()
		if d := cmp.Diff(before, after.Totals); d != "" || len(after.Sessions) != 0 || after.Counters.Sessions != 0 {
			t.Errorf("when all have gone: %d sessions, totals (-want +got):\n%s", len(after.Sessions), d)
		}
	})
}

func TestStateOfNamespaces(t *testing.T) {
	play(t, Config{Scope: ScopePath}, func(t *testing.T, s *stage) {
		a, b, viewer, elsewhere := s.joinAt("/x"), s.joinAt("/x"), s.joinAt("/x"), s.joinAt("/y")
		a.publish("live/one", "video", session.Offer{})
		a.offer("audio", session.Offer{})
		b.announce("live/one")
		b.announce("live/two")
		elsewhere.announce("live")
		viewer.watch("live")
		if _, err := viewer.sess.SubscribeTracks(t.Context(), model.Namespace{"live", "two"}, true, nil); err != nil {
			t.Fatal(err)
		}
		viewer.mustSubscribe(name("live/one", "video"))
		viewer.mustSubscribe(name("live/one", "audio"))
		var got []string
		for _, n := range s.state().Spaces {
			got = append(got, strings.Join([]string{
				n.Scope, strings.Join(n.Fields, "/"), n.Name, strings.Join(n.Publishers, ","), strings.Join(n.Watchers, ","),
				strings.Repeat("t", n.Tracks),
			}, " "))
		}
		want := []string{
			"/x live live  3 tt",
			"/x live/one live-one 1,2  tt",
			"/x live/two live-two 2 3 ",
			"/y live live 4  ",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// TestStateOfATrack follows a track through its life.
// Duties: 79.
func TestStateOfATrack(t *testing.T) {
	play(t, Config{Grace: time.Minute}, func(t *testing.T, s *stage) {
		one := func(why string) observe.TrackState {
			t.Helper()
			all := s.state().Tracks
			if len(all) != 1 {
				t.Fatalf("%s: %d tracks", why, len(all))
			}
			return all[0]
		}
		pub, sub := s.join(), s.join()
		pub.hold = make(chan struct{})
		pub.publish("moq-date", "date", session.Offer{})
		began := time.Now()
		accepted := make(chan *session.Inbound, 1)
		go func() { accepted <- sub.mustSubscribe(date) }()
		got := one("a publisher is asked")
		if got.State != "opening" || len(got.Publishers) != 0 || got.Subscribers != 1 || got.Largest != nil || !got.Newest.IsZero() {
			t.Errorf("while a publisher is asked: %+v", got)
		}
		if got.FullName != "moq.2ddate--date" || got.Name != "date" || !slices.Equal(got.Namespace, []string{"moq-date"}) || !got.Began.Equal(began) {
			t.Errorf("named %+v", got)
		}
		id := got.ID
		pass(time.Second)
		close(pub.hold)
		in := <-accepted
		pub.hold = nil
		out := pub.outbound("date")
		pub.stream(out, 7, 0, 3).Close()
		got = one("live")
		if got.State != "live" || !slices.Equal(got.Publishers, []string{"1"}) || *got.Largest != (observe.Location{Group: 7, Object: 2}) ||
			!got.Newest.Equal(time.Now()) || got.Counters.ObjectsOut != 3 || got.Counters.ObjectsIn != 3 || got.Lag.Objects != 3 || got.Lag.Max != 0 {
			t.Errorf("live: %+v", got)
		}
		if c := s.state().Cache; c.Tracks != 1 || c.Groups != 1 || c.Bytes < 9 {
			t.Errorf("cache %+v", c)
		}
		pub.sess.Close(model.NoError, "")
		pass(time.Second)
		if got = one("orphaned"); got.State != "orphaned" || len(got.Publishers) != 0 || got.Subscribers != 1 {
			t.Errorf("orphaned: %+v", got)
		}
		in.Cancel(model.ResetCancelled)
		pass(time.Hour)
		if got = one("idle"); got.State != "idle" || got.Subscribers != 0 || got.ID != id || got.Lag != (observe.Lag{}) {
			t.Errorf("idle: %+v", got)
		}
		if c := s.state().Counters; c.Tracks != 1 || c.TracksTotal != 1 || c.SessionsTotal != 2 {
			t.Errorf("counters %+v", c)
		}
	})
}

func TestDetailsOfATrack(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		_, second := sub, s.join()
		paused, err := second.subscribe(date, session.Change{Forward: model.Some(false), Priority: model.Some(uint8(3))})
		if err != nil {
			t.Fatal(err)
		}
		waits := s.join()
		late := s.join()
		g := pub.open(out, session.SubgroupHeader{Group: 4, Priority: model.Some(uint8(9)), FirstObject: true, Properties: true})
		props := append([]byte{2, 7}, 11, 2, 0xab, 0xcd) // draft 18: an even type with a number, an odd one, 11 further, with bytes
		g.put(session.ObjectHeader{ID: 0, Properties: props}, strings.Repeat("payload ", 100))
		g.put(session.ObjectHeader{ID: 1}, "")
		g.put(session.ObjectHeader{ID: 5}, "five")
		pass(time.Second)
		pub.stream(out, 5, 0, 2).Close()
		pass(time.Second)
		late.wantFetch("from the log", session.FetchOptions{Range: span(5, 0, 5, 1)}, "5/0 5/1")
		go func() {
			_, _ = waits.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: name("moq-date", "later"), Rendezvous: time.Hour}, waits)
		}()

		got := s.detail(date)
		if got.State != "live" || got.Priority != 128 || got.Order != "ascending" || !got.Time.Equal(time.Now()) ||
			got.Counters.FetchHits != 1 || got.Counters.FetchMisses != 0 {
			t.Errorf("%+v", got.TrackState)
		}
		alias := out.Alias()
		if d := cmp.Diff([]observe.PublisherState{
			{Session: "1", Transport: "mem", Draft: "18", State: "sends", Alias: &alias},
		}, got.Sources); d != "" {
			t.Errorf("sources (-want +got):\n%s", d)
		}
		if len(got.Groups) != 2 {
			t.Fatalf("groups %+v", got.Groups)
		}
		if g := got.Groups[0]; g.ID != 4 || g.First != 0 || g.Last != 5 || g.Objects != 3 || g.Open != 1 || g.Missing != 3 ||
			!slices.Equal(g.Holes, []observe.Hole{{From: 2, To: 4}}) || g.Bytes < 804 || !g.Newest.Equal(time.Now().Add(-2*time.Second)) {
			t.Errorf("group 4 is %+v", g)
		}
		if g := got.Groups[1]; g.ID != 5 || g.Objects != 2 || g.Open != 0 || g.Holes == nil || len(g.Holes) != 0 || g.Subgroups != 1 {
			t.Errorf("group 5 is %+v", g)
		}
		if len(got.Objects) != 5 {
			t.Fatalf("objects %+v", got.Objects)
		}
		o := got.Objects[0]
		if o.Number != 1 || o.Location != (observe.Location{Group: 4}) || o.Size != 800 || len(o.Peek) != observe.MaxPeek || o.Priority != 9 ||
			!strings.HasPrefix(string(o.Peek), "payload p") || o.Status != "normal" || o.PropertyBytes != len(props) || o.Datagram || o.Fetched {
			t.Errorf("the first object is %+v", o)
		}
		if d := cmp.Diff([]observe.PropertyState{{Type: 2, Value: "7"}, {Type: 13, Value: "abcd"}}, o.Properties); d != "" {
			t.Errorf("properties (-want +got):\n%s", d)
		}
		if last := got.Objects[4]; last.Location != (observe.Location{Group: 5, Object: 1}) || string(last.Peek) != "5/1" || last.Properties == nil ||
			!last.Arrived.Equal(time.Now().Add(-time.Second)) {
			t.Errorf("the last object is %+v", last)
		}
		if len(got.Subscriptions) != 2 {
			t.Fatalf("subscriptions %+v", got.Subscriptions)
		}
		a, b := got.Subscriptions[0], got.Subscriptions[1]
		if a.Session != "2" || a.State != "served" || !a.Forward || a.Counters.ObjectsOut != 5 || a.Lag.Objects != 5 || a.Alias == nil ||
			a.Range != "0/0.." || a.Counters.OpenStreams != 1 || a.Counters.Streams != 2 {
			t.Errorf("the first subscriber is %+v", a)
		}
		if b.Session != "3" || b.State != "paused" || b.Forward || b.Priority != 3 || b.Counters.ObjectsOut != 0 || b.Lag != (observe.Lag{}) {
			t.Errorf("the second subscriber is %+v", b)
		}
		if later := s.detail(name("moq-date", "later")); later.State != "idle" || later.Subscriptions[0].State != "waits" ||
			later.Subscriptions[0].Session != "4" || later.Subscriptions[0].Alias != nil {
			t.Errorf("who waits: %+v", later)
		}
		paused.Cancel(model.ResetCancelled)
		pass(time.Second)
		if got := s.detail(date); len(got.Subscriptions) != 1 {
			t.Errorf("%d subscriptions are left", len(got.Subscriptions))
		}
	})
}

// TestLagOfASlowSubscriber: what one subscriber does not take is late for that one
// only, and the queue is what waits.
func TestLagOfASlowSubscriber(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.join()
		pub.publish("moq-date", "date", session.Offer{})
		slow := s.clockOf(&clock{gate: make(chan struct{})}, memtr.WithWindow(2_000))
		fast := s.join()
		fast.mustSubscribe(date)
		out := pub.outbound("date")
		g := pub.open(out, session.SubgroupHeader{Group: 1, FirstObject: true})
		payload := strings.Repeat("x", 1000)
		for id := range uint64(10) {
			g.put(session.ObjectHeader{ID: id}, payload)
			pass(time.Second)
		}
		got := s.detail(date)
		a, b := got.Subscriptions[0], got.Subscriptions[1]
		if a.Counters.BytesBehind < 8000 || a.Counters.BytesBehind > 10_200 || a.Counters.ObjectsOut > 2 || a.Lag.Max != 0 {
			t.Errorf("the slow one is %+v", a)
		}
		if b.Counters.BytesBehind != 0 || b.Counters.ObjectsOut != 10 || b.Lag != (observe.Lag{Objects: 10, P50: 0, P95: 0, P99: 0, Max: 0}) {
			t.Errorf("the fast one is %+v", b)
		}
		close(slow.gate)
		pass(time.Second)
		got = s.detail(date)
		a = got.Subscriptions[0]
		if a.Counters.BytesBehind != 0 || a.Counters.ObjectsOut != 10 || a.Lag.Objects != 10 || a.Lag.Max < 8*time.Second || a.Lag.Max > 11*time.Second ||
			a.Lag.P50 < 2*time.Second || a.Lag.P50 > 8*time.Second {
			t.Errorf("then the slow one is %+v", a)
		}
		st := s.state()
		if l := got.Lag; l.Objects != 20 || l.Max != a.Lag.Max || st.Lag != l {
			t.Errorf("of the track: %+v, of the relay: %+v", l, st.Lag)
		}
		if l := st.Sessions[1].Lag; l != a.Lag {
			t.Errorf("of the session: %+v", l)
		}
		pass(observe.LagWindow)
		s.state()
		pass(observe.LagWindow)
		if l := s.state().Lag; l != (observe.Lag{}) {
			t.Errorf("long after: %+v", l)
		}
		if n := s.state().Totals.Delays.Count; n != 20 {
			t.Errorf("%d in the histogram", n)
		}
	})
}

// Duties: 79.
func TestDroppedObjectsOfATrackAreCounted(t *testing.T) {
	play(t, Config{Slow: policyOf(1)}, func(t *testing.T, s *stage) {
		pub := s.join()
		pub.publish("moq-date", "date", session.Offer{})
		gate := make(chan struct{})
		defer close(gate)
		s.clockOf(&clock{gate: gate}, memtr.WithWindow(100))
		out := pub.outbound("date")
		for group := range uint64(5) {
			pub.stream(out, group, 0, 60).Close()
			pass(time.Second)
		}
		got := s.detail(date)
		if n := got.Counters.Dropped[observe.DropSkipped]; n < 60 || got.Counters.Dropped != got.Subscriptions[0].Counters.Dropped {
			t.Errorf("dropped %v, by the subscriber %v", got.Counters.Dropped, got.Subscriptions[0].Counters.Dropped)
		}
		total := s.state().Totals.Dropped
		if total != got.Counters.Dropped {
			t.Errorf("totals %v", total)
		}
	})
}
