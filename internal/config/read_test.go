package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oxymoq/internal/cli"
)

// settings is a flag of each kind.
type settings struct {
	Port  int
	Path  string
	Quic  bool
	Wait  time.Duration
	Ratio float64
	Hosts []string
}

// program is one with configuration files whose flags stand in s.
func program(s *settings) *cli.Program {
	p := cli.New("relay", "relays")
	p.Flags.Group("Network")
	p.Flags.IntVar(&s.Port, "port", 9667, "UDP `port`; 0 takes a free one")
	p.Flags.StringVar(&s.Path, "path", "/moq", "`path` that is served")
	p.Flags.BoolVar(&s.Quic, "quic", true, "serve over QUIC")
	p.Flags.Group("Limits")
	p.Flags.DurationVar(&s.Wait, "wait", time.Second, time.Second, "wait `s` at most")
	p.Flags.Float64Var(&s.Ratio, "ratio", 0.5, "a `factor`")
	p.Flags.ListVar(&s.Hosts, "hosts", []string{"a", "b"}, "`names` of hosts")
	p.Flags.Alias("endpoint", "path")
	p.Configure(YAML{}, func(*cli.Env) error {
		if s.Port == 7 {
			return cli.Usagef("-port is 7")
		}
		return nil
	})
	p.Flags.Place("hosts", "admin.hosts")
	p.Flags.Place("logging", "log.levels")
	p.Flags.Live("logging", "hosts", "wait")
	return p
}

// read executes a program with a file of this content.
func read(t *testing.T, content string, args ...string) (s settings, stdout, stderr string, code int) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("relay.yaml", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code = program(&s).Exec(t.Context(), &cli.Env{Out: &out, Err: &errs}, append(args, "-config", "relay.yaml"), nothing, nil)
	return s, out.String(), errs.String(), code
}

