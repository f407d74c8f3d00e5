package hall

import (
	"context"
	"io"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
	"oxymoq/pkg/wire"
)

// errEmpty refuses a FETCH whose draft has no other word for it.
var errEmpty = &model.RequestError{Code: model.NoObjects, Reason: "no object of the range exists"}

// Answerable returns what to send on a FETCH of the session, to be called before
// FETCH_OK. If the draft has no such answer for a range without objects, it waits
// for the first, or a range of which the source knows nothing, and returns a
// *model.RequestError if neither comes (draft 14, section 9.16.3).
func Answerable(ctx context.Context, s *session.Session, source egress.ObjectSource) (egress.ObjectSource, error) {
	if wire.FetchMayBeEmpty(s.Draft()) {
		return source, nil
	}
	return begun(ctx, source)
}

func begun(ctx context.Context, source egress.ObjectSource) (egress.ObjectSource, error) {
	for {
		first, err := source.Next(ctx)
		switch {
		case err == io.EOF:
			return nil, errEmpty
		case err != nil:
			return nil, err
		case first.Object != nil && first.Object.Status != model.StatusNormal:
			continue // fetch streams have no markers
		}
		taken := false
		return egress.SourceFunc(func(ctx context.Context) (track.Item, error) {
			if taken {
				return source.Next(ctx)
			}
			taken = true
			return first, nil
		}), nil
	}
}
