package moqt_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
)

var cam = moqt.Track("live/cam1", "video")

// stage is a server in memory, in a bubble, and what dials it.
type stage struct {
	t       *testing.T
	mux     *moqt.TrackMux // of the server
	server  *moqt.Server
	serving sync.WaitGroup
	opts    []memtr.Option

	mu    sync.Mutex
	conns []transport.Conn // both ends, in the order of dialling
	down  error            // dialling fails with it
}

// onStage runs f in a bubble.
func onStage(t *testing.T, f func(*testing.T, *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		st := &stage{t: t, mux: moqt.NewTrackMux()}
		st.server = &moqt.Server{Handler: st.mux}
		t.Cleanup(st.serving.Wait)
		f(t, st)
	})
}

func (st *stage) connect(ctx context.Context, _ string, _ *tls.Config) (moqt.Conn, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.down != nil {
		return nil, st.down
	}
	client, server := memtr.Pair(st.opts...)
	st.conns = append(st.conns, client, server)
	s := st.server
	st.serving.Go(func() { _ = s.ServeConn(context.WithoutCancel(ctx), server) })
	return client, nil
}

// dial returns a session with the server, which ends with the test.
func (st *stage) dial(d moqt.Dialer) *moqt.Session {
	st.t.Helper()
	d.Connect = st.connect
	s := testkit.Must(d.Dial(st.t.Context(), "moqt://server/live"))(st.t)
	st.t.Cleanup(func() { s.Close() })
	return s
}

// lose cuts all connections.
func (st *stage) lose() {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, c := range st.conns {
		memtr.Break(c, nil)
	}
	st.conns = nil
}

// publish returns a track of the server.
func (st *stage) publish(opts ...moqt.TrackOption) *moqt.TrackWriter {
	st.t.Helper()
	w := testkit.Must(st.mux.PublishTrack(st.t.Context(), cam, opts...))(st.t)
	st.t.Cleanup(func() { w.Close() })
	return w
}

func (st *stage) subscribe(s *moqt.Session, opts ...moqt.SubscribeOption) *moqt.TrackReader {
	st.t.Helper()
	return testkit.Must(s.Subscribe(st.t.Context(), cam, opts...))(st.t)
}

// put writes the objects from first to before end of a group.
func put(t *testing.T, g *moqt.GroupWriter, first, end uint64) {
	t.Helper()
	f := moqt.NewFrame(0)
	for id := first; id < end; id++ {
		f.Reset()
		f.SetObjectID(id)
		f.WriteString(payload(g.GroupSequence(), id))
		testkit.NoErr(t, g.WriteFrame(f))
	}
}

// group writes a group of n objects.
func group(t *testing.T, w *moqt.TrackWriter, seq, n uint64) {
	t.Helper()
	g := testkit.Must(w.OpenGroup(seq))(t)
	put(t, g, 0, n)
	testkit.NoErr(t, g.Close())
}

// accept returns the next group, which must be the one of that sequence.
func accept(t *testing.T, r *moqt.TrackReader, seq uint64) *moqt.GroupReader {
	t.Helper()
	synctest.Wait() // groups may overtake each other
	g := testkit.Must(r.AcceptGroup(t.Context()))(t)
	if g.GroupSequence() != seq {
		t.Fatalf("group %d instead of %d", g.GroupSequence(), seq)
	}
	return g
}

// want reads the objects with IDs from first to before end.
func want(t *testing.T, g *moqt.GroupReader, first, end uint64) {
	t.Helper()
	f := moqt.NewFrame(0)
	for id := first; id < end; id++ {
		testkit.NoErr(t, g.ReadFrame(f))
		if got, _ := f.ObjectID(); got != id || string(f.Body()) != payload(g.GroupSequence(), id) {
			t.Fatalf("object %d of group %d is %d: %q", id, g.GroupSequence(), got, f.Body())
		}
	}
}

