package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

// world is a relay on a virtual network.
type world struct {
	t    *testing.T
	ctx  context.Context
	net  *testkit.Network
	r    *Relay
	next int
	work sync.WaitGroup
}

const relayAddr = "10.0.0.1:4433"

// onNetwork runs f with a relay behind a perfect link, in a bubble.
func onNetwork(t *testing.T, cfg Config, f func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, net: testkit.NewNetwork(t, 7), r: New(cfg)}
		ctx, stop := context.WithCancel(t.Context())
		w.ctx = ctx
		l := w.listen(relayAddr, testkit.Link{})
		w.work.Go(func() {
			for {
				c, err := l.Accept(ctx)
				if err != nil {
					return
				}
				w.work.Go(func() { _ = w.r.Serve(ctx, c) })
			}
		})
		defer func() {
			stop()
			w.work.Wait()
			w.r.Wait()
		}()
		f(t, w)
	})
}

// listen gives a node an endpoint, which can dial too.
func (w *world) listen(addr string, link testkit.Link) *listen.Listener {
	w.t.Helper()
	cert := testkit.Must(certs.SelfSigned(time.Now(), "relay"))(w.t)
	l := testkit.Must(listen.On(w.net.Node(addr, link, link), listen.Config{
		TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Protocols: session.Protocols(),
		WebTransport: &wttr.Server{Protocols: session.Protocols()},
	}))(w.t)
	w.t.Cleanup(func() { l.Close() })
	return l
}

// join connects a client over a link.
func (w *world) join(h session.Handler, link testkit.Link) *session.Session {
	w.t.Helper()
	w.next++
	l := w.listen(fmt.Sprintf("10.0.1.%d:1234", w.next), link)
	conf := &tls.Config{InsecureSkipVerify: true, NextProtos: session.Protocols(), ServerName: "relay"}
	conn := testkit.Must(quictr.Dial(w.ctx, relayAddr, conf, quictr.Options{Via: l.Transport()}))(w.t)
	s := testkit.Must(session.Start(w.ctx, conn, session.Config{Handler: h}))(w.t)
	return s
}

// viewer counts the objects that it receives.
type viewer struct {
	mu       sync.Mutex
	got      map[model.Location]int
	problems []string
}

func (v *viewer) take(l model.Location, payload string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if payload != content(l) {
		v.problems = append(v.problems, fmt.Sprintf("object %v has %d bytes of another", l, len(payload)))
	}
	v.got[l]++
}

func (v *viewer) problem(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

func (v *viewer) ReceiveSubgroup(r *session.SubgroupReader) {
	last := model.Opt[uint64]{}
	for {
		h, err := r.Next()
		if err != nil {
			if _, cut := errors.AsType[*model.StreamError](err); cut {
				v.problem("the stream of group %d is reset after object %v: %v", r.Header.Group, last, err)
			}
			return
		}
		if l, ok := last.Get(); ok && h.ID <= l {
			v.problem("group %d: object %d after %d", r.Header.Group, h.ID, l)
		}
		last = model.Some(h.ID)
		payload, err := r.Payload()
		if err != nil {
			v.problem("group %d: object %d: %v", r.Header.Group, h.ID, err)
			return
		}
		v.take(model.Location{Group: r.Header.Group, Object: h.ID}, string(payload))
	}
}

func (v *viewer) ReceiveDatagram(*session.Datagram) {}

// wantAll reports what is missing, and what came more than once.
func (v *viewer) wantAll(t *testing.T, who string, groups, objects uint64) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for g := range groups {
		for o := range objects {
			if n := v.got[loc(g, o)]; n != 1 {
				t.Errorf("%s received object %d/%d %d times", who, g, o, n)
			}
		}
	}
	if len(v.got) != int(groups*objects) {
		t.Errorf("%s received %d objects of %d", who, len(v.got), groups*objects)
	}
	for _, p := range v.problems {
		t.Errorf("%s: %s", who, p)
	}
}

