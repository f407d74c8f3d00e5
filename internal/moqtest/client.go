package moqtest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// Request is how a Client asks for a track.
type Request uint8

// Requests.
const (
	Subscribe Request = iota
	Fetch
	Join    // SUBSCRIBE in the middle of the track, and a joining FETCH
	Publish // SUBSCRIBE_TRACKS, and PUBLISH on a session of its own
)

// String returns the name that the flag -request has.
func (r Request) String() string {
	return [...]string{"subscribe", "fetch", "join", "publish"}[r]
}

// Ask is what a client asks for.
type Ask struct {
	Request Request
	Params  Params
	// Track is the name of the track; empty: TrackName.
	Track string
	// Range is what Fetch asks for; the zero value: all.
	Range model.Range
	// Timeout is the subscriber's delivery timeout; 0: none.
	Timeout time.Duration
	// From says where Join begins.
	From JoinFrom
	// PublishFirst lets Publish offer the track before anybody wants it.
	PublishFirst bool
}

// JoinFrom says where a joining FETCH begins.
type JoinFrom struct {
	// Relative: Group is a number of groups before the present one, else a group.
	Relative bool
	Group    uint64
	// Fresh joins a track that has not begun, of which nothing is past; else
	// somebody subscribes JoinAfter before.
	Fresh bool
}

// JoinAfter is how long a track has been published when it is joined.
const JoinAfter = 1500 * time.Millisecond

func (a *Ask) name() model.FullTrackName {
	name := model.FullTrackName{Namespace: a.Params.Namespace(), Name: a.Track}
	if name.Name == "" {
		name.Name = TrackName
	}
	return name
}

// Client asks for tracks and compares what comes with what they are.
type Client struct {
	// Connect opens a session whose requests of the peer h answers. The Client
	// closes it.
	Connect func(ctx context.Context, h session.Handler) (*session.Session, error)
	// Exact says that the publisher is a Server, whose priorities and values of
	// properties are known.
	Exact bool
	// Strict is for the Server of Publish.
	Strict bool
	// Drops is the percentage of datagrams that may be lost.
	Drops int
}

// Perform asks for a track and returns nil if it came as it is, a *Failure if it
// did not, and another error if ctx has ended or there is no session.
func (c *Client) Perform(ctx context.Context, a Ask) error {
	p := &performance{Client: c, ask: a, check: check{
		params: a.Params, exact: c.Exact, drops: c.Drops, late: a.Timeout > 0 || a.Params.Timeout > 0,
	}}
	defer p.leave()
	switch a.Request {
	case Fetch:
		return p.fetch(ctx)
	case Join:
		return p.join(ctx)
	case Publish:
		return p.publish(ctx)
	default:
		return p.subscribe(ctx)
	}
}

// performance is one Ask.
type performance struct {
	*Client
	ask      Ask
	check    check
	sessions []*session.Session
}

func (p *performance) connect(ctx context.Context, h session.Handler) (*session.Session, error) {
	s, err := p.Connect(ctx, h)
	if err != nil {
		return nil, err
	}
	p.sessions = append(p.sessions, s)
	return s, nil
}

// leave closes the sessions.
func (p *performance) leave() {
	for _, s := range p.sessions {
		s.Close(model.NoError, "")
		s.Wait()
	}
}

// whole is the range of all objects.
func (p *performance) whole() model.Range { return model.Range{End: model.Forever} }

// asked subscribes to the track.
func (p *performance) asked(ctx context.Context, s *session.Session, filter model.Filter) (*session.Inbound, *collector, error) {
	got := newCollector(s)
	o := session.SubscribeOptions{Track: p.ask.name()}
	o.Change.Filter = model.Some(filter)
	o.Change.Order = model.Some(model.Ascending)
	if p.ask.Timeout > 0 {
		o.Change.ObjectTimeout = model.Some(p.ask.Timeout)
	}
	in, err := s.Subscribe(ctx, o, got)
	return in, got, instead("SUBSCRIBE_OK", waited(ctx, err))
}

// ended waits for the end of a subscription, which must be that of the track.
func ended(ctx context.Context, in *session.Inbound) error {
	select {
	case <-in.Context().Done():
	case <-ctx.Done():
		in.Cancel(model.ResetCancelled)
		return instead("PUBLISH_DONE", context.Cause(ctx))
	}
	cause := context.Cause(in.Context())
	if done, ok := errors.AsType[*model.DoneError](cause); !ok || done.Code != model.DoneTrackEnded {
		return instead("PUBLISH_DONE with TRACK_ENDED", cause)
	}
	return nil
}

// objects returns what has come, once the subscription is over.
func (c *collector) objects() (came []arrival, cut map[subgroup]error, wrong error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Streams that were broken off may be at their last object still.
	return slices.Clone(c.came), maps.Clone(c.cut), c.wrong
}

