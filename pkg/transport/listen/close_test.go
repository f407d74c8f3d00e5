package listen_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

func TestCloseTellsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, bothDoors(t))
		via := h.visitor(t, 1, testkit.Link{}, testkit.Link{})
		accepted := testkit.Must(dialHouse(t.Context(), via))(t)
		server := testkit.Must(h.l.Accept(t.Context()))(t)
		session := testkit.Must(dialHouseWT(t.Context(), via))(t)
		serverSession := testkit.Must(h.l.Accept(t.Context()))(t)
		waiting := testkit.Must(dialHouse(t.Context(), via))(t)
		waitingSession := testkit.Must(dialHouseWT(t.Context(), via))(t)
		undecided := testkit.Must(quictr.Dial(t.Context(), houseAddr, clientTLS("h3"), quictr.Options{Via: via}))(t)
		synctest.Wait()
		accepting := make(chan error, 1)
		go func() {
			for range 2 {
				testkit.Must(h.l.Accept(t.Context()))(t)
			}
			_, err := h.l.Accept(t.Context())
			accepting <- err
		}()
		synctest.Wait()
		testkit.NoErr(t, h.l.Close())
		testkit.NoErr(t, h.l.Close())
		testkit.ErrIs(t, <-accepting, net.ErrClosed)
		for _, c := range []transport.Conn{accepted, waiting, session, waitingSession} {
			<-c.Context().Done()
			e := testkit.ErrAs[*transport.CloseError](t, context.Cause(c.Context()))
			testkit.Equal(t, *e, transport.CloseError{Reason: "the server was closed", Remote: true})
		}
		<-undecided.Context().Done()
		e := testkit.ErrAs[*transport.CloseError](t, context.Cause(undecided.Context()))
		testkit.Equal(t, *e, transport.CloseError{Code: 0x100, Reason: "the server was closed", Remote: true})
		for _, c := range []transport.Conn{server, serverSession} {
			<-c.Context().Done() // may follow the end of the QUIC connection in a goroutine of its own
			testkit.ErrAs[*transport.CloseError](t, context.Cause(c.Context()))
		}
	})
}

func TestThePortIsFreeAfterClose(t *testing.T) {
	l := testkit.Must(listen.Listen("127.0.0.1:0", config(t, "moqt-18")))(t)
	addr := l.Addr().String()
	testkit.NoErr(t, l.Close())
	serve(t, addr, config(t, "moqt-18"))
}

func TestShutdownWaitsForConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, config(t, "moqt-18"))
		via := h.visitor(t, 1, testkit.Link{}, testkit.Link{})
		c := testkit.Must(dialHouse(t.Context(), via))(t)
		testkit.Must(h.l.Accept(t.Context()))(t)
		start := time.Now()
		done := make(chan error, 1)
		go func() { done <- h.l.Shutdown(t.Context()) }()
		synctest.Wait()
		_, err := h.l.Accept(t.Context())
		testkit.ErrIs(t, err, net.ErrClosed)
		time.Sleep(3 * time.Second)
		testkit.NoErr(t, c.Context().Err())
		c.CloseWithError(0, "")
		testkit.NoErr(t, <-done)
		testkit.Equal(t, time.Since(start), 3*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = dialHouse(ctx, via)
		testkit.ErrIs(t, err, context.DeadlineExceeded)
	})
}

func TestShutdownOfAnEmptyHouseIsImmediate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, config(t, "moqt-18"))
		testkit.NoErr(t, h.l.Shutdown(t.Context()))
	})
}

func TestShutdownClosesWhatIsLeftInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, config(t, "moqt-18"))
		c := testkit.Must(dialHouse(t.Context(), h.visitor(t, 1, testkit.Link{}, testkit.Link{})))(t)
		testkit.Must(h.l.Accept(t.Context()))(t)
		late := errors.New("too late")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Second, late)
		defer cancel()
		testkit.ErrIs(t, h.l.Shutdown(ctx), late)
		<-c.Context().Done()
		testkit.ErrAs[*transport.CloseError](t, context.Cause(c.Context()))
	})
}

func TestARestartedServerTellsItsOldClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork(t, 1)
		conf := config(t, "moqt-18")
		conf.ResetKey = [32]byte{1}
		// The first one dies without a word: it is cut off and forgotten.
		first := n.Node(houseAddr, testkit.Link{}, testkit.Link{})
		l1 := testkit.Must(listen.On(first, conf))(t)
		h := &house{net: n, node: first, l: l1}
		c := testkit.Must(dialHouse(t.Context(), h.visitor(t, 1, testkit.Link{}, testkit.Link{})))(t)
		synctest.Wait() // the handshake is confirmed and connection IDs are exchanged
		first.Cut()
		testkit.NoErr(t, l1.Close())
		n.Remove(first)
		l2 := testkit.Must(listen.On(n.Node(houseAddr, testkit.Link{}, testkit.Link{}), conf))(t)
		defer l2.Close()
		start := time.Now()
		s := testkit.Must(c.OpenUniStream(t.Context()))(t)
		testkit.Must(s.Write(make([]byte, 100)))(t)
		<-c.Context().Done()
		if took := time.Since(start); took > time.Second {
			t.Fatalf("the client noticed after %v", took)
		}
		if err := context.Cause(c.Context()); !strings.Contains(err.Error(), "restarted") {
			t.Fatalf("the client was told %v", err)
		}
	})
}

func TestShutdownWaitsForSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, bothDoors(t))
		c := testkit.Must(dialHouseWT(t.Context(), h.visitor(t, 1, testkit.Link{}, testkit.Link{})))(t)
		server := testkit.Must(h.l.Accept(t.Context()))(t)
		done := make(chan error, 1)
		go func() { done <- h.l.Shutdown(t.Context()) }()
		time.Sleep(time.Minute)
		testkit.NoErr(t, c.Context().Err())
		server.CloseWithError(7, "that is all")
		testkit.NoErr(t, <-done)
		<-c.Context().Done()
		e := testkit.ErrAs[*transport.CloseError](t, context.Cause(c.Context()))
		testkit.Equal(t, *e, transport.CloseError{Code: 7, Reason: "that is all", Remote: true})
	})
}

func TestASessionThatComesAfterShutdownIsTurnedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conf := bothDoors(t)
		asked, answer := make(chan struct{}), make(chan struct{})
		conf.WebTransport.Check = func(*http.Request) *wttr.Refusal {
			close(asked)
			<-answer
			return nil
		}
		h := build(t, conf)
		via := h.visitor(t, 1, testkit.Link{}, testkit.Link{})
		dialed := make(chan transport.Conn, 1)
		go func() { dialed <- testkit.Must(dialHouseWT(t.Context(), via))(t) }()
		<-asked
		done := make(chan error, 1)
		go func() { done <- h.l.Shutdown(t.Context()) }()
		synctest.Wait()
		close(answer)
		c := <-dialed
		<-c.Context().Done()
		e := testkit.ErrAs[*transport.CloseError](t, context.Cause(c.Context()))
		testkit.Equal(t, e.Reason, "the server was closed")
		testkit.NoErr(t, <-done)
	})
}
