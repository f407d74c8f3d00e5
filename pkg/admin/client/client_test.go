package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/admin"
	"oxymoq/pkg/admin/client"
	"oxymoq/pkg/observe"
)

func TestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		c := connect(t, w)
		s, err := c.State(t.Context())
		testkit.NoErr(t, err)
		testkit.Equal(t, *s, w.state)

		// Of a state that differs in its time only that alone is sent.
		time.Sleep(admin.Freshness)
		w.change(func(s *observe.State) { s.Time = s.Time.Add(time.Second) })
		later, err := c.State(t.Context())
		testkit.NoErr(t, err)
		testkit.Equal(t, *later, w.state)
		testkit.Equal(t, later.Time.Equal(s.Time), false)

		time.Sleep(admin.Freshness)
		w.change(func(s *observe.State) { s.Totals.BytesIn++ })
		later, err = c.State(t.Context())
		testkit.NoErr(t, err)
		testkit.Equal(t, *later, w.state)
	})
}

func TestEveryQuestionAndOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		c, ctx := connect(t, w), t.Context()
		d, err := c.Track(ctx, detail.ID)
		testkit.NoErr(t, err)
		testkit.Equal(t, d, detail)
		testkit.NoErr(t, c.Kick(ctx, "7f3a", "too loud"))
		testkit.NoErr(t, c.Purge(ctx, detail.ID))
		testkit.NoErr(t, c.Ready(ctx))
		testkit.NoErr(t, c.Drain(ctx, "moqt://other", time.Second))
		testkit.Equal(t, w.orders, []string{"kick 7f3a: too loud", "purge a/b?", "drain to moqt://other"})
		if err := c.Ready(ctx); err == nil || !strings.Contains(err.Error(), "takes no new ones") {
			t.Errorf("ready while it drains: %v", err)
		}

		start := time.Now()
		testkit.ErrIs(t, c.Drain(ctx, "", 5*time.Minute), observe.ErrRemain)
		testkit.Equal(t, time.Since(start), 5*time.Minute)

		level, err := c.LogLevel(ctx)
		testkit.NoErr(t, err)
		testkit.Equal(t, level, "INFO")
		testkit.NoErr(t, c.SetLogLevel(ctx, "WARN"))
		testkit.Equal(t, w.level, "WARN")
		if err := c.SetLogLevel(ctx, "LOUD"); err == nil || !strings.Contains(err.Error(), `"LOUD" is no level`) {
			t.Errorf("a level that is none: %v", err)
		}

		g, err := c.Access(ctx)
		testkit.NoErr(t, err)
		testkit.Equal(t, g.Scope, "control")
		testkit.Equal(t, g.Relay, "eu-1")
	})
}

func TestErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, ctx := connect(t, newWorld()), t.Context()
		_, err := c.Track(ctx, "none")
		testkit.ErrIs(t, err, observe.ErrNoTrack)
		testkit.ErrIs(t, c.Purge(ctx, "none"), observe.ErrNoTrack)
		testkit.ErrIs(t, c.Kick(ctx, "none", ""), observe.ErrNoSession)
		e := testkit.ErrAs[*client.Error](t, err)
		testkit.Equal(t, *e, client.Error{Status: 404, Code: admin.CodeNoTrack, Message: "There is no such track."})
		testkit.Equal(t, errors.Is(err, client.ErrDenied), false)

		stopped, cancel := context.WithCancelCause(ctx)
		mine := errors.New("enough")
		cancel(mine)
		_, err = c.State(stopped)
		testkit.ErrIs(t, err, mine)
	})
}

func TestTokens(t *testing.T) {
	const read = "0123456789abcdef"
	file := filepath.Join(t.TempDir(), "tokens")
	testkit.NoErr(t, os.WriteFile(file, []byte("read "+read), 0o600))
	tokens, err := admin.ReadTokens(file)
	testkit.NoErr(t, err)
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.serve(t, newWorld(), admin.Access{Tokens: tokens})
		for token, denied := range map[string]bool{"": true, "wrong": true, read: false} {
			c := n.client(t, token)
			_, err := c.State(t.Context())
			testkit.Equal(t, errors.Is(err, client.ErrDenied), denied)
			testkit.ErrIs(t, c.Kick(t.Context(), "7f3a", ""), client.ErrDenied)
		}
		g, err := n.client(t, read).Access(t.Context())
		testkit.NoErr(t, err)
		testkit.Equal(t, g.Scope, "read")
	})
}

func happen(w *world, texts ...string) {
	for _, text := range texts {
		w.Add(observe.Event{Kind: observe.KindLog, Level: "info", Text: text})
	}
}

func texts(events []observe.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprintf("%d:%s", e.Number, e.Text))
	}
	return strings.Join(all, " ")
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		n := newNetwork()
		n.serve(t, w, everybody)
		c := n.client(t, "")
		happen(w, "a", "b")
		events, skipped, err := c.Events(t.Context(), 0)
		testkit.NoErr(t, err)
		testkit.Equal(t, texts(events), "1:a 2:b")
		testkit.Equal(t, skipped, uint64(0))

		// It waits for longer than one request does.
		start := time.Now()
		time.AfterFunc(2*time.Minute, func() { happen(w, "c") })
		events, _, err = c.Events(t.Context(), 2)
		testkit.NoErr(t, err)
		testkit.Equal(t, texts(events), "3:c")
		testkit.Equal(t, time.Since(start), 2*time.Minute)

		// And for no longer than it may.
		for _, patience := range []time.Duration{0, 100 * time.Millisecond, 20 * time.Second} {
			start = time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			_, _, err = c.Events(ctx, 3)
			testkit.ErrIs(t, err, context.DeadlineExceeded)
			testkit.Equal(t, time.Since(start), patience)
			cancel()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		events, _, err = c.Events(ctx, 1) // there is no time to wait, and no need
		testkit.NoErr(t, err)
		testkit.Equal(t, texts(events), "2:b 3:c")
	})
}

