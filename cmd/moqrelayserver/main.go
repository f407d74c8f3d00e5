// Command moqrelayserver is a relay for Media over QUIC Transport.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/date"
	"oxymoq/internal/door"
	"oxymoq/internal/screen"
	"oxymoq/pkg/admin"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"
)

// flags are the settings as the command line has them.
type flags struct {
	port                   door.Port
	other                  door.Target
	dialect                door.Dialect
	traces                 door.Events
	screen                 screen.Flags
	admin                  adminFlags
	endpoint, scope, name  string
	role                   string
	groups, tracks, behind int
	cacheMiB               int64
	grace, drain           time.Duration
	upstream               []string
	cache, demo, immutable bool

	clusterRoot, clusterNode string
}

func main() {
	var f flags
	p := f.program()
	p.Main(func(ctx context.Context, env *cli.Env) error { return run(ctx, env, f) })
}

// program declares the flags.
func (f *flags) program() *cli.Program {
	p := cli.New("moqrelayserver", "relays MoQT tracks from publishers to subscribers")
	p.Flags.Group("Network")
	f.port.Declare(p, 9668)
	f.port.DeclareInsecure(p)
	f.dialect.Declare(p)
	p.Flags.StringVar(&f.endpoint, "endpoint", "/moq-relay", "`path` that is served; peers that name none are served as well")
	p.Flags.Group("Tracks")
	p.Flags.StringVar(&f.scope, "scope", "none", "which sessions share tracks: all (`none`), those with equal path, authority, or both")
	p.Flags.ListVar(&f.upstream, "upstream", nil, "other relays, as `URL` or, for the namespaces below a prefix, PREFIX=URL: each is told what is published here, and asked for what is not; "+
		"also rules PATTERN=POLICY for subscriptions to publishers: lazy, eager, or linger:30s, with +replay, +groups:N and +age:1m where wanted; the pattern is matched with namespace/name")
	f.other.DeclareUpstream(p)
	p.Flags.BoolVar(&f.cache, "enable_cache", true, "keep what was published for fetches and late subscribers; -noenable_cache keeps two groups of a track while it is used, and nothing afterwards")
	p.Flags.IntVar(&f.tracks, "max_cached_tracks", relay.DefaultIdleTracks, "`number` of unused tracks that are kept for fetches; 0 is the same as -noenable_cache")
	p.Flags.IntVar(&f.groups, "max_cached_groups_per_track", relay.DefaultCacheGroups, "`number` of groups that are kept of a track")
	p.Flags.Int64Var(&f.cacheMiB, "cache", relay.DefaultCacheBytes>>20, "memory for all tracks together, in `MiB`")
	p.Flags.IntVar(&f.behind, "max_groups_behind", relay.DefaultMaxGroupsBehind, "`number` of groups that a slow subscriber may lag before it skips to the newest")
	p.Flags.BoolVar(&f.immutable, "immutable_transcode", true, "rewrite immutable properties for subscribers of a draft that writes them otherwise, which what is signed in them does not survive; -no_immutable_transcode ends their subscription instead")
	p.Flags.DurationVar(&f.grace, "grace", relay.DefaultGrace, time.Second, "how long (`s`) subscribers wait for a publisher that vanished")
	p.Flags.DurationVar(&f.drain, "drain", 3*time.Second, time.Second, "how long (`s`) peers have to leave when the relay is told to stop")
	p.Flags.Group("Traces")
	f.traces.Declare(p)
	p.Flags.Group("Cluster (not there yet: refused)")
	p.Flags.StringVar(&f.clusterRoot, "cluster_root", "", "`address` of the relay that knows the others")
	p.Flags.StringVar(&f.clusterNode, "cluster_node", "", "`address` by which the others reach this one")
	f.screen.Declare(p)
	f.admin.declare(p)
	p.Flags.StringVar(&f.name, "name", "", "`name` of the relay on its screen and in its metrics; that of the machine by default")
	f.runnerFlags(p)
	p.Flags.Group("Demonstration")
	p.Flags.BoolVar(&f.demo, "demo", false, "also publish the date: namespace moq-date, track date")
	f.files(p)
	p.Example("moqrelayserver -demo", "a relay that has something to show, for "+
		"moqtextclient -connect_url moqt://localhost:9668/moq-relay -track_namespace moq-date -track_name date")
	p.Example("moqrelayserver -print_config > relay.yaml", "a configuration file with every key, for moqrelayserver -config relay.yaml")
	p.Example("moqrelayserver -port 9669 -upstream moqt://relay.example:9668/moq-relay", "a relay that has what the other has, and the other way round")
	p.Example("moqrelayserver -port 4433 -cert certs/certificate.pem -key certs/certificate.key", "a relay with a certificate of yours")
	return p
}

