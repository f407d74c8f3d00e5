package quictr_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/transporttest"
)

// world is a client and a server on a virtual network.
type world struct {
	net            *testkit.Network
	clientNode     *testkit.Node
	serverNode     *testkit.Node
	client, server transport.Conn
}

// connect must run in a bubble. The links are those of the client.
func connect(t *testing.T, o quictr.Options, up, down testkit.Link) *world {
	t.Helper()
	w := &world{net: testkit.NewNetwork(t, 1)}
	w.serverNode = w.net.Node("10.0.0.1:4433", testkit.Link{}, testkit.Link{})
	w.clientNode = w.net.Node("10.0.0.2:1234", up, down)
	_, ln := server(t, w.serverNode, o)
	accepted := make(chan transport.Conn, 1)
	go func() {
		if q, err := ln.Accept(t.Context()); err == nil {
			accepted <- quictr.Wrap(q)
		}
	}()
	tr := &quic.Transport{Conn: w.clientNode}
	t.Cleanup(func() {
		tr.Close()
		w.clientNode.Close()
	})
	o.Via = tr
	w.client = testkit.Must(quictr.Dial(t.Context(), "10.0.0.1:4433", clientTLS(), o))(t)
	w.server = <-accepted
	t.Cleanup(func() {
		w.client.CloseWithError(0, "")
		w.server.CloseWithError(0, "")
	})
	return w
}

func TestConformanceOnBadNetwork(t *testing.T) {
	bad := testkit.Link{
		Rate: 50e6, Queue: 256 << 10, Delay: 2 * time.Millisecond,
		Jitter: 2 * time.Millisecond, Reorder: true, Loss: 0.02,
	}
	for _, c := range transporttest.Cases() {
		if c.Lossless {
			continue // a datagram or a close may rightly get lost here
		}
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := connect(t, limited, bad, bad)
				c.Run(t, w.client, w.server)
			})
		})
	}
}

func TestRateIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{}, testkit.Link{Rate: 8e6, Queue: 64 << 10, Delay: 10 * time.Millisecond}, testkit.Link{Delay: 10 * time.Millisecond})
		start := time.Now()
		transfer(t, w.client, w.server, 1_000_000)
		if took := time.Since(start); took < time.Second || took > 1500*time.Millisecond {
			t.Fatalf("a megabyte over 8 Mbit/s took %v", took)
		}
		if rtt := w.client.Stats().RTT; rtt < 20*time.Millisecond {
			t.Fatalf("the RTT is said to be %v, and cannot be below 20ms", rtt)
		}
		if w.client.Stats().CongestionWindow == 0 {
			t.Fatal("no congestion window")
		}
	})
}

func TestLossDelaysOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := testkit.Link{Loss: 0.05, Delay: 5 * time.Millisecond}
		w := connect(t, quictr.Options{}, bad, bad)
		transfer(t, w.client, w.server, 1_000_000)
		if w.clientNode.Up().Lost == 0 || w.client.Stats().PacketsLost == 0 {
			t.Fatal("nothing was lost")
		}
	})
}

func TestAShortCutIsSurvived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{}, testkit.Link{Delay: 5 * time.Millisecond}, testkit.Link{})
		w.clientNode.Cut()
		restored := time.AfterFunc(quictr.IdleTimeout/2, w.clientNode.Restore)
		defer restored.Stop()
		transfer(t, w.client, w.server, 10_000)
	})
}

func TestALongCutIsIdleAtBothEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{}, testkit.Link{}, testkit.Link{})
		start := time.Now()
		w.clientNode.Cut()
		for _, c := range []transport.Conn{w.client, w.server} {
			<-c.Context().Done()
			testkit.ErrIs(t, context.Cause(c.Context()), transport.ErrIdle)
			_, err := c.AcceptStream(t.Context())
			testkit.ErrIs(t, err, transport.ErrIdle)
			testkit.ErrIs(t, c.SendDatagram(nil), transport.ErrIdle)
		}
		if took := time.Since(start); took > quictr.IdleTimeout+quictr.KeepAlive {
			t.Fatalf("it took %v to notice", took)
		}
	})
}

func TestAnIdleSessionStaysAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{}, testkit.Link{}, testkit.Link{})
		time.Sleep(time.Hour)
		transfer(t, w.client, w.server, 100)
	})
}

func TestWithoutKeepAliveAnIdleSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{KeepAlive: -1, IdleTimeout: 6 * time.Second}, testkit.Link{}, testkit.Link{})
		start := time.Now()
		<-w.client.Context().Done()
		testkit.Equal(t, time.Since(start).Round(time.Second), 6*time.Second)
	})
}

// Duties: 56.
func TestPriorityDecidesWhoGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 100_000
		w := connect(t, quictr.Options{}, testkit.Link{Rate: 8e6, Queue: 64 << 10}, testkit.Link{})
		done := make(chan int, 4)
		for i := range 4 {
			out := testkit.Must(w.client.OpenUniStream(t.Context()))(t)
			out.SetPriority(3-i, false) // the last one first
			go func() {
				out.Write(bytes.Repeat([]byte{byte(i)}, size))
				out.Close()
			}()
		}
		for range 4 {
			in := testkit.Must(w.server.AcceptUniStream(t.Context()))(t)
			go func() {
				b, err := io.ReadAll(in)
				if err != nil || len(b) != size {
					t.Errorf("read %d bytes: %v", len(b), err)
					done <- -1
					return
				}
				done <- int(b[0])
			}()
		}
		testkit.Equal(t, []int{<-done, <-done, <-done, <-done}, []int{3, 2, 1, 0})
	})
}

// transfer sends size bytes on a stream and waits for all of them.
func transfer(t testing.TB, from, to transport.Conn, size int) {
	t.Helper()
	out := testkit.Must(from.OpenUniStream(t.Context()))(t)
	go func() {
		out.Write(make([]byte, size))
		out.Close()
	}()
	in := testkit.Must(to.AcceptUniStream(t.Context()))(t)
	n := testkit.Must(io.Copy(io.Discard, in))(t)
	testkit.Equal(t, n, int64(size))
}
