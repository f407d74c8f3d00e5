package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
	"oxymoq/internal/tap/taptest"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/wttr"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// called runs the command as a process would.
func called(t *testing.T, line string, variables ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var out, errs bytes.Buffer
	lookup := func(name string) (string, bool) {
		for _, v := range variables {
			if k, value, _ := strings.Cut(v, "="); k == name {
				return value, true
			}
		}
		return "", false
	}
	code = execute(t.Context(), &cli.Env{Out: &out, Err: &errs}, strings.Fields(line), lookup)
	return code, out.String(), errs.String()
}

// TestFlagsAreDocumented: as docs/flags.md has them, for each mode.
func TestFlagsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "flags.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range modes() {
		for _, difference := range m.mode.program().CheckTable(string(text)) {
			t.Error(difference)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		line string
		code int
		want string
	}{
		{"moqtest", cli.ExitUsage, "what to do is missing; it is one of conformance, server, publisher, client; moqtest -help explains"},
		{"moqtest serve", cli.ExitUsage, `"serve" is not what this command does`},
		{"moqtest -nothing", cli.ExitUsage, "unknown"},
		{"moqtest server extra", cli.ExitUsage, `"extra" was not expected`},
		{"moqtest server -nolisten", cli.ExitUsage, "-relay_url is needed"},
		{"/usr/bin/moqtest_server -nolisten", cli.ExitUsage, "moqtest server: with -nolisten a -relay_url is needed"},
		{"moqtest server -port 0 -versions 7", cli.ExitUsage, "draft 7 is not spoken"},
		{"moqtest publisher", cli.ExitUsage, "without -track"},
		{"moqtest publisher -track moq-test-00/0", cli.ExitUsage, "2 fields and not 16"},
		{"moqtest publisher x", cli.ExitUsage, "-track names a track"},
		{"moqtest conformance -suite 60", cli.ExitUsage, "it can be 80 or 50"},
		{"moqtest conformance -suite x", cli.ExitUsage, "it can be 80 or 50"},
		{"moqtest conformance -case 81", cli.ExitUsage, `no case "81"; suite 80 has 1 to 80`},
		{"moqtest conformance -parallel 0", cli.ExitUsage, "-parallel is 0"},
		{"moqtest conformance -draft 18,7", cli.ExitUsage, "draft 7 is not spoken"},
		{"moqtest conformance 7", cli.ExitUsage, "-case names a case"},
		{"moqtest conformance -relay http://h/", cli.ExitUsage, "unknown scheme"},
		{"moqtest_client 7", cli.ExitUsage, `moqtest client: "7" was not expected`},
		{"moqtest client -request push", cli.ExitUsage, "it can be subscribe, fetch or publish"},
		{"moqtest client -publish_order x", cli.ExitUsage, "it can be subscribe_first or publish_first"},
		{"moqtest client -forwarding_preference 4", cli.ExitUsage, "it can be 0 to 3"},
		{"moqtest client -start_group 3 -last_group 2", cli.ExitUsage, "the first group, 3, is larger than the last, 2"},
		{"moqtest client -last_object_in_track -2", cli.ExitUsage, "-last_object_in_track is -2"},
		{"moqtest client -test_integer_extension -2", cli.ExitUsage, "-test_integer_extension is -2"},
		{"moqtest client -start_location 1,0", cli.ExitUsage, "are for -request fetch"},
		{"moqtest client -request fetch -start_location 1", cli.ExitUsage, "not of the form group,object"},
		{"moqtest client -request fetch -end_location 1,x", cli.ExitUsage, "not of the form group,object"},
		{"moqtest client -request fetch -start_location 2,0 -end_location 1,0", cli.ExitUsage, "nothing lies between"},
		{"moqtest client -request fetch -join_start 0", cli.ExitUsage, "-join_start is for -request subscribe"},
	} {
		code, out, errs := called(t, tt.line)
		if code != tt.code || out != "" || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: code %d, stdout %q, stderr %q; want code %d and %q", tt.line, code, out, errs, tt.code, tt.want)
		}
	}
}

// TestHelp: the command explains itself and each of its modes.
func TestHelp(t *testing.T) {
	for line, want := range map[string]string{
		"moqtest -help":             "moqtest conformance -help",
		"moqtest conformance -help": "-suite 80",
		"moqtest_client -help":      "-forwarding_preference",
		"moqtest server -version":   "moqtest server of oxymoq",
	} {
		if code, out, errs := called(t, line); code != cli.ExitDone || errs != "" || !strings.Contains(out, want) {
			t.Errorf("%s: code %d, stdout %q, stderr %q", line, code, out, errs)
		}
	}
}

func TestList(t *testing.T) {
	for line, want := range map[string]int{"moqtest conformance -list": 80, "moqtest conformance -list -suite 50": 50, "moqtest conformance -list -case 7,9": 2} {
		code, out, _ := called(t, line)
		if n := strings.Count(out, "\n"); code != cli.ExitDone || n != want {
			t.Errorf("%s: code %d, %d lines", line, code, n)
		}
	}
}

