package track

import (
	"io"

	"oxymoq/pkg/model"
)

// Item is what a RangeReader finds: an object, or a range of which the log does
// not know whether there are any.
type Item struct {
	Object  *Object     // nil: Unknown is set
	Unknown model.Range // no object in it is held
}

// RangeReader reads the objects of a range for a fetch, merged from all runs and
// datagrams: groups in the order wished, objects by ID. It reads what the log
// holds at the moment of each Next, so eviction meanwhile shows as an unknown
// range. It is for one goroutine at a time.
type RangeReader struct {
	t          *Track
	span       model.Range
	descending bool
	epoch      uint64

	// The range is read in stretches, each in ascending order.
	low, stop model.Location // of the present one, both included
	pos       model.Location // what comes next in it
	done      bool
	object    Object
	pins      []*chunk
	hint      int // place in group.runs of the run read last
}

// Range returns a reader of the range, which should end no later than the
// largest location; what lies beyond is unknown.
func (t *Track) Range(r model.Range, order model.GroupOrder) *RangeReader {
	t.mu.Lock()
	defer t.mu.Unlock()
	rr := &RangeReader{t: t, span: r, descending: order == model.Descending, epoch: t.epoch, done: r.Empty()}
	rr.low, rr.stop = r.Start, r.End
	if rr.descending {
		rr.low, rr.stop = t.stretch(r.Start, r.End)
	}
	rr.pos = rr.low
	return rr
}

// stretch returns the part of from..to that a descending read begins with: the
// last group if it is held, or else all after the newest group before it that is.
func (t *Track) stretch(from, to model.Location) (low, stop model.Location) {
	low = model.Location{Group: to.Group}
	if i, here := t.groupAt(to.Group); !here {
		low = model.Location{}
		if i > 0 {
			low.Group = t.groups[i-1].id + 1
		}
	}
	if low.Less(from) {
		low = from
	}
	return low, to
}

// Next returns the next item, valid until the call after, or io.EOF. After a
// new epoch it returns ErrEnded.
func (r *RangeReader) Next() (Item, error) {
	t := r.t
	t.mu.Lock()
	defer t.unlock()
	r.release()
	if r.epoch != t.epoch {
		return Item{}, ErrEnded
	}
	t.expire(0)
	for !r.done {
		if r.descending && r.low.Group != r.stop.Group {
			// A group that has come into the middle meanwhile has its turn after
			// those above it.
			if low, _ := t.stretch(r.span.Start, r.stop); r.pos.Less(low) {
				r.low, r.pos = low, low
			}
		}
		k, through := t.classify(r.pos)
		if r.stop.Less(through) {
			through = r.stop
		}
		from := r.pos
		if k == held {
			g := t.lookup(from.Group)
			run, e := g.findFrom(&r.hint, from.Object)
			r.advance(from)
			r.pins = run.object(&r.object, e, r.pins)
			return Item{Object: &r.object}, nil
		}
		r.advance(through)
		if k == unknown {
			return Item{Unknown: model.Range{Start: from, End: through}}, nil
		}
	}
	return Item{}, io.EOF
}

// advance moves on after the location.
func (r *RangeReader) advance(l model.Location) {
	switch {
	case l != r.stop:
		r.pos = l.Next()
	case !r.descending || !r.span.Start.Less(r.low):
		r.done = true
	default:
		r.low, r.stop = r.t.stretch(r.span.Start, r.low.Prev())
		r.pos = r.low
	}
}

// findFrom is find for reading in order: hint is where the object before was.
func (g *group) findFrom(hint *int, id uint64) (*Run, *entry) {
	for i := *hint; i < min(*hint+2, len(g.runs)); i++ {
		if e := g.runs[i].find(id); e != nil && e.seq != unfinished {
			*hint = i
			return g.runs[i], e
		}
	}
	for i := len(g.runs) - 1; i >= 0; i-- {
		if e := g.runs[i].find(id); e != nil && e.seq != unfinished {
			*hint = i
			return g.runs[i], e
		}
	}
	return g.find(id)
}

// Close frees what the reader holds.
func (r *RangeReader) Close() { r.release() }

func (r *RangeReader) release() {
	for i, p := range r.pins {
		p.unpin()
		r.pins[i] = nil
	}
	r.pins = r.pins[:0]
}
