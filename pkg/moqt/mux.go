package moqt

import (
	"context"
	"sync"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// LocalTrack is a track that is published here. Objects are written into Log.
type LocalTrack struct {
	Name model.FullTrackName
	Log  *track.Track
	// Past serves fetches of a range that ends no later than the largest
	// location; nil serves what the Log holds.
	Past func(r model.Range, order model.GroupOrder) egress.ObjectSource
	// Policy says what becomes of slow subscribers.
	Policy egress.Policy

	writer *TrackWriter // of PublishTrack
}

// TrackMux is the Handler that serves local tracks to whoever asks, as http.ServeMux
// serves pages. Sessions of any number may share one. What it has no track or
// function for it refuses. Its methods may be called from any goroutine.
type TrackMux struct {
	session.Refuse

	mu         sync.Mutex
	tracks     map[string]*LocalTrack
	demands    map[string]*demand // tracks on demand that are being served
	past       []*LocalTrack      // that have ended, for fetches; the oldest first
	sources    []source           // for tracks on demand
	sinks      []sink             // for tracks that are offered to us
	spaces     []space            // for namespaces that are published to us
	changed    chan struct{}      // closed when tracks or sources change
	schedulers map[*session.Session]*egress.Scheduler
	serving    int           // subscriptions
	rest       chan struct{} // closed when serving falls to 0; nil if nobody waits
}

// NewTrackMux returns a mux without tracks.
func NewTrackMux() *TrackMux {
	return &TrackMux{
		tracks: map[string]*LocalTrack{}, demands: map[string]*demand{}, changed: make(chan struct{}),
		schedulers: map[*session.Session]*egress.Scheduler{},
	}
}

// Handle serves t under its name, and under other names if any are given.
func (m *TrackMux) Handle(t *LocalTrack, also ...model.FullTrackName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tracks[t.Name.Key()] = t
	for _, n := range also {
		m.tracks[n.Key()] = t
	}
	m.change()
}

func (m *TrackMux) find(n model.FullTrackName) (*LocalTrack, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.tracks[n.Key()]; t != nil {
		return t, nil
	}
	if d := m.demands[n.Key()]; d != nil {
		return d.w.local, nil
	}
	return nil, errNoTrack()
}

func errNoTrack() error {
	return &model.RequestError{Code: model.DoesNotExist, Reason: "there is no such track here"}
}

// scheduler returns what orders the streams of a session.
func (m *TrackMux) scheduler(s *session.Session) *egress.Scheduler {
	m.mu.Lock()
	defer m.mu.Unlock()
	sched := m.schedulers[s]
	if sched == nil {
		sched = egress.NewScheduler(s.Context(), hall.Over(s), nil)
		m.schedulers[s] = sched
		context.AfterFunc(s.Context(), func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			delete(m.schedulers, s)
		})
	}
	return sched
}

// Subscribe serves a SUBSCRIBE until it ends.
func (m *TrackMux) Subscribe(ctx context.Context, req *session.SubscribeRequest) {
	t, d, err := m.acquire(ctx, req.Track)
	if err != nil {
		_ = req.Reject(err) // the peer may have left
		return
	}
	defer d.release()
	defer m.serve()()
	sub := m.scheduler(req.Session()).Subscribe(t.Log)
	if err := d.await(ctx); err != nil {
		sub.Stop(model.ResetCancelled)
		_ = req.Reject(err) // as above
		return
	}
	if req.Terms.Filter.EndsBefore(sub.Largest()) {
		sub.Stop(model.ResetCancelled)
		_ = req.Reject(&model.RequestError{Code: model.InvalidRange, Reason: "Range in the past, use FETCH"})
		return
	}
	update := func(now, next session.Terms, _ model.Opt[uint64]) error {
		hall.Revise(sub, now, next)
		return nil
	}
	out, err := req.Accept(session.Offer{Largest: sub.Largest(), Properties: t.Log.Properties()}, update)
	if err != nil {
		sub.Stop(model.ResetCancelled)
		return
	}
	out.SetLargest(t.Log.Largest)
	hall.Deliver(sub, out, hall.Options{Policy: t.Policy})
}

// serve counts a subscription until what it returns is called.
func (m *TrackMux) serve() (over func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.serving++
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.serving--; m.serving == 0 && m.rest != nil {
			close(m.rest)
			m.rest = nil
		}
	}
}

