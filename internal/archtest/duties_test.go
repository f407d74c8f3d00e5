package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// dutiesFile says of every duty of a relay what shows it, or why nothing does.
const dutiesFile = "docs/conformance.md"

// A test says in the last lines of its doc comment, and a script anywhere, which
// duties it shows, with the drafts if they are others than the newest alone:
//
//	// Duties: 9, 26.
//	// Duties in drafts 18, 16, 14: 33.
var (
	dutyLine    = regexp.MustCompile(`^(?://|#) Duties(?: in drafts ((?:\d+, )*\d+))?: ((?:\d+, )*\d+)\.$`)
	dutyHint    = regexp.MustCompile(`^\s*(?://|#)+ *[Dd]uties\b.*:`)
	dutySection = regexp.MustCompile(`^\d+(\.\d+)*$`)
	dutyRunner  = regexp.MustCompile(`^(Test|Fuzz)`)
)

// newestDraft is that of tests that name none; dutyRooms are those that no draft
// reaches, so that their tests hold for all.
const newestDraft = 18

var dutyRooms = []string{"pkg/egress", "pkg/namespace", "pkg/track", "pkg/transport/..."}

// shown is what says that it shows a duty.
type shown struct {
	by     string // "pkg/relay.TestRing", or the path of a script
	drafts []int  // none: drafts make no difference there
	duties []int
}

// readDuties reads a line of a comment; ok says whether it is about duties.
func readDuties(line string) (s shown, ok bool, err error) {
	m := dutyLine.FindStringSubmatch(line)
	if m == nil {
		if dutyHint.MatchString(line) {
			return s, true, fmt.Errorf("%q is not of the form %q", line, "Duties in drafts 18, 16: 1, 2.")
		}
		return s, false, nil
	}
	if m[1] != "" {
		s.drafts = numbers(m[1])
	}
	s.duties = numbers(m[2])
	return s, true, nil
}

// numbers reads what dutyLine found to be a list of them.
func numbers(list string) (all []int) {
	for field := range strings.SplitSeq(list, ", ") {
		n, err := strconv.Atoi(field)
		if err != nil {
			n = -1 // too large, so no duty and no draft
		}
		all = append(all, n)
	}
	return all
}

// shownByTests collects the doc comments of tests. A line about duties anywhere
// else is a mistake, since nobody would see it.
func shownByTests(t *testing.T) (all []shown) {
	t.Helper()
	for _, s := range files(t) {
		if s.dir == "internal/archtest" {
			continue
		}
		docs := map[*ast.CommentGroup]string{}
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test && f.Recv == nil && f.Doc != nil && dutyRunner.MatchString(f.Name.Name) {
				docs[f.Doc] = s.dir + "." + f.Name.Name
			}
		}
		for _, group := range s.syntax.Comments {
			for _, c := range group.List {
				found, ok, err := readDuties(c.Text)
				switch {
				case !ok:
				case err != nil:
					t.Errorf("%s: %v", s.at(c), err)
				case docs[group] == "":
					t.Errorf("%s: a line about duties belongs into the doc comment of a test", s.at(c))
				default:
					found.by = docs[group]
					if found.drafts == nil && !anyMatches(dutyRooms, s.dir) {
						found.drafts = []int{newestDraft}
					}
					all = append(all, found)
				}
			}
		}
	}
	return all
}

// shownByScripts collects the comments of the end-to-end tests.
func shownByScripts(t *testing.T) (all []shown) {
	t.Helper()
	scripts, err := filepath.Glob(filepath.Join(root, "scripts/e2e/*.sh"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no script found (%v); the test looks in the wrong place", err)
	}
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			found, ok, err := readDuties(strings.TrimSpace(line))
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if ok {
				found.by = "scripts/e2e/" + path.Base(name)
				if found.drafts == nil {
					found.drafts = []int{newestDraft}
				}
				all = append(all, found)
			}
		}
	}
	return all
}

// judgeDuties returns what is wrong with a table and what is said to show it.
func judgeDuties(table []duty, all []shown) (problems []string) {
	is := make([]bool, len(table))
	for _, s := range all {
		for _, n := range s.duties {
			if n < 1 || n >= len(table) {
				problems = append(problems, fmt.Sprintf("%s shows duty %d, which does not exist", s.by, n))
			} else {
				is[n] = true
			}
		}
		for _, d := range s.drafts {
			if d < 14 || d > newestDraft {
				problems = append(problems, fmt.Sprintf("%s names draft %d, which is not spoken", s.by, d))
			}
		}
	}
	reasons := map[string]int{} // whose they are
	for n, d := range table[1:] {
		n++
		if other := reasons[d.lacks]; other > 0 {
			problems = append(problems, fmt.Sprintf("duty %d has the reason of %d, as if it were copied", n, other))
		} else if d.lacks != "" {
			reasons[d.lacks] = n
		}
		if d.text == "" || strings.Contains(d.text+d.lacks, "|") {
			problems = append(problems, fmt.Sprintf("duty %d has no text, or one that breaks the table", n))
		}
		if !is[n] && d.lacks == "" {
			problems = append(problems, fmt.Sprintf("duty %d has neither a test nor a reason", n))
		}
		if d.lacks != "" && !strings.HasSuffix(d.lacks, ".") {
			problems = append(problems, fmt.Sprintf("the reason of duty %d is no sentence", n))
		}
		for s := range strings.SplitSeq(d.sections, ", ") {
			if d.sections != "" && !dutySection.MatchString(s) {
				problems = append(problems, fmt.Sprintf("duty %d names section %q", n, s))
			}
		}
	}
	return problems
}

