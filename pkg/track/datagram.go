package track

import "oxymoq/pkg/model"

// MaxDatagramPayload is the largest payload in bytes of an object that comes in
// a datagram; no UDP packet carries more.
const MaxDatagramPayload = 1<<16 - 1

// Datagram is an object that came in a datagram.
type Datagram struct {
	model.Location
	Priority   model.Opt[uint8]
	Status     model.ObjectStatus
	EndOfGroup bool // no object with a larger ID exists in the group
	Properties []byte
	Form       Form // of Properties
	Immutable  bool // as in ObjectHeader
	Payload    []byte

	PriorGroupGap, PriorObjectGap uint64 // as in ObjectHeader
}

// AppendDatagram appends an object that came in a datagram. A duplicate is
// dropped without error, as are objects that come too late for their group.
func (t *Track) AppendDatagram(d *Datagram) error {
	t.mu.Lock()
	defer t.unlock()
	if t.ended {
		return ErrEnded
	}
	if uint64(len(d.Payload)) > min(t.maxObject, MaxDatagramPayload) {
		return ErrTooLarge
	}
	h := ObjectHeader{
		ID: d.Object, Properties: d.Properties, From: d.Form, PayloadLen: uint64(len(d.Payload)), Status: d.Status,
		Immutable: d.Immutable, PriorGroupGap: d.PriorGroupGap, PriorObjectGap: d.PriorObjectGap,
	}
	if end, ok := t.end.Get(); ok && d.Group > end.Group { // before a group is made for it
		return malformed(d.Location, "comes after the end of the track at %v", end)
	}
	g, err := t.admitLive(d.Group)
	if err != nil {
		return nil // counted there
	}
	if g.seen.contains(objectID(d.Object)) {
		t.counters.Duplicates.Add(1)
		return t.compare(g, h, true, 0, d.Priority)
	}
	if err := t.checkEnds(g, d.Location, d.Status); err != nil {
		return err
	}
	if err := t.learnGaps(g, d.Location, &h); err != nil {
		return err
	}
	if t.absent.contains(d.Location) {
		t.counters.Late.Add(1)
		return nil
	}
	held := t.account.held.Load()
	run := t.datagramRun(g, SubgroupInfo{Priority: d.Priority, Properties: true, Form: d.Form})
	if err := run.begin(h, d.Payload, true); err != nil {
		return err
	}
	run.partial = false
	e := run.find(d.Object)
	e.last = d.EndOfGroup
	t.counters.Datagrams.Add(1)
	err = t.complete(g, e)
	t.announce(announcement{run: run, datagram: true, id: d.Object})
	t.payDebt(t.account.held.Load() - held)
	return err
}

// datagramRun returns the run of the group for datagrams of a form and priority.
func (t *Track) datagramRun(g *group, info SubgroupInfo) *Run {
	for i := len(g.runs) - 1; i >= 0; i-- {
		if r := g.runs[i]; r.datagram && r.info == info {
			return r
		}
	}
	return t.openRun(g, SubgroupKey{Group: g.id}, info, true, true)
}
