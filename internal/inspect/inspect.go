package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// Options say which relay is looked at, and what of it.
type Options struct {
	Target dial.Target
	// Dial says how to connect. The handler of its sessions is the Inspector.
	Dial dial.KeepOptions
	// Prefix is below which namespaces and tracks are looked for; empty: all.
	Prefix model.Namespace
	// Tracks are received as long as the Inspector runs.
	Tracks []model.FullTrackName
	// NoCatalogs leaves catalogs alone until somebody looks at them.
	NoCatalogs bool
	// NoPublish leaves out SUBSCRIBE_TRACKS.
	NoPublish bool
	// CacheBytes is how much of objects is kept, of all tracks together; 0:
	// DefaultCache.
	CacheBytes int64
	// Events are written to; nil: a ring of its own.
	Events *observe.Ring
	// Log is told of events too; nil discards it.
	Log *slog.Logger
}

// What an Inspector keeps and asks for at most.
const (
	DefaultCache  = 64 << 20 // bytes
	MaxTracks     = 4096     // that are known
	MaxNamespaces = 4096     // that are known
	MaxCatalogs   = 64       // namespaces whose catalogs are received
	MaxRequests   = 8        // for catalogs, without an answer
	MaxGroups     = 256      // kept of a track
)

const (
	// LookTime is how long objects of a track come after somebody looked. It is
	// longer than the dashboard's longest pause.
	LookTime = 30 * time.Second
	// AnswerTime is how long the relay may take to answer a request.
	AnswerTime = 10 * time.Second
	// settleTime is how long a new session may take to tell what the one before
	// told; what it did not tell by then has gone.
	settleTime = 5 * time.Second
	// overtakeTime is how long streams may overtake each other.
	overtakeTime = time.Second
)

// Inspector is a client of one relay.
type Inspector struct {
	opts     Options
	log      *slog.Logger
	events   *observe.Ring
	budget   *track.Budget
	requests chan struct{} // a place for each of MaxRequests
	began    time.Time

	chain *moqt.Session
	ctx   context.Context
	stop  context.CancelFunc
	work  sync.WaitGroup // goroutines, begun under mu

	mu       sync.Mutex
	closed   bool
	visit    *visit // nil: there is no session
	visits   int
	lost     error // why there is none
	turn     chan struct{}
	gone     observe.Totals // of the visits before
	spaces   map[string]*space
	subjects map[string]*subject // by name
	numbered int                 // subjects so far
	catalogs int                 // namespaces whose catalogs are received
	full     map[string]bool     // limits that an event has told of
	mixedUp  bool                // see confused
}

// visit is one session.
type visit struct {
	s        *session.Session
	number   int
	began    time.Time
	counters observe.Session
}

// id is what the session is called.
func (v *visit) id() string { return fmt.Sprintf("s%d", v.number) }

// ErrAway says that there is no session at present.
var ErrAway = errors.New("there is no session with the relay")

var errNoAnswer = errors.New("the relay does not answer")

// Connect makes the first session and looks at the relay until Close. ctx bounds
// the connecting only.
func Connect(ctx context.Context, o Options) (*Inspector, error) {
	i := &Inspector{
		opts: o, log: o.Log, events: o.Events, budget: track.NewBudget(cmp.Or(o.CacheBytes, DefaultCache)),
		requests: make(chan struct{}, MaxRequests), began: time.Now(), turn: make(chan struct{}),
		spaces: map[string]*space{}, subjects: map[string]*subject{}, full: map[string]bool{},
	}
	if i.log == nil {
		i.log = slog.New(slog.DiscardHandler)
	}
	if i.events == nil {
		i.events = observe.NewRing(0)
	}
	i.ctx, i.stop = context.WithCancel(context.WithoutCancel(ctx))
	var err error
	if i.chain, err = moqt.Connect(ctx, o.Target, o.Dial, handler{i: i}); err != nil {
		i.stop()
		return nil, err
	}
	i.mu.Lock()
	for _, name := range o.Tracks {
		if t := i.subjectLocked(name); t != nil {
			t.named = true
			t.settleLocked()
		}
		i.followCatalogsLocked(name.Namespace)
	}
	i.mu.Unlock()
	i.work.Go(i.run)
	if _, err := i.present(ctx, nil); err != nil {
		i.Close()
		return nil, err
	}
	return i, nil
}

// Close ends the session and waits until everything has ended.
func (i *Inspector) Close() {
	i.mu.Lock()
	i.closed = true
	i.mu.Unlock()
	i.stop()
	i.chain.Close()
	i.work.Wait()
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, t := range i.subjects {
		t.discardLocked()
	}
}

