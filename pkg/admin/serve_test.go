package admin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
)

func TestIdleAndSlowConnectionsAreClosed(t *testing.T) {
	for _, row := range []struct {
		name, send string
		want       time.Duration
	}{
		{"a header that does not come", "", HeaderTimeout},
		{"a header that does not end", "GET / HTTP/1.1\r\n", HeaderTimeout},
		{"a body that does not come", "PUT /v1/log-level HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", ReadTimeout},
		{"a body that nobody wants", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", ReadTimeout},
		{"nothing after an answer", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", IdleTimeout},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serveWorld(t, newWorld())
				conn := s.street.visit(t)
				start := time.Now()
				go io.WriteString(conn, row.send)
				_, _ = io.Copy(io.Discard, conn)
				if took := time.Since(start); took < row.want || took > row.want+time.Second {
					t.Errorf("closed after %v, want %v", took, row.want)
				}
			})
		})
	}
}

func TestHeaderLimit(t *testing.T) {
	const frame = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: \r\n\r\n"
	for _, row := range []struct{ size, status int }{{MaxHeader, 200}, {MaxHeader + 1, 431}} {
		synctest.Test(t, func(t *testing.T) {
			conn := serveWorld(t, newWorld()).street.visit(t)
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
		s := serveWorld(t, newWorld())
		first := s.street.visit(t)
		for range MaxConns - 1 {
			s.street.visit(t)
		}
		synctest.Wait()
		_, waits := net.Pipe()
		defer waits.Close()
		select {
		case s.street.conns <- waits:
			t.Fatal("more connections are served than the limit says")
		default:
		}
		first.Close()
		s.street.visit(t) // waits until there is a place
	})
}

func TestTheEndWaitsForAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered := make(chan struct{})
		s := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(entered)
			time.Sleep(farewell / 2)
			io.WriteString(w, "done")
		}))
		conn := s.street.visit(t)
		go func() {
			<-entered
			s.end()
		}()
		go io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		testkit.NoErr(t, err)
		testkit.Equal(t, string(testkit.Must(io.ReadAll(resp.Body))(t)), "done")
	})
}

// broken is a listener that fails.
type broken struct{ *street }

var errBroken = errors.New("broken")

func (broken) Accept() (net.Conn, error) { return nil, errBroken }

func TestAFaultOfTheListenerIsReported(t *testing.T) {
	testkit.ErrIs(t, Serve(t.Context(), broken{newStreet()}, nil, http.NotFoundHandler(), nil), errBroken)
}

func TestServeOnASocket(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	path, err := SocketPath("4433")
	testkit.NoErr(t, err)
	ln, err := ListenSocket(path)
	testkit.NoErr(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Serve(ctx, ln, nil, handler(newWorld(), everybody), nil) }()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://any.name/healthz", nil)
	testkit.NoErr(t, err)
	resp, err := transport.RoundTrip(r)
	testkit.NoErr(t, err)
	resp.Body.Close()
	testkit.Equal(t, resp.StatusCode, http.StatusOK)
	cancel()
	testkit.NoErr(t, <-ended)
	testkit.Equal(t, len(Sockets()), 0)
}
