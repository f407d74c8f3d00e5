package hall

import (
	"context"
	"testing"
	"testing/synctest"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/auth"
	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
	"oxymoq/pkg/transport/memtr"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var testTrack = model.FullTrackName{Namespace: model.Namespace{"ns"}, Name: "track"}

func at(group, object uint64) model.Location { return model.Location{Group: group, Object: object} }

// pair is two sessions. The server hands requests to the test.
type pair struct {
	session.Refuse
	t              *testing.T
	client, server *session.Session
	sched          *egress.Scheduler // of the server
	subscribed     func(*session.SubscribeRequest)
	fetched        func(context.Context, *session.FetchRequest)
}

func (p *pair) Subscribe(_ context.Context, r *session.SubscribeRequest) { p.subscribed(r) }
func (p *pair) Fetch(ctx context.Context, r *session.FetchRequest)       { p.fetched(ctx, r) }

// connected runs f in a bubble. The authorizer may be nil.
func connected(t *testing.T, a auth.Authorizer, f func(*testing.T, *pair)) {
	t.Helper()
	connectedBy(t, session.Primary, a, f)
}

// connectedBy is connected with sessions of a draft.
func connectedBy(t *testing.T, d model.Draft, a auth.Authorizer, f func(*testing.T, *pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pair{t: t}
		c, s := memtr.Pair()
		started := make(chan error, 1)
		go func() {
			var err error
			p.server, err = session.Start(t.Context(), s, session.Config{Draft: d, Role: session.Server, Handler: p, Authorizer: a})
			started <- err
		}()
		p.client = testkit.Must(session.Start(t.Context(), c, session.Config{Draft: d}))(t)
		testkit.NoErr(t, <-started)
		p.sched = egress.NewScheduler(p.server.Context(), Over(p.server), nil)
		defer func() {
			p.client.Close(model.NoError, "")
			p.client.Wait()
			p.server.Wait()
			p.sched.Wait()
		}()
		f(t, p)
	})
}

// copying is a Receiver that puts everything into a log.
type copying struct {
	p   *pair
	log *track.Track
	err chan error
}

func newCopying(p *pair) *copying {
	return &copying{p: p, log: track.New(track.Config{}), err: make(chan error, 100)}
}

func (c *copying) ReceiveSubgroup(r *session.SubgroupReader) {
	if err := Store(r, c.log, nil); err != nil {
		c.err <- err
	}
}

func (c *copying) ReceiveDatagram(d *session.Datagram) {
	if err := StoreDatagram(c.p.client, d, c.log, nil); err != nil {
		c.err <- err
	}
}

// deliver makes the server serve every SUBSCRIBE from a log.
func (p *pair) deliver(log *track.Track, o Options) {
	p.subscribed = func(r *session.SubscribeRequest) {
		sub := p.sched.Subscribe(log)
		out, err := r.Accept(session.Offer{Largest: sub.Largest()}, func(now, next session.Terms, _ model.Opt[uint64]) error {
			Revise(sub, now, next)
			return nil
		})
		if err != nil {
			p.t.Error(err)
			return
		}
		Deliver(sub, out, o)
	}
}
