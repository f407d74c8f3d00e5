// Command moqflvreceiver writes tracks of video and audio as FLV: to a file, a
// fifo or standard output.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/receiver"
	"oxymoq/internal/screen"
	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
)

// defaultURL is the relay of whom does not name one, as with moxygen.
const defaultURL = "https://localhost:4433/moq"

// Times between two lines of progress, if none is asked for.
const (
	onTerminal = time.Second
	elsewhere  = 10 * time.Second
)

// flags are the settings as the command line has them.
type flags struct {
	out                  string
	relay                door.Target
	url                  string
	dialect              door.Dialect
	events               door.Events
	auth                 string
	namespace, delimiter string
	videoName, audioName string
	video, audio         string
	fetch                bool
	hold, delivery       time.Duration
	rendezvous, duration time.Duration
	transaction, idle    time.Duration
	exitOn               []string
	stats                string
	progress             time.Duration
	json                 bool
	screen               screen.Flags
}

func main() {
	// A reader that goes away ends the program in good order.
	signal.Ignore(syscall.SIGPIPE)
	var f flags
	p := f.program()
	p.Main(func(ctx context.Context, env *cli.Env) error { return run(ctx, env, &f, p.Flags) })
}

// program declares the flags.
func (f *flags) program() *cli.Program {
	p := cli.New("moqflvreceiver", "writes MoQT tracks of video and audio as FLV")
	p.Flags.Group("Output")
	p.Flags.StringVar(&f.out, "flv_outpath", "", "`file` or fifo to write, - for standard output; may stand alone too")
	p.Flags.StringVar(&f.stats, "stats", "off", "`form` of the report at the end, with latencies: off, text, or json, which has a line for each object too; on standard output, or on standard error if the FLV goes there")
	p.Flags.DurationVar(&f.progress, "progress", onTerminal, time.Second, "`time` (s) between two lines on what is going on; 0: none; not on a terminal the default is "+elsewhere.String())
	p.Flags.BoolVar(&f.json, "json", false, "progress as JSON, an object a line, where -stats goes")
	p.Flags.Group("Where")
	p.Flags.StringVar(&f.url, "connect_url", defaultURL, "`URL` of the relay or publisher, as in moqt://localhost:9668/moq-relay")
	f.relay.Declare(p, "connect_timeout")
	f.relay.DeclareQMUX(p)
	p.Flags.DurationVar(&f.transaction, "transaction_timeout", 120*time.Second, time.Second, "how long (`s`) the peer may take to answer a request; 0: for ever")
	p.Flags.StringVar(&f.auth, "auth", "secret", "authorization `token`, sent with each SUBSCRIBE and FETCH; empty: none")
	f.dialect.Declare(p)
	f.events.Declare(p)
	p.Flags.Group("Tracks")
	p.Flags.StringVar(&f.namespace, "track_namespace", "flvstreamer", "`namespace` of the tracks")
	p.Flags.StringVar(&f.delimiter, "track_namespace_delimiter", "/", "what separates the fields of the `namespace`")
	p.Flags.StringVar(&f.videoName, "video_track_name", "video0", "`name` of the track of video; without this flag a catalog may name another")
	p.Flags.StringVar(&f.audioName, "audio_track_name", "audio0", "`name` of the track of audio; likewise")
	p.Flags.StringVar(&f.video, "video", "auto", "`whether` there is to be video: auto (if the publisher has it) or none")
	p.Flags.StringVar(&f.audio, "audio", "auto", "`whether` there is to be audio: auto or none")
	p.Flags.BoolVar(&f.fetch, "fetch", false, "begin with the oldest that the relay still has, instead of the present group")
	p.Flags.Group("Delivery")
	p.Flags.DurationVar(&f.hold, "dejitter_buffer_size_ms", receiver.DefaultHold, time.Millisecond, "how long (`ms`) what is missing is awaited, in a track or between the tracks; it delays nothing else")
	p.Flags.DurationVar(&f.delivery, "delivery_timeout", 0, time.Millisecond, "how old (`ms`) objects may get before they are dropped; 0: never")
	p.Flags.DurationVar(&f.rendezvous, "rendezvous_timeout", 0, time.Millisecond, "how long (`ms`) to wait for a publisher")
	p.Flags.Group("Exit")
	p.Flags.DurationVar(&f.duration, "duration", 0, time.Second, "exit after this time (`s`); 0: never")
	p.Flags.ListVar(&f.exitOn, "exit_on", []string{"end"}, "`what` ends the program: end (all tracks have ended: code 0), idle (no object for -idle_timeout: code 0), error (a session or subscription is lost: code 1)")
	p.Flags.DurationVar(&f.idle, "idle_timeout", 10*time.Second, time.Second, "how long (`s`) without an object is idle, from the first answer on")
	f.screen.Declare(p)
	const relay = "moqflvreceiver -connect_url moqt://localhost:9668/moq-relay"
	p.Example(relay+" received.flv", "into a file, until the publisher ends or Ctrl-C")
	p.Example(relay+" - | ffplay -", "watch it")
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
	r := &receiver.Receiver{
		Hold: f.hold, Rendezvous: f.rendezvous, Answer: f.transaction, Idle: f.idle, Duration: f.duration,
		Start: moqt.FromGroupsBack(0), Out: env.Out, Log: env.Log,
	}
	if err := f.wanted(r, env, set); err != nil {
		return err
	}
	protocols, err := f.dialect.Protocols()
	if err != nil {
		return err
	}
	cfg := session.Config{Implementation: "oxymoq-flvreceiver/" + cli.Release(), Strict: f.dialect.Strict(), Profile: f.dialect.Profile(), Log: env.Log}
	if f.auth != "" {
		r.Tokens = []auth.Token{{Value: []byte(f.auth)}}
	}
	if r.Target, r.Dial, err = f.relay.Options(env, f.url, cfg); err != nil {
		return err
	}
	r.Dial.Protocols = protocols
	f.show(r, env, set)
	end, err := f.events.Trace(env, mlog.Client, "moqflvreceiver", &r.Dial.Session, &r.Dial.Trace)
	if err != nil {
		return err
	}
	defer end(&err)
	if drawn {
		return f.display(ctx, env, r, events, plain)
	}
	return r.Run(ctx)
}