// content is the payload of an object: some are small, some larger than what
// the relay keeps whole, and all are different.
func content(l model.Location) string {
	r := rand.New(rand.NewPCG(l.Group, l.Object))
	b := make([]byte, 1+r.IntN(2000))
	if l.Object%7 == 3 {
		b = make([]byte, 30_000)
	}
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// origin publishes by the date's name to whoever asks, once.
type origin struct {
	session.Refuse
	out chan *session.Outbound
	t   *testing.T
}

func (o *origin) Subscribe(_ context.Context, r *session.SubscribeRequest) {
	out, err := r.Accept(session.Offer{}, nil)
	if err != nil {
		o.t.Error(err)
		return
	}
	o.out <- out
}

// audience is how many viewers TestBadNetwork has.
var audience = 20

// TestBadNetwork: a publisher and its audience, each behind a link that loses
// two packets of a hundred and delays and reorders the others. Everybody gets
// every object once, and each stream in its order.
// Duties: 47.
func TestBadNetwork(t *testing.T) {
	const groups, objects = 6, 15
	onNetwork(t, Config{}, func(t *testing.T, w *world) {
		bad := func(i int) testkit.Link {
			return testkit.Link{
				Rate: 20e6, Queue: 256 << 10, Delay: time.Duration(20+3*i) * time.Millisecond,
				Jitter: 15 * time.Millisecond, Reorder: true, Loss: 0.02,
			}
		}
		pub := &origin{t: t, out: make(chan *session.Outbound, 1)}
		ps := w.join(pub, bad(0))
		testkit.Must(ps.PublishNamespace(t.Context(), date.Namespace))(t)
		var all []*viewer
		var ins []*session.Inbound
		join := func() (*viewer, *session.Inbound) {
			v := &viewer{got: map[model.Location]int{}}
			s := w.join(nil, bad(len(all)))
			in := testkit.Must(s.Subscribe(t.Context(), session.SubscribeOptions{
				Track: date, Change: session.Change{Filter: model.Some(model.NextObject)},
			}, v))(t)
			all, ins = append(all, v), append(ins, in)
			return v, in
		}
		for range audience - 4 {
			join()
		}
		out := <-pub.out
		a := &actor{t: t, sess: ps}
		streams := uint64(0)
		publish := func(from, to uint64) {
			for g := from; g < to; g++ {
				st := a.open(out, session.SubgroupHeader{Group: g, FirstObject: true})
				streams++
				for o := range uint64(objects) {
					st.put(session.ObjectHeader{ID: o}, content(loc(g, o)))
					time.Sleep(20 * time.Millisecond) // virtual
				}
				_ = st.Close()
			}
		}
		publish(0, groups/2)
		// Four come late, and fetch what they have missed.
		var late sync.WaitGroup
		for range 4 {
			v, in := join()
			late.Go(func() {
				f, err := in.Session().Fetch(t.Context(), session.FetchOptions{Join: &session.Join{To: in}})
				for err == nil {
					var item session.FetchItem
					// Where the group's end was not marked, the range after the
					// last object is unknown, which is no object.
					if item, err = f.Next(t.Context()); err == nil && item.Kind == session.FetchObject {
						var payload []byte
						payload, err = f.Payload()
						v.take(item.Location, string(payload))
					}
				}
			})
		}
		publish(groups/2, groups)
		if err := out.Done(model.DoneTrackEnded, "", model.Some(streams)); err != nil {
			t.Fatal(err)
		}
		late.Wait()
		for i, in := range ins {
			<-in.Context().Done()
			if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded}) {
				t.Errorf("viewer %d ended with %v", i, err)
			}
			all[i].wantAll(t, fmt.Sprintf("viewer %d", i), groups, objects)
		}
		var lost uint64
		for _, peer := range testkit.Must(w.r.State(t.Context()))(t).Sessions {
			lost += peer.Link.PacketsLost
		}
		if lost == 0 {
			t.Error("the network lost nothing")
		}
	})
}
