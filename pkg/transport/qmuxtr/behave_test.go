package qmuxtr_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/qmuxtr"
)

// What is declared is what the options say.
func TestDeclaredLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, alpn := range qmuxtr.ALPN(protocol) {
			cp, sp := newPipe()
			p := &peer{t, cp, qmuxtr.NewRecords(cp)}
			go qmuxtr.Server(t.Context(), sp, alpn, qmuxtr.Options{})
			hello := p.hearType(qmuxtr.TransportParams)
			testkit.Equal(t, testkit.Must(qmuxtr.ParseParams([]byte(hello.Data)))(t), qmuxtr.Params{
				Idle: 15_000, Data: qmuxtr.ConnWindow,
				BidiLocal: qmuxtr.StreamWindow, BidiRemote: qmuxtr.StreamWindow, Uni: qmuxtr.StreamWindow,
				StreamsBidi: qmuxtr.MaxStreams, StreamsUni: qmuxtr.MaxUniStreams,
				Datagram: qmuxtr.DefaultRecord, Record: qmuxtr.MaxRecord,
				ResetAt: strings.HasPrefix(alpn, "qmux-02."),
			})
			cp.Close()
		}
	})
}

// freeze stops what the connection sends, once it has sent all there was.
func (p *peer) freeze() {
	synctest.Wait()
	p.pipe.in.change(func() { p.pipe.in.frozen = true })
}

func (p *peer) thaw() { p.pipe.in.change(func() { p.pipe.in.frozen = false }) }

// clog fills the way to a frozen peer, so that what is sent from now on waits
// where priorities count.
func clog(t *testing.T, c transport.Conn) {
	t.Helper()
	out := testkit.Must(c.OpenUniStream(t.Context()))(t)
	out.SetPriority(0, false)
	out.SetWriteDeadline(time.Now().Add(time.Second))
	_, err := out.Write(make([]byte, 1<<20))
	if err == nil {
		t.Fatal("a frozen peer took a megabyte")
	}
	out.CancelWrite(0)
}

func TestPriorities(t *testing.T) {
	// Two frames that leave no room for another one in their records.
	const size = 2 * (qmuxtr.DefaultRecord - 19)
	for name, c := range map[string]struct {
		urgency     []int
		incremental []bool
		want        []int // which stream each frame is of
	}{
		"urgency":                    {[]int{5, 0, 3}, []bool{false, false, false}, []int{1, 1, 2, 2, 0, 0}},
		"lowest ID first":            {[]int{3, 3, 3}, []bool{false, false, false}, []int{0, 0, 1, 1, 2, 2}},
		"incremental streams share":  {[]int{3, 3, 3}, []bool{true, true, true}, []int{0, 1, 2, 0, 1, 2}},
		"neither sort starves":       {[]int{3, 3, 3}, []bool{false, true, true}, []int{0, 1, 0, 2, 1, 2}},
		"urgency before incremental": {[]int{4, 3, 4}, []bool{true, false, true}, []int{1, 1, 0, 2, 0, 2}},
	} {
		bubble(t, name, protocol, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
			p.freeze()
			clog(t, conn)
			streams := make(map[uint64]int)
			for i := range c.urgency {
				out := testkit.Must(conn.OpenUniStream(t.Context()))(t)
				streams[uint64(i+1)<<2|3] = i
				out.SetPriority(c.urgency[i], c.incremental[i])
				testkit.Must(out.Write(make([]byte, size)))(t)
			}
			p.thaw()
			var got []int
			for len(got) < len(c.want) {
				for _, f := range p.hear() {
					if i, ok := streams[f.ID]; ok && f.Type == qmuxtr.Stream && len(f.Data) > 1000 {
						got = append(got, i)
					}
				}
			}
			testkit.Equal(t, got[:len(c.want)], c.want)
		})
	}
}

