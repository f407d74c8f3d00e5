package transporttest

import (
	"context"
	"io"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
)

// How both ends must be configured.
const (
	// Streams is how many streams of each kind a side lets the other open. A
	// carrier that needs streams for itself is given more.
	Streams = 8
	// Window is how many bytes of a stream may be unread.
	Window = 16 << 10
)

const (
	// patience ends a case that hangs.
	patience = 20 * time.Second
	// moment is how long a call is watched that should block.
	moment = 50 * time.Millisecond
)

// Case is one promise of package transport.
type Case struct {
	Name string
	// Lossless says that the case needs a network that loses no packet: it
	// waits for a datagram, or for a close, which QUIC sends once.
	Lossless bool
	Run      func(t *testing.T, client, server transport.Conn)
}

// promise is a Case as the tables hold it.
type promise struct {
	name string
	run  func(t *testing.T, client, server transport.Conn)
}

// Cases returns all cases. Each needs a pair of its own and closes it.
func Cases() []Case {
	var all []Case
	add := func(lossless bool, group []promise) {
		for _, p := range group {
			all = append(all, Case{p.name, lossless, func(t *testing.T, client, server transport.Conn) {
				defer server.CloseWithError(0, "")
				defer client.CloseWithError(0, "")
				p.run(t, client, server)
			}})
		}
	}
	add(false, streamCases)
	add(false, endCases)
	add(false, limitCases)
	add(false, pathCases)
	add(true, datagramCases)
	add(true, closeCases)
	return all
}

// waiting returns a context that ends a case that hangs.
func waiting(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// uni opens a stream from a to b with hello written on it, and accepts it.
func uni(t *testing.T, a, b transport.Conn, hello string) (transport.SendStream, transport.ReceiveStream) {
	t.Helper()
	out := testkit.Must(a.OpenUniStream(waiting(t)))(t)
	write(t, out, hello)
	in := testkit.Must(b.AcceptUniStream(waiting(t)))(t)
	return out, in
}

// bidi is uni for a bidirectional stream.
func bidi(t *testing.T, a, b transport.Conn, hello string) (at, bt transport.Stream) {
	t.Helper()
	at = testkit.Must(a.OpenStream(waiting(t)))(t)
	write(t, at, hello)
	bt = testkit.Must(b.AcceptStream(waiting(t)))(t)
	return at, bt
}

func write(t *testing.T, s transport.SendStream, b string) {
	t.Helper()
	n, err := s.Write([]byte(b))
	testkit.NoErr(t, err)
	testkit.Equal(t, n, len(b))
}

// expect reads exactly what want holds.
func expect(t *testing.T, s transport.ReceiveStream, want string) {
	t.Helper()
	b := make([]byte, len(want))
	n, err := io.ReadFull(s, b)
	if n < len(want) {
		testkit.NoErr(t, err)
	}
	testkit.Equal(t, string(b[:n]), want)
}

// expectEOF reads the end of the stream.
func expectEOF(t *testing.T, s transport.ReceiveStream) {
	t.Helper()
	n, err := s.Read(make([]byte, 1))
	if n != 0 || err != io.EOF {
		t.Fatalf("got %d bytes and %v, want the end of the stream", n, err)
	}
}

// readError reads until an error other than io.EOF comes.
func readError(t *testing.T, s transport.ReceiveStream) error {
	t.Helper()
	_, err := io.Copy(io.Discard, s)
	if err == nil {
		t.Fatal("got the end of the stream, want an error")
	}
	return err
}

// writeError writes until an error comes.
func writeError(t *testing.T, s transport.SendStream) error {
	t.Helper()
	testkit.NoErr(t, s.SetWriteDeadline(time.Now().Add(patience)))
	for {
		if _, err := s.Write(make([]byte, 1000)); err != nil {
			return err
		}
	}
}

func wantStreamError(t *testing.T, err error, code uint64, remote bool) {
	t.Helper()
	got := testkit.ErrAs[*transport.StreamError](t, err)
	testkit.Equal(t, *got, transport.StreamError{Code: code, Remote: remote})
}

func wantCloseError(t *testing.T, err error, code uint64, reason string, remote bool) {
	t.Helper()
	got := testkit.ErrAs[*transport.CloseError](t, err)
	testkit.Equal(t, *got, transport.CloseError{Code: code, Reason: reason, Remote: remote})
}

// cause waits for the end of ctx and returns why.
func cause(t *testing.T, ctx context.Context) error {
	t.Helper()
	select {
	case <-ctx.Done():
	case <-waiting(t).Done():
		t.Fatal("the context did not end")
	}
	return context.Cause(ctx)
}
