package moqt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

var testTrack = model.FullTrackName{Namespace: model.Namespace{"ns"}, Name: "track"}

func at(group, object uint64) model.Location { return model.Location{Group: group, Object: object} }

func span(group, from, to uint64) (out []model.Location) {
	for o := from; o <= to; o++ {
		out = append(out, at(group, o))
	}
	return out
}

// origin is a publisher in the hands of a test: it has a log, which can be
// fetched, and sends live what the test says.
type origin struct {
	session.Refuse
	t   *testing.T
	log []model.Location // in order

	refuse      *model.RequestError // of SUBSCRIBE
	refuseJoin  *model.RequestError // of joining FETCHes
	refuseFetch *model.RequestError // of all
	cutAfter    int                 // objects after which the next fetch is cut
	stallAfter  int                 // objects after which the next fetch says nothing more; -1: at once
	unknown     []model.Location    // fetches say that these are not known

	mu    sync.Mutex
	out   *session.Outbound
	asked []string // ranges of FETCHes; joining ones with "join" before
}

func (o *origin) Subscribe(_ context.Context, r *session.SubscribeRequest) {
	if o.refuse != nil {
		_ = r.Reject(o.refuse)
		return
	}
	out, err := r.Accept(o.offer(), nil)
	if err == nil {
		o.mu.Lock()
		o.out = out
		o.mu.Unlock()
	}
}

func (o *origin) offer() (offer session.Offer) {
	if n := len(o.log); n > 0 {
		offer.Largest = model.Some(o.log[n-1])
	}
	return offer
}

func (o *origin) Fetch(ctx context.Context, r *session.FetchRequest) {
	o.mu.Lock()
	ask := r.Range.String()
	refusal := o.refuseFetch
	if r.Joined != nil {
		ask = "join " + ask
		if o.refuseJoin != nil {
			refusal = o.refuseJoin
		}
	}
	o.asked = append(o.asked, ask)
	cut, stall := o.cutAfter, o.stallAfter
	o.cutAfter, o.stallAfter = 0, 0
	o.mu.Unlock()
	if refusal != nil {
		_ = r.Reject(refusal)
		return
	}
	if err := r.Accept(session.FetchInfo{End: r.Range.End}); err != nil {
		return
	}
	if stall < 0 {
		return
	}
	st, enc, b, err := r.Open(ctx)
	if err != nil {
		return
	}
	st.SetReliableBoundary()
	n := 0
	put := func(item wire.FetchItem, payload string) {
		item.PayloadLen = uint64(len(payload))
		if b, err = enc.Append(b, item); err != nil {
			o.t.Error(err)
		}
		_, _ = st.Write(append(b, payload...))
		b = nil
	}
	_, _ = st.Write(b)
	b = nil
	for _, l := range o.log {
		if !r.Range.Contains(l) {
			continue
		}
		put(wire.FetchItem{Location: l, Priority: 128}, l.String())
		switch n++; n {
		case cut:
			st.SetReliableBoundary()
			st.CancelWrite(uint64(model.ResetInternalError))
			r.Finish()
			return
		case stall:
			return
		}
	}
	for _, l := range o.unknown {
		put(wire.FetchItem{Kind: wire.FetchEndUnknown, Location: l}, "")
	}
	_ = st.Close()
	r.Finish()
}

// stream is a subgroup stream.
type stream struct {
	o    *origin
	st   transport.SendStream
	prev model.Opt[uint64]
}