// What steers the connection goes before data, datagrams too.
func TestControlBeforeData(t *testing.T) {
	bubble(t, "", protocol, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		p.freeze()
		clog(t, conn)
		out := testkit.Must(conn.OpenUniStream(t.Context()))(t)
		go out.Write(make([]byte, 1<<20))
		synctest.Wait()
		p.say(qmuxtr.Frame{Type: qmuxtr.Ping, N: 7}, data(2, 0, 1))
		in := testkit.Must(conn.AcceptUniStream(t.Context()))(t)
		in.CancelRead(5)
		testkit.NoErr(t, conn.SendDatagram([]byte("now")))
		synctest.Wait()
		p.thaw()
		// One record was built before: the writer was waiting with it.
		for range 10 {
			frames := p.hear()
			if frames[0].Type != qmuxtr.Pong {
				continue
			}
			types := []uint64{}
			for _, f := range frames {
				types = append(types, f.Type)
			}
			testkit.Equal(t, types, []uint64{qmuxtr.Pong, qmuxtr.ResetStream, qmuxtr.StopSending, qmuxtr.Datagram, qmuxtr.Stream})
			return
		}
		t.Fatal("no answer to the ping came")
	})
}

// What lies before the boundary is sent even if the reset comes first, and the
// peer is told of it if it understands.
func TestReliableBoundary(t *testing.T) {
	for alpn, want := range map[string]qmuxtr.Frame{
		strictName:  {Type: qmuxtr.ResetStreamAt, ID: 7, Code: 2, N: 6, Reliable: 6},
		lenientName: {Type: qmuxtr.ResetStream, ID: 7, Code: 2, N: 6},
	} {
		bubble(t, alpn, alpn, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
			p.freeze()
			clog(t, conn)
			out := testkit.Must(conn.OpenUniStream(t.Context()))(t)
			out.Write([]byte("header"))
			out.SetReliableBoundary()
			out.Write([]byte("payload"))
			out.CancelWrite(2)
			p.thaw()
			var sent string
			for {
				for _, f := range p.hear() {
					switch {
					case f.ID != 7:
					case f.Type == qmuxtr.Stream:
						sent += f.Data
					default:
						testkit.Equal(t, f, want)
						testkit.Equal(t, sent, "header")
						return
					}
				}
			}
		})
	}
}

// moxygen writes no offsets, large records, and final sizes of its own.
func TestOlderPeersAreUnderstood(t *testing.T) {
	bubble(t, "", lenientName, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		long := strings.Repeat("y", 70_000)
		p.say(data(2, 0, 10), qmuxtr.Frame{Type: qmuxtr.Stream, ID: 2, Data: long}, qmuxtr.Frame{Type: qmuxtr.Stream, ID: 2, Fin: true})
		in := testkit.Must(conn.AcceptUniStream(t.Context()))(t)
		testkit.Equal(t, len(testkit.Must(io.ReadAll(in))(t)), 10+len(long))

		for i, final := range []uint64{0, 3, 10, 1<<62 - 1} {
			id := uint64(i+1)<<2 | 2
			p.say(data(id, 0, 5), qmuxtr.Frame{Type: qmuxtr.ResetStream, ID: id, Code: 9, N: final})
			in := testkit.Must(conn.AcceptUniStream(t.Context()))(t)
			got, err := io.ReadAll(in)
			testkit.Equal(t, string(got), "xxxxx")
			testkit.Equal(t, err, error(&transport.StreamError{Code: 9, Remote: true}))
		}
	})
}

// Windows grow while their readers keep up, to the limits and not further.
func TestWindowsGrow(t *testing.T) {
	bubble(t, "", strictName, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		go func() {
			if in, err := conn.AcceptUniStream(t.Context()); err == nil {
				io.Copy(io.Discard, in)
			}
		}()
		var sent, window, connWindow atomic.Uint64
		go func() {
			for {
				record, err := p.in.Next()
				if err != nil {
					return
				}
				frames, _ := qmuxtr.ParseFrames(record)
				for _, f := range frames {
					switch f.Type {
					case qmuxtr.MaxData:
						connWindow.Store(f.N - sent.Load())
					case qmuxtr.MaxStreamData:
						window.Store(f.N - sent.Load())
					}
				}
			}
		}()
		for range 4_000 {
			b := data(2, sent.Load(), 8_000)
			sent.Add(8_000)
			p.say(b)
			synctest.Wait()
		}
		testkit.Equal(t, []uint64{window.Load(), connWindow.Load()}, []uint64{qmuxtr.MaxStreamWindow, qmuxtr.MaxConnWindow})
	})
}

