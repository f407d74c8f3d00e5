package moqt_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
)

// connectSession returns a session with successors of the function Connect.
func (st *stage) connectSession(h moqt.Handler) *moqt.Session {
	st.t.Helper()
	target := testkit.Must(dial.Parse("moqt://server/live"))(st.t)
	s := testkit.Must(moqt.Connect(st.t.Context(), target, dial.KeepOptions{Options: dial.Options{Connect: st.connect}}, h))(st.t)
	st.t.Cleanup(func() { s.Close() })
	return s
}

// TestOffer: a track that is served is offered too, in every session, until it ends.
func TestOffer(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		mux := moqt.NewTrackMux()
		w := testkit.Must(mux.PublishTrack(t.Context(), cam, moqt.WithPriority(7)))(t)
		s := st.connectSession(mux)
		testkit.ErrIs(t, s.Offer(t.Context(), w), &moqt.RequestError{Code: model.Uninterested, Remote: true})

		got := make(chan *moqt.TrackReader, 10)
		testkit.NoErr(t, st.mux.HandlePublish(cam.Namespace, func(ctx context.Context, r *moqt.TrackReader) {
			got <- r
			<-ctx.Done()
		}))
		over := make(chan error, 1)
		go func() { over <- s.Offer(t.Context(), w) }()
		first := <-got
		group(t, w, 1, 2)
		want(t, accept(t, first, 1), 0, 2)
		st.lose()
		second := <-got
		group(t, w, 2, 2)
		want(t, accept(t, second, 2), 0, 2)
		w.Close()
		testkit.NoErr(t, <-over)
		_, err := second.AcceptGroup(t.Context())
		testkit.ErrIs(t, err, io.EOF)
	})
}

// TestOfferEndsWithItsContext: the track goes on.
func TestOfferEndsWithItsContext(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		testkit.NoErr(t, st.mux.HandlePublish(cam.Namespace, func(ctx context.Context, _ *moqt.TrackReader) { <-ctx.Done() }))
		mux := moqt.NewTrackMux()
		w := testkit.Must(mux.PublishTrack(t.Context(), cam))(t)
		s := st.connectSession(mux)
		ctx, cancel := context.WithCancelCause(t.Context())
		over := make(chan error, 1)
		go func() { over <- s.Offer(ctx, w) }()
		synctest.Wait()
		cancel(io.ErrNoProgress)
		testkit.ErrIs(t, <-over, io.ErrNoProgress)
		group(t, w, 1, 1)
	})
}

// TestWithPriority: streams and datagrams say the priority of the track.
func TestWithPriority(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish(moqt.WithPriority(7))
		plain := testkit.Must(st.mux.PublishTrack(t.Context(), moqt.Track("live/cam1", "plain")))(t)
		s := testkit.Must(st.connectSession(nil).Current(t.Context()))(t)
		for _, tt := range []struct {
			w    *moqt.TrackWriter
			want model.Opt[uint8]
		}{{w, model.Some[uint8](7)}, {plain, model.Opt[uint8]{}}} {
			got := make(chan model.Object, 10)
			sub := &moqt.Subscriber{Track: tt.w.Name(), Emit: func(o model.Object) { got <- o }}
			ctx, cancel := context.WithCancel(t.Context())
			over := make(chan error, 1)
			go func() { over <- sub.Run(ctx, s) }()
			synctest.Wait()
			group(t, tt.w, 1, 1)
			if o := <-got; o.Priority != tt.want {
				t.Errorf("on a stream: priority %v, want %v", o.Priority, tt.want)
			}
			testkit.NoErr(t, tt.w.WriteDatagram(2, moqt.NewFrame(0)))
			if o := <-got; !o.Datagram || o.Priority != tt.want {
				t.Errorf("as a datagram (%v): priority %v, want %v", o.Datagram, o.Priority, tt.want)
			}
			cancel()
			<-over
		}
	})
}
