package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oxymoq/internal/cli"
)

// execute runs the program as a process would.
func execute(t *testing.T, args string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var out, errs bytes.Buffer
	var f flags
	p := f.program()
	code = p.Exec(t.Context(), &cli.Env{Out: &out, Err: &errs}, strings.Fields(args), func(string) (string, bool) { return "", false },
		func(ctx context.Context, env *cli.Env) error { return run(ctx, env, &f, p.Flags) })
	return code, out.String(), errs.String()
}

func TestUsage(t *testing.T) {
	const relay = "-connect_url moqt://localhost:1/x "
	for _, tt := range []struct{ name, args, want string }{
		{"a URL of another kind", "-connect_url http://h/ out.flv", "unknown scheme"},
		{"nowhere to write", relay, "-flv_outpath"},
		{"two places to write", relay + "a.flv b.flv", "not expected"},
		{"an empty field", relay + "-track_namespace a//b a.flv", "empty"},
		{"an empty delimiter", relay + "-track_namespace_delimiter= a.flv", "-track_namespace_delimiter"},
		{"nothing wanted", relay + "-video none -audio none a.flv", "leave nothing"},
		{"a track that is not wanted", relay + "-video none -video_track_name v a.flv", "exclude"},
		{"a track for both", relay + "-audio_track_name video0 a.flv", "are the same"},
		{"neither auto nor none", relay + "-audio no a.flv", "auto or none"},
		{"unknown end", relay + "-exit_on never a.flv", "end, idle or error"},
		{"unknown stats", relay + "-stats xml a.flv", "off, text or json"},
		{"idle time without idle", relay + "-idle_timeout 3 a.flv", "-exit_on idle"},
		{"idle at once", relay + "-exit_on idle -idle_timeout 0 a.flv", "above 0"},
		{"a draft that is not spoken", relay + "-versions 7 a.flv", "draft 7 is not spoken here"},
		{"two transports", relay + "-qmux -quic_transport a.flv", "use one"},
		{"unknown flag", relay + "-track_namespac x", "did you mean -track_namespace"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := execute(t, tt.args)
			if code != cli.ExitUsage || out != "" || !strings.Contains(errs, tt.want) {
				t.Errorf("code %d, stdout %q, stderr %q; want code 2 and %q", code, out, errs, tt.want)
			}
		})
	}
}

// TestFailure: what cannot be written or reached ends in one sentence, and a file
// that is there stays as it is.
func TestFailure(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "there.flv")
	if err := os.WriteFile(file, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	const relay = "-connect_timeout 50 -connect_url moqt://localhost:1/x "
	for _, tt := range []struct{ name, out, want string }{
		{"no directory", filepath.Join(dir, "no", "out.flv"), "there is no directory " + filepath.Join(dir, "no")},
		{"a directory", dir, "it is a directory"},
		{"a file as a directory", filepath.Join(file, "out.flv"), "not a directory"},
		{"nobody answers", filepath.Join(dir, "new.flv"), "cannot connect to moqt://localhost:1/x"},
		{"nobody answers, over a file", file, "cannot connect to moqt://localhost:1/x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := execute(t, relay+tt.out)
			said := errs[max(0, strings.Index(errs, "moqflvreceiver: ")):]
			if code != cli.ExitFailed || out != "" || !strings.Contains(said, tt.want) || strings.Count(said, "\n") != 1 {
				t.Errorf("code %d, stdout %q, stderr %q; want code 1 and %q", code, out, errs, tt.want)
			}
		})
	}
	if b, err := os.ReadFile(file); string(b) != "kept" {
		t.Errorf("the file is now %q, %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "new.flv")); err == nil {
		t.Error("a file is left that nothing was written to")
	}
}

func TestHelp(t *testing.T) {
	code, out, _ := execute(t, "-help")
	if code != cli.ExitDone || !strings.Contains(out, "-dejitter_buffer_size_ms") {
		t.Errorf("code %d, %q", code, out)
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
