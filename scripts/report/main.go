// Command report reads the events of go test -json and says what matters of
// them: a line per package, the output of what failed, and every skipped test.
// A skip that scripts/skips.txt does not allow is a failure.
//
//	go test -json ./... | go run ./scripts/report -skips scripts/skips.txt
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

func main() {
	skipsFile := flag.String("skips", "", "`file` of the skips that are allowed")
	summaryFile := flag.String("summary", "", "`file` to write a table in Markdown to")
	flag.Parse()
	ok, err := run(os.Stdin, os.Stdout, *skipsFile, *summaryFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, skipsFile, summaryFile string) (bool, error) {
	var allowed []*allowance
	if skipsFile != "" {
		text, err := os.ReadFile(skipsFile)
		if err != nil {
			return false, err
		}
		if allowed, err = parseAllowed(string(text), os.LookupEnv); err != nil {
			return false, fmt.Errorf("%s: %w", skipsFile, err)
		}
	}
	r := &report{out: out, packages: make(map[string]*result), outputs: make(map[string]*strings.Builder)}
	if err := r.read(in); err != nil {
		return false, err
	}
	ok := r.conclude(allowed)
	if summaryFile == "" {
		return ok, nil
	}
	return ok, os.WriteFile(summaryFile, []byte(r.markdown(allowed)), 0o644)
}

// event is one line of go test -json, or of the build before it.
type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

// result is what became of one package.
type result struct {
	name                    string
	passed, failed, skipped int
	seconds                 float64
	verdict                 string // "pass", "fail" or "skip" (no tests)
}

type skip struct{ pkg, test, said string }

type report struct {
	out      io.Writer
	packages map[string]*result
	outputs  map[string]*strings.Builder // of running tests, by package and test
	failures []string                    // output of what failed
	skips    []skip
	passes   []skip // said is empty
}

// allowance is one line of the file of allowed skips.
type allowance struct {
	pkg    string
	test   *regexp.Regexp
	active bool
	reason string
	used   bool
}

func parseAllowed(text string, lookup func(string) (string, bool)) ([]*allowance, error) {
	var all []*allowance
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) < 4 {
			return nil, fmt.Errorf("%q lacks package, test, when or reason", line)
		}
		test, err := regexp.Compile("^(" + fields[1] + ")$")
		if err != nil {
			return nil, err
		}
		a := &allowance{pkg: fields[0], test: test, reason: strings.Join(fields[3:], " ")}
		name, conditional := strings.CutPrefix(fields[2], "without:")
		switch {
		case fields[2] == "always":
			a.active = true
		case conditional:
			value, set := lookup(name)
			a.active = !set || value == ""
		default:
			return nil, fmt.Errorf("%q is neither always nor without:NAME", fields[2])
		}
		all = append(all, a)
	}
	return all, nil
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Action == "" {
			fmt.Fprintln(r.out, lines.Text())
			continue
		}
		r.take(e)
	}
	return lines.Err()
}

func (r *report) take(e event) {
	if e.Action == "build-output" {
		r.failures = append(r.failures, e.Output)
		return
	}
	if e.Package == "" {
		return
	}
	p := r.packages[e.Package]
	if p == nil {
		p = &result{name: e.Package}
		r.packages[e.Package] = p
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		if r.outputs[key] == nil {
			r.outputs[key] = new(strings.Builder)
		}
		r.outputs[key].WriteString(e.Output)
	case "pass", "fail", "skip":
		said := ""
		if b := r.outputs[key]; b != nil {
			said = b.String()
			delete(r.outputs, key)
		}
		if e.Test == "" {
			r.finish(p, e, said)
		} else {
			r.finishTest(p, e, said)
		}
	}
}

func (r *report) finishTest(p *result, e event, said string) {
	switch e.Action {
	case "pass":
		p.passed++
		r.passes = append(r.passes, skip{pkg: e.Package, test: e.Test})
	case "fail":
		p.failed++
		r.failures = append(r.failures, fmt.Sprintf("%s %s\n%s", e.Package, e.Test, said))
	case "skip":
		p.skipped++
		r.skips = append(r.skips, skip{e.Package, e.Test, lastWords(said)})
	}
}

