package transporttest

import (
	"io"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
)

// maxCode is the largest code that the carrier takes.
func maxCode(c transport.Conn) uint64 {
	if c.Kind() == transport.WebTransport {
		return 1<<32 - 1
	}
	return 1<<62 - 1
}

// endCases: streams end early.
var endCases = []promise{
	{"a reset reaches the reader with its code", func(t *testing.T, c, s transport.Conn) {
		for _, code := range []uint64{0, 2, maxCode(c)} {
			out, in := uni(t, c, s, "x")
			out.CancelWrite(code)
			wantStreamError(t, readError(t, in), code, true)
			wantStreamError(t, cause(t, out.Context()), code, false)
			_, err := out.Write([]byte("y"))
			wantStreamError(t, err, code, false)
			wantStreamError(t, out.Close(), code, false)
		}
	}},
	{"a reset is seen even if nothing was written", func(t *testing.T, c, s transport.Conn) {
		out := testkit.Must(c.OpenUniStream(waiting(t)))(t)
		out.CancelWrite(5)
		in := testkit.Must(s.AcceptUniStream(waiting(t)))(t)
		wantStreamError(t, readError(t, in), 5, true)
	}},
	{"a reset ends a write that waits", func(t *testing.T, c, s transport.Conn) {
		out, in := uni(t, c, s, "x")
		failed := make(chan error, 1)
		go func() {
			_, err := out.Write(make([]byte, 4*Window))
			failed <- err
		}()
		expect(t, in, "x")
		out.CancelWrite(9)
		wantStreamError(t, <-failed, 9, false)
		wantStreamError(t, readError(t, in), 9, true)
	}},
	{"stop sending reaches the writer with its code", func(t *testing.T, c, s transport.Conn) {
		for _, code := range []uint64{0, 1, maxCode(c)} {
			out, in := uni(t, c, s, "x")
			in.CancelRead(code)
			wantStreamError(t, readError(t, in), code, false)
			wantStreamError(t, cause(t, out.Context()), code, true)
			wantStreamError(t, writeError(t, out), code, true)
			wantStreamError(t, out.Close(), code, true)
		}
	}},
	{"stop sending ends a write that waits", func(t *testing.T, c, s transport.Conn) {
		out, in := uni(t, c, s, "x")
		failed := make(chan error, 1)
		go func() {
			_, err := out.Write(make([]byte, 4*Window))
			failed <- err
		}()
		in.CancelRead(7)
		wantStreamError(t, <-failed, 7, true)
	}},
	{"cancel read ends a read that waits", func(t *testing.T, c, s transport.Conn) {
		_, in := uni(t, c, s, "x")
		expect(t, in, "x")
		failed := make(chan error, 1)
		go func() {
			_, err := in.Read(make([]byte, 1))
			failed <- err
		}()
		in.CancelRead(7)
		wantStreamError(t, <-failed, 7, false)
	}},
	{"the first of two cancellations counts", func(t *testing.T, c, s transport.Conn) {
		out, in := uni(t, c, s, "x")
		out.CancelWrite(1)
		out.CancelWrite(2)
		wantStreamError(t, readError(t, in), 1, true)
		in.CancelRead(3)
		wantStreamError(t, readError(t, in), 1, true)
	}},
	{"what lies before the boundary survives a reset", func(t *testing.T, c, s transport.Conn) {
		out := testkit.Must(c.OpenUniStream(waiting(t)))(t)
		write(t, out, "header")
		out.SetReliableBoundary()
		write(t, out, "payload")
		out.CancelWrite(2)
		in := testkit.Must(s.AcceptUniStream(waiting(t)))(t)
		got, err := io.ReadAll(in)
		wantStreamError(t, err, 2, true)
		if len(got) < len("header") {
			t.Fatalf("got %q, want at least the header", got)
		}
	}},
	{"the halves of a stream are cancelled apart", func(t *testing.T, c, s transport.Conn) {
		ct, st := bidi(t, c, s, "x")
		ct.CancelWrite(4)
		wantStreamError(t, readError(t, st), 4, true)
		write(t, st, "still here")
		expect(t, ct, "still here")
		ct.CancelRead(6)
		wantStreamError(t, cause(t, st.Context()), 6, true)
	}},
	{"cancel read after the end is nothing", func(t *testing.T, c, s transport.Conn) {
		out, in := uni(t, c, s, "x")
		testkit.NoErr(t, out.Close())
		expect(t, in, "x")
		expectEOF(t, in)
		in.CancelRead(4)
		expectEOF(t, in)
	}},
	{"a closed stream takes no more", func(t *testing.T, c, s transport.Conn) {
		out, in := uni(t, c, s, "x")
		ctx := out.Context()
		testkit.NoErr(t, out.Close())
		testkit.NoErr(t, out.Close())
		testkit.ErrIs(t, cause(t, ctx), transport.ErrStreamClosed)
		_, err := out.Write([]byte("y"))
		testkit.ErrIs(t, err, transport.ErrStreamClosed)
		expect(t, in, "x")
		expectEOF(t, in)
	}},
}
