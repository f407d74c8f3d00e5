package testkit_test

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	serverAddr = "10.0.0.1:4433"
	clientAddr = "10.0.0.2:1234"
)

// line is a network of two nodes; only the way from the client is imperfect.
func line(t *testing.T, seed uint64, up testkit.Link) (n *testkit.Network, client, server *testkit.Node) {
	n = testkit.NewNetwork(t, seed)
	server = n.Node(serverAddr, testkit.Link{}, testkit.Link{})
	client = n.Node(clientAddr, up, testkit.Link{})
	return n, client, server
}

// burst sends numbered packets and returns the numbers that arrive within a
// minute, and when the last did.
func burst(t *testing.T, from, to *testkit.Node, count, size int, pause time.Duration) (got []int, last time.Duration) {
	t.Helper()
	start := time.Now()
	for i := range count {
		b := make([]byte, size)
		copy(b, fmt.Sprintf("%d ", i))
		testkit.Must(from.WriteTo(b, to.LocalAddr()))(t)
		time.Sleep(pause)
	}
	testkit.NoErr(t, to.SetReadDeadline(start.Add(time.Minute)))
	b := make([]byte, 2000)
	for {
		n, _, err := to.ReadFrom(b)
		if err != nil {
			return got, last
		}
		var i int
		fmt.Sscan(string(b[:n]), &i)
		got = append(got, i)
		last = time.Since(start)
	}
}

func TestPerfectLinkLosesNothingAndKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c, s := line(t, 1, testkit.Link{})
		got, last := burst(t, c, s, 1000, 100, 0)
		testkit.Equal(t, got, upTo(1000))
		testkit.Equal(t, last, time.Duration(0))
		testkit.Equal(t, c.Up(), testkit.Counts{Sent: 1000})
		testkit.Equal(t, s.Down(), testkit.Counts{Sent: 1000, Delivered: 1000})
	})
}

func TestRateTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c, s := line(t, 1, testkit.Link{Rate: 8e6, Delay: 30 * time.Millisecond})
		got, last := burst(t, c, s, 1000, 1000, 0)
		testkit.Equal(t, len(got), 1000)
		testkit.Equal(t, last.Round(time.Millisecond), 1030*time.Millisecond)
	})
}

func TestDelaysOfBothLinksAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork(t, 1)
		s := n.Node(serverAddr, testkit.Link{}, testkit.Link{Delay: 5 * time.Millisecond})
		c := n.Node(clientAddr, testkit.Link{Delay: 20 * time.Millisecond}, testkit.Link{})
		_, last := burst(t, c, s, 1, 100, 0)
		testkit.Equal(t, last, 25*time.Millisecond)
	})
}

func TestQueueDropsWhatDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c, s := line(t, 1, testkit.Link{Rate: 8e6, Queue: 10_000})
		got, _ := burst(t, c, s, 100, 1000, 0)
		testkit.Equal(t, got, upTo(10))
		testkit.Equal(t, c.Up(), testkit.Counts{Sent: 10, QueueFull: 90})
		time.Sleep(time.Second)
		got, _ = burst(t, c, s, 10, 1000, 0)
		testkit.Equal(t, got, upTo(10))
	})
}

func TestLossIsAsOftenAsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c, s := line(t, 7, testkit.Link{Loss: 0.05})
		got, _ := burst(t, c, s, 4000, 100, time.Millisecond)
		up := c.Up()
		testkit.Equal(t, up.Sent+up.Lost, 4000)
		testkit.Equal(t, len(got), up.Sent)
		if up.Lost < 150 || up.Lost > 250 {
			t.Fatalf("%d of 4000 packets were lost, want about 200", up.Lost)
		}
	})
}

func TestJitterReordersOnlyIfAsked(t *testing.T) {
	for _, reorder := range []bool{false, true} {
		t.Run(fmt.Sprint(reorder), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, c, s := line(t, 3, testkit.Link{Delay: 10 * time.Millisecond, Jitter: 10 * time.Millisecond, Reorder: reorder})
				got, last := burst(t, c, s, 200, 100, time.Millisecond)
				testkit.Equal(t, len(got), 200)
				late := 0
				for i := 1; i < len(got); i++ {
					if got[i] < got[i-1] {
						late++
					}
				}
				testkit.Equal(t, late > 0, reorder)
				testkit.Equal(t, c.Up().Reordered > 0, reorder)
				if last < 209*time.Millisecond || last > 219*time.Millisecond {
					t.Fatalf("the last packet arrived after %v", last)
				}
			})
		})
	}
}

func TestCutSwallowsBothWaysUntilRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c, s := line(t, 1, testkit.Link{Delay: time.Second})
		send := func(from, to *testkit.Node) { testkit.Must(from.WriteTo([]byte("1"), to.LocalAddr()))(t) }
		send(c, s)
		time.Sleep(500 * time.Millisecond)
		s.Cut() // the packet is on its way
		send(s, c)
		send(c, s)
		time.Sleep(2 * time.Second)
		testkit.Equal(t, s.Down(), testkit.Counts{Blackholed: 2})
		testkit.Equal(t, s.Up(), testkit.Counts{Blackholed: 1})
		s.Restore()
		send(c, s)
		send(s, c)
		time.Sleep(2 * time.Second)
		testkit.Equal(t, s.Down().Delivered, 1)
		testkit.Equal(t, c.Down().Delivered, 1)
	})
}

func TestShapeChangesALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c, s := line(t, 1, testkit.Link{Loss: 1})
		got, _ := burst(t, c, s, 10, 100, 0)
		testkit.Equal(t, len(got), 0)
		c.Shape(testkit.Link{Delay: time.Second}, testkit.Link{})
		got, last := burst(t, c, s, 10, 100, 0)
		testkit.Equal(t, got, upTo(10))
		testkit.Equal(t, last, time.Second)
	})
}

func TestUnreadPacketsOverflowTheSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c, s := line(t, 1, testkit.Link{})
		for range 6000 {
			testkit.Must(c.WriteTo([]byte("1"), s.LocalAddr()))(t)
		}
		time.Sleep(time.Second)
		if d := s.Down(); d.BufferFull < 1000 || d.BufferFull+d.Delivered != 6000 {
			t.Fatalf("the socket that nobody reads has %+v", d)
		}
	})
}

func TestNobodyAtTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c, _ := line(t, 1, testkit.Link{})
		testkit.Must(c.WriteTo([]byte("1"), net.UDPAddrFromAddrPort(addrPort("10.9.9.9:1"))))(t)
		time.Sleep(time.Second)
		testkit.Equal(t, c.Up(), testkit.Counts{Sent: 1, NoRoute: 1})
	})
}

func TestTheSeedDecidesTheTrace(t *testing.T) {
	run := func(seed uint64) (trace []testkit.Event) {
		synctest.Test(t, func(t *testing.T) {
			n, c, s := line(t, seed, testkit.Link{
				Rate: 1e6, Queue: 5000, Delay: 10 * time.Millisecond,
				Jitter: 20 * time.Millisecond, Reorder: true, Loss: 0.1,
			})
			n.Record()
			burst(t, c, s, 300, 200, time.Millisecond)
			trace = n.Trace()
		})
		return trace
	}
	first := run(42)
	testkit.Equal(t, run(42), first)
	if len(first) < 400 {
		t.Fatalf("the trace has %d events only", len(first))
	}
	other := run(43)
	if fmt.Sprint(first) == fmt.Sprint(other) {
		t.Fatal("two seeds gave the same trace")
	}
}

func TestTheFateOnALinkDoesNotDependOnOthers(t *testing.T) {
	run := func(noise bool) (got []int) {
		synctest.Test(t, func(t *testing.T) {
			n, c, s := line(t, 42, testkit.Link{Loss: 0.3})
			other := n.Node("10.0.0.3:1", testkit.Link{Loss: 0.3}, testkit.Link{})
			if noise {
				go func() {
					for range 100 {
						other.WriteTo([]byte("noise"), c.LocalAddr())
						time.Sleep(700 * time.Microsecond)
					}
				}()
			}
			got, _ = burst(t, c, s, 100, 10, time.Millisecond)
		})
		return got
	}
	testkit.Equal(t, run(true), run(false))
}

func upTo(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}
