package relay

import (
	"oxymoq/pkg/model"
	"oxymoq/pkg/track"
)

// knowing tells the log, while a fetch of ours comes, of what it has brought
// everything that exists. Objects tell for themselves; what lies between them does
// not exist (section 10.12.3), but for the ranges of which the publisher says that
// it does not know either.
type knowing struct {
	log        *track.Fill // nil: nobody is told
	largest    func() model.Opt[model.Location]
	rng        model.Range
	descending bool
	// end is up to where the publisher knows: that of its FETCH_OK, or what it
	// sent, since moxygen names the largest object as the end where section 10.13
	// has the next one.
	end model.Location

	pos     model.Opt[model.Location] // what came last
	unknown bool                      // in descending order: from there on nothing is certain
}

// item takes in what has come.
func (k *knowing) item(i track.Item) {
	if i.Object == nil {
		k.unknown = k.descending
		k.pos = model.Some(i.Unknown.End)
		return
	}
	l := i.Object.Location
	if !k.rng.Contains(l) {
		return
	}
	if k.end.Less(l) {
		k.end = l
	}
	before := model.Range{Start: k.rng.Start, End: l}
	pos, begun := k.pos.Get()
	switch {
	case k.descending && begun && pos.Group == l.Group, !k.descending && begun:
		before.Start = pos.Next()
	case k.descending:
		first, last := groupOf(l)
		before.Start = first
		if last != model.Forever { // the groups above have come to their ends
			k.tell(model.Range{Start: last.Next(), End: k.rng.End})
		}
	}
	if before.Start != l {
		k.tell(before)
	}
	k.pos = model.Some(l)
}

// all is told when the stream has ended well.
func (k *knowing) all() {
	rest := k.rng
	if pos, begun := k.pos.Get(); begun && !k.descending {
		if pos == model.Forever {
			return
		}
		rest.Start = pos.Next()
	}
	k.tell(rest)
}

func (k *knowing) tell(r model.Range) {
	if k.log == nil || k.unknown || r.Empty() {
		return
	}
	if r.Start.Less(k.rng.Start) {
		r.Start = k.rng.Start
	}
	if k.rng.End.Less(r.End) {
		r.End = k.rng.End
	}
	// Beyond what was seen the track may grow; many publishers repeat in FETCH_OK
	// the end that was asked for.
	largest, some := k.largest().Get()
	if largest.Less(r.End) {
		r.End = largest
	}
	if k.end.Less(r.End) {
		r.End = k.end
	}
	if some && !r.Empty() {
		k.log.MarkKnown(r)
	}
}
