package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/moqtest"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
)

// endpoint is what the URL of the server ends with, as with moxygen.
const endpoint = "/test"

// defaultAnswer is how long a relay may take to answer, as with moxygen.
const defaultAnswer = 20 * time.Minute

// server publishes the tracks, directly and through a relay.
type server struct {
	port    door.Port
	relay   door.Target
	dialect door.Dialect
	events  door.Events
	url     string
	direct  bool
	answer  time.Duration
}

func (f *server) program() *cli.Program {
	p := cli.New(name+" server", "publishes every track of moq-test-00 that somebody asks for")
	p.Flags.Group("Own port")
	p.Flags.BoolVar(&f.direct, "listen", true, "serve subscribers directly")
	f.port.Declare(p, 9999)
	p.Flags.Group("Relay")
	p.Flags.StringVar(&f.url, "relay_url", "", "`URL` of a relay to publish at too, as in moqt://localhost:9668/moq-relay")
	p.Flags.DurationVar(&f.answer, "relay_transaction_timeout", defaultAnswer, time.Millisecond, "how long (`ms`) the relay may take to answer a request")
	f.relay.Declare(p, "relay_connect_timeout")
	p.Flags.Group("Protocol")
	f.dialect.Declare(p)
	f.events.Declare(p)
	p.Example("moqtest server", "serves moqt://localhost:9999/test")
	p.Example("moqtest server -nolisten -relay_url moqt://localhost:9668/moq-relay", "behind a relay")
	return p
}

func (f *server) run(ctx context.Context, env *cli.Env) (err error) {
	switch {
	case len(env.Args) > 0:
		return cli.Usagef("%q was not expected", env.Args[0])
	case !f.direct && f.url == "":
		return cli.Usagef("with -nolisten a -relay_url is needed")
	}
	protocols, err := f.dialect.Protocols()
	if err != nil {
		return err
	}
	tracks := moqtest.NewServer(env.Log)
	tracks.Strict = f.dialect.Strict()
	cfg := sessionConfig(env, &f.dialect, tracks)
	var target dial.Target
	var options dial.KeepOptions
	if f.url != "" {
		if target, options, err = f.relay.Options(env, f.url, cfg); err != nil {
			return err
		}
		options.Protocols = protocols
	}
	end, err := f.events.Trace(env, mlog.Unknown, name, &cfg, &f.port.Trace)
	if err != nil {
		return err
	}
	defer end(&err)
	options.Session.Trace, options.Trace = cfg.Trace, f.port.Trace

	serving, stop := context.WithCancel(ctx)
	failed := make(chan error, 2) // listener, relay
	var running sync.WaitGroup
	defer func() {
		stop()
		running.Wait()
		tracks.Wait()
	}()
	if f.direct {
		f.port.Protocols, f.port.Strict, f.port.Paths = protocols, f.dialect.Strict(), []string{endpoint}
		l, err := f.port.Listen(env)
		if err != nil {
			return err
		}
		defer l.Close()
		s := &moqt.Server{Session: cfg, Log: env.Log}
		running.Go(func() { failed <- s.Serve(serving, l) })
		fmt.Fprintf(env.Err, "moqtest server is ready: %s, %s, namespace %s\n", door.URL(l, endpoint), door.WebURL(l, endpoint), moqtest.Protocol)
	}
	if f.url != "" {
		running.Go(func() {
			failed <- dial.Keep(serving, target, options, func(ctx context.Context, s *session.Session) error { return f.register(ctx, env, s) })
		})
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case err := <-failed:
		return err
	}
}

// register makes the namespace known to a relay until the session ends.
func (f *server) register(ctx context.Context, env *cli.Env, s *session.Session) error {
	wait, cancel := context.WithTimeoutCause(ctx, f.answer, fmt.Errorf("the relay did not answer within %v", f.answer))
	defer cancel()
	published, err := s.PublishNamespace(wait, model.Namespace{moqtest.Protocol})
	if err != nil {
		if ctx.Err() == nil && wait.Err() != nil {
			err = context.Cause(wait)
		}
		if re, ok := errors.AsType[*model.RequestError](err); ok {
			return fmt.Errorf("the relay does not take the namespace %s: %w", moqtest.Protocol, re)
		}
		return dial.Lost(err)
	}
	env.Log.Info("namespace published", "namespace", moqtest.Protocol, "at", fmt.Sprint(s.Conn().RemoteAddr()))
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.GoawayReceived():
		return dial.Lost(session.ErrGoingAway)
	case <-published.Context().Done():
		return dial.Lost(context.Cause(published.Context()))
	}
}
