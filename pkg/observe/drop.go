package observe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
)

// DropReason says why an object was not delivered to a subscriber that asked
// for it.
type DropReason uint8

// The reasons.
const (
	DropTimeout      DropReason = iota // its delivery timeout passed (section 8)
	DropSkipped                        // the subscriber was moved on to a newer group
	DropEvicted                        // it left the log before the subscriber got to it
	DropTorn                           // the publisher reset the stream within or before it
	DropRefused                        // the subscriber sent STOP_SENDING
	DropCancelled                      // the subscription changed or ended
	DropDatagramFull                   // the datagram queue had no room
	DropDatagramSize                   // too large for a datagram on this path
	DropUnencodable                    // the subscriber's draft cannot express it
	DropPurged                         // it was purged from outside before the subscriber got to it
	dropReasons
)

// DropReasons is the number of reasons, all of them below it.
const DropReasons = int(dropReasons)

var dropNames = [DropReasons]struct{ words, label string }{
	DropTimeout: {"delivery timeout", "timeout"}, DropSkipped: {"skipped to a newer group", "skipped"},
	DropEvicted: {"evicted", "evicted"}, DropTorn: {"torn by the publisher", "torn"},
	DropRefused: {"refused by the subscriber", "refused"}, DropCancelled: {"cancelled", "cancelled"},
	DropDatagramFull: {"datagram queue full", "datagram_full"}, DropDatagramSize: {"too large for a datagram", "datagram_size"},
	DropUnencodable: {"not expressible in the draft", "unencodable"}, DropPurged: {"purged", "purged"},
}

// String returns a few plain words.
func (r DropReason) String() string {
	if int(r) < len(dropNames) {
		return dropNames[r].words
	}
	return fmt.Sprintf("DropReason(%d)", uint8(r))
}

// Label returns one word of small letters and underscores, for JSON and metrics.
func (r DropReason) Label() string {
	if int(r) < len(dropNames) {
		return dropNames[r].label
	}
	return "unknown"
}

// Drops counts dropped objects by reason.
type Drops [DropReasons]atomic.Uint64

// Snapshot returns a copy.
func (d *Drops) Snapshot() (s DropCounts) {
	for i := range d {
		s[i] = d[i].Load()
	}
	return s
}

// DropCounts is a copy of Drops, indexed by DropReason. In JSON it is an object of
// what is not zero, by Label.
type DropCounts [DropReasons]uint64

// Total returns the sum over all reasons.
func (c DropCounts) Total() (n uint64) {
	for _, v := range c {
		n += v
	}
	return n
}

// Merge adds what o counts.
func (c *DropCounts) Merge(o DropCounts) {
	for i, n := range o {
		c[i] += n
	}
}

// MarshalJSON writes {"timeout":3}.
func (c DropCounts) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, n := range c {
		if n == 0 {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, DropReason(i).Label())
		b = strconv.AppendUint(append(b, ':'), n, 10)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote. Reasons that it does not know, of a
// relay that is newer, it leaves out.
func (c *DropCounts) UnmarshalJSON(b []byte) error {
	*c = DropCounts{}
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	var all map[string]uint64
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	for i := range c {
		c[i] = all[DropReason(i).Label()]
	}
	return nil
}