// Write takes little ahead of the network, of one stream and of all.
func TestBuffers(t *testing.T) {
	bubble(t, "", protocol, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		p.freeze()
		clog(t, conn)
		total := 0
		for i := range 2 * qmuxtr.ConnBuffer / qmuxtr.StreamBuffer {
			out := testkit.Must(conn.OpenUniStream(t.Context()))(t)
			out.SetWriteDeadline(time.Now().Add(time.Millisecond))
			taken := 0
			for {
				n, err := out.Write(make([]byte, 1024))
				taken += n
				if err != nil {
					break
				}
			}
			if i == 0 {
				testkit.Equal(t, taken, qmuxtr.StreamBuffer)
			}
			total += taken
		}
		testkit.Equal(t, total, qmuxtr.ConnBuffer)
		// A stream of more urgency is not stopped by what others have there.
		out := testkit.Must(conn.OpenUniStream(t.Context()))(t)
		out.SetPriority(0, false)
		wrote := make(chan error, 1)
		go func() {
			_, err := out.Write([]byte("urgent"))
			wrote <- err
		}()
		synctest.Wait()
		p.thaw()
		seen := 0
		for {
			for _, f := range p.hear() {
				if f.Data == "urgent" {
					testkit.NoErr(t, <-wrote)
					if seen > 2*pipeBuffer {
						t.Fatalf("%d bytes went before the urgent ones", seen)
					}
					return
				}
				seen += len(f.Data)
			}
		}
	})
}

// A peer that grants streams and no data piles nothing up here, and gets what
// still waits when it grants data.
func TestNoConnectionCredit(t *testing.T) {
	poor := generous
	poor.Data = 10
	bubble(t, "", protocol, qmuxtr.Options{}, poor, func(t *testing.T, conn transport.Conn, p *peer) {
		waits := testkit.Must(conn.OpenUniStream(t.Context()))(t)
		wrote := make(chan error, 1)
		go func() {
			_, err := waits.Write(make([]byte, 100))
			wrote <- err
		}()
		testkit.Equal(t, len(p.hearType(qmuxtr.Stream).Data), 10)
		for range 1000 {
			out := testkit.Must(conn.OpenUniStream(t.Context()))(t)
			out.SetWriteDeadline(time.Now().Add(time.Millisecond))
			_, err := out.Write([]byte("x"))
			testkit.ErrIs(t, err, os.ErrDeadlineExceeded)
			out.CancelWrite(1)
			p.hearType(qmuxtr.ResetStream)
		}
		if n := qmuxtr.Starved(conn); n > 3 {
			t.Fatalf("%d streams wait for credit, one should", n)
		}
		p.say(qmuxtr.Frame{Type: qmuxtr.MaxData, N: 100})
		testkit.Equal(t, len(p.hearType(qmuxtr.Stream).Data), 90)
		testkit.NoErr(t, <-wrote)
	})
}

