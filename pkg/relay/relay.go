package relay

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/namespace"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// Relay joins publishers and subscribers. Create it with New.
type Relay struct {
	cfg      Config
	id       string                 // by which other relays know it; without one it tells no hops
	tuned    atomic.Pointer[Config] // cfg with what Tune changed of it
	budget   *track.Budget
	counters observe.Relay
	events   *observe.Ring
	began    time.Time
	late     observe.Window
	nextID   atomic.Uint64
	work     sync.WaitGroup // goroutines of requests and reports

	mu       sync.Mutex
	scopes   map[string]*scope
	tracks   map[string]*relayTrack // of all scopes, by ID
	inOrder  *list.List             // the same, in the order in which they became known
	peers    map[*peer]bool         // true: the session is set up
	guests   int                    // of peers, those who came by themselves
	links    []*link                // in the order in which they were made
	idle     *list.List             // tracks that nobody uses, the one used least recently first
	draining *drain                 // nil until Drain
	drained  chan struct{}          // closed when draining and the last peer has left

	nextTrack  uint64
	gone       observe.Totals // of sessions and tracks that are gone
	goneDelays observe.Counts
}

// drain is what peers are told from Drain on.
type drain struct {
	uri   string
	until time.Time
}

func (d *drain) tell(p *peer) {
	_ = p.session.Goaway(d.uri, max(time.Until(d.until), time.Millisecond)) // one that has just left needs none
}

// scope is a set of sessions that share tracks.
type scope struct {
	key        string
	peers      int
	published  namespace.Tree[*publication]
	routes     namespace.Tree[*publication] // where to ask for what is not published
	watchers   namespace.Tree[*watcher]     // SUBSCRIBE_NAMESPACE
	collectors namespace.Tree[*collector]   // SUBSCRIBE_TRACKS
	tellers    map[*watcher]bool            // relays that are told ways
	exporters  map[*exports]bool            // relays that are told namespaces
	tracks     map[string]*relayTrack       // by FullTrackName.Key
}

// New returns a relay without sessions.
func New(cfg Config) *Relay {
	cfg = cfg.withDefaults()
	r := &Relay{
		events: cfg.Events, began: time.Now(), tracks: map[string]*relayTrack{}, inOrder: list.New(),
		cfg: cfg, id: newRelayID(), budget: track.NewBudget(cfg.CacheBytes),
		scopes: map[string]*scope{}, peers: map[*peer]bool{}, idle: list.New(), drained: make(chan struct{}),
	}
	r.tuned.Store(&cfg)
	return r
}

// Counters returns what the relay counts.
func (r *Relay) Counters() *observe.Relay { return &r.counters }

// Serve serves one connection until it ends, and returns why it ended: nil if
// the peer left in good order.
func (r *Relay) Serve(ctx context.Context, conn session.Conn) error {
	number := r.nextID.Add(1)
	p := &peer{
		r: r, number: number, id: strconv.FormatUint(number, 36), remote: fmt.Sprint(conn.RemoteAddr()), began: time.Now(),
		noted: observe.Recorded(ctx), ready: make(chan struct{}),
	}
	p.log = r.cfg.Log.With("session", p.id, "peer", p.remote)
	draft, ok := session.DraftOf(conn.Protocol())
	if !ok {
		_ = conn.CloseWithError(uint64(model.VersionNegotiationFailed), "no common protocol")
		return fmt.Errorf("peer %v speaks %q, which is not served", conn.RemoteAddr(), conn.Protocol())
	}
	r.enter(p)
	defer r.leave(p)
	cfg := r.sessionConfig(p)
	cfg.Role, cfg.Draft, cfg.CheckScope = session.Server, draft, r.checkScope
	s, err := session.Start(ctx, conn, cfg)
	if err != nil {
		close(p.ready)
		p.note(slog.LevelInfo, observe.KindSession, nil, "session refused", "because", err)
		return err
	}
	r.admit(p, s, s.Path(), s.Authority())
	stop := context.AfterFunc(ctx, func() { s.Close(model.NoError, "relay stops") })
	defer stop()
	s.Wait()
	err = s.Err()
	if se, ok := errors.AsType[*model.SessionError](err); ok && se.Code == model.NoError {
		err = nil
	}
	p.note(slog.LevelInfo, observe.KindSession, nil, "session ended", "because", s.Err())
	return err
}

