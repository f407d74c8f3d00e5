package moqt_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
)

func TestFrame(t *testing.T) {
	f := moqt.NewFrame(-1)
	if f.Len() != 0 || f.Cap() != 0 {
		t.Errorf("a new frame has %d of %d bytes", f.Len(), f.Cap())
	}
	if f = moqt.NewFrame(100); f.Cap() < 100 {
		t.Errorf("it has room for %d bytes", f.Cap())
	}
	testkit.Must(f.Write([]byte("ab")))(t)
	testkit.Must(f.WriteString("cd"))(t)
	f.SetObjectID(7)
	f.SetProperties(moqt.Properties{{Type: 6, Int: 1}})
	c := f.Clone()
	var out bytes.Buffer
	if n, err := f.WriteTo(&out); n != 4 || err != nil || out.String() != "abcd" {
		t.Errorf("wrote %d bytes, %q, %v", n, out.String(), err)
	}
	f.Reset()
	if _, ok := f.ObjectID(); ok || f.Len() != 0 || f.Cap() < 100 || f.Properties() != nil || f.Location() != (moqt.Location{}) {
		t.Errorf("after Reset: %+v", f)
	}
	f.WriteString("xxxx")
	if id, ok := c.ObjectID(); !ok || id != 7 || string(c.Body()) != "abcd" || len(c.Properties()) != 1 {
		t.Errorf("the copy is %+v", c)
	}
}

func TestWriterRefuses(t *testing.T) {
	ctx := t.Context()
	mux := moqt.NewTrackMux()
	w := testkit.Must(mux.PublishTrack(ctx, cam))(t)
	_, err := mux.PublishTrack(ctx, cam)
	testkit.ErrIs(t, err, moqt.ErrDuplicate)
	if _, err := mux.PublishTrack(ctx, moqt.Track("live//cam1", "video")); err == nil {
		t.Error("an empty field of a namespace")
	}
	if _, err := mux.PublishTrack(ctx, moqt.Track("a", "b"), moqt.WithProperties(moqt.Properties{{Type: 8}, {Type: 6}})); err == nil {
		t.Error("properties out of order")
	}
	g := testkit.Must(w.OpenGroup(5))(t)
	_, err = w.OpenGroup(5)
	testkit.ErrIs(t, err, moqt.ErrDuplicate)
	put(t, g, 0, 3)
	f := moqt.NewFrame(0)
	f.SetObjectID(2)
	testkit.ErrIs(t, g.WriteFrame(f), moqt.ErrOrder)
	f.SetObjectID(3)
	f.SetProperties(moqt.Properties{{Type: 8}, {Type: 6}})
	if g.WriteFrame(f) == nil {
		t.Error("properties out of order")
	}
	if g.WriteFrame(nil) == nil || w.WriteDatagram(5, nil) == nil {
		t.Error("no frame at all")
	}
	put(t, g, 3, 4) // it goes on
	testkit.NoErr(t, g.Close())
	testkit.NoErr(t, g.Close())
	testkit.ErrIs(t, g.WriteFrame(moqt.NewFrame(0)), moqt.ErrClosed)
	if again, err := w.OpenGroup(5); err == nil && again.WriteFrame(moqt.NewFrame(0)) == nil {
		t.Error("a group was written twice")
	}
	if l, ok := w.Largest(); !ok || l != (moqt.Location{Group: 5, Object: 3}) {
		t.Errorf("largest %v %v", l, ok)
	}

	open := testkit.Must(w.OpenGroup(6))(t)
	put(t, open, 0, 1)
	testkit.NoErr(t, w.Close())
	testkit.NoErr(t, w.Close())
	_, err = w.OpenGroup(7)
	testkit.ErrIs(t, err, moqt.ErrClosed)
	_, err = w.AppendGroup()
	testkit.ErrIs(t, err, moqt.ErrClosed)
	if open.WriteFrame(moqt.NewFrame(0)) == nil {
		t.Error("a group outlives its track")
	}
	<-w.Context().Done()
	testkit.ErrIs(t, context.Cause(w.Context()), moqt.ErrClosed)

	// The name is free again, also at once.
	w = testkit.Must(mux.PublishTrack(ctx, cam))(t)
	w.Close()
	ended, cancel := context.WithCancelCause(ctx)
	cancel(errEnough)
	_, err = mux.PublishTrack(ended, cam)
	testkit.ErrIs(t, err, errEnough)
}

