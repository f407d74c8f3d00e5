package transporttest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
)

// errMoment is the cause of a context that was only to show that a call waits.
var errMoment = errors.New("waited a moment")

func contextWithMoment(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(t.Context(), moment, errMoment)
}

// limitCases: the peer grants only so much.
var limitCases = []promise{
	{"a write waits for the reader", func(t *testing.T, c, s transport.Conn) {
		out, in := uni(t, c, s, "x")
		testkit.NoErr(t, out.SetWriteDeadline(time.Now().Add(moment)))
		n, err := out.Write(make([]byte, 4*Window))
		testkit.ErrIs(t, err, os.ErrDeadlineExceeded)
		if n >= 4*Window {
			t.Fatalf("all %d bytes were taken although nobody reads", n)
		}
		testkit.NoErr(t, out.SetWriteDeadline(time.Time{}))
		done := make(chan error, 1)
		go func() {
			_, err := out.Write(make([]byte, 4*Window-n))
			out.Close()
			done <- err
		}()
		expect(t, in, "x"+string(make([]byte, 4*Window)))
		expectEOF(t, in)
		testkit.NoErr(t, <-done)
	}},
	{"unidirectional credit runs out and comes back", func(t *testing.T, c, s transport.Conn) {
		var outs []transport.SendStream
		for range Streams {
			outs = append(outs, testkit.Must(c.TryOpenUniStream())(t))
		}
		_, err := c.TryOpenUniStream()
		testkit.ErrIs(t, err, transport.ErrNoCredit)
		ctx, cancel := contextWithMoment(t)
		defer cancel()
		_, err = c.OpenUniStream(ctx)
		testkit.ErrIs(t, err, errMoment)
		opened := make(chan error, 1)
		go func() {
			_, err := c.OpenUniStream(waiting(t))
			opened <- err
		}()
		write(t, outs[0], "x")
		testkit.NoErr(t, outs[0].Close())
		in := testkit.Must(s.AcceptUniStream(waiting(t)))(t)
		expect(t, in, "x")
		expectEOF(t, in)
		testkit.NoErr(t, <-opened)
	}},
	{"bidirectional credit comes back when both halves have ended", func(t *testing.T, c, s transport.Conn) {
		var streams []transport.Stream
		for range Streams {
			streams = append(streams, testkit.Must(c.TryOpenStream())(t))
		}
		_, err := c.TryOpenStream()
		testkit.ErrIs(t, err, transport.ErrNoCredit)
		testkit.NoErr(t, streams[0].Close())
		st := testkit.Must(s.AcceptStream(waiting(t)))(t)
		expectEOF(t, st)
		ctx, cancel := contextWithMoment(t)
		defer cancel()
		_, err = c.OpenStream(ctx)
		testkit.ErrIs(t, err, errMoment)
		testkit.NoErr(t, st.Close())
		expectEOF(t, streams[0])
		testkit.Must(c.OpenStream(waiting(t)))(t)
	}},
	{"credit comes back for streams that were cancelled", func(t *testing.T, c, s transport.Conn) {
		for i := range 5 * Streams {
			out := testkit.Must(c.OpenUniStream(waiting(t)))(t)
			write(t, out, "x")
			in := testkit.Must(s.AcceptUniStream(waiting(t)))(t)
			if i%2 == 0 {
				out.CancelWrite(1)
				readError(t, in)
			} else {
				in.CancelRead(1)
				writeError(t, out)
			}
		}
	}},
	{"a context that has ended ends the calls that wait", func(t *testing.T, c, s transport.Conn) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errMoment)
		_, err := c.AcceptStream(ctx)
		testkit.ErrIs(t, err, errMoment)
		_, err = c.AcceptUniStream(ctx)
		testkit.ErrIs(t, err, errMoment)
		_, err = c.ReceiveDatagram(ctx)
		testkit.ErrIs(t, err, errMoment)
		_, err = c.OpenStream(ctx)
		testkit.ErrIs(t, err, errMoment)
		_, err = c.OpenUniStream(ctx)
		testkit.ErrIs(t, err, errMoment)
	}},
}
