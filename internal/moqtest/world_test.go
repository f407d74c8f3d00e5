package moqtest

import (
	"context"
	"crypto/tls"
	"sync"
	"testing"
	"testing/synctest"

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
	protocol string         // what clients speak
	kind     transport.Kind // of the connections
	results  []Result       // of Run
	serve    func(context.Context, session.Conn)

	mu    sync.Mutex
	links []transport.Conn // both ends of each
}

// inWorld calls f in a world with a relay of ours.
func inWorld(t *testing.T, f func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := relay.New(relay.Config{})
		w := &world{protocol: session.Protocols()[0], kind: transport.QUIC, serve: func(ctx context.Context, c session.Conn) { _ = r.Serve(ctx, c) }}
		ctx, stop := context.WithCancel(t.Context())
		w.cfg = Config{
			Target:  dial.Target{Scheme: dial.SchemeMoQT, Host: "relay", Port: "4443", Authority: "relay:4443"},
			Dial:    dial.Options{Connect: func(context.Context, string, *tls.Config) (transport.Conn, error) { return w.connect(ctx), nil }},
			Publish: true, Drops: DefaultDrops, Parallel: atATime,
			Done: func(r Result) { w.results = append(w.results, r) },
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

// atATime keeps the number of goroutines below the 256 of which the race detector
// can follow each without taking turns, in which it has failed by itself: CHECK
// failed in tsan_rtl.cpp. On virtual time it costs nothing.
const atATime = 2

// connect opens a connection to the relay.
func (w *world) connect(ctx context.Context) transport.Conn {
	a, b := memtr.Pair(memtr.WithProtocol(w.protocol), memtr.WithKind(w.kind))
	w.mu.Lock()
	w.links = append(w.links, a, b)
	w.mu.Unlock()
	w.work.Go(func() { w.serve(ctx, b) })
	return a
}
