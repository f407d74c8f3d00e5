package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const passing = `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN TestA\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
`

const skipping = `{"Action":"output","Package":"p","Test":"TestV/x","Output":"    v_test.go:9: no vectors\n"}
{"Action":"output","Package":"p","Test":"TestV/x","Output":"--- SKIP: TestV/x (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestV/x"}
`

const ending = `{"Action":"pass","Package":"p","Elapsed":1.5}
`

func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		events string
		skips  string
		vars   string // set in the environment
		ok     bool
		says   string
	}{
		{"passing tests pass", passing + ending, "", "", true, "ok   p"},
		{"no test at all fails", "", "", "", false, "no test was run"},
		{"a skip without leave fails", passing + skipping + ending, "", "", false, "TestV/x was skipped, and scripts/skips.txt does not allow it: v_test.go:9: no vectors"},
		{"a skip with leave passes", passing + skipping + ending, "p TestV/.* always for a reason", "", true, "skip p TestV/x: for a reason"},
		{"leave is for whole names", passing + skipping + ending, "p TestV always for a reason", "", false, "does not allow it"},
		{"leave is for one package", passing + skipping + ending, "q TestV/.* always for a reason", "", false, "does not allow it"},
		{"leave that depends on a variable", passing + skipping + ending, "p TestV/.* without:REPORT_TEST a reason", "", true, "skip"},
		{"is void when it is set", passing + skipping + ending, "p TestV/.* without:REPORT_TEST a reason", "x", false, "does not allow it"},
		{"leave that nobody takes fails", passing + ending, "p TestA always a reason", "", false, "but it was not"},
		{"leave for tests that did not run is no fault", passing + ending, "q TestB always a reason", "", true, "ok   p"},
		{"a failed test fails with its output", `{"Action":"output","Package":"p","Test":"TestB","Output":"boom\n"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p"}
`, "", "", false, "p TestB\nboom"},
		{"a package that panics fails with its output", `{"Action":"output","Package":"p","Test":"TestB","Output":"panic: x\n"}
{"Action":"output","Package":"p","Output":"exit status 2\n"}
{"Action":"fail","Package":"p"}
`, "", "", false, "p TestB did not end\npanic: x"},
		{"a package that does not compile fails", `{"ImportPath":"p","Action":"build-output","Output":"syntax error\n"}
{"Action":"fail","Package":"p","FailedBuild":"p"}
`, "", "", false, "syntax error"},
		{"events that break off fail", passing, "", "", false, "p did not end"},
		{"what is no event is shown", "go: downloading\n" + passing + ending, "", "", true, "go: downloading"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.vars != "" {
				t.Setenv("REPORT_TEST", tt.vars)
			}
			dir := t.TempDir()
			skips, summary := filepath.Join(dir, "skips"), filepath.Join(dir, "summary")
			if err := os.WriteFile(skips, []byte("# comment\n"+tt.skips+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			ok, err := run(strings.NewReader(tt.events), &out, skips, summary)
			if err != nil {
				t.Fatal(err)
			}
			if ok != tt.ok || !strings.Contains(out.String(), tt.says) {
				t.Errorf("ok %v, want %v with %q:\n%s", ok, tt.ok, tt.says, &out)
			}
			if _, err := os.Stat(summary); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWrongAllowances(t *testing.T) {
	for _, line := range []string{"p TestA always", "p TestA sometimes reason", "p Test( always reason"} {
		if _, err := parseAllowed(line, os.LookupEnv); err == nil {
			t.Errorf("%q was accepted", line)
		}
	}
}
