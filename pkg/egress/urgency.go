package egress

import (
	"cmp"
	"slices"
)

// Urgencies of data streams (RFC 9218); the session has 0 for control and 1 for
// requests.
const (
	firstUrgency = 2
	lastUrgency  = 7
)

// enter makes a class known and reports whether that moved others. Classes stay
// known while all of them have urgencies of their own, so that streams that come
// and go do not move each other.
func (s *Scheduler) enter(c int) (moved bool) {
	i, known := slices.BinarySearch(s.classes, c)
	if known {
		return false
	}
	if len(s.classes) > lastUrgency-firstUrgency {
		s.classes = s.classes[:0]
		for f := range s.flows {
			for _, j := range f.live {
				if i, known := slices.BinarySearch(s.classes, class(j)); !known {
					s.classes = slices.Insert(s.classes, i, class(j))
				}
			}
		}
		if i, known = slices.BinarySearch(s.classes, c); known {
			return true
		}
	}
	s.classes = slices.Insert(s.classes, i, c)
	return true
}

// prioritize sets the urgency of a job whose stream was just opened, and of all
// that it moves.
func (s *Scheduler) prioritize(j *job) {
	if s.enter(class(j)) {
		s.prioritizeAll()
	} else if j.flow.descending {
		s.prioritizeFlow(j.flow)
	} else {
		s.setUrgency(j, s.base(j))
	}
}

func (s *Scheduler) prioritizeAll() {
	for f := range s.flows {
		s.prioritizeFlow(f)
	}
}

// base is the urgency of the job's class.
func (s *Scheduler) base(j *job) int {
	i, _ := slices.BinarySearch(s.classes, class(j))
	return firstUrgency + i
}

// prioritizeFlow sets the urgencies of a flow. In ascending order equal urgency
// suffices: the transport sends the lowest stream first. In descending order
// each newer group is one step more urgent than the one before.
func (s *Scheduler) prioritizeFlow(f *flow) {
	if !f.descending {
		for _, j := range f.live {
			s.setUrgency(j, s.base(j))
		}
		return
	}
	slices.SortFunc(f.live, func(a, b *job) int { return cmp.Or(class(a)-class(b), cmp.Compare(b.group, a.group)) })
	newer := 0
	for i, j := range f.live {
		if i > 0 {
			switch prev := f.live[i-1]; {
			case class(prev) != class(j):
				newer = 0
			case prev.group != j.group:
				newer++
			}
		}
		s.setUrgency(j, s.base(j)+newer)
	}
}

func (s *Scheduler) setUrgency(j *job, u int) {
	if u = min(u, lastUrgency); u != j.urgency {
		j.urgency = u
		j.stream.SetPriority(u, false)
	}
}
