package relay

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// stage is a relay on virtual time with the actors of a test.
type stage struct {
	t    *testing.T
	r    *Relay
	stop context.CancelFunc
	ctx  context.Context
	work sync.WaitGroup
	cast []*actor
}

// play runs f with a relay in a bubble of virtual time.
func play(t *testing.T, cfg Config, f func(*testing.T, *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if testing.Verbose() && cfg.Log == nil {
			cfg.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
		s := &stage{t: t, r: New(cfg)}
		s.ctx, s.stop = context.WithCancel(t.Context())
		defer func() { // also after Fatal
			s.stop()
			s.work.Wait()
			s.r.Wait()
		}()
		f(t, s)
		s.clear()
	})
}

// actor is a client of the relay. As a publisher it accepts every SUBSCRIBE of
// the tracks in offers; as a subscriber it records what it receives.
type actor struct {
	session.Refuse
	sess *session.Session
	t    *testing.T

	mu         sync.Mutex
	offers     map[string]session.Offer // by track name
	subscribes int
	fetches    int
	out        map[string]*session.Outbound
	got        []string
	past       map[string][]model.Location // what can be fetched, by track name
	// streamPerObject: the subgroups of past are those of single.
	streamPerObject bool
	tells           bool // answers to updates say how far offers are
	published       func(*session.PublishRequest)
	fetching        func(context.Context, *session.FetchRequest)
	accepted        func(*session.Outbound) // called when a SUBSCRIBE was answered
	collected       []string                // see collect
	hold            chan struct{}           // if set, a SUBSCRIBE is answered when it is closed
	wishes          []uint64                // NEW_GROUP_REQUESTs
	in              []*session.Inbound
}

