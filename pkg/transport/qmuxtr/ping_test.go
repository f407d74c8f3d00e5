package qmuxtr_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/qmuxtr"
)

// ended waits for the end and returns how long it took, and why.
func ended(conn transport.Conn) (time.Duration, error) {
	start := time.Now()
	<-conn.Context().Done()
	return time.Since(start), context.Cause(conn.Context())
}

// A silent peer is gone after the idle timeout, the lower of both.
func TestIdle(t *testing.T) {
	for name, c := range map[string]struct {
		o    qmuxtr.Options
		peer uint64 // milliseconds
		want time.Duration
	}{
		"ours":          {qmuxtr.Options{}, 0, qmuxtr.IdleTimeout},
		"the peer's":    {qmuxtr.Options{}, 4000, 4 * time.Second},
		"the lower":     {qmuxtr.Options{}, 60_000, qmuxtr.IdleTimeout},
		"set":           {qmuxtr.Options{IdleTimeout: time.Minute}, 0, time.Minute},
		"without pings": {qmuxtr.Options{KeepAlive: -1}, 0, qmuxtr.IdleTimeout},
	} {
		p := generous
		p.Idle = c.peer
		bubble(t, name, protocol, c.o, p, func(t *testing.T, conn transport.Conn, _ *peer) {
			after, err := ended(conn)
			testkit.Equal(t, after, c.want)
			testkit.ErrIs(t, err, transport.ErrIdle)
		})
	}
}

// Pings keep both ends believing in each other, and measure the way.
func TestPingsKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, srv, _, _ := inMemory(t, protocol, qmuxtr.Options{})
		time.Sleep(time.Hour)
		testkit.NoErr(t, context.Cause(client.Context()))
		testkit.NoErr(t, context.Cause(srv.Context()))
	})
	bubble(t, "their form", strictName, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		start := time.Now()
		for i := range 5 {
			f := p.hearType(qmuxtr.Ping)
			testkit.Equal(t, f.N, uint64(i+1))
			testkit.Equal(t, time.Since(start), time.Duration(i)*time.Millisecond*20+time.Duration(i+1)*qmuxtr.KeepAlive)
			time.Sleep(20 * time.Millisecond)
			p.say(qmuxtr.Frame{Type: qmuxtr.Pong, N: f.N})
			synctest.Wait()
			testkit.Equal(t, conn.Stats().RTT, 20*time.Millisecond)
		}
	})
	bubble(t, "none if not wanted", protocol, qmuxtr.Options{KeepAlive: -1, IdleTimeout: time.Second}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		ended(conn)
		if _, err := p.in.Next(); err == nil {
			t.Fatal("something was sent to an idle peer")
		}
	})
}

// Of pings that wait the last is answered, so that a flood of them takes no
// memory.
func TestPingFlood(t *testing.T) {
	bubble(t, "", strictName, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		p.freeze()
		clog(t, conn)
		for i := range 10_000 {
			p.say(qmuxtr.Frame{Type: qmuxtr.Ping, N: uint64(i)})
		}
		synctest.Wait()
		p.thaw()
		testkit.Equal(t, p.hearType(qmuxtr.Pong).N, uint64(9999))
	})
}

// TCP takes data for a peer that is gone. While it does, the peer has Silence
// idle timeouts to answer a ping; a peer that takes no data has one.
func TestPeersThatTakeDataAndSayNothing(t *testing.T) {
	trickle := func(t *testing.T, conn transport.Conn) {
		out := testkit.Must(conn.OpenUniStream(t.Context()))(t)
		go func() {
			for {
				if _, err := out.Write([]byte("x")); err != nil {
					return
				}
				select {
				case <-time.After(time.Second):
				case <-conn.Context().Done():
				}
			}
		}()
	}
	bubble(t, "taking", protocol, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, _ *peer) {
		trickle(t, conn)
		after, err := ended(conn)
		testkit.Equal(t, after, qmuxtr.Silence*qmuxtr.IdleTimeout)
		testkit.ErrIs(t, err, transport.ErrIdle)
	})
	bubble(t, "not taking", protocol, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		p.freeze()
		out := testkit.Must(conn.OpenUniStream(t.Context()))(t)
		go out.Write(make([]byte, 1<<20))
		after, err := ended(conn)
		testkit.Equal(t, after, qmuxtr.IdleTimeout)
		testkit.ErrIs(t, err, transport.ErrIdle)
	})
	bubble(t, "without pings data is enough", protocol, qmuxtr.Options{KeepAlive: -1}, generous, func(t *testing.T, conn transport.Conn, _ *peer) {
		trickle(t, conn)
		time.Sleep(20 * qmuxtr.IdleTimeout)
		testkit.NoErr(t, context.Cause(conn.Context()))
	})
}
