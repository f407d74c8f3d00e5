package egress

import "oxymoq/pkg/transport"

// flow is one subscription or fetch in the eyes of the scheduler. Its fields
// are guarded by Scheduler.mu.
type flow struct {
	owner      owner
	priority   uint8 // of the subscriber
	descending bool
	ready      heap[*job] // jobs that have something to do
	live       []*job     // jobs whose stream is open
	attention  bool       // owner.attend is to be called
	attending  bool       // it is being called
	ticket     uint64     // its turn among equals
	place      int        // in Scheduler.ready, -1: not there
}

// owner is what a flow belongs to.
type owner interface {
	// attend does what needs no stream; it never blocks. There is one call at
	// a time.
	attend()
	// shutdown ends the flow because the session ended.
	shutdown()
}

func (f *flow) wantsAttention() bool { return f.attention && !f.attending }

func (f *flow) setPlace(i int) { f.place = i }

// before orders flows by what they would do next.
func (f *flow) before(o *flow) bool {
	if a, b := f.wantsAttention(), o.wantsAttention(); a || b {
		if a != b {
			return a
		}
		return f.ticket < o.ticket
	}
	if c := class(f.ready.top()) - class(o.ready.top()); c != 0 {
		return c < 0
	}
	return f.ticket < o.ticket
}

// job is one stream that is to be served. Its fields are guarded by
// Scheduler.mu unless said otherwise.
type job struct {
	flow     *flow // does not change, like the next five
	work     work
	priority uint8 // of the publisher
	group    uint64
	subgroup uint64
	eager    bool // it will need a stream as soon as it is served

	state   jobState
	again   bool // woken while it was being served
	place   int  // in flow.ready
	stream  transport.SendStream
	urgency int
	granted transport.SendStream // a stream that came after waiting for credit
}

// work is what a job does.
type work interface {
	// serve sends a little, from a writer goroutine. The buffer is the writer's;
	// what is returned beside the outcome replaces it.
	serve(buf []byte) ([]byte, outcome)
}

type outcome uint8

const (
	more    outcome = iota // there may be more to send
	parked                 // Wake will be called
	starved                // no stream credit
	over                   // nothing more, ever
)

type jobState uint8

const (
	jobParked jobState = iota
	jobReady
	jobServing
	jobStarving
	jobOver
)

func (j *job) setPlace(i int) { j.place = i }

// class is the rank of a job without regard to its flow; lower is sooner.
func class(j *job) int { return int(j.flow.priority)<<8 | int(j.priority) }

// before orders the jobs of one flow (section 7.2).
func (j *job) before(o *job) bool {
	switch {
	case j.priority != o.priority:
		return j.priority < o.priority
	case j.group != o.group:
		return (j.group < o.group) != j.flow.descending
	}
	return j.subgroup < o.subgroup
}

// outranks reports whether j goes before o although o is being served.
func (j *job) outranks(o *job) bool {
	if c := class(j) - class(o); c != 0 {
		return c < 0
	}
	return j.flow == o.flow && j.before(o)
}