func TestDatagramQueues(t *testing.T) {
	bubble(t, "out", protocol, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		p.freeze()
		clog(t, conn)
		for range qmuxtr.SendDatagrams {
			testkit.NoErr(t, conn.SendDatagram([]byte("x")))
		}
		testkit.ErrIs(t, conn.SendDatagram([]byte("x")), transport.ErrDatagramDropped)
		testkit.Equal(t, conn.Stats().DatagramsDropped, uint64(1))
	})
	for name, size := range map[string]int{"many": 1, "large": 10_000} {
		bubble(t, name, protocol, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
			for range 2 * qmuxtr.ReceiveDatagrams {
				p.say(qmuxtr.Frame{Type: qmuxtr.Datagram, Data: strings.Repeat("x", size)})
			}
			synctest.Wait()
			want := min(qmuxtr.ReceiveDatagrams, qmuxtr.ReceiveDatagramBytes/size)
			for range want {
				testkit.Equal(t, len(testkit.Must(conn.ReceiveDatagram(t.Context()))(t)), size)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, err := conn.ReceiveDatagram(ctx)
			testkit.ErrIs(t, err, context.DeadlineExceeded)
		})
	}
	none := generous
	none.Datagram = 0
	bubble(t, "a peer that takes none", protocol, qmuxtr.Options{}, none, func(t *testing.T, conn transport.Conn, p *peer) {
		testkit.Equal(t, conn.MaxDatagramSize(), 0)
		testkit.ErrIs(t, conn.SendDatagram(nil), transport.ErrDatagramTooLarge)
	})
}

// A reason is cut between characters.
func TestLongReason(t *testing.T) {
	bubble(t, "", protocol, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		conn.CloseWithError(3, "x"+strings.Repeat("é", qmuxtr.MaxReason))
		testkit.Equal(t, p.hearType(qmuxtr.AppClose), qmuxtr.Frame{
			Type: qmuxtr.AppClose, Code: 3, Data: "x" + strings.Repeat("é", qmuxtr.MaxReason/2-1),
		})
	})
}

// A peer that does not read delays closing for CloseTimeout, and nothing else.
func TestClosingTowardsAPeerThatDoesNotRead(t *testing.T) {
	bubble(t, "", protocol, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		p.freeze()
		clog(t, conn)
		start := time.Now()
		conn.CloseWithError(1, "too slow")
		testkit.Equal(t, time.Since(start), qmuxtr.CloseTimeout)
		p.say(data(2, 0, 1)) // still open for the rest
		time.Sleep(qmuxtr.Linger + time.Millisecond)
		synctest.Wait()
		if _, err := p.Write([]byte{1, 0}); err == nil {
			t.Fatal("the connection is still open")
		}
	})
}

// Nor does the good-bye of TLS hold anything up.
func TestClosingTLSTowardsAPeerThatDoesNotRead(t *testing.T) {
	conf := serverTLS(t)
	conf.NextProtos = []string{protocol}
	synctest.Test(t, func(t *testing.T) {
		cp, sp := newPipe()
		client := tls.Client(cp, &tls.Config{InsecureSkipVerify: true, NextProtos: conf.NextProtos})
		go client.Write(qmuxtr.Record(qmuxtr.Frame{Type: qmuxtr.TransportParams, Data: string(generous.Append(nil))}))
		conn := testkit.Must(qmuxtr.Server(t.Context(), tls.Server(sp, conf), protocol, qmuxtr.Options{}))(t)
		p := &peer{t: t, pipe: cp}
		p.freeze()
		clog(t, conn)
		start := time.Now()
		conn.CloseWithError(1, "too slow")
		testkit.Equal(t, time.Since(start), qmuxtr.CloseTimeout)
		testkit.NoErr(t, cp.SetWriteDeadline(time.Now().Add(time.Hour)))
		time.Sleep(qmuxtr.Linger + time.Millisecond)
		synctest.Wait()
		if _, err := cp.Write([]byte{0}); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("the socket is still open: %v", err)
		}
	})
}

func TestWordsOfErrors(t *testing.T) {
	for err, want := range map[error]string{
		&qmuxtr.TransportError{Code: qmuxtr.FlowControlError, Reason: "too much"}: `QMux connection closed locally with FLOW_CONTROL_ERROR "too much"`,
		&qmuxtr.TransportError{Code: 0x77, Remote: true}:                          `QMux connection closed by the peer with 0x77 ""`,
	} {
		testkit.Equal(t, err.Error(), want)
		testkit.ErrIs(t, err, net.ErrClosed)
	}
}
