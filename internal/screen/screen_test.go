package screen

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"oxymoq/internal/cli"
	"oxymoq/pkg/observe"
)

// flags returns the flags as a command line sets them.
func flags(t *testing.T, args ...string) *Flags {
	t.Helper()
	var f Flags
	p := cli.New("test", "tests")
	f.Declare(p)
	if _, err := p.Flags.Parse(args, func(string) (string, bool) { return "", false }); err != nil {
		t.Fatal(err)
	}
	return &f
}

func TestWanted(t *testing.T) {
	env := &cli.Env{In: strings.NewReader(""), Out: new(bytes.Buffer)}
	for _, tt := range []struct {
		args string
		says string // of the error; empty: none
	}{
		{"", ""}, {"-tui off", ""}, {"-tui on", "needs a terminal"}, {"-tui yes", "auto, on or off"},
		{"-color blue", "auto, always or never"}, {"-theme neon", "solarized"}, {"-color never -theme mono -ascii -nomouse", ""},
	} {
		on, err := flags(t, strings.Fields(tt.args)...).Wanted(env)
		if _, usage := errors.AsType[*cli.UsageError](err); on || (err != nil) != (tt.says != "") || err != nil && (!usage || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%q: %v, %v", tt.args, on, err)
		}
	}
}

func TestDefault(t *testing.T) {
	for _, want := range []string{"off", "auto"} {
		f := Flags{Default: want}
		f.Declare(cli.New("test", "tests"))
		if f.mode != want {
			t.Errorf("%s, want %s", f.mode, want)
		}
	}
}

func TestColours(t *testing.T) {
	no := func(name string) string { return map[string]string{"NO_COLOR": "1"}[name] }
	nothing := func(string) string { return "" }
	for _, tt := range []struct {
		color  string
		env    func(string) string
		want   colorprofile.Profile
		forced bool
	}{
		{"auto", nothing, colorprofile.Ascii, false}, {"auto", no, colorprofile.Ascii, true},
		{"never", nothing, colorprofile.Ascii, true}, {"always", no, colorprofile.TrueColor, true},
	} {
		got, forced, err := (&Flags{color: tt.color}).profile(tt.env)
		if err != nil || forced != tt.forced || forced && got != tt.want {
			t.Errorf("%s: %v, %v, %v", tt.color, got, forced, err)
		}
	}
}

func TestUnicode(t *testing.T) {
	for _, tt := range []struct {
		vars map[string]string
		want bool
	}{
		{nil, true}, {map[string]string{"LANG": "C.UTF-8"}, true}, {map[string]string{"LANG": "de_DE.utf8"}, true}, {map[string]string{"LANG": "C"}, false},
		{map[string]string{"LC_ALL": "POSIX", "LANG": "C.UTF-8"}, false},
	} {
		if got := unicode(func(n string) string { return tt.vars[n] }); got != tt.want {
			t.Errorf("%v: %v", tt.vars, got)
		}
	}
}

// model quits when it is told to, or at once.
type model struct{ at bool }

func (m model) Init() tea.Cmd {
	if m.at {
		return tea.Quit
	}
	return nil
}
func (m model) Update(tea.Msg) (tea.Model, tea.Cmd) { return m, nil }
func (model) View() tea.View                        { return tea.NewView("shown") }

// TestRun ends with the model, or with its context.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	env := &cli.Env{In: strings.NewReader(""), Out: &out}
	if err := flags(t).Run(t.Context(), env, model{at: true}); err != nil {
		t.Errorf("a model that quits: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if err := flags(t).Run(ctx, env, model{}); err == nil || err.Error() != "enough" {
		t.Errorf("without its context: %v", err)
	}
}

// TestQuiet: what -logging lets through goes into the ring and nowhere else.
func TestQuiet(t *testing.T) {
	var said bytes.Buffer
	env := &cli.Env{Log: slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelInfo}))}
	ring := observe.NewRing(10)
	Quiet(env, ring)
	log := env.Log.With("session", "7f3a").WithGroup("g")
	log.Debug("too low")
	log.Info("heard", "a", 1)
	events, _, err := ring.Events(t.Context(), 0)
	if err != nil || len(events) != 1 || events[0].Text != "heard" || events[0].Session != "7f3a" || events[0].Detail["g.a"] != "1" {
		t.Errorf("%+v, %v", events, err)
	}
	if said.Len() > 0 {
		t.Errorf("the terminal got %s", said.String())
	}
}
