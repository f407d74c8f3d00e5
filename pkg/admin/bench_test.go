package admin

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/observe"
)

// crowd is a relay with 1,000 tracks and 200 sessions.
func crowd() *world {
	w := newWorld()
	w.state.Tracks, w.state.Sessions = nil, nil
	for i := range 1000 {
		t := track(fmt.Sprint(i), fmt.Sprintf("live-room-%d--video", i), "live")
		t.Counters, t.Lag = observe.TrackSnapshot{ObjectsIn: uint64(i) * 1e6, BytesIn: uint64(i) * 1e9, ObjectsOut: uint64(i) * 1e7}, w.state.Lag
		w.state.Tracks = append(w.state.Tracks, t)
	}
	for i := range 200 {
		w.state.Sessions = append(w.state.Sessions, observe.SessionState{ID: fmt.Sprint(i), Remote: "192.0.2.1:4000", Transport: "quic", Draft: "18", Began: began})
	}
	return w
}

// BenchmarkAnswers is what an answer costs the process of the relay, beyond asking
// the relay, if nobody else asked within Freshness.
func BenchmarkAnswers(b *testing.B) {
	for _, path := range []string{"/v1/state", "/metrics", "/state"} {
		b.Run(path[1:], func(b *testing.B) {
			api := New(Config{Source: crowd()})
			h, size := api.Handler(everybody), 0
			b.ReportAllocs()
			for b.Loop() {
				api.newest.forget()
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), "GET", "http://localhost"+path, nil))
				testkit.Equal(b, w.Code, 200)
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
