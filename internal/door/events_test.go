package door

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oxymoq/internal/cli"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// traced calls Trace with the flags of a command line.
func traced(t *testing.T, e *Events, args string) (cfg session.Config, carrier transport.Tracer, end func(*error), said string, code int) {
	t.Helper()
	p := cli.New("program", "does something")
	e.Declare(p)
	var errs strings.Builder
	code = p.Exec(t.Context(), &cli.Env{Out: io.Discard, Err: &errs}, strings.Fields(args), func(string) (string, bool) { return "", false },
		func(_ context.Context, env *cli.Env) (err error) {
			end, err = e.Trace(env, mlog.Client, "test", &cfg, &carrier)
			return err
		})
	return cfg, carrier, end, errs.String(), code
}

func TestEvents(t *testing.T) {
	dir := t.TempDir()
	file, traces := filepath.Join(dir, "x.qlog"), filepath.Join(dir, "below", "traces")
	for _, tt := range []struct {
		name, args      string
		session, packet bool // what is traced
		file            bool
	}{
		{"nothing", "", false, false, false},
		{"a file", "-mlog_path " + file, true, false, true},
		{"a directory", "-qlog_dir " + traces, true, true, false},
		{"both", "-qlog_dir " + traces + " -qlog_sample 2 -qlog_max_bytes 4096 -mlog_path " + file, true, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			os.Remove(file)
			cfg, carrier, end, said, code := traced(t, new(Events), tt.args)
			if code != cli.ExitDone || (cfg.Trace != nil) != tt.session || (carrier != nil) != tt.packet {
				t.Fatalf("code %d, %q, session %v, carrier %v", code, said, cfg.Trace != nil, carrier != nil)
			}
			var err error
			end(&err)
			if err != nil {
				t.Error(err)
			}
			if b, _ := os.ReadFile(file); strings.Contains(string(b), `"title":"test"`) != tt.file {
				t.Errorf("the file has %q", b)
			}
		})
	}
}

func TestEventsWrongUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.qlog")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args, want string
		code       int
	}{
		{"-mlog_path " + filepath.Join(file, "below"), "-mlog_path", cli.ExitFailed},
		{"-qlog_dir " + filepath.Join(file, "below"), "-qlog_dir", cli.ExitFailed},
		{"-qlog_dir x -qlog_sample 0", "at least 1", cli.ExitUsage},
		{"-qlog_dir x -qlog_max_bytes 4095", "at least 4096", cli.ExitUsage},
		{"-qlog_sample 2", "-qlog_dir", cli.ExitUsage},
		{"-qlog_max_bytes 10000", "-qlog_dir", cli.ExitUsage},
	} {
		if _, _, _, said, code := traced(t, new(Events), tt.args); code != tt.code || !strings.Contains(said, tt.want) {
			t.Errorf("%s: code %d, %q", tt.args, code, said)
		}
	}
}

// TestEventsIncomplete: that the file is not complete is told where nothing worse
// is.
func TestEventsIncomplete(t *testing.T) {
	lost := errors.New("lost")
	for _, result := range []error{nil, &cli.SignalError{Signal: os.Interrupt}, lost} {
		_, _, end, said, code := traced(t, new(Events), "-mlog_path "+filepath.Join(t.TempDir(), "x.qlog"))
		if code != cli.ExitDone {
			t.Fatal(said)
		}
		var err error
		end(&err)
		err = result
		end(&err) // the file is closed already, which is an error
		if told := err != nil && strings.Contains(err.Error(), "is not complete"); told != (result != lost) {
			t.Errorf("after %v it says %v", result, err)
		}
	}
}
