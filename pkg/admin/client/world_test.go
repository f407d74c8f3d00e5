package client_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/admin"
	"oxymoq/pkg/admin/client"
	"oxymoq/pkg/observe"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is a relay as a test tells it.
type world struct {
	*observe.Ring
	mu     sync.Mutex
	state  observe.State
	orders []string
	level  string
}

func newWorld() *world {
	began := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return &world{Ring: observe.NewRing(0), level: "INFO", state: observe.State{
		Time: began.Add(time.Minute), Relay: observe.Identity{Name: "eu-1", Addresses: []string{}, Drafts: []string{"18"}, Began: began},
		Totals:   observe.Totals{BytesIn: 17, Dropped: observe.DropCounts{observe.DropEvicted: 3}, Delays: observe.Histogram{Buckets: []observe.Bucket{}}},
		Sessions: []observe.SessionState{{ID: "7f3a", Began: began, Link: observe.LinkQuality{RTT: time.Second}}},
		Spaces:   []observe.NamespaceState{}, Tracks: []observe.TrackState{}, Links: []observe.LinkState{},
	}}
}

func (w *world) State(context.Context) (*observe.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.state
	return &s, nil
}

func (w *world) change(do func(*observe.State)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do(&w.state)
}

var detail = &observe.TrackDetail{
	TrackState: observe.TrackState{ID: "a/b?", Namespace: []string{}, FullName: "live--cam1", Publishers: []string{}, Largest: &observe.Location{Group: 1 << 61}},
	Properties: []observe.PropertyState{}, Sources: []observe.PublisherState{}, Groups: []observe.GroupState{}, Subscriptions: []observe.SubscriberState{},
	Objects: []observe.ObjectState{{Number: 1, Peek: []byte{0, 255}, Properties: []observe.PropertyState{}}},
}

func (w *world) Track(_ context.Context, id string) (*observe.TrackDetail, error) {
	if id != detail.ID {
		return nil, observe.ErrNoTrack
	}
	return detail, nil
}

func (w *world) order(known bool, unknown error, order string) error {
	if !known {
		return unknown
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.orders = append(w.orders, order)
	return nil
}

func (w *world) Kick(_ context.Context, session, reason string) error {
	return w.order(session == "7f3a", observe.ErrNoSession, "kick "+session+": "+reason)
}

func (w *world) Purge(_ context.Context, id string) error {
	return w.order(id == detail.ID, observe.ErrNoTrack, "purge "+id)
}

func (w *world) Drain(ctx context.Context, uri string, within time.Duration) error {
	w.change(func(s *observe.State) { s.Relay.Draining = true })
	if err := w.order(true, nil, "drain to "+uri); err != nil || within < time.Minute {
		return err
	}
	select {
	case <-time.After(within):
		return observe.ErrRemain
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w *world) Level() string { return w.level }
func (w *world) SetLevel(s string) error {
	if s == "LOUD" {
		return errors.New(`"LOUD" is no level`)
	}
	w.level = s
	return nil
}

// network leads to an admin API, without a network.
type network struct {
	conns  chan net.Conn
	closed chan struct{}
	once   *sync.Once
}

func newNetwork() network {
	return network{make(chan net.Conn), make(chan struct{}), new(sync.Once)}
}

func (n network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n network) Close() error   { n.once.Do(func() { close(n.closed) }); return nil }
func (n network) Addr() net.Addr { return &net.TCPAddr{} }

func (n network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case n.conns <- theirs:
		return ours, nil
	case <-n.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// everybody may do everything.
var everybody = admin.Access{Open: admin.Control}

// serve answers for a relay; end stops it.
func (n network) serve(t *testing.T, w *world, access admin.Access) (end func()) {
	t.Helper()
	return n.serveHandler(t, admin.New(admin.Config{Source: w, Control: w, Levels: w}).Handler(access))
}

func (n network) serveHandler(t *testing.T, h http.Handler) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := admin.Serve(ctx, n, nil, h, nil); err != nil {
			t.Error(err)
		}
	}()
	end = func() {
		cancel()
		<-ended
	}
	t.Cleanup(end)
	return end
}

// connect returns a client of a relay.
func connect(t *testing.T, w *world) *client.Client {
	t.Helper()
	n := newNetwork()
	n.serve(t, w, everybody)
	return n.client(t, "")
}

func (n network) client(t *testing.T, token string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{Address: "http://127.0.0.1:9670", Token: token, Dial: n.dial})
	testkit.NoErr(t, err)
	t.Cleanup(c.Close)
	return c
}
