package session

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// sharedDrafts are those whose requests share the control stream, allDrafts all.
var (
	sharedDrafts    = []model.Draft{model.Draft16, model.Draft14}
	allDrafts       = []model.Draft{model.Draft18, model.Draft16, model.Draft14}
	answeringDrafts = []model.Draft{model.Draft18, model.Draft16} // that answer updates
)

// startEach is start for each of the drafts. config returns the configuration and
// the handler that f needs.
func startEach(t *testing.T, drafts []model.Draft, role wire.Role, cfg Config, f func(*testing.T, *Session, *peer), opts ...memtr.Option) {
	t.Helper()
	for _, d := range drafts {
		t.Run("draft "+d.String(), func(t *testing.T) {
			cfg := cfg
			cfg.Draft = d
			start(t, role, cfg, f, opts...)
		})
	}
}

// plenty is as much credit as no test uses up.
const plenty = 1 << 20

// demux is what a peer of drafts up to 16 needs to make the shared control stream
// look like one stream for each request.
type demux struct {
	p      *peer
	stream transport.Stream
	others chan wire.Message // that belong to no request
	opened chan *peerStream  // requests of the session

	mu       sync.Mutex
	requests map[uint64]*sharedStream
	updates  map[uint64]*sharedStream
}

func (p *peer) setupShared(m *wire.Setup) {
	m2 := *m
	if !m2.MaxRequestID.Set {
		m2.MaxRequestID = model.Some[uint64](plenty)
	}
	if p.draft == model.Draft14 && m2.Versions == nil {
		m2.Versions = []uint64{wire.VersionNumber(p.draft)}
	}
	var st transport.Stream
	var err error
	if p.role == wire.Client {
		st, err = p.conn.OpenStream(p.t.Context())
	} else {
		st, err = p.conn.AcceptStream(p.t.Context())
	}
	if err != nil {
		return
	}
	p.control = st
	p.shared = &demux{
		p: p, stream: st, others: make(chan wire.Message, 64), opened: make(chan *peerStream, 64),
		requests: map[uint64]*sharedStream{}, updates: map[uint64]*sharedStream{},
	}
	if p.role == wire.Client {
		p.send(st, wire.ControlStream, 0, 0, &m2)
	}
	first := p.read(st, wire.ControlStream, 0, 0)
	if _, ok := first.(*wire.Setup); !ok && p.conn.Context().Err() == nil {
		p.t.Errorf("the control stream begins with %T", first)
	}
	if s, ok := first.(*wire.Setup); ok {
		p.theirs = s
	}
	if p.role == wire.Server {
		p.send(st, wire.ControlStream, 0, 0, &m2)
	}
	go p.shared.run()
	if p.draft == model.Draft16 {
		go p.shared.acceptStreams()
	}
}

// run sorts the messages of the session onto the streams.
func (d *demux) run() {
	r := &messageReader{window: newWindow(d.stream, d.p.draft, time.Hour)}
	defer d.end()
	for {
		typ, body, err := r.next()
		if err != nil {
			return
		}
		d.sort(typ, body)
	}
}

func (d *demux) sort(typ uint64, body []byte) {
	p := d.p
	d.mu.Lock()
	defer d.mu.Unlock()
	var st *sharedStream
	answers := wire.MessageKind(0)
	if id, ok := wire.RequestIDOf(p.draft, typ, body); ok {
		if st = d.updates[id]; st != nil {
			answers = wire.KindRequestUpdate
		} else if st = d.requests[id]; st != nil {
			answers = st.kind
		}
	} else if id, ok := wire.UpdatedIDOf(p.draft, typ, body); ok {
		st = d.requests[id]
	}
	request := wire.KindSubscribe
	if st != nil {
		request = st.kind
	}
	m, err := wire.ParseMessage(p.context(wire.ControlStream, request, answers, p.role), typ, body)
	if err != nil {
		p.t.Errorf("the session sent what does not parse: %v", err)
		return
	}
	switch m := m.(type) {
	case *wire.PublishNamespaceDone:
		st = d.named(m.RequestID, wire.KindPublishNamespace, m.Namespace)
	case *wire.PublishNamespaceCancel:
		st = d.named(m.RequestID, wire.KindPublishNamespace, m.Namespace)
	case *wire.UnsubscribeNamespace:
		st = d.named(0, wire.KindSubscribeNamespace, m.Prefix)
	}
	if id, track, _, ok := describe(m); ok {
		st = d.newStream(id, m.Kind(), track.Namespace, false)
		d.opened <- &peerStream{Stream: st, p: p, kind: m.Kind(), first: m}
		return
	}
	if st == nil {
		d.others <- m
		return
	}
	switch m.(type) {
	case *wire.Unsubscribe, *wire.FetchCancel, *wire.PublishNamespaceDone, *wire.PublishNamespaceCancel, *wire.UnsubscribeNamespace:
		st.farewell = m
		st.cancel(&transport.StreamError{Code: uint64(model.ResetCancelled), Remote: true})
		close(st.in)
		delete(d.requests, st.id)
		return
	}
	st.in <- m
}