// atRest returns a channel that is closed in a moment without subscriptions.
func (m *TrackMux) atRest() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rest == nil {
		m.rest = make(chan struct{})
	}
	rest := m.rest
	if m.serving == 0 {
		close(m.rest)
		m.rest = nil
	}
	return rest
}

// Wait returns when all subscriptions have ended, which they do after the ends
// of their tracks.
func (m *TrackMux) Wait() { <-m.atRest() }

// Fetch serves a FETCH until it ends.
func (m *TrackMux) Fetch(ctx context.Context, req *session.FetchRequest) {
	t, err := m.find(req.Track)
	if ended := m.ended(req.Track); err != nil && ended != nil {
		t, err = ended, nil
	}
	if err != nil {
		_ = req.Reject(err) // the peer may have left
		return
	}
	largest, some := t.Log.Largest().Get()
	r := req.Range
	if !some || largest.Less(r.Start) {
		_ = req.Reject(&model.RequestError{Code: model.InvalidRange, Reason: "the range begins after the largest object"})
		return
	}
	if largest.Less(r.End) {
		r.End = largest
	}
	var source egress.ObjectSource
	if t.Past != nil {
		source = t.Past(r, req.Order)
	} else {
		reader := t.Log.Range(r, req.Order)
		defer reader.Close()
		source = egress.FromLog(reader)
	}
	if source, err = hall.Answerable(ctx, req.Session(), source); err != nil {
		_ = req.Reject(err) // as above
		return
	}
	if req.Accept(session.FetchInfo{End: r.End, Properties: t.Log.Properties()}) != nil {
		return
	}
	priority, _ := t.Log.Defaults()
	// An error has reset the stream, which tells the peer all there is to say.
	_ = m.scheduler(req.Session()).ServeFetch(ctx, egress.FetchOptions{
		RequestID: req.ID(), Order: req.Order, Priority: req.Priority, Default: priority, MarkUnknown: true,
	}, source)
	req.Finish()
}

// TrackStatus answers a TRACK_STATUS.
func (m *TrackMux) TrackStatus(_ context.Context, req *session.TrackStatusRequest) {
	t, err := m.find(req.Track)
	if err != nil {
		_ = req.Reject(err) // the peer may have left
		return
	}
	_ = req.Accept(session.Offer{Largest: t.Log.Largest(), Properties: t.Log.Properties()}) // as above
}

// Offer offers a track to the peer of a session by PUBLISH, and delivers it
// until the subscription ends. It returns why the peer refused, or why the
// subscription ended.
func (m *TrackMux) Offer(ctx context.Context, s *session.Session, t *LocalTrack) error {
	return m.offer(ctx, s, t, func() {})
}

// offer is Offer; accepted is called when the peer has accepted.
func (m *TrackMux) offer(ctx context.Context, s *session.Session, t *LocalTrack, accepted func()) error {
	sub := m.scheduler(s).Subscribe(t.Log)
	out, err := s.Publish(ctx, session.PublishOptions{
		Track: t.Name, Offer: session.Offer{Largest: sub.Largest(), Properties: t.Log.Properties()},
		Largest: t.Log.Largest,
		OnUpdate: func(now, next session.Terms, _ model.Opt[uint64]) error {
			hall.Revise(sub, now, next)
			return nil
		},
	})
	if err != nil {
		sub.Stop(model.ResetCancelled)
		return err
	}
	defer m.serve()()
	accepted()
	hall.Deliver(sub, out, hall.Options{Policy: t.Policy})
	switch r := sub.Result(); r.Code {
	case model.DoneSubscriptionEnded, model.DoneInternalError: // the other side has ended it
		return context.Cause(out.Context())
	default: // we have, and the peer may have answered before we could note it
		return &model.DoneError{Code: r.Code, Reason: r.Reason}
	}
}

// Linger waits until the subscriptions to tracks that have ended are over, and
// a moment longer for their last messages to leave, but no longer than limit.
func (m *TrackMux) Linger(limit time.Duration) {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-m.atRest():
		t.Reset(min(limit, lastWords))
		<-t.C
	case <-t.C:
	}
}

// lastWords is how long a message that was written needs to leave.
const lastWords = 100 * time.Millisecond