func nothing(string) (string, bool) { return "", false }

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		want          func(*settings)
	}{
		{"nothing", "", func(*settings) {}},
		{"a comment", "# nothing\n", func(*settings) {}},
		{"a document without content", "---\n", func(*settings) {}},
		{"a section without content", "network:\n  # port: 1\nadmin:\n", func(*settings) {}},
		{"a number", "network:\n  port: 1\n", func(s *settings) { s.Port = 1 }},
		{"a number in quotes", "network: {port: \"1\"}", func(s *settings) { s.Port = 1 }},
		{"JSON", `{"network": {"port": 1, "quic": false}, "admin": {"hosts": ["x"]}}`, func(s *settings) { s.Port, s.Quic, s.Hosts = 1, false, []string{"x"} }},
		{"a word that looks like a number", "network:\n  path: 017\n", func(s *settings) { s.Path = "017" }},
		{"a word that looks like a switch", "network:\n  path: off\n", func(s *settings) { s.Path = "off" }},
		{"an empty word", "network:\n  path: \"\"\n", func(s *settings) { s.Path = "" }},
		{"a word of several lines", "network:\n  path: |\n    a\n    \tb\n", func(s *settings) { s.Path = "a\n\tb\n" }},
		{"a list", "admin:\n  hosts: [x, 2]\n", func(s *settings) { s.Hosts = []string{"x", "2"} }},
		{"a list in lines", "admin:\n  hosts:\n  - x\n  - y\n", func(s *settings) { s.Hosts = []string{"x", "y"} }},
		{"an empty list", "admin: {hosts: []}", func(s *settings) { s.Hosts = nil }},
		{"a list with commas", "admin: {hosts: 'x,y'}", func(s *settings) { s.Hosts = []string{"x", "y"} }},
		{"durations", "limits:\n  wait: 1m30s\n", func(s *settings) { s.Wait = 90 * time.Second }},
		{"durations in their unit", "limits:\n  wait: 2\n  ratio: 2\n", func(s *settings) { s.Wait, s.Ratio = 2*time.Second, 2 }},
		{"line ends of Windows", "network:\r\n  port: 1\r\n", func(s *settings) { s.Port = 1 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := settings{Port: 9667, Path: "/moq", Quic: true, Wait: time.Second, Ratio: 0.5, Hosts: []string{"a", "b"}}
			tt.want(&want)
			got, _, said, code := read(t, tt.content, "-validate_config")
			if code != cli.ExitDone {
				t.Fatal(said)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nnetwork: *c\n"
	for _, tt := range []struct{ name, content, want string }{
		{"an unknown key", "network:\n  prot: 1\n", "relay.yaml:2: unknown key network.prot, did you mean network.port"},
		{"an unknown section", "network:\n  port: 1\nadmni:\n  hosts: []\n", "relay.yaml:3: unknown key admni, did you mean admin"},
		{"the name of a flag", "port: 1\n", "relay.yaml:1: unknown key port, did you mean network.port"},
		{"another name of a flag", "network:\n  endpoint: x\n", "relay.yaml:2: unknown key network.endpoint, did you mean network.path"},
		{"a key of another section", "network:\n  hosts: []\n", "relay.yaml:2: unknown key network.hosts, did you mean admin.hosts"},
		{"a key with its section", "network.port: 1\n", "relay.yaml:1: unknown key network.port; write the section in one line and the key below it"},
		{"a flag of the command line only", "config: x\n", "relay.yaml:1: unknown key config"},
		{"a word that means nothing", "xyzzy: 1\n", "relay.yaml:1: unknown key xyzzy;"},
		{"a long key", strings.Repeat("k", 500) + ": 1\n", "relay.yaml:1: unknown key " + strings.Repeat("k", maxShown) + "…;"},
		{"an empty key", "\"\": 1\n", `relay.yaml:1: unknown key ""`},
		{"a key twice", "network:\n  port: 1\n  quic: true\n  port: 2\n", "relay.yaml:4: network.port is there twice, in line 2 too"},
		{"a section twice", "network:\n  port: 1\nnetwork:\n  quic: true\n", "relay.yaml:3: network is there twice, in line 1 too"},
		{"a list as a key", "? [a]\n: b\n", "relay.yaml:1: a key is a word"},
		{"no number", "network:\n\n  port: x\n", `relay.yaml:3: network.port: "x" is not a whole number in range`},
		{"a number that is not whole", "network:\n  port: 1.5\n", `relay.yaml:2: network.port: "1.5" is not a whole number in range`},
		{"no switch", "network:\n  quic: perhaps\n", `relay.yaml:2: network.quic: "perhaps" is not true or false`},
		{"no duration", "limits:\n  wait: -1s\n", `relay.yaml:2: limits.wait: "-1s" is not a duration such as 1.5s`},
		{"no level", "log:\n  levels: LOUD\n", `relay.yaml:2: log.levels: "LOUD": "LOUD" is no level`},
		{"a list for a value", "network:\n  port: [1]\n", "relay.yaml:2: network.port has one value, and this is a list"},
		{"keys for a value", "network:\n  port:\n    x: 1\n", "relay.yaml:3: network.port has a value, and these are keys of their own"},
		{"a list in a list", "admin:\n  hosts:\n  - [x]\n", "relay.yaml:3: an entry of admin.hosts is a value of its own"},
		{"no value", "network:\n  port:\n", `relay.yaml:2: network.port has no value; leave the key out for its default`},
		{"an entry without a value", "admin:\n  hosts:\n  - x\n  -\n", `relay.yaml:4: admin.hosts has no value`},
		{"a section as a value", "network: 1\n", "relay.yaml:1: network is a section: its keys stand below it, indented"},
		{"a list of sections", "- network\n", `relay.yaml:1: a configuration has sections, as in "admin:"`},
		{"a word", "network\n", "relay.yaml:1: a configuration has sections"},
		{"two documents", "network:\n  port: 1\n---\nnetwork:\n  port: 2\n", "a second document; a configuration has one"},
		{"a tab", "network:\n\tport: 1\n", "relay.yaml:2: the line is indented with a tab; YAML wants spaces"},
		{"a quote that does not end", "network:\n  path: \"x\n", "not YAML: found unexpected end of stream"},
		{"no colon", "network:\n  port 1\n  quic: true\n", "relay.yaml:"},
		{"bytes that are no text", "network:\n  path: \"\xff\"\n", "relay.yaml"},
		{"an alias", "network: &a\n  port: 1\nadmin: *a\n", "relay.yaml:1: aliases and anchors are not taken here"},
		{"a merge", "network:\n  <<: {port: 1}\n", "relay.yaml:2: unknown key network.<<"},
		{"a tag", "network:\n  port: !!str 1\n", "relay.yaml:2: tags such as !!str are not taken here"},
		{"a bomb", bomb, "relay.yaml:1: unknown key a"},
		{"deep lists", "admin:\n  hosts: " + strings.Repeat("[", 100_000), "relay.yaml"},
		{"a long file", strings.Repeat("#\n", MaxFile/2+1), "relay.yaml has more than 1048576 bytes, which no configuration has"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, out, said, code := read(t, tt.content, "-validate_config")
			if code != cli.ExitUsage || out != "" || !strings.Contains(said, tt.want) || strings.Count(said, "\n") != 1 {
				t.Errorf("code %d, %q, want %q", code, said, tt.want)
			}
		})
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for name, file := range map[string]string{"absent": filepath.Join(t.TempDir(), "absent.yaml"), "a directory": t.TempDir()} {
		var errs bytes.Buffer
		code := program(new(settings)).Exec(t.Context(), &cli.Env{Err: &errs}, []string{"-config", file}, nothing, nil)
		if code != cli.ExitFailed || !strings.Contains(errs.String(), "-config: ") || !strings.Contains(errs.String(), file) {
			t.Errorf("%s: code %d, %q", name, code, errs.String())
		}
	}
}

// FuzzRead: whatever a file is, it is read or refused in one sentence that names it,
// and what is read can be written and read again.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "---\n", "network:\n  port: 1\n", "admin:\n  hosts: [x, \"y\\n\"]\n", "network: &a {path: *a}\n", "network:\n\tport: 1\n", "- - -\n", "? {\n",
		"network:\n  path: |\n    a\n", "%YAML 1.1\n---\n!!map {network: !!null}\n", "limits: {wait: 1h, ratio: .inf}\n", "network: {path: \"\\x00\\u2028\"}\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		var s settings
		p := program(&s)
		all, err := parse("relay.yaml", content, p.Flags)
		if err != nil {
			if usage, ok := errors.AsType[*cli.UsageError](err); !ok || !strings.HasPrefix(usage.Reason, "relay.yaml") || len(usage.Reason) > 1000 {
				t.Fatalf("%q", err)
			}
			return
		}
		for _, one := range all {
			for _, v := range one.Values {
				if p.Flags.Set(one.Key.Flag, v) != nil {
					return
				}
			}
		}
		var out bytes.Buffer
		if err := (YAML{}).Write(&out, p); err != nil {
			t.Fatal(err)
		}
		again, err := parse("again.yaml", out.Bytes(), p.Flags)
		if err != nil {
			t.Fatalf("%v\n%s", err, out.Bytes())
		}
		var twice settings
		q := program(&twice)
		for _, one := range again {
			if len(one.Values) == 0 {
				one.Values = []string{""}
			}
			for _, v := range one.Values {
				if err := q.Flags.Set(one.Key.Flag, v); err != nil {
					t.Fatalf("%v\n%s", err, out.Bytes())
				}
			}
		}
		if s.Ratio != s.Ratio { // what is no number equals nothing
			s.Ratio, twice.Ratio = 0, 0
		}
		if diff := cmp.Diff(s, twice); diff != "" && len(all) > 0 {
			t.Fatalf("%s\n%s", diff, out.Bytes())
		}
	})
}
