package hall

import (
	"context"
	"errors"
	"fmt"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
	"oxymoq/pkg/wire"
)

// Passing returns what comes on a FETCH of ours as the source of another fetch
// stream, and puts each object into the log on its way, unless that is nil. from
// is where the range begins. The FETCH is cancelled when the context of Next
// ends, which may be in the middle of an object.
func Passing(f *session.Fetch, s *session.Session, log *track.Fill, from model.Location) egress.ObjectSource {
	next := from
	form, says := FormOf(s.Draft(), true), wire.FetchSaysDatagram(s.Draft())
	var object track.Object
	return egress.SourceFunc(func(ctx context.Context) (track.Item, error) {
		stop := context.AfterFunc(ctx, f.Cancel)
		defer stop()
		for {
			item, err := f.Next(ctx)
			if err != nil {
				return track.Item{}, contradiction(malformed(err, next.Group))
			}
			begin := next
			next = item.Location.Next()
			switch item.Kind {
			case wire.FetchObject:
			case wire.FetchEndNonExistent:
				continue
			default:
				return track.Item{Unknown: model.Range{Start: begin, End: item.Location}}, nil
			}
			payload, err := f.Payload()
			if err != nil {
				return track.Item{}, err
			}
			stored := track.FetchedObject{
				Location: item.Location, Subgroup: item.Subgroup, Datagram: item.Datagram,
				Priority: model.Some(item.Priority), Properties: item.Properties, Form: form, Payload: payload,
				MaybeDatagram: !says && item.Subgroup == item.Location.Object,
				Immutable:     wire.HasImmutable(wire.PropertyFormOf(s.Draft()), item.Properties),
			}
			if log != nil {
				if err := log.Add(&stored); err != nil {
					return track.Item{}, contradiction(err)
				}
			}
			object = track.Object{
				Location: item.Location, Subgroup: item.Subgroup, Datagram: stored.Datagram,
				Priority: stored.Priority, Properties: item.Properties, Form: form, Immutable: stored.Immutable, Payload: [][]byte{payload},
			}
			return track.Item{Object: &object}, nil
		}
	})
}

// contradiction gives the error of a malformed track the code with which the
// fetch streams that carry it end (section 2.4.2).
func contradiction(err error) error {
	if _, ok := errors.AsType[*track.MalformedError](err); ok {
		return fmt.Errorf("%w: %w", err, &model.StreamError{Code: model.ResetMalformedTrack})
	}
	return err
}
