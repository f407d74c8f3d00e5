package track

import (
	"sort"
	"sync/atomic"
)

// Sizes of the chunks of a log, in bytes. They grow because most runs are
// either a few objects or many.
const (
	firstChunk  = 1 << 10
	maxChunk    = 64 << 10
	chunkGrowth = 4
)

// chunk is a piece of a log. Bytes that were written never move or change, so
// slices of them may be handed out; the garbage collector frees the chunk when
// the last is gone.
type chunk struct {
	base int64  // offset in the log of the first byte
	buf  []byte // what was written; its capacity is the chunk's size
	// refs counts the log itself and every slice that a Write may hold. The
	// last to go pays the bytes back to the account.
	refs    atomic.Int32
	account *account
}

func (c *chunk) end() int64 { return c.base + int64(len(c.buf)) }

func (c *chunk) pin() { c.refs.Add(1) }

func (c *chunk) unpin() {
	if c.refs.Add(-1) == 0 {
		c.account.add(-int64(cap(c.buf)))
	}
}

// byteLog is a sequence of bytes in chunks. Offsets count from the first byte
// ever written and stay valid when the front is dropped.
type byteLog struct {
	chunks  []*chunk
	dropped int // chunks that left the front
	end     int64
	account *account
}

// room makes the last chunk able to take n bytes in one piece and returns it.
// What was free in the one before stays unused.
func (l *byteLog) room(n int) *chunk {
	size := firstChunk
	if k := len(l.chunks); k > 0 {
		last := l.chunks[k-1]
		if cap(last.buf)-len(last.buf) >= n {
			return last
		}
		size = min(cap(last.buf)*chunkGrowth, maxChunk)
	}
	size = max(size, n)
	c := &chunk{base: l.end, buf: make([]byte, 0, size), account: l.account}
	c.refs.Store(1)
	l.account.add(int64(size))
	l.chunks = append(l.chunks, c)
	return c
}

// appendWhole writes parts one after the other in one piece.
func (l *byteLog) appendWhole(head, body []byte) {
	c := l.room(len(head) + len(body))
	c.buf = append(append(c.buf, head...), body...)
	l.end = c.end()
}

// appendSplit writes b, filling what is free first.
func (l *byteLog) appendSplit(b []byte) {
	for len(b) > 0 {
		c := l.room(1)
		n := min(len(b), cap(c.buf)-len(c.buf))
		c.buf = append(c.buf, b[:n]...)
		l.end = c.end()
		b = b[n:]
	}
}

// find returns the absolute number of the chunk that holds the offset, which
// must lie in what is retained.
func (l *byteLog) find(off int64) int {
	i := sort.Search(len(l.chunks), func(i int) bool { return l.chunks[i].end() > off })
	return l.dropped + i
}

// chunk returns the chunk of an absolute number, nil past the last.
func (l *byteLog) chunk(i int) *chunk {
	if i -= l.dropped; i < len(l.chunks) {
		return l.chunks[i]
	}
	return nil
}

// pieces appends to dst the slices that make up [from, to) and pins their
// chunks, which are appended to pins.
func (l *byteLog) pieces(dst [][]byte, pins []*chunk, from, to int64) ([][]byte, []*chunk) {
	for i := l.find(from); from < to; i++ {
		c := l.chunk(i)
		stop := min(to, c.end())
		if stop > from {
			c.pin()
			pins = append(pins, c)
			dst = append(dst, c.slice(from, stop))
			from = stop
		}
	}
	return dst, pins
}

// slice returns the bytes of the offsets [from, to), which must be c's.
func (c *chunk) slice(from, to int64) []byte {
	a, b := from-c.base, to-c.base
	return c.buf[a:b:b]
}

// dropBefore drops the chunks that end at or before the offset.
func (l *byteLog) dropBefore(off int64) {
	n := 0
	for n < len(l.chunks) && l.chunks[n].end() <= off {
		l.chunks[n].unpin()
		l.chunks[n] = nil
		n++
	}
	l.chunks = l.chunks[n:]
	l.dropped += n
}

// dropAll drops everything.
func (l *byteLog) dropAll() { l.dropBefore(l.end + 1) }

// account is where a track's bytes are counted: for itself and in the budget.
type account struct {
	budget *Budget
	held   *atomic.Int64
}

func (a *account) add(n int64) {
	a.held.Add(n)
	a.budget.used.Add(n)
}
