package memtr_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestDelayIsOneWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memtr.Pair(memtr.WithDelay(30 * time.Millisecond))
		start := time.Now()
		out := testkit.Must(c.OpenUniStream(t.Context()))(t)
		_, err := out.Write([]byte("hi"))
		testkit.NoErr(t, err)
		testkit.Equal(t, time.Since(start), time.Duration(0))
		in := testkit.Must(s.AcceptUniStream(t.Context()))(t)
		testkit.Equal(t, time.Since(start), 30*time.Millisecond)
		b := make([]byte, 8)
		n, err := in.Read(b)
		testkit.NoErr(t, err)
		testkit.Equal(t, string(b[:n]), "hi")
		testkit.NoErr(t, c.CloseWithError(7, "bye"))
		<-s.Context().Done()
		testkit.Equal(t, time.Since(start), 60*time.Millisecond)
		testkit.Equal(t, c.Stats().RTT, 60*time.Millisecond)
	})
}

func TestDelayKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memtr.Pair(memtr.WithDelay(time.Millisecond), memtr.WithWindow(100))
		out := testkit.Must(c.OpenUniStream(t.Context()))(t)
		want := make([]byte, 5000)
		for i := range want {
			want[i] = byte(i * 7)
		}
		go func() {
			for i := range want {
				out.Write(want[i : i+1])
				if i%13 == 0 {
					time.Sleep(300 * time.Microsecond)
				}
			}
			out.Close()
		}()
		in := testkit.Must(s.AcceptUniStream(t.Context()))(t)
		got := testkit.Must(io.ReadAll(in))(t)
		testkit.Equal(t, got, want)
	})
}

func TestWindowBlocksUntilHalfIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memtr.Pair(memtr.WithWindow(10))
		out := testkit.Must(c.OpenUniStream(t.Context()))(t)
		wrote := make(chan int, 1)
		go func() {
			n, _ := out.Write(make([]byte, 15))
			wrote <- n
		}()
		in := testkit.Must(s.AcceptUniStream(t.Context()))(t)
		synctest.Wait()
		testkit.Equal(t, memtr.Inspect(out).Sent, uint64(10))
		io.ReadFull(in, make([]byte, 4))
		synctest.Wait()
		testkit.Equal(t, memtr.Inspect(out).Sent, uint64(10))
		io.ReadFull(in, make([]byte, 1))
		testkit.Equal(t, <-wrote, 15)
		testkit.Equal(t, memtr.Inspect(out).Unread, 10)
	})
}

func TestInspectShowsPriorityAndBoundary(t *testing.T) {
	c, _ := memtr.Pair()
	defer c.CloseWithError(0, "")
	s := testkit.Must(c.OpenStream(t.Context()))(t)
	testkit.Equal(t, memtr.Inspect(s), memtr.SendState{ID: 0, Urgency: 3, Incremental: true})
	s.Write([]byte("head"))
	s.SetReliableBoundary()
	s.Write([]byte("tail"))
	s.SetPriority(9, false)
	testkit.Equal(t, memtr.Inspect(s), memtr.SendState{Urgency: 7, Sent: 8, Boundary: 4, Unread: 8})
	u := testkit.Must(c.OpenUniStream(t.Context()))(t)
	testkit.Equal(t, memtr.Inspect(u).ID, uint64(2))
}

func TestWithoutReliableResetLosesTheHead(t *testing.T) {
	c, s := memtr.Pair(memtr.WithoutReliableReset())
	defer c.CloseWithError(0, "")
	out := testkit.Must(c.OpenUniStream(t.Context()))(t)
	out.Write([]byte("head"))
	out.SetReliableBoundary()
	out.CancelWrite(5)
	in := testkit.Must(s.AcceptUniStream(t.Context()))(t)
	n, err := in.Read(make([]byte, 10))
	testkit.Equal(t, n, 0)
	testkit.Equal(t, testkit.ErrAs[*transport.StreamError](t, err), &transport.StreamError{Code: 5, Remote: true})
}

func TestResetAfterCloseTakesBackWhatWasNotRead(t *testing.T) {
	c, s := memtr.Pair()
	defer c.CloseWithError(0, "")
	out := testkit.Must(c.OpenUniStream(t.Context()))(t)
	out.Write([]byte("lost"))
	testkit.NoErr(t, out.Close())
	out.CancelWrite(5)
	in := testkit.Must(s.AcceptUniStream(t.Context()))(t)
	_, err := io.ReadAll(in)
	testkit.ErrAs[*transport.StreamError](t, err)
}

func TestBreakIsNotHeardByThePeer(t *testing.T) {
	c, s := memtr.Pair()
	memtr.Break(c, nil)
	testkit.ErrIs(t, context.Cause(c.Context()), transport.ErrIdle)
	_, err := c.OpenUniStream(t.Context())
	testkit.ErrIs(t, err, transport.ErrIdle)
	testkit.NoErr(t, s.Context().Err())
	gone := errors.New("cable cut")
	memtr.Break(s, gone)
	testkit.ErrIs(t, context.Cause(s.Context()), gone)
}

func TestDatagramQueueCountsThoseInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memtr.Pair(memtr.WithDatagrams(2, 100), memtr.WithDelay(time.Second))
		testkit.NoErr(t, c.SendDatagram([]byte("a")))
		testkit.NoErr(t, c.SendDatagram([]byte("b")))
		testkit.ErrIs(t, c.SendDatagram([]byte("c")), transport.ErrDatagramDropped)
		testkit.Equal(t, c.Stats().DatagramsDropped, uint64(1))
		b := testkit.Must(s.ReceiveDatagram(t.Context()))(t)
		testkit.Equal(t, string(b), "a")
		testkit.NoErr(t, c.SendDatagram([]byte("d")))
	})
}

func TestNoDatagrams(t *testing.T) {
	c, _ := memtr.Pair(memtr.WithDatagrams(4, 0))
	testkit.Equal(t, c.MaxDatagramSize(), 0)
	testkit.ErrIs(t, c.SendDatagram(nil), transport.ErrDatagramTooLarge)
}

func TestOptionsShow(t *testing.T) {
	c, s := memtr.Pair(memtr.WithProtocol("moqt-16"), memtr.WithKind(transport.WebTransport))
	testkit.Equal(t, c.Protocol(), "moqt-16")
	testkit.Equal(t, s.Kind(), transport.WebTransport)
	testkit.Equal(t, c.RemoteAddr().String(), "server")
	testkit.Equal(t, s.RemoteAddr().Network(), "mem")
}

func TestWriteAndReadAllocateNothing(t *testing.T) {
	c, s := memtr.Pair()
	out := testkit.Must(c.OpenUniStream(t.Context()))(t)
	b := make([]byte, 1200)
	out.Write(b)
	in := testkit.Must(s.AcceptUniStream(t.Context()))(t)
	in.Read(b)
	allocs := testing.AllocsPerRun(1000, func() {
		out.Write(b)
		in.Read(b)
	})
	// One per window update, which comes every 27 writes.
	if allocs >= 1 {
		t.Fatalf("got %v allocations per write and read, want none", allocs)
	}
}
