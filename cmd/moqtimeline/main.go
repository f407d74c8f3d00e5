// Command moqtimeline shows what happened on a MoQT connection, from the qlog
// traces of one or both of its sides.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/charmbracelet/x/term"

	"oxymoq/internal/cli"
	"oxymoq/internal/timeline"
)

// flags are the settings as the command line has them.
type flags struct {
	track, session, color string
	streams, kinds        []string
	width                 int
	json, ascii           bool
}

func main() {
	// A reader that goes away, as head does, ends the program in good order.
	signal.Ignore(syscall.SIGPIPE)
	var f flags
	p := f.program()
	p.Main(func(_ context.Context, env *cli.Env) error { return run(env, &f, os.Getenv) })
}

// program declares the flags.
func (f *flags) program() *cli.Program {
	p := cli.New("moqtimeline", "shows what happened on a MoQT connection, from its qlog traces: moqtimeline A.sqlog [B.sqlog], - for standard input")
	p.Flags.Group("What")
	p.Flags.StringVar(&f.track, "track", "", "only `tracks` with this in their name, and what belongs to no track")
	p.Flags.ListVar(&f.streams, "stream", nil, "only what happened on these `streams`, by their QUIC stream IDs")
	p.Flags.ListVar(&f.kinds, "events", nil, "only these `kinds`: "+strings.Join(kinds(), ", "))
	p.Flags.StringVar(&f.session, "session", "", "`group_id` of the session, of a file with several")
	p.Flags.Group("How")
	p.Flags.BoolVar(&f.json, "json", false, "a JSON object a line")
	p.Flags.IntVar(&f.width, "width", -1, "`cells` of a line, 0 for as many as it takes; by default those of the terminal, and 0 for a pipe or a file")
	p.Flags.StringVar(&f.color, "color", "auto", "colours: `auto` (on terminals, unless NO_COLOR is set), always, or never")
	p.Flags.BoolVar(&f.ascii, "ascii", false, "ASCII only")
	p.Example("moqtimeline traces/8394c8f03e515708_client.sqlog traces/8394c8f03e515708_server.sqlog", "both sides of a connection, as -qlog_dir traces writes them")
	p.Example("moqtimeline -events control,reset -track video client.sqlog", "what was said of the video, and which of its streams were given up")
	return p
}

func kinds() []string {
	var all []string
	for _, k := range timeline.Kinds {
		all = append(all, string(k))
	}
	return all
}

func run(env *cli.Env, f *flags, getenv func(string) string) error {
	filter, err := f.filter()
	if err != nil {
		return err
	}
	layout, err := f.layout(env.Out, getenv)
	if err != nil {
		return err
	}
	switch n := len(env.Args); {
	case n == 0:
		return cli.Usagef("the name of a trace is needed")
	case n > 2:
		return cli.Usagef("%d traces are more than the two sides of a connection", n)
	case n == 2 && env.Args[0] == env.Args[1]:
		return cli.Usagef("%s is named twice", env.Args[0])
	}
	var traces [2]*timeline.Trace
	for i, name := range env.Args {
		if traces[i], err = f.read(env, name); err != nil {
			return err
		}
	}
	story, err := timeline.Merge(traces[0], traces[1])
	if err != nil {
		return err
	}
	rows := filter.Apply(story.Rows)
	if f.json {
		err = timeline.JSON(env.Out, story, rows)
	} else {
		err = timeline.Text(env.Out, story, rows, layout)
	}
	if errors.Is(err, syscall.EPIPE) {
		return nil // the reader has seen enough
	}
	return err
}

// read reads one trace.
func (f *flags) read(env *cli.Env, name string) (*timeline.Trace, error) {
	in := env.In
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			if at, ok := errors.AsType[*fs.PathError](err); ok {
				err = at.Err // the name is told anyway
			}
			return nil, fmt.Errorf("%s cannot be read: %w", name, err)
		}
		defer file.Close()
		in = file
	} else {
		name = "standard input"
	}
	t, err := timeline.Read(in, name, f.session)
	if _, several := errors.AsType[*timeline.SessionsError](err); several {
		return nil, cli.Usagef("%v", err)
	}
	return t, err
}

func (f *flags) filter() (timeline.Filter, error) {
	out := timeline.Filter{Track: f.track}
	for _, s := range f.streams {
		id, err := strconv.ParseInt(strings.TrimPrefix(s, "s"), 10, 64)
		if err != nil || id < 0 {
			return out, cli.Usagef("-stream: %q is no stream ID", s)
		}
		out.Streams = append(out.Streams, id)
	}
	for _, s := range f.kinds {
		k := timeline.Kind(s)
		if !slices.Contains(timeline.Kinds, k) {
			return out, cli.Usagef("-events: %q is not known; there are %s", s, strings.Join(kinds(), ", "))
		}
		out.Kinds = append(out.Kinds, k)
	}
	return out, nil
}

// layout looks at the terminal, if there is one.
func (f *flags) layout(out io.Writer, getenv func(string) string) (timeline.Layout, error) {
	l := timeline.Layout{Width: f.width, ASCII: f.ascii}
	if f.width < -1 {
		return l, cli.Usagef("-width is %d", f.width)
	}
	file, ok := out.(interface{ Fd() uintptr })
	terminal := ok && term.IsTerminal(file.Fd())
	if f.width < 0 {
		l.Width = 0
		if terminal {
			if w, _, err := term.GetSize(file.Fd()); err == nil {
				l.Width = w
			}
		}
	}
	switch f.color {
	case "auto":
		l.Colour = terminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	case "always":
		l.Colour = true
	case "never":
	default:
		return l, cli.Usagef("-color is %q; it can be auto, always or never", f.color)
	}
	return l, nil
}