// wantEnd reads on to an end.
func wantEnd(t *testing.T, g *moqt.GroupReader, end error) {
	t.Helper()
	for range 2 { // it stays so
		if err := g.ReadFrame(moqt.NewFrame(0)); !errors.Is(err, end) {
			t.Fatalf("group %d ends with %v instead of %v", g.GroupSequence(), err, end)
		}
	}
	testkit.NoErr(t, g.Close())
	testkit.NoErr(t, g.Close())
}

func remote(code moqt.GroupErrorCode) error { return &moqt.StreamError{Code: code, Remote: true} }

// collect reads objects in order as "group/first-last", gaps as "!from-to", and
// the error at the end.
type collector struct {
	words []string
	at    moqt.Location
	last  moqt.Location
	some  bool
}

func (c *collector) flush() {
	if c.some {
		c.words = append(c.words, fmt.Sprintf("%v-%d", c.at, c.last.Object))
	}
	c.some = false
}

func (c *collector) add(f *moqt.Frame, err error) {
	if gap, ok := errors.AsType[*moqt.GapError](err); ok {
		c.flush()
		c.words = append(c.words, fmt.Sprintf("!%v-%v", gap.From, gap.To))
		return
	}
	if err != nil {
		c.flush()
		c.words = append(c.words, err.Error())
		return
	}
	l := f.Location()
	if string(f.Body()) != payload(l.Group, l.Object) {
		c.words = append(c.words, fmt.Sprintf("%v has %q", l, f.Body()))
	}
	if !c.some || l.Group != c.last.Group || l.Object != c.last.Object+1 {
		c.flush()
		c.at, c.some = l, true
	}
	c.last = l
}

func (c *collector) String() string {
	c.flush()
	return strings.Join(c.words, " ")
}

// follow reads objects in a goroutine until the track ends; result waits.
func follow(t *testing.T, r *moqt.TrackReader) (result func() string) {
	t.Helper()
	var c collector
	done := make(chan struct{})
	go func() {
		defer close(done)
		for f, err := range r.Objects(t.Context()) {
			c.add(f, err)
		}
	}()
	return func() string { <-done; return c.String() }
}

func check(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got  %s\nwant %s", what, got, want)
	}
}

func TestGroups(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		group(t, w, 5, 3)
		group(t, w, 9, 1)
		group(t, w, 10, 0)
		w.Close()
		g := accept(t, r, 5)
		want(t, g, 0, 3)
		wantEnd(t, g, io.EOF)
		g = accept(t, r, 9)
		want(t, g, 0, 1)
		wantEnd(t, g, io.EOF)
		wantEnd(t, accept(t, r, 10), io.EOF)
		if _, err := r.AcceptGroup(t.Context()); err != io.EOF || r.Err() != io.EOF {
			t.Errorf("after the end: %v, %v", err, r.Err())
		}
		for g, err := range r.Groups(t.Context()) {
			t.Errorf("after the end: %v, %v", g, err)
		}
	})
}

// TestGroupsDoNotWaitForEachOther, and objects come as they are written.
func TestGroupsDoNotWaitForEachOther(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		slow := testkit.Must(w.OpenGroup(5))(t)
		put(t, slow, 0, 1)
		five := accept(t, r, 5)
		want(t, five, 0, 1)
		group(t, w, 6, 50)
		six := accept(t, r, 6)
		want(t, six, 0, 50)
		wantEnd(t, six, io.EOF)
		put(t, slow, 1, 2)
		want(t, five, 1, 2)
		testkit.NoErr(t, slow.Close())
		wantEnd(t, five, io.EOF)
	})
}

// TestGroupIsBrokenOff: the others live on.
func TestGroupIsBrokenOff(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		five := testkit.Must(w.OpenGroup(5))(t)
		six := testkit.Must(w.OpenGroup(6))(t)
		put(t, five, 0, 2)
		put(t, six, 0, 1)
		synctest.Wait()
		a, b := accept(t, r, 5), accept(t, r, 6)
		want(t, a, 0, 2)
		five.CancelWrite(moqt.ExcessiveLoadGroupErrorCode)
		wantEnd(t, a, remote(moqt.ExcessiveLoadGroupErrorCode))
		if err := five.WriteFrame(moqt.NewFrame(0)); !errors.Is(err, &moqt.StreamError{Code: moqt.ExcessiveLoadGroupErrorCode}) {
			t.Errorf("written after the end: %v", err)
		}
		put(t, six, 1, 3)
		testkit.NoErr(t, six.Close())
		want(t, b, 0, 3)
		wantEnd(t, b, io.EOF)
	})
}

