package egress

import (
	"errors"
	"slices"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
)

// obtain returns a stream for the job, or transport.ErrNoCredit. mu is held:
// streams are opened in the order of the queue, because of equal urgencies the
// transport sends the lowest stream first.
func (s *Scheduler) obtain(j *job) (transport.SendStream, error) {
	if s.broken != nil {
		return nil, s.broken
	}
	if slices.ContainsFunc(s.starving, func(o *job) bool { return !j.outranks(o) }) {
		return nil, transport.ErrNoCredit // others have waited longer
	}
	if st := s.spare; st != nil {
		s.spare = nil
		return st, nil
	}
	return s.session.TryOpenUniStream()
}

// open returns a stream for the job, or transport.ErrNoCredit: then the job is
// woken when there is one.
func (s *Scheduler) open(j *job) (transport.SendStream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := j.granted
	if j.granted = nil; st == nil {
		var err error
		if st, err = s.obtain(j); err != nil {
			return nil, err
		}
	}
	j.stream, j.urgency = st, 0
	j.flow.live = append(j.flow.live, j)
	s.prioritize(j)
	return st, nil
}

// shut forgets the stream of a job after it was closed or reset.
func (s *Scheduler) shut(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.granted != nil {
		s.keep(j.granted)
		j.granted = nil
	}
	if i := slices.Index(j.flow.live, j); i >= 0 {
		j.flow.live = slices.Delete(j.flow.live, i, i+1)
		j.stream = nil
	}
	if j.flow.descending {
		s.prioritizeFlow(j.flow)
	}
}

// beg starts a goroutine that waits for credit, unless there is one.
func (s *Scheduler) beg() {
	if s.begging {
		return
	}
	s.begging = true
	s.writers.Go(s.awaitCredit)
}

// awaitCredit opens streams for those that starve, best first.
func (s *Scheduler) awaitCredit() {
	for {
		st, err := s.session.OpenUniStream(s.ctx)
		s.mu.Lock()
		if err != nil {
			s.begging, s.broken = false, err
			s.feedAll() // they will fail themselves
			s.mu.Unlock()
			return
		}
		if len(s.starving) == 0 {
			s.keep(st)
		} else {
			best := 0
			for i, j := range s.starving {
				if j.outranks(s.starving[best]) {
					best = i
				}
			}
			j := s.starving[best]
			s.starving = slices.Delete(s.starving, best, best+1)
			j.granted = st
			s.enqueue(j)
			s.dispatch()
		}
		if len(s.starving) == 0 {
			s.begging = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
	}
}

// feedAll wakes all that starve, because waiting has no sense any more.
func (s *Scheduler) feedAll() {
	for _, j := range s.starving {
		s.enqueue(j)
	}
	s.starving = nil
	s.dispatch()
}

// keep keeps a stream that nobody needs for the next that does.
func (s *Scheduler) keep(st transport.SendStream) {
	if s.spare == nil && !s.closed {
		s.spare = st
		return
	}
	s.discard(st)
}

func (s *Scheduler) discard(st transport.SendStream) {
	st.CancelWrite(s.session.ResetCode(model.ResetCancelled))
}

// lacksCredit reports whether an error of open means waiting.
func lacksCredit(err error) bool { return errors.Is(err, transport.ErrNoCredit) }
