package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lines is a format whose files are their own names: "key=value;key=value".
type lines struct{}

func (lines) Read(file string, f *FlagSet) (all []Setting, err error) {
	if file == "absent" {
		return nil, errors.New("no such file")
	}
	for i, item := range strings.Split(file, ";") {
		key, value, _ := strings.Cut(item, "=")
		at := slices.IndexFunc(f.Keys(), func(k Key) bool { return k.String() == key })
		if at < 0 {
			return nil, Usagef("relay:%d: unknown key %s", i+1, key)
		}
		s := Setting{Key: f.Keys()[at], Where: fmt.Sprintf("relay:%d", i+1)}
		if value != "" {
			s.Values = strings.Split(value, "|")
		}
		all = append(all, s)
	}
	return all, nil
}

func (lines) Write(w io.Writer, p *Program) error {
	for _, k := range p.Flags.Keys() {
		fmt.Fprintf(w, "%s=%v %s\n", k, k.Value, k.Origin)
	}
	return nil
}

// relay is a program with configuration files; its flags stand in s.
func relay(s *settings) *Program {
	p := New("relay", "relays")
	f := p.Flags
	f.Group("Listening ports")
	f.IntVar(&s.Port, "port", 9667, "UDP `port`")
	f.BoolVar(&s.Quic, "quic", true, "raw QUIC")
	f.DurationVar(&s.Wait, "listening_wait", time.Second, time.Second, "wait `s`")
	f.Group("Other")
	f.StringVar(&s.URL, "connect_url", "", "`URL` of the relay")
	f.ListVar(&s.List, "versions", []string{"18"}, "`drafts`")
	f.Uint64Var(&s.Limit, "limit", 1, "`bytes`")
	f.Alias("url", "connect_url")
	p.Configure(lines{}, func(*Env) error {
		if s.Port == 7 {
			return Usagef("-port is 7; it must be at least 8")
		}
		return nil
	})
	f.Place("connect_url", "listening.target")
	f.Place("limit", "limit")
	f.Place("logging", "log.levels")
	f.Live("port")
	return p
}