// TestReaderLetsAGroupGo: what comes of it later is not a new group.
func TestReaderLetsAGroupGo(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		g := testkit.Must(w.OpenGroup(5))(t)
		put(t, g, 0, 2)
		a := accept(t, r, 5)
		want(t, a, 0, 1)
		a.CancelRead(moqt.CancelledGroupErrorCode)
		wantEnd(t, a, moqt.ErrClosed)
		put(t, g, 2, 3)
		testkit.NoErr(t, g.Close())
		group(t, w, 6, 1)
		want(t, accept(t, r, 6), 0, 1)
	})
}

func TestJoinLate(t *testing.T) {
	for _, tt := range []struct {
		name string
		at   moqt.Start
		want string
	}{
		{"now", moqt.FromNow, "7/2-3 8/0-0"},
		{"the present group", moqt.FromGroupsBack(0), "7/0-3 8/0-0"},
		{"two groups back", moqt.FromGroupsBack(2), "5/0-2 6/0-2 7/0-3 8/0-0"},
		{"a group", moqt.FromGroup(6), "6/0-2 7/0-3 8/0-0"},
		{"a group that is not there yet", moqt.FromGroup(8), "8/0-0"},
		{"a location", moqt.From(moqt.Location{Group: 6, Object: 1}), "6/1-2 7/0-3 8/0-0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onStage(t, func(t *testing.T, st *stage) {
				w := st.publish()
				for seq := range uint64(3) {
					group(t, w, 4+seq, 3)
				}
				g := testkit.Must(w.OpenGroup(7))(t)
				put(t, g, 0, 2)
				s := st.dial(moqt.Dialer{})
				r := st.subscribe(s, moqt.StartAt(tt.at))
				result := follow(t, r)
				synctest.Wait()
				put(t, g, 2, 4)
				testkit.NoErr(t, g.Close())
				group(t, w, 8, 1)
				synctest.Wait()
				w.Close()
				check(t, "objects", result(), tt.want)
				if l, ok := r.Largest(); !ok || l != (moqt.Location{Group: 8}) {
					t.Errorf("largest %v %v", l, ok)
				}
			})
		})
	}
}

// TestJoinLateByGroups: a group that is fetched and goes on is one group.
func TestJoinLateByGroups(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		group(t, w, 6, 3)
		g := testkit.Must(w.OpenGroup(7))(t)
		put(t, g, 0, 2)
		r := st.subscribe(st.dial(moqt.Dialer{}), moqt.StartAt(moqt.FromGroupsBack(1)))
		six := accept(t, r, 6)
		want(t, six, 0, 3)
		wantEnd(t, six, io.EOF)
		seven := accept(t, r, 7)
		want(t, seven, 0, 2)
		put(t, g, 2, 4)
		want(t, seven, 2, 4)
		testkit.NoErr(t, g.Close())
		wantEnd(t, seven, io.EOF)
	})
}

func TestUntil(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		group(t, w, 6, 3)
		group(t, w, 7, 3)
		s := st.dial(moqt.Dialer{})
		r := st.subscribe(s, moqt.StartAt(moqt.FromGroup(6)), moqt.Until(moqt.Location{Group: 7, Object: 1}))
		check(t, "of the past", follow(t, r)(), "6/0-2 7/0-1")
		r = st.subscribe(s, moqt.Until(moqt.Location{Group: 8, Object: 1}))
		result := follow(t, r)
		synctest.Wait()
		group(t, w, 8, 3)
		check(t, "live", result(), "8/0-1")
	})
}

