package archtest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The names are put together, so that this file does not contain what it looks for.
var machinePath = regexp.MustCompile(`(^|[^\w./-])/(` + strings.Join([]string{"wo" + "rk", "ro" + "ot", "ho" + "me", "Us" + "ers"}, "|") + `)/\w`)

// sharedDir is where the test vectors lie; only .ci/run may know.
var sharedDir = []byte("../" + "shared")

func TestNoFileNamesAMachine(t *testing.T) {
	err := walk(func(name string) error {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			return err // binary
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			if machinePath.Match(line) {
				t.Errorf("%s:%d names a path of one machine: %s", name, i+1, bytes.TrimSpace(line))
			}
			if name != ".ci/run" && bytes.Contains(line, sharedDir) {
				t.Errorf("%s:%d looks outside the project: %s", name, i+1, bytes.TrimSpace(line))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPinsHold(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for mod, pin := range pins {
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
			if len(fields) >= 2 && fields[0] == mod && fields[1] != pin.version {
				t.Errorf("go.mod has %s %s, pinned to %s: %s", mod, fields[1], pin.version, pin.why)
			}
		}
	}
}

var update = flag.Bool("update", false, "write the import rules into .golangci.yml, and docs/conformance.md")

const (
	lintFile  = ".golangci.yml"
	lintBegin = "        # Written by internal/archtest from its table of rules: go test ./internal/archtest -update\n"
	lintEnd   = "        # End of what internal/archtest writes.\n"
)

// The linter must know the same arrows as this test, or an editor misleads.
func TestLinterKnowsTheRules(t *testing.T) {
	name := filepath.Join(root, lintFile)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), lintBegin)
	written, after, ended := strings.Cut(rest, lintEnd)
	if !found || !ended {
		t.Fatalf("%s lacks the two lines between which the rules stand", lintFile)
	}
	want := lintRules()
	if written == want {
		return
	}
	if !*update {
		t.Fatalf("%s differs from the table of rules; run: go test ./internal/archtest -update", lintFile)
	}
	if err := os.WriteFile(name, []byte(before+lintBegin+want+lintEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// lintRules renders the table for depguard: of this module a package may import
// what is listed, of others all but the QUIC libraries and what is banned.
func lintRules() string {
	var b strings.Builder
	for i, r := range rules {
		stem, below := strings.CutSuffix(r.dir, "/...")
		glob := "**/" + stem + "/*.go"
		if below {
			glob = "**/" + stem + "/**.go"
		}
		fmt.Fprintf(&b, "        %s:\n          list-mode: lax\n          files: [%q, %q", strings.ReplaceAll(stem, "/", "-"), glob, "!$test")
		for _, earlier := range rules[:i] { // the first row that matches counts
			if below && strings.HasPrefix(earlier.dir, stem+"/") {
				fmt.Fprintf(&b, ", %q", "!**/"+strings.TrimSuffix(earlier.dir, "/...")+"/*.go")
			}
		}
		b.WriteString("]\n")
		if len(r.may) > 0 {
			b.WriteString("          allow:\n")
		}
		for _, m := range r.may {
			stem, below := strings.CutSuffix(m, "/...")
			if below {
				fmt.Fprintf(&b, "            - %s/%s\n", module, stem)
			} else {
				fmt.Fprintf(&b, "            - %s/%s$\n", module, stem)
			}
		}
		b.WriteString("          deny:\n")
		fmt.Fprintf(&b, "            - {pkg: %s/, desc: %q}\n", module, r.why)
		if r.stdOnly {
			fmt.Fprintf(&b, "            - {pkg: github.com/, desc: %q}\n            - {pkg: golang.org/, desc: %q}\n", "standard library only", "standard library only")
		} else if !r.quic {
			for _, q := range quicModules {
				fmt.Fprintf(&b, "            - {pkg: %s, desc: %q}\n", q, "only the carriers in pkg/transport may import the QUIC libraries")
			}
		}
	}
	return b.String()
}
