package track

import "oxymoq/pkg/model"

// checkEnds refuses objects beyond an end that is known. A marker may be
// repeated.
func (t *Track) checkEnds(g *group, l model.Location, s model.ObjectStatus) error {
	if end, ok := t.end.Get(); ok && !l.Less(end) && (l != end || s != model.StatusEndOfTrack) {
		return malformed(l, "comes after the end of the track at %v", end)
	}
	if end, ok := g.end.Get(); ok && l.Object >= end && (l.Object != end || s == model.StatusNormal) {
		return malformed(l, "comes after the end of its group at %d", end)
	}
	return nil
}

// endGroup records that the group has no object with this ID or a larger one,
// apart from a marker at end; at is the object that said so.
func (t *Track) endGroup(g *group, end uint64, at model.Location) error {
	if had, ok := g.end.Get(); ok && had != end {
		return malformed(at, "ends its group at %d, but it ended at %d before", end, had)
	}
	if top, ok := g.largest(); ok && top > end || ok && top == end && at.Object != end {
		return malformed(at, "ends its group at %d, but object %d came before", end, top)
	}
	g.end = model.Some(end)
	return nil
}

// endTrack records that the track has nothing at the location or after it,
// apart from the marker.
func (t *Track) endTrack(g *group, l model.Location) error {
	if had, ok := t.end.Get(); ok && had != l {
		return malformed(l, "ends the track, but it ended at %v before", had)
	}
	if top, ok := t.largest.Get(); ok && l.Less(top) {
		return malformed(l, "ends the track, but %v came before", top)
	}
	t.end = model.Some(l)
	return t.endGroup(g, l.Object, l)
}

// EndsWith reports whether the publisher has said that the track has nothing after the
// location, and may have something there.
func (t *Track) EndsWith(l model.Location) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	end, ok := t.end.Get()
	return ok && (l == end || l != model.Forever && l.Next() == end)
}

// maxKnown bounds the number of spans in each of a track's location sets; what
// lies lowest is forgotten first.
const maxKnown = 1 << 14

// learnGaps takes in the properties that say that objects or groups before this
// one do not exist (sections 12.8 and 12.9).
func (t *Track) learnGaps(g *group, l model.Location, h *ObjectHeader) error {
	if n := h.PriorObjectGap; n > 0 {
		if n > l.Object {
			return malformed(l, "says that %d objects before it do not exist", n)
		}
		if g.seen.intersects(objectID(l.Object-n), objectID(l.Object-1)) {
			return malformed(l, "says that %d objects before it do not exist, but some came", n)
		}
		t.absent.add(model.Location{Group: l.Group, Object: l.Object - n}, l.Prev())
	}
	if n := h.PriorGroupGap; n > 0 {
		if n > l.Group {
			return malformed(l, "says that %d groups before it do not exist", n)
		}
		lo := l.Group - n
		if i, _ := t.groupAt(lo); i < len(t.groups) && t.groups[i].id < l.Group && t.groups[i].hasObjects() {
			return malformed(l, "says that %d groups before it do not exist, but %d came", n, t.groups[i].id)
		}
		t.absent.add(model.Location{Group: lo}, model.Location{Group: l.Group - 1, Object: model.MaxID})
	}
	t.absent.bound(maxKnown)
	return nil
}

// MarkAbsent takes in that an object does not exist and never will, said of itself
// and not before another, as draft 14 can. It is a gap like one that a property
// tells of.
func (t *Track) MarkAbsent(l model.Location) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return ErrEnded
	}
	if g := t.lookup(l.Group); g != nil && g.seen.contains(objectID(l.Object)) {
		return malformed(l, "does not exist, but came before")
	}
	t.absent.add(l, l)
	t.absent.bound(maxKnown)
	return nil
}

func (g *group) hasObjects() bool {
	return len(g.seen.spans) > 0 || len(g.stored.spans) > 0
}
