package track

import "sync/atomic"

// Budget bounds the bytes that the logs of many tracks hold together. It has no
// lock and no sweeper: while it is overdrawn, each track that appends pays for
// what it adds by evicting its own oldest groups.
type Budget struct {
	limit, hard int64
	used        atomic.Int64
}

// hardFraction is what may be held beyond the limit, as a part of it, by groups
// that are still being written. Beyond that they are cut at their front.
const hardFraction = 4

// NewBudget returns a budget of limit bytes. No limit means unbounded.
func NewBudget(limit int64) *Budget {
	return &Budget{limit: limit, hard: limit + limit/hardFraction}
}

// Used returns the bytes that are held, with those of evicted groups that a
// blocked Write still pins.
func (b *Budget) Used() int64 { return b.used.Load() }

// Limit returns the limit in bytes; 0 is unbounded.
func (b *Budget) Limit() int64 { return b.limit }

func (b *Budget) over() bool     { return b.limit > 0 && b.used.Load() > b.limit }
func (b *Budget) overHard() bool { return b.limit > 0 && b.used.Load() > b.hard }
