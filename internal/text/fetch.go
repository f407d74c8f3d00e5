package text

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// fetchPatience is how long a FETCH may bring nothing once it has brought
// something.
const fetchPatience = 30 * time.Second

// fetcher fetches the span and is done. On a further session it goes on where
// it was.
func (c *Client) fetcher() way {
	f := &fetch{c: c, m: c.tracks.of(c.Track), next: c.Span.Start.Value, end: c.Span.End}
	f.m.fetched()
	again := retry{c: c}
	return func(ctx context.Context, s *session.Session) error {
		// A read from the stream does not end with ctx, but with the session.
		stop := context.AfterFunc(ctx, func() { s.Close(model.NoError, "") })
		defer stop()
		again.pauses = pauses{}
		for {
			from := f.next
			err := f.run(ctx, s)
			if err == nil {
				f.m.end(true, time.Now())
				return nil
			}
			if _, cut := errors.AsType[*model.StreamError](err); cut && from == f.next && ctx.Err() == nil && s.Context().Err() == nil {
				return fmt.Errorf("the fetch of %s broke off at %v: %w", describe(c.Track), f.next, err)
			}
			if stop, err := again.after(ctx, s, err, "fetching on"); stop {
				return err
			}
		}
	}
}

// fetch is where a FETCH has got to.
type fetch struct {
	c    *Client
	m    *measure
	next model.Location
	end  model.Opt[model.Location]
	// aside says that the session has other work, and goes on if this fails.
	aside bool
	got   uint64 // objects
}

// run makes one attempt.
func (f *fetch) run(ctx context.Context, s *session.Session) error {
	if err := f.findEnd(ctx, s); err != nil {
		return err
	}
	if f.end.Value.Less(f.next) {
		return nil
	}
	r := model.Range{Start: f.next, End: f.end.Value}
	f.c.Log.Info("fetching", "track", f.c.Track.String(), "range", r.String())
	f.m.asked(time.Now())
	req, err := s.Fetch(ctx, session.FetchOptions{Track: f.c.Track, Range: r, Priority: f.c.Terms.Priority})
	if err != nil {
		return err
	}
	defer req.Cancel()
	patience := f.c.Answer
	if patience == 0 {
		patience = fetchPatience
	}
	stalled := func() { s.Close(model.InternalError, "the fetch brought nothing for too long") }
	if f.aside {
		stalled = req.Cancel
		stop := context.AfterFunc(ctx, req.Cancel)
		defer stop()
	}
	idle := time.AfterFunc(patience, stalled)
	defer idle.Stop()
	for {
		item, err := req.Next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		f.c.accepted()
		idle.Reset(fetchPatience)
		if item.Kind == session.FetchEndNonExistent {
			f.next = item.Location.Next()
			continue
		}
		if item.Kind != session.FetchObject {
			f.c.Log.Warn("objects may be missing: they are not known", "from", f.next.String(), "to", item.Location.String())
			f.unknown(item.Location)
			f.next = item.Location.Next()
			continue
		}
		o := model.Object{Location: item.Location, Subgroup: item.Subgroup, Datagram: item.Datagram, Priority: model.Some(item.Priority)}
		if o.Properties, err = s.ObjectProperties(item.Properties); err != nil {
			return err
		}
		if o.Payload, err = req.Payload(); err != nil {
			return err
		}
		f.c.print(f.m, o, time.Now())
		f.got++
		f.next = item.Location.Next()
	}
}

// unknown notes that nobody knows whether there is something up to a location.
func (f *fetch) unknown(to model.Location) {
	f.m.gap(model.Location{}, model.Forever) // nobody knows how many
	if f.c.Watch != nil {
		f.c.Watch.Gap(f.m.track, f.next, to.Next())
	}
}

// findEnd asks what the newest object is, if the user did not say where to
// end.
func (f *fetch) findEnd(ctx context.Context, s *session.Session) error {
	if f.end.Set {
		return nil
	}
	offer, err := f.c.status(ctx, s)
	if errors.Is(err, &model.RequestError{Code: model.NotSupported, Remote: true}) {
		f.end = model.Some(model.Forever) // the peer knows where it ends
		return nil
	}
	if err != nil {
		return err
	}
	largest, some := offer.Largest.Get()
	if !some {
		return errors.New("nothing was published yet")
	}
	if largest.Less(f.next) && !f.c.worked.Load() {
		return fmt.Errorf("its newest object is %v, before the start %v", largest, f.next)
	}
	f.end = model.Some(largest)
	return nil
}
