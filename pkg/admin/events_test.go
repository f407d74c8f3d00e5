package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/observe"
)

func happen(w *world, texts ...string) {
	for _, text := range texts {
		w.Add(observe.Event{Kind: observe.KindLog, Level: "info", Text: text, Time: began})
	}
}

// batchOf asks for events in one answer.
func batchOf(t *testing.T, h http.Handler, query string, header ...string) (e Events, texts string) {
	t.Helper()
	resp, body := ask(t, h, "GET", "/v1/events"+query, "", header...)
	testkit.Equal(t, resp.StatusCode, http.StatusOK)
	testkit.NoErr(t, json.Unmarshal([]byte(body), &e))
	testkit.Equal(t, resp.Header.Get(HeaderRun), e.Run)
	all := make([]string, len(e.Events))
	for i := range all {
		all[i] = e.Events[i].Text
	}
	return e, strings.Join(all, " ")
}

func TestEventsInOneAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		h := handler(w, everybody)
		e, texts := batchOf(t, h, "")
		testkit.Equal(t, texts, "")
		run := e.Run

		happen(w, "a", "b", "c")
		_, texts = batchOf(t, h, "?after=0")
		testkit.Equal(t, texts, "a b c")
		for _, row := range []struct{ query, id, texts string }{
			{"?after=2", "", "c"},
			{"?after=2&run=" + run, "", "c"},
			{"?after=2&run=another", "", "a b c"},
			{"", run + ".1", "b c"},
			{"", "another.1", "a b c"},
			{"", "2", "c"},
			{"?after=1", run + ".2", "c"}, // a browser that connects again repeats the query
			{"?after=99", "", "a b c"},    // of a relay before this one
		} {
			_, texts := batchOf(t, h, row.query, "Last-Event-ID", row.id)
			testkit.Equal(t, texts, row.texts)
		}

		for range 8 {
			happen(w, "x")
		}
		e, _ = batchOf(t, h, "?after=1")
		testkit.Equal(t, e.Skipped, uint64(2))
		testkit.Equal(t, len(e.Events), 8)
	})
}

func TestAnAnswerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		h := handler(w, everybody)
		start := time.Now()
		_, texts := batchOf(t, h, "?wait=20s")
		testkit.Equal(t, texts, "")
		testkit.Equal(t, time.Since(start), 20*time.Second)

		start = time.Now()
		time.AfterFunc(3*time.Second, func() { happen(w, "late") })
		_, texts = batchOf(t, h, "?wait=20s")
		testkit.Equal(t, texts, "late")
		testkit.Equal(t, time.Since(start), 3*time.Second)
	})
}

// served is an API on a network in memory, on virtual time.
type served struct {
	street *street
	end    func()
}

func serveWorld(t *testing.T, w *world) *served {
	t.Helper()
	return serveHandler(t, handler(w, everybody))
}

func serveHandler(t *testing.T, h http.Handler) *served {
	t.Helper()
	s := &served{street: newStreet()}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := Serve(ctx, s.street, nil, h, nil); err != nil {
			t.Error(err)
		}
	}()
	s.end = func() {
		cancel()
		<-ended
	}
	t.Cleanup(s.end)
	return s
}

// open sends a request and returns the beginning of the answer.
func (s *served) open(t *testing.T, path string, header ...string) (net.Conn, *http.Response, *bufio.Reader) {
	t.Helper()
	conn := s.street.visit(t)
	request := "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n"
	for i := 0; i < len(header); i += 2 {
		request += header[i] + ": " + header[i+1] + "\r\n"
	}
	go io.WriteString(conn, request+"\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	testkit.NoErr(t, err)
	testkit.Equal(t, resp.StatusCode, http.StatusOK)
	return conn, resp, bufio.NewReader(resp.Body)
}

// line reads one line.
func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	s, err := r.ReadString('\n')
	testkit.NoErr(t, err)
	return strings.TrimSuffix(s, "\n")
}

// street is a listener without a network.
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

// visit returns a connection.
func (s *street) visit(t *testing.T) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	s.conns <- theirs
	return ours
}

func TestServerSentEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		happen(w, "a")
		s := serveWorld(t, w)
		_, resp, r := s.open(t, "/v1/events", "Accept", typeSSE)
		run := resp.Header.Get(HeaderRun)
		testkit.Equal(t, resp.Header.Get("Content-Type"), typeSSE)
		event := func(number int, text string) string {
			return fmt.Sprintf(`id: %s.%d|data: {"number":%d,"time":"2026-11-21T12:00:00Z","level":"info","kind":"log","text":%q}|`, run, number, number, text)
		}
		next := func() (block string) {
			for {
				l := line(t, r)
				if l == "" {
					return block
				}
				block += l + "|"
			}
		}
		testkit.Equal(t, next(), "retry: 2000|")
		testkit.Equal(t, next(), event(1, "a"))
		happen(w, "b", "c")
		testkit.Equal(t, next(), event(2, "b"))
		testkit.Equal(t, next(), event(3, "c"))
		start := time.Now()
		testkit.Equal(t, next(), ": alive|")
		testkit.Equal(t, time.Since(start), Heartbeat)
		time.Sleep(10 * ReadTimeout) // what limits requests does not limit streams; nobody reads meanwhile
		synctest.Wait()
	})
}

func TestLinesOfJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := serveWorld(t, w)
		for range 11 {
			happen(w, "x")
		}
		_, resp, r := s.open(t, "/v1/events?after=1", "Accept", typeNDJSON)
		testkit.Equal(t, resp.Header.Get("Content-Type"), typeNDJSON)
		testkit.Equal(t, line(t, r), `{"skipped":2}`)
		for n := range 8 {
			var e observe.Event
			testkit.NoErr(t, json.Unmarshal([]byte(line(t, r)), &e))
			testkit.Equal(t, e.Number, uint64(n+4))
		}
		start := time.Now()
		testkit.Equal(t, line(t, r), "")
		testkit.Equal(t, line(t, r), "")
		testkit.Equal(t, time.Since(start), 2*Heartbeat)
		happen(w, "y")
		testkit.Equal(t, strings.Contains(line(t, r), `"text":"y"`), true)
	})
}

// TestWhoDoesNotReadIsLeft: a stream to a client that takes nothing ends.
func TestWhoDoesNotReadIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := serveWorld(t, w)
		conn, _, r := s.open(t, "/v1/events", "Accept", typeSSE)
		testkit.Equal(t, line(t, r), "retry: 2000")
		for range 100 {
			happen(w, strings.Repeat("x", 1000))
			synctest.Wait()
		}
		time.Sleep(WriteTimeout + time.Second)
		synctest.Wait()
		_, err := io.Copy(io.Discard, conn) // what was on its way, and then the end
		testkit.NoErr(t, err)
	})
}

// TestStreamsEndWithTheServer: and at once.
func TestStreamsEndWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveWorld(t, newWorld())
		_, _, r := s.open(t, "/v1/events", "Accept", typeNDJSON)
		start := time.Now()
		go s.end()
		_, err := r.ReadString('\n')
		testkit.ErrIs(t, err, io.EOF)
		testkit.Equal(t, time.Since(start), time.Duration(0))
	})
}
