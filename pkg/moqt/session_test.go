package moqt_test

import (
	"context"
	"errors"
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
	"oxymoq/pkg/moqt"
)

func TestDialFails(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		for _, url := range []string{"", "http://x", "moqt://", "moqt://host:99999"} {
			if _, err := moqt.Dial(t.Context(), url, nil); err == nil {
				t.Errorf("%q was dialled", url)
			}
		}
		st.down = errEnough
		for _, d := range []moqt.Dialer{{}, {Reconnect: true}} {
			d.Connect = st.connect
			_, err := d.Dial(t.Context(), "moqt://server")
			testkit.ErrIs(t, err, errEnough)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, io.ErrNoProgress)
		defer cancel()
		d := moqt.Dialer{Connect: st.connect, Reconnect: true, Retry: true}
		_, err := d.Dial(ctx, "moqt://server")
		testkit.ErrIs(t, err, io.ErrNoProgress)
		time.AfterFunc(time.Minute, func() {
			st.mu.Lock()
			defer st.mu.Unlock()
			st.down = nil
		})
		s := testkit.Must(d.Dial(t.Context(), "moqt://server"))(t)
		if stats := s.Stats(); !stats.Connected || stats.Protocol != "moqt-18" || stats.Transport != "mem" {
			t.Errorf("%+v", stats)
		}
		s.Close()
		if s.Stats().Connected {
			t.Error("connected after Close")
		}
	})
}

// TestReconnect: a reader loses nothing of what was written while the connection
// was away, whether it reads by groups or in order.
func TestReconnect(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		s := st.dial(moqt.Dialer{Reconnect: true})
		byGroup := st.subscribe(s)
		inOrder := st.subscribe(st.dial(moqt.Dialer{Reconnect: true}))
		result := follow(t, inOrder)
		group(t, w, 1, 3)
		g := testkit.Must(w.OpenGroup(2))(t)
		put(t, g, 0, 2)
		synctest.Wait()
		st.lose()
		put(t, g, 2, 4)
		testkit.NoErr(t, g.Close())
		group(t, w, 3, 3)
		g = testkit.Must(w.OpenGroup(4))(t)
		put(t, g, 0, 1)
		<-time.After(time.Minute)
		put(t, g, 1, 3)
		testkit.NoErr(t, g.Close())
		group(t, w, 5, 1)
		for seq, n := range []uint64{1: 3, 2: 4, 3: 3, 4: 3, 5: 1} {
			if n > 0 {
				in := accept(t, byGroup, uint64(seq))
				want(t, in, 0, n)
				wantEnd(t, in, io.EOF)
			}
		}
		w.Close()
		_, err := byGroup.AcceptGroup(t.Context())
		testkit.ErrIs(t, err, io.EOF)
		check(t, "in order", result(), "1/0-2 2/0-3 3/0-2 4/0-2 5/0-0")
	})
}

// TestReconnectAgainAndAgain while a track is being written.
func TestReconnectAgainAndAgain(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{Reconnect: true}))
		result := follow(t, r)
		var wanted []string
		for seq := range uint64(30) {
			g := testkit.Must(w.OpenGroup(seq))(t)
			for id := range uint64(10) {
				put(t, g, id, id+1)
				if (seq*10+id)%17 == 0 {
					synctest.Wait()
					st.lose()
				}
				<-time.After(50 * time.Millisecond)
			}
			testkit.NoErr(t, g.Close())
			wanted = append(wanted, fmt.Sprintf("%d/0-9", seq))
		}
		<-time.After(time.Minute)
		w.Close()
		check(t, "objects", result(), strings.Join(wanted, " "))
	})
}

// TestGoaway leads to another session, and nothing is lost.
func TestGoaway(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		old := st.server
		s := st.dial(moqt.Dialer{Reconnect: true})
		r := st.subscribe(s)
		result := follow(t, r)
		group(t, w, 1, 3)
		g := testkit.Must(w.OpenGroup(2))(t)
		put(t, g, 0, 2)
		synctest.Wait()
		st.mu.Lock()
		st.server = &moqt.Server{Handler: st.mux} // its successor
		st.mu.Unlock()
		var stopping sync.WaitGroup
		stopping.Go(func() { testkit.NoErr(t, old.Shutdown(t.Context())) })
		synctest.Wait()
		put(t, g, 2, 4)
		testkit.NoErr(t, g.Close())
		stopping.Wait()
		group(t, w, 3, 1)
		synctest.Wait()
		w.Close()
		check(t, "objects", result(), "1/0-2 2/0-3 3/0-0")
		if s.Err() != nil {
			t.Errorf("the session ended: %v", s.Err())
		}
	})
}

