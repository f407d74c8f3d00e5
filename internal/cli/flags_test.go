package cli

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// settings is one flag of each kind.
type settings struct {
	Port  int
	URL   string
	Quic  bool
	Note  bool
	Limit uint64
	Ratio float64
	Wait  time.Duration
	List  []string
}

func newFlags(s *settings) *FlagSet {
	f := NewFlagSet("prog")
	f.Group("Listening")
	f.IntVar(&s.Port, "port", 9667, "UDP `port`")
	f.StringVar(&s.URL, "connect_url", "", "`URL` of the relay")
	f.Group("Other")
	f.BoolVar(&s.Quic, "quic", true, "raw QUIC")
	f.BoolVar(&s.Note, "note", false, "begins with the letters that negate")
	f.Uint64Var(&s.Limit, "limit", 1, "`bytes`")
	f.Float64Var(&s.Ratio, "ratio", 1, "a `factor`")
	f.DurationVar(&s.Wait, "connect_timeout", time.Second, time.Millisecond, "wait `ms` at most")
	f.ListVar(&s.List, "versions", []string{"18"}, "`drafts`")
	f.Alias("url", "connect_url")
	f.Variable("connect_url", "RELAY_URL")
	f.Variable("connect_url", "RELAY")
	return f
}

func environment(vars map[string]string) func(string) (string, bool) {
	return func(key string) (string, bool) { v, ok := vars[key]; return v, ok }
}

