package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oxymoq/internal/cli"
	"oxymoq/internal/date"
)

// parse gives the flags as run sees them, and what parsing says.
func parse(t *testing.T, args string) (*flags, *cli.FlagSet) {
	t.Helper()
	var f flags
	p := f.program()
	var said strings.Builder
	code := p.Exec(t.Context(), &cli.Env{Out: io.Discard, Err: &said}, strings.Fields(args), func(string) (string, bool) { return "", false },
		func(context.Context, *cli.Env) error { return nil })
	if code != cli.ExitDone {
		t.Fatal(said.String())
	}
	return &f, p.Flags
}

func TestTravel(t *testing.T) {
	for _, tt := range []struct {
		args string
		want date.Mode // empty: refused
	}{
		{"", date.StreamPerGroup},
		{"-mode spo", date.StreamPerObject},
		{"-mode datagram", date.Datagrams},
		{"-stream_per_object", date.StreamPerObject},
		{"--stream_per_group=true", date.StreamPerGroup},
		{"--nostream_per_object --stream_per_group=false", date.StreamPerGroup},
		{"-mode spo -stream_per_object", date.StreamPerObject},
		{"-mode spg -stream_per_object", ""},
		{"-mode datagram -stream_per_group", ""},
		{"-stream_per_group -stream_per_object", ""},
		{"-mode stream", ""},
	} {
		f, set := parse(t, tt.args)
		got, err := f.travel(set)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q: %q, %v; want %q", tt.args, got, err, tt.want)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct{ name, args, want string }{
		{"no way out", "-nolisten", "-relay_url"},
		{"a relay of another kind", "-nolisten -relay_url http://h/", "unknown scheme"},
		{"an empty field", "-ns a//b", "empty"},
		{"a mode", "-mode all", "spg, spo or datagram"},
		{"a draft", "-versions 7", "draft 7 is not spoken here"},
		{"nothing to serve over", "-noquic", "-qmux"},
		{"an unknown flag", "-relay_ulr x", "did you mean -relay_url"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("XDG_CONFIG_HOME", t.TempDir())
			var f flags
			p := f.program()
			var out, said strings.Builder
			code := p.Exec(t.Context(), &cli.Env{Out: &out, Err: &said}, strings.Fields("-port 0 "+tt.args), func(string) (string, bool) { return "", false },
				func(ctx context.Context, env *cli.Env) error { return run(ctx, env, &f, p.Flags) })
			if code != cli.ExitUsage || out.Len() > 0 || !strings.Contains(said.String(), tt.want) {
				t.Errorf("code %d, stdout %q, stderr %q; want code 2 and %q", code, out.String(), said.String(), tt.want)
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
