package moqtest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// Limits of a Server.
const (
	// MaxTracks is how many tracks it publishes at a time.
	MaxTracks = 4096
	// LogBytes is how much of what it publishes waits for subscribers at most.
	LogBytes = 64 << 20
)

// Server is a session.Handler that publishes every track of the protocol. Any
// number of sessions may share one; New makes it.
type Server struct {
	session.Refuse

	// Strict refuses tracks whose objects have properties that are defined for
	// tracks alone (Params.OfTracksOnly).
	Strict bool
	log    *slog.Logger
	budget *track.Budget

	mu         sync.Mutex
	sources    map[string]*source // by the key of the track, until it ends
	schedulers map[*session.Session]*egress.Scheduler
	work       sync.WaitGroup
}

// NewServer returns a Server that tells log what it publishes; nil: nobody.
func NewServer(log *slog.Logger) *Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Server{
		log: log, budget: track.NewBudget(LogBytes),
		sources: map[string]*source{}, schedulers: map[*session.Session]*egress.Scheduler{},
	}
}

// Wait returns when no track is published any more.
func (s *Server) Wait() { s.work.Wait() }

// params reads a namespace, or says why it is refused.
func (s *Server) params(ns model.Namespace) (Params, error) {
	p, err := Parse(ns)
	if err == nil && s.Strict && p.OfTracksOnly() {
		err = fmt.Errorf("a property of type %#x is of tracks, not of objects", 2*p.IntProperty.Value)
	}
	if err != nil {
		return p, &model.RequestError{Code: model.NotSupported, Reason: "Invalid Parameters: " + err.Error()}
	}
	return p, nil
}

// acquire returns the track that is being published, or begins one. Whoever gets
// it releases it.
func (s *Server) acquire(ctx context.Context, name model.FullTrackName, p Params) (*source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := name.Key()
	src := s.sources[key]
	if src == nil {
		if len(s.sources) >= MaxTracks {
			return nil, &model.RequestError{Code: model.RequestExcessiveLoad, Reason: "too many tracks are published"}
		}
		src = newSource(p, s.budget)
		s.sources[key] = src
		// It may outlive the subscriber that made it begin.
		ctx, src.cancel = context.WithCancel(context.WithoutCancel(ctx))
		s.log.Info("track begins", "track", name.String())
		s.work.Go(func() {
			src.run(ctx, func() { s.forget(key, src) })
			s.log.Info("track ends", "track", name.String())
		})
	}
	src.users++
	return src, nil
}

// forget makes the next subscriber begin anew.
func (s *Server) forget(key string, src *source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sources[key] == src {
		delete(s.sources, key)
	}
}

// release says that a subscriber has left; the last one ends the track.
func (s *Server) release(key string, src *source) {
	s.mu.Lock()
	src.users--
	last := src.users == 0
	if last && s.sources[key] == src {
		delete(s.sources, key)
	}
	s.mu.Unlock()
	if last {
		src.cancel()
		<-src.over
		src.log.Discard()
	}
}

// begin publishes the first object now that somebody wants it.
func (s *Server) begin(src *source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !src.begun {
		src.begun = true
		close(src.wanted)
	}
}

// live returns the largest location of a track that is being published now.
func (s *Server) live(name model.FullTrackName) (largest model.Opt[model.Location], live bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if src := s.sources[name.Key()]; src != nil {
		return src.log.Largest(), true
	}
	return largest, false
}

// scheduler returns what orders the streams of a session.
func (s *Server) scheduler(of *session.Session) *egress.Scheduler {
	s.mu.Lock()
	defer s.mu.Unlock()
	sched := s.schedulers[of]
	if sched == nil {
		sched = egress.NewScheduler(of.Context(), hall.Over(of), nil)
		s.schedulers[of] = sched
		context.AfterFunc(of.Context(), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.schedulers, of)
		})
	}
	return sched
}

// flow is a subscription through which a track goes.
type flow struct {
	src    *source
	sub    *egress.Subscription
	once   sync.Once
	wanted chan struct{} // closed when the forwarding state is 1
}

func newFlow(src *source, sub *egress.Subscription) *flow {
	return &flow{src: src, sub: sub, wanted: make(chan struct{})}
}

// update passes new terms on.
func (f *flow) update(now, next session.Terms, _ model.Opt[uint64]) error {
	hall.Revise(f.sub, now, next)
	if next.Forward {
		f.want()
	}
	return nil
}

func (f *flow) want() { f.once.Do(func() { close(f.wanted) }) }

// deliver sends the track until the subscription ends. It begins once objects are
// wanted and that is answered: the answer to an update tells the largest location,
// and what is published before that counts as past.
func (s *Server) deliver(f *flow, out *session.Outbound) {
	if out.Terms().Forward {
		f.want()
	}
	over := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case <-f.wanted:
			out.Settled(func(session.Terms) { s.begin(f.src) })
		case <-over:
		}
	})
	hall.Deliver(f.sub, out, hall.Options{})
	close(over)
	waiting.Wait()
}

