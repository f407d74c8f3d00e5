// Command moqtextclient prints the objects of a track.
package main

import (
	"context"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/screen"
	"oxymoq/internal/text"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
)

// flags are the settings as the command line has them.
type flags struct {
	relay                           door.Target
	url, namespace, delimiter, name string
	dialect                         door.Dialect
	events                          door.Events
	sg, so, eg, eo                  string
	fetch, jrfetch, jafetch         bool
	joinStart                       uint64
	forward, publish, raw           bool
	delivery, rendezvous, duration  time.Duration
	transaction, idle, leaveAfter   time.Duration
	leave, ids                      bool
	format, stats                   string
	count                           uint64
	exitOn                          []string
	screen                          screen.Flags
}

func main() {
	// A reader that goes away, as head does, ends the program in good order.
	signal.Ignore(syscall.SIGPIPE)
	var f flags
	p := f.program()
	p.Main(func(ctx context.Context, env *cli.Env) error { return run(ctx, env, &f, p.Flags) })
}

// program declares the flags.
func (f *flags) program() *cli.Program {
	p := cli.New("moqtextclient", "prints the objects of a MoQT track, one after the other")
	p.Flags.Group("Where")
	p.Flags.StringVar(&f.url, "connect_url", "", "`URL` of the relay or publisher, as in moqt://localhost:9668/moq-relay; may stand alone too")
	f.relay.Declare(p, "connect_timeout")
	f.relay.DeclareQMUX(p)
	p.Flags.Alias("cafile", "ca")
	p.Flags.DurationVar(&f.transaction, "transaction_timeout", 120*time.Second, time.Second, "how long (`s`) the peer may take to answer a request; 0: for ever")
	f.dialect.Declare(p)
	f.events.Declare(p)
	p.Flags.Group("Track")
	p.Flags.StringVar(&f.namespace, "track_namespace", "", "`namespace` of the track")
	p.Flags.StringVar(&f.delimiter, "track_namespace_delimiter", "/", "what separates the fields of the `namespace`")
	p.Flags.StringVar(&f.name, "track_name", "", "`name` of the track")
	p.Flags.BoolVar(&f.publish, "publish", false, "ask for all tracks of the namespace to be published, instead of subscribing to one")
	p.Flags.Group("Part of the track (without these: from the present group on)")
	p.Flags.StringVar(&f.sg, "sg", "", "start `group`; what was published already is fetched; -2 is two groups before the present one, +1 the next one")
	p.Flags.StringVar(&f.so, "so", "", "start `object` in the start group")
	p.Flags.StringVar(&f.eg, "eg", "", "end `group`, the last to print; +n and -n as with -sg")
	p.Flags.StringVar(&f.eo, "eo", "", "end `object` in the end group, the last to print; without it the whole group")
	p.Flags.BoolVar(&f.fetch, "fetch", false, "fetch from -sg to -eg, or to the newest object, and exit")
	p.Flags.BoolVar(&f.jrfetch, "jrfetch", false, "join -join_start groups before the present one")
	p.Flags.BoolVar(&f.jafetch, "jafetch", false, "join at the group -join_start")
	p.Flags.Uint64Var(&f.joinStart, "join_start", 0, "`groups` back for -jrfetch, group for -jafetch")
	p.Flags.Group("Delivery")
	p.Flags.BoolVar(&f.forward, "forward", true, "have objects sent; -noforward only subscribes")
	p.Flags.DurationVar(&f.delivery, "delivery_timeout", 0, time.Millisecond, "how old (`ms`) objects may get before they are dropped; 0: never")
	p.Flags.DurationVar(&f.rendezvous, "rendezvous_timeout", 0, time.Millisecond, "how long (`ms`) to wait for a publisher")
	p.Flags.Group("Output")
	p.Flags.StringVar(&f.format, "format", "text", "`form` of the objects: text (the payload in a line), json (an object a line, with all there is to know), raw (the payload alone) or hex (a dump)")
	p.Flags.BoolVar(&f.ids, "ids", false, "with -format text, begin lines with group, subgroup, object and time of arrival")
	p.Flags.StringVar(&f.stats, "stats", "auto", "`form` of a report at the end on how the objects of each track came: text or json (on standard error, or with -format json as the last line of the output), off, or auto: json with -format json, otherwise off")
	p.Flags.BoolVar(&f.raw, "raw_order", false, "print objects as they come, not in their order")
	p.Flags.Group("Exit (without these: never, once it has worked)")
	p.Flags.Uint64Var(&f.count, "count", 0, "exit after this `number` of objects; 0: never")
	p.Flags.DurationVar(&f.duration, "duration", 0, time.Second, "exit after this time (`s`); 0: never")
	p.Flags.ListVar(&f.exitOn, "exit_on", nil, "`what` ends the program: end (the track has ended: code 0), idle (no object for -idle_timeout: code 0), error (a session or subscription is lost: code 1)")
	p.Flags.DurationVar(&f.idle, "idle_timeout", 10*time.Second, time.Second, "how long (`s`) without an object is idle, from the first answer on")
	p.Flags.BoolVar(&f.leave, "unsubscribe", false, "leave each track after -unsubscribe_time, and exit when none is left")
	p.Flags.DurationVar(&f.leaveAfter, "unsubscribe_time", 30*time.Second, time.Second, "how long (`s`) to stay with a track; with -unsubscribe")
	f.screen.Default = "off" // who runs this in a terminal expects lines
	f.screen.Declare(p)
	const example = "moqtextclient -connect_url moqt://localhost:9668/moq-relay -track_namespace moq-date -track_name date"
	p.Example(example, "the date: the present minute so far, then every second")
	p.Example(example+" -fetch -sg 29384640 -eg 29384641", "two minutes of the past")
	return p
}

