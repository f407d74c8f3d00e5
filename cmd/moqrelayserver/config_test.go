package main

import (
	"flag"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/relay"
)

var update = flag.Bool("update", false, "write docs/moqrelayserver.yaml anew")

// look executes the program with flags that only look at what is set.
func look(t *testing.T, env map[string]string, args ...string) (code int, out, said string) {
	t.Helper()
	var stdout, stderr strings.Builder
	code = new(flags).program().Exec(t.Context(), &cli.Env{Out: &stdout, Err: &stderr}, args, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, nil)
	return code, stdout.String(), stderr.String()
}

// TestConfigurationFile holds docs/moqrelayserver.yaml, which is made of the flags.
func TestConfigurationFile(t *testing.T) {
	code, want, said := look(t, nil, "-print_config")
	if code != cli.ExitDone {
		t.Fatal(said)
	}
	path := filepath.FromSlash("../../docs/moqrelayserver.yaml")
	if *update {
		testkit.NoErr(t, os.WriteFile(path, []byte(want), 0o644))
	}
	text, err := os.ReadFile(path)
	testkit.NoErr(t, err)
	if string(text) != want {
		t.Error("docs/moqrelayserver.yaml is not what the flags say: go test ./cmd/moqrelayserver -run TestConfigurationFile -update")
	}
	// It is what holds without it.
	code, again, said := look(t, nil, "-config", path, "-validate_config", "-print_config")
	if code != cli.ExitDone || again != want {
		t.Errorf("code %d, %s, with all defaults:\n%s", code, said, again)
	}
}

// TestEveryFlagHasItsPlace: no two share a key, and what has none is known.
func TestEveryFlagHasItsPlace(t *testing.T) {
	p := new(flags).program()
	seen := make(map[string]string)
	var keyed []string
	for _, k := range p.Flags.Keys() {
		if other, twice := seen[k.String()]; twice {
			t.Errorf("-%s and -%s have the key %s", other, k.Flag, k)
		}
		if k.Section == "" {
			t.Errorf("-%s stands in no section", k.Flag)
		}
		seen[k.String()] = k.Flag
		keyed = append(keyed, k.Flag)
	}
	var without []string
	p.Flags.VisitAll(func(fl *flag.Flag) {
		if !slices.Contains(keyed, fl.Name) {
			without = append(without, fl.Name)
		}
	})
	if want := []string{"cluster_node", "cluster_root", "config", "help", "print_config", "role", "validate_config", "version"}; !slices.Equal(without, want) {
		t.Errorf("without a key: %v, want %v", without, want)
	}
}

// TestLiveFlags: what is said to be taken up by a running relay is, and nothing else.
func TestLiveFlags(t *testing.T) {
	var f flags
	p := f.program()
	var said, done []string
	for _, k := range p.Flags.Keys() {
		if k.Live {
			said = append(said, k.Flag)
		}
	}
	env := &cli.Env{Log: slog.New(slog.DiscardHandler), Levels: new(cli.Levels)}
	api, err := f.admin.server(env)
	testkit.NoErr(t, err)
	leaving := newStay(0)
	testkit.NoErr(t, p.Flags.Set("logging", "WARN"))
	testkit.NoErr(t, p.Flags.Set("drain", "7"))
	testkit.NoErr(t, p.Flags.Set("cache", "3"))
	r := relay.New(relay.Config{})
	for _, c := range f.changes(p.Flags, env, r, api, leaving) {
		done = append(done, c.Flag)
		testkit.NoErr(t, c.Apply())
	}
	slices.Sort(said)
	slices.Sort(done)
	if !slices.Equal(said, done) {
		t.Errorf("%v are said to be live, %v are", said, done)
	}
	state, err := r.State(t.Context())
	testkit.NoErr(t, err)
	if state.Cache.Budget != 3<<20 {
		t.Errorf("the cache may have %d bytes", state.Cache.Budget)
	}
	if env.Levels.String() != "WARN" || leaving.get() != 7*time.Second {
		t.Errorf("levels %s, drain %v", env.Levels, leaving.get())
	}
}