func run(ctx context.Context, env *cli.Env, f flags) (err error) {
	hangups, ignore := f.hangups(env)
	defer ignore()
	if err := f.play("/"); err != nil {
		return err
	}
	drawn, err := f.screen.Wanted(env)
	if err != nil {
		return err
	}
	events := observe.NewRing(0)
	record(env, events, drawn)
	cfg, err := f.config(env)
	if err != nil {
		return err
	}
	if f.port.Protocols, err = f.dialect.Protocols(); err != nil {
		return err
	}
	end, err := f.traces.Trace(env, mlog.Server, "moqrelayserver", &cfg.Session, &f.port.Trace)
	if err != nil {
		return err
	}
	defer end(&err)
	api, err := f.admin.server(env)
	if err != nil {
		return err
	}
	links, err := f.links(env)
	if err != nil {
		return err
	}
	f.port.Strict, f.port.Paths = f.dialect.Strict(), []string{f.endpoint}
	f.port.Pages = f.pages()
	l, err := f.port.Listen(env)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := api.open(l.Addr()); err != nil {
		return err
	}
	defer api.close()
	cfg.Events, cfg.Identity = events, f.identity(l)
	r := relay.New(cfg)

	// Sessions outlive the signal by the time that they have to leave.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	failed := make(chan error, 2)
	running.Go(func() {
		failed <- moqt.Accept(serving, l, new(sync.WaitGroup), func(ctx context.Context, c session.Conn) { _ = r.Serve(ctx, c) }) // it logs
	})
	for _, link := range links {
		running.Go(func() { _ = r.Link(serving, link) }) // it ends with serving
	}
	if f.demo {
		running.Go(func() { failed <- demo(serving, r) })
	}
	running.Go(func() {
		api.serve(serving, admin.Config{Source: r, Control: r, Levels: logLevels{env.Levels}, Tracks: f.admin.tracks, Log: env.Log})
	})
	stay := newStay(f.drain)
	f.follow(serving, env, hangups, &running, r, api, stay)
	api.explain()
	fmt.Fprintf(env.Err, "moqrelayserver is ready: %s, %s\n", door.URL(l, f.endpoint), door.WebURL(l, f.endpoint))
	if f.demo {
		f.invite(env.Err, l)
	}

	var left <-chan error // of the screen; never says anything if there is none
	erase := func() {}
	if drawn {
		if left, erase, err = f.display(ctx, env, r); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		erase()
		err = context.Cause(ctx)
		fmt.Fprintf(env.Err, "moqrelayserver stops (%v): peers have %v to leave; a second signal ends it at once.\n", err, stay.get())
		_ = r.Drain(serving, "", stay.get()) // who remains is cut off below
	case err = <-left:
		erase()
		if errors.Is(err, errLeft) {
			err = nil
			fmt.Fprintf(env.Err, "moqrelayserver stops: peers have %v to leave; a signal ends it at once.\n", stay.get())
			_ = r.Drain(serving, "", stay.get()) // as above
		}
	case err = <-failed:
		erase()
	}
	stop()
	running.Wait()
	r.Wait()
	return err
}