func TestSubscribeFails(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		s := st.dial(moqt.Dialer{})
		_, err := s.Subscribe(t.Context(), cam)
		testkit.ErrIs(t, err, &moqt.RequestError{Code: 0x10, Remote: true}) // DOES_NOT_EXIST
		_, err = s.Subscribe(t.Context(), moqt.TrackName{})
		if err == nil {
			t.Error("a track without name")
		}
		st.publish()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errEnough)
		_, err = s.Subscribe(ctx, cam)
		testkit.ErrIs(t, err, errEnough)
		s.Close()
		_, err = s.Subscribe(t.Context(), cam)
		testkit.ErrIs(t, err, moqt.ErrClosed)
		testkit.ErrIs(t, s.Err(), moqt.ErrClosed)
	})
}

var errEnough = errors.New("enough")

// TestSubscriptionEnds in all ways, with readers that wait.
func TestSubscriptionEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(st *stage, cancel context.CancelCauseFunc, s *moqt.Session, r *moqt.TrackReader)
		want error
	}{
		{"by Close", func(_ *stage, _ context.CancelCauseFunc, _ *moqt.Session, r *moqt.TrackReader) { r.Close() }, moqt.ErrClosed},
		{"by its context", func(_ *stage, cancel context.CancelCauseFunc, _ *moqt.Session, _ *moqt.TrackReader) {
			cancel(errEnough)
		}, errEnough},
		{"by its session", func(_ *stage, _ context.CancelCauseFunc, s *moqt.Session, _ *moqt.TrackReader) { s.Close() }, moqt.ErrClosed},
		{"by the network", func(st *stage, _ context.CancelCauseFunc, _ *moqt.Session, _ *moqt.TrackReader) {
			st.lose()
		}, transport.ErrIdle},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onStage(t, func(t *testing.T, st *stage) {
				w := st.publish()
				s := st.dial(moqt.Dialer{})
				ctx, cancel := context.WithCancelCause(t.Context())
				r := testkit.Must(s.Subscribe(ctx, cam))(t)
				g := testkit.Must(w.OpenGroup(1))(t)
				put(t, g, 0, 1)
				reading := accept(t, r, 1)
				want(t, reading, 0, 1)
				var waiting sync.WaitGroup
				waiting.Go(func() { wantEnd(t, reading, tt.want) })
				waiting.Go(func() {
					if _, err := r.AcceptGroup(t.Context()); !errors.Is(err, tt.want) {
						t.Errorf("AcceptGroup: %v", err)
					}
				})
				synctest.Wait()
				tt.end(st, cancel, s, r)
				waiting.Wait()
				testkit.ErrIs(t, r.Err(), tt.want)
				r.Close()
				cancel(nil)
			})
		})
	}
}

func TestUpdate(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		group(t, w, 1, 1)
		want(t, accept(t, r, 1), 0, 1)
		off, on := moqt.Change{}, moqt.Change{}
		off.Forward.Set, on.Forward.Set, on.Forward.Value = true, true, true
		on.Priority.Set, on.Priority.Value = true, 3
		testkit.NoErr(t, r.Update(t.Context(), off))
		group(t, w, 2, 1)
		synctest.Wait()
		testkit.NoErr(t, r.Update(t.Context(), on))
		if c := r.Config(); !c.Forward.Value || c.Priority.Value != 3 {
			t.Errorf("the terms are %+v", c)
		}
		group(t, w, 3, 1)
		want(t, accept(t, r, 3), 0, 1)
		filter := moqt.Change{}
		filter.Filter.Set = true
		if r.Update(t.Context(), filter) == nil {
			t.Error("the filter was changed")
		}
		r.Close()
		testkit.ErrIs(t, r.Update(t.Context(), on), moqt.ErrClosed)
	})
}

func TestAcceptGroupObeysItsContext(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errEnough)
		defer cancel()
		_, err := r.AcceptGroup(ctx)
		testkit.ErrIs(t, err, errEnough)
		for f, err := range r.Objects(ctx) {
			if f != nil || !errors.Is(err, errEnough) {
				t.Errorf("%v, %v", f, err)
			}
		}
		for g, err := range r.Groups(ctx) {
			if g != nil || !errors.Is(err, errEnough) {
				t.Errorf("%v, %v", g, err)
			}
		}
		group(t, w, 1, 1) // it goes on
		want(t, accept(t, r, 1), 0, 1)
	})
}
