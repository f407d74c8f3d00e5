package clients

import (
	"math"
	"time"
)

// Of the history that a meter keeps: a value for each step, and so many of them.
const (
	meterStep = time.Second
	meterKept = 60
)

// meter makes rates of a counter. Its zero value knows none.
type meter struct {
	count   uint64
	at      time.Time // of count
	known   bool
	history []float64 // a second, newest last
}

// take notes the counter at a time. What is nearer than a step to the one before
// is left for the next.
func (m *meter) take(at time.Time, count uint64) {
	took := at.Sub(m.at)
	switch {
	case !m.known, count < m.count, took < 0: // it began anew
		m.count, m.at, m.known = count, at, true
		return
	case took < meterStep:
		return
	}
	m.history = append(m.history, float64(count-m.count)/took.Seconds())
	if extra := len(m.history) - meterKept; extra > 0 {
		m.history = append(m.history[:0], m.history[extra:]...)
	}
	m.count, m.at = count, at
}

// rate returns the newest rate; NaN if there is none yet.
func (m *meter) rate() float64 {
	if len(m.history) == 0 {
		return math.NaN()
	}
	return m.history[len(m.history)-1]
}
