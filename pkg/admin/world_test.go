package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/observe"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is a relay as a test tells it.
type world struct {
	*observe.Ring
	mu     sync.Mutex
	state  observe.State
	tracks map[string]*observe.TrackDetail
	asked  int    // for the state
	err    error  // of everything
	did    string // what was ordered last
}

var began = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func newWorld() *world {
	w := &world{Ring: observe.NewRing(8), tracks: map[string]*observe.TrackDetail{}}
	w.state = observe.State{
		Time: began.Add(time.Minute), Relay: observe.Identity{Name: "eu-1", Version: "v1", Addresses: []string{"moqt://localhost:9668"}, Drafts: []string{"18"}, Began: began},
		Counters: observe.RelaySnapshot{SessionsTotal: 7, Sessions: 2, TracksTotal: 3, Tracks: 2, FetchHits: 5, FetchMisses: 2},
		Totals: observe.Totals{
			ObjectsIn: 100, BytesIn: 1000, ObjectsOut: 300, BytesOut: 3300, RequestsIn: 9, Refused: 1,
			Dropped: observe.DropCounts{observe.DropTimeout: 4, observe.DropEvicted: 1},
			Delays:  histogram(time.Millisecond, 20*time.Millisecond, 3*time.Minute),
		},
		Cache: observe.CacheState{Bytes: 4000, Budget: 1 << 20, Groups: 4, Tracks: 1},
		Lag:   observe.Lag{Objects: 3, P50: time.Millisecond, P95: 2 * time.Millisecond, P99: 3 * time.Millisecond, Max: 4 * time.Millisecond},
		Sessions: []observe.SessionState{
			{ID: "7f3a", Remote: "192.0.2.1:4000", Transport: "quic", Draft: "18", Role: "pub", Began: began, Link: observe.LinkQuality{RTT: 20 * time.Millisecond, PacketsSent: 100, PacketsLost: 2}},
			{ID: "81b0", Remote: "192.0.2.2:4000", Transport: "wt", Draft: "18", Role: "sub", Began: began, Link: observe.LinkQuality{RTT: 40 * time.Millisecond, PacketsSent: 100}},
		},
		Spaces: []observe.NamespaceState{{Fields: []string{"live", "cam1"}, Name: "live-cam1", Publishers: []string{"7f3a"}, Watchers: []string{}, Tracks: 2}},
		Tracks: []observe.TrackState{track("1", "live-cam1--video", "live"), track("2", "live-cam1--audio", "idle")},
		Links:  []observe.LinkState{{URL: "moqt://root.example", State: "up", RTT: 5 * time.Millisecond, Prefixes: []string{}}},
	}
	video := &w.state.Tracks[0]
	video.Namespace, video.Name, video.Publishers = []string{"live", "cam1"}, "video", []string{"7f3a"}
	video.Largest, video.Newest, video.Subscribers = &observe.Location{Group: 12, Object: 3}, w.state.Time.Add(-250*time.Millisecond), 1
	video.Lag = w.state.Lag
	video.Counters = observe.TrackSnapshot{ObjectsIn: 100, BytesIn: 1000, Groups: 4, ObjectsOut: 300, BytesOut: 3300, LogBytes: 4000, LogGroups: 4, Subscribers: 1, Dropped: observe.DropCounts{observe.DropTimeout: 4}}
	w.tracks["1"] = &observe.TrackDetail{
		TrackState: *video, Time: w.state.Time, Order: "ascending", Properties: []observe.PropertyState{},
		Sources:       []observe.PublisherState{{Session: "7f3a", Transport: "quic", Draft: "18", State: "sends", Pushed: true}},
		Groups:        []observe.GroupState{{ID: 12, Objects: 3, Last: 3, Bytes: 1000, Subgroups: 1, Missing: 1, Holes: []observe.Hole{{From: 1, To: 1}}, Began: began}},
		Subscriptions: []observe.SubscriberState{{Session: "81b0", Transport: "wt", Draft: "18", State: "served", Forward: true, Order: "ascending", Range: "12/0-"}},
		Objects:       []observe.ObjectState{{Number: 1, Location: observe.Location{Group: 12}, Status: "normal", Size: 3, Peek: []byte("abc"), Properties: []observe.PropertyState{}, Arrived: began}},
	}
	w.tracks["2"] = &observe.TrackDetail{TrackState: w.state.Tracks[1], Time: w.state.Time}
	return w
}

func track(id, name, state string) observe.TrackState {
	return observe.TrackState{ID: id, Namespace: []string{}, FullName: name, State: state, Began: began, Publishers: []string{}}
}

func histogram(delays ...time.Duration) observe.Histogram {
	var d observe.Delays
	for _, one := range delays {
		d.Add(one, 1)
	}
	c := d.Counts()
	return c.Histogram()
}

func (w *world) State(context.Context) (*observe.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if w.err != nil {
		return nil, w.err
	}
	s := w.state
	return &s, nil
}

func (w *world) Track(_ context.Context, id string) (*observe.TrackDetail, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return nil, w.err
	}
	d, ok := w.tracks[id]
	if !ok {
		return nil, observe.ErrNoTrack
	}
	return d, nil
}

// order notes what was ordered.
func (w *world) order(known bool, unknown error, words ...string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if !known {
		return unknown
	}
	w.did = strings.Join(words, " ")
	return nil
}

func (w *world) Kick(_ context.Context, session, reason string) error {
	return w.order(session == "7f3a" || session == "a/b", observe.ErrNoSession, "kick", session, reason)
}

func (w *world) Purge(_ context.Context, id string) error {
	return w.order(id == "1", observe.ErrNoTrack, "purge", id)
}

func (w *world) Drain(_ context.Context, uri string, within time.Duration) error {
	return w.order(within > 0, observe.ErrRemain, "drain", uri, within.String())
}

// levels is the level of a log.
type levels struct{ level string }

func (l *levels) Level() string { return l.level }
func (l *levels) SetLevel(s string) error {
	if s == "LOUD" {
		return errors.New(`"LOUD" is no level`)
	}
	l.level = s
	return nil
}

// everybody may do everything, by any name.
var everybody = Access{Open: Control, AnyHost: true}

func handler(w *world, access Access) http.Handler {
	return New(Config{Source: w, Control: w, Levels: &levels{"INFO"}}).Handler(access)
}

// ask makes a request; header are pairs.
func ask(t *testing.T, h http.Handler, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://localhost"+path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	resp := w.Result()
	defer resp.Body.Close()
	return resp, string(testkit.Must(io.ReadAll(resp.Body))(t))
}

// problem reads the body of a refusal and checks that its message is a sentence.
func problem(t *testing.T, resp *http.Response, body string) Problem {
	t.Helper()
	var p Problem
	testkit.NoErr(t, json.Unmarshal([]byte(body), &p))
	testkit.Equal(t, resp.Header.Get("Content-Type"), "application/json")
	if p.Code == "" || !strings.HasSuffix(p.Message, ".") || p.Message[:1] != strings.ToUpper(p.Message[:1]) {
		t.Fatalf("no sentence: %q", body)
	}
	return p
}
