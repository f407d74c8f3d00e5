package door

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oxymoq/internal/cli"
)

func TestSuggest(t *testing.T) {
	dir := t.TempDir()
	cert, key, traces := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "priv.key"), filepath.Join(dir, "mlog")
	for _, tt := range []struct {
		name, args string
		missing    bool // of what is suggested
		port       int
		cert       string
		traces     string
	}{
		{"nothing is said", "", false, 4443, cert, traces},
		{"nothing is there", "", true, 4443, "", ""},
		{"another port", "-port 0", false, 0, cert, traces},
		{"the default port", "-port 9668", false, 9668, cert, traces},
		{"another certificate", "-cert x -key y", false, 4443, "x", traces},
		{"half a certificate", "-key y", false, 4443, "", traces},
		{"the development certificate", "-insecure", false, 4443, "", traces},
		{"another directory", "-qlog_dir z", false, 4443, cert, "z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			os.RemoveAll(traces)
			os.Remove(cert)
			if !tt.missing {
				if err := os.WriteFile(cert, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Mkdir(traces, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			var d Port
			var e Events
			p := cli.New("server", "serves")
			d.Declare(p, 9668)
			d.DeclareInsecure(p)
			e.Declare(p)
			p.Exec(t.Context(), &cli.Env{Out: io.Discard, Err: io.Discard}, strings.Fields(tt.args), func(string) (string, bool) { return "", false },
				func(context.Context, *cli.Env) error {
					d.Suggest(4443, cert, key)
					e.Suggest(traces)
					return nil
				})
			if d.port != tt.port || d.cert != tt.cert || e.dir != tt.traces {
				t.Errorf("port %d, certificate %q, directory %q", d.port, d.cert, e.dir)
			}
			if left, _ := filepath.Glob(filepath.Join(traces, ".writable-*")); left != nil {
				t.Errorf("%v is left behind", left)
			}
		})
	}
}

// A file is no directory, and one that cannot be written to is of no use.
func TestSuggestNothingUseful(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), "/proc/self"} {
		var e Events
		if e.Suggest(dir); e.dir != "" {
			t.Errorf("traces go into %s", e.dir)
		}
	}
}
