package memtr

import (
	"sync"
	"time"
)

// link carries what one end does to the other, in order, after a delay.
type link struct {
	mu    *sync.Mutex // the pair's
	delay time.Duration
	queue []event // in order of at
}

type event struct {
	at  time.Time
	run func() // with mu held
}

// send runs f at the other end: at once without a delay. mu is held.
func (l *link) send(f func()) {
	if l.delay <= 0 {
		f()
		return
	}
	l.queue = append(l.queue, event{at: time.Now().Add(l.delay), run: f})
	if len(l.queue) == 1 {
		time.AfterFunc(l.delay, l.deliver)
	}
}

// deliver runs what is due and arms the timer for the rest. A single timer
// keeps the order, which one timer per event would not.
func (l *link) deliver() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for len(l.queue) > 0 && !now.Before(l.queue[0].at) {
		f := l.queue[0].run
		l.queue[0] = event{}
		f() // may not send on this link: only on the other one
		l.queue = l.queue[1:]
	}
	if len(l.queue) > 0 {
		time.AfterFunc(l.queue[0].at.Sub(now), l.deliver)
	}
}

// signal wakes the one goroutine that waits on c, or the next that will.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