// wanted says what to receive, and where to write it.
func (f *flags) wanted(r *receiver.Receiver, env *cli.Env, set *cli.FlagSet) (err error) {
	switch {
	case len(env.Args) == 1 && f.out == "":
		f.out = env.Args[0]
	case len(env.Args) > 0:
		return cli.Usagef("%q is no flag and not expected", env.Args[0])
	}
	if f.delimiter == "" {
		return cli.Usagef("-track_namespace_delimiter is empty")
	}
	r.Namespace = model.ParseNamespace(f.namespace, f.delimiter)
	if r.Video, err = choice("video", f.videoName, f.video, set); err != nil {
		return err
	}
	if r.Audio, err = choice("audio", f.audioName, f.audio, set); err != nil {
		return err
	}
	for _, c := range []receiver.Choice{r.Video, r.Audio} {
		if err := (model.FullTrackName{Namespace: r.Namespace, Name: c.Name}).Validate(); err != nil {
			return cli.Usagef("track %q of namespace %q: %v", c.Name, f.namespace, err)
		}
	}
	if r.ExitOn, err = receiver.ParseExitOn(f.exitOn); err != nil {
		return cli.Usagef("%v", err)
	}
	switch {
	case !slices.Contains([]string{"off", "text", "json"}, f.stats):
		return cli.Usagef("-stats %q is not known; use off, text or json", f.stats)
	case f.out == "" && f.stats == "off":
		return cli.Usagef("-flv_outpath is needed: a file, a fifo, or - for standard output; with -stats it may be missing, and nothing is written")
	case r.Video.None && r.Audio.None:
		return cli.Usagef("-video none and -audio none leave nothing")
	case !r.Video.None && !r.Audio.None && f.videoName == f.audioName:
		return cli.Usagef("-video_track_name and -audio_track_name are the same")
	case set.IsSet("idle_timeout") && !slices.Contains(f.exitOn, "idle"):
		return cli.Usagef("-idle_timeout needs -exit_on idle")
	case f.idle == 0:
		return cli.Usagef("-idle_timeout must be above 0")
	}
	r.Path = f.out
	r.Terms.Order = model.Some(model.Ascending)
	if f.delivery > 0 {
		r.Terms.ObjectTimeout = model.Some(f.delivery)
	}
	if f.fetch {
		r.Start = moqt.FromGroup(0)
	}
	return nil
}

// choice reads which track of a kind is wanted.
func choice(kind, name, whether string, set *cli.FlagSet) (receiver.Choice, error) {
	flag := kind + "_track_name"
	c := receiver.Choice{Name: name, Fixed: set.IsSet(flag)}
	switch whether {
	case "auto":
	case "none":
		c.None = true
	default:
		return c, cli.Usagef("-%s %q is not known; use auto or none", kind, whether)
	}
	if c.None && c.Fixed {
		return c, cli.Usagef("-%s none and -%s exclude each other", kind, flag)
	}
	return c, nil
}

// show says where to tell of what is going on.
func (f *flags) show(r *receiver.Receiver, env *cli.Env, set *cli.FlagSet) {
	told := env.Out
	if f.out == "-" {
		told = env.Err
	}
	if f.stats != "off" {
		r.Stats = &receiver.Stats{JSON: f.stats == "json", Out: told}
	}
	r.Progress = &receiver.Progress{Every: f.progress, Out: env.Err, InPlace: terminal(env.Err)}
	if f.json {
		r.Progress.JSON, r.Progress.InPlace, r.Progress.Out = true, false, told
	} else if !r.Progress.InPlace && !set.IsSet("progress") {
		r.Progress.Every = elsewhere
	}
}

// terminal reports whether w is one, or any device that shows text as it comes.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
