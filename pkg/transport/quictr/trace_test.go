package quictr_test

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
)

// notes is a trace in memory.
type notes struct {
	start transport.TraceStart

	mu     sync.Mutex
	names  []string
	bad    []string // events whose data is not JSON
	closed int
}

func (n *notes) Event(name string, encode func(io.Writer, time.Time) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names = append(n.names, name)
	var b bytes.Buffer
	if err := encode(&b, time.Now()); err != nil || !json.Valid(b.Bytes()) {
		n.bad = append(n.bad, name)
	}
}

func (n *notes) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed++
}

// TestTraceOfBothSides: both sides call the connection the same, tell of its
// packets and its end, and take no more for the end than that.
func TestTraceOfBothSides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var all []*notes
		tracer := func(s transport.TraceStart) transport.Trace {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, &notes{start: s})
			return all[len(all)-1]
		}
		w := connect(t, quictr.Options{Trace: tracer}, testkit.Link{Delay: 10 * time.Millisecond}, testkit.Link{Delay: 10 * time.Millisecond})
		testkit.Equal(t, len(all), 2)
		client, server := all[0], all[1]
		testkit.Equal(t, []bool{client.start.Client, server.start.Client}, []bool{true, false})
		testkit.Equal(t, server.start.ID, client.start.ID)
		if len(client.start.ID) < 16 || len(client.start.Schemas) != 2 {
			t.Errorf("begins as %+v", client.start)
		}
		for i, c := range []transport.Conn{w.client, w.server} {
			testkit.Equal(t, c.(transport.Traced).Trace() == transport.Trace(all[i]), true)
		}
		testkit.NoErr(t, w.client.CloseWithError(7, "over"))
		<-w.server.Context().Done()
		synctest.Wait()
		for _, n := range all {
			n.mu.Lock()
			if len(n.bad) > 0 {
				t.Errorf("no JSON in %q", n.bad)
			}
			for _, want := range []string{"transport:connection_started", "transport:packet_sent", "transport:packet_received", "transport:connection_closed"} {
				if !slices.Contains(n.names, want) {
					t.Errorf("no %s in the trace of the client (%v)", want, n.start.Client)
				}
			}
			testkit.Equal(t, n.closed, 1)
			n.mu.Unlock()
		}
	})
}

// TestTraceOfAFailedHandshake ends too.
func TestTraceOfAFailedHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, _ := dialer(t, nil, "10.0.0.1")
		n := &notes{}
		_, err := quictr.Dial(t.Context(), "10.0.0.1:4433", clientTLS("moqt-99"), quictr.Options{Via: tr, Trace: func(transport.TraceStart) transport.Trace { return n }})
		testkit.ErrIs(t, err, quictr.ErrNoProtocol)
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		testkit.Equal(t, n.closed, 1)
	})
}

// TestUntraced: who is not interested in a connection has no trace of it.
func TestUntraced(t *testing.T) {
	if (quictr.Options{}).QUIC().Tracer != nil {
		t.Error("quic-go is asked to build events")
	}
	for _, tracer := range []transport.Tracer{nil, func(transport.TraceStart) transport.Trace { return nil }} {
		synctest.Test(t, func(t *testing.T) {
			w := connect(t, quictr.Options{Trace: tracer}, testkit.Link{}, testkit.Link{})
			for _, c := range []transport.Conn{w.client, w.server} {
				if c.(transport.Traced).Trace() != nil {
					t.Error("there is a trace")
				}
			}
		})
	}
}