// open begins a stream; endOfGroup says that its FIN ends the group.
func (o *origin) open(group, subgroup uint64, endOfGroup bool) *stream {
	o.t.Helper()
	o.mu.Lock()
	out := o.out
	o.mu.Unlock()
	st, err := out.Session().Conn().OpenUniStream(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	h := wire.SubgroupHeader{TrackAlias: out.Alias(), Group: group, Subgroup: subgroup, Mode: wire.SubgroupExplicit, EndOfGroup: endOfGroup}
	_, _ = st.Write(h.Append(nil, model.Draft18))
	st.SetReliableBoundary()
	return &stream{o, st, model.Opt[uint64]{}}
}

func (s *stream) put(ids ...uint64) *stream {
	for _, id := range ids {
		s.object(id, model.StatusNormal, "x")
	}
	return s
}

func (s *stream) object(id uint64, status model.ObjectStatus, payload string) {
	if status != model.StatusNormal {
		payload = ""
	}
	b := wire.FormOf(model.Draft18, false).AppendObject(nil, s.prev, wire.ObjectHeader{ID: id, Status: status, PayloadLen: uint64(len(payload))})
	_, _ = s.st.Write(append(b, payload...))
	s.st.SetReliableBoundary()
	s.prev = model.Some(id)
}

func (s *stream) end(id uint64) { s.object(id, model.StatusEndOfGroup, ""); s.close() }
func (s *stream) close()        { _ = s.st.Close() }
func (s *stream) cut()          { s.st.CancelWrite(uint64(model.ResetInternalError)) }

func (o *origin) datagram(l model.Location, endOfGroup bool) {
	g := wire.Datagram{TrackAlias: o.out.Alias(), Group: l.Group, Object: l.Object, EndOfGroup: endOfGroup, Payload: []byte("x")}
	_ = o.out.Session().Conn().SendDatagram(g.Append(nil, model.Draft18))
}

// grow adds to the log.
func (o *origin) grow(ls ...[]model.Location) {
	for _, l := range ls {
		o.log = append(o.log, l...)
	}
}

// stage is a Subscriber and what comes out of it.
type stage struct {
	t   *testing.T
	sub *Subscriber
	mu  sync.Mutex
	out []string
}

// link is one session between a stage's Subscriber and an origin.
type link struct {
	client, server *session.Session
	conn           transport.Conn
	done           chan error
	stop           context.CancelFunc
}

func play(t *testing.T, start Start, f func(*testing.T, *stage, *origin)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		st := &stage{t: t}
		st.sub = &Subscriber{
			Track: testTrack, Start: start,
			Emit: func(o model.Object) { st.say(o.Location.String()) },
			Gap:  func(from, to model.Location) { st.say(fmt.Sprintf("gap(%v %v)", from, to)) },
			Log:  slog.New(slog.NewTextHandler(t.Output(), nil)),
		}
		f(t, st, &origin{t: t})
	})
}

func (st *stage) say(s string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.out = append(st.out, s)
}

// connect makes a session and runs the Subscriber on it.
func (st *stage) connect(o *origin) *link {
	l := st.dial(o, session.Config{})
	st.run(l, func(ctx context.Context) error { return st.sub.Run(ctx, l.client) })
	return l
}

func (st *stage) run(l *link, f func(context.Context) error) {
	ctx, stop := context.WithCancel(st.t.Context())
	l.stop = stop
	go func() { l.done <- f(ctx) }()
	synctest.Wait()
}

func (st *stage) dial(o *origin, client session.Config) *link {
	st.t.Helper()
	c, srv := memtr.Pair()
	l := &link{conn: c, done: make(chan error, 1), stop: func() {}}
	made := make(chan struct{})
	go func() {
		defer close(made)
		l.server, _ = session.Start(st.t.Context(), srv, session.Config{Role: session.Server, Handler: o})
	}()
	var err error
	client.Role = session.Client
	l.client, err = session.Start(st.t.Context(), c, client)
	<-made
	if err != nil || l.server == nil {
		st.t.Fatal("no session:", err)
	}
	st.t.Cleanup(l.close)
	return l
}

func (l *link) close() {
	l.stop()
	l.client.Close(model.NoError, "")
	l.server.Close(model.NoError, "")
	l.client.Wait()
	l.server.Wait()
}

// lose ends the session as if the relay had been killed.
func (l *link) lose() error {
	memtr.Break(l.conn, nil)
	err := <-l.done
	l.close()
	return err
}

// want waits until all is quiet and compares what came out since the last time.
// Ranges "7/0-3" stand for their objects.
func (st *stage) want(why, want string) {
	st.t.Helper()
	synctest.Wait()
	st.mu.Lock()
	got := strings.Join(st.out, " ")
	st.out = nil
	st.mu.Unlock()
	var all []string
	for item := range strings.FieldsSeq(want) {
		var g, a, b uint64
		if n, _ := fmt.Sscanf(item, "%d/%d-%d", &g, &a, &b); n == 3 {
			for _, l := range span(g, a, b) {
				all = append(all, l.String())
			}
			continue
		}
		all = append(all, item)
	}
	if w := strings.ReplaceAll(strings.Join(all, " "), "_", " "); got != w {
		st.t.Errorf("%s:\ngot  %s\nwant %s", why, got, w)
	}
}

func (st *stage) pass(d time.Duration) {
	synctest.Wait()
	time.Sleep(d)
}

func (o *origin) wantAsked(why string, want ...string) {
	o.t.Helper()
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if fmt.Sprint(o.asked) != fmt.Sprint(want) {
		o.t.Errorf("%s: FETCHes %q, want %q", why, o.asked, want)
	}
	o.asked = nil
}

func wantErr[E error](t *testing.T, why string, err error) {
	t.Helper()
	if _, ok := errors.AsType[E](err); !ok {
		t.Errorf("%s: got %v (%T)", why, err, err)
	}
}
