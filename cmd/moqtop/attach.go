package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/inspect"
	"oxymoq/pkg/admin"
	"oxymoq/pkg/admin/client"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
)

// attached is a relay that can be looked at.
type attached struct {
	source  observe.Source
	control observe.Control // nil: it may not be changed
	where   string
	close   func(result *error)
}

// Values of -as.
const (
	asAuto  = "auto"
	asAdmin = "admin"
	asMoQT  = "moqt"
)

// attach connects as the flags say.
func (f *flags) attach(ctx context.Context, env *cli.Env, events *observe.Ring) (*attached, error) {
	if f.delimiter == "" {
		return nil, cli.Usagef("-track_namespace_delimiter is empty")
	}
	scheme, _, hasScheme := strings.Cut(f.address, "://")
	https := hasScheme && scheme == "https"
	as := f.as
	switch {
	case as != asAuto && as != asAdmin && as != asMoQT:
		return nil, cli.Usagef("-as is %q; it can be admin, moqt or auto", as)
	case as == asMoQT && f.address == "":
		return nil, cli.Usagef("-as moqt needs a URL")
	case as == asAuto && hasScheme && scheme == "moqt":
		as = asMoQT
	case as == asAuto && !https:
		as = asAdmin
	}
	switch {
	case as == asMoQT:
		return f.inspect(ctx, env, events)
	case f.address == "":
		return f.local(ctx, env)
	case as == asAdmin:
		return f.remote(ctx, env)
	}
	// Both are URLs of https. An admin API says what it is at once.
	timeout, _ := f.relay.Patience()
	a, isAdmin, adminErr := f.ask(ctx, env, f.address, timeout)
	if isAdmin {
		return a, adminErr
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	env.Log.Info("there is no admin API; trying MoQT", "address", f.address, "because", adminErr)
	a, err := f.inspect(ctx, env, events)
	if _, usage := errors.AsType[*cli.UsageError](err); err != nil && !usage && ctx.Err() == nil {
		err = fmt.Errorf("%w; nor is there an admin API: %w", err, adminErr)
	}
	return a, err
}

// inspect looks at a relay as a client.
func (f *flags) inspect(ctx context.Context, env *cli.Env, events *observe.Ring) (a *attached, err error) {
	o := inspect.Options{Prefix: model.ParseNamespace(f.namespace, f.delimiter), NoCatalogs: !f.catalogs, NoPublish: !f.publish, Events: events, Log: env.Log}
	if err := o.Prefix.Validate(); err != nil {
		return nil, cli.Usagef("-track_namespace %q: %v", f.namespace, err)
	}
	if o.Tracks, err = f.trackNames(); err != nil {
		return nil, err
	}
	protocols, err := f.dialect.Protocols()
	if err != nil {
		return nil, err
	}
	cfg := session.Config{Implementation: "oxymoq-top/" + cli.Release(), Strict: f.dialect.Strict(), Profile: f.dialect.Profile(), Log: env.Log}
	if o.Target, o.Dial, err = f.relay.Options(env, f.address, cfg); err != nil {
		return nil, err
	}
	o.Dial.Protocols = protocols
	end, err := f.events.Trace(env, mlog.Client, "moqtop", &o.Dial.Session, &o.Dial.Trace)
	if err != nil {
		return nil, err
	}
	i, err := inspect.Connect(ctx, o)
	if err != nil {
		end(&err)
		return nil, err
	}
	return &attached{source: i, where: o.Target.String(), close: func(result *error) { i.Close(); end(result) }}, nil
}

// retryPause is how long after a failure an admin API is asked again.
const retryPause = time.Second

// remote asks an admin API.
func (f *flags) remote(ctx context.Context, env *cli.Env) (*attached, error) {
	timeout, retry := f.relay.Patience()
	for {
		a, answered, err := f.ask(ctx, env, f.address, timeout)
		_, usage := errors.AsType[*cli.UsageError](err)
		if err == nil || answered || usage || !retry {
			return a, err
		}
		env.Log.Warn("asking again", "address", f.address, "in", retryPause, "because", err)
		if err := pause(ctx, retryPause); err != nil {
			return nil, err
		}
	}
}

// local asks the relay of this user that runs on this machine.
func (f *flags) local(ctx context.Context, env *cli.Env) (*attached, error) {
	timeout, retry := f.relay.Patience()
	for {
		var found []*attached
		var failure error
		for _, path := range admin.Sockets() {
			a, _, err := f.ask(ctx, env, "unix:"+path, timeout)
			if err != nil {
				failure = err // of a relay that was killed
				continue
			}
			found = append(found, a)
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			var names []string
			for _, a := range found {
				names = append(names, a.where)
				a.close(&failure)
			}
			return nil, cli.Usagef("several relays of yours run here; name one of %s", strings.Join(names, ", "))
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !retry && failure == nil:
			return nil, fmt.Errorf("no relay of yours runs here: there is no socket in %s; name the address of one", admin.SocketDir())
		case !retry:
			return nil, fmt.Errorf("no relay of yours runs here: %w", failure)
		}
		if err := pause(ctx, retryPause); err != nil {
			return nil, err
		}
	}
}

// ask finds out whether an admin API is at the address, and what it lets us do.
// answered says that one is, although it may refuse.
func (f *flags) ask(ctx context.Context, env *cli.Env, address string, timeout time.Duration) (a *attached, answered bool, err error) {
	c := client.Config{Address: address}
	if c.Token, err = readToken(f.token); err != nil {
		return nil, true, err
	}
	if strings.HasPrefix(address, "https://") {
		_, how, err := f.relay.Options(env, address, session.Config{})
		if err != nil {
			return nil, true, err
		}
		c.TLS = how.TLS
	}
	api, err := client.New(c)
	if err != nil {
		return nil, true, cli.Usagef("%v", err)
	}
	asking, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %v", timeout))
	defer cancel()
	grant, err := api.Access(asking)
	if err != nil {
		api.Close()
		said, ok := errors.AsType[*client.Error](err)
		if errors.Is(err, client.ErrDenied) && ok && said.Code != "" {
			err = fmt.Errorf("the relay at %s does not let us look: %w; use -token FILE", address, err)
		}
		return nil, ok && said.Code != "", err
	}
	a = &attached{source: api, where: address, close: func(*error) { api.Close() }}
	if grant.Scope == admin.Control.String() {
		a.control = api
	}
	return a, true, nil
}

// maxTokenFile is how much of a file with a token is read, in bytes.
const maxTokenFile = 64 << 10

// readToken returns the last word of the first line that says something: files
// for -admin_token of the relay have another before it.
func readToken(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", cli.Usagef("-token: %v", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxTokenFile))
	if err != nil {
		return "", fmt.Errorf("-token: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, maxTokenFile+1)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			return words[len(words)-1], nil
		}
	}
	return "", cli.Usagef("-token: there is no token in %s", file)
}

// pause waits, or returns the cause of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
