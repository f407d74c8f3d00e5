package clients

import (
	"bytes"
	"sync"
	"time"
)

// What is kept of the objects that have come.
const (
	// MaxRows is how many rows are kept.
	MaxRows = 2000
	// MaxRowBytes is how much of a payload is kept.
	MaxRowBytes = 4096
)

// Row is an object as it came, or, if Note says something, a line between them.
type Row struct {
	Number uint64    `json:"number"` // from 1 on, as Rows counts
	At     time.Time `json:"arrival"`
	// Track is the name of the track where there may be several.
	Track    string `json:"track,omitempty"`
	Group    uint64 `json:"group"`
	Object   uint64 `json:"object"`
	Subgroup string `json:"subgroup,omitempty"` // a number, or "datagram"
	// Since is from when the object before came.
	Since *time.Duration `json:"since_ns,omitempty"`
	Past  bool           `json:"past,omitempty"` // published before the track was asked for
	Size  int            `json:"size"`           // of the payload, in bytes
	// Payload is as much of it as is kept.
	Payload    []byte   `json:"payload,omitempty"`
	Properties []string `json:"properties,omitempty"`
	Note       string   `json:"note,omitempty"`
	Wrong      bool     `json:"wrong,omitempty"` // the note is of something that is amiss
}

// Rows keeps the newest rows for a Text. Adding never waits for the screen. Its
// methods may be called from any goroutine. The zero value is empty.
type Rows struct {
	mu   sync.Mutex
	ring []Row // grows to MaxRows, then the oldest is overwritten
	next uint64
}

// Add keeps a row, of whose payload it makes a copy, and gives it its number.
func (r *Rows) Add(row Row) {
	row.Payload = bytes.Clone(row.Payload[:min(len(row.Payload), MaxRowBytes)])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	row.Number = r.next
	if len(r.ring) < MaxRows {
		r.ring = append(r.ring, row)
		return
	}
	r.ring[(row.Number-1)%MaxRows] = row
}

// After returns the rows after a number, and how many of those are not kept any
// more.
func (r *Rows) After(number uint64) (rows []Row, skipped uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	oldest := r.next - uint64(len(r.ring)) // the number before the oldest
	if number < oldest {
		skipped, number = oldest-number, oldest
	}
	for n := number; n < r.next; n++ {
		rows = append(rows, r.ring[n%MaxRows])
	}
	return rows, skipped
}
