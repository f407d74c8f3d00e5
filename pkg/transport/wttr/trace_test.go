package wttr_test

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
)

// names counts the events of a trace.
type names struct {
	mu     sync.Mutex
	events map[string]int
	closed int
}

func (n *names) Event(name string, _ func(io.Writer, time.Time) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events[name]++
}

func (n *names) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed++
}

// TestTrace: a session is in the trace of its QUIC connection, with HTTP/3, and
// the trace ends with it on both sides.
func TestTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		sides := map[bool]*names{}
		w := connect(t, quictr.Options{Trace: func(s transport.TraceStart) transport.Trace {
			mu.Lock()
			defer mu.Unlock()
			sides[s.Client] = &names{events: map[string]int{}}
			return sides[s.Client]
		}}, testkit.Link{}, testkit.Link{})
		testkit.Equal(t, w.client.(transport.Traced).Trace() == transport.Trace(sides[true]), true)
		testkit.Equal(t, w.server.(transport.Traced).Trace() == transport.Trace(sides[false]), true)
		testkit.NoErr(t, w.client.CloseWithError(0, ""))
		<-w.server.Context().Done()
		testkit.NoErr(t, w.server.CloseWithError(0, ""))
		synctest.Wait()
		for client, n := range sides {
			n.mu.Lock()
			for _, want := range []string{"transport:packet_sent", "transport:connection_closed", "http3:frame_created", "http3:frame_parsed"} {
				if n.events[want] == 0 {
					t.Errorf("client %v: no %s", client, want)
				}
			}
			testkit.Equal(t, n.closed, 1)
			n.mu.Unlock()
		}
	})
}
