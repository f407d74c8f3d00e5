package wttr_test

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

// Duties: 56.
func TestPriorityDecidesWhoGoesFirst(t *testing.T) {
	for _, side := range []string{"client", "server"} {
		t.Run(side, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const size = 100_000
				slow := testkit.Link{Rate: 8e6, Queue: 64 << 10}
				w := connect(t, quictr.Options{}, slow, slow)
				from, to := w.client, w.server
				if side == "server" {
					from, to = to, from
				}
				done := make(chan int, 4)
				for i := range 4 {
					out := testkit.Must(from.OpenUniStream(t.Context()))(t)
					out.SetPriority(3-i, false) // the last one first
					go func() {
						out.Write(bytes.Repeat([]byte{byte(i)}, size))
						out.Close()
					}()
				}
				for range 4 {
					in := testkit.Must(to.AcceptUniStream(t.Context()))(t)
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
		})
	}
}

// TestCreditOfABrowser: Chromium lets a server have 103 unidirectional streams,
// of which HTTP/3 takes one.
func TestCreditOfABrowser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{}, testkit.Link{})
		sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		conf := oldQUIC()
		conf.MaxIncomingUniStreams = 103
		c := w.rawClient(t, conf, map[uint64]uint64{setting02: 1})
		c.ask(name02, "/", offer(`"moqt-18"`))
		s := <-sessions
		var outs []transport.SendStream
		for range 102 {
			out := testkit.Must(s.TryOpenUniStream())(t)
			testkit.Must(out.Write([]byte("x")))(t)
			outs = append(outs, out)
		}
		_, err := s.TryOpenUniStream()
		testkit.ErrIs(t, err, transport.ErrNoCredit)
		opened := make(chan error, 1)
		go func() {
			_, err := s.OpenUniStream(t.Context())
			opened <- err
		}()
		time.Sleep(time.Minute)
		select {
		case err := <-opened:
			t.Fatalf("a stream beyond the credit was opened: %v", err)
		default:
		}
		testkit.NoErr(t, s.Context().Err())
		for _, out := range outs {
			testkit.NoErr(t, out.Close())
		}
		for range outs {
			testkit.Must(io.ReadAll(<-c.uni))(t)
		}
		testkit.NoErr(t, <-opened)
	})
}

// TestSmallFirstWritesAreOnePacket: the header of a stream does not travel
// alone.
func TestSmallFirstWritesAreOnePacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{KeepAlive: -1}, testkit.Link{}, testkit.Link{})
		time.Sleep(time.Second)
		before := w.clientNode.Up().Sent
		const streams = 50
		for range streams {
			out := testkit.Must(w.client.OpenUniStream(t.Context()))(t)
			testkit.Must(out.Write(make([]byte, 200)))(t)
			in := testkit.Must(w.server.AcceptUniStream(t.Context()))(t)
			testkit.Must(io.ReadFull(in, make([]byte, 200)))(t)
			synctest.Wait()
			out.CancelWrite(0)
			time.Sleep(time.Second) // acknowledgements of what the server sends come apart
		}
		// Per stream: data, reset, and an acknowledgement at most.
		if sent := w.clientNode.Up().Sent - before; sent > 3*streams {
			t.Fatalf("%d streams took %d packets", streams, sent)
		}
	})
}

func TestADeadlineThatHasPassedKeepsTheHeaderForLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{}, testkit.Link{}, testkit.Link{})
		for _, end := range []string{"write", "close", "reset"} {
			out := testkit.Must(w.client.OpenUniStream(t.Context()))(t)
			testkit.NoErr(t, out.SetWriteDeadline(time.Now().Add(-time.Second)))
			n, err := out.Write([]byte("x"))
			testkit.Equal(t, n, 0)
			if err == nil {
				t.Fatal("the deadline was not kept")
			}
			switch end {
			case "write":
				testkit.NoErr(t, out.SetWriteDeadline(time.Time{}))
				testkit.Must(out.Write([]byte("later")))(t)
				testkit.NoErr(t, out.Close())
			case "close":
				testkit.NoErr(t, out.Close())
			case "reset":
				out.CancelWrite(3)
			}
			b, err := io.ReadAll(testkit.Must(w.server.AcceptUniStream(t.Context()))(t))
			switch end {
			case "write":
				testkit.NoErr(t, err)
				testkit.Equal(t, string(b), "later")
			case "close":
				testkit.NoErr(t, err)
				testkit.Equal(t, len(b), 0)
			case "reset":
				testkit.Equal(t, *testkit.ErrAs[*transport.StreamError](t, err), transport.StreamError{Code: 3, Remote: true})
			}
		}
	})
}

func TestLargeStreamCodesAreClamped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{}, testkit.Link{}, testkit.Link{})
		out := testkit.Must(w.client.OpenUniStream(t.Context()))(t)
		out.CancelWrite(1 << 40)
		_, err := io.ReadAll(testkit.Must(w.server.AcceptUniStream(t.Context()))(t))
		testkit.Equal(t, *testkit.ErrAs[*transport.StreamError](t, err), transport.StreamError{Code: 1<<32 - 1, Remote: true})
	})
}

func TestCodesThatAreNotOfTheApplicationBecomeInternalErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{}, testkit.Link{})
		sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
		c.ask(name02, "/", offer(`"moqt-18"`))
		s := <-sessions
		theirs := c.open(0, "x")
		in := testkit.Must(s.AcceptUniStream(t.Context()))(t)
		theirs.CancelWrite(0x10c)
		_, err := io.ReadAll(in)
		testkit.Equal(t, *testkit.ErrAs[*transport.StreamError](t, err), transport.StreamError{Remote: true})
		out := testkit.Must(s.OpenUniStream(t.Context()))(t)
		testkit.Must(out.Write([]byte("x")))(t)
		(<-c.uni).CancelRead(0x10c)
		<-out.Context().Done()
		_, err = out.Write([]byte("y"))
		testkit.Equal(t, *testkit.ErrAs[*transport.StreamError](t, err), transport.StreamError{Remote: true})
	})
}

func TestDatagramsThatNobodyTakesAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{}, testkit.Link{}, testkit.Link{})
		const sent = 300
		for i := range sent {
			testkit.NoErr(t, w.client.SendDatagram([]byte{byte(i)}))
			time.Sleep(time.Millisecond)
		}
		for i := range 128 {
			testkit.Equal(t, testkit.Must(w.server.ReceiveDatagram(t.Context()))(t), []byte{byte(i)})
		}
		testkit.NoErr(t, w.client.SendDatagram([]byte("new")))
		testkit.Equal(t, string(testkit.Must(w.server.ReceiveDatagram(t.Context()))(t)), "new")
	})
}