// Subscribe serves a SUBSCRIBE until it ends.
func (s *Server) Subscribe(ctx context.Context, req *session.SubscribeRequest) {
	p, err := s.params(req.Track.Namespace)
	var src *source
	if err == nil {
		src, err = s.acquire(ctx, req.Track, p)
	}
	if err != nil {
		_ = req.Reject(err) // the peer may have left
		return
	}
	defer s.release(req.Track.Key(), src)
	sub := s.scheduler(req.Session()).Subscribe(src.log)
	if req.Terms.Filter.EndsBefore(sub.Largest()) {
		sub.Stop(model.ResetCancelled)
		_ = req.Reject(&model.RequestError{Code: model.InvalidRange, Reason: "the range is in the past"}) // as above
		return
	}
	f := newFlow(src, sub)
	out, err := req.Accept(session.Offer{Largest: sub.Largest(), Properties: src.log.Properties()}, f.update)
	if err != nil {
		sub.Stop(model.ResetCancelled)
		return
	}
	out.SetLargest(src.log.Largest)
	s.deliver(f, out)
}

// Offer offers a track to the peer of a session by PUBLISH, and publishes it once
// the peer wants objects. It returns nil when the track has ended, else why the
// peer refused it or what ended the subscription. accepted, if not nil, is called
// when the peer has accepted.
func (s *Server) Offer(ctx context.Context, to *session.Session, name model.FullTrackName, accepted func()) error {
	p, err := s.params(name.Namespace)
	if err != nil {
		return err
	}
	src, err := s.acquire(ctx, name, p)
	if err != nil {
		return err
	}
	defer s.release(name.Key(), src)
	sub := s.scheduler(to).Subscribe(src.log)
	f := newFlow(src, sub)
	out, err := to.Publish(ctx, session.PublishOptions{
		Track: name, Offer: session.Offer{Largest: sub.Largest(), Properties: src.log.Properties()},
		OnUpdate: f.update, Largest: src.log.Largest,
	})
	if err != nil {
		sub.Stop(model.ResetCancelled)
		return err
	}
	if accepted != nil {
		accepted()
	}
	stop := context.AfterFunc(ctx, src.cancel)
	defer stop()
	s.deliver(f, out)
	if r := sub.Result(); r.Code != model.DoneTrackEnded {
		if err := context.Cause(out.Context()); err != nil {
			return err
		}
		return &model.DoneError{Code: r.Code, Reason: r.Reason}
	}
	return nil
}

// Fetch serves a FETCH. A track that nobody subscribes to is all in the past.
func (s *Server) Fetch(ctx context.Context, req *session.FetchRequest) {
	p, err := s.params(req.Track.Namespace)
	if err != nil {
		_ = req.Reject(err) // the peer may have left
		return
	}
	end := p.End()
	if largest, live := s.live(req.Track); live {
		if !largest.Set {
			_ = req.Reject(errNothingYet) // as above
			return
		}
		end = largest.Value
	}
	r := req.Range
	if end.Less(r.Start) {
		_ = req.Reject(errNothingYet) // as above
		return
	}
	if end.Less(r.End) {
		r.End = end
	}
	source, err := hall.Answerable(ctx, req.Session(), p.past(r, req.Order))
	if err != nil {
		_ = req.Reject(err) // as above
		return
	}
	if req.Accept(session.FetchInfo{End: r.End, EndOfTrack: r.End == p.End()}) != nil {
		return
	}
	// An error has reset the stream, which tells the peer all there is to say.
	_ = s.scheduler(req.Session()).ServeFetch(ctx, egress.FetchOptions{
		RequestID: req.ID(), Order: req.Order, Priority: req.Priority, Default: model.DefaultPriority,
	}, source)
	req.Finish()
}

var errNothingYet error = &model.RequestError{Code: model.InvalidRange, Reason: "the range begins after the largest object"}

// TrackStatus answers a TRACK_STATUS.
func (s *Server) TrackStatus(_ context.Context, req *session.TrackStatusRequest) {
	if _, err := s.params(req.Track.Namespace); err != nil {
		_ = req.Reject(err) // the peer may have left
		return
	}
	largest, _ := s.live(req.Track)
	_ = req.Accept(session.Offer{Largest: largest}) // as above
}

// SubscribeNamespace tells of the one namespace below which all tracks are.
func (s *Server) SubscribeNamespace(_ context.Context, req *session.PrefixRequest) {
	feed, err := req.Accept(nil)
	if err != nil {
		return // the peer has left
	}
	if all := (model.Namespace{Protocol}); all.HasPrefix(req.Prefix) {
		if feed.Namespace(all[len(req.Prefix):]) != nil {
			return
		}
	}
	<-feed.Context().Done()
}

// SubscribeTracks publishes the track of a whole namespace; of a shorter prefix
// there are more tracks than can be counted.
func (s *Server) SubscribeTracks(_ context.Context, req *session.PrefixRequest) {
	if _, err := s.params(req.Prefix); err != nil {
		_ = req.Reject(err) // the peer may have left
		return
	}
	feed, err := req.Accept(nil)
	if err != nil {
		return // the peer has left
	}
	name := model.FullTrackName{Namespace: req.Prefix, Name: TrackName}
	if err := s.Offer(feed.Context(), req.Session(), name, nil); err != nil {
		s.log.Info("PUBLISH did not end well", "track", name.String(), "because", err)
	}
	<-feed.Context().Done()
}
