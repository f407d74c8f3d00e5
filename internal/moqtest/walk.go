package moqtest

import (
	"io"

	"oxymoq/pkg/model"
)

// walk goes through the objects of a range in the order of a fetch stream: groups
// ascending or descending, objects ascending.
type walk struct {
	p          Params
	r          model.Range
	descending bool
	group      uint64 // the present one
	object     uint64 // the next one in it
	done       bool
}

func newWalk(p Params, r model.Range, order model.GroupOrder) *walk {
	w := &walk{p: p, r: r, descending: order == model.Descending}
	first, last := p.Start.Group, p.End().Group
	if r.Start.Group > first {
		first += (r.Start.Group - first + p.GroupStep - 1) / p.GroupStep * p.GroupStep
	}
	if r.End.Group < last {
		if r.End.Group < p.Start.Group {
			w.done = true
			return w
		}
		last = lastOf(p.Start.Group, r.End.Group, p.GroupStep)
	}
	if w.done = r.Empty() || first > last; w.done {
		return w
	}
	w.group = first
	if w.descending {
		w.group = last
	}
	w.object = p.Start.Object
	return w
}

// next returns the next location, or io.EOF.
func (w *walk) next() (model.Location, error) {
	for !w.done {
		at := model.Location{Group: w.group, Object: w.object}
		if w.object > w.p.Last.Object || w.r.End.Less(at) {
			w.leave()
			continue
		}
		w.object += w.p.ObjectStep
		if w.r.Contains(at) && !w.p.marks(at) {
			return at, nil
		}
	}
	return model.Location{}, io.EOF
}

// leave goes on to the next group.
func (w *walk) leave() {
	w.object = w.p.Start.Object
	switch {
	case w.descending:
		// Below the range nothing remains; the subtraction must not wrap around.
		if w.group < w.p.Start.Group+w.p.GroupStep || w.group-w.p.GroupStep < w.r.Start.Group {
			w.done = true
		}
		w.group -= w.p.GroupStep
	default:
		w.group += w.p.GroupStep
		w.done = w.group > w.p.Last.Group || w.group > w.r.End.Group
	}
}
