package track

import (
	"slices"

	"oxymoq/pkg/model"
)

// FetchedObject is an object that came on a fetch stream.
type FetchedObject struct {
	model.Location
	Subgroup uint64 // meaningless if Datagram
	Datagram bool
	// MaybeDatagram says that the publisher could not tell, and that Subgroup is
	// only what a datagram's would be: then it is one if the track has others.
	MaybeDatagram bool
	Priority      model.Opt[uint8]
	Status        model.ObjectStatus
	Properties    []byte
	Form          Form // of Properties
	Immutable     bool // as in ObjectHeader
	Payload       []byte
}

// AddFetched keeps an object for later fetches, without telling subscribers: it
// was published before they came, or comes to them live. It settles whether o was
// a datagram.
func (t *Track) AddFetched(o *FetchedObject) error {
	t.mu.Lock()
	defer t.unlock()
	return t.addFetched(o)
}

func (t *Track) addFetched(o *FetchedObject) error {
	if uint64(len(o.Payload)) > t.maxObject {
		return ErrTooLarge
	}
	if end, ok := t.end.Get(); ok && o.Group > end.Group {
		return malformed(o.Location, "comes after the end of the track at %v", end)
	}
	g := t.hold(o.Group)
	if o.MaybeDatagram {
		o.Datagram, o.MaybeDatagram = t.tellDatagram(g, o.Object), false
	}
	h := ObjectHeader{
		ID: o.Object, Properties: o.Properties, From: o.Form, PayloadLen: uint64(len(o.Payload)), Status: o.Status,
		Immutable: o.Immutable,
	}
	if g.held(o.Object) {
		return t.compare(g, h, o.Datagram, o.Subgroup, o.Priority)
	}
	if err := t.checkEnds(g, o.Location, o.Status); err != nil {
		return err
	}
	if t.absent.contains(o.Location) {
		return nil
	}
	held := t.account.held.Load()
	key := SubgroupKey{Group: o.Group, Subgroup: o.Subgroup}
	if o.Datagram {
		key.Subgroup = 0
	}
	run := t.storeRun(g, key, SubgroupInfo{Priority: o.Priority, Properties: true, Form: o.Form}, o.Datagram, o.Object)
	if err := run.begin(h, o.Payload, true); err != nil {
		return err
	}
	run.partial = false
	t.seq++
	run.find(o.Object).seq = t.seq
	id := objectID(o.Object)
	g.stored.add(id, id)
	g.lost.remove(id, id)
	t.counters.Fetched.Add(1)
	t.payDebt(t.account.held.Load() - held)
	return nil
}

// tellDatagram tells whether a fetched object was a datagram, whose publisher
// could not say. A draft that cannot does not let a track have both kinds.
func (t *Track) tellDatagram(g *group, id uint64) bool {
	if r, _ := g.find(id); r != nil {
		return r.datagram
	}
	return t.counters.Datagrams.Load() > 0
}

// Fill watches the log while a fetch puts objects into it, so that what is
// evicted meanwhile is not taken for known, and nothing of one epoch gets into
// the next. End it with Close.
type Fill struct {
	t     *Track
	epoch uint64
	lost  placeSet // guarded by t.mu
}

// BeginFill returns a watch that begins now.
func (t *Track) BeginFill() *Fill {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := &Fill{t: t, epoch: t.epoch}
	t.fills = append(t.fills, f)
	return f
}

// Add is AddFetched, or returns ErrEnded once another epoch has begun.
func (f *Fill) Add(o *FetchedObject) error {
	f.t.mu.Lock()
	defer f.t.unlock()
	if f.epoch != f.t.epoch {
		return ErrEnded
	}
	return f.t.addFetched(o)
}

// MarkKnown says that since BeginFill everything in the range that exists was
// added: the fetch came to its end, or to here.
func (f *Fill) MarkKnown(r model.Range) {
	f.t.mu.Lock()
	defer f.t.mu.Unlock()
	if f.epoch == f.t.epoch {
		f.t.markKnown(r, &f.lost)
	}
}

// Close ends the watch.
func (f *Fill) Close() {
	f.t.mu.Lock()
	defer f.t.mu.Unlock()
	f.t.fills = slices.DeleteFunc(f.t.fills, func(o *Fill) bool { return o == f })
}

// forget removes locations from what is known, after they were evicted.
func (t *Track) forget(lo, hi model.Location) {
	t.known.remove(lo, hi)
	for _, f := range t.fills {
		f.lost.add(lo, hi)
	}
}

// MarkKnown says that everything in the range that exists is in the log now.
func (t *Track) MarkKnown(r model.Range) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.markKnown(r, &placeSet{})
}

func (t *Track) markKnown(r model.Range, but *placeSet) {
	t.known.add(r.Start, r.End)
	for _, sp := range but.spans {
		t.known.remove(sp.lo, sp.hi)
	}
	for _, g := range t.groups { // nothing that was lost before is known
		for _, sp := range g.lost.spans {
			t.known.remove(model.Location{Group: g.id, Object: uint64(sp.lo)}, model.Location{Group: g.id, Object: uint64(sp.hi)})
		}
	}
	t.known.bound(maxKnown)
}

// LiveFrom says that a live subscription gives everything from the location on.
func (t *Track) LiveFrom(l model.Location) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.startLive(l)
}

// LiveFromNext says that a live subscription gives everything from now on, and
// that nobody knows where that begins: the next object tells.
func (t *Track) LiveFromNext() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopLive()
	t.liveNext = true
}

func (t *Track) startLive(l model.Location) {
	t.stopLive()
	t.liveFrom = model.Some(l)
	t.live.add(l, model.Forever)
}

// LiveStopped says that no live subscription feeds the log any more: what comes
// after the largest location is unknown.
func (t *Track) LiveStopped() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopLive()
}

func (t *Track) stopLive() {
	t.liveNext = false
	if !t.liveFrom.Set {
		return
	}
	t.liveFrom = model.Opt[model.Location]{}
	t.live.bound(maxKnown)
	top, ok := t.largest.Get()
	if !ok {
		t.live = placeSet{}
		return
	}
	if top != model.Forever {
		t.live.remove(top.Next(), model.Forever)
	}
}
