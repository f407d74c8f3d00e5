package session

import (
	"errors"
	"slices"

	"oxymoq/pkg/wire"
)

// seenWindow is how many Request IDs beyond the first missing one are
// remembered singly; a peer that skips more loses the right to use the gap.
const seenWindow = 4096

var (
	errParity      = errors.New("request ID has the parity of the other side")
	errDuplicateID = errors.New("request ID was used before")
)

// requestIDs hands out our Request IDs and checks the peer's (section 10.1).
// Streams overtake each other, so IDs may arrive in any order; only parity and
// uniqueness are checked. What drafts up to 16 demand besides stands in credit.go.
// Guarded by Session.mu.
type requestIDs struct {
	next  uint64          // ours
	odd   uint64          // 1 if the peer's IDs are odd
	base  uint64          // every ID of the peer below it counts as used
	top   uint64          // the ID after the largest that was used
	above map[uint64]bool // used ones from base on
}

func newRequestIDs(role wire.Role) requestIDs {
	ids := requestIDs{above: map[uint64]bool{}}
	if role == wire.Client {
		ids.odd, ids.base, ids.top = 1, 1, 1
	} else {
		ids.next = 1
	}
	return ids
}

// take returns our next Request ID.
func (ids *requestIDs) take() uint64 {
	id := ids.next
	ids.next += 2
	return id
}

// use records an ID of the peer.
func (ids *requestIDs) use(id uint64) error {
	if id&1 != ids.odd {
		return errParity
	}
	if id < ids.base || ids.above[id] {
		return errDuplicateID
	}
	ids.above[id] = true
	ids.top = max(ids.top, id+2)
	for ids.above[ids.base] {
		delete(ids.above, ids.base)
		ids.base += 2
	}
	if len(ids.above) > seenWindow {
		lowest := id
		for seen := range ids.above {
			lowest = min(lowest, seen)
		}
		ids.base = lowest
		for ids.above[ids.base] {
			delete(ids.above, ids.base)
			ids.base += 2
		}
	}
	return nil
}

// made reports whether a request with the ID was made, by us or by the peer.
func (ids *requestIDs) made(id uint64) bool {
	if id&1 == ids.odd {
		return id < ids.base || ids.above[id]
	}
	return id < ids.next
}

// aliasMemory is how many cancelled track aliases are remembered, so that
// streams that were on their way are dropped instead of parked.
const aliasMemory = 256

// recent is a bounded set of the numbers added last.
type recent struct {
	ring []uint64
	next int
}

func (r *recent) add(v uint64) {
	if len(r.ring) < aliasMemory {
		r.ring = append(r.ring, v)
		return
	}
	r.ring[r.next] = v
	r.next = (r.next + 1) % aliasMemory
}

func (r *recent) has(v uint64) bool { return slices.Contains(r.ring, v) }
