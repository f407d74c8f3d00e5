package moqt

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"
)

// door is a Listener that the test feeds.
type door struct {
	conns chan session.Conn
	err   error // after the last
}

func (d *door) Accept(ctx context.Context) (session.Conn, error) {
	select {
	case c, ok := <-d.conns:
		if !ok {
			return nil, d.err
		}
		return c, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func TestServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		d := &door{conns: make(chan session.Conn, 8)}
		served := make(chan error, 1)
		go func() { served <- (&Server{Session: session.Config{Handler: NewTrackMux()}}).Serve(ctx, d) }()
		var clients []*session.Session
		for range 3 {
			c, s := memtr.Pair()
			d.conns <- s
			sess, err := session.Start(t.Context(), c, session.Config{})
			if err != nil {
				t.Fatal(err)
			}
			clients = append(clients, sess)
		}
		clients[0].Close(model.NoError, "leaving")
		synctest.Wait()
		cancel(errEnough)
		if err := <-served; !errors.Is(err, errEnough) {
			t.Errorf("Serve: %v", err)
		}
		for _, c := range clients[1:] {
			<-c.Context().Done()
			if err := c.Err(); !errors.Is(err, &model.SessionError{Code: model.NoError, Remote: true}) {
				t.Errorf("a client is told %v", err)
			}
			c.Wait()
		}
	})
}

func TestServeConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serve := func(opts ...memtr.Option) (session.Conn, <-chan error) {
			c, s := memtr.Pair(opts...)
			ended := make(chan error, 1)
			go func() { ended <- (&Server{}).ServeConn(t.Context(), s) }()
			return c, ended
		}
		for code, good := range map[model.SessionCode]bool{model.NoError: true, model.ProtocolViolation: false} {
			c, ended := serve()
			s, err := session.Start(t.Context(), c, session.Config{})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // our SETUP is there too
			s.Close(code, "")
			if err := <-ended; (err == nil) != good {
				t.Errorf("a peer that closes with %v: %v", code, err)
			}
			s.Wait()
		}
		c, ended := serve(memtr.WithProtocol("moqt-99"))
		if err := <-ended; err == nil {
			t.Error("an unknown protocol is served")
		}
		<-c.Context().Done()

		c, ended = serve()
		_ = c.CloseWithError(0, "")
		if err := <-ended; err == nil {
			t.Error("a connection without SETUP was a session")
		}
	})
}

func TestAcceptEndsWithItsListener(t *testing.T) {
	for _, end := range []error{net.ErrClosed, errEnough} {
		synctest.Test(t, func(t *testing.T) {
			d := &door{conns: make(chan session.Conn, 1), err: end}
			_, s := memtr.Pair()
			d.conns <- s
			close(d.conns)
			finished := false
			var running sync.WaitGroup
			err := Accept(t.Context(), d, &running, func(context.Context, session.Conn) {
				synctest.Wait() // Accept waits for it
				finished = true
			})
			if !errors.Is(err, end) || !finished {
				t.Errorf("ended with %v, the session had ended: %v", err, finished)
			}
		})
	}
}
