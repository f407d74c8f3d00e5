package transporttest

import (
	"context"
	"net"
	"strings"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
)

// datagramCases: datagrams are sent at once or not at all.
var datagramCases = []promise{
	{"datagrams pass both ways and are copied", func(t *testing.T, c, s transport.Conn) {
		b := []byte("one")
		testkit.NoErr(t, c.SendDatagram(b))
		copy(b, "two")
		testkit.Equal(t, string(testkit.Must(s.ReceiveDatagram(waiting(t)))(t)), "one")
		testkit.NoErr(t, s.SendDatagram(nil))
		testkit.Equal(t, len(testkit.Must(c.ReceiveDatagram(waiting(t)))(t)), 0)
	}},
	{"the largest datagram passes and a larger one is refused", func(t *testing.T, c, s transport.Conn) {
		size := c.MaxDatagramSize()
		if size < 1100 {
			t.Fatalf("the largest datagram has %d bytes, want 1100 at least", size)
		}
		testkit.NoErr(t, c.SendDatagram(make([]byte, size)))
		testkit.Equal(t, len(testkit.Must(s.ReceiveDatagram(waiting(t)))(t)), size)
		for _, tooLarge := range []int{2 * size, 1 << 16, 1 << 20} {
			testkit.ErrIs(t, c.SendDatagram(make([]byte, tooLarge)), transport.ErrDatagramTooLarge)
		}
	}},
	{"a flood of datagrams is dropped and counted", func(t *testing.T, c, s transport.Conn) {
		var dropped uint64
		for i := 0; dropped < 10; i++ {
			switch err := c.SendDatagram(make([]byte, 1000)); err {
			case nil:
			case transport.ErrDatagramDropped:
				dropped++
			default:
				t.Fatalf("datagram %d: %v", i, err)
			}
		}
		testkit.Equal(t, c.Stats().DatagramsDropped, dropped)
		testkit.Must(s.ReceiveDatagram(waiting(t)))(t)
	}},
}

// closeCases: the connection ends.
var closeCases = []promise{
	{"closing tells code, reason and direction", func(t *testing.T, c, s transport.Conn) {
		code := maxCode(c)
		testkit.NoErr(t, c.CloseWithError(code, "good-bye"))
		wantCloseError(t, context.Cause(c.Context()), code, "good-bye", false)
		wantCloseError(t, cause(t, s.Context()), code, "good-bye", true)
		testkit.ErrIs(t, context.Cause(s.Context()), net.ErrClosed)
	}},
	{"the first close counts", func(t *testing.T, c, s transport.Conn) {
		testkit.NoErr(t, s.CloseWithError(1, "first"))
		testkit.NoErr(t, s.CloseWithError(2, "second"))
		wantCloseError(t, context.Cause(s.Context()), 1, "first", false)
		wantCloseError(t, cause(t, c.Context()), 1, "first", true)
		testkit.NoErr(t, c.CloseWithError(3, "third"))
		wantCloseError(t, context.Cause(c.Context()), 1, "first", true)
	}},
	{"a long reason does not keep the code from arriving", func(t *testing.T, c, s transport.Conn) {
		reason := strings.Repeat("é", 5000)
		testkit.NoErr(t, c.CloseWithError(3, reason))
		got := testkit.ErrAs[*transport.CloseError](t, cause(t, s.Context()))
		testkit.Equal(t, got.Code, uint64(3))
		if got.Reason == "" || !strings.HasPrefix(reason, got.Reason) {
			t.Fatalf("the reason arrived as %q", got.Reason)
		}
	}},
	{"closing ends all that waits, at both ends", func(t *testing.T, c, s transport.Conn) {
		ct, st := bidi(t, c, s, "x")
		expect(t, st, "x")
		out, _ := uni(t, c, s, "x")
		streamCtx := out.Context()
		for range Streams - 1 {
			testkit.Must(c.TryOpenUniStream())(t)
		}
		calls := map[string]func() error{
			"read here":         func() error { _, err := ct.Read(make([]byte, 1)); return err },
			"read there":        func() error { _, err := st.Read(make([]byte, 1)); return err },
			"write":             func() error { _, err := out.Write(make([]byte, 1<<20)); return err },
			"open":              func() error { _, err := c.OpenUniStream(waiting(t)); return err },
			"accept here":       func() error { _, err := c.AcceptStream(waiting(t)); return err },
			"accept there":      func() error { _, err := s.AcceptStream(waiting(t)); return err },
			"accept uni here":   func() error { _, err := c.AcceptUniStream(waiting(t)); return err },
			"receive datagrams": func() error { _, err := c.ReceiveDatagram(waiting(t)); return err },
			"context":           func() error { <-streamCtx.Done(); return context.Cause(streamCtx) },
		}
		type result struct {
			name string
			err  error
		}
		results := make(chan result)
		for name, call := range calls {
			go func() { results <- result{name, call()} }()
		}
		testkit.NoErr(t, c.CloseWithError(5, "all"))
		for range calls {
			r := <-results
			t.Log(r.name)
			wantCloseError(t, r.err, 5, "all", strings.HasSuffix(r.name, "there"))
		}
	}},
	{"a closed connection does nothing more", func(t *testing.T, c, s transport.Conn) {
		out, in := uni(t, c, s, "x")
		testkit.NoErr(t, c.CloseWithError(0, ""))
		cause(t, s.Context())
		for _, conn := range []transport.Conn{c, s} {
			remote := conn == s
			_, err := conn.OpenStream(waiting(t))
			wantCloseError(t, err, 0, "", remote)
			_, err = conn.TryOpenUniStream()
			wantCloseError(t, err, 0, "", remote)
			_, err = conn.TryOpenStream()
			wantCloseError(t, err, 0, "", remote)
			_, err = conn.AcceptUniStream(waiting(t))
			wantCloseError(t, err, 0, "", remote)
			wantCloseError(t, conn.SendDatagram([]byte("x")), 0, "", remote)
		}
		_, err := out.Write([]byte("y"))
		wantCloseError(t, err, 0, "", false)
		wantCloseError(t, readError(t, in), 0, "", true)
		out.CancelWrite(1)
		in.CancelRead(1)
		out.SetReliableBoundary()
		out.SetPriority(1, true)
	}},
}

// pathCases: what is known of the path.
var pathCases = []promise{
	{"both ends know protocol, kind and addresses", func(t *testing.T, c, s transport.Conn) {
		if c.Protocol() == "" || c.Protocol() != s.Protocol() || c.Kind() != s.Kind() {
			t.Fatalf("the client says %q on %q, the server %q on %q", c.Protocol(), c.Kind(), s.Protocol(), s.Kind())
		}
		if c.RemoteAddr().String() != s.LocalAddr().String() {
			t.Fatalf("the client is connected to %v, the server listens on %v", c.RemoteAddr(), s.LocalAddr())
		}
	}},
	{"traffic is counted", func(t *testing.T, c, s transport.Conn) {
		out, in := uni(t, c, s, string(make([]byte, 10_000)))
		testkit.NoErr(t, out.Close())
		expect(t, in, string(make([]byte, 10_000)))
		if n := c.Stats().BytesSent; n < 10_000 {
			t.Fatalf("the client sent %d bytes, want 10000 at least", n)
		}
		if n := s.Stats().BytesReceived; n < 10_000 {
			t.Fatalf("the server received %d bytes, want 10000 at least", n)
		}
	}},
}
