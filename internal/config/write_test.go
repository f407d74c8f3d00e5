package config

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oxymoq/internal/cli"
)

const wantFile = `network:
  # path that is served
  # -path, MOQ_PATH
  path: 'a b: #c' # set by -path

  # UDP port; 0 takes a free one
  # -port, MOQ_PORT
  port: 1 # set by relay.yaml:2

  # serve over QUIC
  # -quic, MOQ_QUIC
  quic: true

admin:
  # names of hosts
  # -hosts, MOQ_HOSTS, live
  hosts: [a, b]

limits:
  # a factor
  # -ratio, MOQ_RATIO
  ratio: 0.5

  # wait s at most
  # -wait, MOQ_WAIT, live
  wait: 1s

log:
`

func TestWrite(t *testing.T) {
	_, out, said, code := read(t, "network:\n  port: 1\n", "-print_config", "-path", "a b: #c")
	if code != cli.ExitDone || !strings.Contains(out, "\n\n"+wantFile) {
		t.Errorf("code %d, %s, %s", code, said, cmp.Diff(wantFile, out))
	}
}

// TestWrittenIsRead: a printed configuration gives what it was printed of, and flags
// at their default do not count as set.
func TestWrittenIsRead(t *testing.T) {
	for _, args := range [][]string{
		nil,
		{"-port", "1", "-path", "\n\t\"'\\ é\u2028", "-noquic", "-wait", "1h1ms", "-ratio", "1e-9", "-hosts", "off,1,~,*a,- b"},
		{"-hosts", "", "-path", "", "-logging", "WARN,session=DBG4"},
		{"-path", strings.Repeat("a: b ", 100), "-hosts", strings.Repeat("a b,", 100)},
	} {
		want, first, said, code := read(t, "", append([]string{"-print_config"}, args...)...)
		if code != cli.ExitDone {
			t.Fatal(said)
		}
		got, second, said, code := read(t, first, "-print_config")
		if code != cli.ExitDone {
			t.Fatalf("%s\n%s", said, first)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if set := strings.Count(second, "# set by "); set != strings.Count(first, "# set by ") {
			t.Errorf("%d keys are set in\n%s", set, second)
		}
	}
}

func TestWhatYAMLCannotHold(t *testing.T) {
	_, out, said, code := read(t, "", "-print_config", "-path", "\xff")
	if code != cli.ExitFailed || out != "" || !strings.Contains(said, `-path is set to "\xff", which YAML cannot hold`) {
		t.Errorf("code %d, %q, %q", code, said, out)
	}
}

// TestFlagsStayUnset: a key with its default is as good as none.
func TestFlagsStayUnset(t *testing.T) {
	name := t.TempDir() + "/relay.yaml"
	if err := os.WriteFile(name, []byte("network:\n  port: 9667\n  path: /other\nlimits:\n  wait: 1000ms\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var s settings
	p := program(&s)
	p.Exec(t.Context(), &cli.Env{Out: new(bytes.Buffer), Err: new(bytes.Buffer)}, []string{"-config", name, "-print_config"}, nothing, nil)
	if p.Flags.IsSet("port") || p.Flags.IsSet("wait") || !p.Flags.IsSet("path") || s.Wait != time.Second {
		t.Errorf("set: port %v, wait %v, path %v", p.Flags.IsSet("port"), p.Flags.IsSet("wait"), p.Flags.IsSet("path"))
	}
}
