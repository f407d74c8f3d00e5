package hall

import (
	"context"
	"io"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/track"
)

// Merged returns what comes from a publisher together with what the log holds,
// in the order of both: many publishers keep less than a relay does. Objects
// that both have are taken from the publisher. What neither knows stays
// unknown only if the publisher says so.
func Merged(publisher egress.ObjectSource, log *track.RangeReader, order model.GroupOrder) egress.ObjectSource {
	m := &merged{publisher: publisher, log: log, descending: order == model.Descending}
	return egress.SourceFunc(m.next)
}

type merged struct {
	publisher  egress.ObjectSource
	log        *track.RangeReader
	descending bool

	// The next item of each, until it is used; done means there is none.
	theirs, ours         track.Item
	haveTheirs, haveOurs bool
	theirsDone, oursDone bool
}

func (m *merged) next(ctx context.Context) (track.Item, error) {
	if err := m.peek(ctx); err != nil {
		return track.Item{}, err
	}
	switch {
	case m.theirsDone && m.oursDone:
		return track.Item{}, io.EOF
	case m.theirsDone:
		return m.takeOurs(), nil
	case m.oursDone:
		return m.takeTheirs(), nil
	}
	here := m.ours.Object.Location
	if o := m.theirs.Object; o != nil {
		if o.Location == here {
			m.haveOurs = false
			return m.takeTheirs(), nil
		}
		if m.before(here, o.Location) {
			return m.takeOurs(), nil
		}
		return m.takeTheirs(), nil
	}
	unknown := m.theirs.Unknown
	switch {
	case m.before(unknown.End, here):
		return m.takeTheirs(), nil
	case m.before(here, unknown.Start):
		return m.takeOurs(), nil
	case m.descending || unknown.Start == here: // what we have comes first
		m.theirs.Unknown.Start = here.Next()
		if m.theirs.Unknown.Empty() {
			m.haveTheirs = false
		}
		return m.takeOurs(), nil
	}
	m.theirs.Unknown.Start = here // the part before here is reported, the rest waits
	return track.Item{Unknown: model.Range{Start: unknown.Start, End: here.Prev()}}, nil
}

func (m *merged) takeTheirs() track.Item { m.haveTheirs = false; return m.theirs }
func (m *merged) takeOurs() track.Item   { m.haveOurs = false; return m.ours }

// before reports whether a comes before b on the stream.
func (m *merged) before(a, b model.Location) bool {
	if m.descending && a.Group != b.Group {
		return a.Group > b.Group
	}
	return a.Less(b)
}

// peek makes the next item of each known. The log is read only when its last
// item was used, since that is valid no longer than until then.
func (m *merged) peek(ctx context.Context) (err error) {
	for !m.haveOurs && !m.oursDone {
		m.ours, err = m.log.Next()
		switch {
		case err == io.EOF:
			m.oursDone = true
		case err != nil:
			return err
		case m.ours.Object != nil && m.ours.Object.Status == model.StatusNormal:
			m.haveOurs = true
		}
	}
	if !m.haveTheirs && !m.theirsDone {
		m.theirs, err = m.publisher.Next(ctx)
		switch {
		case err == io.EOF:
			m.theirsDone = true
		case err != nil:
			return err
		default:
			m.haveTheirs = true
		}
	}
	return nil
}
