package moqt

import (
	"context"
	"errors"
	"io"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// BacklogPatience is how long the fetch of a backlog may bring nothing before
// it is given up. One of missing objects has Patience.
const BacklogPatience = 10 * time.Second

var errStalled = errors.New("the fetch brings nothing")

// catchUp is a fetch of the past: the backlog before a subscription, or
// objects that are missing. A Subscriber has at most one at a time. Guarded by
// Subscriber.mu once its goroutine runs.
type catchUp struct {
	repair bool
	live   model.Location // a backlog's: what the subscription itself brings begins here
	opts   session.FetchOptions
	since  time.Time // of the last progress
	got    bool      // the present attempt has brought something
	// unknown says that something in the range may exist and does not come.
	unknown bool
}

// stall is how long the present fetch may bring nothing.
func (s *Subscriber) stall() time.Duration {
	if s.past.repair {
		return s.Patience
	}
	return BacklogPatience
}

// catchUp fetches, again where the stream was cut, until all has come or no
// more will. It ends early when the Subscriber gives it up, at the latest with
// the session.
func (s *Subscriber) catchUp(ctx context.Context, sess *session.Session, c *catchUp) {
	for {
		err := s.fetch(ctx, sess, c)
		if err != nil && !ofTheFetch(err) {
			// The session has probably ended, and streams learn that first.
			select {
			case <-sess.Context().Done():
			case <-ctx.Done():
			case <-time.After(s.Patience):
			}
		}
		if ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		again := s.past == c && s.again(c, err)
		if !again {
			s.ended(c, err)
		}
		s.mu.Unlock()
		if !again {
			return
		}
	}
}

// ofTheFetch reports whether an error concerns the fetch alone.
func ofTheFetch(err error) bool {
	_, refused := errors.AsType[*model.RequestError](err)
	_, cut := errors.AsType[*model.StreamError](err)
	return refused || cut || errors.Is(err, errStalled) || errors.Is(err, session.ErrGoingAway)
}

// fetch makes one attempt. It may outlast c, while the peer sends nothing.
func (s *Subscriber) fetch(ctx context.Context, sess *session.Session, c *catchUp) error {
	f, err := sess.Fetch(ctx, c.opts)
	if err != nil {
		return err
	}
	if err = s.read(ctx, sess, f, c); err == io.EOF {
		return nil
	}
	f.Cancel()
	return err
}

// read reads a fetch to its end, where it returns io.EOF.
func (s *Subscriber) read(ctx context.Context, sess *session.Session, f *session.Fetch, c *catchUp) error {
	for {
		item, err := f.Next(ctx)
		if err != nil {
			return err
		}
		var o model.Object
		if item.Kind == session.FetchObject {
			o = model.Object{
				Location: item.Location, Subgroup: item.Subgroup, Datagram: item.Datagram, Priority: model.Some(item.Priority),
			}
			if o.Properties, err = sess.ObjectProperties(item.Properties); err != nil {
				return err
			}
			if o.Payload, err = f.Payload(); err != nil {
				return err
			}
		}
		if !s.fetched(c, &item, o) {
			return errStalled
		}
	}
}

// fetched takes an item of c; it returns false if c was given up.
func (s *Subscriber) fetched(c *catchUp, item *session.FetchItem, o model.Object) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.past != c {
		return false
	}
	now := time.Now()
	c.since, c.got = now, true
	// What the fetch leaves out before this item does not exist, unless more
	// is missing before it than the fetch has told of.
	next, known := s.q.Next()
	sound := known && !next.Less(c.opts.Range.Start)
	c.opts.Range.Start = item.Location.Next()
	told := item.Location // up to here, without it
	switch item.Kind {
	case session.FetchObject:
	case session.FetchEndNonExistent:
		told = told.Next()
	default:
		c.unknown, sound = true, false
	}
	if s.into != nil && !c.unknown {
		s.into.vouch(told)
	}
	if sound {
		s.q.Vouch(told)
	}
	if item.Kind == session.FetchObject {
		s.take(o, now)
	}
	s.poke()
	return true
}

// again decides whether another attempt may bring what this one did not, and
// prepares it.
func (s *Subscriber) again(c *catchUp, err error) bool {
	if err == nil || c.opts.Range.Empty() {
		return false
	}
	_, refused := errors.AsType[*model.RequestError](err)
	_, cut := errors.AsType[*model.StreamError](err)
	switch {
	case refused && c.opts.Join != nil: // not every peer joins; the range is the same
	case cut && c.got:
	default:
		return false
	}
	c.opts.Join, c.got = nil, false
	return true
}

// ended lets c go. What it was to bring and did not will not come, unless the
// session is over or about to be: then another one goes on here.
func (s *Subscriber) ended(c *catchUp, err error) {
	if s.past != c {
		return
	}
	s.past = nil
	if errors.Is(err, session.ErrGoingAway) || s.feed.sess.Context().Err() != nil {
		s.q.Await(!c.repair)
		return
	}
	s.q.Await(false)
	if s.into != nil {
		if err == nil && !c.unknown {
			s.into.vouch(c.opts.Range.End.Next())
		}
		if err != nil && !c.repair {
			s.into.missed(c.opts.Range.Start, c.live, err)
		}
		s.into.caughtUp(err == nil)
	}
	next, known := s.q.Next()
	switch {
	case err == nil && known && !next.Less(c.opts.Range.Start):
		s.q.Vouch(c.opts.Range.End.Next())
	case err != nil && c.repair:
		s.Log.Info("missing objects cannot be fetched", "because", err)
	case err != nil:
		s.Log.Warn("the past of the track cannot be had", "because", err)
	}
	if s.RawOrder {
		s.raw = model.Some(later(s.raw, c.live))
	}
	s.q.Release()
	s.poke()
}

// later returns the later of two locations.
func later(a model.Opt[model.Location], b model.Location) model.Location {
	if l, ok := a.Get(); ok && b.Less(l) {
		return l
	}
	return b
}
