package qmuxtr_test

import (
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport/qmuxtr"
)

// sockets is a net.Listener whose clients never say anything.
type sockets struct {
	mu       sync.Mutex
	fail     error // what Accept says
	calls    []time.Time
	clients  []net.Conn
	done     chan struct{}
	doneOnce sync.Once
}

func (s *sockets) Accept() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return nil, net.ErrClosed
	default:
	}
	s.calls = append(s.calls, time.Now())
	if s.fail != nil {
		return nil, s.fail
	}
	client, server := newPipe()
	s.clients = append(s.clients, client)
	return server, nil
}

func (s *sockets) Close() error {
	s.doneOnce.Do(func() { close(s.done) })
	return nil
}

func (s *sockets) Addr() net.Addr { return pipeAddr("sockets") }

// count returns how often Accept was called, and how often in the last second.
func (s *sockets) count() (all, lately int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.calls {
		if time.Since(at) < time.Second {
			lately++
		}
	}
	return len(s.calls), lately
}

// As many sockets as may be without a protocol are accepted, and others in
// their place when their time is over.
func TestMaxHandshakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &sockets{done: make(chan struct{})}
		l := testkit.Must(qmuxtr.On(ln, qmuxtr.Config{TLS: serverTLS(t), Protocols: []string{protocol}}))(t)
		synctest.Wait()
		all, _ := ln.count()
		testkit.Equal(t, all, qmuxtr.MaxHandshakes)
		time.Sleep(qmuxtr.HandshakeTimeout + time.Millisecond)
		synctest.Wait()
		all, _ = ln.count()
		testkit.Equal(t, all, 2*qmuxtr.MaxHandshakes)
		testkit.NoErr(t, l.Close())
	})
}

// A machine that has no more sockets is not asked all the time.
func TestAcceptErrorsThatPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &sockets{done: make(chan struct{}), fail: errors.New("too many open files")}
		l := testkit.Must(qmuxtr.On(ln, qmuxtr.Config{TLS: serverTLS(t), Protocols: []string{protocol}}))(t)
		time.Sleep(10*time.Second + time.Nanosecond)
		synctest.Wait()
		all, lately := ln.count()
		if all > 20 || lately != 1 {
			t.Fatalf("Accept was called %d times, %d times in the last second", all, lately)
		}
		ln.mu.Lock()
		ln.fail = nil
		ln.mu.Unlock()
		time.Sleep(time.Second)
		synctest.Wait()
		if all, _ = ln.count(); all < qmuxtr.MaxHandshakes {
			t.Fatalf("Accept was called %d times after the error had passed", all)
		}
		testkit.NoErr(t, l.Close())
	})
}
