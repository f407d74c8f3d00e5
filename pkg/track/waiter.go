package track

// Waiter is woken when a cursor or reader that found nothing to do may find
// something now.
//
// Wake is called without any lock of this package, from the goroutine of
// whoever appended. It must return soon and never block. It may be called once
// more than needed, even just after Close.
type Waiter interface{ Wake() }

// parked is a place in a lot, embedded in what waits so that parking allocates
// nothing. All fields are guarded by the track's mutex.
type parked struct {
	next, prev *parked // nil while not in a lot
	waiter     Waiter
}

// leave takes p out of the lot it is in, if any.
func (p *parked) leave() {
	if p.next != nil {
		p.prev.next, p.next.prev = p.next, p.prev
		p.next, p.prev = nil, nil
	}
}

// lot is a ring of those that wait for the same thing, first come first woken.
type lot struct{ ring parked }

func (l *lot) empty() bool { return l.ring.next == nil || l.ring.next == &l.ring }

func (l *lot) park(p *parked) {
	p.leave()
	l.append(p, p)
}

// moveTo moves everything to the end of the other lot.
func (l *lot) moveTo(o *lot) {
	if l.empty() {
		return
	}
	first, last := l.ring.next, l.ring.prev
	l.ring.next, l.ring.prev = nil, nil
	o.append(first, last)
}

func (l *lot) append(first, last *parked) {
	if l.ring.next == nil {
		l.ring.next, l.ring.prev = &l.ring, &l.ring
	}
	tail := l.ring.prev
	tail.next, first.prev = first, tail
	last.next, l.ring.prev = &l.ring, last
}

// wakeBatch is how many waiters are woken between two times the lock is held.
const wakeBatch = 32

// take removes up to len(batch) from the front.
func (l *lot) take(batch *[wakeBatch]Waiter) (n int) {
	for n < len(batch) && !l.empty() {
		p := l.ring.next
		p.leave()
		batch[n] = p.waiter
		n++
	}
	return n
}
