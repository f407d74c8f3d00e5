package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
)

// network is several relays on virtual time, by the names that links dial.
type network struct {
	t      *testing.T
	relays map[string]*stage
	conns  map[string][2]transport.Conn // both ends of the newest of each link, by "from to"
	deaf   map[string]bool              // relays that cannot be reached
	mu     sync.Mutex                   // guards conns and deaf
	draft  model.Draft                  // of links to come; zero: the primary one
	links  context.Context
}

// meet runs f with relays of the given names in a bubble of virtual time.
func meet(t *testing.T, names []string, f func(t *testing.T, n *network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &network{t: t, relays: map[string]*stage{}, conns: map[string][2]transport.Conn{}, deaf: map[string]bool{}}
		ctx, stop := context.WithCancel(t.Context())
		links, unlink := context.WithCancel(ctx)
		n.links = links
		for _, name := range names {
			cfg := Config{}
			if testing.Verbose() {
				cfg.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})).With("relay", name)
			}
			n.relays[name] = &stage{t: t, r: New(cfg), ctx: ctx, stop: stop}
		}
		defer func() { // also after Fatal
			stop()
			for _, s := range n.relays {
				s.work.Wait()
			}
			for _, s := range n.relays {
				s.r.Wait()
			}
		}()
		f(t, n)
		unlink()
		synctest.Wait()
		for _, s := range n.relays {
			s.clear()
		}
	})
}

var errUnreachable = errors.New("nobody is there")

// link joins one relay to another for as long as the test lasts.
func (n *network) link(from, to string, prefixes ...string) {
	n.t.Helper()
	cfg := LinkConfig{Target: testTarget(n.t, to)}
	for _, p := range prefixes {
		cfg.Prefixes = append(cfg.Prefixes, model.ParseNamespace(p, "/"))
	}
	n.run(from, cfg)
	synctest.Wait()
}

func testTarget(t *testing.T, host string) dial.Target {
	t.Helper()
	target, err := dial.Parse("moqt://" + host + ":4433")
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func (n *network) run(from string, cfg LinkConfig) {
	var opts []memtr.Option
	if n.draft != 0 {
		i := slices.IndexFunc(session.Protocols(), func(p string) bool { d, _ := session.DraftOf(p); return d == n.draft })
		opts = append(opts, memtr.WithProtocol(session.Protocols()[i]))
	}
	s := n.relays[from]
	cfg.Dial.Connect = func(_ context.Context, addr string, _ *tls.Config) (transport.Conn, error) {
		to := addr[:len(addr)-len(":4433")]
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.relays[to] == nil || n.deaf[to] {
			return nil, errUnreachable
		}
		ours, theirs := memtr.Pair(opts...)
		n.conns[from+" "+to] = [2]transport.Conn{ours, theirs}
		n.relays[to].work.Go(func() { _ = n.relays[to].r.Serve(n.relays[to].ctx, theirs) })
		return ours, nil
	}
	s.work.Go(func() { _ = s.r.Link(n.links, cfg) })
}

// cut ends the newest session of a link without a word. The link is made again
// when the other relay can be reached.
func (n *network) cut(from, to string) {
	n.reach(to, false)
	n.mu.Lock()
	ends := n.conns[from+" "+to]
	n.mu.Unlock()
	for _, c := range ends {
		memtr.Break(c, errUnreachable)
	}
	synctest.Wait()
}

// reach lets new sessions reach a relay, or not.
func (n *network) reach(name string, can bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.deaf[name] = !can
}

// onlyLink returns the only link of a relay as windows see it.
func (s *stage) onlyLink() observe.LinkState {
	s.t.Helper()
	st, err := s.r.State(s.ctx)
	if err != nil || len(st.Links) != 1 {
		s.t.Fatalf("links %v, error %v", st.Links, err)
	}
	return st.Links[0]
}

// onTrack returns how many publishers and subscribers a relay has for the date.
func (s *stage) onTrack(name model.FullTrackName) (ups, subs int) {
	synctest.Wait()
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	for _, sc := range s.r.scopes {
		if t := sc.tracks[name.Key()]; t != nil {
			ups, subs = ups+len(t.ups), subs+len(t.subs)
		}
	}
	return ups, subs
}

// wantTrack compares that.
func (n *network) wantTrack(relay string, ups, subs int) {
	n.t.Helper()
	if u, s := n.relays[relay].onTrack(date); u != ups || s != subs {
		n.t.Errorf("relay %s has %d publishers and %d subscribers of the date, want %d and %d", relay, u, s, ups, subs)
	}
}

// reconnected waits until a link is up.
func (s *stage) reconnected() {
	s.t.Helper()
	for range 100 {
		if s.onlyLink().State == linkUp {
			return
		}
		pass(100 * time.Millisecond)
	}
	s.t.Fatalf("the link is %+v", s.onlyLink())
}

// wantNoPublishers checks that a relay knows of no namespace.
func (n *network) wantNoPublishers(relay string) {
	n.t.Helper()
	st, err := n.relays[relay].r.State(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	for _, s := range st.Spaces {
		if len(s.Publishers) > 0 {
			n.t.Errorf("relay %s knows %s from %v", relay, s.Name, s.Publishers)
		}
	}
}