// verdict compares what came by a subscription with the range.
func (p *performance) verdict(got *collector, end error, r model.Range) error {
	came, cut, wrong := got.objects()
	if wrong != nil {
		return wrong
	}
	err := p.check.all(came, cut, r)
	if end != nil && (err == nil || len(came) == 0) {
		return end
	}
	return err
}

// subscribe asks for a track that begins with the subscription.
func (p *performance) subscribe(ctx context.Context) error {
	s, err := p.connect(ctx, nil)
	if err != nil {
		return err
	}
	in, got, err := p.asked(ctx, s, model.NextGroup)
	if err != nil {
		return err
	}
	return p.verdict(got, ended(ctx, in), p.whole())
}

// fetch asks for a range of the past.
func (p *performance) fetch(ctx context.Context) error {
	s, err := p.connect(ctx, nil)
	if err != nil {
		return err
	}
	r := p.ask.Range
	if r == (model.Range{}) {
		r = model.Range{Start: p.ask.Params.First(), End: p.ask.Params.End()}
	}
	f, err := s.Fetch(ctx, session.FetchOptions{Track: p.ask.name(), Range: r, Order: model.Ascending})
	if err != nil {
		return instead("FETCH_OK", waited(ctx, err))
	}
	defer f.Cancel()
	return p.fetchedAll(ctx, s, f, r)
}

// fetchedAll reads the answer of a FETCH and compares it with the range.
func (p *performance) fetchedAll(ctx context.Context, s *session.Session, f *session.Fetch, r model.Range) error {
	info, err := f.OK(ctx)
	if err != nil {
		return instead("FETCH_OK", waited(ctx, err))
	}
	came, err := fetched(ctx, f, s)
	c := p.check
	c.fetch = true
	if err := c.all(came, nil, r); err != nil && (len(came) > 0 || err == nil) {
		return err
	}
	if err != nil {
		return instead("the objects of a fetch", waited(ctx, err))
	}
	if r.End.Less(info.End) {
		return failf("FETCH_OK ends at %v, after the %v that was asked for", info.End, r.End)
	}
	if n := len(came); n > 0 && info.End.Less(came[n-1].Location) {
		return failf("FETCH_OK ends at %v, before object %v that came", info.End, came[n-1].Location)
	}
	return nil
}

// join subscribes in the middle of the track and fetches its past.
func (p *performance) join(ctx context.Context) error {
	var holder *session.Inbound
	var held *collector
	if !p.ask.From.Fresh {
		s, err := p.connect(ctx, nil)
		if err != nil {
			return err
		}
		if holder, held, err = p.asked(ctx, s, model.NextGroup); err != nil {
			return err
		}
		pause := time.NewTimer(JoinAfter)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-ctx.Done():
			return instead("time for the rest", context.Cause(ctx))
		}
	}
	if err := p.joins(ctx); err != nil || holder == nil {
		return err
	}
	return p.verdict(held, ended(ctx, holder), p.whole())
}

// joins is what the one who comes late does: no object may be missing at the seam
// of the two, and none may come twice.
func (p *performance) joins(ctx context.Context) error {
	s, err := p.connect(ctx, nil)
	if err != nil {
		return err
	}
	in, got, err := p.asked(ctx, s, model.NextObject)
	if err != nil {
		return err
	}
	seam, began := in.Offer.Largest.Get()
	if began == p.ask.From.Fresh {
		in.Cancel(model.ResetCancelled)
		if began {
			return failf("nothing was published yet, and SUBSCRIBE_OK says that %v was", seam)
		}
		return failf("SUBSCRIBE_OK does not say what was published in %v", JoinAfter)
	}
	f, err := s.Fetch(ctx, session.FetchOptions{
		Join: &session.Join{To: in, Relative: p.ask.From.Relative, Start: p.ask.From.Group}, Order: model.Ascending,
	})
	if err != nil {
		return instead("an answer to the joining FETCH", waited(ctx, err))
	}
	defer f.Cancel()
	live := model.Range{Start: seam.Next(), End: model.Forever}
	if !began {
		if _, err := f.OK(ctx); !refused(err) {
			return failf("nothing was published yet, and a joining FETCH is accepted")
		}
		live = p.whole()
	} else {
		past := model.Range{Start: model.Location{Group: p.ask.From.Group}, End: seam}
		if p.ask.From.Relative {
			past.Start.Group = seam.Group - min(seam.Group, p.ask.From.Group)
		}
		if err := p.fetchedAll(ctx, s, f, past); err != nil {
			return err
		}
	}
	end := ended(ctx, in)
	if came, _, _ := got.objects(); len(came) == 0 {
		return failf("the track was over when it was joined")
	}
	return p.verdict(got, end, live)
}

// refused reports whether the peer has refused a request.
func refused(err error) bool {
	e, ok := errors.AsType[*model.RequestError](err)
	return ok && e.Remote
}
