package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/admin"
	"oxymoq/pkg/observe"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// execute runs the program until it ends by itself.
func execute(t *testing.T, args ...string) (code int, out, said string) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var f flags
	p := f.program()
	var stdout, stderr strings.Builder
	code = p.Exec(t.Context(), &cli.Env{Out: &stdout, Err: &stderr}, args, func(string) (string, bool) { return "", false },
		func(ctx context.Context, env *cli.Env) error { return run(ctx, env, &f) })
	return code, stdout.String(), stderr.String()
}

// TestTable: the table of flags is true.
func TestTable(t *testing.T) {
	doc := testkit.Must(os.ReadFile(filepath.FromSlash("../../docs/flags.md")))(t)
	for _, d := range new(flags).program().CheckTable(string(doc)) {
		t.Error(d)
	}
}

func TestUsage(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	testkit.NoErr(t, os.WriteFile(empty, []byte("\n# nothing\n"), 0o600))
	for _, tt := range []struct{ name, args, want string }{
		{"two addresses", "moqt://a/ moqt://b/", `"moqt://b/" is no flag`},
		{"a way", "-as telnet moqt://a/", "it can be admin, moqt or auto"},
		{"MoQT without a URL", "-as moqt", "-as moqt needs a URL"},
		{"a track without namespace", "-track video moqt://a/", `-track "video" is not NAMESPACE/NAME`},
		{"a track with an empty field", "-track a//video moqt://a/", "field 1 is empty"},
		{"a namespace", "-track_namespace /a moqt://a/", "field 0 is empty"},
		{"a delimiter", "-track_namespace_delimiter= moqt://a/", "-track_namespace_delimiter is empty"},
		{"an interval", "-interval 20 moqt://a/", "must be between 250ms and 10s"},
		{"a screen without a terminal", "-tui on moqt://a/", "needs a terminal"},
		{"a theme", "-theme pink moqt://a/", "-theme"},
		{"a draft", "-versions 7 moqt://a/", "draft 7 is not spoken here"},
		{"an address", "ftp://host", "is not an address of an admin API"},
		{"a file for the token", "-token /nowhere http://localhost:1", "-token: open /nowhere"},
		{"a file without a token", "-token " + empty + " http://localhost:1", "there is no token in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, said := execute(t, strings.Fields(tt.args)...)
			if code != cli.ExitUsage || out != "" || !strings.Contains(said, tt.want) {
				t.Errorf("code %d, %q; want code 2 and %q", code, said, tt.want)
			}
		})
	}
}

// api is a relay as its admin API shows it.
type api struct {
	url   string
	asked atomic.Int64
}

// State is the state of a relay that receives a thousand bytes between two looks.
func (a *api) State(context.Context) (*observe.State, error) {
	n := uint64(a.asked.Add(1))
	now := time.Now()
	s := &observe.State{
		Time: now, Relay: observe.Identity{Name: "eu-1", Began: now.Add(-time.Duration(n) * time.Second).Truncate(time.Hour)},
		Sessions: []observe.SessionState{{ID: "1"}}, Spaces: []observe.NamespaceState{}, Links: []observe.LinkState{},
		Tracks: []observe.TrackState{
			{ID: "t1", FullName: "live--idle", State: "idle"},
			{ID: "t2", FullName: "live--video", State: "live", Subscribers: 2, Largest: &observe.Location{Group: 7, Object: 3},
				Media: "LOC H.264 1280x720", Lag: observe.Lag{Objects: 1, P99: 12 * time.Millisecond}, Counters: observe.TrackSnapshot{BytesIn: 1000 * n}},
		},
	}
	s.Totals.BytesIn = 1000 * n
	return s, nil
}

func (a *api) Track(context.Context, string) (*observe.TrackDetail, error) {
	return nil, observe.ErrNoTrack
}

func (a *api) Events(ctx context.Context, _ uint64) ([]observe.Event, uint64, error) {
	<-ctx.Done()
	return nil, 0, context.Cause(ctx)
}

func (a *api) Kick(context.Context, string, string) error         { return observe.ErrNoSession }
func (a *api) Purge(context.Context, string) error                { return observe.ErrNoTrack }
func (a *api) Drain(context.Context, string, time.Duration) error { return nil }
func (a *api) serve(t *testing.T, ln net.Listener, access admin.Access) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	h := admin.New(admin.Config{Source: a, Control: a})
	go func() { done <- admin.Serve(ctx, ln, nil, h.Handler(access), slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() { stop(); <-done })
	a.url = "http://" + ln.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	var c net.ListenConfig
	return testkit.Must(c.Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
}

// TestOnce prints what there is, with rates, the busiest first.
func TestOnce(t *testing.T) {
	var a api
	a.serve(t, listen(t), admin.Access{Open: admin.Read})
	code, out, said := execute(t, "-once", "-interval", "250ms", a.url)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != cli.ExitDone || len(lines) != 3 {
		t.Fatalf("code %d, %q, %q", code, out, said)
	}
	for i, want := range []string{
		"relay eu-1: 1 sessions, 0 namespaces, 2 tracks, in ", "track live--video live subs 2 at 7/3 in ", "track live--idle idle subs 0 in 0 out 0",
	} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %q, without %q", i, lines[i], want)
		}
	}
	if !strings.HasSuffix(lines[1], " out 0 lag 12ms LOC H.264 1280x720") || strings.Contains(lines[1], "in -") {
		t.Errorf("the track is %q", lines[1])
	}
}

