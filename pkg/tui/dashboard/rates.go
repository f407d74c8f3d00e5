package dashboard

import (
	"math"
	"time"

	"oxymoq/pkg/observe"
)

// kept is how many rates of a track are kept for its sparkline.
const kept = 60

// series are the rates of one thing, in bits a second. What is not known yet is
// NaN.
type series struct {
	bytesIn, bytesOut uint64
	in, out           float64
	drops             uint64    // since the state before
	dropped           uint64    // in all
	history           []float64 // of the busier direction, newest last
	known             bool
	seen              bool // in the newest state
}

// take notes counters at a time of seconds after those before; 0: the first.
func (s *series) take(in, out, dropped uint64, seconds float64) {
	s.in, s.out, s.drops = math.NaN(), math.NaN(), 0
	if s.known && seconds > 0 {
		s.in, s.out = rate(s.bytesIn, in, seconds), rate(s.bytesOut, out, seconds)
		s.drops = dropped - min(s.dropped, dropped)
		s.history = append(s.history, max(s.in, s.out))
		if len(s.history) > kept {
			s.history = append(s.history[:0], s.history[len(s.history)-kept:]...)
		}
	}
	s.bytesIn, s.bytesOut, s.dropped, s.known, s.seen = in, out, dropped, true, true
}

// rate returns bits a second; counters that went back began anew.
func rate(before, now uint64, seconds float64) float64 {
	if now < before {
		return 0
	}
	return float64(now-before) * 8 / seconds
}

// rates are those of everything in a State.
type rates struct {
	at               time.Time // of the newest state
	began            time.Time // of its relay
	relay            series
	in, out          []float64 // of the relay, newest last
	tracks, sessions map[string]*series
	readers          map[string]*series // of the track that is open, by session
}

func newRates() *rates {
	return &rates{tracks: map[string]*series{}, sessions: map[string]*series{}, readers: map[string]*series{}}
}

// take notes a state. One that is not newer changes nothing, and that of another
// run of the relay begins anew.
func (r *rates) take(s *observe.State) {
	if !r.began.Equal(s.Relay.Began) {
		*r = *newRates()
		r.began = s.Relay.Began
	}
	if !s.Time.After(r.at) {
		return
	}
	seconds := 0.0
	if !r.at.IsZero() {
		seconds = s.Time.Sub(r.at).Seconds()
	}
	r.at = s.Time
	for i := range s.Tracks {
		c := &s.Tracks[i].Counters
		of(r.tracks, s.Tracks[i].ID).take(c.BytesIn, c.BytesOut, c.Dropped.Total(), seconds)
	}
	for _, x := range s.Sessions {
		of(r.sessions, x.ID).take(x.Counters.BytesIn, x.Counters.BytesOut, 0, seconds)
	}
	forget(r.tracks)
	forget(r.sessions)
	r.relay.take(s.Totals.BytesIn, s.Totals.BytesOut, s.Totals.Dropped.Total(), seconds)
	if !math.IsNaN(r.relay.in) {
		r.in, r.out = pushed(r.in, r.relay.in), pushed(r.out, r.relay.out)
	}
}

// takeReaders notes the subscribers of the track that is open.
func (r *rates) takeReaders(d *observe.TrackDetail, seconds float64) {
	for _, s := range d.Subscriptions {
		of(r.readers, s.Session).take(0, s.Counters.BytesOut, s.Counters.Dropped.Total(), seconds)
	}
	forget(r.readers)
}

func pushed(history []float64, v float64) []float64 {
	history = append(history, v)
	if len(history) > kept {
		history = append(history[:0], history[len(history)-kept:]...)
	}
	return history
}

// of returns the series of an ID, which is made if it is not there.
func of(all map[string]*series, id string) *series {
	s := all[id]
	if s == nil {
		s = &series{in: math.NaN(), out: math.NaN()}
		all[id] = s
	}
	return s
}

// get returns the series of an ID, empty if it is not there.
func get(all map[string]*series, id string) *series {
	if s := all[id]; s != nil {
		return s
	}
	return &series{in: math.NaN(), out: math.NaN()}
}

// forget drops what is not in the newest state.
func forget(all map[string]*series) {
	for id, s := range all {
		if !s.seen {
			delete(all, id)
			continue
		}
		s.seen = false
	}
}
