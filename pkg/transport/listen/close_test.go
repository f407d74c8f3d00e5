package listen_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/quictr"
)

func TestCloseTellsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(t, "moqt-18")
		handlerEnded := false
		c.Handlers = []listen.Handler{{Protocol: "h3", Serve: func(q *quic.Conn) {
			<-q.Context().Done()
			handlerEnded = true
		}}}
		h := build(t, c)
		via := h.visitor(t, 1, testkit.Link{}, testkit.Link{})
		accepted := testkit.Must(dialHouse(t.Context(), via))(t)
		server := testkit.Must(h.l.Accept(t.Context()))(t)
		waiting := testkit.Must(dialHouse(t.Context(), via))(t)
		handled := testkit.Must(quictr.Dial(t.Context(), houseAddr, clientTLS("h3"), quictr.Options{Via: via}))(t)
		synctest.Wait()
		accepting := make(chan error, 1)
		go func() {
			testkit.Must(h.l.Accept(t.Context()))(t)
			_, err := h.l.Accept(t.Context())
			accepting <- err
		}()
		synctest.Wait()
		testkit.NoErr(t, h.l.Close())
		testkit.NoErr(t, h.l.Close())
		testkit.ErrIs(t, <-accepting, net.ErrClosed)
		testkit.Equal(t, handlerEnded, true)
		for _, c := range []transport.Conn{accepted, waiting, handled} {
			<-c.Context().Done()
			e := testkit.ErrAs[*transport.CloseError](t, context.Cause(c.Context()))
			testkit.Equal(t, *e, transport.CloseError{Reason: "the server was closed", Remote: true})
		}
		<-server.Context().Done() // follows the end of the QUIC connection in a goroutine of its own
		testkit.ErrAs[*transport.CloseError](t, context.Cause(server.Context()))
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
