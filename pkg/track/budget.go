package track

import "sync/atomic"

// Budget bounds the bytes that the logs of many tracks hold together. It has no
// lock and no sweeper: while it is overdrawn, each track that appends pays for
// what it adds by evicting its own oldest groups.
type Budget struct {
	limit, used atomic.Int64
}

// hardFraction is what may be held beyond the limit, as a part of it, by groups
// that are still being written. Beyond that they are cut at their front.
const hardFraction = 4

// NewBudget returns a budget of limit bytes. No limit means unbounded.
func NewBudget(limit int64) *Budget {
	b := new(Budget)
	b.limit.Store(limit)
	return b
}

// SetLimit changes the limit. What is held beyond a lower one goes as tracks append.
func (b *Budget) SetLimit(limit int64) { b.limit.Store(limit) }

// Used returns the bytes that are held, with those of evicted groups that a
// blocked Write still pins.
func (b *Budget) Used() int64 { return b.used.Load() }

// Limit returns the limit in bytes; 0 is unbounded.
func (b *Budget) Limit() int64 { return b.limit.Load() }

// hard is the bytes beyond which even groups that are being written are cut.
func (b *Budget) hard() int64 { return b.Limit() + b.Limit()/hardFraction }

// Over reports whether more is held than the limit allows.
func (b *Budget) Over() bool { return b.Limit() > 0 && b.Used() > b.Limit() }

func (b *Budget) overHard() bool { return b.Limit() > 0 && b.Used() > b.hard() }
