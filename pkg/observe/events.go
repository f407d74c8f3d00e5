package observe

import (
	"context"
	"sync"
	"time"
)

// Event is something that happened once: a session came, a track ended, a log
// record was written.
type Event struct {
	Number  uint64            `json:"number"` // counts up from 1
	Time    time.Time         `json:"time"`
	Level   string            `json:"level"` // "debug", "info", "warn", "error"
	Kind    string            `json:"kind"`  // one of the kinds below
	Session string            `json:"session,omitempty"`
	Track   string            `json:"track,omitempty"` // TrackState.ID
	Text    string            `json:"text"`
	Detail  map[string]string `json:"detail,omitempty"`
}

// The kinds of events.
const (
	KindSession   = "session"
	KindTrack     = "track"
	KindNamespace = "namespace"
	KindFetch     = "fetch"
	KindRequest   = "request" // one that was refused
	KindSlow      = "slow"    // a subscriber was too slow
	KindRelay     = "relay"
	KindLog       = "log" // a log record of no other kind
)

// Sizes of a Ring and of what is kept in it.
const (
	// DefaultEvents is how many events a Ring keeps if it is not told.
	DefaultEvents = 4096
	// MaxEventText is how many bytes Text and each value of Detail may have; the
	// rest is cut off.
	MaxEventText = 1024
	// MaxEventDetails is how many entries of Detail are kept of a log record.
	MaxEventDetails = 32
	// EventBatch is how many events Events returns at most.
	EventBatch = 1024
)

// Ring keeps the newest events. Writing never waits for readers: who reads too
// slowly is told how many it has missed. Its methods may be called from any
// goroutine and under any lock.
type Ring struct {
	mu     sync.Mutex
	size   int
	events []Event       // grows to size, then the oldest is overwritten
	next   uint64        // number of the next event
	turn   chan struct{} // closed when an event comes; nil while nobody waits
}

// NewRing returns a ring for n events; 0 is DefaultEvents.
func NewRing(n int) *Ring {
	if n <= 0 {
		n = DefaultEvents
	}
	return &Ring{size: n, next: 1}
}

// Add gives the event its number and keeps it. An event without a time gets the
// present one.
func (r *Ring) Add(e Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Text = cut(e.Text)
	for k, v := range e.Detail {
		if len(v) > MaxEventText {
			e.Detail[k] = cut(v)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Number = r.next
	r.next++
	if len(r.events) < r.size {
		r.events = append(r.events, e)
	} else {
		r.events[r.place(e.Number)] = e
	}
	if r.turn != nil {
		close(r.turn)
		r.turn = nil
	}
}

// cut shortens a text to what is kept of it.
func cut(s string) string {
	if len(s) <= MaxEventText {
		return s
	}
	return s[:MaxEventText]
}

// place returns where the event of a number is, or will be.
func (r *Ring) place(number uint64) int { return int((number - 1) % uint64(r.size)) }

// Last returns the number of the newest event, 0 before the first.
func (r *Ring) Last() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next - 1
}

// Events returns what happened after the event of a number, oldest first and at
// most EventBatch of it, and waits for one if nothing did. Skipped says how many
// are not kept any more. A number that was not given yet is of a relay before this
// one: then everything is new.
func (r *Ring) Events(ctx context.Context, after uint64) (events []Event, skipped uint64, err error) {
	for {
		r.mu.Lock()
		events, skipped = r.since(after)
		if len(events) > 0 {
			r.mu.Unlock()
			return events, skipped, nil
		}
		if r.turn == nil {
			r.turn = make(chan struct{})
		}
		turn := r.turn
		r.mu.Unlock()
		select {
		case <-turn:
		case <-ctx.Done():
			return nil, 0, context.Cause(ctx)
		}
	}
}

// since returns a copy of the events after a number. r.mu is held.
func (r *Ring) since(after uint64) (events []Event, skipped uint64) {
	if after >= r.next {
		after = 0
	}
	oldest := r.next - uint64(len(r.events))
	if after+1 < oldest {
		skipped, after = oldest-after-1, oldest-1
	}
	n := min(r.next-after-1, EventBatch)
	if n == 0 {
		return nil, 0
	}
	events = make([]Event, n)
	for i := range events {
		events[i] = r.events[r.place(after+1+uint64(i))]
	}
	return events, skipped
}
