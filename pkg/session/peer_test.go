package session

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// peer is the other end of a session under test, driven by hand, message by
// message, so that a test reads like the draft.
type peer struct {
	t       *testing.T
	role    wire.Role
	draft   model.Draft
	conn    transport.Conn
	control transport.SendStream
	nextID  uint64
	theirs  *wire.Setup // of the session, drafts up to 16
	shared  *demux      // drafts up to 16, else nil
	updated uint64      // drafts up to 16: the ID of the last update that was read
}

// start runs f in a bubble of virtual time with a session of the given role
// and a peer that has exchanged SETUP with it.
func start(t *testing.T, role wire.Role, cfg Config, f func(*testing.T, *Session, *peer), opts ...memtr.Option) {
	t.Helper()
	startWith(t, &wire.Setup{}, role, cfg, f, opts...)
}

// startWith is start with a SETUP of the peer.
func startWith(t *testing.T, setup *wire.Setup, role wire.Role, cfg Config, f func(*testing.T, *Session, *peer), opts ...memtr.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if h, ok := cfg.Handler.(*recorder); ok {
			h.init()
		}
		c, srv := memtr.Pair(opts...)
		p := &peer{t: t, role: 1 - role, conn: srv, draft: cfg.Draft}
		ours := c
		if role == wire.Server {
			p.conn, ours = c, srv
			p.nextID = 0
		} else {
			p.nextID = 1
		}
		cfg.Role = role
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.setup(setup)
		}()
		s, err := Start(t.Context(), ours, cfg)
		<-done
		if err != nil {
			t.Fatalf("Start: %v", err)
		}
		f(t, s, p)
		s.Close(model.NoError, "test over")
		p.conn.CloseWithError(0, "test over")
		s.Wait()
	})
}

func (p *peer) setup(m *wire.Setup) {
	p.t.Helper()
	if p.spoken() <= model.Draft16 {
		p.setupShared(m)
		return
	}
	st, err := p.conn.OpenUniStream(p.t.Context())
	if err != nil {
		p.t.Error(err)
		return
	}
	p.control = st
	p.send(st, wire.ControlStream, 0, 0, m)
	in, err := p.conn.AcceptUniStream(p.t.Context())
	if err != nil {
		return // the session may close first
	}
	first := p.read(in, wire.ControlStream, 0, 0)
	if first == nil && p.conn.Context().Err() != nil {
		return // likewise
	}
	if _, ok := first.(*wire.Setup); !ok {
		p.t.Error("the control stream does not begin with SETUP")
	}
}

// spoken is the draft that the peer speaks.
func (p *peer) spoken() model.Draft {
	if p.draft == 0 {
		return Primary
	}
	return p.draft
}

// context is what decodes a message that the peer reads, or that it writes.
func (p *peer) context(stream wire.StreamKind, request, answers wire.MessageKind, receiver wire.Role) wire.Context {
	return wire.Context{Draft: p.spoken(), Stream: stream, Request: request, Answers: answers, Receiver: receiver}
}

func (p *peer) send(st io.Writer, kind wire.StreamKind, request, answers wire.MessageKind, m wire.Message) {
	p.t.Helper()
	b, err := wire.AppendMessage(nil, p.context(kind, request, answers, 1-p.role), m)
	if err != nil {
		p.t.Errorf("encode %T: %v", m, err)
		return
	}
	p.write(st, b)
}

// write sends raw bytes; a stream or connection that is gone is no failure,
// since the session under test may be faster.
func (p *peer) write(st io.Writer, b []byte) { _, _ = st.Write(b) }

// read returns the next message of a stream, or nil when it ends.
func (p *peer) read(st transport.ReceiveStream, kind wire.StreamKind, request, answers wire.MessageKind) wire.Message {
	p.t.Helper()
	r := &messageReader{window: newWindow(oneByte{st}, p.spoken(), time.Minute)}
	typ, body, err := r.next()
	if err != nil {
		return nil
	}
	m, err := wire.ParseMessage(p.context(kind, request, answers, p.role), typ, body)
	if err != nil {
		p.t.Errorf("the session sent what does not parse: %v", err)
		return nil
	}
	return m
}