func run(ctx context.Context, env *cli.Env, f *flags, set *cli.FlagSet) (err error) {
	drawn, err := f.drawn(env, set)
	if err != nil {
		return err
	}
	plain, events := env.Log, observe.NewRing(0)
	if drawn {
		screen.Quiet(env, events)
	}
	c := &text.Client{
		Track:      model.FullTrackName{Namespace: model.ParseNamespace(f.namespace, f.delimiter), Name: f.name},
		Rendezvous: f.rendezvous, Answer: f.transaction, RawOrder: f.raw, Count: f.count, Duration: f.duration, Idle: f.idle,
		Out: env.Out, Log: env.Log,
	}
	if err := f.wanted(c, set); err != nil {
		return err
	}
	c.Terms.Order = model.Some(model.Ascending)
	if !f.forward {
		c.Terms.Forward = model.Some(false)
	}
	if f.delivery > 0 {
		c.Terms.ObjectTimeout = model.Some(f.delivery)
	}
	if f.leave {
		c.Leave = f.leaveAfter
	}
	if c.ExitOn, err = text.ParseExitOn(f.exitOn); err != nil {
		return cli.Usagef("%v", err)
	}
	if c.Format, err = text.ParseFormat(f.format, f.ids); err != nil {
		return cli.Usagef("%v", err)
	}
	if c.Stats, err = text.ParseStats(f.stats, f.format); err != nil {
		return cli.Usagef("%v", err)
	}
	if c.Stats != text.StatsJSON || f.format != "json" {
		c.Report = env.Err
	}
	protocols, err := f.dialect.Protocols()
	if err != nil {
		return err
	}
	switch {
	case len(env.Args) == 1 && f.url == "":
		f.url = env.Args[0]
	case len(env.Args) > 0:
		return cli.Usagef("%q is no flag and not expected", env.Args[0])
	}
	cfg := session.Config{Implementation: "oxymoq-text/" + cli.Release(), Strict: f.dialect.Strict(), Profile: f.dialect.Profile(), Log: env.Log}
	if c.Target, c.Dial, err = f.relay.Options(env, f.url, cfg); err != nil {
		return err
	}
	c.Dial.Protocols = protocols
	end, err := f.events.Trace(env, mlog.Client, "moqtextclient", &c.Dial.Session, &c.Dial.Trace)
	if err != nil {
		return err
	}
	defer end(&err)
	if drawn {
		return f.display(ctx, env, c, events, plain)
	}
	return c.Run(ctx)
}

// wanted says which track, in which way, and which part of it.
func (f *flags) wanted(c *text.Client, set *cli.FlagSet) (err error) {
	if f.delimiter == "" {
		return cli.Usagef("-track_namespace_delimiter is empty")
	}
	if err := c.Track.Validate(); err != nil {
		return cli.Usagef("-track_namespace %q: %v", f.namespace, err)
	}
	if c.Span, err = text.ParseSpan(f.sg, f.so, f.eg, f.eo); err != nil {
		return cli.Usagef("%v", err)
	}
	joins := f.jrfetch || f.jafetch
	switch {
	case f.name == "" && !f.publish && !set.IsSet("track_name"):
		return cli.Usagef("-track_name is needed, or -publish for all tracks of the namespace")
	case f.fetch && f.publish, f.jrfetch && f.jafetch, joins && (f.fetch || f.publish):
		return cli.Usagef("-fetch, -jrfetch, -jafetch and -publish exclude each other")
	case joins && f.sg != "":
		return cli.Usagef("-sg says where to start and -jrfetch or -jafetch says it again; use one")
	case f.fetch && f.sg == "":
		return cli.Usagef("-fetch needs a start group, -sg")
	case f.publish && c.Span.Relative():
		return cli.Usagef("-sg and -eg with a sign count from the present group of one track; -publish may bring many")
	case f.leave && f.leaveAfter == 0:
		return cli.Usagef("-unsubscribe needs an -unsubscribe_time above 0")
	case set.IsSet("idle_timeout") && !slices.Contains(f.exitOn, "idle"):
		return cli.Usagef("-idle_timeout needs -exit_on idle")
	case f.idle == 0:
		return cli.Usagef("-idle_timeout must be above 0")
	case !joins && f.joinStart != 0:
		return cli.Usagef("-join_start needs -jrfetch or -jafetch")
	case f.fetch:
		c.Way = text.Fetch
	case f.publish:
		c.Way = text.Publishes
	}
	switch {
	case f.jafetch:
		c.Start = moqt.FromGroup(f.joinStart)
	case f.forward || f.jrfetch:
		c.Start = moqt.FromGroupsBack(f.joinStart)
	}
	return nil
}
