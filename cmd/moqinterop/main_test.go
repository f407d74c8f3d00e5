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
	"oxymoq/internal/interop"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/wttr"
)

// execute runs the program as a process would, with some variables.
func execute(t *testing.T, args string, variables ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var out, errs bytes.Buffer
	var f flags
	p := f.program()
	lookup := func(name string) (string, bool) {
		for _, v := range variables {
			if k, value, _ := strings.Cut(v, "="); k == name {
				return value, true
			}
		}
		return "", false
	}
	code = p.Exec(t.Context(), &cli.Env{Out: &out, Err: &errs}, strings.Fields(args), lookup,
		func(ctx context.Context, env *cli.Env) error { return run(ctx, env, &f, p.Flags) })
	return code, out.String(), errs.String()
}

func TestList(t *testing.T) {
	for _, flag := range []string{"-l", "--list"} {
		code, out, errs := execute(t, flag)
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		if code != cli.ExitDone || errs != "" || len(lines) != len(interop.Cases()) || lines[0] != "setup-only" {
			t.Errorf("code %d, stdout %q, stderr %q", code, out, errs)
		}
	}
}

func TestUnable(t *testing.T) {
	for _, tt := range []struct {
		name, args string
		variable   string
		code       int
		want       string
	}{
		{"an unknown case", "-t no-such-case", "", exitUnable, `no case "no-such-case"; there are setup-only,`},
		{"one of two", "--test setup-only --test nothing", "", exitUnable, `no case "nothing"`},
		{"by the environment", "", "TESTCASE=nothing", exitUnable, `no case "nothing"`},
		{"a draft that is not spoken", "-versions 7", "", exitUnable, "draft 7 is not spoken here"},
		{"a URL of another kind", "-r http://h/", "", cli.ExitUsage, "unknown scheme"},
		{"one by the environment", "", "RELAY_URL=h:4443", cli.ExitUsage, "h:4443"},
		{"no switch", "", "TLS_DISABLE_VERIFY=maybe", cli.ExitUsage, "TLS_DISABLE_VERIFY"},
		{"a case without its flag", "setup-only", "", cli.ExitUsage, "-t names a case"},
		{"an unknown flag", "--tests x", "", cli.ExitUsage, "did you mean -test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := execute(t, tt.args, tt.variable)
			if code != tt.code || out != "" || !strings.Contains(errs, tt.want) {
				t.Errorf("code %d, stdout %q, stderr %q; want code %d and %q", code, out, errs, tt.code, tt.want)
			}
		})
	}
}

// TestVariables: those of the runner set flags, and flags outweigh them.
func TestVariables(t *testing.T) {
	theirs := []string{"RELAY_URL=moqt://relay", "TESTCASE=setup-only", "VERBOSE=1", "TLS_DISABLE_VERIFY=1"}
	for _, tt := range []struct {
		args      string
		variables []string
		url, test string
		verbose   bool
		insecure  string
	}{
		{"", nil, defaultRelay, "", false, "false"},
		{"", theirs, "moqt://relay", "setup-only", true, "true"},
		{"-r moqt://other --test=announce-only -noverbose --tls-disable-verify=false", theirs, "moqt://other", "announce-only", false, "false"},
		{"-v --tls-disable-verify -t a,b -t c", nil, defaultRelay, "a,b,c", true, "true"},
		{"", []string{"RELAY_URL=", "VERBOSE=0"}, defaultRelay, "", false, "false"},
	} {
		var f flags
		p := f.program()
		var said strings.Builder
		code := p.Exec(t.Context(), &cli.Env{Out: &said, Err: &said}, strings.Fields(tt.args), func(name string) (string, bool) {
			for _, v := range tt.variables {
				if k, value, _ := strings.Cut(v, "="); k == name {
					return value, true
				}
			}
			return "", false
		}, func(context.Context, *cli.Env) error { return nil })
		insecure := p.Flags.Lookup("insecure").Value.String()
		if code != cli.ExitDone || f.url != tt.url || strings.Join(f.cases, ",") != tt.test || f.verbose != tt.verbose || insecure != tt.insecure {
			t.Errorf("%q, %q: %q; %q, %q, %v, %s", tt.args, tt.variables, said.String(), f.url, f.cases, f.verbose, insecure)
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	hole, err := net.ListenPacket("udp", "127.0.0.1:0") // takes packets and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	code, out, errs := execute(t, "-timeout 50 -insecure -r moqt://"+hole.LocalAddr().String())
	if code != cli.ExitFailed || !strings.Contains(out, "\n1..") || !strings.Contains(out, "\nBail out! cannot connect to moqt://") || !strings.Contains(errs, "no answer within 50ms") {
		t.Errorf("code %d, stdout %q, stderr %q", code, out, errs)
	}
}

// serve opens a port and gives each connection to f.
func serve(t *testing.T, f func(context.Context, session.Conn)) (addr string) {
	t.Helper()
	cert, err := certs.SelfSigned(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l, err := listen.Listen("127.0.0.1:0", listen.Config{
		TLS:       &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13},
		Protocols: session.Protocols(), WebTransport: &wttr.Server{Protocols: session.Protocols()},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept(ctx)
			if err != nil {
				return
			}
			work.Go(func() { f(ctx, c) })
		}
	})
	t.Cleanup(func() {
		stop()
		l.Close()
		work.Wait()
	})
	return l.Addr().String()
}

// TestPassed: a relay that passes leads to code 0, over both transports. What is
// verbose goes to standard error.
func TestPassed(t *testing.T) {
	r := relay.New(relay.Config{})
	addr := serve(t, func(ctx context.Context, c session.Conn) { _ = r.Serve(ctx, c) })
	for _, scheme := range []string{"moqt", "https"} {
		code, out, errs := execute(t, "-v -timeout 5000 --tls-disable-verify", "RELAY_URL="+scheme+"://"+addr, "TESTCASE=publish-track-only")
		if code != cli.ExitDone || !strings.Contains(out, "\n1..1\nok 1 - publish-track-only\n  ---\n") || !strings.Contains(out, "\n  connection_id: \"") ||
			!strings.Contains(errs, "publisher reads REQUEST_OK") {
			t.Errorf("%s: code %d, stdout %q, stderr %q", scheme, code, out, errs)
		}
	}
}

// TestFailed: one that does not leads to code 1 and a sentence.
func TestFailed(t *testing.T) {
	addr := serve(t, func(ctx context.Context, c session.Conn) {
		s, err := session.Start(ctx, c, session.Config{Role: session.Server})
		if err != nil {
			return
		}
		s.Wait()
	})
	code, out, errs := execute(t, "-timeout 5000 -insecure -t publish-track-only,setup-only -r moqt://"+addr)
	if code != cli.ExitFailed || !strings.Contains(out, "\nnot ok 1 - publish-track-only\n") || !strings.Contains(out, "\nok 2 - setup-only\n") ||
		!strings.Contains(out, `received: "REQUEST_ERROR with NOT_SUPPORTED`) || !strings.Contains(errs, "did not pass all cases: 1 of 2 failed") {
		t.Errorf("code %d, stdout %q, stderr %q", code, out, errs)
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