func (r *report) finish(p *result, e event, said string) {
	p.verdict, p.seconds = e.Action, e.Elapsed
	switch e.Action {
	case "fail":
		// A package fails without a failed test if it panics, times out or does
		// not compile; then its own output says why.
		if p.failed == 0 {
			r.failures = append(r.failures, fmt.Sprintf("%s\n%s", p.name, said))
			for key, b := range r.outputs {
				if strings.HasPrefix(key, p.name+" ") {
					r.failures = append(r.failures, fmt.Sprintf("%s did not end\n%s", key, b))
				}
			}
		}
		fmt.Fprintf(r.out, "  FAIL %-34s %6.1fs  %d of %d tests failed\n", p.name, p.seconds, p.failed, p.failed+p.passed+p.skipped)
	case "pass":
		fmt.Fprintf(r.out, "  ok   %-34s %6.1fs  %d tests\n", p.name, p.seconds, p.passed)
	}
}

// lastWords is what a test said last, which for a skip is its reason.
func lastWords(said string) string {
	words := ""
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "===") {
			words = line
		}
	}
	return words
}

func (r *report) conclude(allowed []*allowance) bool {
	ok := len(r.packages) > 0
	if !ok {
		fmt.Fprintln(r.out, "  FAIL no test was run")
	}
	for _, p := range r.packages {
		ok = ok && p.verdict != "fail"
		if p.verdict == "" {
			fmt.Fprintf(r.out, "  FAIL %s did not end\n", p.name)
			ok = false
		}
	}
	for _, f := range r.failures {
		fmt.Fprintf(r.out, "\n%s\n", strings.TrimRight(f, "\n"))
		ok = false
	}
	for _, s := range r.skips {
		if reason, may := permit(allowed, s); may {
			fmt.Fprintf(r.out, "  skip %s %s: %s\n", s.pkg, s.test, reason)
			continue
		}
		fmt.Fprintf(r.out, "  FAIL %s %s was skipped, and scripts/skips.txt does not allow it: %s\n", s.pkg, s.test, s.said)
		ok = false
	}
	for _, a := range allowed {
		ran := func(s skip) bool { return s.pkg == a.pkg && a.test.MatchString(s.test) }
		if a.active && !a.used && slices.ContainsFunc(r.passes, ran) {
			fmt.Fprintf(r.out, "  FAIL scripts/skips.txt allows %s %s to be skipped, but it was not\n", a.pkg, a.test)
			ok = false
		}
	}
	return ok
}

func permit(allowed []*allowance, s skip) (reason string, ok bool) {
	for _, a := range allowed {
		if a.active && a.pkg == s.pkg && a.test.MatchString(s.test) {
			a.used = true
			return a.reason, true
		}
	}
	return "", false
}

func (r *report) markdown(allowed []*allowance) string {
	var b strings.Builder
	b.WriteString("| package | passed | failed | skipped | seconds |\n|---|---|---|---|---|\n")
	var names []string
	for name, p := range r.packages {
		if p.verdict != "skip" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var all result
	for _, name := range names {
		p := r.packages[name]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %.1f |\n", name, p.passed, p.failed, p.skipped, p.seconds)
		all.passed, all.failed, all.skipped = all.passed+p.passed, all.failed+p.failed, all.skipped+p.skipped
	}
	fmt.Fprintf(&b, "| **all** | %d | %d | %d | |\n", all.passed, all.failed, all.skipped)
	for _, s := range r.skips {
		reason, _ := permit(allowed, s)
		if reason == "" {
			reason = "not allowed: " + s.said
		}
		fmt.Fprintf(&b, "\nSkipped: %s %s: %s.\n", s.pkg, s.test, reason)
	}
	return b.String()
}