// TestTrackComesBack: with Reconnect the reader waits for a publisher that has
// gone, and without it does not.
func TestPublishedAgain(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		name := cam
		got := make(chan *moqt.TrackReader, 10)
		testkit.NoErr(t, st.mux.HandlePublish(name.Namespace, func(ctx context.Context, r *moqt.TrackReader) {
			got <- r
			<-ctx.Done()
		}))
		s := st.dial(moqt.Dialer{Reconnect: true})
		w := testkit.Must(s.Publish(t.Context(), name))(t)
		group(t, w, 1, 2)
		first := <-got
		in := accept(t, first, 1)
		want(t, in, 0, 2)
		wantEnd(t, in, io.EOF)
		st.lose()
		second := <-got
		group(t, w, 2, 2)
		in = accept(t, second, 2)
		want(t, in, 0, 2)
		wantEnd(t, in, io.EOF)
		w.Close()
		_, err := second.AcceptGroup(t.Context())
		testkit.ErrIs(t, err, io.EOF)
		testkit.NoErr(t, s.Err())
	})
}

func TestPublish(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		s := st.dial(moqt.Dialer{})
		_, err := s.Publish(t.Context(), cam)
		testkit.ErrIs(t, err, &moqt.RequestError{Code: model.Uninterested, Remote: true})
		_, err = s.Publish(t.Context(), moqt.TrackName{})
		if err == nil {
			t.Error("a track without a name")
		}
		leave := make(chan struct{})
		testkit.NoErr(t, st.mux.HandlePublish(cam.Namespace, func(_ context.Context, r *moqt.TrackReader) {
			want(t, accept2(t, r), 0, 1)
			<-leave
		}))
		testkit.ErrIs(t, st.mux.HandlePublish(cam.Namespace, nil), moqt.ErrDuplicate)
		w := testkit.Must(s.Publish(t.Context(), cam))(t)
		g := testkit.Must(w.OpenGroup(1))(t)
		put(t, g, 0, 1)
		synctest.Wait()
		close(leave)
		<-w.Context().Done() // the peer does not want more
		testkit.ErrIs(t, context.Cause(w.Context()), remote(moqt.CancelledGroupErrorCode))
		if err := g.WriteFrame(moqt.NewFrame(0)); err == nil {
			t.Error("written after the end")
		}
		_, err = w.OpenGroup(2)
		testkit.ErrIs(t, err, remote(moqt.CancelledGroupErrorCode))
	})
}

func TestAnnouncements(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		one := st.publish()
		s := st.dial(moqt.Dialer{Reconnect: true})
		found := make(chan *moqt.Announcement, 10)
		ctx, cancel := context.WithCancelCause(t.Context())
		over := make(chan error)
		go func() {
			var last error
			for a, err := range s.Announcements(ctx, moqt.ParseNamespace("live")) {
				if last = err; err == nil {
					found <- a
				}
			}
			over <- last
		}()
		a := <-found
		if !a.Namespace.Equal(cam.Namespace) || !a.Active() {
			t.Errorf("%+v", a)
		}
		other := testkit.Must(st.mux.PublishTrack(t.Context(), moqt.Track("live/cam2", "video")))(t)
		third := testkit.Must(st.mux.PublishTrack(t.Context(), moqt.Track("elsewhere", "video")))(t)
		b := <-found
		if b.Namespace.String() != "live-cam2" {
			t.Errorf("%v", b.Namespace)
		}
		st.lose()
		<-time.After(time.Minute) // it is found again, and stays
		if !a.Active() || !b.Active() {
			t.Errorf("%v %v", a.Active(), b.Active())
		}
		one.Close()
		<-a.Context().Done()
		testkit.ErrIs(t, context.Cause(a.Context()), moqt.ErrWithdrawn)
		st.lose()
		other.Close()
		third.Close()
		<-b.Context().Done()
		testkit.ErrIs(t, context.Cause(b.Context()), moqt.ErrWithdrawn)
		cancel(errEnough)
		testkit.ErrIs(t, <-over, errEnough)
		if len(found) > 0 {
			t.Errorf("%v too", (<-found).Namespace)
		}
		for a, err := range s.Announcements(t.Context(), slices.Repeat(moqt.Namespace{"x"}, 40)) {
			if err == nil {
				t.Errorf("%v below a prefix that is too long", a.Namespace)
			}
		}
	})
}

