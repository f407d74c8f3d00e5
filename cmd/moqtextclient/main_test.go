package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/wttr"
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
	const date = "moqt://localhost:1/x -track_namespace moq-date -track_name date "
	for _, tt := range []struct{ name, args, want string }{
		{"no URL", "-track_namespace a -track_name b", "no URL"},
		{"a URL of another kind", "http://h/ -track_namespace a -track_name b", "unknown scheme"},
		{"two URLs", date + "moqt://h", "not expected"},
		{"no namespace", "moqt://h -track_name b", "-track_namespace"},
		{"an empty field", "moqt://h -track_namespace a//b -track_name b", "empty"},
		{"an empty delimiter", date + "-track_namespace_delimiter=", "-track_namespace_delimiter"},
		{"no name", "moqt://h -track_namespace a", "-track_name"},
		{"object without group", date + "-so 3", "-sg"},
		{"end before start", date + "-sg 3 -eg 2", "before"},
		{"not a group", date + "-sg x", "-sg"},
		{"fetch without start", date + "-fetch", "-sg"},
		{"fetch and join", date + "-fetch -jrfetch -sg 3", "exclude"},
		{"two joins", date + "-jafetch -jrfetch", "exclude"},
		{"join and start", date + "-jrfetch -sg 3", "-sg"},
		{"join start without join", date + "-join_start 3", "-jrfetch"},
		{"publish and fetch", date + "-publish -fetch", "exclude"},
		{"unknown end", date + "-exit_on never", "end, idle or error"},
		{"end object without group", date + "-eo 3", "-eg"},
		{"a relative object", date + "-sg -1 -so -2", "counted from the beginning"},
		{"a relative start of many tracks", date + "-publish -sg -1", "one track"},
		{"unknown format", date + "-format xml", "text, json, raw or hex"},
		{"unknown report", date + "-stats yes", "auto, off, text or json"},
		{"ids in raw", date + "-format raw -ids", "-format text"},
		{"leaving at once", date + "-unsubscribe -unsubscribe_time 0", "above 0"},
		{"idle time without idle", date + "-idle_timeout 3", "-exit_on idle"},
		{"idle at once", date + "-exit_on idle -idle_timeout 0", "above 0"},
		{"a draft that is not spoken", date + "-versions 7", "draft 7 is not spoken here"},
		{"two transports", date + "-qmux -quic_transport", "use one"},
		{"no such transport", date + "-transport tcp", "quic, wt, qmux or auto"},
		{"unknown flag", date + "-track_nam x", "did you mean -track_name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := execute(t, tt.args)
			if code != cli.ExitUsage || out != "" || !strings.Contains(errs, tt.want) {
				t.Errorf("code %d, stdout %q, stderr %q; want code 2 and %q", code, out, errs, tt.want)
			}
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	hole, err := net.ListenPacket("udp", "127.0.0.1:0") // takes packets and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	code, out, errs := execute(t, "-connect_timeout 50 -track_namespace a -track_name b moqt://"+hole.LocalAddr().String())
	if code != cli.ExitFailed || out != "" || !strings.Contains(errs, "no answer within 50ms") {
		t.Errorf("code %d, stdout %q, stderr %q", code, out, errs)
	}
}

func TestHelp(t *testing.T) {
	code, out, _ := execute(t, "-help")
	if code != cli.ExitDone || !strings.Contains(out, "-track_namespace_delimiter") {
		t.Errorf("code %d, %q", code, out)
	}
}

// TestNoCommonDraft: a server of other drafts is refused in one sentence that
// says what was offered, or what the server said.
func TestNoCommonDraft(t *testing.T) {
	cert, err := certs.SelfSigned(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	others := []string{"moqt-99"}
	l, err := listen.Listen("127.0.0.1:0", listen.Config{
		TLS:       &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13},
		Protocols: others, WebTransport: &wttr.Server{Protocols: others},
	})
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			if _, err := l.Accept(context.WithoutCancel(t.Context())); err != nil {
				return
			}
		}
	})
	defer accepting.Wait()
	defer l.Close()
	for _, tt := range []struct{ flags, url, want string }{
		{"-transport quic", "moqt://", "it speaks nothing that is offered here, which is moqt-18"},
		{"", "https://", "this server speaks moqt-99"},
	} {
		code, out, errs := execute(t, "-insecure -connect_timeout 10000 -track_namespace a -track_name b "+tt.flags+" "+tt.url+l.Addr().String())
		said := errs[strings.Index(errs, "moqtextclient: "):]
		if code != cli.ExitFailed || out != "" || !strings.Contains(said, tt.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: code %d, stdout %q, stderr %q", tt.url, code, out, errs)
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

// TestEventsAreWritten also by a program that fails.
func TestEventsAreWritten(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.qlog")
	code, _, errs := execute(t, "-connect_timeout 10 -track_namespace a -track_name b moqt://localhost:1 -mlog_path "+name)
	b, _ := os.ReadFile(name)
	if code != cli.ExitFailed || !strings.HasPrefix(string(b), "\x1e{") {
		t.Errorf("code %d, stderr %q, file %q", code, errs, b)
	}
	code, _, errs = execute(t, "-track_namespace a -track_name b moqt://localhost:1 -mlog_path "+filepath.Join(name, "y"))
	if code != cli.ExitFailed || !strings.Contains(errs, "cannot be written") {
		t.Errorf("code %d, stderr %q", code, errs)
	}
}
