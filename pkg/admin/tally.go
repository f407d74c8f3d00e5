package admin

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"oxymoq/pkg/observe"
)

// DefaultTracks is how many tracks have metrics of their own, unless a Config says
// otherwise: with about ten series each that is little for Prometheus.
const DefaultTracks = 100

// maxLabel is how many bytes of a track's name are a label; names may have thousands.
const maxLabel = 160

// otherTracks is the label of what tracks did together that have none. No track has
// this name: every full name has "--" in it.
const otherTracks = "other"

// counts are the counters of a track that have metrics.
type counts [5]uint64

// The places in counts.
const (
	objectsIn = iota
	bytesIn
	objectsOut
	bytesOut
	dropped
)

func countsOf(t *observe.TrackState) counts {
	c := &t.Counters
	return counts{objectsIn: c.ObjectsIn, bytesIn: c.BytesIn, objectsOut: c.ObjectsOut, bytesOut: c.BytesOut, dropped: c.Dropped.Total()}
}

// series is a track, or all others, as it is shown.
type series struct {
	name, scope     string
	counts          counts
	subscribers     int
	bytes           int64
	lag             observe.Lag
	named, measured bool
}

// tally decides which tracks have series of their own and adds up the others, so
// that no series ever goes back: what one of the others did since the last look is
// added to them, and stays there when it ends or gets a place. A track that has a
// place keeps it while it is busy, since series that come and go are of no use;
// free places go to those that did most since the last look.
type tally struct {
	mu     sync.Mutex
	places int
	began  time.Time // of the relay whose tracks are known
	known  map[string]*seenTrack
	other  counts
}

// seenTrack is what was seen of a track, by its ID.
type seenTrack struct {
	last  counts
	delta counts // since the look before
	named bool
	there bool // at this look
}

// busy is how many bytes came and went since the look before.
func (k *seenTrack) busy() uint64 { return k.delta[bytesIn] + k.delta[bytesOut] }

func newTally(places int) *tally {
	return &tally{places: cmp.Or(places, DefaultTracks), known: map[string]*seenTrack{}}
}

// look takes a state and returns the series, by name, the others last.
func (t *tally) look(s *observe.State) []series {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !s.Relay.Began.Equal(t.began) {
		t.began, t.known, t.other = s.Relay.Began, map[string]*seenTrack{}, counts{}
	}
	t.note(s.Tracks)
	t.choose(s.Tracks)
	rest := series{name: otherTracks}
	var all []series
	for i := range s.Tracks {
		track := &s.Tracks[i]
		k := t.known[track.ID]
		if !k.named {
			for c, n := range k.delta {
				t.other[c] += n
			}
			rest.subscribers += track.Subscribers
			rest.bytes += track.Counters.LogBytes
			continue
		}
		all = append(all, series{
			name: label(track), scope: track.Scope, counts: k.last, subscribers: track.Subscribers,
			bytes: track.Counters.LogBytes, lag: track.Lag, named: true, measured: track.Lag.Objects > 0,
		})
	}
	slices.SortFunc(all, func(a, b series) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.scope, b.scope))
	})
	rest.counts = t.other
	return append(all, rest)
}

// note takes the counters. t.mu is held.
func (t *tally) note(tracks []observe.TrackState) {
	for _, k := range t.known {
		k.there = false
	}
	for i := range tracks {
		k := t.known[tracks[i].ID]
		if k == nil {
			k = new(seenTrack)
			t.known[tracks[i].ID] = k
		}
		k.there = true
		now := countsOf(&tracks[i])
		for c := range now {
			k.delta[c] = now[c] - min(k.last[c], now[c]) // this state may be older than the last
			k.last[c] += k.delta[c]
		}
	}
	for id, k := range t.known {
		if !k.there {
			delete(t.known, id)
		}
	}
}

// choose gives away the places. t.mu is held.
func (t *tally) choose(tracks []observe.TrackState) {
	order := make([]*seenTrack, len(tracks))
	for i := range tracks {
		order[i] = t.known[tracks[i].ID]
	}
	slices.SortStableFunc(order, func(a, b *seenTrack) int {
		switch { // who has a place and is busy, then who is busy, then who has a place
		case (a.busy() > 0) != (b.busy() > 0):
			return first(a.busy() > 0)
		case a.named != b.named:
			return first(a.named)
		}
		return cmp.Compare(b.busy(), a.busy())
	})
	for i, k := range order {
		k.named = i < t.places
	}
}

func first(a bool) int {
	if a {
		return -1
	}
	return 1
}

// label is the name of a track in labels: short ones as they are, of long ones the
// beginning and the ID, which keeps it different from others.
func label(t *observe.TrackState) string {
	name := strings.ToValidUTF8(t.FullName, "�")
	if len(name) <= maxLabel {
		return name
	}
	return strings.ToValidUTF8(name[:maxLabel], "") + "…" + t.ID
}
