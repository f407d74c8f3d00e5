package wttr_test

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

const someDelay = 5 * time.Millisecond

func TestBothEndsSayWhyTheyClose(t *testing.T) {
	long := strings.Repeat("r", wttr.MaxReason)
	for _, row := range []struct {
		name        string
		code        uint64
		reason      string
		arrivesCode uint64
		arrives     string
	}{
		{"nothing", 0, "", 0, ""},
		{"code and reason", 7, "that is all", 7, "that is all"},
		{"largest code", math.MaxUint32, "x", math.MaxUint32, "x"},
		{"larger code", math.MaxUint32 + 1, "x", math.MaxUint32, "x"},
		{"largest code of QUIC", 1<<62 - 1, "x", math.MaxUint32, "x"},
		{"longest reason", 1, long, 1, long},
		{"longer reason", 1, long + "x", 1, long},
		{"longer reason in UTF-8", 1, "x" + strings.Repeat("é", wttr.MaxReason), 1, "x" + strings.Repeat("é", wttr.MaxReason/2-1)},
	} {
		for _, side := range []string{"client", "server"} {
			t.Run(row.name+" from the "+side, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := connect(t, quictr.Options{}, testkit.Link{Delay: someDelay}, testkit.Link{Delay: someDelay})
					from, to := w.client, w.server
					if side == "server" {
						from, to = to, from
					}
					// Streams are reset with the session, which must not be
					// what their readers and writers are told.
					out := testkit.Must(from.OpenUniStream(t.Context()))(t)
					testkit.Must(out.Write([]byte("x")))(t)
					in := testkit.Must(to.AcceptUniStream(t.Context()))(t)
					theirs := testkit.Must(to.OpenStream(t.Context()))(t)
					testkit.Must(theirs.Write([]byte("x")))(t)
					theirsCtx := theirs.Context()
					ours := testkit.Must(from.AcceptStream(t.Context()))(t)

					start := time.Now()
					testkit.NoErr(t, from.CloseWithError(row.code, row.reason))
					if took := time.Since(start); took > 4*someDelay {
						t.Errorf("closing took %v, want about one round trip", took)
					}
					here := &transport.CloseError{Code: row.arrivesCode, Reason: row.arrives}
					there := &transport.CloseError{Code: row.arrivesCode, Reason: row.arrives, Remote: true}
					testkit.Equal(t, context.Cause(from.Context()), error(here))
					<-to.Context().Done()
					testkit.Equal(t, context.Cause(to.Context()), error(there))
					<-theirsCtx.Done()
					testkit.Equal(t, context.Cause(theirsCtx), error(there))
					for want, s := range map[error][]io.ReadWriter{here: {ours}, there: {theirs}} {
						_, err := io.ReadAll(s[0])
						if err == nil { // the byte that had come
							_, err = s[0].Read(make([]byte, 1))
						}
						testkit.Equal(t, err, want)
						_, err = s[0].Write([]byte("y"))
						testkit.Equal(t, err, want)
					}
					_, err := out.Write([]byte("y"))
					testkit.Equal(t, err, error(here))
					_, err = io.ReadAll(in)
					testkit.Equal(t, err, error(there))
				})
			})
		}
	}
}

func TestClosingAtOnceFromBothEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{}, testkit.Link{Delay: someDelay}, testkit.Link{Delay: someDelay})
		done := make(chan error, 2)
		go func() { done <- w.client.CloseWithError(1, "client") }()
		go func() { done <- w.server.CloseWithError(2, "server") }()
		testkit.NoErr(t, <-done)
		testkit.NoErr(t, <-done)
		testkit.Equal(t, context.Cause(w.client.Context()), error(&transport.CloseError{Code: 1, Reason: "client"}))
		testkit.Equal(t, context.Cause(w.server.Context()), error(&transport.CloseError{Code: 2, Reason: "server"}))
	})
}

func TestClosingTowardsNobodyEnds(t *testing.T) {
	for _, side := range []string{"client", "server"} {
		t.Run(side, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := connect(t, quictr.Options{}, testkit.Link{Delay: someDelay}, testkit.Link{Delay: someDelay})
				synctest.Wait()
				w.clientNode.Cut()
				from, to := w.client, w.server
				if side == "server" {
					from, to = to, from
				}
				in := make(chan error, 1)
				go func() {
					_, err := from.AcceptStream(t.Context())
					in <- err
				}()
				synctest.Wait()
				start := time.Now()
				go from.CloseWithError(3, "gone")
				testkit.Equal(t, <-in, error(&transport.CloseError{Code: 3, Reason: "gone"}))
				testkit.Equal(t, time.Since(start), time.Duration(0)) // here, all ends at once
				from.CloseWithError(4, "waits for the first")
				if took := time.Since(start); took > wttr.MaxCloseWait {
					t.Errorf("closing took %v", took)
				}
				<-to.Context().Done()
				testkit.ErrIs(t, context.Cause(to.Context()), transport.ErrIdle)
			})
		})
	}
}