func TestFlagForms(t *testing.T) {
	defaults := settings{Port: 9667, Quic: true, Limit: 1, Ratio: 1, Wait: time.Second, List: []string{"18"}}
	for _, tt := range []struct {
		name string
		args string
		env  map[string]string
		want func(*settings)
		rest []string
	}{
		{name: "nothing gives the defaults", want: func(*settings) {}},
		{name: "one dash", args: "-port 1", want: func(s *settings) { s.Port = 1 }},
		{name: "two dashes", args: "--port 1", want: func(s *settings) { s.Port = 1 }},
		{name: "equals sign", args: "--port=1", want: func(s *settings) { s.Port = 1 }},
		{name: "one dash and equals sign", args: "-port=1", want: func(s *settings) { s.Port = 1 }},
		{name: "underscores", args: "--connect_url x", want: func(s *settings) { s.URL = "x" }},
		{name: "dashes for underscores", args: "--connect-url x", want: func(s *settings) { s.URL = "x" }},
		{name: "a value keeps its dashes and equals signs", args: "--connect-url=a-b=c", want: func(s *settings) { s.URL = "a-b=c" }},
		{name: "a value may begin with a dash", args: "--connect-url -x", want: func(s *settings) { s.URL = "-x" }},
		{name: "an alias", args: "-url x", want: func(s *settings) { s.URL = "x" }},
		{name: "a variable that others have", env: map[string]string{"RELAY_URL": "x", "RELAY": "y"}, want: func(s *settings) { s.URL = "x" }},
		{name: "an empty one is absent", env: map[string]string{"RELAY_URL": "", "RELAY": "y"}, want: func(s *settings) { s.URL = "y" }},
		{name: "our variable before theirs", env: map[string]string{"RELAY_URL": "x", "MOQ_URL": "z"}, want: func(s *settings) { s.URL = "z" }},
		{name: "a flag before any variable", args: "-url x", env: map[string]string{"RELAY_URL": "y"}, want: func(s *settings) { s.URL = "x" }},
		{name: "a switch on", args: "-note", want: func(s *settings) { s.Note = true }},
		{name: "a switch off", args: "--noquic", want: func(s *settings) { s.Quic = false }},
		{name: "a switch off with a dash", args: "--no-quic", want: func(s *settings) { s.Quic = false }},
		{name: "a switch off with an underscore", args: "--no_quic", want: func(s *settings) { s.Quic = false }},
		{name: "a switch off by value", args: "--quic=false", want: func(s *settings) { s.Quic = false }},
		{name: "a switch takes no separate value", args: "--note false", want: func(s *settings) { s.Note = true }, rest: []string{"false"}},
		{name: "a name that begins with no", args: "--nonote", want: func(*settings) {}},
		{name: "the last use counts", args: "-port 1 -port 2", want: func(s *settings) { s.Port = 2 }},
		{name: "flags after arguments", args: "a -port 1 b", want: func(s *settings) { s.Port = 1 }, rest: []string{"a", "b"}},
		{name: "nothing after two dashes is a flag", args: "-port 1 -- -port 2", want: func(s *settings) { s.Port = 1 }, rest: []string{"-port", "2"}},
		{name: "a dash alone is an argument", args: "-", want: func(*settings) {}, rest: []string{"-"}},
		{name: "a duration in its unit", args: "--connect_timeout 250", want: func(s *settings) { s.Wait = 250 * time.Millisecond }},
		{name: "a duration of its own unit", args: "--connect_timeout 1.5s", want: func(s *settings) { s.Wait = 1500 * time.Millisecond }},
		{name: "a list replaces the default and grows", args: "--versions 16,14 --versions 22", want: func(s *settings) { s.List = []string{"16", "14", "22"} }},
		{name: "the environment sets", env: map[string]string{"MOQ_CONNECT_URL": "e"}, want: func(s *settings) { s.URL = "e" }},
		{name: "the command line outweighs the environment", args: "--connect_url x", env: map[string]string{"MOQ_CONNECT_URL": "e"}, want: func(s *settings) { s.URL = "x" }},
		{name: "the environment sets by an alias", env: map[string]string{"MOQ_URL": "e"}, want: func(s *settings) { s.URL = "e" }},
		{name: "the own name outweighs the alias", env: map[string]string{"MOQ_URL": "a", "MOQ_CONNECT_URL": "e"}, want: func(s *settings) { s.URL = "e" }},
		{name: "the alias on the command line outweighs", args: "--url x", env: map[string]string{"MOQ_URL": "a", "MOQ_CONNECT_URL": "e"}, want: func(s *settings) { s.URL = "x" }},
		{name: "a duration from the environment", env: map[string]string{"MOQ_CONNECT_TIMEOUT": "20"}, want: func(s *settings) { s.Wait = 20 * time.Millisecond }},
		{name: "a list from the environment", env: map[string]string{"MOQ_VERSIONS": "16,14"}, want: func(s *settings) { s.List = []string{"16", "14"} }},
		{name: "an empty variable is none", env: map[string]string{"MOQ_PORT": ""}, want: func(*settings) {}},
		{name: "a switch from the environment", env: map[string]string{"MOQ_QUIC": "0"}, want: func(s *settings) { s.Quic = false }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want, got := defaults, settings{}
			tt.want(&want)
			rest, err := newFlags(&got).Parse(strings.Fields(tt.args), environment(tt.env))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.rest, rest); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrongFlags(t *testing.T) {
	for _, tt := range []struct {
		name string
		args string
		env  map[string]string
		want string
	}{
		{"a slip is corrected", "--prot 1", nil, "unknown flag --prot, did you mean -port"},
		{"a slip with dashes and value", "--conect-url=x", nil, "unknown flag --conect-url, did you mean -connect_url"},
		{"a beginning is completed", "--vers 1", nil, "unknown flag --vers, did you mean -versions"},
		{"what resembles nothing is not corrected", "--zebra", nil, "unknown flag --zebra"},
		{"an alias is a guess too", "--ulr x", nil, "unknown flag --ulr, did you mean -url"},
		{"a slip in turning off", "--noqiuc", nil, "unknown flag --noqiuc, did you mean -noquic"},
		{"three dashes", "---port 1", nil, "unknown flag ---port, did you mean -port"},
		{"a value that is missing", "--port", nil, "-port needs a value"},
		{"not a number", "--port x", nil, `-port: "x" is not a whole number in range`},
		{"not a switch", "--quic=maybe", nil, `-quic: "maybe" is not true or false`},
		{"not unsigned", "--limit=-1", nil, `-limit: "-1" is not a whole number, not negative and in range`},
		{"not a factor", "--ratio x", nil, `-ratio: "x" is not a number`},
		{"not a duration", "--connect_timeout soon", nil, `-connect_timeout: "soon" is not a duration such as 1.5s`},
		{"a negative duration", "--connect_timeout=-1", nil, `-connect_timeout: "-1" is not a duration such as 1.5s`},
		{"only a switch is turned off", "--noport", nil, "unknown flag --noport, did you mean -port"},
		{"turning off takes no value", "--noquic=1", nil, "--noquic takes no value"},
		{"a wrong variable is named", "", map[string]string{"MOQ_PORT": "x"}, `environment variable MOQ_PORT: "x" is not a whole number in range`},
		{"a wrong switch in a variable", "", map[string]string{"MOQ_NOTE": "perhaps"}, `environment variable MOQ_NOTE: "perhaps" is not true or false`},
		{"a wrong duration in a variable", "", map[string]string{"MOQ_CONNECT_TIMEOUT": "soon"}, `environment variable MOQ_CONNECT_TIMEOUT: "soon" is not a duration such as 1.5s`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newFlags(new(settings)).Parse(strings.Fields(tt.args), environment(tt.env))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if _, ok := errors.AsType[*UsageError](err); !ok {
				t.Errorf("error is a %T, want a *UsageError", err)
			}
		})
	}
}

func TestIsSetTellsDefaultsApart(t *testing.T) {
	f := newFlags(new(settings))
	if _, err := f.Parse([]string{"-port", "9667"}, environment(map[string]string{"MOQ_LIMIT": "1"})); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"port": true, "limit": true, "connect_url": false} {
		if got := f.IsSet(name); got != want {
			t.Errorf("IsSet(%q) = %v", name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("--port=1\n-note\n--no-quic\n--\nx")
	f.Add("---\n-=\n--=x\n-no")
	f.Fuzz(func(t *testing.T, args string) {
		var s settings
		if _, err := newFlags(&s).Parse(strings.Split(args, "\n"), environment(nil)); err != nil {
			if _, ok := errors.AsType[*UsageError](err); !ok {
				t.Errorf("error is a %T, want a *UsageError", err)
			}
		}
	})
}
