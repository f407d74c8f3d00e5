package relay

import (
	"context"
	"errors"
	"io"
	"slices"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// errFilled ends the wait for publishers when the peer's FILL_TIMEOUT does.
var errFilled = errors.New("the fill timeout of the fetch has passed")

func (f *fetch) descending() bool { return f.req.Order == model.Descending }

// stitch answers with what the log has and what publishers have beside it.
func (f *fetch) stitch() {
	missing, theirs := f.plan()
	defer theirs.close()
	info, keep, err := f.await(theirs.parts)
	switch {
	case f.ctx.Err() != nil: // cancelled
		return
	case err == nil:
	case f.known && f.holds(): // many publishers do not serve fetches; what passed here is something
		f.fromLog()
		return
	case errors.Is(err, errFilled):
		f.reject(model.RequestTimeout, errFilled.Error())
		return
	case errors.Is(err, errNoAnswer):
		f.reject(model.RequestTimeout, errNoAnswer.Error())
		return
	default:
		f.refuse(refusal(err))
		return
	}
	if missing.End == f.rng.End {
		f.clip(info.End)
		missing.End = f.rng.End
	}
	if f.rng.Empty() { // as the end of a longer range shows
		f.reject(model.InvalidRange, "the range begins after the largest object")
		return
	}
	info.End = f.rng.End
	if !keep {
		// The log may be of an earlier life of the track.
		f.answer(info, theirs, true)
		return
	}
	source := &stitched{f: f}
	defer source.close()
	source.begin(missing, theirs)
	f.answer(info, source, true)
}

// plan finds out what is missing of the range, which is one range although the
// log may hold something in it, and has it brought.
func (f *fetch) plan() (missing model.Range, t *theirs) {
	f.t.r.mu.Lock()
	defer f.t.r.mu.Unlock()
	missing = f.rng
	if f.known {
		some := false
		if missing, some = f.t.log.Missing(f.rng); !some { // it came just now
			return nothing, &theirs{f: f}
		}
		if largest, some := f.largest.Get(); some && largest.Less(missing.Start) && !largest.Less(f.rng.Start) {
			missing.Start = largest // many publishers refuse a range in which there is nothing
		}
		if f.descending() { // only whole groups can be put together
			missing.Start, _ = groupOf(missing.Start)
			_, missing.End = groupOf(missing.End)
			missing = within(missing, f.rng)
		}
	}
	return missing, &theirs{f: f, parts: f.partsLocked(missing)}
}

// nothing is an empty range.
var nothing = model.Range{Start: model.Location{Object: 1}}

// within returns the part of a that lies in b.
func within(a, b model.Range) model.Range {
	if a.Start.Less(b.Start) {
		a.Start = b.Start
	}
	if b.End.Less(a.End) {
		a.End = b.End
	}
	return a
}

// partsLocked has a range brought, in the order of the stream: by what is under
// way already as far as that goes.
func (f *fetch) partsLocked(rng model.Range) []*part {
	for _, n := range f.t.fillings {
		p := f.joinLocked(n, rng)
		if p == nil {
			continue
		}
		var before, after []*part
		if rng.Start.Less(p.rng.Start) {
			before = f.partsLocked(model.Range{Start: rng.Start, End: p.rng.Start.Prev()})
		}
		if p.rng.End.Less(rng.End) {
			after = f.partsLocked(model.Range{Start: p.rng.End.Next(), End: rng.End})
		}
		if f.descending() {
			before, after = after, before
		}
		return append(append(before, p), after...)
	}
	n := f.beginLocked(rng)
	n.readers = 1
	return []*part{{filling: n, rng: rng}}
}

// joinLocked makes the fetch a reader of what a filling brings of a range, nil if
// that is nothing, or cannot be used.
func (f *fetch) joinLocked(n *filling, rng model.Range) *part {
	if f.peer.isRelay() && !f.mayAskAll(n.publishers) {
		return nil // a relay that would wait for itself
	}
	if n.descending != f.descending() || n.patience.Set && (f.until.IsZero() || n.until.Before(f.until)) {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.left || n.end != nil && n.end != io.EOF {
		return nil
	}
	theirs := n.rng
	if gone, ok := n.dropped.Get(); ok {
		if !n.descending {
			theirs.Start = gone.Next()
		} else if gone.Group == 0 {
			return nil
		} else {
			first, _ := groupOf(gone)
			theirs.End = first.Prev()
		}
	}
	shared := within(rng, theirs)
	if shared.Empty() {
		return nil
	}
	if n.descending {
		first, _ := groupOf(shared.Start)
		_, last := groupOf(shared.End)
		if shared.Start != rng.Start && shared.Start != first || shared.End != rng.End && shared.End != last {
			return nil // in the middle of a group
		}
	}
	if !f.live && shared != rng {
		return nil // the rest may lie behind all that exists, and would be refused
	}
	n.readers++
	return &part{filling: n, rng: shared, number: n.first}
}

// mayAskAll reports whether all publishers are among those of the fetch.
func (f *fetch) mayAskAll(publishers []*peer) bool {
	return !slices.ContainsFunc(publishers, func(p *peer) bool { return !slices.Contains(f.publishers, p) })
}

// await waits until all parts are accepted, and returns how far the range goes
// and whether the log may be used.
func (f *fetch) await(parts []*part) (info session.FetchInfo, keep bool, err error) {
	info, keep = session.FetchInfo{End: f.rng.End, Properties: f.t.log.Properties()}, true
	for _, p := range parts {
		select {
		case <-p.answered:
		case <-f.fill.Done():
			return info, keep, context.Cause(f.fill)
		}
		if p.refused != nil {
			return info, keep, p.refused
		}
		keep = keep && p.keep
		if p.rng.End == f.rng.End {
			info = p.info // of a range that may be longer
			info.EndOfTrack = info.EndOfTrack && !f.rng.End.Less(info.End)
		}
	}
	if largest, some := f.largest.Get(); f.known && some && info.End.Less(largest) {
		info.End, info.EndOfTrack = largest, false
	}
	info.EndOfTrack = info.EndOfTrack || f.known && f.t.log.EndsWith(info.End)
	return info, keep, nil
}

// theirs is what publishers have of a range: its parts, one after the other. A part
// without a filling is asked for when it is needed.
type theirs struct {
	f     *fetch
	parts []*part
}

// Next is for egress.ObjectSource. What is no longer at hand is asked for again.
func (t *theirs) Next(ctx context.Context) (track.Item, error) {
	for len(t.parts) > 0 {
		p := t.parts[0]
		if p.filling == nil {
			t.f.t.r.mu.Lock()
			again := t.f.partsLocked(p.rng)
			t.f.t.r.mu.Unlock()
			t.parts = append(again, t.parts[1:]...)
			continue
		}
		item, err := p.Next(t.f.fill)
		switch {
		case err == nil:
			if item.Object == nil {
				if item.Unknown = within(item.Unknown, t.f.rng); item.Unknown.Empty() {
					continue // beyond the end in FETCH_OK, where objects may be but no marks
				}
			}
			return item, nil
		case ctx.Err() != nil:
			return item, context.Cause(ctx)
		case err == errLagged:
			var again []*part
			for _, rng := range p.remains() {
				again = append(again, &part{rng: rng})
			}
			t.drop()
			t.parts = append(again, t.parts...)
		case err == io.EOF:
			t.drop()
		default:
			return item, err
		}
	}
	return track.Item{}, io.EOF
}

func (t *theirs) drop() {
	if n := t.parts[0].filling; n != nil {
		n.leave()
	}
	t.parts = t.parts[1:]
}

func (t *theirs) close() {
	for len(t.parts) > 0 {
		t.drop()
	}
}

// stitched is what the log has of the range of a fetch, with what publishers have
// where that knows nothing.
type stitched struct {
	f *fetch
	// pieces are what to read, the last first. Those of the log alone may find
	// that something has left it meanwhile; then it is asked for.
	pieces []piece
}

type piece struct {
	egress.ObjectSource
	log  *track.RangeReader
	from *theirs // nil: it is of the log alone
}

// begin sets out what is to be read: what is missing, and all before and after it.
func (s *stitched) begin(missing model.Range, t *theirs) {
	rng, pieces := s.f.rng, []piece(nil)
	if missing.Empty() {
		s.pieces = []piece{s.ours(rng)}
		return
	}
	if missing.End.Less(rng.End) {
		pieces = append(pieces, s.ours(model.Range{Start: missing.End.Next(), End: rng.End}))
	}
	pieces = append(pieces, s.theirs(missing, t))
	if rng.Start.Less(missing.Start) {
		pieces = append(pieces, s.ours(model.Range{Start: rng.Start, End: missing.Start.Prev()}))
	}
	if s.f.descending() && len(pieces) > 1 {
		pieces[0], pieces[len(pieces)-1] = pieces[len(pieces)-1], pieces[0]
	}
	s.pieces = pieces
}

func (s *stitched) ours(rng model.Range) piece {
	log := s.f.t.log.Range(rng, s.f.req.Order)
	return piece{ObjectSource: egress.FromLog(log), log: log}
}

func (s *stitched) theirs(rng model.Range, t *theirs) piece {
	log := s.f.t.log.Range(rng, s.f.req.Order)
	return piece{ObjectSource: hall.Merged(t, log, s.f.req.Order), log: log, from: t}
}

// Next is for egress.ObjectSource.
func (s *stitched) Next(ctx context.Context) (track.Item, error) {
	for len(s.pieces) > 0 {
		p := s.pieces[len(s.pieces)-1]
		item, err := p.Next(ctx)
		switch {
		case err == io.EOF:
			s.drop()
		case err != nil || item.Object != nil || p.from != nil || len(s.f.publishers) == 0:
			return item, err
		default:
			s.pieces = append(s.pieces, s.theirs(item.Unknown, &theirs{f: s.f, parts: []*part{{rng: item.Unknown}}}))
		}
	}
	return track.Item{}, io.EOF
}

func (s *stitched) drop() {
	last := len(s.pieces) - 1
	p := s.pieces[last]
	p.log.Close()
	if p.from != nil {
		p.from.close()
	}
	s.pieces = s.pieces[:last]
}

func (s *stitched) close() {
	for len(s.pieces) > 0 {
		s.drop()
	}
}