// join connects an actor.
func (s *stage) join(opts ...memtr.Option) *actor {
	s.t.Helper()
	a, err := s.tryJoin("", opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func name(ns, track string) model.FullTrackName {
	return model.FullTrackName{Namespace: model.ParseNamespace(ns, "/"), Name: track}
}

// publish announces a namespace and offers a track in it.
func (a *actor) publish(ns, track string, offer session.Offer) *session.PublishedNamespace {
	a.t.Helper()
	a.offer(track, offer)
	p, err := a.sess.PublishNamespace(a.t.Context(), model.ParseNamespace(ns, "/"))
	if err != nil {
		a.t.Fatal(err)
	}
	return p
}

func (a *actor) offer(track string, offer session.Offer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.offers[track] = offer
}

// Subscribe accepts what is on offer.
func (a *actor) Subscribe(_ context.Context, r *session.SubscribeRequest) {
	a.mu.Lock()
	a.subscribes++
	hold := a.hold
	a.mu.Unlock()
	if hold != nil {
		<-hold
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	offer, ok := a.offers[r.Track.Name]
	if !ok {
		_ = r.Reject(&model.RequestError{Code: model.DoesNotExist, Reason: "not on offer"})
		return
	}
	if after, ok := r.NewGroup.Get(); ok {
		a.wishes = append(a.wishes, after)
	}
	out, err := r.Accept(offer, func(_, _ session.Terms, newGroup model.Opt[uint64]) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if after, ok := newGroup.Get(); ok {
			a.wishes = append(a.wishes, after)
		}
		return nil
	})
	if err != nil {
		if r.Context().Err() == nil {
			a.t.Error(err)
		}
		return
	}
	a.out[r.Track.Name] = out
	if a.tells {
		out.SetLargest(a.largest(r.Track))
	}
	if a.accepted != nil {
		a.accepted(out)
	}
}

// largest returns what reads how far the offer of a track is.
func (a *actor) largest(track model.FullTrackName) func() model.Opt[model.Location] {
	return func() model.Opt[model.Location] {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.offers[track.Name].Largest
	}
}

// Publish accepts everything, or does what the test says.
func (a *actor) Publish(_ context.Context, r *session.PublishRequest) {
	a.mu.Lock()
	f := a.published
	a.mu.Unlock()
	if f != nil {
		f(r)
		return
	}
	if _, err := r.Accept(session.Change{}, a); err != nil && r.Session().Context().Err() == nil {
		a.t.Error(err)
	}
}

// Fetch serves what is in past, each object with its location as payload.
func (a *actor) Fetch(ctx context.Context, r *session.FetchRequest) {
	a.mu.Lock()
	a.fetches++
	past, fetching, offer := a.past[r.Track.Name], a.fetching, a.offers[r.Track.Name]
	a.mu.Unlock()
	if fetching != nil {
		fetching(ctx, r)
		return
	}
	if len(past) == 0 {
		_ = r.Reject(&model.RequestError{Code: model.InvalidRange, Reason: "nothing there"})
		return
	}
	end := slices.MaxFunc(past, model.Location.Compare)
	if r.Range.End.Less(end) {
		end = r.Range.End
	}
	if r.Accept(session.FetchInfo{End: end, Properties: offer.Properties}) != nil {
		return
	}
	st, enc, b, err := r.Open(ctx)
	if err != nil {
		return
	}
	for _, l := range past {
		if !r.Range.Contains(l) {
			continue
		}
		payload := l.String()
		item := wire.FetchItem{Kind: wire.FetchObject, Location: l, Priority: 128, PayloadLen: uint64(len(payload))}
		if a.streamPerObject {
			item.Subgroup = l.Object
		}
		if b, err = enc.Append(b, item); err != nil {
			a.t.Error(err)
			return
		}
		b = append(b, payload...)
	}
	_, _ = st.Write(b)
	_ = st.Close()
	r.Finish()
}

// outbound waits until the relay has subscribed to a track of the actor.
func (a *actor) outbound(track string) *session.Outbound {
	a.t.Helper()
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.out[track] == nil {
		a.t.Fatalf("the relay has not subscribed to %q", track)
	}
	return a.out[track]
}

func (a *actor) counts() (subscribes, fetches int) {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.subscribes, a.fetches
}

// subscribe asks the relay for a track.
func (a *actor) subscribe(track model.FullTrackName, c session.Change) (*session.Inbound, error) {
	return a.sess.Subscribe(a.t.Context(), session.SubscribeOptions{Track: track, Change: c}, a)
}

func (a *actor) mustSubscribe(track model.FullTrackName) *session.Inbound {
	a.t.Helper()
	in, err := a.subscribe(track, session.Change{})
	if err != nil {
		a.t.Fatal(err)
	}
	return in
}

func (a *actor) record(s string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got = append(a.got, s)
}

// ReceiveSubgroup records each object by its payload, "end G/O" for markers.
func (a *actor) ReceiveSubgroup(r *session.SubgroupReader) {
	for {
		o, err := r.Next()
		if err != nil {
			return
		}
		payload, err := r.Payload()
		if err != nil {
			a.record("torn")
			return
		}
		l := model.Location{Group: r.Header.Group, Object: o.ID}
		switch {
		case o.Status != model.StatusNormal:
			a.record("end " + l.String())
		case string(payload) != l.String() && len(payload) < 100:
			a.record(fmt.Sprintf("%v=%s", l, payload))
		default:
			a.record(l.String())
		}
	}
}

func (a *actor) ReceiveDatagram(d *session.Datagram) {
	a.record("dgram " + model.Location{Group: d.Group, Object: d.Object}.String())
}

// fetch reads a FETCH to its end.
func (a *actor) fetch(opts session.FetchOptions) (string, error) {
	f, err := a.sess.Fetch(a.t.Context(), opts)
	if err != nil {
		return "", err
	}
	var got []string
	for {
		item, err := f.Next(a.t.Context())
		if err == io.EOF {
			_, err := f.OK(a.t.Context())
			return strings.Join(got, " "), err
		}
		if err != nil {
			return strings.Join(got, " "), err
		}
		if item.Kind != session.FetchObject {
			got = append(got, fmt.Sprintf("unknown..%v", item.Location))
			continue
		}
		payload, err := f.Payload()
		if err != nil {
			return "", err
		}
		if string(payload) != item.Location.String() {
			a.t.Errorf("object %v has payload %q", item.Location, payload)
		}
		got = append(got, string(payload))
	}
}

// want compares what was received since the last call, in any order if the
// objects came on different streams.
func (a *actor) want(why, want string) {
	a.t.Helper()
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	got := a.got
	a.got = nil
	slices.Sort(got)
	w := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(want, "end ", "end_"), "dgram ", "dgram_"))
	for i := range w {
		w[i] = strings.ReplaceAll(w[i], "_", " ")
	}
	slices.Sort(w)
	if !slices.Equal(got, w) {
		a.t.Errorf("%s: received %v, want %v", why, got, w)
	}
}

func loc(g, o uint64) model.Location { return model.Location{Group: g, Object: o} }

func largest(g, o uint64) session.Offer { return session.Offer{Largest: model.Some(loc(g, o))} }

// pass lets virtual time go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// joinAt connects an actor that names a path.
func (s *stage) joinAt(path string) *actor {
	s.t.Helper()
	a, err := s.tryJoin(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *stage) tryJoin(path string, opts ...memtr.Option) (*actor, error) {
	return s.enter(session.Config{Path: path}, opts...)
}

// joinAs connects an actor that calls itself so.
func (s *stage) joinAs(implementation string) *actor {
	s.t.Helper()
	a, err := s.enter(session.Config{Implementation: implementation})
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *stage) enter(cfg session.Config, opts ...memtr.Option) (*actor, error) {
	c, srv := memtr.Pair(opts...)
	a := &actor{t: s.t, offers: map[string]session.Offer{}, out: map[string]*session.Outbound{}, past: map[string][]model.Location{}}
	s.work.Go(func() { _ = s.r.Serve(s.ctx, srv) })
	var err error
	cfg.Role, cfg.Handler = session.Client, a
	a.sess, err = session.Start(s.ctx, c, cfg)
	s.cast = append(s.cast, a)
	return a, err
}
