package observe

import (
	"fmt"
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
	dropReasons
)

// DropReasons is the number of reasons, all of them below it.
const DropReasons = int(dropReasons)

var dropNames = [DropReasons]string{
	DropTimeout: "delivery timeout", DropSkipped: "skipped to a newer group", DropEvicted: "evicted",
	DropTorn: "torn by the publisher", DropRefused: "refused by the subscriber", DropCancelled: "cancelled",
	DropDatagramFull: "datagram queue full", DropDatagramSize: "too large for a datagram",
	DropUnencodable: "not expressible in the draft",
}

// String returns a few plain words.
func (r DropReason) String() string {
	if int(r) < len(dropNames) {
		return dropNames[r]
	}
	return fmt.Sprintf("DropReason(%d)", uint8(r))
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

// DropCounts is a copy of Drops, indexed by DropReason.
type DropCounts [DropReasons]uint64

// Total returns the sum over all reasons.
func (c DropCounts) Total() (n uint64) {
	for _, v := range c {
		n += v
	}
	return n
}
