package track

import (
	"slices"
	"time"

	"oxymoq/pkg/model"
)

// CutThrough is the largest payload in bytes that is appended whole. Larger ones
// flow through the log as they arrive: Begin, Write, Write, …
const CutThrough = 16 << 10

// MaxAside is how many bytes of objects a Writer keeps that cannot be appended
// yet, because another publisher is writing the same object or has not come so
// far. Beyond it the other is overtaken, or what comes is dropped.
const MaxAside = 1 << 20

// AsidePatience is how long a Writer waits for another to come so far as it
// has. It is looked at when the next object comes, so nothing runs meanwhile. A
// publisher that died without a word holds its subgroup until its session
// times out, and its successor must not wait for that.
const AsidePatience = 200 * time.Millisecond

// Writer appends the objects of one inbound subgroup stream. It is for one
// goroutine; end it with Close or Abort. After an error from any method every
// further call returns the same error, and only Abort has an effect.
type Writer struct {
	t     *Track
	g     *group
	s     *subgroup
	key   SubgroupKey
	info  SubgroupInfo
	epoch uint64

	// All below is guarded by t.mu.
	state  writerState
	brings bool   // an object was brought
	newest uint64 // ID of the newest object brought
	// placed is the newest object brought that is in the log or was skipped as
	// a duplicate. Between it and the next one brought the subgroup has none.
	placed  model.Opt[uint64]
	gap     bool // something brought after placed was dropped
	dropped bool // something brought after the last of aside was dropped
	last    bool // the newest object is a marker
	left    uint64
	aside   []waiting
	kept    int  // bytes in aside
	fin     bool // Close was called
	err     error
}

type writerState uint8

const (
	writerIdle       writerState = iota
	writerWriting                // into the run
	writerKeeping                // into the last of aside
	writerDiscarding             // a duplicate
	writerClosed
)

// waiting is an object that cannot be appended yet.
type waiting struct {
	h        ObjectHeader
	payload  []byte
	complete bool
	gap      bool // something brought before it was dropped
	came     time.Time
}

// OpenSubgroup returns a writer for a subgroup. Several may be open for one
// subgroup, one for each publisher.
func (t *Track) OpenSubgroup(key SubgroupKey, info SubgroupInfo) (*Writer, error) {
	t.mu.Lock()
	defer t.unlock()
	if t.ended {
		return nil, ErrEnded
	}
	if end, ok := t.end.Get(); ok && key.Group > end.Group {
		return nil, malformed(model.Location{Group: key.Group}, "comes after the end of the track at %v", end)
	}
	g, err := t.admitLive(key.Group)
	if err != nil {
		return nil, err
	}
	s := g.subgroups[key.Subgroup]
	if s == nil {
		if len(g.subgroups) >= MaxSubgroups {
			return nil, ErrTooManySubgroups
		}
		s = &subgroup{id: key.Subgroup, priority: info.Priority}
		g.subgroups[key.Subgroup] = s
		t.account.add(subgroupCost)
	}
	if was, is := t.effective(s.priority), t.effective(info.Priority); was != is {
		return nil, malformed(model.Location{Group: key.Group}, "subgroup %d came with priorities %d and %d", key.Subgroup, was, is)
	}
	w := &Writer{t: t, g: g, s: s, key: key, info: info, epoch: t.epoch}
	s.writers = append(s.writers, w)
	g.writers++
	t.payDebt(groupCost)
	return w, nil
}

// Key names the subgroup.
func (w *Writer) Key() SubgroupKey { return w.key }

// ready checks that w may bring something in the state.
func (w *Writer) ready(s writerState) error {
	switch {
	case w.err != nil:
	case w.epoch != w.t.epoch:
		w.err = ErrEnded
	case w.g.evicted:
		w.t.counters.Late.Add(1)
		w.err = ErrEvicted
	case w.state != s || w.fin:
		w.err = ErrWriterState
	}
	return w.err
}

// fail remembers the error.
func (w *Writer) fail(err error) error {
	if err != nil && w.err == nil {
		w.err = err
	}
	return err
}

// Append brings a whole object. The log keeps a copy of the payload.
func (w *Writer) Append(h ObjectHeader, payload []byte) error {
	w.t.mu.Lock()
	defer w.t.unlock()
	if err := w.ready(writerIdle); err != nil {
		return err
	}
	h.PayloadLen = uint64(len(payload))
	return w.fail(w.bring(h, payload, true))
}

// Begin brings the header of an object whose h.PayloadLen bytes of payload
// follow in calls of Write.
func (w *Writer) Begin(h ObjectHeader) error {
	w.t.mu.Lock()
	defer w.t.unlock()
	if err := w.ready(writerIdle); err != nil {
		return err
	}
	return w.fail(w.bring(h, nil, h.PayloadLen == 0))
}