func (d *demux) named(id uint64, kind wire.MessageKind, ns model.Namespace) *sharedStream {
	for _, st := range d.requests {
		if st.kind == kind && (d.p.draft == model.Draft16 && st.id == id || d.p.draft == model.Draft14 && st.namespace.Equal(ns)) {
			return st
		}
	}
	return nil
}

func (d *demux) newStream(id uint64, kind wire.MessageKind, ns model.Namespace, ours bool) *sharedStream {
	st := &sharedStream{d: d, id: id, kind: kind, namespace: ns, ours: ours, in: make(chan wire.Message, 256)}
	st.ctx, st.cancel = context.WithCancelCause(d.p.conn.Context())
	d.requests[id] = st
	return st
}

func (d *demux) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, st := range d.requests {
		close(st.in)
	}
	d.requests = map[uint64]*sharedStream{}
	close(d.opened)
}

// acceptStreams takes the requests that have streams in draft 16.
func (d *demux) acceptStreams() {
	for {
		st, err := d.p.conn.AcceptStream(d.p.conn.Context())
		if err != nil {
			return
		}
		m := d.p.read(st, wire.RequestStream, 0, 0)
		if m == nil {
			return
		}
		d.mu.Lock()
		if d.requests != nil && d.p.conn.Context().Err() == nil {
			d.opened <- &peerStream{Stream: st, p: d.p, kind: m.Kind(), first: m}
		}
		d.mu.Unlock()
	}
}

// sharedStream is a request on the shared control stream as if it had a stream.
type sharedStream struct {
	d         *demux
	id        uint64
	kind      wire.MessageKind
	namespace model.Namespace
	ours      bool
	in        chan wire.Message
	ctx       context.Context
	cancel    context.CancelCauseFunc
	farewell  wire.Message // by which the session gave it up
	gone      bool
}

func (s *sharedStream) Write(b []byte) (int, error) { return s.d.stream.Write(b) }

func (s *sharedStream) Read([]byte) (int, error) { return 0, errors.New("a share has no bytes") }

func (s *sharedStream) Close() error { return nil }

func (s *sharedStream) SetReliableBoundary()               {}
func (s *sharedStream) SetPriority(int, bool)              {}
func (s *sharedStream) SetWriteDeadline(t time.Time) error { return nil }
func (s *sharedStream) SetReadDeadline(t time.Time) error  { return nil }
func (s *sharedStream) Context() context.Context           { return s.ctx }
func (s *sharedStream) CancelRead(code uint64)             { s.CancelWrite(code) }

// CancelWrite gives the request up as the peer.
func (s *sharedStream) CancelWrite(code uint64) {
	if s.gone {
		return
	}
	s.gone = true
	var m wire.Message
	switch {
	case s.kind == wire.KindSubscribe && s.ours, s.kind == wire.KindPublish && !s.ours:
		m = &wire.Unsubscribe{RequestID: s.id}
	case s.kind == wire.KindFetch && s.ours:
		m = &wire.FetchCancel{RequestID: s.id}
	case s.kind == wire.KindPublishNamespace && s.ours:
		m = &wire.PublishNamespaceDone{RequestID: s.id, Namespace: s.namespace}
	case s.kind == wire.KindPublishNamespace:
		m = &wire.PublishNamespaceCancel{RequestID: s.id, Namespace: s.namespace, Code: refusalFor(model.ResetCode(code))}
	case s.kind == wire.KindSubscribeNamespace && s.ours:
		m = &wire.UnsubscribeNamespace{Prefix: s.namespace}
	default:
		return
	}
	s.d.p.send(s, wire.ControlStream, s.kind, s.kind, m)
}

// say sends a message with the Request IDs that it needs.
func (s *sharedStream) say(answers wire.MessageKind, m wire.Message) {
	s.d.mu.Lock()
	switch m := m.(type) {
	case *wire.RequestUpdate:
		m.Existing = s.id
		s.d.updates[m.RequestID] = s
	case *wire.Unsubscribe, *wire.FetchCancel:
	default:
		id := s.id
		if answers == wire.KindRequestUpdate {
			id = s.lastUpdate()
		}
		stamp(m, s.id, reply{id: id})
	}
	s.d.mu.Unlock()
	s.d.p.send(s, wire.ControlStream, s.kind, answers, m)
}

// updated is the ID of the update that the next answer is for.
func (s *sharedStream) lastUpdate() uint64 { return s.d.p.updated }

// next returns the next message of the session, nil at the end.
func (s *sharedStream) next() wire.Message {
	select {
	case m := <-s.in:
		if u, ok := m.(*wire.RequestUpdate); ok {
			s.d.p.updated = u.RequestID
		}
		return m
	case <-s.d.p.conn.Context().Done():
		return nil
	}
}

// other returns the next message of the session that belongs to no request.
func (p *peer) other() wire.Message {
	select {
	case m := <-p.shared.others:
		return m
	case <-p.conn.Context().Done():
		return nil
	}
}

var _ transport.Stream = (*sharedStream)(nil)
var _ io.Reader = (*sharedStream)(nil)
