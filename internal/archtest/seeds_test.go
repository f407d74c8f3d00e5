package archtest

import (
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// seedsFile says of every promise of the seed documents what shows that it holds.
const seedsFile = "docs/seeds.md"

// seedRows is how many rows seedsFile has of each seed, numbered from 1.
var seedRows = map[string]int{"A": 18, "B": 22, "C": 44, "D": 22}

// seedPlans are the capabilities that may bring what is not there yet.
var seedPlans = []string{
	"clusters", "the whole relay", "load generator", "authorisation",
}

var (
	seedRow       = regexp.MustCompile(`^\| *([A-Z]\d+) *\|([^|]*)\|([^|]*)\|$`)
	seedReference = regexp.MustCompile("`([^`]*)`")
	seedFunction  = regexp.MustCompile(`^((?:pkg|internal|cmd|scripts)/[\w/]+)\.((?:Test|Benchmark|Fuzz|Example)\w*)$`)
	seedScript    = regexp.MustCompile(`^scripts/[\w/-]+\.sh$`)
)

// TestSeedsAreShown holds docs/seeds.md: every promise once, with tests that
// exist, or with the reason why not yet.
func TestSeedsAreShown(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, seedsFile))
	if err != nil {
		t.Fatal(err)
	}
	functions := testFunctions(t)
	exists := func(reference string) bool {
		if seedScript.MatchString(reference) {
			info, err := os.Stat(filepath.Join(root, reference))
			return err == nil && info.Mode().IsRegular()
		}
		return functions[reference]
	}
	for _, problem := range judgeSeeds(string(text), exists) {
		t.Errorf("%s: %s", seedsFile, problem)
	}
}

// testFunctions returns what go test can run, as dir.Name.
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, s := range files(t) {
		if !s.test {
			continue
		}
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				all[s.dir+"."+f.Name.Name] = true
			}
		}
	}
	return all
}

// judgeSeeds returns what is wrong with a page of rows.
func judgeSeeds(page string, exists func(reference string) bool) (problems []string) {
	seen := map[string]int{}
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		m := seedRow.FindStringSubmatch(line)
		if m == nil {
			if strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "|---") && !strings.HasPrefix(line, "| id ") {
				problems = append(problems, fmt.Sprintf("%q is no row of three columns", line))
			}
			continue
		}
		id, promise, shown := m[1], strings.TrimSpace(m[2]), strings.TrimSpace(m[3])
		seen[id]++
		if promise == "" {
			problems = append(problems, id+" promises nothing")
		}
		for _, p := range judgeShown(shown, exists) {
			problems = append(problems, id+": "+p)
		}
	}
	for seed, n := range seedRows {
		for i := range n {
			id := fmt.Sprint(seed, i+1)
			if seen[id] != 1 {
				problems = append(problems, fmt.Sprintf("%s stands there %d times", id, seen[id]))
			}
			delete(seen, id)
		}
	}
	for id := range seen {
		problems = append(problems, id+" is no row of any seed")
	}
	slices.Sort(problems)
	return problems
}

// judgeShown judges the last column. It has one of these shapes:
//
//	`pkg/x.TestY`, `scripts/e2e/z.sh`
//	not yet: the reason (the capability that brings it)
//	partly: `pkg/x.TestY`; not yet: the reason (the capability)
func judgeShown(shown string, exists func(string) bool) (problems []string) {
	show, reason, waits := strings.Cut(shown, "not yet: ")
	show, partly := strings.CutPrefix(show, "partly: ")
	if partly != (waits && show != "") {
		problems = append(problems, `what is shown in part begins with "partly: " and ends with "; not yet: " and a reason`)
	}
	if partly {
		show = strings.TrimSuffix(strings.TrimSpace(show), ";")
	}
	references := seedReference.FindAllStringSubmatch(show, -1)
	if len(references) == 0 && (partly || !waits) {
		problems = append(problems, "nothing shows it")
	}
	if rest := strings.Trim(seedReference.ReplaceAllString(show, ""), ", "); rest != "" {
		problems = append(problems, fmt.Sprintf("%q is no test", rest))
	}
	for _, r := range references {
		switch {
		case !seedFunction.MatchString(r[1]) && !seedScript.MatchString(r[1]):
			problems = append(problems, r[1]+" names neither a test nor a script")
		case !exists(r[1]):
			problems = append(problems, r[1]+" does not exist")
		}
	}
	if waits {
		problems = append(problems, judgeReason(reason)...)
	}
	return problems
}

// judgeReason judges "the reason (the capability)".
func judgeReason(reason string) []string {
	why, plan, ok := strings.Cut(strings.TrimSuffix(reason, ")"), " (")
	switch {
	case !ok || !strings.HasSuffix(reason, ")"):
		return []string{"the capability that brings it is not named in brackets"}
	case len(strings.Fields(why)) < 3:
		return []string{fmt.Sprintf("%q is no reason", why)}
	case !slices.Contains(seedPlans, plan):
		return []string{fmt.Sprintf("%q is not among the capabilities to come", plan)}
	}
	return nil
}

// TestSeedCheckCatches shows that the check sees what it should.
func TestSeedCheckCatches(t *testing.T) {
	exists := func(r string) bool { return r == "pkg/x.TestY" || r == "scripts/e2e/z.sh" }
	for shown, ok := range map[string]bool{
		"`pkg/x.TestY`":                                                      true,
		"`pkg/x.TestY`, `scripts/e2e/z.sh`":                                  true,
		"not yet: there is one relay only (clusters)":                        true,
		"partly: `pkg/x.TestY`; not yet: there is one relay only (clusters)": true,
		"":                                     false,
		"it works":                             false,
		"`pkg/x.TestZ`":                        false,
		"`pkg/x.TestY`, `scripts/e2e/none.sh`": false,
		"`pkg/x.helper`":                       false,
		"`pkg/x.TestY` and more":               false,
		"not yet: ":                            false,
		"not yet: (clusters)":                  false,
		"not yet: there is one relay only":     false,
		"not yet: there is one relay only (some day)":                        false,
		"`pkg/x.TestY`; not yet: there is one relay only (clusters)":         false,
		"partly: `pkg/x.TestY`":                                              false,
		"partly: not yet: there is one relay only (clusters)":                false,
		"partly: `pkg/x.TestZ`; not yet: there is one relay only (clusters)": false,
	} {
		if problems := judgeShown(shown, exists); (len(problems) == 0) != ok {
			t.Errorf("%q: %q", shown, problems)
		}
	}
	var page strings.Builder
	for seed, n := range seedRows {
		for i := range n {
			fmt.Fprintf(&page, "| %s%d | a promise | `pkg/x.TestY` |\n", seed, i+1)
		}
	}
	whole := page.String()
	if problems := judgeSeeds(whole, exists); len(problems) > 0 {
		t.Errorf("a good page: %q", problems)
	}
	row := "| A7 | a promise | `pkg/x.TestY` |\n"
	for name, bad := range map[string]string{
		"a row is missing":  strings.Replace(whole, row, "", 1),
		"a row comes twice": whole + row,
		"an unknown row":    whole + "| E1 | a promise | `pkg/x.TestY` |\n",
		"an empty promise":  strings.Replace(whole, row, "| A7 | | `pkg/x.TestY` |\n", 1),
		"two columns":       whole + "| A7 | `pkg/x.TestY` |\n",
	} {
		if len(judgeSeeds(bad, exists)) == 0 {
			t.Errorf("%s, and nobody notices", name)
		}
	}
}
