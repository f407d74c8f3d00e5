package egress

// heap is a binary heap of things that know their place in it, so that they can
// be moved and removed. The zero value is empty.
type heap[T heaped[T]] struct{ items []T }

type heaped[T any] interface {
	before(T) bool
	setPlace(int) // in the heap; -1: not in it
}

func (h *heap[T]) len() int { return len(h.items) }

func (h *heap[T]) top() T { return h.items[0] }

func (h *heap[T]) push(x T) {
	h.items = append(h.items, x)
	h.up(len(h.items) - 1)
}

// fix restores the order after the item at i has changed.
func (h *heap[T]) fix(i int) {
	if !h.down(i) {
		h.up(i)
	}
}

func (h *heap[T]) remove(i int) {
	var none T
	last := len(h.items) - 1
	h.items[i].setPlace(-1)
	if i != last {
		h.items[i] = h.items[last]
		h.items[i].setPlace(i)
	}
	h.items[last] = none
	h.items = h.items[:last]
	if i != last {
		h.fix(i)
	}
}

func (h *heap[T]) up(i int) {
	x := h.items[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !x.before(h.items[parent]) {
			break
		}
		h.items[i] = h.items[parent]
		h.items[i].setPlace(i)
		i = parent
	}
	h.items[i] = x
	x.setPlace(i)
}

func (h *heap[T]) down(i int) (moved bool) {
	x := h.items[i]
	for {
		child := 2*i + 1
		if child >= len(h.items) {
			break
		}
		if child+1 < len(h.items) && h.items[child+1].before(h.items[child]) {
			child++
		}
		if !h.items[child].before(x) {
			break
		}
		h.items[i] = h.items[child]
		h.items[i].setPlace(i)
		i, moved = child, true
	}
	h.items[i] = x
	x.setPlace(i)
	return moved
}
