package track

import (
	"time"

	"oxymoq/pkg/model"
)

// codeGap resets a run whose next object is not to be had in its order; what
// comes later goes to another run.
const codeGap = model.ResetCancelled

// keep puts an object aside that cannot be appended yet.
func (w *Writer) keep(h ObjectHeader, payload []byte, whole bool) {
	if !whole {
		w.state = writerKeeping
	}
	if w.overflows(len(payload)) {
		w.discard()
		return
	}
	h.Properties = append([]byte(nil), h.Properties...)
	w.aside = append(w.aside, waiting{h: h, payload: append([]byte(nil), payload...), complete: whole, gap: w.dropped, came: time.Now()})
	w.dropped = false
	w.s.asides++
	w.kept += len(payload) + entryCost
}

// keepMore adds payload to the object that was put aside last.
func (w *Writer) keepMore(p []byte) {
	if w.overflows(len(p)) {
		w.discard()
		return
	}
	last := &w.aside[len(w.aside)-1]
	last.payload = append(last.payload, p...)
	last.complete = w.left == 0
	w.kept += len(p)
}

// overflows reports whether n more bytes are too many. If the others are merely
// slow, it ends their run, so that settle lets w overtake them.
func (w *Writer) overflows(n int) bool {
	return w.kept+n+entryCost > MaxAside && !w.overtake()
}

// overtake ends the open run, unless an object is being written to it.
func (w *Writer) overtake() bool {
	run := w.s.run
	if run == nil || run.partial {
		return false
	}
	run.close(runReset, codeGap)
	w.s.run = nil
	return true
}

// discard drops what is being brought; there is a gap before what comes next.
func (w *Writer) discard() {
	if w.state == writerKeeping {
		if n := len(w.aside); n > 0 && !w.aside[n-1].complete {
			w.kept -= len(w.aside[n-1].payload) + entryCost
			w.aside = w.aside[:n-1]
			w.s.asides--
		}
		w.state = writerDiscarding
	}
	w.dropped = true
	w.t.counters.Late.Add(1)
}

// settle appends what was put aside in the writers of the subgroup and can be
// appended now.
func (w *Writer) settle() {
	for moved := true; moved && w.s.asides > 0 && !w.g.evicted; {
		moved = false
		for _, o := range w.s.writers {
			for len(o.aside) > 0 && o.err == nil && o.settleOne() {
				moved = true
			}
		}
		moved = w.s.finishWaiting() || moved
	}
}

// settleOne appends the first object that w put aside, if it can be.
func (w *Writer) settleOne() bool {
	first := w.aside[0]
	w.gap = w.gap || first.gap
	v, err := w.judge(&first.h)
	if err == nil && v == verdictWait {
		return false
	}
	w.aside[0] = waiting{}
	w.aside = w.aside[1:]
	w.s.asides--
	w.kept -= len(first.payload) + entryCost
	if err == nil {
		err = w.place(v, first.h, first.payload, first.complete)
	}
	_ = w.fail(err) // its next call says so
	return true
}

// finishWaiting finishes the writers that were closed and have nothing aside any more.
func (s *subgroup) finishWaiting() (finished bool) {
	for i := len(s.writers) - 1; i >= 0; i-- {
		if w := s.writers[i]; w.fin && w.state == writerIdle && (len(w.aside) == 0 || w.err != nil) {
			s.asides -= len(w.aside)
			w.aside = nil
			_ = w.fail(w.finish()) // it was closed: nobody asks any more
			finished = true
		}
	}
	return finished
}
