package egress

import (
	"context"
	"errors"
	"slices"
	"sync"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/transport"
)

// Numbers of goroutines of one scheduler.
const (
	// MaxWriters is how many may be inside Write before others must wait for
	// their turn; what outranks one of those inside need not wait.
	MaxWriters = 16
	// MaxBlocked is how many may be inside Write at all.
	MaxBlocked = 64
	// spareWriters is how many wait for work while there are flows.
	spareWriters = 2
)

// Scheduler decides what one session sends next. See the package comment.
type Scheduler struct {
	session  Session
	counters *observe.Session
	ctx      context.Context
	writers  sync.WaitGroup

	mu      sync.Mutex
	work    sync.Cond
	flows   map[*flow]struct{}
	ready   heap[*flow]
	serving []*job
	ticket  uint64
	closed  bool

	idle    int // writers that wait for work
	permits int // of which so many were called
	hunting int // writers that were started or called and have not picked yet

	starving []*job // wait for stream credit, in order of arrival
	begging  bool   // a goroutine waits for credit
	spare    transport.SendStream
	broken   error // why no stream can be opened any more
	classes  []int // ranks of streams that are or were open, in order
	buffers  [][]byte
}

// NewScheduler returns the scheduler of a session. When ctx ends all
// subscriptions stop. counters may be nil.
func NewScheduler(ctx context.Context, session Session, counters *observe.Session) *Scheduler {
	if counters == nil {
		counters = new(observe.Session)
	}
	s := &Scheduler{session: session, counters: counters, ctx: ctx, flows: make(map[*flow]struct{})}
	s.work.L = &s.mu
	context.AfterFunc(ctx, s.close)
	return s
}

// Wait waits until all goroutines have ended, which they do after ctx ended.
func (s *Scheduler) Wait() { s.writers.Wait() }

func (s *Scheduler) close() {
	s.mu.Lock()
	s.closed = true
	flows := make([]*flow, 0, len(s.flows))
	for f := range s.flows {
		flows = append(flows, f)
	}
	if s.spare != nil {
		s.discard(s.spare)
		s.spare = nil
	}
	s.callAll()
	s.mu.Unlock()
	for _, f := range flows {
		f.owner.shutdown()
	}
}

var errClosed = errors.New("session ended")

// add makes a flow known.
func (s *Scheduler) add(f *flow) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.flows[f] = struct{}{}
	return nil
}

// drop forgets a flow whose jobs are all over.
func (s *Scheduler) drop(f *flow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.flows, f)
	f.attention = false
	s.requeue(f)
	if len(s.flows) == 0 {
		s.callAll() // so that they end
	}
}

// attend makes a writer call the flow's owner.
func (s *Scheduler) attend(f *flow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.flows[f]; !known || f.attention {
		return
	}
	f.attention = true
	s.requeue(f)
	s.dispatch()
}

// wake puts a job that may have something to send into the queue.
func (s *Scheduler) wake(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch j.state {
	case jobParked:
		s.enqueue(j)
		s.dispatch()
	case jobServing:
		j.again = true
	}
}

// rouse is wake for a job that is to end: it needs no stream credit any more.
func (s *Scheduler) rouse(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch j.state {
	case jobStarving:
		s.starving = slices.DeleteFunc(s.starving, func(o *job) bool { return o == j })
		fallthrough
	case jobParked:
		s.enqueue(j)
		s.dispatch()
	case jobServing:
		j.again = true
	}
}

// reprioritize changes the priority of a flow.
func (s *Scheduler) reprioritize(f *flow, priority uint8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.priority = priority
	s.requeue(f)
	for _, j := range f.live {
		s.enter(class(j))
	}
	s.prioritizeAll()
}

func (s *Scheduler) enqueue(j *job) {
	j.state = jobReady
	j.flow.ready.push(j)
	s.requeue(j.flow)
}

