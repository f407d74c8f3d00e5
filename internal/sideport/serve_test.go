package sideport_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/sideport"
	"oxymoq/internal/testkit"
)

// street is a listener without a network, for virtual time.
type street struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newStreet() *street { return &street{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (s *street) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *street) Close() error   { s.once.Do(func() { close(s.closed) }); return nil }
func (s *street) Addr() net.Addr { return &net.TCPAddr{} }

// visit returns a connection, and false if none is served now.
func (s *street) visit(t *testing.T) (net.Conn, bool) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	synctest.Wait()
	select {
	case s.conns <- theirs:
		return ours, true
	default:
		return ours, false
	}
}

// serve starts Serve; end stops it and returns its error.
func serve(t *testing.T, ln net.Listener, c sideport.Config) (end func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = sideport.Serve(ctx, ln, c)
	}()
	end = func() error {
		cancel()
		<-ended
		return err
	}
	t.Cleanup(func() { _ = end() })
	return end
}

func get(t *testing.T, conn net.Conn, path string) string {
	t.Helper()
	_, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	testkit.NoErr(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	testkit.NoErr(t, err)
	defer resp.Body.Close()
	return string(testkit.Must(io.ReadAll(resp.Body))(t))
}

func TestServeOnASocket(t *testing.T) {
	ln := testkit.Must(new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	end := serve(t, ln, sideport.Config{Source: source(t)})
	var d net.Dialer
	conn := testkit.Must(d.DialContext(t.Context(), "tcp", ln.Addr().String()))(t)
	defer conn.Close()
	testkit.Equal(t, len(get(t, conn, "/fingerprint")), 64)
	testkit.NoErr(t, end())
	if _, err := d.DialContext(t.Context(), "tcp", ln.Addr().String()); err == nil {
		t.Fatal("the port is open after the end")
	}
}

func TestIdleAndSlowConnectionsAreClosed(t *testing.T) {
	for _, row := range []struct {
		name, send string
		want       time.Duration
	}{
		{"a header that does not come", "", sideport.HeaderTimeout},
		{"a header that does not end", "GET / HTTP/1.1\r\n", sideport.HeaderTimeout},
		{"nothing after an answer", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", sideport.IdleTimeout},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStreet()
				serve(t, s, sideport.Config{Source: source(t)})
				conn, _ := s.visit(t)
				start := time.Now()
				go io.WriteString(conn, row.send)
				io.Copy(io.Discard, conn)
				testkit.Equal(t, time.Since(start), row.want)
			})
		})
	}
}

func TestHeaderLimit(t *testing.T) {
	const frame = "GET /fingerprint HTTP/1.1\r\nHost: x\r\nX: \r\n\r\n"
	for _, row := range []struct{ size, status int }{{sideport.MaxHeader, 200}, {sideport.MaxHeader + 1, 431}} {
		synctest.Test(t, func(t *testing.T) {
			s := newStreet()
			serve(t, s, sideport.Config{Source: source(t)})
			conn, _ := s.visit(t)
			go io.WriteString(conn, strings.Replace(frame, "X: ", "X: "+strings.Repeat("y", row.size-len(frame)), 1))
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			testkit.NoErr(t, err)
			resp.Body.Close()
			testkit.Equal(t, resp.StatusCode, row.status)
		})
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreet()
		serve(t, s, sideport.Config{Source: source(t)})
		var first net.Conn
		for i := range sideport.MaxConns {
			conn, ok := s.visit(t)
			if !ok {
				t.Fatalf("connection %d is not served", i)
			}
			if i == 0 {
				first = conn
			}
		}
		if _, ok := s.visit(t); ok {
			t.Fatal("more connections are served than the limit says")
		}
		first.Close()
		if _, ok := s.visit(t); !ok {
			t.Fatal("the place of a closed connection is not given to another")
		}
	})
}

func TestTheEndWaitsForAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreet()
		entered := make(chan struct{})
		end := serve(t, s, sideport.Config{Source: source(t), Pages: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(entered)
			time.Sleep(500 * time.Millisecond)
			io.WriteString(w, "done")
		})})
		conn, _ := s.visit(t)
		go func() {
			<-entered
			_ = end()
		}()
		testkit.Equal(t, get(t, conn, "/slow"), "done")
		testkit.NoErr(t, end())
	})
}

func TestTheEndDoesNotWaitForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreet()
		entered := make(chan struct{})
		end := serve(t, s, sideport.Config{Source: source(t), Pages: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
		})})
		conn, _ := s.visit(t)
		go io.WriteString(conn, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
		<-entered
		silent, _ := s.visit(t) // has not asked for anything yet
		testkit.NoErr(t, end())
		_, err := silent.Read(make([]byte, 1))
		testkit.ErrIs(t, err, io.EOF)
	})
}

// broken is a listener that fails.
type broken struct{ *street }

var errBroken = errors.New("broken")

func (broken) Accept() (net.Conn, error) { return nil, errBroken }

func TestAFaultOfTheListenerIsReported(t *testing.T) {
	testkit.ErrIs(t, sideport.Serve(t.Context(), broken{newStreet()}, sideport.Config{Source: source(t)}), errBroken)
}
