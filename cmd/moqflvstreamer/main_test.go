package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/streamer"
	"oxymoq/pkg/media/packaging"
)

// execute runs the program with arguments, and do instead of run if it is not nil.
func execute(t *testing.T, args []string, do func(*flags, *cli.FlagSet, *cli.Env) error) (code int, out, said string) {
	t.Helper()
	var f flags
	p := f.program()
	var stdout, stderr strings.Builder
	code = p.Exec(t.Context(), &cli.Env{In: strings.NewReader(""), Out: &stdout, Err: &stderr}, args,
		func(string) (string, bool) { return "", false },
		func(ctx context.Context, env *cli.Env) error {
			if do != nil {
				return do(&f, p.Flags, env)
			}
			return run(ctx, env, &f, p.Flags)
		})
	return code, stdout.String(), stderr.String()
}

// TestUsage: whoever calls it wrongly learns why before anything is connected to.
func TestUsage(t *testing.T) {
	for _, tt := range []struct{ name, args, want string }{
		{"no input", "", "-input_flv_file is needed"},
		{"two inputs", "a.flv b.flv", "is no flag and not expected"},
		{"an input twice", "-input_flv_file a.flv b.flv", "\"b.flv\" is no flag"},
		{"a relay of another kind", "a.flv -connect_url http://h/", "unknown scheme"},
		{"an empty field", "a.flv -track_namespace a//b", "empty"},
		{"no delimiter", "a.flv -track_namespace_delimiter=", "is empty"},
		{"a packaging", "a.flv -packaging cmaf", "moqmi, loc, hang"},
		{"options of another packaging", "a.flv -packaging loc -moqmi_moxygen_opus", "-moqmi_"},
		{"one name for two tracks", "a.flv -video_track_name x -audio_track_name x", "are the same"},
		{"the name of the catalog", "a.flv -video_track_name catalog", "the name of the catalog"},
		{"the name of hang's catalog", "a.flv -packaging hang -audio_track_name catalog.json", "the name of the catalog"},
		{"an audio group", "a.flv -audio_group minute", "neither frame nor a duration"},
		{"an audio group without length", "a.flv -audio_group 0s", "neither frame nor a duration"},
		{"standard input in a loop", "-loop -", "needs a file"},
		{"an end", "a.flv -exit_on end", "use error"},
		{"a draft", "a.flv -versions 7", "draft 7 is not spoken here"},
		{"two transports", "a.flv -qmux -quic_transport", "use one"},
		{"an unknown flag", "-input_flv_fiel x", "did you mean -input_flv_file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, said := execute(t, strings.Fields(tt.args), nil)
			if code != cli.ExitUsage || out != "" || !strings.Contains(said, tt.want) {
				t.Errorf("code %d, stdout %q, stderr %q; want code 2 and %q", code, out, said, tt.want)
			}
		})
	}
}

// TestWanted: what flags make of a Streamer.
func TestWanted(t *testing.T) {
	for _, tt := range []struct {
		args string
		want func(*streamer.Streamer) bool
	}{
		{"in.flv", func(s *streamer.Streamer) bool {
			return s.Packaging == packaging.MoQMi && s.AudioSpan == time.Second && s.Namespace.String() != "" && len(s.Namespace) == 1
		}},
		{"--input_flv_file in.flv --track_namespace a.b --track_namespace_delimiter .", func(s *streamer.Streamer) bool { return len(s.Namespace) == 2 }},
		{"in.flv -audio_group frame -packaging LOC -exit_on error", func(s *streamer.Streamer) bool {
			return s.AudioSpan == 0 && s.Packaging == packaging.LOC && s.ExitOnLoss
		}},
		{"in.flv -audio_group 250ms -nocatalog -video_track_name catalog", func(s *streamer.Streamer) bool { return s.AudioSpan == 250*time.Millisecond }},
	} {
		code, _, said := execute(t, strings.Fields(tt.args), func(f *flags, _ *cli.FlagSet, env *cli.Env) error {
			var s streamer.Streamer
			err := f.wanted(&s, env)
			if err == nil && !tt.want(&s) {
				t.Errorf("%q: %v %v %q", tt.args, s.Packaging, s.AudioSpan, s.Namespace)
			}
			return err
		})
		if code != cli.ExitDone {
			t.Errorf("%q: %s", tt.args, said)
		}
	}
}

// TestProgressOn: lines come often on a terminal, seldom elsewhere, and as asked
// for.
func TestProgressOn(t *testing.T) {
	for _, tt := range []struct {
		args  string
		every time.Duration
		json  bool
	}{
		{"", elsewhere, false}, {"-progress 3", 3 * time.Second, false}, {"-progress 0", 0, false},
		{"-json", onTerminal, true}, {"-json -progress 5", 5 * time.Second, true},
	} {
		execute(t, strings.Fields(tt.args), func(f *flags, set *cli.FlagSet, env *cli.Env) error {
			p := f.progressOn(env, set)
			if p.Every != tt.every || p.JSON != tt.json || p.InPlace || (p.Out == env.Out) != tt.json {
				t.Errorf("%q: %+v", tt.args, p)
			}
			return nil
		})
	}
}

// TestInputsThatAreNone end the program with one sentence, though no relay is
// there to be connected to.
func TestInputsThatAreNone(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	dir := t.TempDir()
	rubbish := filepath.Join(dir, "rubbish.flv")
	if err := os.WriteFile(rubbish, []byte("this is no film at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, input, want string }{
		{"missing", filepath.Join(dir, "none.flv"), "no such file or directory"},
		{"rubbish", rubbish, "FLV: byte 0: this is no FLV"},
		{"standard input that is empty", "-", "standard input: FLV: it ends at byte 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, said := execute(t, []string{"-retry", "-logging", "ERR", "-connect_url", "moqt://localhost:1/", tt.input}, nil)
			if code != cli.ExitFailed || out != "" || !strings.Contains(said, tt.want) || strings.Count(said, "\n") != 1 {
				t.Errorf("code %d, stdout %q, stderr %q; want code 1 and %q", code, out, said, tt.want)
			}
		})
	}
}

// TestTable: the table of flags is true.
func TestTable(t *testing.T) {
	doc, err := os.ReadFile(filepath.FromSlash("../../docs/flags.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range new(flags).program().CheckTable(string(doc)) {
		t.Error(d)
	}
}