// requeue puts a flow in its place after it has changed.
func (s *Scheduler) requeue(f *flow) {
	wants := f.wantsAttention() || f.ready.len() > 0
	switch {
	case f.place < 0 && wants:
		s.ticket++
		f.ticket = s.ticket
		s.ready.push(f)
	case f.place >= 0 && wants:
		s.ready.fix(f.place)
	case f.place >= 0:
		s.ready.remove(f.place)
	}
}

// admits reports whether what is first in the queue may be served now.
func (s *Scheduler) admits() bool {
	if s.ready.len() == 0 {
		return false
	}
	f := s.ready.top()
	switch {
	case f.wantsAttention():
		return true // does not block
	case len(s.serving) < MaxWriters:
		return true
	case len(s.serving) >= MaxBlocked:
		return false
	}
	return slices.ContainsFunc(s.serving, f.ready.top().outranks)
}

// dispatch sees to it that somebody serves the queue.
func (s *Scheduler) dispatch() {
	if s.hunting > 0 || !s.admits() {
		return
	}
	s.hunting++
	if s.idle > 0 {
		s.idle--
		s.permits++
		s.work.Signal()
		return
	}
	s.writers.Add(1)
	go s.write()
}

// callAll makes idle writers look whether they are still needed.
func (s *Scheduler) callAll() {
	s.hunting += s.idle
	s.permits += s.idle
	s.idle = 0
	s.work.Broadcast()
}

// write is a writer goroutine.
func (s *Scheduler) write() {
	defer s.writers.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	buf := s.takeBuffer()
	for {
		worked := true
		for first := true; worked; first = false {
			if first {
				s.hunting--
			}
			buf, worked = s.serveNext(buf)
		}
		if len(s.flows) == 0 || s.idle >= spareWriters {
			break
		}
		s.idle++
		for s.permits == 0 {
			s.work.Wait()
		}
		s.permits--
	}
	s.buffers = append(s.buffers, buf)
}

// bufferSize is what a writer has for headers and small payloads.
const bufferSize = 16 << 10

func (s *Scheduler) takeBuffer() []byte {
	if n := len(s.buffers); n > 0 {
		buf := s.buffers[n-1]
		s.buffers = s.buffers[:n-1]
		return buf
	}
	return make([]byte, 0, bufferSize)
}

// serveNext does what is first in the queue. It holds mu when it is called and
// when it returns, but not while it works.
func (s *Scheduler) serveNext(buf []byte) ([]byte, bool) {
	if !s.admits() {
		return buf, false
	}
	f := s.ready.top()
	s.ticket++
	f.ticket = s.ticket
	if f.wantsAttention() {
		f.attention, f.attending = false, true
		s.requeue(f)
		s.dispatch()
		s.mu.Unlock()
		f.owner.attend()
		s.mu.Lock()
		f.attending = false
		s.requeue(f)
		return buf, true
	}
	j := f.ready.top()
	f.ready.remove(0)
	s.requeue(f)
	j.state, j.again = jobServing, false
	if j.eager && j.stream == nil && j.granted == nil {
		j.granted, _ = s.obtain(j) // the job will ask again and see why not
	}
	s.serving = append(s.serving, j)
	s.counters.Writers.Store(int64(len(s.serving)))
	s.dispatch()

	s.mu.Unlock()
	buf, out := j.work.serve(buf)
	s.mu.Lock()

	i := slices.Index(s.serving, j)
	s.serving = slices.Delete(s.serving, i, i+1)
	s.counters.Writers.Store(int64(len(s.serving)))
	switch {
	case out == over:
		j.state = jobOver
	case out == more || j.again:
		s.enqueue(j)
	case out == starved:
		j.state = jobStarving
		s.starving = append(s.starving, j)
		s.beg()
	default:
		j.state = jobParked
		if j.granted != nil { // there was nothing to send
			s.keep(j.granted)
			j.granted = nil
		}
	}
	return buf, true
}
