// Command moqflvstreamer publishes FLV: a file, a fifo or standard input becomes
// tracks of video and audio.
package main

import (
	"context"
	"sync"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/screen"
	"oxymoq/internal/streamer"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/model"
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
	input                 string
	relay                 door.Target
	url                   string
	dialect               door.Dialect
	events                door.Events
	namespace, delimiter  string
	tracks                streamer.Tracks
	packaging, audioGroup string
	options               packaging.Options
	noPace, loop          bool
	publish, catalog      bool
	transaction, delivery time.Duration
	progress              time.Duration
	json                  bool
	exitOn                []string
	screen                screen.Flags
}

func main() {
	var f flags
	p := f.program()
	p.Main(func(ctx context.Context, env *cli.Env) error { return run(ctx, env, &f, p.Flags) })
}

// program declares the flags.
func (f *flags) program() *cli.Program {
	p := cli.New("moqflvstreamer", "publishes FLV from a file, a fifo or standard input as MoQT tracks")
	p.Flags.Group("Input")
	p.Flags.StringVar(&f.input, "input_flv_file", "", "`file` or fifo to read, - for standard input; may stand alone too")
	p.Flags.BoolVar(&f.noPace, "no_pace", false, "publish as fast as the input comes, not by its timestamps; for a source that keeps time itself, as ffmpeg -re does")
	p.Flags.BoolVar(&f.loop, "loop", false, "begin again when the file ends")
	p.Flags.Group("Where")
	p.Flags.StringVar(&f.url, "connect_url", defaultURL, "`URL` of the relay, as in moqt://localhost:9668/moq-relay")
	f.relay.Declare(p, "connect_timeout")
	f.relay.DeclareQMUX(p)
	p.Flags.DurationVar(&f.transaction, "transaction_timeout", 120*time.Second, time.Second, "how long (`s`) the relay may take to accept the namespace; 0: for ever")
	p.Flags.ListVar(&f.exitOn, "exit_on", nil, "`what` ends the program besides the end of the input: error (the relay is lost: code 1)")
	f.dialect.Declare(p)
	f.events.Declare(p)
	p.Flags.Group("Tracks")
	p.Flags.StringVar(&f.namespace, "track_namespace", "flvstreamer", "`namespace` of the tracks")
	p.Flags.StringVar(&f.delimiter, "track_namespace_delimiter", "/", "what separates the fields of the `namespace`")
	p.Flags.StringVar(&f.tracks.Video, "video_track_name", "video0", "`name` of the track of video")
	p.Flags.StringVar(&f.tracks.Audio, "audio_track_name", "audio0", "`name` of the track of audio")
	p.Flags.BoolVar(&f.catalog, "catalog", true, "also publish a track that says which tracks there are")
	p.Flags.BoolVar(&f.publish, "publish", false, "offer the tracks by PUBLISH instead of waiting for SUBSCRIBE")
	p.Flags.DurationVar(&f.delivery, "delivery_timeout", 0, time.Millisecond, "how old (`ms`) objects may get before they are dropped, here and by relays; 0: never")
	p.Flags.Group("Objects")
	p.Flags.StringVar(&f.packaging, "packaging", string(packaging.MoQMi), "`form` of the objects: moqmi (as moxygen's), loc, or hang (as @moq/publish)")
	p.Flags.StringVar(&f.audioGroup, "audio_group", "1s", "how much audio is in a group: a `duration`, or frame for a group for each frame, as moxygen has it")
	p.Flags.BoolVar(&f.options.MoxygenOpus, "moqmi_moxygen_opus", false, "write Opus with the media type that moxygen takes for it")
	p.Flags.BoolVar(&f.options.OldVideoProperty, "moqmi_old_video_property", false, "write what describes video by the number of before October 2025")
	p.Flags.BoolVar(&f.options.TransportVarints, "moqmi_transport_varints", false, "write integers in properties as the transport does, not as QUIC does")
	p.Flags.Group("Output")
	p.Flags.DurationVar(&f.progress, "progress", onTerminal, time.Second, "`time` (s) between two lines on what is going on; 0: none; not on a terminal the default is "+elsewhere.String())
	p.Flags.BoolVar(&f.json, "json", false, "progress as JSON, an object a line, on standard output; the last one has done=true")
	f.screen.Declare(p)
	const relay = "-connect_url moqt://localhost:9668/moq-relay"
	p.Example("moqflvstreamer "+relay+" -loop film.flv", "a file, over and over")
	p.Example("ffmpeg … -f flv - | moqflvstreamer "+relay+" -input_flv_file -", "what ffmpeg makes")
	return p
}

// name is how the program calls itself.
const name = "moqflvstreamer"