// spawnLocked runs f in a goroutine, unless the Inspector is closed.
func (i *Inspector) spawnLocked(f func()) {
	if !i.closed {
		i.work.Go(f)
	}
}

// run looks at the relay through one session after another.
func (i *Inspector) run() {
	for {
		s, err := i.chain.Current(i.ctx)
		if err != nil {
			i.leave(nil, err)
			return
		}
		v := i.enter(s)
		ctx, cancel := context.WithCancel(i.ctx)
		var work sync.WaitGroup
		work.Go(func() { i.watchNamespaces(ctx, v) })
		if !i.opts.NoPublish && !i.confused(nil) {
			work.Go(func() { i.watchTracks(ctx, v) })
		}
		select {
		case <-s.Context().Done():
		case <-i.ctx.Done():
		}
		cancel()
		work.Wait()
		i.leave(v, s.Err())
		i.confused(s.Err())
		if i.ctx.Err() != nil {
			return
		}
	}
}

// confused reports whether the relay is not to be asked for PUBLISH again, told why
// a session ended: some relays give tracks that they publish the aliases of others
// that we have subscribed to, which ends the session (section 11.1). A leniency:
// without SUBSCRIBE_TRACKS they can be looked at.
func (i *Inspector) confused(ended error) bool {
	i.mu.Lock()
	was := i.mixedUp
	if errors.Is(ended, &model.SessionError{Code: model.DuplicateTrackAlias}) {
		i.mixedUp = true
	}
	is := i.mixedUp
	i.mu.Unlock()
	if is && !was {
		i.note(slog.LevelWarn, observe.KindRelay, nil, "the relay gives one alias to two tracks; it is not asked to publish tracks any more")
	}
	return is
}

// enter makes a session the present one.
func (i *Inspector) enter(s *session.Session) *visit {
	i.mu.Lock()
	i.visits++
	v := &visit{s: s, number: i.visits, began: time.Now()}
	i.visit, i.lost = v, nil
	i.turnLocked()
	i.mu.Unlock()
	return v
}

// leave says that there is no session.
func (i *Inspector) leave(v *visit, err error) {
	i.mu.Lock()
	if v != nil {
		i.gone.Add(v.counters.Snapshot())
	}
	i.visit, i.lost = nil, err
	i.turnLocked()
	i.mu.Unlock()
	if i.ctx.Err() == nil {
		i.note(slog.LevelWarn, observe.KindSession, nil, "the session is lost", "because", err)
	}
}

// turnLocked tells those who wait for another session.
func (i *Inspector) turnLocked() {
	close(i.turn)
	i.turn = make(chan struct{})
}

// present returns the session, waiting for one that is not the one given.
func (i *Inspector) present(ctx context.Context, not *visit) (*visit, error) {
	for {
		i.mu.Lock()
		v, turn := i.visit, i.turn
		i.mu.Unlock()
		if v != nil && v != not && v.s.Context().Err() == nil {
			return v, nil
		}
		select {
		case <-turn:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// note writes down what happened, as an event and in the log. mu must not be held,
// because a log may be slow.
func (i *Inspector) note(l slog.Level, kind string, t *subject, text string, args ...any) {
	e := observe.Event{Level: observe.LevelName(l), Kind: kind, Text: text}
	if t != nil {
		e.Track = t.id
		args = append([]any{"track", t.fullName}, args...)
	}
	i.mu.Lock()
	if i.visit != nil {
		e.Session = i.visit.id()
	}
	i.mu.Unlock()
	if len(args) > 0 {
		e.Detail = make(map[string]string, len(args)/2)
	}
	for n := 0; n+1 < len(args); n += 2 {
		e.Detail[fmt.Sprint(args[n])] = fmt.Sprint(args[n+1])
	}
	i.events.Add(e)
	i.log.Log(observe.Recorded(i.ctx), l, text, args...)
}

// limitLocked tells once that a limit was reached.
func (i *Inspector) limitLocked(what string, most int) {
	if i.full[what] {
		return
	}
	i.full[what] = true
	i.spawnLocked(func() {
		i.note(slog.LevelWarn, observe.KindRelay, nil, "there are too many "+what+"; the first ones are shown", "most", most)
	})
}

// wait waits for a time, for the channel, or for the end of ctx, of which it
// returns false.
func wait(ctx context.Context, poke <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-poke:
	case <-ctx.Done():
		return false
	}
	return true
}
