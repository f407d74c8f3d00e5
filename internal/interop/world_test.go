package interop

import (
	"context"
	"crypto/tls"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is a relay in memory, on virtual time.
type world struct {
	work     sync.WaitGroup
	cfg      Config
	out      strings.Builder
	protocol string // what is negotiated; the first that is spoken unless a test says so

	mu    sync.Mutex
	links []transport.Conn // both ends of each
}

// inWorld calls f in a world whose relay serves each connection by serve, with
// the number of the connection, from 0.
func inWorld(t *testing.T, serve func(ctx context.Context, n int, c session.Conn), f func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{protocol: session.Protocols()[0]}
		ctx, stop := context.WithCancel(t.Context())
		w.cfg = Config{
			Target: dial.Target{Scheme: dial.SchemeMoQT, Host: "relay", Port: "4443", Authority: "relay:4443"},
			Dial: dial.Options{Connect: func(context.Context, string, *tls.Config) (transport.Conn, error) {
				a, b := memtr.Pair(memtr.WithProtocol(w.protocol))
				w.mu.Lock()
				n := len(w.links) / 2
				w.links = append(w.links, a, b)
				w.mu.Unlock()
				w.work.Go(func() { serve(ctx, n, b) })
				return a, nil
			}},
			Out: &w.out, Name: "moqinterop", Version: "v0.0.0",
		}
		defer func() {
			stop()
			for _, c := range w.links {
				memtr.Break(c, nil)
			}
			w.work.Wait()
		}()
		f(t, w)
	})
}

// honest serves a real relay.
func honest() func(context.Context, int, session.Conn) {
	r := relay.New(relay.Config{})
	return func(ctx context.Context, _ int, c session.Conn) { _ = r.Serve(ctx, c) }
}

// named returns one case.
func named(t *testing.T, name string) []Case {
	t.Helper()
	cases, err := Select([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// pass lets virtual time pass.
func pass(d time.Duration) { time.Sleep(d) }