// TestTokensAreTakenUp: other tokens and names hold for the next request; what cannot
// be used changes nothing.
func TestTokensAreTakenUp(t *testing.T) {
	tokens := tokenFile(t, 0o600)
	a, err := openAPI(t, "-admin", "127.0.0.1:0", "-admin_token", tokens)
	testkit.NoErr(t, err)
	wants := func(why, token string, want int) {
		t.Helper()
		if got := a.status(t, 0, http.MethodGet, "/v1/state", token, nil); got != want {
			t.Errorf("%s: status %d, want %d", why, got, want)
		}
	}
	take := func(change func(*adminFlags)) error {
		next := a.flags
		change(&next)
		return a.take(&next)
	}
	wants("the first token", controlToken, http.StatusOK)
	testkit.NoErr(t, os.WriteFile(tokens, []byte("read another-token-for-reading\n"), 0o600))
	testkit.NoErr(t, take(func(*adminFlags) {}))
	wants("the first token", controlToken, http.StatusUnauthorized)
	wants("another token", "another-token-for-reading", http.StatusOK)
	for _, content := range []string{"", "read\n"} {
		testkit.NoErr(t, os.WriteFile(tokens, []byte(content), 0o600))
		if err := take(func(*adminFlags) {}); err == nil && content != "" {
			t.Errorf("a file with %q was taken", content)
		}
	}
	if err := take(func(f *adminFlags) { f.token = filepath.Join(t.TempDir(), "absent") }); err == nil {
		t.Error("an absent file was taken")
	}
	testkit.NoErr(t, take(func(f *adminFlags) { f.token = "" }))
	wants("no token, since this machine may read", "", http.StatusOK)
}

// TestCheck: -validate_config finds what the program would refuse, and says where it
// was set.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	absent := filepath.Join(dir, "absent.pem")
	for _, tt := range []struct {
		name, content string
		env           map[string]string
		code          int
		want          string
	}{
		{name: "nothing", content: "relay: {demo: true}", code: cli.ExitDone, want: "what is set can be used"},
		{name: "a port", content: "network:\n  port: 70000", code: cli.ExitUsage, want: "-port 70000 is not between 0 and 65535 (FILE:2: network.port)"},
		{name: "an address", content: "network: {bind: '[::]:x'}", code: cli.ExitUsage, want: "port \"x\" is not between"},
		{name: "an address of HTTP", content: "network: {http: x}", code: cli.ExitUsage, want: "-http x is neither"},
		{name: "nothing to serve over", content: "network: {quic: false}", code: cli.ExitUsage, want: "-noquic"},
		{name: "half a certificate", content: "tls: {cert: x}", code: cli.ExitUsage, want: "give both -cert and -key"},
		{name: "no certificate", content: "tls: {cert: " + absent + ", key: x}", code: cli.ExitFailed, want: "absent.pem"},
		{name: "a certificate that is not needed", content: "tls: {cert: " + absent + ", key: x, development: true}", code: cli.ExitDone},
		{name: "a cache", content: "cache:\n  memory: 0", code: cli.ExitUsage, want: "-cache is 0; it must be at least 1 (FILE:2: cache.memory)"},
		{name: "the environment outweighs it", content: "cache:\n  memory: 0", env: map[string]string{"MOQ_CACHE": "1"}, code: cli.ExitDone},
		{name: "a rule", content: "tracks: {upstream: [a=lazy, b=sometimes]}", code: cli.ExitUsage, want: "unknown policy"},
		{name: "a scope", content: "tracks: {scope: all}", code: cli.ExitUsage, want: "none, path"},
		{name: "a draft", content: "protocol: {versions: [7]}", code: cli.ExitUsage, want: "draft 7 is not spoken here"},
		{name: "an admin API", content: "admin: {addresses: ['0.0.0.0:0']}", code: cli.ExitUsage, want: "others can reach that address"},
		{name: "a theme", content: "screen: {theme: x}", code: cli.ExitUsage, want: "-theme"},
		{name: "a role", env: map[string]string{"MOQT_ROLE": "publisher"}, code: exitUnable, want: "can only be a relay"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := writeFile(t, "relay.yaml", tt.content, 0o600)
			code, out, said := look(t, tt.env, "-validate_config", "-config", file)
			if code != tt.code || out != "" || !strings.Contains(said, strings.ReplaceAll(tt.want, "FILE", file)) {
				t.Errorf("code %d, %q; want %d, %q", code, said, tt.code, tt.want)
			}
		})
	}
}

// TestFileOpensNothing: a file that is refused does so before anything is opened.
func TestFileOpensNothing(t *testing.T) {
	code, said := execute(t, "-config "+writeFile(t, "relay.yaml", "network: {prot: 1}", 0o600))
	if code != cli.ExitUsage || !strings.Contains(said, "did you mean network.port") || strings.Contains(said, "Serving") {
		t.Errorf("code %d, %q", code, said)
	}
}
