package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"oxymoq/internal/cli"
)

const (
	clientFile = `{"qlog_version":"0.3","trace":{"vantage_point":{"type":"client"},"common_fields":{"group_id":"01"}}}
{"time":1,"name":"moqt:control_message_created","data":{"stream_id":0,"message":{"type":"subscribe","request_id":0,"track_namespace":[{"value":"a"}],"track_name":{"value":"video"}}}}
{"time":2,"name":"recovery:packet_lost","data":{"header":{"packet_number":7}}}
{"time":5,"name":"moqt:control_message_parsed","data":{"stream_id":0,"message":{"type":"subscribe_ok","track_alias":3}}}
`
	serverFile = `{"qlog_version":"0.3","trace":{"vantage_point":{"type":"server"},"common_fields":{"group_id":"01"}}}
{"time":1,"name":"moqt:control_message_parsed","data":{"stream_id":0,"message":{"type":"subscribe","request_id":0,"track_namespace":[{"value":"a"}],"track_name":{"value":"video"}}}}
{"time":3,"name":"moqt:control_message_created","data":{"stream_id":0,"message":{"type":"subscribe_ok","track_alias":3}}}
`
	manyFile = `{"qlog_version":"0.3","trace":{}}
{"time":1,"group_id":"a_client","name":"x:y"}
{"time":1,"group_id":"b_client","name":"x:y"}
`
)

// execute runs the program in a directory with traces.
func execute(t *testing.T, args, in string, out io.Writer) (code int, errs string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{"client": clientFile, "server": serverFile, "many": manyFile, "bad": clientFile + "{\n{}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var f flags
	p := f.program()
	var said strings.Builder
	none := func(string) (string, bool) { return "", false }
	code = p.Exec(t.Context(), &cli.Env{In: strings.NewReader(in), Out: out, Err: &said}, strings.Fields(args), none,
		func(_ context.Context, env *cli.Env) error { return run(env, &f, func(string) string { return "" }) })
	return code, said.String()
}

const (
	clientHead = "client  client, 5.00 ms\n"
	bothHead   = clientHead + "server  server, 3.00 ms\nclocks  by 2 messages that both traces have, there and back at least 2.00 ms\n\n"
)

func TestRun(t *testing.T) {
	for _, tt := range []struct {
		name, args, in, want string
	}{
		{"both sides", "server client", "", bothHead +
			"1.000  C──▶S  s0  SUBSCRIBE a/video  #0  +1.000\n2.000  C──✕S      LOST  packet 7\n4.000  C◀──S  s0  SUBSCRIBE_OK a/video  alias 3  +1.000\n"},
		{"one side", "client", "", clientHead + "\n" +
			"1.000  C──▶S  s0  SUBSCRIBE a/video  #0\n2.000  C──✕S      LOST  packet 7\n5.000  C◀──S  s0  SUBSCRIBE_OK a/video  alias 3\n"},
		{"standard input", "- client -ascii -events loss", serverFile, "client  client, 5.00 ms\nserver  standard input, 3.00 ms\nclocks  by 2 messages that both traces have, there and back at least 2.00 ms\n\n" +
			"2.000  C--xS    LOST  packet 7\n"},
		{"a stream, in colour", "client -stream s0 -events control -track vid -color always -width 44", "", clientHead + "\n" +
			"\x1b[36m1.000  C──▶S  s0  SUBSCRIBE a/video  #0\x1b[0m\n\x1b[36m5.000  C◀──S  s0  SUBSCRIBE_OK a/video  ali…\x1b[0m\n"},
		{"nothing left", "client -track audio -events control", "", clientHead},
		{"a session of many", "many -session b_client", "", "client  many, 1.00 ms\n"},
		{"JSON", "client -json -events loss", "", `{"kind":"traces","sides":[{"side":"client","file":"client","id":"01","length_ms":5}]}` + "\n" +
			`{"time_ms":2,"kind":"loss","from":"client","to":"server","what":"LOST","text":"packet 7"}` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			code, errs := execute(t, tt.args, tt.in, &out)
			if code != cli.ExitDone || out.String() != tt.want || errs != "" {
				t.Errorf("code %d, stderr %q, stdout:\n%q, want\n%q", code, errs, out.String(), tt.want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name, args, want string
		code             int
	}{
		{"no file", "", "the name of a trace is needed", cli.ExitUsage},
		{"three files", "client server many", "3 traces are more", cli.ExitUsage},
		{"one file twice", "client client", "named twice", cli.ExitUsage},
		{"a kind", "client -events loss,packets", `"packets" is not known; there are control, data`, cli.ExitUsage},
		{"a stream", "client -stream x", "no stream ID", cli.ExitUsage},
		{"a width", "client -width -2", "-width is -2", cli.ExitUsage},
		{"a colour", "client -color red", "auto, always or never", cli.ExitUsage},
		{"several sessions", "many", "name one with -session: a_client, b_client", cli.ExitUsage},
		{"not there", "client nowhere", "nowhere cannot be read: no such file", cli.ExitFailed},
		{"no trace", "bad", "bad, line 5: no JSON", cli.ExitFailed},
		{"the same side", "client -", "both traces are of the same side, the client", cli.ExitFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			code, errs := execute(t, tt.args, clientFile, &out)
			if code != tt.code || out.Len() > 0 || !strings.Contains(errs, tt.want) || strings.Count(errs, "\n") != 1 {
				t.Errorf("code %d, stdout %q, stderr %q", code, out.String(), errs)
			}
		})
	}
}

// gone is a pipe that nobody reads any more.
type gone struct{ err error }

func (g gone) Write([]byte) (int, error) { return 0, g.err }

// TestPipe: a reader that has seen enough is no failure, a full disk is.
func TestPipe(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code int
	}{{syscall.EPIPE, cli.ExitDone}, {errors.New("full"), cli.ExitFailed}} {
		for _, args := range []string{"client", "client -json"} {
			if code, errs := execute(t, args, "", gone{tt.err}); code != tt.code {
				t.Errorf("%v: code %d, %q", tt.err, code, errs)
			}
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
