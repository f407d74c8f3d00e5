package moqtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// DefaultParallel is how many cases are performed at a time.
const DefaultParallel = 8

// Config says where the cases are performed.
type Config struct {
	// Target is the relay, Dial says how to connect. The Handler of its session
	// is set here.
	Target dial.Target
	Dial   dial.Options
	// Publish makes a Server known to the relay, by PUBLISH_NAMESPACE, for as long
	// as the cases take. Without it somebody else has.
	Publish bool
	// Strict is for the Server.
	Strict bool
	// Drops is the percentage of datagrams that may be lost.
	Drops int
	// Parallel is how many cases are performed at a time; 0: DefaultParallel.
	Parallel int
	// Done, if set, is called with each result in the order of the cases.
	Done func(Result)
	// Log is told what happens; nil: nobody is.
	Log *slog.Logger
}

// Result is what came of a case.
type Result struct {
	Case   Case
	Err    error // nil: the relay has passed it
	Note   string
	Took   time.Duration
	Draft  string // that was spoken, as in "draft-18"; empty if there was no session
	Kind   string // of what carried it
	Expect Expect
}

// ErrFailed says that the relay did not pass all cases.
var ErrFailed = errors.New("the relay did not pass all cases")

// Run performs cases at a relay. It returns nil if all have passed, an error that
// wraps ErrFailed if one has not, and another error if there is no session with
// the relay or ctx ends; then there are no results of the cases that are left.
func Run(ctx context.Context, cfg Config, cases []Case) error {
	r := &runner{cfg: cfg, run: runID()}
	if cfg.Parallel <= 0 {
		r.cfg.Parallel = DefaultParallel
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if cfg.Publish {
		done, err := r.publish(ctx, stop)
		if err != nil {
			return err
		}
		defer done()
	}
	return r.perform(ctx, cases)
}

// runner performs the cases of one Run.
type runner struct {
	cfg Config
	run string // makes the names of tracks new
}

// publish makes a Server known to the relay. lost is told when the relay wants it
// no more; done ends it.
func (r *runner) publish(ctx context.Context, lost context.CancelCauseFunc) (done func(), err error) {
	server := NewServer(r.cfg.Log)
	server.Strict = r.cfg.Strict
	s, err := r.connect(ctx, server)
	if err != nil {
		return nil, err
	}
	leave := func() {
		s.Close(model.NoError, "")
		s.Wait()
		server.Wait()
	}
	published, err := s.PublishNamespace(ctx, model.Namespace{Protocol})
	if err != nil {
		leave()
		return nil, fmt.Errorf("the relay does not take the namespace %s: %w", Protocol, err)
	}
	stop := context.AfterFunc(published.Context(), func() {
		lost(fmt.Errorf("the session of the publisher has ended: %w", context.Cause(published.Context())))
	})
	return func() { stop(); leave() }, nil
}

func (r *runner) connect(ctx context.Context, h session.Handler) (*session.Session, error) {
	o := r.cfg.Dial
	o.Session.Handler = h
	return dial.Dial(ctx, r.cfg.Target, o)
}

// lane is a number of cases that are performed one after the other.
type lane []int

// lanes splits the cases, in the order of their first ones.
func lanes(cases []Case) (all []lane) {
	named := map[string]int{}
	for i, c := range cases {
		at, known := named[c.Lane]
		if c.Lane != "" && known {
			all[at] = append(all[at], i)
			continue
		}
		named[c.Lane] = len(all)
		all = append(all, lane{i})
	}
	return all
}

// perform performs the cases, some at a time.
func (r *runner) perform(ctx context.Context, cases []Case) error {
	results := make([]chan Result, len(cases))
	for i := range results {
		results[i] = make(chan Result, 1)
	}
	next := make(chan lane)
	var work sync.WaitGroup
	work.Go(func() {
		defer close(next)
		for _, l := range lanes(cases) {
			select {
			case next <- l:
			case <-ctx.Done():
				return
			}
		}
	})
	for range min(r.cfg.Parallel, len(cases)) {
		work.Go(func() {
			for l := range next {
				for _, i := range l {
					if ctx.Err() == nil {
						results[i] <- r.one(ctx, cases[i])
					}
				}
			}
		})
	}
	defer work.Wait()
	failed := 0
	for i := range results {
		var result Result
		select {
		case result = <-results[i]:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%d of %d cases were performed: %s", i, len(cases), context.Cause(ctx).Error())
		}
		if result.Err != nil {
			failed++
		}
		if r.cfg.Done != nil {
			r.cfg.Done(result)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%w: %d of %d failed", ErrFailed, failed, len(cases))
	}
	return nil
}

// one performs a case on a track of its own, or of its lane.
func (r *runner) one(ctx context.Context, c Case) (res Result) {
	res.Case = c
	res.Expect, res.Note = c.Expected(r.cfg.Strict)
	c.Ask.Track = fmt.Sprintf("%s-%s-%s", TrackName, r.run, c.ID())
	if c.Lane != "" {
		c.Ask.Track = fmt.Sprintf("%s-%s-%s", TrackName, r.run, c.Lane)
	}
	if c.Ask.Request == Publish {
		// Who asks for all tracks of a namespace makes a relay ask their publishers
		// for objects, also those of other cases and runs, which must not begin yet.
		c.Ask.Params.PerGroup += rand.Uint64N(anyNumber)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.Limit(), &lateError{c.Limit()})
	defer cancel()
	var mu sync.Mutex
	client := Client{Exact: r.cfg.Publish, Strict: r.cfg.Strict, Drops: r.cfg.Drops, Connect: func(ctx context.Context, h session.Handler) (*session.Session, error) {
		s, err := r.connect(ctx, h)
		if err == nil {
			mu.Lock()
			res.Draft, res.Kind = "draft-"+s.Draft().String(), string(s.Conn().Kind())
			mu.Unlock()
		}
		return s, err
	}}
	began := time.Now()
	err := client.Perform(ctx, c.Ask)
	res.Took = time.Since(began)
	if res.Expect == ExpectRefused {
		err = mustRefuse(err)
	}
	res.Err = err
	return res
}

// anyNumber bounds what is added to a number of objects that bounds nothing, since
// the last object is stated, to make a namespace that nobody else has.
const anyNumber = 1 << 40

// mustRefuse turns the refusal of a track into a success, and success into a
// failure.
func mustRefuse(err error) error {
	switch {
	case err == nil:
		return failf("the track came, which a strict publisher must refuse")
	case refusedTrack(err):
		return nil
	}
	return err
}

// runID makes names that no other run has.
func runID() string {
	return strconv.FormatUint(rand.Uint64(), 16)
}
