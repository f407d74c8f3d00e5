package text

import (
	"context"
	"errors"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
)

// MaxTracks is how many published tracks are read at a time.
const MaxTracks = 1024

// publishes takes what the peer publishes below a namespace, and goes on with a
// track that is published again, on whatever session.
type publishes struct {
	session.Refuse
	c     *Client
	again retry
	over  chan struct{} // closed when all that there is to read was read

	mu      sync.Mutex
	session *session.Session // the one that is served
	ctx     context.Context  // of work on it
	tracks  map[string]*published
	live    int
	closed  bool
}

// published is a track that was published once. mu is held while its
// Subscriber runs.
type published struct {
	mu      sync.Mutex
	sub     *moqt.Subscriber
	measure *measure
	running int       // guarded by publishes.mu
	until   time.Time // when to leave it; zero: never
	left    bool      // that was done; guarded by publishes.mu
}

func newPublishes(c *Client) *publishes {
	return &publishes{c: c, again: retry{c: c}, over: make(chan struct{}), tracks: map[string]*published{}}
}

// use asks for the tracks of the namespace until all is read.
func (p *publishes) use(ctx context.Context, s *session.Session) error {
	p.mu.Lock()
	p.session, p.ctx = s, ctx
	p.mu.Unlock()
	p.again.pauses = pauses{}
	for {
		err := p.ask(ctx, s)
		if err == nil {
			return nil
		}
		if stop, err := p.again.after(ctx, s, err, "asking again"); stop {
			return err
		}
	}
}

var errWithdrawn = errors.New("the peer has ended the request for tracks")

func (p *publishes) ask(ctx context.Context, s *session.Session) error {
	ns := p.c.Track.Namespace
	asking, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answered := p.c.expectAnswer(0, cancel)
	sub, err := s.SubscribeTracks(asking, ns, p.c.Terms.Forward.Or(true), func(suffix model.Namespace, name string) {
		t := model.FullTrackName{Namespace: ns.Join(suffix), Name: name}
		p.c.Log.Warn("a track cannot be published for want of streams", "track", t.String())
	})
	answered()
	if err != nil {
		return err
	}
	defer sub.Cancel()
	p.c.accepted()
	p.c.Log.Info("waiting for tracks to be published", "namespace", ns.String())
	select {
	case <-p.over:
		return nil
	case <-sub.Context().Done():
		return errWithdrawn
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Publish takes a track if it is wanted.
func (p *publishes) Publish(_ context.Context, r *session.PublishRequest) {
	if want := p.c.Track.Name; want != "" && want != r.Track.Name || !r.Track.Namespace.HasPrefix(p.c.Track.Namespace) {
		_ = r.Reject(&model.RequestError{Code: model.Uninterested, Reason: "not asked for"}) // the peer may be gone
		return
	}
	t, ctx := p.begin(r)
	if t == nil {
		return
	}
	if !t.until.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, t.until, errTimeUp)
		defer cancel()
	}
	t.mu.Lock() // the one before ends with its session
	err := t.sub.Accept(ctx, r)
	t.mu.Unlock()
	p.end(r.Track, t, err)
}

// begin finds the track, or refuses it and returns nil.
func (p *publishes) begin(r *session.PublishRequest) (*published, context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session != r.Session() || p.closed {
		_ = r.Reject(&model.RequestError{Code: model.Uninterested, Reason: "leaving"})
		return nil, nil
	}
	key := r.Track.Key()
	t := p.tracks[key]
	if t == nil {
		if len(p.tracks) >= MaxTracks && !p.forgetLocked() {
			_ = r.Reject(&model.RequestError{Code: model.RequestExcessiveLoad, Reason: "too many tracks"})
			return nil, nil
		}
		m := p.c.tracks.of(r.Track)
		t = &published{sub: p.c.subscriber(m), measure: m}
		m.asked(time.Now())
		if p.c.Leave > 0 {
			t.until = time.Now().Add(p.c.Leave)
		}
		p.tracks[key] = t
	}
	if t.left {
		_ = r.Reject(&model.RequestError{Code: model.Uninterested, Reason: "left on purpose"})
		return nil, nil
	}
	t.running++
	p.live++
	return t, p.ctx
}

// subscribers returns those of all tracks that are known.
func (p *publishes) subscribers() (all []*moqt.Subscriber) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.tracks {
		all = append(all, t.sub)
	}
	return all
}

// forgetLocked forgets a track that is not live.
func (p *publishes) forgetLocked() bool {
	for key, t := range p.tracks {
		if t.running == 0 {
			delete(p.tracks, key)
			return true
		}
	}
	return false
}

// end is told when a track is no longer read.
func (p *publishes) end(track model.FullTrackName, t *published, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.running--
	p.live--
	reached := errors.Is(err, moqt.ErrEnd)
	ended := errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded})
	left := errors.Is(err, errTimeUp) && p.ctx.Err() == nil
	t.left = t.left || left
	if reached || ended || left {
		t.measure.end(!left, time.Now())
	}
	if p.ctx.Err() == nil {
		p.c.Log.Info("track is over", "track", track.String(), "because", err)
	}
	if (reached || ended) && t.running == 0 {
		delete(p.tracks, track.Key())
	}
	if (reached || t.left || ended && p.c.ExitOn.End) && p.live == 0 && !p.closed {
		p.closed = true
		close(p.over)
	}
}