// sessionConfig is the configuration of the session of a peer.
func (r *Relay) sessionConfig(p *peer) session.Config {
	cfg := r.cfg.Session
	cfg.ID, cfg.Handler, cfg.Log, cfg.Authorizer = p.id, p, p.log, r.authorizer(p)
	cfg.Implementation = withID(cfg.Implementation, r.id)
	return cfg
}

// authorizer asks the configured one for a peer, and counts refusals. Relays that
// we are linked to see no more than what is exchanged with them.
func (r *Relay) authorizer(p *peer) auth.Authorizer {
	if r.cfg.Authorizer == nil && p.link == nil {
		return nil
	}
	return auth.Func(func(ctx context.Context, req auth.Request) (g auth.Grant, err error) {
		if p.link != nil {
			err = p.link.admits(req)
		}
		if err == nil && r.cfg.Authorizer != nil {
			g, err = r.cfg.Authorizer.Authorize(ctx, req)
		}
		if err != nil {
			r.counters.RequestsForbidden.Add(1)
			p.counters.RequestsIn.Add(1)
			p.counters.Refused.Add(1)
			p.note(slog.LevelWarn, observe.KindRequest, nil, "request forbidden", "request", req.Action, "name", req.Track, "because", err)
		}
		return g, err
	})
}

// checkScope refuses paths that are not served.
func (r *Relay) checkScope(path, _ string) error {
	if r.cfg.Path != "" && path != "" && path != "/" && path != r.cfg.Path {
		return &model.SessionError{Code: model.InvalidPath, Reason: "nothing is served at this path"}
	}
	return nil
}

// admit makes a session a peer of its scope.
func (r *Relay) admit(p *peer, s *session.Session, path, authority string) {
	key := ""
	if r.cfg.Scope == ScopePath || r.cfg.Scope == ScopeBoth {
		key = path
	}
	if r.cfg.Scope == ScopeAuthority || r.cfg.Scope == ScopeBoth {
		key += "\x00" + authority
	}
	p.begin(s)
	p.note(slog.LevelInfo, observe.KindSession, nil, "session", "transport", s.Conn().Kind(), "draft", s.Draft(),
		"implementation", s.PeerImplementation(), "path", s.Path())
	r.mu.Lock()
	sc := r.scopes[key]
	if sc == nil {
		sc = &scope{key: key, tracks: map[string]*relayTrack{}, tellers: map[*watcher]bool{}, exporters: map[*exports]bool{}}
		r.scopes[key] = sc
	}
	p.scope = sc
	sc.peers++
	r.peers[p] = true // from now on Drain can tell it
	draining := r.draining
	r.mu.Unlock()
	close(p.ready)
	p.exchange()
	if draining != nil && p.link == nil {
		draining.tell(p)
	}
}

// enter counts a peer, before its SETUP is there.
func (r *Relay) enter(p *peer) {
	r.counters.SessionsTotal.Add(1)
	r.counters.Sessions.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.peers[p] = false
	if p.link == nil {
		r.guests++
	}
}

// leave forgets a peer whose session has ended. What it published and wanted
// ended with the contexts of its requests.
func (r *Relay) leave(p *peer) {
	r.counters.Sessions.Add(-1)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.peers, p)
	if p.link == nil {
		r.guests--
	}
	r.gone.Add(p.counters.Snapshot())
	delays := p.counters.Delays.Counts()
	r.goneDelays.Merge(&delays)
	if p.scope != nil {
		p.scope.peers--
		r.tidyLocked(p.scope)
	}
	if r.draining != nil && r.guests == 0 {
		select {
		case <-r.drained: // somebody came after the last had left
		default:
			close(r.drained)
		}
	}
}

// tidyLocked forgets a scope that is empty.
func (r *Relay) tidyLocked(sc *scope) {
	if sc.peers == 0 && len(sc.tracks) == 0 && r.scopes[sc.key] == sc {
		delete(r.scopes, sc.key)
	}
}

// Wait returns when all requests that the relay made have ended, after all
// calls of Serve have returned.
func (r *Relay) Wait() { r.work.Wait() }
