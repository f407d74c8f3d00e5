package moqt_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/moqt"
)

// TestFrameIsUsedAgain: a frame of any capacity, the empty one too, shows
// nothing of what was in it after Reset, keeps its memory, and is not seen in
// another frame (rows C18 and C24 of docs/seeds.md).
func TestFrameIsUsedAgain(t *testing.T) {
	for _, capacity := range []int{-1, 0, 100, 500, 1500, 10_000} {
		f := moqt.NewFrame(capacity)
		if f.Len() != 0 || f.Cap() < capacity {
			t.Errorf("a new frame for %d bytes holds %d and has room for %d", capacity, f.Len(), f.Cap())
		}
		dirty := bytes.Repeat([]byte{0xee}, max(capacity, 10))
		testkit.Must(f.Write(dirty))(t)
		f.SetObjectID(7)
		f.SetProperties(moqt.Properties{{Type: 0x3801, Bytes: []byte("x")}})
		kept, room := f.Clone(), f.Cap()
		f.Reset()
		if id, ok := f.ObjectID(); f.Len() != 0 || len(f.Body()) != 0 || ok || id != 0 || len(f.Properties()) != 0 || f.Location() != (moqt.Location{}) {
			t.Errorf("capacity %d: after Reset there is %d bytes, object %d, %v", capacity, f.Len(), id, f.Properties())
		}
		if f.Cap() != room {
			t.Errorf("capacity %d: Reset changes the room from %d to %d", capacity, room, f.Cap())
		}
		testkit.Must(f.WriteString("clean"))(t)
		var got bytes.Buffer
		testkit.Must(f.WriteTo(&got))(t)
		if got.String() != "clean" || string(f.Body()) != "clean" {
			t.Errorf("capacity %d: %q was written", capacity, got.String())
		}
		if id, ok := kept.ObjectID(); !bytes.Equal(kept.Body(), dirty) || !ok || id != 7 || len(kept.Properties()) != 1 {
			t.Errorf("capacity %d: the clone changed", capacity)
		}
	}
}

// TestFrameAllocatesNothing once it has room (rows A10 and C19 of docs/seeds.md).
func TestFrameAllocatesNothing(t *testing.T) {
	f, payload := moqt.NewFrame(1500), make([]byte, 1200)
	n := testing.AllocsPerRun(1000, func() {
		f.Reset()
		_, _ = f.Write(payload) // it never fails
		_, _ = f.WriteTo(io.Discard)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkReadFrame measures objects of 1200 bytes from a track of one program
// to a frame of another, in memory, both programs together.
func BenchmarkReadFrame(b *testing.B) {
	const objects = 100 // of a group
	mux := moqt.NewTrackMux()
	name := moqt.Track("live/cam1", "video")
	track := testkit.Must(mux.PublishTrack(b.Context(), name))(b)
	s := testkit.Must(dialer(&moqt.Server{Handler: mux}, nil).Dial(b.Context(), "moqt://origin"))(b)
	defer s.Close()
	src := testkit.Must(s.Subscribe(b.Context(), name))(b)
	in, out := moqt.NewFrame(1200), moqt.NewFrame(1200)
	payload := make([]byte, 1200)
	b.ReportAllocs()
	b.SetBytes(int64(len(payload)))
	var gw *moqt.GroupWriter
	var gr *moqt.GroupReader
	n := uint64(0)
	for b.Loop() {
		if n%objects == 0 {
			if gw != nil {
				testkit.NoErr(b, gw.Close())
				if err := gr.ReadFrame(in); err != io.EOF {
					b.Fatal(fmt.Errorf("the group ends with %w", err))
				}
			}
			gw = testkit.Must(track.OpenGroup(n / objects))(b)
		}
		out.Reset()
		testkit.Must(out.Write(payload))(b)
		testkit.NoErr(b, gw.WriteFrame(out))
		if n%objects == 0 {
			gr = testkit.Must(src.AcceptGroup(b.Context()))(b)
		}
		testkit.NoErr(b, gr.ReadFrame(in))
		n++
	}
}
