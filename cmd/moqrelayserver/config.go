package main

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/config"
	"oxymoq/pkg/relay"
)

// keys are the places of flags in configuration files, where the names that users of
// moxygen know are not what one looks for below a section.
var keys = map[string]string{
	"endpoint":                    "network.path",
	"cert":                        "tls.cert",
	"key":                         "tls.key",
	"insecure":                    "tls.development",
	"versions":                    "protocol.versions",
	"strict":                      "protocol.strict",
	"quirks":                      "protocol.quirks",
	"immutable_transcode":         "protocol.immutable_transcode",
	"enable_cache":                "cache.enabled",
	"cache":                       "cache.memory",
	"max_cached_groups_per_track": "cache.groups_per_track",
	"max_cached_tracks":           "cache.unused_tracks",
	"max_groups_behind":           "limits.groups_behind",
	"name":                        "relay.name",
	"demo":                        "relay.demo",
	"drain":                       "relay.drain",
	"admin":                       "admin.addresses",
	"logging":                     "log.levels",
}

// tuned are the flags that relay.Relay.Tune takes up.
var tuned = []string{
	"enable_cache", "cache", "max_cached_groups_per_track", "max_cached_tracks", "max_groups_behind", "grace", "upstream",
}

// files declares the flags for configuration files, after all others.
func (f *flags) files(p *cli.Program) {
	p.Configure(config.YAML{}, f.check)
	for name, key := range keys {
		p.Flags.Place(name, key)
	}
	// The one is a contract with who runs containers, the others are refused.
	p.Flags.CommandLineOnly("role", "cluster_root", "cluster_node")
	p.Flags.Live("logging", "drain", "admin_token", "admin_hosts")
	p.Flags.Live(tuned...)
}

// check says what run would refuse before it opens anything.
func (f *flags) check(env *cli.Env) error {
	if err := f.play("/"); err != nil {
		return err
	}
	if _, err := f.screen.Wanted(env); err != nil {
		return err
	}
	if _, err := f.config(env); err != nil {
		return err
	}
	if _, err := f.dialect.Protocols(); err != nil {
		return err
	}
	if _, err := f.admin.server(env); err != nil {
		return err
	}
	return f.port.Check()
}

// stay is how long peers have to leave, which may change while the relay runs.
type stay struct{ now atomic.Int64 }

func newStay(d time.Duration) *stay {
	s := new(stay)
	s.set(d)
	return s
}

func (s *stay) set(d time.Duration) { s.now.Store(int64(d)) }
func (s *stay) get() time.Duration  { return time.Duration(s.now.Load()) }

// hangups returns what tells of SIGHUP. Without a configuration file that ends the
// relay, as it ends other programs whose terminal is gone.
func (f *flags) hangups(env *cli.Env) (hangups <-chan os.Signal, ignore func()) {
	if env.File == "" {
		return nil, func() {}
	}
	return cli.Hangups()
}

// follow takes up the configuration file when it changes.
func (f *flags) follow(ctx context.Context, env *cli.Env, hangups <-chan os.Signal, running *sync.WaitGroup, r *relay.Relay, api *adminServer, leaving *stay) {
	if env.File == "" {
		return
	}
	var files []string
	if f.admin.token != "" {
		files = []string{f.admin.token}
	}
	live := config.NewLive(env, func() (*cli.Program, func() []config.Change) {
		var now flags
		p := now.program()
		return p, func() []config.Change { return now.changes(p.Flags, env, r, api, leaving) }
	}, files...)
	running.Go(func() { live.Run(ctx, hangups) })
}

// changes makes the running relay take up these flags, which are not its own.
func (f *flags) changes(set *cli.FlagSet, env *cli.Env, r *relay.Relay, api *adminServer, leaving *stay) []config.Change {
	levels := set.Lookup("logging").Value.String()
	all := []config.Change{
		{Flag: "logging", Apply: func() error { return env.Levels.Set(levels) }},
		{Flag: "drain", Apply: func() error { leaving.set(f.drain); return nil }},
		{Flag: "admin_token", File: f.admin.token, Apply: func() error { return api.take(&f.admin) }},
		{Flag: "admin_hosts", Apply: func() error { return api.take(&f.admin) }},
	}
	for _, name := range tuned {
		all = append(all, config.Change{Flag: name, Apply: func() error {
			cfg, err := f.config(env)
			if err == nil {
				r.Tune(cfg)
			}
			return err
		}})
	}
	return all
}