// TestAnnounce: the peer hears of it, and subscribes through the session.
func TestAnnounce(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		ns := cam.Namespace
		heard, gone := make(chan error), make(chan error)
		testkit.NoErr(t, st.mux.HandleNamespace(nil, func(ctx context.Context, from *moqt.Session, got moqt.Namespace) {
			heard <- func() error {
				r, err := from.Subscribe(ctx, moqt.TrackName{Namespace: got, Name: "video"}, moqt.StartAt(moqt.FromGroupsBack(0)))
				if err != nil {
					return err
				}
				defer r.Close()
				in, err := r.AcceptGroup(ctx)
				if err != nil {
					return err
				}
				return in.ReadFrame(moqt.NewFrame(0))
			}()
			<-ctx.Done()
			gone <- context.Cause(ctx)
		}))
		testkit.ErrIs(t, st.mux.HandleNamespace(nil, nil), moqt.ErrDuplicate)
		mux := moqt.NewTrackMux()
		w := testkit.Must(mux.PublishTrack(t.Context(), cam))(t)
		defer w.Close()
		group(t, w, 1, 1)
		s := st.dial(moqt.Dialer{Handler: mux, Reconnect: true})
		for range 2 {
			a := testkit.Must(s.Announce(t.Context(), ns))(t)
			testkit.NoErr(t, <-heard)
			testkit.NoErr(t, a.Close())
			if err := <-gone; err == nil {
				t.Error("the namespace stays")
			}
			<-a.Context().Done()
		}
		a := testkit.Must(s.Announce(t.Context(), ns))(t)
		testkit.NoErr(t, <-heard)
		st.lose()
		<-gone
		testkit.NoErr(t, <-heard) // through the next session
		a.Close()
		<-gone
	})
}

func TestFetch(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish(moqt.WithProperties(moqt.Properties{{Type: 0x1234, Int: 5}}))
		group(t, w, 1, 3)
		group(t, w, 3, 3)
		s := st.dial(moqt.Dialer{})
		at := func(g, o uint64) moqt.Location { return moqt.Location{Group: g, Object: o} }
		f := testkit.Must(s.Fetch(t.Context(), cam, at(1, 1), at(9, 9)))(t)
		if f.End() != at(3, 2) {
			t.Errorf("it ends with %v", f.End())
		}
		if v, _ := f.Properties().Int(0x1234); v != 5 {
			t.Errorf("the track has %+v", f.Properties())
		}
		var c collector
		for frame, err := range f.Frames(nil) {
			c.add(frame, err)
		}
		check(t, "objects", c.String(), "1/1-2 !1/3-3/0 3/0-2")
		testkit.ErrIs(t, f.ReadFrame(moqt.NewFrame(0)), io.EOF)
		testkit.NoErr(t, f.Close())

		f = testkit.Must(s.Fetch(t.Context(), cam, at(1, 0), at(3, 0)))(t)
		testkit.NoErr(t, f.ReadFrame(moqt.NewFrame(100)))
		testkit.NoErr(t, f.Close())
		for range 10 {
			if err := f.ReadFrame(moqt.NewFrame(0)); err != nil && err != io.EOF {
				break
			} else if err == io.EOF {
				t.Error("a fetch that was closed ends well")
			}
		}
		_, err := s.Fetch(t.Context(), cam, at(3, 1), at(3, 0))
		testkit.ErrIs(t, err, &moqt.RequestError{Code: model.InvalidRange})
		_, err = s.Fetch(t.Context(), cam, at(7, 0), at(8, 0))
		testkit.ErrIs(t, err, &moqt.RequestError{Code: model.InvalidRange, Remote: true})
		if _, err = s.Fetch(t.Context(), moqt.TrackName{}, at(7, 0), at(8, 0)); err == nil {
			t.Error("a track without name")
		}
	})
}

