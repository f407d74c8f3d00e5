package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/moqtest"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// publisher offers tracks by PUBLISH.
type publisher struct {
	caller
	tracks []string
	answer time.Duration
}

func (f *publisher) program() *cli.Program {
	p := cli.New(name+" publisher", "offers tracks of moq-test-00 to a relay by PUBLISH, and ends with them")
	p.Flags.Group("Tracks")
	p.Flags.ListVar(&f.tracks, "track", nil, "`namespaces` of the tracks to offer, as in moq-test-00/0/0/0/2/5/5/1024/100/50/1/1/0/-1/-1/0")
	p.Flags.Group("Relay")
	p.Flags.StringVar(&f.url, "url", "moqt://localhost:9668/moq-relay", "`URL` of the relay")
	p.Flags.DurationVar(&f.answer, "transaction_timeout", 2*time.Minute, time.Millisecond, "how long (`ms`) the relay may take to answer a PUBLISH")
	f.target.Declare(p, "connect_timeout")
	p.Flags.Group("Protocol")
	f.dialect.Declare(p)
	f.events.Declare(p)
	p.Example("moqtest publisher -track moq-test-00/0/0/0/2/5/5/1024/100/50/1/1/0/-1/-1/0", "three groups of six objects")
	return p
}

// names reads the tracks.
func (f *publisher) names() (all []model.FullTrackName, err error) {
	for _, text := range f.tracks {
		ns := model.ParseNamespace(text, "/")
		if _, err := moqtest.Parse(ns); err != nil {
			return nil, cli.Usagef("track %q: %v", text, err)
		}
		all = append(all, model.FullTrackName{Namespace: ns, Name: moqtest.TrackName})
	}
	if len(all) == 0 {
		return nil, cli.Usagef("without -track there is nothing to offer")
	}
	return all, nil
}

func (f *publisher) run(ctx context.Context, env *cli.Env) (err error) {
	if len(env.Args) > 0 {
		return cli.Usagef("%q was not expected; -track names a track", env.Args[0])
	}
	names, err := f.names()
	if err != nil {
		return err
	}
	tracks := moqtest.NewServer(env.Log)
	tracks.Strict = f.dialect.Strict()
	target, options, end, err := f.options(env, tracks)
	if err != nil {
		return err
	}
	defer end(&err)
	return dial.Keep(ctx, target, options, func(ctx context.Context, s *session.Session) error {
		return f.offer(ctx, s, tracks, names)
	})
}

// offer offers all tracks and returns when they have ended: with the error of the
// first that did not come to its end.
func (f *publisher) offer(ctx context.Context, s *session.Session, tracks *moqtest.Server, names []model.FullTrackName) error {
	ended := make([]error, len(names))
	var offers sync.WaitGroup
	for i, n := range names {
		offers.Go(func() {
			waiting, stop := context.WithCancelCause(ctx)
			defer stop(nil)
			late := time.AfterFunc(f.answer, func() { stop(fmt.Errorf("no answer to PUBLISH within %v", f.answer)) })
			defer late.Stop()
			err := tracks.Offer(waiting, s, n, func() { late.Stop() })
			if err != nil {
				if waiting.Err() != nil {
					err = context.Cause(waiting)
				}
				ended[i] = fmt.Errorf("track %s: %w", strings.Join(n.Namespace, "/"), err)
			}
		})
	}
	offers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err := errors.Join(ended...)
	if err == nil {
		pause := time.NewTimer(lastWords)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
	}
	return err
}

// lastWords is how long the last message needs to leave.
const lastWords = 100 * time.Millisecond