// Write brings a part of the payload. Readers see it at once.
func (w *Writer) Write(p []byte) (int, error) {
	t := w.t
	t.mu.Lock()
	defer t.unlock()
	if w.state == writerIdle || w.state == writerClosed {
		return 0, w.fail(ErrWriterState)
	}
	if err := w.ready(w.state); err != nil {
		return 0, err
	}
	if uint64(len(p)) > w.left {
		return 0, w.fail(ErrWriterState)
	}
	w.left -= uint64(len(p))
	switch w.state {
	case writerWriting:
		w.s.run.write(p)
		w.s.run.waiting.moveTo(&t.waking)
		if w.left == 0 {
			if err := w.commit(w.s.run); err != nil {
				return 0, w.fail(err)
			}
		}
		t.payDebt(int64(len(p)))
	case writerKeeping:
		w.keepMore(p)
	}
	if w.left == 0 {
		w.state = writerIdle
	}
	w.settle()
	return len(p), nil
}

// bring decides what becomes of an object and does it.
func (w *Writer) bring(h ObjectHeader, payload []byte, whole bool) error {
	if w.brings && h.ID <= w.newest {
		return malformed(w.at(h.ID), "follows object %d on its stream", w.newest)
	}
	if h.PayloadLen > w.t.maxObject {
		return ErrTooLarge
	}
	h.From = w.info.Form
	w.brings, w.newest = true, h.ID
	w.last = h.Status != model.StatusNormal
	w.left = h.PayloadLen - uint64(len(payload))
	if len(w.aside) > 0 {
		if time.Since(w.aside[0].came) > AsidePatience {
			w.overtake()
		}
		w.keep(h, payload, whole)
		w.settle()
		return w.err
	}
	w.gap, w.dropped = w.gap || w.dropped, false
	v, err := w.judge(&h)
	if err != nil {
		return err
	}
	if v == verdictWait {
		w.keep(h, payload, whole)
		w.settle()
		return w.err
	}
	err = w.place(v, h, payload, whole)
	w.settle()
	return err
}

// Close says that the subgroup ends after what was brought (FIN).
func (w *Writer) Close() error {
	w.t.mu.Lock()
	defer w.t.unlock()
	if err := w.ready(writerIdle); err != nil {
		return err
	}
	w.fin = true
	if len(w.aside) > 0 {
		w.settle()
		return w.err
	}
	err := w.finish()
	w.settle()
	return w.fail(err)
}

// finish ends the subgroup where w ends.
func (w *Writer) finish() error {
	s, run := w.s, w.s.run
	defer w.detach(codeGap)
	if !w.brings {
		return nil // says nothing
	}
	at := w.at(w.newest)
	end := w.newest + 1
	if had, ok := s.end.Get(); ok && had != end {
		return malformed(at, "subgroup %d ends after it and before %d", s.id, had)
	}
	if run != nil {
		if last := run.last(); last != nil && last.id > w.newest {
			return malformed(at, "subgroup %d ends after it but has object %d", s.id, last.id)
		}
	}
	s.end = model.Some(end)
	if w.info.EndOfGroup {
		groupEnd := end
		if w.last {
			groupEnd = w.newest
		}
		if err := w.t.endGroup(w.g, groupEnd, at); err != nil {
			return err
		}
	}
	if run == nil || run.partial {
		return nil
	}
	if last := run.last(); last != nil && last.id == w.newest {
		run.close(runFinished, 0)
		s.run = nil
	}
	return nil
}

// Abort says that the stream was reset with the code. An object that was not
// complete is cut from the log. Calling it after Close has no effect.
func (w *Writer) Abort(code model.ResetCode) {
	t := w.t
	t.mu.Lock()
	defer t.unlock()
	if w.state == writerClosed || w.fin && w.err == nil {
		return
	}
	if w.epoch == t.epoch && !w.g.evicted && w.state == writerWriting {
		w.tear(code)
	}
	w.s.asides -= len(w.aside)
	w.aside, w.kept = nil, 0
	w.detach(code)
	w.settle()
}

// tear cuts the object that w is writing and ends its run.
func (w *Writer) tear(code model.ResetCode) {
	w.t.counters.Torn.Add(1)
	w.s.run.cut()
	w.s.run.close(runReset, code)
	w.s.run = nil
	w.state = writerIdle
}

// detach takes w from its subgroup. A run that nobody can go on with is reset.
func (w *Writer) detach(code model.ResetCode) {
	if w.state == writerClosed {
		return
	}
	w.state = writerClosed
	if i := slices.Index(w.s.writers, w); i >= 0 {
		w.s.writers = slices.Delete(w.s.writers, i, i+1)
		w.g.writers--
	}
	if run := w.s.run; run != nil && !w.s.followed(nil) {
		run.close(runReset, code)
		w.s.run = nil
	}
}

// followed reports whether a writer other than w may still bring what comes
// next in the open run.
func (s *subgroup) followed(w *Writer) bool {
	for _, o := range s.writers {
		if o != w && len(o.aside) == 0 && o.err == nil {
			return true
		}
	}
	return false
}

func (w *Writer) at(id uint64) model.Location {
	return model.Location{Group: w.key.Group, Object: id}
}