func TestAppendGroup(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		result := follow(t, r)
		now := uint64(time.Now().UnixMilli())
		for _, step := range []struct{ skip, want uint64 }{{0, now}, {0, now + 1}, {3, now + 5}, {0, now + 6}} {
			testkit.NoErr(t, w.SkipGroups(step.skip))
			g := testkit.Must(w.AppendGroup())(t)
			if g.GroupSequence() != step.want {
				t.Errorf("group %d instead of %d", g.GroupSequence(), step.want)
			}
			put(t, g, 0, 1)
			testkit.NoErr(t, g.Close())
			synctest.Wait()
		}
		began := time.Now()
		synctest.Wait()
		w.Close()
		result() // nobody waited for the groups that do not exist
		if c := w.Counters(); c.ObjectsIn != 4 || c.ObjectsOut != 4 || c.LogGroups != 4 || w.Lag().Objects != 4 {
			t.Errorf("counted %+v, lag %+v", c, w.Lag())
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("it took %v", d)
		}
		testkit.ErrIs(t, w.SkipGroups(model.MaxID), moqt.ErrOrder)
	})
}

// TestSkippedGroups are told to subscribers by a property.
func TestSkippedGroups(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		group(t, w, 1, 1)
		testkit.NoErr(t, w.SkipGroups(3))
		g := testkit.Must(w.AppendGroup())(t)
		f := moqt.NewFrame(0)
		f.SetProperties(moqt.Properties{{Type: 6, Int: 9}, {Type: 0x40, Int: 7}})
		testkit.NoErr(t, g.WriteFrame(f))
		accept(t, r, 1)
		in := accept(t, r, 5)
		testkit.NoErr(t, in.ReadFrame(f))
		testkit.Equal(t, f.Properties(), moqt.Properties{{Type: 6, Int: 9}, {Type: model.PropPriorGroupIDGap, Int: 3}, {Type: 0x40, Int: 7}})
	})
}

func TestDropGroups(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		for seq := range uint64(3) {
			put(t, testkit.Must(w.OpenGroup(seq))(t), 0, 1)
		}
		synctest.Wait()
		w.DropGroups(2)
		for seq := range uint64(2) {
			g := accept(t, r, seq)
			want(t, g, 0, 1)
			wantEnd(t, g, remote(moqt.DeliveryTimeoutGroupErrorCode))
		}
		want(t, accept(t, r, 2), 0, 1)
	})
}

// TestTrackEndsWithItsContext, and is forgotten.
func TestTrackEndsWithItsContext(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		ctx, cancel := context.WithCancelCause(t.Context())
		w := testkit.Must(st.mux.PublishTrack(ctx, cam, moqt.WithProperties(moqt.Properties{{Type: 0x1234, Int: 5}})))(t)
		s := st.dial(moqt.Dialer{})
		r := st.subscribe(s)
		if n := w.Subscribers(); n != 1 {
			t.Errorf("%d subscribers", n)
		}
		if v, ok := r.Offer().Properties.Int(0x1234); !ok || v != 5 || r.Name().String() != cam.String() {
			t.Errorf("offered: %+v", r.Offer())
		}
		group(t, w, 1, 2)
		offer := testkit.Must(s.TrackStatus(t.Context(), cam))(t)
		if offer.Largest != model.Some(moqt.Location{Group: 1, Object: 1}) {
			t.Errorf("status %+v", offer)
		}
		cancel(errEnough)
		g := accept(t, r, 1)
		want(t, g, 0, 2)
		wantEnd(t, g, io.EOF)
		_, err := r.AcceptGroup(t.Context())
		testkit.ErrIs(t, err, io.EOF)
		testkit.ErrIs(t, context.Cause(w.Context()), errEnough)
		synctest.Wait()
		_, err = s.TrackStatus(t.Context(), cam)
		testkit.ErrIs(t, err, &moqt.RequestError{Code: model.DoesNotExist, Remote: true})
	})
}

func TestTrackEndsWithAnError(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		testkit.NoErr(t, w.CloseWithError(moqt.ExcessiveLoadTrackErrorCode, "too hot"))
		_, err := r.AcceptGroup(t.Context())
		testkit.ErrIs(t, err, &moqt.DoneError{Code: moqt.ExcessiveLoadTrackErrorCode})
	})
}