// TestJSON prints a state that can be read again.
func TestJSON(t *testing.T) {
	var a api
	a.serve(t, listen(t), admin.Access{Open: admin.Read})
	code, out, said := execute(t, "-once", "-json", "-interval", "250ms", a.url)
	var s observe.State
	if err := json.Unmarshal([]byte(out), &s); err != nil || code != cli.ExitDone || len(s.Tracks) != 2 {
		t.Errorf("code %d, %v, %q, %q", code, err, out, said)
	}
}

// TestLocal finds the relay of this user.
func TestLocal(t *testing.T) {
	dir, err := os.MkdirTemp("", "top") //nolint:usetesting // the path of a socket must be short
	testkit.NoErr(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
	if code, _, said := execute(t, "-once"); code != cli.ExitFailed || !strings.Contains(said, "there is no socket in "+dir) {
		t.Errorf("without a relay: code %d, %q", code, said)
	}
	socket := func(port string) {
		path := testkit.Must(admin.SocketPath(port))(t)
		new(api).serve(t, testkit.Must(admin.ListenSocket(path))(t), admin.Access{Open: admin.Control, AnyHost: true})
	}
	dead := testkit.Must(admin.SocketPath("1"))(t)
	testkit.NoErr(t, os.WriteFile(dead, nil, 0o600))
	socket("2")
	if code, out, said := execute(t, "-once", "-interval", "250ms"); code != cli.ExitDone || !strings.Contains(out, "relay eu-1") {
		t.Errorf("with one relay: code %d, %q, %q", code, out, said)
	}
	socket("3")
	code, _, said := execute(t, "-once")
	if code != cli.ExitUsage || !strings.Contains(said, "name one of unix:"+dir+"/oxymoq/relay-2.sock, unix:"+dir+"/oxymoq/relay-3.sock") {
		t.Errorf("with two relays: code %d, %q", code, said)
	}
}

// TestAccess: what the token grants decides what may be changed.
func TestAccess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	testkit.NoErr(t, os.WriteFile(file, []byte("read reading-reading-reading\ncontrol changing-changing-changing\n"), 0o600))
	tokens := testkit.Must(admin.ReadTokens(file))(t)
	var a api
	a.serve(t, listen(t), admin.Access{Tokens: tokens})
	attach := func(content string) (*attached, error) {
		f := flags{address: a.url, as: asAuto, delimiter: "/"}
		if content != "" {
			f.token = filepath.Join(t.TempDir(), "token")
			testkit.NoErr(t, os.WriteFile(f.token, []byte(content), 0o600))
		}
		p := new(flags)
		p.program() // for the defaults of the other flags
		f.relay = p.relay
		return f.attach(t.Context(), &cli.Env{}, observe.NewRing(0))
	}
	for content, control := range map[string]bool{
		"reading-reading-reading": false, "changing-changing-changing\n": true, "\n# mine\ncontrol changing-changing-changing\n": true,
	} {
		at := testkit.Must(attach(content))(t)
		if (at.control != nil) != control {
			t.Errorf("%q: control %v", content, at.control)
		}
		var err error
		at.close(&err)
	}
	for _, content := range []string{"", "guessing-guessing-guessing"} {
		if _, err := attach(content); err == nil || !strings.Contains(err.Error(), "use -token FILE") {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// TestNoRelay: what else answers, or nobody, is said in a sentence.
func TestNoRelay(t *testing.T) {
	ln := listen(t)
	web := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second}
	done := make(chan error, 1)
	go func() { done <- web.Serve(ln) }()
	t.Cleanup(func() { web.Close(); <-done })
	const nobody = "127.0.0.1:1" // a port that nobody uses since long
	for _, tt := range []struct{ args, want string }{
		{"http://" + ln.Addr().String(), "answers as no relay of oxymoq does"},
		{nobody, "does not answer"},
		{"/nowhere/relay.sock", "does not answer"},
		{"-connect_timeout 300 https://" + nobody + "/moq", "nor is there an admin API"},
		{"-connect_timeout 300 moqt://" + nobody, "cannot connect to moqt://"},
	} {
		code, out, said := execute(t, append([]string{"-once"}, strings.Fields(tt.args)...)...)
		if code != cli.ExitFailed || out != "" || !strings.Contains(said, tt.want) {
			t.Errorf("%s: code %d, %q; want code 1 and %q", tt.args, code, said, tt.want)
		}
	}
}