func TestKeysComeFromTheFlags(t *testing.T) {
	var got []string
	for _, k := range relay(new(settings)).Flags.Keys() {
		got = append(got, fmt.Sprintf("%s -%s %s %v live=%v", k, k.Flag, k.Variable, k.Value, k.Live))
	}
	want := []string{
		"limit -limit MOQ_LIMIT 1 live=false",
		"listening.wait -listening_wait MOQ_LISTENING_WAIT 1s live=false",
		"listening.port -port MOQ_PORT 9667 live=true",
		"listening.quic -quic MOQ_QUIC true live=false",
		"listening.target -connect_url MOQ_CONNECT_URL  live=false",
		"other.versions -versions MOQ_VERSIONS [18] live=false",
		"log.levels -logging MOQ_LOGGING INFO live=false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	names := relay(new(settings)).Flags.Names()
	if names["url"].String() != "listening.target" || names["help"].String() != "" {
		t.Errorf("names %v", names)
	}
}

// TestPrecedence: command line, then environment, then file, then default, for every
// kind of flag.
func TestPrecedence(t *testing.T) {
	for _, tt := range []struct {
		name string
		args string
		env  map[string]string
		want func(*settings)
		from string // what -print_config says of the origin of the port, or of the list
	}{
		{name: "a default", want: func(*settings) {}},
		{name: "a file before a default", args: "-config listening.port=1", want: func(s *settings) { s.Port = 1 }, from: "relay:1"},
		{name: "the environment before a file", args: "-config listening.port=1", env: map[string]string{"MOQ_PORT": "2"},
			want: func(s *settings) { s.Port = 2 }, from: "MOQ_PORT"},
		{name: "a flag before them all", args: "-config listening.port=1 -port 3", env: map[string]string{"MOQ_PORT": "2"},
			want: func(s *settings) { s.Port = 3 }, from: "-port"},
		{name: "a flag with the default counts", args: "-config listening.port=1 -port 9667", want: func(*settings) {}, from: "-port"},
		{name: "a file with the default does not", args: "-config listening.port=9667", want: func(*settings) {}},
		{name: "a file that the environment names", env: map[string]string{"MOQ_CONFIG": "listening.port=1"}, want: func(s *settings) { s.Port = 1 }, from: "relay:1"},
		{name: "a switch", args: "-config listening.quic=false", want: func(s *settings) { s.Quic = false }},
		{name: "a switch turned on again", args: "-config listening.quic=false -quic", want: func(*settings) {}},
		{name: "a list replaces the default", args: "-config other.versions=16|14", want: func(s *settings) { s.List = []string{"16", "14"} }},
		{name: "an empty list does too", args: "-config other.versions=", want: func(s *settings) { s.List = nil }},
		{name: "a list is not added to", args: "-config other.versions=16|14 -versions 22", want: func(s *settings) { s.List = []string{"22"} }},
		{name: "a duration", args: "-config listening.wait=3", want: func(s *settings) { s.Wait = 3 * time.Second }},
		{name: "another name of a flag", args: "-config listening.target=a -url b", want: func(s *settings) { s.URL = "b" }},
		{name: "several keys", args: "-config listening.port=1;limit=5", want: func(s *settings) { s.Port, s.Limit = 1, 5 }, from: "relay:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := settings{Port: 9667, Quic: true, Wait: time.Second, Limit: 1, List: []string{"18"}}
			tt.want(&want)
			var got settings
			var out, errs bytes.Buffer
			args := append(strings.Fields(tt.args), "-print_config")
			if code := relay(&got).Exec(t.Context(), &Env{Out: &out, Err: &errs}, args, environment(tt.env), nil); code != ExitDone {
				t.Fatalf("code %d, %s", code, errs.String())
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if line := fmt.Sprintf("listening.port=%d %s\n", want.Port, tt.from); !strings.Contains(out.String(), line) {
				t.Errorf("%q is missing in\n%s", line, out.String())
			}
		})
	}
}

func TestWhatAFileIsRefusedFor(t *testing.T) {
	mustNotRun := returning(errors.New("must not run"))
	for _, tt := range []struct {
		name, args string
		code       int
		want       string
	}{
		{"a value", "-config limit=5;listening.port=x", ExitUsage, `relay: relay:2: listening.port: "x" is not a whole number in range; relay -help explains.` + "\n"},
		{"an unknown key", "-config x=1", ExitUsage, "relay: relay:1: unknown key x; relay -help explains.\n"},
		{"an absent file", "-config absent", ExitFailed, "relay: no such file.\n"},
		{"what the check finds", "-validate_config -config limit=5;listening.port=7", ExitUsage,
			"relay: -port is 7; it must be at least 8 (relay:2: listening.port); relay -help explains.\n"},
		{"the same from the command line", "-validate_config -port 7", ExitUsage, "relay: -port is 7; it must be at least 8; relay -help explains.\n"},
		{"nothing", "-validate_config -config limit=5", ExitDone, "relay: what is set can be used.\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := relay(new(settings)).Exec(t.Context(), &Env{Out: &out, Err: &errs}, strings.Fields(tt.args), environment(nil), mustNotRun)
			if code != tt.code || errs.String() != tt.want || out.Len() > 0 {
				t.Errorf("code %d, %q, want %d and %q; output %q", code, errs.String(), tt.code, tt.want, out.String())
			}
		})
	}
}

// TestLoad: a running program sees what has changed in its file.
func TestLoad(t *testing.T) {
	var s settings
	file := "listening.port=1"
	env := &Env{Out: io.Discard, Err: io.Discard}
	lookup := func(name string) (string, bool) { return file, name == "MOQ_CONFIG" }
	code := relay(&s).Exec(t.Context(), env, []string{"-limit", "4"}, lookup, func(_ context.Context, env *Env) error {
		if env.File != file || env.Start["port"] != "1" || env.Start["limit"] != "4" {
			t.Errorf("began with %q, %v", env.File, env.Start)
		}
		file = "listening.port=2;limit=5"
		var fresh settings
		now, err := env.Load(relay(&fresh))
		if err != nil || fresh.Port != 2 || fresh.Limit != 4 || now["port"] != "2" || now["limit"] != "4" || s.Port != 1 {
			t.Errorf("%v, %+v, %v", err, fresh, now)
		}
		for file, want := range map[string]string{"listening.port=7": "at least 8 (relay:1: listening.port)", "absent": "no such file", "x=1": "unknown key"} {
			lookup := func(name string) (string, bool) { return file, name == "MOQ_CONFIG" }
			p := relay(new(settings))
			if _, err := p.loader(env, nil, lookup)(p); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", file, err, want)
			}
		}
		return nil
	})
	if code != ExitDone {
		t.Errorf("code %d", code)
	}
}

func TestNearest(t *testing.T) {
	for given, want := range map[string]string{
		"cache.memroy": "cache.memory", "cache.mem": "cache.memory", "x": "", "something.else": "", strings.Repeat("c", 1<<20): "",
	} {
		if got := Nearest(given, []string{"cache.memory", "cache.enabled"}); got != want {
			t.Errorf("%.20s: %q, want %q", given, got, want)
		}
	}
}
