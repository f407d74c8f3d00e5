// Command moqtop shows what a relay is doing: one of ours over its admin API, or
// any by MoQT.
package main

import (
	"context"
	"os/signal"
	"syscall"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/screen"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/dashboard"
)

// flags are the settings as the command line has them.
type flags struct {
	relay                door.Target
	dialect              door.Dialect
	events               door.Events
	screen               screen.Flags
	address, as, token   string
	namespace, delimiter string
	tracks               []string
	catalogs, publish    bool
	once, json           bool
	interval             time.Duration
}

func main() {
	// A reader that goes away, as head does, ends the program in good order.
	signal.Ignore(syscall.SIGPIPE)
	var f flags
	p := f.program()
	p.Main(func(ctx context.Context, env *cli.Env) error { return run(ctx, env, &f) })
}

// program declares the flags.
func (f *flags) program() *cli.Program {
	p := cli.New("moqtop", "shows what a relay is doing")
	p.Flags.Group("Where")
	p.Flags.StringVar(&f.address, "connect_url", "", "`address` of the relay: the socket, HOST:PORT or URL of its admin API, or a moqt:// or https:// URL where any relay serves MoQT; may stand alone too. Without it the relay of yours that runs on this machine")
	p.Flags.StringVar(&f.as, "as", "auto", "what is spoken there: `admin`, moqt, or auto: what the address says; at https:// URLs the admin API is tried first, then MoQT")
	p.Flags.StringVar(&f.token, "token", "", "`file` whose first line ends with the token for the admin API")
	f.relay.Declare(p, "connect_timeout")
	f.relay.DeclareQMUX(p)
	f.dialect.Declare(p)
	f.events.Declare(p)
	p.Flags.Group("What of a relay that is asked by MoQT")
	p.Flags.StringVar(&f.namespace, "track_namespace", "", "`namespace` below which namespaces and tracks are looked for; without it everything")
	p.Flags.StringVar(&f.delimiter, "track_namespace_delimiter", "/", "what separates the fields of a `namespace`")
	p.Flags.ListVar(&f.tracks, "track", nil, "`tracks` NAMESPACE/NAME to receive all the time; others are received while they are open on the screen")
	p.Flags.BoolVar(&f.catalogs, "catalogs", true, "read the catalogs of namespaces for the names of their tracks")
	p.Flags.BoolVar(&f.publish, "publish", true, "ask the relay to publish its tracks (SUBSCRIBE_TRACKS), which tells their names")
	p.Flags.Group("Output")
	p.Flags.DurationVar(&f.interval, "interval", dashboard.DefaultInterval, time.Second, "time (`s`) between two looks at the relay")
	p.Flags.BoolVar(&f.once, "once", false, "print what there is after one -interval, and exit")
	p.Flags.BoolVar(&f.json, "json", false, "print the whole state as JSON, an object a line")
	f.screen.Declare(p)
	p.Example("moqtop", "the relay that runs on this machine")
	p.Example("moqtop moqt://relay.example:4433/moq-relay", "any relay, as its clients see it")
	p.Example("moqtop -once -json | jq .tracks", "what the relay has, for a script")
	return p
}

func run(ctx context.Context, env *cli.Env, f *flags) (err error) {
	switch {
	case len(env.Args) == 1 && f.address == "":
		f.address = env.Args[0]
	case len(env.Args) > 0:
		return cli.Usagef("%q is no flag and not expected", env.Args[len(env.Args)-1])
	}
	if f.interval < dashboard.MinInterval || f.interval > dashboard.MaxInterval {
		return cli.Usagef("-interval is %v; it must be between %v and %v", f.interval, dashboard.MinInterval, dashboard.MaxInterval)
	}
	drawn, err := f.wanted(env)
	if err != nil {
		return err
	}
	theme, err := f.screen.Theme()
	if err != nil {
		return err
	}
	events := observe.NewRing(0)
	if drawn {
		screen.Quiet(env, events)
	}
	a, err := f.attach(ctx, env, events)
	if err != nil {
		return err
	}
	defer func() { a.close(&err) }()
	if !drawn {
		p := &printer{source: a.source, out: env.Out, log: env.Log, json: f.json, interval: f.interval}
		return p.run(ctx, f.once)
	}
	return f.screen.Run(ctx, env, dashboard.New(ctx, dashboard.Options{
		Source: a.source, Control: a.control, Theme: theme, Interval: f.interval, Remote: a.where, NoMouse: f.screen.NoMouse(),
	}))
}

// wanted reports whether a screen is drawn.
func (f *flags) wanted(env *cli.Env) (bool, error) {
	drawn, err := f.screen.Wanted(env)
	return drawn && !f.once && !f.json, err
}

// trackNames reads -track.
func (f *flags) trackNames() (all []model.FullTrackName, err error) {
	for _, s := range f.tracks {
		fields := model.ParseNamespace(s, f.delimiter)
		if len(fields) < 2 {
			return nil, cli.Usagef("-track %q is not NAMESPACE%sNAME", s, f.delimiter)
		}
		name := model.FullTrackName{Namespace: fields[:len(fields)-1], Name: fields[len(fields)-1]}
		if err := name.Validate(); err != nil {
			return nil, cli.Usagef("-track %q: %v", s, err)
		}
		all = append(all, name)
	}
	return all, nil
}
