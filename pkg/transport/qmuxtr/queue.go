package qmuxtr

import "container/heap"

// What SetPriority changes. The default is quic-go's.
const (
	defaultUrgency = 3
	lastUrgency    = 7
)

// queue holds the streams that have data to send, by urgency. Of equal urgency,
// those that share the link take turns, and so do they as a whole with the
// first of the others, so that neither sort starves.
type queue struct {
	levels [lastUrgency + 1]level
	turn   uint64
}

type level struct {
	ordered byID
	shared  byTurn
	flip    bool // the others are next
}

// byID is a heap of streams whose lowest ID goes first.
type byID struct{ list }

func (q byID) Less(i, j int) bool { return q.list[i].s.id < q.list[j].s.id }

// byTurn is a heap of streams of which the one that waits longest goes first.
type byTurn struct{ list }

func (q byTurn) Less(i, j int) bool { return q.list[i].turn < q.list[j].turn }

// list is what both heaps share.
type list []*sendHalf

func (l list) Len() int { return len(l) }

func (l list) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].index, l[j].index = i, j
}

func (l *list) Push(x any) {
	h := x.(*sendHalf)
	h.index = len(*l)
	*l = append(*l, h)
}

func (l *list) Pop() any {
	last := len(*l) - 1
	h := (*l)[last]
	(*l)[last] = nil
	*l = (*l)[:last]
	h.index = -1
	return h
}

// home is the heap for h.
func (q *queue) home(h *sendHalf) heap.Interface {
	if h.incremental {
		return &q.levels[h.urgency].shared
	}
	return &q.levels[h.urgency].ordered
}

// add puts h into the queue, behind those with which it takes turns.
func (q *queue) add(h *sendHalf) {
	if h.index >= 0 {
		return
	}
	q.turn++
	h.turn = q.turn
	heap.Push(q.home(h), h)
}

// remove takes h out of the queue.
func (q *queue) remove(h *sendHalf) {
	if h.index >= 0 {
		heap.Remove(q.home(h), h.index)
	}
}

// next returns the stream whose turn it is; it stays in the queue. It is nil if
// there is none.
func (q *queue) next() *sendHalf {
	for i := range q.levels {
		l := &q.levels[i]
		ordered, shared := len(l.ordered.list) > 0, len(l.shared.list) > 0
		switch {
		case ordered && (!shared || !l.flip):
			return l.ordered.list[0]
		case shared:
			return l.shared.list[0]
		}
	}
	return nil
}

// served puts h behind the others with which it takes turns, after it has sent.
func (q *queue) served(h *sendHalf) {
	q.levels[h.urgency].flip = !h.incremental
	if h.incremental && h.index >= 0 {
		q.turn++
		h.turn = q.turn
		heap.Fix(q.home(h), h.index)
	}
}

// schedule puts h into the queue, or takes it out, as it has something to send
// or not. mu is held.
func (c *conn) schedule(h *sendHalf) {
	if c.err != nil || !h.sendable() {
		c.queue.remove(h)
		return
	}
	c.queue.add(h)
	signal(c.work)
}
