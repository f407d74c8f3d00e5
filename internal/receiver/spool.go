package receiver

import (
	"io"
	"sync"
	"time"
)

// maxSpooled is how many bytes may wait for who reads what a Receiver tells. Beyond
// that it is not told.
const maxSpooled = 1 << 20

// spool writes in a goroutine of its own, so that nobody waits for a reader.
type spool struct {
	out  io.Writer
	gone chan struct{} // closed when the writer has ended

	mu      sync.Mutex
	changed *sync.Cond // pending or closing
	pending []byte
	closing bool
	lost    uint64 // writes that were not told
}

func newSpool(out io.Writer) *spool {
	s := &spool{out: out, gone: make(chan struct{})}
	s.changed = sync.NewCond(&s.mu)
	go s.run()
	return s
}

// Write takes b, whole or not at all. It never fails: what is told is told to who
// wants it.
func (s *spool) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || len(s.pending) > 0 && len(s.pending)+len(b) > maxSpooled {
		s.lost++
		return len(b), nil
	}
	s.pending = append(s.pending, b...)
	s.changed.Signal()
	return len(b), nil
}

// close waits a while until everything is written, and returns how many writes were
// not.
func (s *spool) close() (lost uint64) {
	s.mu.Lock()
	s.closing = true
	s.changed.Signal()
	s.mu.Unlock()
	t := time.NewTimer(flushTime)
	defer t.Stop()
	select {
	case <-s.gone:
	case <-t.C:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

func (s *spool) run() {
	defer close(s.gone)
	for {
		s.mu.Lock()
		for len(s.pending) == 0 && !s.closing {
			s.changed.Wait()
		}
		b := s.pending
		s.pending = nil
		s.mu.Unlock()
		if len(b) == 0 {
			return
		}
		if _, err := s.out.Write(b); err != nil {
			s.mu.Lock()
			s.closing, s.pending = true, nil // nobody reads
			s.mu.Unlock()
			return
		}
	}
}