// oneByte makes every read return one byte, so that a reader never takes more
// than its message and the pieces of a message come apart.
type oneByte struct{ transport.ReceiveStream }

func (o oneByte) Read(p []byte) (int, error) { return o.ReceiveStream.Read(p[:min(1, len(p))]) }

// request is a request stream as the peer sees it.
type peerStream struct {
	transport.Stream
	p     *peer
	kind  wire.MessageKind
	first wire.Message
}

func (p *peer) id() uint64 {
	id := p.nextID
	p.nextID += 2
	return id
}

// request opens a stream with a message.
func (p *peer) request(m wire.Message) *peerStream {
	p.t.Helper()
	if p.shared != nil && !(p.draft == model.Draft16 && m.Kind() == wire.KindSubscribeNamespace) {
		id, track, _, _ := describe(m)
		p.shared.mu.Lock()
		st := p.shared.newStream(id, m.Kind(), track.Namespace, true)
		p.shared.mu.Unlock()
		p.send(st, wire.ControlStream, m.Kind(), m.Kind(), m)
		return &peerStream{st, p, m.Kind(), m}
	}
	st, err := p.conn.OpenStream(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	p.send(st, wire.RequestStream, m.Kind(), m.Kind(), m)
	return &peerStream{st, p, m.Kind(), m}
}

// accept takes the next request stream of the session and its first message.
func (p *peer) accept() (*peerStream, wire.Message) {
	p.t.Helper()
	if p.shared != nil {
		st, ok := <-p.shared.opened
		if !ok {
			p.t.Error("the session ended without a request")
			return &peerStream{p: p}, nil
		}
		return st, st.first
	}
	st, err := p.conn.AcceptStream(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	m := p.read(st, wire.RequestStream, 0, 0)
	if m == nil {
		p.t.Fatal("request stream without a request")
	}
	return &peerStream{st, p, m.Kind(), m}, m
}

// answer sends a message on a request stream.
func (s *peerStream) answer(m wire.Message) {
	s.p.t.Helper()
	s.say(s.kind, m)
}

// answerUpdate sends the answer to a REQUEST_UPDATE.
func (s *peerStream) answerUpdate(m wire.Message) {
	s.p.t.Helper()
	s.say(wire.KindRequestUpdate, m)
}

func (s *peerStream) say(answers wire.MessageKind, m wire.Message) {
	s.p.t.Helper()
	if share, ok := s.Stream.(*sharedStream); ok {
		share.say(answers, m)
		return
	}
	if id, _, _, ok := describe(s.first); ok && s.p.shared != nil {
		stamp(m, id, reply{id: id})
	}
	s.p.send(s, wire.RequestStream, s.kind, answers, m)
}

// next reads a message; nil at the end of the stream.
func (s *peerStream) next() wire.Message {
	s.p.t.Helper()
	if share, ok := s.Stream.(*sharedStream); ok {
		return share.next()
	}
	return s.p.read(s, wire.RequestStream, s.kind, s.kind)
}

func (s *peerStream) nextUpdateAnswer() wire.Message {
	s.p.t.Helper()
	if share, ok := s.Stream.(*sharedStream); ok {
		return share.next()
	}
	return s.p.read(s, wire.RequestStream, s.kind, wire.KindRequestUpdate)
}

// want reads a message of type M.
func want[M wire.Message](t *testing.T, why string, m wire.Message) M {
	t.Helper()
	got, ok := m.(M)
	if !ok {
		var zero M
		t.Fatalf("%s: got %T, want %T", why, m, zero)
	}
	return got
}

// wantClose waits until the session has closed with a code.
func (p *peer) wantClose(why string, code model.SessionCode) {
	p.t.Helper()
	synctest.Wait()
	if p.conn.Context().Err() == nil {
		p.t.Errorf("%s: the session stays open, want close with %v", why, code)
		return
	}
	ce, ok := errors.AsType[*transport.CloseError](context.Cause(p.conn.Context()))
	if !ok || !ce.Remote || ce.Code != uint64(code) {
		p.t.Errorf("%s: connection ended by %v, want close with %v", why, context.Cause(p.conn.Context()), code)
	}
}

// wantOpen fails if the session has closed.
func (p *peer) wantOpen(why string) {
	p.t.Helper()
	synctest.Wait()
	if p.conn.Context().Err() != nil {
		p.t.Errorf("%s: connection ended by %v", why, context.Cause(p.conn.Context()))
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// uni opens a unidirectional stream with raw bytes.
func (p *peer) uni(b []byte) transport.SendStream {
	p.t.Helper()
	st, err := p.conn.OpenUniStream(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(st, b)
	return st
}

var dateTrack = model.FullTrackName{Namespace: model.Namespace{"moq-date"}, Name: "date"}

// recorder is a Handler that hands requests to the test, and a Receiver that
// records what arrives.
type recorder struct {
	Refuse
	subscribes chan *SubscribeRequest
	publishes  chan *PublishRequest
	fetches    chan *FetchRequest
	namespaces chan *NamespaceRequest
	prefixes   chan *PrefixRequest
	objects    chan string
	hold       chan struct{} // handlers return when it is closed
}

// newRecorder returns a recorder that start completes: its channels must be
// made inside the bubble.
func newRecorder() *recorder { return &recorder{} }

func (h *recorder) init() {
	h.subscribes = make(chan *SubscribeRequest, 16)
	h.publishes = make(chan *PublishRequest, 16)
	h.fetches = make(chan *FetchRequest, 16)
	h.namespaces = make(chan *NamespaceRequest, 16)
	h.prefixes = make(chan *PrefixRequest, 16)
	h.objects = make(chan string, 1024)
	h.hold = make(chan struct{})
}

func (h *recorder) wait(ctx context.Context) {
	select {
	case <-h.hold:
	case <-ctx.Done():
	}
}

func (h *recorder) Subscribe(ctx context.Context, r *SubscribeRequest) {
	h.subscribes <- r
	h.wait(ctx)
}
func (h *recorder) Publish(ctx context.Context, r *PublishRequest) { h.publishes <- r; h.wait(ctx) }
func (h *recorder) Fetch(ctx context.Context, r *FetchRequest)     { h.fetches <- r; h.wait(ctx) }
func (h *recorder) PublishNamespace(ctx context.Context, r *NamespaceRequest) {
	h.namespaces <- r
	h.wait(ctx)
}
func (h *recorder) SubscribeNamespace(ctx context.Context, r *PrefixRequest) {
	h.prefixes <- r
	h.wait(ctx)
}
func (h *recorder) SubscribeTracks(ctx context.Context, r *PrefixRequest) {
	h.prefixes <- r
	h.wait(ctx)
}

// ReceiveSubgroup records objects as "group/object payload" and the end as
// "group end" or "group error".
func (h *recorder) ReceiveSubgroup(r *SubgroupReader) {
	for {
		o, err := r.Next()
		if err == nil {
			var payload []byte
			payload, err = r.Payload()
			if err == nil {
				h.objects <- model.Location{Group: r.Header.Group, Object: o.ID}.String() + " " + string(payload)
				continue
			}
		}
		if err == io.EOF {
			h.objects <- "end"
		} else {
			h.objects <- "error " + err.Error()
		}
		return
	}
}

func (h *recorder) ReceiveDatagram(d *wire.Datagram) {
	h.objects <- model.Location{Group: d.Group, Object: d.Object}.String() + " " + string(d.Payload)
}

// drained returns what was recorded so far.
func (h *recorder) drained() string {
	synctest.Wait()
	var out []string
	for {
		select {
		case o := <-h.objects:
			out = append(out, o)
		default:
			return strings.Join(out, ", ")
		}
	}
}