// dutiesPage renders docs/conformance.md.
func dutiesPage(table []duty, all []shown) string {
	by, drafts := make([][]string, len(table)), make([][]int, len(table))
	for _, s := range all {
		for _, n := range s.duties {
			by[n] = append(by[n], "`"+s.by+"`")
			drafts[n] = append(drafts[n], s.drafts...)
		}
	}
	var yes, no bytes.Buffer
	whole, partly, missing := 0, 0, 0
	for n := 1; n < len(table); n++ {
		d := table[n]
		sections := d.sections
		if sections == "" {
			sections = "–"
		}
		switch {
		case len(by[n]) == 0:
			missing++
		case d.lacks != "":
			partly++
		default:
			whole++
		}
		if len(by[n]) > 0 {
			slices.Sort(by[n])
			fmt.Fprintf(&yes, "| %d | %s | %s | %s | %s |\n", n, d.text, sections, strings.Join(slices.Compact(by[n]), " "), draftList(drafts[n]))
		}
		if d.lacks != "" {
			how := "partly"
			if len(by[n]) == 0 {
				how = "no"
			}
			fmt.Fprintf(&no, "| %d | %s | %s | %s | %s |\n", n, d.text, sections, how, d.lacks)
		}
	}
	return fmt.Sprintf(dutiesHead, len(table)-1, whole, partly, missing) + yes.String() + dutiesMiddle + no.String()
}

// draftList names drafts, the newest first; no draft at all is any.
func draftList(drafts []int) string {
	if len(drafts) == 0 {
		return "any"
	}
	slices.Sort(drafts)
	drafts = slices.Compact(drafts)
	slices.Reverse(drafts)
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(drafts), " ", ", "), "[]")
}

const dutiesHead = `# Conformance: the duties of a relay

<!-- Written by internal/archtest from its list of duties and the comments of tests: go test ./internal/archtest -update -->

What drafts and reason demand of a relay, and what shows that ours does it. A test says in its doc comment which duties it
shows; this page is written from there, and a test fails when it is stale, when a duty has neither test nor reason, or when a
test names one that does not exist.

| duties | shown | partly | not |
|---|---|---|---|
| %d | %d | %d | %d |

## Shown

Sections are those of draft 18; "–" is what no draft says. Drafts are those in which the tests show it; "any" is shown in rooms
that no draft reaches.

| | duty | section | tests | drafts |
|---|---|---|---|---|
`

const dutiesMiddle = `
## Not done, or not shown

| | duty | section | shown | why |
|---|---|---|---|---|
`

// TestDutiesAreShown holds docs/conformance.md.
func TestDutiesAreShown(t *testing.T) {
	all := append(shownByTests(t), shownByScripts(t)...)
	problems := judgeDuties(duties, all)
	for _, p := range problems {
		t.Errorf("%s: %s", dutiesFile, p)
	}
	if len(problems) > 0 {
		return
	}
	name := filepath.Join(root, dutiesFile)
	want := dutiesPage(duties, all)
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("%s is stale (%v); run: go test ./internal/archtest -update", dutiesFile, err)
	}
}

func TestReadDuties(t *testing.T) {
	for line, want := range map[string]struct {
		found shown
		ok    bool
		bad   bool
	}{
		"// Duties: 1.":                      {found: shown{duties: []int{1}}, ok: true},
		"# Duties: 1, 22.":                   {found: shown{duties: []int{1, 22}}, ok: true},
		"// Duties in drafts 18, 14: 3, 79.": {found: shown{drafts: []int{18, 14}, duties: []int{3, 79}}, ok: true},
		"// Duties: 1":                       {ok: true, bad: true},
		"// duties: 1.":                      {ok: true, bad: true},
		"// Duties in draft 16: 1.":          {ok: true, bad: true},
		"// TestX: what is known.":           {},
		"// The duties of a relay.":          {},
	} {
		found, ok, err := readDuties(line)
		if ok != want.ok || (err != nil) != want.bad || !slices.Equal(found.drafts, want.found.drafts) || !slices.Equal(found.duties, want.found.duties) {
			t.Errorf("%q: %+v, %v, %v", line, found, ok, err)
		}
	}
}

func TestJudgeDuties(t *testing.T) {
	twice := duty{"x", "9", "Because."}
	if got := judgeDuties([]duty{1: twice, 2: twice}, nil); len(got) != 1 {
		t.Errorf("a reason that is copied: %q", got)
	}
	for name, tt := range map[string]struct {
		d    duty
		all  []shown
		want int // problems
	}{
		"shown":                 {duty{"x", "9.5", ""}, []shown{{"a.TestA", []int{18}, []int{1}}}, 0},
		"given a reason":        {duty{"x", "", "Because."}, nil, 0},
		"neither":               {duty{"x", "9", ""}, nil, 1},
		"no such duty":          {duty{"x", "9", "Because."}, []shown{{"a.TestA", nil, []int{0, 2}}}, 2},
		"no such draft":         {duty{"x", "9", ""}, []shown{{"a.TestA", []int{13, 19}, []int{1}}}, 2},
		"no text":               {duty{"", "9", "Because."}, nil, 1},
		"no sentence":           {duty{"x", "9", "because"}, nil, 1},
		"no section":            {duty{"x", "9.5, §8", "Because."}, nil, 1},
		"a bar within the text": {duty{"x | y", "9", "Because."}, nil, 1},
	} {
		if got := judgeDuties([]duty{1: tt.d}, tt.all); len(got) != tt.want {
			t.Errorf("%s: %q, want %d problems", name, got, tt.want)
		}
	}
}
