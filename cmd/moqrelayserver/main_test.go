package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oxymoq/internal/cli"
	"oxymoq/pkg/relay"
)

func execute(t *testing.T, args string) (code int, said string) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	var f flags
	p := f.program()
	var out, errs strings.Builder
	code = p.Exec(t.Context(), &cli.Env{Out: &out, Err: &errs}, strings.Fields("-port 0 "+args), func(string) (string, bool) { return "", false },
		func(ctx context.Context, env *cli.Env) error { return run(ctx, env, f) })
	if out.Len() > 0 {
		t.Errorf("standard output: %q", out.String())
	}
	return code, errs.String()
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct{ name, args, want string }{
		{"a cluster", "--cluster-root https://root.example", "cannot join a cluster yet"},
		{"a cluster's node", "--cluster-node=https://node.example", "cannot join a cluster yet"},
		{"a scope", "-scope all", "none, path, authority or both"},
		{"a rule", "-upstream a=sometimes", "unknown policy"},
		{"a relay of another scheme", "-upstream http://relay.example", "unknown scheme"},
		{"a relay for no prefix that there can be", "-upstream a//b=moqt://relay.example", "-upstream a//b=moqt://relay.example: "},
		{"a relay without a way", "-upstream moqt://relay.example -upstream_transport tcp", "-upstream_transport is"},
		{"no groups", "-max_cached_groups_per_track 0", "-max_cached_groups_per_track is 0; it must be at least 1"},
		{"fewer than no tracks", "-max_cached_tracks -1", "-max_cached_tracks is -1; it must be at least 0"},
		{"no memory", "-cache 0", "-cache is 0"},
		{"no lag", "-max_groups_behind 0", "-max_groups_behind is 0"},
		{"nothing to serve over", "-noquic", "-qmux"},
		{"a draft", "-versions 7", "draft 7 is not spoken here"},
		{"an admin API nowhere", "-admin somewhere", "neither auto, off, unix:PATH, a port, nor an address"},
		{"an admin API for everybody", "-admin 0.0.0.0:0", "others can reach that address; it needs -admin_token"},
		{"an admin API on all addresses", "-admin :0", "others can reach that address"},
		{"an admin API on and off", "-admin auto,off", "off and addresses together"},
		{"a path that is none", "-admin unix:", "neither auto"},
		{"half a certificate", "-admin_cert x.pem", "give both -admin_cert and -admin_key"},
		{"clients' certificates without one", "-admin_client_ca x.pem", "needs -admin_cert"},
		{"metrics of no tracks", "-admin_metric_tracks 0", "it must be at least 1"},
		{"an unknown flag", "-end_point /x", "did you mean -endpoint"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if code, said := execute(t, tt.args); code != cli.ExitUsage || !strings.Contains(said, tt.want) {
				t.Errorf("code %d, %q; want code 2 and %q", code, said, tt.want)
			}
		})
	}
}

// TestRole: of the roles of the interop runner one is played.
func TestRole(t *testing.T) {
	if code, said := execute(t, "-role publisher"); code != exitUnable || !strings.Contains(said, "can only be a relay") {
		t.Errorf("code %d, %q", code, said)
	}
	if code, said := execute(t, "-role relay -scope all"); code != cli.ExitUsage || !strings.Contains(said, "none, path") {
		t.Errorf("code %d, %q", code, said)
	}
}

// TestRunnerVariables: the runner's names outweigh what is agreed upon with it, and
// not the flags.
func TestRunnerVariables(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"certs", "mlog", "elsewhere"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, runnerCert), []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		env  map[string]string
		want string // in the error about the certificate, or in that about the port
	}{
		{"", map[string]string{"MOQT_ROLE": "relay"}, "certs/priv.key"},
		{"-cert a.pem -key a.key", map[string]string{"MOQT_ROLE": "relay"}, "a.pem"},
		{"", map[string]string{"MOQT_ROLE": "relay", "MOQT_CERT": "b.pem", "MOQT_KEY": "b.key"}, "b.pem"},
		{"", map[string]string{"MOQT_PORT": "70000"}, "port 70000"},
		{"-port 70001", map[string]string{"MOQT_PORT": "70000"}, "port 70001"},
		{"", map[string]string{"MOQ_PORT": "70002", "MOQT_PORT": "70000"}, "port 70002"},
	} {
		var f flags
		p := f.program()
		var errs strings.Builder
		p.Exec(t.Context(), &cli.Env{Out: io.Discard, Err: &errs}, strings.Fields(tt.args), func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok },
			func(_ context.Context, env *cli.Env) error {
				if err := f.play(root); err != nil {
					return err
				}
				l, err := f.port.Listen(env)
				if err == nil {
					l.Close()
				}
				return err
			})
		if !strings.Contains(errs.String(), tt.want) {
			t.Errorf("%q, %v: %q, want %q", tt.args, tt.env, errs.String(), tt.want)
		}
	}
}

func TestCache(t *testing.T) {
	for _, tt := range []struct {
		args           string
		groups, tracks int
	}{
		{"", relay.DefaultCacheGroups, relay.DefaultIdleTracks},
		{"-max_cached_groups_per_track 3 -max_cached_tracks 7", 3, 7},
		{"-noenable_cache", liveGroups, -1},
		{"--enable_cache=false -max_cached_tracks 7", liveGroups, -1},
		{"-max_cached_tracks 0", liveGroups, -1},
	} {
		var f flags
		var got relay.Config
		code := f.program().Exec(t.Context(), &cli.Env{Out: io.Discard, Err: io.Discard}, strings.Fields(tt.args), func(string) (string, bool) { return "", false },
			func(context.Context, *cli.Env) (err error) {
				got, err = f.config(&cli.Env{Log: slog.New(slog.DiscardHandler)})
				return err
			})
		if code != cli.ExitDone || got.CacheGroups != tt.groups || got.IdleTracks != tt.tracks {
			t.Errorf("%q: code %d, %d groups, %d tracks; want %d and %d", tt.args, code, got.CacheGroups, got.IdleTracks, tt.groups, tt.tracks)
		}
	}
}

func TestImmutable(t *testing.T) {
	for args, want := range map[string]bool{"": false, "-no_immutable_transcode": true, "--no-immutable-transcode": true, "-immutable_transcode=false": true} {
		var f flags
		var got relay.Config
		f.program().Exec(t.Context(), &cli.Env{Out: io.Discard, Err: io.Discard}, strings.Fields(args), func(string) (string, bool) { return "", false },
			func(context.Context, *cli.Env) (err error) {
				got, err = f.config(&cli.Env{Log: slog.New(slog.DiscardHandler)})
				return err
			})
		if got.KeepImmutable != want {
			t.Errorf("%q: %v", args, got.KeepImmutable)
		}
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