// TestAsk: what the flags of a client mean.
func TestAsk(t *testing.T) {
	for _, tt := range []struct{ flags, track, rng string }{
		{"", "moq-test-00/0/0/0/4611686018427387903/10/10/1024/100/50/1/1/0/-1/-1/0", "0/0..0/0"},
		{"-last_group 2 -objects_per_group 5", "moq-test-00/0/0/0/2/5/5/1024/100/50/1/1/0/-1/-1/0", "0/0..0/0"},
		{
			"-forwarding_preference 2 -start_group 10 -start_object 3 -last_group 13 -objects_per_group 8 -group_increment 3 -object_increment 2 -last_object_in_track 17 " +
				"-size_of_object_zero 2048 -size_of_object_greater_than_zero 512 -send_end_of_group_markers -test_integer_extension 1 -test_variable_extension 1 -publisher_delivery_timeout 700",
			"moq-test-00/2/10/3/13/17/8/2048/512/50/3/2/1/1/1/700", "0/0..0/0",
		},
		{"-last_group 4 -request fetch -start_location 2,1 -end_location 3,5", "moq-test-00/0/0/0/4/10/10/1024/100/50/1/1/0/-1/-1/0", "2/1..3/4"},
		{"-last_group 4 -request fetch -end_location 3,0", "moq-test-00/0/0/0/4/10/10/1024/100/50/1/1/0/-1/-1/0", "0/0..3/*"},
	} {
		f := &client{}
		p := f.program()
		var said bytes.Buffer
		code := p.Exec(t.Context(), &cli.Env{Out: &said, Err: &said}, strings.Fields(tt.flags), func(string) (string, bool) { return "", false },
			func(context.Context, *cli.Env) error { return nil })
		a, err := f.ask()
		if track := strings.Join(a.Params.Namespace(), "/"); code != cli.ExitDone || err != nil || track != tt.track || a.Range.String() != tt.rng {
			t.Errorf("%s: code %d, %v, %s, %v; %s", tt.flags, code, err, track, a.Range, said.String())
		}
	}
}

// serve runs a relay on a port and returns where it is.
func serve(t *testing.T) (addr string) {
	t.Helper()
	cert, err := certs.SelfSigned(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l, err := listen.Listen("127.0.0.1:0", listen.Config{
		TLS:       &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13},
		Protocols: session.Protocols(), WebTransport: &wttr.Server{Protocols: session.Protocols(), Unnamed: session.Unnamed(session.Protocols())},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := relay.New(relay.Config{})
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept(ctx)
			if err != nil {
				return
			}
			work.Go(func() { _ = r.Serve(ctx, c) })
		}
	})
	t.Cleanup(func() {
		stop()
		l.Close()
		work.Wait()
	})
	return l.Addr().String()
}

// TestConformance: what a relay passes is told in TAP and JUnit, with a round for
// each draft that is named.
func TestConformance(t *testing.T) {
	addr := serve(t)
	for _, scheme := range []string{"moqt", "https"} {
		file := filepath.Join(t.TempDir(), "results.xml")
		code, out, errs := called(t, "moqtest conformance -connect_timeout 10s -insecure -draft 18,14 -case 5,17 -relay "+scheme+"://"+addr+" -junit "+file)
		d := testkit.Must(taptest.Parse(out))(t)
		if code != cli.ExitDone || len(d.Points) != 4 || d.Points[0].Fields["draft"] != "draft-18" || d.Points[2].Fields["draft"] != "draft-14" {
			t.Errorf("%s: code %d, stdout %q, stderr %q", scheme, code, out, errs)
		}
		if text, err := os.ReadFile(file); err != nil || strings.Count(string(text), "<testcase ") != 4 {
			t.Errorf("%s: %v, %s", scheme, err, text)
		}
	}
	code, out, errs := called(t, "moqtest conformance -connect_timeout 10s -insecure -nopublish -case 5 -relay moqt://"+addr)
	if code != cli.ExitFailed || !strings.Contains(out, "\nnot ok 1 - 80-05 ") || !strings.Contains(errs, "did not pass all cases: 1 of 1 failed") {
		t.Errorf("without a publisher: code %d, stdout %q, stderr %q", code, out, errs)
	}
	code, out, _ = called(t, "moqtest conformance -connect_timeout 10s -insecure -case 5 -relay moqt://"+addr+" -junit "+filepath.Join(t.TempDir(), "none", "x.xml"))
	if code != cli.ExitFailed || !strings.Contains(out, "\nok 1 - ") {
		t.Errorf("without a place for the file: code %d, stdout %q", code, out)
	}
}

// TestClient: one track is judged, by SUBSCRIBE, FETCH and PUBLISH.
func TestClient(t *testing.T) {
	flags := " -connect_timeout 10s -insecure -last_group 1 -objects_per_group 2 -object_frequency 1 -url moqt://" + serve(t)
	code, out, errs := called(t, "moqtest client -request publish"+flags)
	if code != cli.ExitDone || !strings.HasPrefix(out, "SUCCESS: all of 6 objects in ") {
		t.Errorf("code %d, stdout %q, stderr %q", code, out, errs)
	}
	for _, request := range []string{"subscribe", "fetch"} {
		code, out, errs := called(t, "moqtest client -start_group 1 -request "+request+flags)
		if code != cli.ExitFailed || out != "" || !strings.Contains(errs, "moqtest client: FAILURE: ") || !strings.Contains(errs, "DOES_NOT_EXIST") {
			t.Errorf("%s without a publisher: code %d, stdout %q, stderr %q", request, code, out, errs)
		}
	}
}
