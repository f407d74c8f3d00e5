package transporttest

import (
	"bytes"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
)

// streamCases: data moves.
var streamCases = []promise{
	{"a bidirectional stream carries both ways and each half ends alone", func(t *testing.T, c, s transport.Conn) {
		ct, st := bidi(t, c, s, "ping")
		expect(t, st, "ping")
		testkit.NoErr(t, ct.Close())
		expectEOF(t, st)
		write(t, st, "pong")
		testkit.NoErr(t, st.Close())
		expect(t, ct, "pong")
		expectEOF(t, ct)
	}},
	{"the server opens streams too", func(t *testing.T, c, s transport.Conn) {
		_, in := uni(t, s, c, "push")
		expect(t, in, "push")
		_, ct := bidi(t, s, c, "ask")
		expect(t, ct, "ask")
	}},
	{"both sides know a stream by the ID that QUIC would give it", func(t *testing.T, c, s transport.Conn) {
		seen := map[uint64]bool{}
		know := func(a, b any, kind uint64) (opener uint64) {
			t.Helper()
			id := a.(transport.Identified).StreamID()
			testkit.Equal(t, b.(transport.Identified).StreamID(), id)
			testkit.Equal(t, id&2, kind)
			testkit.Equal(t, seen[id], false)
			seen[id] = true
			return id & 1
		}
		for range 2 {
			var openers [2]uint64
			for i, ends := range [][2]transport.Conn{{c, s}, {s, c}} {
				out, in := uni(t, ends[0], ends[1], "x")
				openers[i] = know(out, in, 2)
				at, bt := bidi(t, ends[0], ends[1], "x")
				testkit.Equal(t, know(at, bt, 0), openers[i])
			}
			testkit.Equal(t, openers[0]+openers[1], uint64(1))
		}
	}},
	{"a stream may end without data", func(t *testing.T, c, s transport.Conn) {
		out := testkit.Must(c.OpenUniStream(waiting(t)))(t)
		testkit.NoErr(t, out.Close())
		expectEOF(t, testkit.Must(s.AcceptUniStream(waiting(t)))(t))
	}},
	{"a stream that was not written to is unknown to the peer", func(t *testing.T, c, s transport.Conn) {
		first := testkit.Must(c.OpenUniStream(waiting(t)))(t)
		ctx, cancel := contextWithMoment(t)
		defer cancel()
		_, err := s.AcceptUniStream(ctx)
		testkit.ErrIs(t, err, errMoment)
		// The next one announces both, in order, unless the carrier has to see
		// the header of a stream before it knows whose that is.
		second := testkit.Must(c.OpenUniStream(waiting(t)))(t)
		write(t, second, "second")
		if c.Kind() == transport.WebTransport {
			expect(t, testkit.Must(s.AcceptUniStream(waiting(t)))(t), "second")
			write(t, first, "first")
			expect(t, testkit.Must(s.AcceptUniStream(waiting(t)))(t), "first")
			return
		}
		a := testkit.Must(s.AcceptUniStream(waiting(t)))(t)
		b := testkit.Must(s.AcceptUniStream(waiting(t)))(t)
		expect(t, b, "second")
		write(t, first, "first")
		expect(t, a, "first")
	}},
	{"a megabyte passes a small window unchanged", func(t *testing.T, c, s transport.Conn) {
		want := make([]byte, 1<<20)
		for i := range want {
			want[i] = byte(i * i >> 7)
		}
		out := testkit.Must(c.OpenUniStream(waiting(t)))(t)
		done := make(chan error, 1)
		go func() {
			_, err := out.Write(want)
			out.Close()
			done <- err
		}()
		in := testkit.Must(s.AcceptUniStream(waiting(t)))(t)
		got := testkit.Must(io.ReadAll(in))(t)
		testkit.NoErr(t, <-done)
		if !bytes.Equal(got, want) {
			t.Fatal("the bytes that arrived differ")
		}
	}},
	{"many streams carry at once", func(t *testing.T, c, s transport.Conn) {
		var wg sync.WaitGroup
		for i := range 3 * Streams {
			wg.Go(func() {
				out, err := c.OpenStream(waiting(t))
				if err != nil {
					t.Error(err)
					return
				}
				want := bytes.Repeat([]byte{byte(i)}, 2*Window)
				go func() {
					out.Write(want)
					out.Close()
				}()
				if got, err := io.ReadAll(out); err != nil || !bytes.Equal(got, want) {
					t.Errorf("stream %d: %d bytes came back, error %v", i, len(got), err)
				}
			})
			wg.Go(func() {
				in, err := s.AcceptStream(waiting(t))
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(in, in)
				in.Close()
			})
		}
		wg.Wait()
	}},
	{"the bytes of a write belong to the caller again when it returns", func(t *testing.T, c, s transport.Conn) {
		out := testkit.Must(c.OpenUniStream(waiting(t)))(t)
		b := []byte("aaaa")
		out.Write(b)
		copy(b, "bbbb")
		out.Write(b)
		copy(b, "cccc")
		expect(t, testkit.Must(s.AcceptUniStream(waiting(t)))(t), "aaaabbbb")
	}},
	{"a read deadline ends a read and can be moved", func(t *testing.T, c, s transport.Conn) {
		out, in := uni(t, c, s, "x")
		expect(t, in, "x")
		testkit.NoErr(t, in.SetReadDeadline(time.Now().Add(moment)))
		_, err := in.Read(make([]byte, 1))
		testkit.ErrIs(t, err, os.ErrDeadlineExceeded)
		_, err = in.Read(make([]byte, 1))
		testkit.ErrIs(t, err, os.ErrDeadlineExceeded)
		testkit.NoErr(t, in.SetReadDeadline(time.Time{}))
		write(t, out, "y")
		expect(t, in, "y")
	}},
	{"a read deadline can be set while a read waits", func(t *testing.T, c, s transport.Conn) {
		_, in := uni(t, c, s, "x")
		expect(t, in, "x")
		failed := make(chan error, 1)
		go func() {
			_, err := in.Read(make([]byte, 1))
			failed <- err
		}()
		testkit.NoErr(t, in.SetReadDeadline(time.Now().Add(-time.Second)))
		testkit.ErrIs(t, <-failed, os.ErrDeadlineExceeded)
	}},
	{"a priority out of range is clipped", func(t *testing.T, c, s transport.Conn) {
		out, in := uni(t, c, s, "x")
		for _, urgency := range []int{-1000, 0, 7, 8, 1 << 30} {
			out.SetPriority(urgency, urgency%2 == 0)
		}
		testkit.NoErr(t, out.Close())
		expect(t, in, "x")
	}},
}