func run(ctx context.Context, env *cli.Env, f *flags, set *cli.FlagSet) (err error) {
	drawn, err := f.drawn(env, set)
	if err != nil {
		return err
	}
	plain, events := env.Log, observe.NewRing(0)
	if drawn {
		screen.Quiet(env, events)
	}
	s := &streamer.Streamer{
		Tracks: f.tracks, Options: f.options, NoCatalog: !f.catalog, NoPace: f.noPace, Loop: f.loop, Offer: f.publish,
		Answer: f.transaction, Expiry: f.delivery, Log: env.Log,
	}
	if err := f.wanted(s, env); err != nil {
		return err
	}
	protocols, err := f.dialect.Protocols()
	if err != nil {
		return err
	}
	cfg := session.Config{Implementation: "oxymoq-flvstreamer/" + cli.Release(), Strict: f.dialect.Strict(), Profile: f.dialect.Profile(), Log: env.Log}
	if s.Target, s.Dial, err = f.relay.Options(env, f.url, cfg); err != nil {
		return err
	}
	s.Dial.Protocols = protocols
	end, err := f.events.Trace(env, mlog.Client, name, &s.Dial.Session, &s.Dial.Trace)
	if err != nil {
		return err
	}
	defer end(&err)

	progress, work := f.progressOn(env, set), s.Run
	if drawn {
		progress.Every = 0
		work = func(ctx context.Context) error { return f.display(ctx, env, s, events) }
	}
	showing, stop := context.WithCancel(ctx)
	var shown sync.WaitGroup
	shown.Go(func() { progress.Run(showing, s) })
	began := time.Now()
	err = work(ctx)
	stop()
	shown.Wait()
	progress.Finish(s, began, plain)
	return err
}

// wanted says what to publish, and how.
func (f *flags) wanted(s *streamer.Streamer, env *cli.Env) (err error) {
	switch {
	case len(env.Args) == 1 && f.input == "":
		f.input = env.Args[0]
	case len(env.Args) > 0:
		return cli.Usagef("%q is no flag and not expected", env.Args[0])
	}
	if f.delimiter == "" {
		return cli.Usagef("-track_namespace_delimiter is empty")
	}
	s.Namespace = model.ParseNamespace(f.namespace, f.delimiter)
	for _, track := range []string{f.tracks.Video, f.tracks.Audio} {
		if err := (model.FullTrackName{Namespace: s.Namespace, Name: track}).Validate(); err != nil {
			return cli.Usagef("track %q of namespace %q: %v", track, f.namespace, err)
		}
	}
	if s.Packaging, err = packaging.Parse(f.packaging); err != nil {
		return cli.Usagef("%v", err)
	}
	if s.AudioSpan, err = parseSpan(f.audioGroup); err != nil {
		return err
	}
	for _, what := range f.exitOn {
		if what != "error" {
			return cli.Usagef("-exit_on %q is not known; use error", what)
		}
		s.ExitOnLoss = true
	}
	switch {
	case f.input == "":
		return cli.Usagef("-input_flv_file is needed: a file, a fifo, or - for standard input")
	case f.input == streamer.Stdin && f.loop:
		return cli.Usagef("-loop needs a file, which standard input is not")
	case f.tracks.Video == f.tracks.Audio:
		return cli.Usagef("-video_track_name and -audio_track_name are the same")
	case s.Packaging != packaging.MoQMi && f.options != packaging.Options{}:
		return cli.Usagef("-moqmi_… is for -packaging moqmi")
	}
	if catalog := s.CatalogName(); f.catalog && (f.tracks.Video == catalog || f.tracks.Audio == catalog) {
		return cli.Usagef("%q is the name of the catalog; name the track otherwise, or use -nocatalog", catalog)
	}
	s.Open = func(ctx context.Context) (*streamer.Input, error) {
		return streamer.Open(ctx, f.input, env.In, env.Log)
	}
	return nil
}

// parseSpan reads how much audio a group has.
func parseSpan(s string) (time.Duration, error) {
	if s == "frame" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, cli.Usagef("-audio_group %q is neither frame nor a duration such as 1s", s)
	}
	return d, nil
}

// progressOn says where progress is shown, and how often.
func (f *flags) progressOn(env *cli.Env, set *cli.FlagSet) *streamer.Progress {
	p := &streamer.Progress{Every: f.progress, JSON: f.json, Out: env.Err}
	if f.json {
		p.Out = env.Out
		return p
	}
	p.InPlace = streamer.Terminal(env.Err)
	if !p.InPlace && !set.IsSet("progress") {
		p.Every = elsewhere
	}
	return p
}
