package qmuxtr

import "sync"

// chunkSize is how much memory a stream with unread or unsent bytes takes at
// least. It is little, since a hostile peer can leave a byte on every stream.
const chunkSize = 2 << 10

// chunk is a piece of a buffer.
type chunk struct {
	next *chunk
	b    [chunkSize]byte
}

var chunks = sync.Pool{New: func() any { return new(chunk) }}

// buffer is a queue of bytes. It has no memory while it is empty.
type buffer struct {
	first, last *chunk
	head        int // in first
	tail        int // in last
	size        int
}

func (q *buffer) len() int { return q.size }

// put copies p to the end.
func (q *buffer) put(p []byte) {
	q.size += len(p)
	for len(p) > 0 {
		if q.last == nil || q.tail == chunkSize {
			c := chunks.Get().(*chunk)
			c.next = nil
			if q.last == nil {
				q.first, q.head = c, 0
			} else {
				q.last.next = c
			}
			q.last, q.tail = c, 0
		}
		n := copy(q.last.b[q.tail:], p)
		q.tail += n
		p = p[n:]
	}
}

// take moves bytes from the front to p and returns how many.
func (q *buffer) take(p []byte) (n int) {
	for n < len(p) && q.size > 0 {
		end := chunkSize
		if q.first == q.last {
			end = q.tail
		}
		k := copy(p[n:], q.first.b[q.head:end])
		n += k
		q.size -= k
		if q.head += k; q.head == end {
			q.shift()
		}
	}
	return n
}

// shift gives the first chunk back.
func (q *buffer) shift() {
	c := q.first
	q.first, q.head = c.next, 0
	if q.first == nil {
		q.last = nil
	}
	chunks.Put(c)
}

// truncate keeps the first n bytes at most.
func (q *buffer) truncate(n int) {
	if n >= q.size {
		return
	}
	kept := buffer{}
	for n > 0 {
		end := min(chunkSize, q.head+n)
		n -= end - q.head
		kept.put(q.first.b[q.head:end])
		q.shift()
	}
	for q.first != nil {
		q.shift()
	}
	*q = kept
}
