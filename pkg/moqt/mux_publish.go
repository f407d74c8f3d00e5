package moqt

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// PublishTrack makes one live track known, which is written once however many
// subscribe. The end of ctx, or Close, ends the track and forgets it; subscribers
// are told. It fails with ErrDuplicate while there is a track of that name.
//
// (Publish is the method by which a TrackMux takes what peers offer.)
func (m *TrackMux) PublishTrack(ctx context.Context, name TrackName, opts ...TrackOption) (*TrackWriter, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	w, err := newTrackWriter(ctx, name, opts)
	if err != nil {
		return nil, err
	}
	w.local.writer = w
	key := name.Key()
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.tracks[key]; t != nil && (t.writer == nil || t.writer.ctx.Err() == nil) || m.demands[key] != nil {
		w.cancel(ErrDuplicate)
		return nil, fmt.Errorf("track %v: %w", name, ErrDuplicate)
	}
	m.tracks[key] = w.local
	m.change()
	context.AfterFunc(w.ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.tracks[key] == w.local {
			delete(m.tracks, key)
			m.change()
		}
		m.retire(w.local)
	})
	return w, nil
}

// A track that has ended can still be fetched for a moment, so that who has just
// joined gets what it was promised.
const (
	Afterglow    = 10 * time.Second
	MaxAfterglow = 64 // tracks
)

// retire keeps a track that has ended for fetches. m.mu is held.
func (m *TrackMux) retire(t *LocalTrack) {
	if !t.Log.Largest().Set {
		return // there is nothing to fetch
	}
	if len(m.past) >= MaxAfterglow {
		m.past = slices.Delete(m.past, 0, 1)
	}
	m.past = append(m.past, t)
	time.AfterFunc(Afterglow, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.past = slices.DeleteFunc(m.past, func(p *LocalTrack) bool { return p == t })
	})
}

// ended returns a track that has ended not long ago, nil if there is none.
func (m *TrackMux) ended(name TrackName) *LocalTrack {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.past) - 1; i >= 0; i-- {
		if m.past[i].Name.Equal(name) {
			return m.past[i]
		}
	}
	return nil
}

// change tells who watches the names. m.mu is held.
func (m *TrackMux) change() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// source serves tracks on demand below a prefix, sink takes tracks that are
// offered, space hears of namespaces.
type (
	source struct {
		prefix Namespace
		serve  func(context.Context, *TrackWriter) error
	}
	sink struct {
		prefix Namespace
		take   func(context.Context, *TrackReader)
		opts   []SubscribeOption
	}
	space struct {
		prefix Namespace
		hear   func(context.Context, *Session, Namespace)
	}
)

// longest returns the place of the longest prefix of ns, -1 if there is none.
func longest(n int, prefix func(int) Namespace, ns Namespace) int {
	best := -1
	for i := range n {
		if p := prefix(i); ns.HasPrefix(p) && (best < 0 || len(p) > len(prefix(best))) {
			best = i
		}
	}
	return best
}

// HandleFunc serves tracks below a prefix on demand: serve is called when
// somebody subscribes to one that is not there, once for each track however many
// subscribers follow, and its ctx ends when the last has left. It must return
// then. When it returns the track ends.
//
// The subscriber is answered when serve first writes, or calls Ready. If it
// returns before, its error is the answer: a *RequestError as it is, any other as
// an internal error without its text, none as DOES_NOT_EXIST. The longest prefix
// counts; ErrDuplicate says that it is taken.
func (m *TrackMux) HandleFunc(prefix Namespace, serve func(ctx context.Context, w *TrackWriter) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(m.sources, func(s source) bool { return s.prefix.Equal(prefix) }) {
		return fmt.Errorf("prefix %v: %w", prefix, ErrDuplicate)
	}
	m.sources = append(m.sources, source{prefix, serve})
	m.change()
	return nil
}

// demand is a track on demand that is being served.
type demand struct {
	m      *TrackMux
	w      *TrackWriter
	serve  func()
	cancel context.CancelCauseFunc
	users  int // guarded by TrackMux.mu
	begin  sync.Once
	ready  chan struct{} // closed when the track is there, or over
	over   chan struct{} // closed when serve has returned
	err    error         // why there is no track; before ready is closed
}

var errNobody = fmt.Errorf("the last subscriber has left: %w", ErrClosed)

// acquire returns a track for a subscriber. A demand that is not nil must be
// awaited, and released when the subscriber has left.
func (m *TrackMux) acquire(ctx context.Context, name TrackName) (*LocalTrack, *demand, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := name.Key()
	if t := m.tracks[key]; t != nil {
		return t, nil, nil
	}
	d := m.demands[key]
	if d == nil {
		i := longest(len(m.sources), func(i int) Namespace { return m.sources[i].prefix }, name.Namespace)
		if i < 0 {
			return nil, nil, errNoTrack()
		}
		var err error
		if d, err = m.demand(ctx, name, m.sources[i]); err != nil {
			return nil, nil, err
		}
		m.demands[key] = d
	}
	d.users++
	return d.w.local, d, nil
}