// TestAPeerWithoutCreditIsToldByQUIC: the capsule finds no room on the CONNECT
// stream.
func TestAPeerWithoutCreditIsToldByQUIC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{Delay: someDelay}, testkit.Link{Delay: someDelay})
		sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		conf := oldQUIC()
		conf.InitialStreamReceiveWindow, conf.MaxStreamReceiveWindow = 1000, 1000
		c := w.rawClient(t, conf, map[uint64]uint64{setting02: 1})
		c.ask(name02, "/", offer(`"moqt-18"`))
		s := <-sessions
		start := time.Now()
		s.CloseWithError(7, strings.Repeat("r", wttr.MaxReason))
		testkit.Equal(t, time.Since(start), time.Duration(0))
		<-c.q.Context().Done()
		testkit.Equal(t, wttr.ConnectionError(context.Cause(c.q.Context())),
			error(&transport.CloseError{Code: 7, Reason: strings.Repeat("r", quictr.MaxReason), Remote: true}))
	})
}

func TestAPeerThatDoesNotAnswerTheCloseIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{Delay: someDelay}, testkit.Link{Delay: someDelay})
		sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
		str, _ := c.ask(name02, "/", offer(`"moqt-18"`))
		s := <-sessions
		go s.CloseWithError(7, "that is all")
		testkit.Equal(t, testkit.Must(io.ReadAll(str))(t), wttr.AppendClose(nil, 7, "that is all"))
		start := time.Now()
		<-c.q.Context().Done()
		if took := time.Since(start); took < someDelay || took > wttr.MaxCloseWait {
			t.Errorf("the connection was closed after %v", took)
		}
	})
}

// TestNothingOvertakesTheCode: a browser answers the capsule at once, but its
// page hears later of it. Resets, or the end of the connection, would come first.
func TestNothingOvertakesTheCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{Delay: someDelay}, testkit.Link{Delay: someDelay})
		sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
		str, _ := c.ask(name02, "/", offer(`"moqt-18"`))
		s := <-sessions
		out := testkit.Must(s.OpenUniStream(t.Context()))(t)
		testkit.Must(out.Write([]byte("x")))(t)
		c.open(uint64(str.StreamID()), "y")
		got := testkit.Must(s.AcceptUniStream(t.Context()))(t)
		testkit.Must(io.ReadFull(got, make([]byte, 1)))(t)

		ends := make(chan error, 1)
		go func() {
			_, _, err := c.read()
			ends <- err
		}()
		synctest.Wait()
		go s.CloseWithError(7, "that is all")
		<-s.Context().Done()
		out.CancelWrite(3) // as everybody does whose session has ended
		got.CancelRead(3)
		testkit.Equal(t, testkit.Must(io.ReadAll(str))(t), wttr.AppendClose(nil, 7, "that is all"))
		testkit.NoErr(t, str.Close())
		start := time.Now()
		err := <-ends
		if _, ok := errors.AsType[*quic.ApplicationError](err); !ok {
			t.Errorf("the stream ended with %v", err)
		}
		if took := time.Since(start); took < wttr.MinCloseWait-2*someDelay {
			t.Errorf("the connection was closed after %v", took)
		}
	})
}

// TestSessionGone: a peer may reset the streams of a session before it says why
// the session ends, or without saying it.
func TestSessionGone(t *testing.T) {
	const sessionGone = quic.StreamErrorCode(0x170d7b68)
	for _, row := range []struct {
		name string
		says bool
		want error
	}{
		{"the reason follows", true, &transport.CloseError{Code: 5, Reason: "later", Remote: true}},
		{"no reason follows", false, &transport.StreamError{Remote: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := build(t, testkit.Link{Delay: someDelay}, testkit.Link{Delay: someDelay})
				sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
				c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
				str, _ := c.ask(name02, "/", offer(`"moqt-18"`))
				s := <-sessions
				out := testkit.Must(s.OpenUniStream(t.Context()))(t)
				testkit.Must(out.Write([]byte("x")))(t)
				(<-c.uni).CancelRead(sessionGone)
				if row.says {
					time.AfterFunc(time.Second, func() { closeWith(str, 5, "later") })
				}
				<-out.Context().Done()
				testkit.Equal(t, context.Cause(out.Context()), row.want)
				s.CloseWithError(0, "")
			})
		})
	}
}

func TestAKilledPeerIsIdleInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{IdleTimeout: 6 * time.Second, KeepAlive: 2 * time.Second}, testkit.Link{}, testkit.Link{})
		time.Sleep(time.Hour)
		testkit.NoErr(t, w.server.Context().Err())
		start := time.Now()
		w.clientNode.Cut()
		for _, c := range []transport.Conn{w.client, w.server} {
			<-c.Context().Done()
			testkit.ErrIs(t, context.Cause(c.Context()), transport.ErrIdle)
			_, err := c.AcceptStream(t.Context())
			testkit.ErrIs(t, err, transport.ErrIdle)
			testkit.ErrIs(t, c.SendDatagram(nil), transport.ErrIdle)
		}
		if took := time.Since(start); took > 8*time.Second {
			t.Fatalf("it took %v to notice", took)
		}
	})
}