// identity is what windows are told of the relay.
func (f *flags) identity(l *door.Listener) observe.Identity {
	id := observe.Identity{
		Name: f.name, Version: cli.Version(), Addresses: []string{door.URL(l, f.endpoint)}, Drafts: door.Drafts(f.port.Protocols),
	}
	if web := door.WebURL(l, f.endpoint); web != "" {
		id.Addresses = append(id.Addresses, web)
	}
	if id.Name == "" {
		id.Name, _ = os.Hostname() // without one it has no name
	}
	return id
}

func (f *flags) config(env *cli.Env) (relay.Config, error) {
	if f.clusterRoot != "" || f.clusterNode != "" {
		return relay.Config{}, cli.Usagef("-cluster_root and -cluster_node: this relay cannot join a cluster yet")
	}
	scope, err := relay.ParseScope(f.scope)
	if err != nil {
		return relay.Config{}, cli.Usagef("%v", err)
	}
	cfg := relay.Config{
		Scope: scope, Path: f.endpoint, CacheBytes: f.cacheMiB << 20, CacheGroups: f.groups, IdleTracks: f.tracks,
		Grace: f.grace, Log: env.Log, Session: session.Config{Implementation: "oxymoq-relay/" + cli.Release(), Strict: f.dialect.Strict(), Profile: f.dialect.Profile()},
		KeepImmutable: !f.immutable,
	}
	cfg.Slow.MaxGroups = f.behind
	for _, s := range f.upstream {
		if isURL(s) {
			continue
		}
		rule, err := relay.ParseRule(s)
		if err != nil {
			return cfg, cli.Usagef("%v", err)
		}
		cfg.Rules = append(cfg.Rules, rule)
	}
	if f.demo {
		cfg.Rules = append(cfg.Rules, relay.Rule{Pattern: demoNamespace + "/" + date.Name, Upstream: relay.Upstream{Mode: relay.Eager}})
	}
	for _, limit := range []struct {
		flag         string
		value, least int64
	}{
		{"max_cached_groups_per_track", int64(f.groups), 1}, {"max_cached_tracks", int64(f.tracks), 0},
		{"cache", f.cacheMiB, 1}, {"max_groups_behind", int64(f.behind), 1},
	} {
		if limit.value < limit.least {
			return cfg, cli.Usagef("-%s is %d; it must be at least %d", limit.flag, limit.value, limit.least)
		}
	}
	if !f.cache || f.tracks == 0 {
		cfg.CacheGroups, cfg.IdleTracks = liveGroups, -1
	}
	return cfg, nil
}

// liveGroups are kept of a track without a cache: the present one, and the one
// before it, whose end subscribers may still be sent.
const liveGroups = 2

// demo publishes the date through a session of its own, without a network.
func demo(ctx context.Context, r *relay.Relay) error {
	clock := date.Clock{Mode: date.StreamPerGroup}
	pub := date.NewPublisher(model.Namespace{demoNamespace}, clock)
	mux := moqt.NewTrackMux()
	pub.Serve(mux)
	ours, theirs := memtr.Pair()
	var running sync.WaitGroup
	running.Go(func() { _ = r.Serve(ctx, theirs) }) // it logs
	running.Go(func() { _ = pub.Run(ctx) })         // ends with ctx
	defer running.Wait()
	s, err := session.Start(ctx, ours, session.Config{Handler: mux, Implementation: "oxymoq-demo"})
	if err == nil {
		_, err = s.PublishNamespace(ctx, pub.Track().Name.Namespace)
	}
	if err != nil {
		return fmt.Errorf("the demonstration cannot publish: %w", err)
	}
	running.Go(func() { _ = mux.Offer(ctx, s, pub.Track()) }) // so that there is something to see before anybody subscribes
	select {
	case <-s.GoawayReceived():
		s.Close(model.NoError, "leaving as asked")
	case <-s.Context().Done():
	}
	<-ctx.Done()
	return context.Cause(ctx)
}