// TestEventsAfterARestart: the numbers begin anew, and nothing is missed for that.
func TestEventsAfterARestart(t *testing.T) {
	for name, before := range map[string][]string{"more than before": {"A", "B", "C"}, "nothing yet": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, n := newWorld(), newNetwork()
				end := n.serve(t, w, everybody)
				c, err := client.New(client.Config{Address: "127.0.0.1", Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					return n.dial(ctx, network, address)
				}})
				testkit.NoErr(t, err)
				defer c.Close()
				happen(w, "a", "b")
				_, _, err = c.Events(t.Context(), 0)
				testkit.NoErr(t, err)
				end()
				_, _, err = c.Events(t.Context(), 2)
				if err == nil || !strings.Contains(err.Error(), "the relay at 127.0.0.1 does not answer: ") {
					t.Fatalf("error %v", err)
				}

				time.Sleep(time.Second)
				w, n = newWorld(), newNetwork()
				n.serve(t, w, everybody)
				happen(w, before...)
				if before == nil {
					time.AfterFunc(time.Minute, func() { happen(w, "A", "B", "C") })
				}
				events, _, err := c.Events(t.Context(), 2)
				testkit.NoErr(t, err)
				testkit.Equal(t, texts(events)[:3], "1:A")
			})
		})
	}
}

func TestAddresses(t *testing.T) {
	for _, bad := range []string{"", "unix:", "ftp://x", "http://", "http://x?y", "http://x#y", "http://me:secret@x", "http://a b", "://"} {
		_, err := client.New(client.Config{Address: bad})
		if err == nil || !strings.Contains(err.Error(), "address of an admin API") && !strings.Contains(err.Error(), "path of a socket") {
			t.Errorf("%q: error %v", bad, err)
		}
	}
	for _, good := range []string{"unix:/x", "/x", "http://x", "https://x:1/below/", "localhost:9670", "[::1]:1"} {
		c, err := client.New(client.Config{Address: good})
		testkit.NoErr(t, err)
		testkit.Equal(t, c.Address(), good)
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"unix:/x", "/x", "https://x:1/below/%2F", "localhost:9670", "[::1]:1", "http://me@x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		c, err := client.New(client.Config{Address: address, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody is there") }})
		if err != nil {
			return
		}
		if _, err := c.State(t.Context()); err == nil {
			t.Error("nobody answered")
		}
	})
}

// TestBelowAPath: a proxy may have put the API below a path.
func TestBelowAPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		paths := make(chan string, 1)
		n.serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			paths <- r.URL.EscapedPath()
			io.WriteString(w, "{}")
		}))
		c, err := client.New(client.Config{Address: "relay.example/eu%2F1/", Dial: n.dial})
		testkit.NoErr(t, err)
		defer c.Close()
		_, err = c.Track(t.Context(), "a/b?")
		testkit.NoErr(t, err)
		testkit.Equal(t, <-paths, "/eu%2F1/v1/tracks/a%2Fb%3F")
	})
}

func TestWhatIsNoRelay(t *testing.T) {
	for name, row := range map[string]struct {
		h    http.HandlerFunc
		want string
	}{
		"another server":   {http.NotFound, "answers as no relay of oxymoq does: 404 Not Found"},
		"a page":           {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, "cannot be read"},
		"half an answer":   {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"relay":{`) }, "cannot be read"},
		"another place":    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "302 Found"},
		"no end of spaces": {endless, "has more than 65536 bytes"},
		"a time that is none": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("ETag", `"x"`)
			io.WriteString(w, "{}")
		}, "does not tell the time"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				n.serveHandler(t, row.h)
				c := n.client(t, "0123456789abcdef")
				client.SetLowLimit(c)
				_, err := c.State(t.Context())
				if err == nil {
					_, err = c.State(t.Context())
				}
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Fatalf("error %v, want %q", err, row.want)
				}
			})
		})
	}
}

// endless sends more than a client takes.
func endless(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, strings.Repeat(" ", client.LowLimit+1))
}

func TestSocket(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	path, err := admin.SocketPath("4433")
	testkit.NoErr(t, err)
	ln, err := admin.ListenSocket(path)
	testkit.NoErr(t, err)
	w := newWorld()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	access := admin.Access{Open: admin.Control, AnyHost: true}
	go func() {
		ended <- admin.Serve(ctx, ln, nil, admin.New(admin.Config{Source: w, Control: w}).Handler(access), nil)
	}()
	for _, address := range []string{"unix:" + path, path} {
		c, err := client.New(client.Config{Address: address})
		testkit.NoErr(t, err)
		s, err := c.State(t.Context())
		testkit.NoErr(t, err)
		testkit.Equal(t, *s, w.state)
		c.Close()
	}
	cancel()
	testkit.NoErr(t, <-ended)
	c, err := client.New(client.Config{Address: path})
	testkit.NoErr(t, err)
	defer c.Close()
	if _, err := c.State(t.Context()); err == nil || !strings.Contains(err.Error(), "the relay at "+path+" does not answer: ") {
		t.Fatalf("error %v", err)
	}
}

func Example() {
	c, err := client.New(client.Config{Address: "unix:/run/user/1000/oxymoq/relay-9668.sock"})
	if err != nil {
		return
	}
	defer c.Close()
	fmt.Println(c.Address())
	// Output: unix:/run/user/1000/oxymoq/relay-9668.sock
}