// TestOnDemand: one call of the function for all subscribers, and its end with
// the last.
func TestOnDemand(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		var mu sync.Mutex
		calls, ends := 0, 0
		testkit.NoErr(t, st.mux.HandleFunc(moqt.ParseNamespace("live"), func(ctx context.Context, w *moqt.TrackWriter) error {
			mu.Lock()
			calls++
			mu.Unlock()
			defer func() { mu.Lock(); ends++; mu.Unlock() }()
			switch w.Name().Name {
			case "unknown":
				return nil
			case "forbidden":
				return &moqt.RequestError{Code: model.RequestUnauthorized, Reason: "not for you"}
			case "broken":
				return errEnough
			}
			w.Ready()
			<-time.After(time.Second)
			group(t, w, 1, 2)
			if w.Name().Name == "short" {
				return errEnough
			}
			<-ctx.Done()
			return context.Cause(ctx)
		}))
		testkit.ErrIs(t, st.mux.HandleFunc(moqt.ParseNamespace("live"), nil), moqt.ErrDuplicate)
		counts := func(c, e int) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if calls != c || ends != e {
				t.Errorf("%d calls, %d ends instead of %d and %d", calls, ends, c, e)
			}
			calls, ends = 0, 0
		}
		a, b := st.dial(moqt.Dialer{}), st.dial(moqt.Dialer{})
		for range 2 {
			r1, r2 := st.subscribe(a), st.subscribe(b)
			for _, r := range []*moqt.TrackReader{r1, r2} {
				in := accept2(t, r)
				want(t, in, 0, 2)
				wantEnd(t, in, io.EOF)
			}
			r1.Close()
			counts(1, 0)
			r2.Close()
			counts(0, 1)
		}
		for name, code := range map[string]moqt.RequestError{
			"unknown":   {Code: model.DoesNotExist, Remote: true},
			"forbidden": {Code: model.RequestUnauthorized, Remote: true},
			"broken":    {Code: model.RequestInternalError, Remote: true},
		} {
			_, err := a.Subscribe(t.Context(), moqt.Track("live/cam1", name))
			testkit.ErrIs(t, err, &code)
			counts(1, 1)
		}
		r := testkit.Must(a.Subscribe(t.Context(), moqt.Track("live/cam1", "short")))(t)
		want(t, accept2(t, r), 0, 2)
		_, err := r.AcceptGroup(t.Context())
		testkit.ErrIs(t, err, &moqt.DoneError{Code: moqt.InternalTrackErrorCode})
		counts(1, 1)
	})
}

// accept2 waits for the next group.
func accept2(t *testing.T, r *moqt.TrackReader) *moqt.GroupReader {
	t.Helper()
	return testkit.Must(r.AcceptGroup(t.Context()))(t)
}

func TestServerShutdown(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		st.publish()
		accepted := make(chan error, 1)
		st.server.Accepted = func(ctx context.Context, s *moqt.Session) {
			_, err := s.Subscribe(ctx, cam)
			accepted <- err
			<-ctx.Done()
		}
		s := st.dial(moqt.Dialer{})
		testkit.ErrIs(t, <-accepted, &moqt.RequestError{Code: model.NotSupported, Remote: true})
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errEnough)
		defer cancel()
		began := time.Now()
		testkit.ErrIs(t, st.server.Shutdown(ctx), errEnough)
		if d := time.Since(began); d != time.Minute {
			t.Errorf("it waited %v", d)
		}
		<-s.Context().Done()
		testkit.ErrIs(t, s.Err(), &moqt.SessionError{Code: model.NoError, Remote: true})
		testkit.NoErr(t, st.server.Shutdown(ctx))
		_, err := (&moqt.Dialer{Connect: st.connect}).Dial(t.Context(), "moqt://server")
		if err == nil {
			// It may have been set up before it was closed.
			return
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		testkit.ErrIs(t, st.server.ListenAndServe(t.Context()), moqt.ErrServerClosed)
	})
}
