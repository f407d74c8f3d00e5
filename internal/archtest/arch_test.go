package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// source is one Go file of the module.
type source struct {
	path    string // relative to the module, with slashes
	dir     string
	test    bool
	lines   int
	syntax  *ast.File
	imports []string
	set     *token.FileSet
}

func (s *source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
}

const root = "../.."

// sources parses the module once for all tests.
var sources = sync.OnceValues(func() ([]*source, error) {
	var all []*source
	err := walk(func(name string) error {
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		s := &source{
			path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
			lines: bytes.Count(text, []byte("\n")), set: token.NewFileSet(),
		}
		s.syntax, err = parser.ParseFile(s.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, spec := range s.syntax.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, target)
		}
		all = append(all, s)
		return nil
	})
	return all, err
})

// walk visits the files of the module that are its own: nothing hidden but the
// continuous integration, nothing built, no module within the module.
func walk(visit func(name string) error) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if !d.IsDir() {
			if d.Type().IsRegular() {
				return visit(name)
			}
			return nil
		}
		base := path.Base(name)
		foreign := base == "node_modules" || name == "tools" || strings.HasPrefix(base, "_") ||
			strings.HasPrefix(base, ".") && name != "." && base != ".ci"
		if foreign {
			return fs.SkipDir
		}
		return nil
	})
}

func files(t *testing.T) []*source {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no Go file found; the test looks in the wrong place")
	}
	return all
}

// matches reports whether dir is what pattern names; "/..." includes what is below.
func matches(pattern, dir string) bool {
	stem, below := strings.CutSuffix(pattern, "/...")
	return dir == stem || below && strings.HasPrefix(dir, stem+"/")
}

func anyMatches(patterns []string, dir string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, dir) })
}

// within reports whether an import path belongs to a module.
func within(mod, target string) bool { return target == mod || strings.HasPrefix(target, mod+"/") }

func ruleFor(dir string) (rule, bool) {
	i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.dir, dir) })
	if i < 0 {
		return rule{}, false
	}
	return rules[i], true
}

// verdict says what is wrong with an import; it is empty if nothing is.
func verdict(dir string, test bool, target string) string {
	r, ok := ruleFor(dir)
	if !ok {
		return "the package has no row in rules_test.go; add one with its reason"
	}
	for banned, why := range bannedModules {
		if within(banned, target) {
			return why
		}
	}
	for _, q := range quicModules {
		if within(q, target) && !r.quic && !(test && target == simulatedNetwork) {
			return "only the carriers in pkg/transport and the test kit may import the QUIC libraries"
		}
	}
	if test {
		return "" // a test may put parts together that its package must not know
	}
	own, isOwn := strings.CutPrefix(target, module+"/")
	switch {
	case isOwn && !anyMatches(r.may, own):
		return r.why
	case !isOwn && r.stdOnly && strings.Contains(strings.SplitN(target, "/", 2)[0], "."):
		return "standard library only: " + r.why
	}
	return ""
}

func TestImports(t *testing.T) {
	for _, s := range files(t) {
		for _, target := range s.imports {
			if why := verdict(s.dir, s.test, target); why != "" {
				t.Errorf("%s imports %s: %s", s.path, target, why)
			}
		}
	}
}

