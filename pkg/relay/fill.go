package relay

import (
	"context"
	"errors"
	"io"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/track"
)

// within bounds the wait for a publisher by the context fill: when the fill
// timeout of the fetch passes, the rest of the range is unknown (section
// 10.2.5), as is what lies after the end of which the publisher knows: that of its
// FETCH_OK, or what it sent, since moxygen names the largest object as the end
// where section 10.13 has the next one. When all has come, and before anybody learns of that, log is told; it may be nil.
func (f *fetch) within(fill context.Context, publisher egress.ObjectSource, end model.Location, log *track.Fill) egress.ObjectSource {
	next, over := f.rng.Start, false
	var unknown []model.Range
	return egress.SourceFunc(func(ctx context.Context) (track.Item, error) {
		if over {
			return track.Item{}, io.EOF
		}
		item, err := publisher.Next(fill)
		if err == io.EOF && log != nil {
			known := f.rng
			if end.Less(known.End) {
				known.End = end
			}
			markKnown(log, known, unknown)
		}
		switch {
		case err == nil:
		case err == io.EOF && end.Less(f.rng.End):
			over, item = true, track.Item{Unknown: model.Range{Start: end.Next(), End: f.rng.End}}
		case err != io.EOF && ctx.Err() == nil && errors.Is(context.Cause(fill), errFilled) && !f.rng.End.Less(next):
			over, item = true, track.Item{Unknown: model.Range{Start: next, End: f.rng.End}}
		default:
			return item, err
		}
		if item.Object != nil {
			next = item.Object.Location.Next()
			if end.Less(item.Object.Location) {
				end = item.Object.Location
			}
			return item, nil
		}
		next = item.Unknown.End.Next()
		unknown = append(unknown, item.Unknown)
		return item, nil
	})
}

// markKnown tells the log that a fetch has brought all of the range that exists,
// but for the parts that the publisher did not know either, which ascend: in
// descending order the stream ends with the first.
func markKnown(log *track.Fill, rng model.Range, unknown []model.Range) {
	for _, u := range unknown {
		if rng.Start.Less(u.Start) {
			log.MarkKnown(model.Range{Start: rng.Start, End: u.Start.Prev()})
		}
		if u.End == model.Forever {
			return
		}
		rng.Start = u.End.Next()
	}
	if !rng.Empty() {
		log.MarkKnown(rng)
	}
}

// malformed ends the subscription to a publisher whose fetch contradicts what
// is known of the track.
func (f *fetch) malformed(pub *peer, err error) {
	if _, ok := errors.AsType[*track.MalformedError](err); !ok {
		return
	}
	r := f.peer.r
	r.mu.Lock()
	u := f.t.ups[pub]
	r.mu.Unlock()
	if u != nil {
		u.failed(err)
	}
}