// demand makes one that has not begun.
func (m *TrackMux) demand(ctx context.Context, name TrackName, s source) (*demand, error) {
	d := &demand{m: m, ready: make(chan struct{}), over: make(chan struct{})}
	// It may outlive the subscriber that made it begin.
	ctx, d.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	w, err := newTrackWriter(ctx, name, nil)
	if err != nil {
		d.cancel(err)
		return nil, err
	}
	d.w = w
	var once sync.Once
	w.ready = func() { once.Do(func() { close(d.ready) }) }
	d.serve = func() {
		defer close(d.over)
		err := s.serve(ctx, w)
		d.forget()
		once.Do(func() { // it never was there
			if d.err = err; err == nil {
				d.err = errNoTrack()
			}
			close(d.ready)
		})
		code, reason := EndedTrackErrorCode, "the publisher has ended the track"
		if err != nil && ctx.Err() == nil {
			code, reason = InternalTrackErrorCode, "the publisher has failed"
		}
		_ = w.CloseWithError(code, reason) // never fails
		d.cancel(ErrClosed)
	}
	return d, nil
}

// await returns when the track is there, or why it is not. The first call
// begins to serve it, so whoever calls should be ready for objects.
func (d *demand) await(ctx context.Context) error {
	if d == nil {
		return nil
	}
	d.begin.Do(func() { go d.serve() })
	select {
	case <-d.ready:
		return d.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// forget makes the next subscriber begin anew.
func (d *demand) forget() {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	d.m.retire(d.w.local)
	if key := d.w.local.Name.Key(); d.m.demands[key] == d {
		delete(d.m.demands, key)
	}
}

// release says that a subscriber has left, after await. The last one waits for
// the end of serve.
func (d *demand) release() {
	if d == nil {
		return
	}
	d.m.mu.Lock()
	d.users--
	last := d.users == 0
	if key := d.w.local.Name.Key(); last && d.m.demands[key] == d {
		delete(d.m.demands, key)
	}
	d.m.mu.Unlock()
	if last {
		d.cancel(errNobody)
		<-d.over
	}
}

// HandlePublish takes the tracks below a prefix that peers offer by PUBLISH:
// take is called for each in a goroutine of its own, and the subscription ends
// when it returns, or with the session. ErrDuplicate says that the prefix is
// taken.
func (m *TrackMux) HandlePublish(prefix Namespace, take func(context.Context, *TrackReader), opts ...SubscribeOption) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(m.sinks, func(s sink) bool { return s.prefix.Equal(prefix) }) {
		return fmt.Errorf("prefix %v: %w", prefix, ErrDuplicate)
	}
	m.sinks = append(m.sinks, sink{prefix, take, opts})
	return nil
}

// Publish answers a PUBLISH; see HandlePublish and PublishTrack.
func (m *TrackMux) Publish(_ context.Context, req *session.PublishRequest) {
	m.mu.Lock()
	i := longest(len(m.sinks), func(i int) Namespace { return m.sinks[i].prefix }, req.Track.Namespace)
	var s sink
	if i >= 0 {
		s = m.sinks[i]
	}
	m.mu.Unlock()
	if i < 0 {
		_ = req.Reject(&RequestError{Code: model.Uninterested, Reason: "nobody here wants this track"}) // the peer may have left
		return
	}
	ctx, cancel := context.WithCancelCause(req.Session().Context()) // the request ends before its streams
	t := newTrackReader(ctx, cancel, req.Track, s.opts)
	var taking sync.WaitGroup
	t.sub.Subscribed = func(Offer) {
		taking.Go(func() {
			s.take(ctx, t)
			cancel(ErrClosed)
		})
	}
	t.prepare()
	t.finish(ctx, t.sub.Accept(ctx, req))
	taking.Wait()
	cancel(ErrClosed)
}

// HandleNamespace hears of the namespaces below a prefix that peers publish:
// hear is called for each in a goroutine of its own, with the session to
// subscribe through; its ctx ends when the namespace is withdrawn. ErrDuplicate
// says that the prefix is taken.
func (m *TrackMux) HandleNamespace(prefix Namespace, hear func(ctx context.Context, from *Session, ns Namespace)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(m.spaces, func(s space) bool { return s.prefix.Equal(prefix) }) {
		return fmt.Errorf("prefix %v: %w", prefix, ErrDuplicate)
	}
	m.spaces = append(m.spaces, space{prefix, hear})
	return nil
}

// PublishNamespace answers a PUBLISH_NAMESPACE; see HandleNamespace.
func (m *TrackMux) PublishNamespace(_ context.Context, req *session.NamespaceRequest) {
	m.mu.Lock()
	i := longest(len(m.spaces), func(i int) Namespace { return m.spaces[i].prefix }, req.Namespace)
	var s space
	if i >= 0 {
		s = m.spaces[i]
	}
	m.mu.Unlock()
	if i < 0 {
		_ = req.Reject(&RequestError{Code: model.Uninterested, Reason: "nobody here wants this namespace"}) // as above
		return
	}
	if req.Accept() != nil {
		return
	}
	s.hear(req.Context(), NewSession(req.Context(), req.Session(), m), req.Namespace)
}