// The rules themselves must catch what they are for.
func TestRulesCatch(t *testing.T) {
	for _, tt := range []struct {
		name   string
		dir    string
		test   bool
		target string
		ok     bool
	}{
		{"a track that knows sessions", "pkg/track", false, module + "/pkg/session", false},
		{"a relay that knows the screen", "pkg/relay", false, module + "/pkg/tui", false},
		{"a session that knows a carrier", "pkg/session", false, module + "/pkg/transport/quictr", false},
		{"a session on the interfaces", "pkg/session", false, module + "/pkg/transport", true},
		{"a screen that knows the relay", "pkg/tui/relayview", false, module + "/pkg/relay", false},
		{"QUIC in a session", "pkg/session", false, "github.com/quic-go/quic-go", false},
		{"QUIC in a test of sessions", "pkg/session", true, "github.com/quic-go/quic-go/http3", false},
		{"a simulated network in a test", "pkg/session", true, simulatedNetwork, true},
		{"a simulated network outside tests", "pkg/session", false, simulatedNetwork, false},
		{"QUIC in its carrier", "pkg/transport/quictr", false, "github.com/quic-go/quic-go", true},
		{"QUIC in a command", "cmd/moqrelayserver", false, "github.com/quic-go/quic-go", false},
		{"another module in the model", "pkg/model", false, "golang.org/x/sync/errgroup", false},
		{"the standard library in the model", "pkg/model", false, "log/slog", true},
		{"a second dialect in a test", "pkg/model", true, "github.com/stretchr/testify/require", false},
		{"a package without a rule", "pkg/novel", false, "fmt", false},
		{"a test that builds a house", "pkg/track", true, module + "/pkg/relay", true},
	} {
		if got := verdict(tt.dir, tt.test, tt.target) == ""; got != tt.ok {
			t.Errorf("%s: allowed %v, want %v", tt.name, got, tt.ok)
		}
	}
}

// A package that nothing imports and no rule names any more leaves a dead row;
// rows of rooms that are planned but not built are not dead.
func TestEveryRuleHasAReason(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range rules {
		if r.why == "" {
			t.Errorf("the rule of %s has no reason", r.dir)
		}
		if seen[r.dir] {
			t.Errorf("%s has two rules", r.dir)
		}
		seen[r.dir] = true
	}
	for name, why := range longFiles {
		if why == "" {
			t.Errorf("%s may be long for no reason", name)
		}
	}
}

var draftName = regexp.MustCompile(`^Draft\d+$`)

func TestDraftsEndAtThePorch(t *testing.T) {
	for _, s := range files(t) {
		if s.test || anyMatches(draftDirs, s.dir) {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "model" && draftName.MatchString(sel.Sel.Name) {
				t.Errorf("%s names %s: what differs between drafts is known to wire and session only", s.at(n), sel.Sel.Name)
			}
			return true
		})
	}
}

func TestPackagesAreNamedAndDocumented(t *testing.T) {
	documented := make(map[string]bool) // by directory
	for _, s := range files(t) {
		documented[s.dir] = documented[s.dir] || isDoc(s)
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no doc.go with a package comment (a command: main.go)", dir)
		}
		if slices.Contains(emptyNames, path.Base(dir)) {
			t.Errorf("%s: the name says nothing of what is in it", dir)
		}
	}
}

func isDoc(s *source) bool {
	want, start := "doc.go", "Package "+s.syntax.Name.Name+" "
	if s.syntax.Name.Name == "main" {
		want, start = "main.go", "Command "+path.Base(s.dir)+" "
	}
	return path.Base(s.path) == want && s.syntax.Doc != nil && strings.HasPrefix(s.syntax.Doc.Text(), start)
}

func TestFilesAreShort(t *testing.T) {
	long := make(map[string]bool)
	for _, s := range files(t) {
		if s.lines <= maxLines {
			continue
		}
		long[s.path] = true
		if longFiles[s.path] == "" {
			t.Errorf("%s has %d lines, more than %d: split it by concept, or give a reason in longFiles", s.path, s.lines, maxLines)
		}
	}
	for name := range longFiles {
		if !long[name] {
			t.Errorf("%s is in longFiles but is not long, or not there", name)
		}
	}
}

// In a synctest bubble time is virtual and Sleep costs nothing; elsewhere a
// test that sleeps is slow, or fails on a slow machine, or both.
func TestNoTestWaitsBySleeping(t *testing.T) {
	for _, s := range files(t) {
		if !s.test || slices.Contains(s.imports, "testing/synctest") {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && sel.Sel.Name == "Sleep" {
					t.Errorf("%s sleeps: wait for what should happen, or use testing/synctest", s.at(n))
				}
			}
			return true
		})
	}
}
