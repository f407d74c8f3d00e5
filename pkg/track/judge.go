package track

import "oxymoq/pkg/model"

// verdict is what is to become of an object that a writer brought.
type verdict uint8

const (
	verdictAppend verdict = iota // it is the next of the run, which may have to be opened
	verdictReopen                // it cannot follow in the open run, and nobody fills the gap
	verdictWait                  // another writer must come so far first
	verdictSkip                  // it is there already
	verdictLate                  // it is known not to exist, or its group is gone
	verdictStore                 // the run is past it: only fetches get it
)

// judge checks an object against all that is known of the track.
func (w *Writer) judge(h *ObjectHeader) (verdict, error) {
	t, g, s := w.t, w.g, w.s
	l := w.at(h.ID)
	if g.seen.contains(objectID(h.ID)) {
		return verdictSkip, t.compare(g, *h, false, w.key.Subgroup, w.info.Priority)
	}
	if err := t.checkEnds(g, l, h.Status); err != nil {
		return 0, err
	}
	if err := t.learnGaps(g, l, h); err != nil {
		return 0, err
	}
	if t.absent.contains(l) {
		return verdictLate, nil
	}
	if end, ok := s.end.Get(); ok && h.ID >= end {
		return 0, malformed(l, "subgroup %d ended before object %d", s.id, end)
	}
	run := s.run
	if run == nil || len(run.index) == 0 {
		return verdictAppend, nil
	}
	last := run.last()
	if h.ID < last.id {
		return verdictStore, nil
	}
	if run.partial {
		if h.ID == last.id && (h.PayloadLen != run.promised || h.Status != last.status) {
			return 0, malformed(l, "came with payloads of %d and %d bytes", run.promised, h.PayloadLen)
		}
		return verdictWait, nil
	}
	if p, ok := w.placed.Get(); ok && !w.gap && p <= last.id {
		return verdictAppend, nil // nothing of the subgroup lies between
	}
	if g.accounted(&t.absent, last.id+1, h.ID) {
		return verdictAppend, nil
	}
	if s.followed(w) {
		return verdictWait, nil
	}
	return verdictReopen, nil
}

// accounted reports whether every object from..below to is in the group already,
// so in other subgroups, or does not exist.
func (g *group) accounted(absent *placeSet, from, to uint64) bool {
	for from < to {
		if sp, ok := g.seen.covering(objectID(from)); ok {
			from = uint64(sp.hi) + 1
		} else if sp, ok := absent.covering(model.Location{Group: g.id, Object: from}); ok {
			if sp.hi.Group > g.id || sp.hi.Object >= to {
				return true
			}
			from = sp.hi.Object + 1
		} else {
			return false
		}
	}
	return true
}

// place does what was judged.
func (w *Writer) place(v verdict, h ObjectHeader, payload []byte, whole bool) error {
	t, s := w.t, w.s
	held := t.account.held.Load()
	switch v {
	case verdictSkip, verdictLate:
		if v == verdictSkip {
			t.counters.Duplicates.Add(1)
			w.placed, w.gap = model.Some(h.ID), false
		} else {
			t.counters.Late.Add(1)
		}
		if !whole {
			w.state = writerDiscarding
		}
		return nil
	case verdictStore:
		return w.store(h, payload, whole)
	case verdictReopen:
		s.run.close(runReset, codeGap)
		s.run = nil
	}
	run := s.run
	if run == nil {
		if s.runs >= MaxSubgroups {
			return ErrTooManySubgroups
		}
		s.runs++
		run = t.openRun(w.g, w.key, w.info, false, true)
		run.first = FirstNo
		if !w.placed.Set && !w.gap {
			run.first = w.info.First
		}
		s.run = run
	}
	if err := run.begin(h, payload, whole); err != nil {
		return err
	}
	run.waiting.moveTo(&t.waking)
	if whole {
		if err := w.commit(run); err != nil {
			return err
		}
	} else {
		w.state = writerWriting
	}
	t.payDebt(t.account.held.Load() - held)
	return nil
}

// commit completes the object at the end of the run.
func (w *Writer) commit(run *Run) error {
	e := run.last()
	if w.g.seen.contains(objectID(e.id)) { // another subgroup had it meanwhile
		payload := uint64(e.end-e.start) - uint64(e.head)
		h := ObjectHeader{ID: e.id, PayloadLen: payload, Status: e.status}
		err := w.t.compare(w.g, h, false, w.key.Subgroup, w.info.Priority)
		if err == nil {
			err = malformed(w.at(e.id), "came twice at once")
		}
		w.tear(model.ResetMalformedTrack)
		return err
	}
	run.partial = false
	w.placed, w.gap = model.Some(e.id), false
	return w.t.complete(w.g, e)
}

// complete enters a new object into what is known of its group and track.
func (t *Track) complete(g *group, e *entry) error {
	t.seq++
	e.seq = t.seq
	t.arrival = e.arrival
	l := model.Location{Group: g.id, Object: e.id}
	g.seen.add(objectID(e.id), objectID(e.id))
	if len(g.lost.spans) > 0 {
		g.lost.remove(objectID(e.id), objectID(e.id)) // was fetched and lost before
	}
	if t.liveNext {
		t.startLive(l)
	}
	t.grow(l)
	t.counters.ObjectsIn.Add(1)
	t.counters.BytesIn.Add(uint64(e.end-e.start) - uint64(e.head))
	switch {
	case e.status == model.StatusEndOfGroup:
		return t.endGroup(g, e.id, l)
	case e.status == model.StatusEndOfTrack:
		return t.endTrack(g, l)
	case e.last:
		return t.endGroup(g, e.id+1, l)
	}
	return nil
}

// store keeps an object for fetches only.
func (w *Writer) store(h ObjectHeader, payload []byte, whole bool) error {
	if !whole { // not worth keeping in parts
		w.t.counters.Late.Add(1)
		w.dropped, w.state = true, writerDiscarding
		return nil
	}
	w.placed, w.gap = model.Some(h.ID), false
	run := w.t.storeRun(w.g, w.key, w.info, false, h.ID)
	if err := run.begin(h, payload, true); err != nil {
		return err
	}
	run.partial = false
	if err := w.t.complete(w.g, run.last()); err != nil {
		return err
	}
	w.t.payDebt(int64(len(payload)))
	return nil
}
