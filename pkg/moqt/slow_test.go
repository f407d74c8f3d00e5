package moqt_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/moqt"
)

// TestSlowReader loses the oldest groups and is told; it delays nobody.
func TestSlowReader(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		s := st.dial(moqt.Dialer{})
		one := len(payload(1, 100)) + moqt.ObjectCost
		r := st.subscribe(s, moqt.WithBuffer(250*one))
		other := st.subscribe(st.dial(moqt.Dialer{}))
		for seq := range uint64(5) {
			group(t, w, seq+1, 100)
			synctest.Wait()
			if seq == 0 {
				reading := accept(t, r, 1) // and reads no further
				want(t, reading, 0, 10)
				defer func() {
					want2 := reading.ReadFrame(moqt.NewFrame(0))
					testkit.ErrIs(t, want2, moqt.ErrTooFarBehind)
				}()
			}
		}
		w.Close()
		check(t, "of who reads in time", follow(t, other)(), "1/0-99 2/0-99 3/0-99 4/0-99 5/0-99")
		// 1 is being read but lies behind, 2 and 3 were given up unseen.
		for _, seq := range []uint64{4, 5} {
			g := accept(t, r, seq)
			want(t, g, 0, 100)
			wantEnd(t, g, io.EOF)
		}
	})
}

// TestSlowReaderInOrder is told of the gap.
func TestSlowReaderInOrder(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}), moqt.WithBuffer(250*(len(payload(1, 100))+moqt.ObjectCost)))
		for seq := range uint64(5) {
			group(t, w, seq+1, 100)
			synctest.Wait()
		}
		w.Close()
		check(t, "objects", follow(t, r)(), "!1/0-4/0 4/0-99 5/0-99")
	})
}

// TestStalledGroupIsGivenUp when what waits behind it needs too much room, so
// that the reader goes on.
func TestStalledGroupIsGivenUp(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		size := 0 // of a group
		for id := range uint64(100) {
			size += len(payload(1, id)) + moqt.ObjectCost
		}
		r := st.subscribe(st.dial(moqt.Dialer{}), moqt.WithBuffer(3*size-1))
		result := follow(t, r)
		stalled := testkit.Must(w.OpenGroup(1))(t)
		put(t, stalled, 0, 3)
		<-time.After(time.Second)
		for seq := range uint64(4) {
			group(t, w, seq+2, 100)
			synctest.Wait()
		}
		put(t, stalled, 3, 4)
		testkit.NoErr(t, stalled.Close())
		synctest.Wait()
		w.Close()
		check(t, "objects", result(), "1/0-2 !1/3-2/0 2/0-99 3/0-99 4/0-99 5/0-99")
	})
}

// TestManyGroupsWait, but not without end.
func TestManyGroupsWait(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish(moqt.Keep(2*moqt.MaxWaitingGroups, 0))
		r := st.subscribe(st.dial(moqt.Dialer{}))
		for seq := range uint64(moqt.MaxWaitingGroups + 10) {
			group(t, w, seq, 1)
			synctest.Wait()
		}
		accept(t, r, 10)
	})
}

// TestEmptyObjects need room too.
func TestEmptyObjects(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}), moqt.WithBuffer(100*moqt.ObjectCost))
		for seq := range uint64(2) {
			g := testkit.Must(w.OpenGroup(seq))(t)
			for range 101 {
				testkit.NoErr(t, g.WriteFrame(moqt.NewFrame(0)))
			}
			testkit.NoErr(t, g.Close())
			synctest.Wait()
		}
		w.Close()
		if g, err := r.AcceptGroup(t.Context()); err != io.EOF {
			t.Errorf("there is %v, %v", g, err)
		}
	})
}

// TestLargeObjects pass even if they exceed the buffer, one at a time.
func TestLargeObjects(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}), moqt.WithBuffer(1000))
		g := testkit.Must(w.OpenGroup(1))(t)
		f := moqt.NewFrame(0)
		var in *moqt.GroupReader
		for i := range 3 {
			f.Reset()
			testkit.Must(f.Write(make([]byte, 200_000+i)))(t)
			testkit.NoErr(t, g.WriteFrame(f))
			if in == nil {
				in = accept(t, r, 1)
			}
			out := moqt.NewFrame(0)
			testkit.NoErr(t, in.ReadFrame(out))
			if out.Len() != 200_000+i {
				t.Errorf("object %d has %d bytes", i, out.Len())
			}
		}
	})
}

// TestGapInAGroup: later objects wait a moment for what is missing, and then
// come without it.
func TestGapInAGroup(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		s := st.dial(moqt.Dialer{})
		r, o := st.subscribe(s, moqt.WithPatience(2*time.Second)), st.subscribe(st.dial(moqt.Dialer{}))
		result := follow(t, o)
		g := testkit.Must(w.OpenGroup(1))(t)
		put(t, g, 0, 2)
		put(t, g, 5, 6)
		in := accept(t, r, 1)
		want(t, in, 0, 2)
		began := time.Now()
		want(t, in, 5, 6)
		if d := time.Since(began); d != 2*time.Second {
			t.Errorf("it waited %v", d)
		}
		put(t, g, 6, 7)
		want(t, in, 6, 7)
		testkit.NoErr(t, g.Close())
		wantEnd(t, in, io.EOF)
		w.Close()
		check(t, "in order", result(), "1/0-1 !1/2-1/5 1/5-6")
	})
}

// TestDatagrams make a group as streams do; where it ends only what follows
// tells.
func TestDatagrams(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		f := moqt.NewFrame(0)
		for seq := uint64(1); seq < 4; seq++ {
			for id := range uint64(3) {
				f.Reset()
				f.WriteString(payload(seq, id))
				testkit.NoErr(t, w.WriteDatagram(seq, f))
				synctest.Wait()
			}
		}
		g := accept(t, r, 1)
		want(t, g, 0, 3)
		wantEnd(t, g, io.EOF)
		g = accept(t, r, 2)
		want(t, g, 0, 3)
		wantEnd(t, g, io.EOF)
		g = accept(t, r, 3)
		want(t, g, 0, 3)
		w.Close()
		wantEnd(t, g, io.EOF)
		testkit.ErrIs(t, w.WriteDatagram(4, f), moqt.ErrClosed)
	})
}
