package screen

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"oxymoq/internal/cli"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/draw"
)

// Flags are the settings of a screen as the command line has them.
type Flags struct {
	// Default is what -tui is if nobody says; empty: auto. Set it before Declare.
	Default string

	mode, color, theme string
	ascii, mouse       bool
}

// Declare adds the flags.
func (f *Flags) Declare(p *cli.Program) {
	p.Flags.Group("Screen")
	p.Flags.StringVar(&f.mode, "tui", cmp.Or(f.Default, "auto"), "draw a screen: `auto` (if input and output are terminals), on, or off")
	p.Flags.StringVar(&f.color, "color", "auto", "colours: `auto` (unless NO_COLOR is set), always, or never")
	p.Flags.StringVar(&f.theme, "theme", draw.Themes()[0], "colours of the screen: `"+strings.Join(draw.Themes(), "`, ")+"`")
	p.Flags.BoolVar(&f.ascii, "ascii", false, "draw with ASCII only")
	p.Flags.BoolVar(&f.mouse, "mouse", true, "let the mouse scroll and select; -nomouse leaves it to the terminal")
	p.Flags.Group("")
}

// Wanted reports whether a screen is to be drawn. Errors are for wrong usage.
func (f *Flags) Wanted(env *cli.Env) (bool, error) {
	if _, err := f.Theme(); err != nil {
		return false, err
	}
	if _, _, err := f.profile(os.Getenv); err != nil {
		return false, err
	}
	terminal := isTerminal(env.In) && isTerminal(env.Out)
	switch f.mode {
	case "auto":
		return terminal && os.Getenv("TERM") != "dumb", nil
	case "on":
		if !terminal {
			return false, cli.Usagef("-tui on needs a terminal for input and output")
		}
		return true, nil
	case "off":
		return false, nil
	}
	return false, cli.Usagef("-tui is %q; it can be auto, on or off", f.mode)
}

func isTerminal(stream any) bool {
	file, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(file.Fd())
}

// Theme returns how to draw.
func (f *Flags) Theme() (*draw.Theme, error) {
	t, err := draw.NewTheme(draw.Options{Theme: f.theme, ASCII: f.ascii || !unicode(os.Getenv)})
	if err != nil {
		return nil, cli.Usagef("-theme: %v", err)
	}
	return t, nil
}

// unicode reports whether the terminal is said to show more than ASCII. Nothing
// said is taken for yes.
func unicode(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(getenv(name)); v != "" {
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return true
}

// NoMouse reports whether the mouse is left to the terminal.
func (f *Flags) NoMouse() bool { return !f.mouse }

// Run shows a model until it quits, which returns nil, or ctx ends, which returns
// the cause.
func (f *Flags) Run(ctx context.Context, env *cli.Env, m tea.Model) error {
	options := []tea.ProgramOption{tea.WithContext(ctx), tea.WithInput(env.In), tea.WithOutput(env.Out), tea.WithoutSignalHandler()}
	profile, forced, err := f.profile(os.Getenv)
	if err != nil {
		return err
	}
	if forced {
		options = append(options, tea.WithColorProfile(profile))
	}
	_, err = tea.NewProgram(m, options...).Run()
	if ctx.Err() != nil && errors.Is(err, tea.ErrProgramKilled) {
		return context.Cause(ctx)
	}
	return err
}

// profile returns the colours that are forced, if any are.
func (f *Flags) profile(getenv func(string) string) (colorprofile.Profile, bool, error) {
	switch f.color {
	case "auto":
		return colorprofile.Ascii, getenv("NO_COLOR") != "", nil
	case "never":
		return colorprofile.Ascii, true, nil
	case "always":
		return colorprofile.TrueColor, true, nil
	}
	return 0, false, cli.Usagef("-color is %q; it can be auto, always or never", f.color)
}

// Quiet makes the log of a program go into a ring of events and nowhere else, as
// far as -logging lets it through.
func Quiet(env *cli.Env, ring *observe.Ring) {
	env.Log = slog.New(&gate{by: env.Log.Handler(), to: observe.NewHandler(ring, slog.Level(-100))})
}

// gate lets records through to one handler that another would take.
type gate struct{ by, to slog.Handler }

// Enabled is for package slog, as are the following.
func (g *gate) Enabled(ctx context.Context, l slog.Level) bool {
	return g.by.Enabled(ctx, l) && g.to.Enabled(ctx, l)
}

func (g *gate) Handle(ctx context.Context, r slog.Record) error { return g.to.Handle(ctx, r) }

func (g *gate) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &gate{g.by.WithAttrs(attrs), g.to.WithAttrs(attrs)}
}

func (g *gate) WithGroup(name string) slog.Handler {
	return &gate{g.by.WithGroup(name), g.to.WithGroup(name)}
}
