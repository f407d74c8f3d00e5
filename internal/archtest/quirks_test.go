package archtest

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"oxymoq/pkg/session"
)

// lenientFiles hold nothing but what is taken of peers beyond the text of the
// drafts, and what that needs.
var lenientFiles = []string{
	"pkg/wire/lenient.go", "pkg/session/quirks.go", "pkg/relay/quirks.go", "pkg/transport/wttr/lenient.go",
}

// quirkStructs are those whose fields are quirks of peers.
var quirkStructs = []string{"pkg/wire", "pkg/session"}

// named finds "pkg/wire.toleratesParam" between backquotes.
var named = regexp.MustCompile("`((?:pkg|internal)/[a-z0-9/]+)\\.([A-Za-z0-9]+)`")

// quirksDoc returns docs/quirks.md.
func quirksDoc(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "docs/quirks.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestQuirksThatAreListedExist: what docs/quirks.md names is there, and every row
// of its tables has a function and a test.
func TestQuirksThatAreListedExist(t *testing.T) {
	type function struct {
		dir, name string
		test      bool
	}
	there := map[function]bool{}
	for _, s := range files(t) {
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				there[function{s.dir, f.Name.Name, s.test}] = true
			}
		}
	}
	rows := 0
	for line := range strings.SplitSeq(quirksDoc(t), "\n") {
		tested, placed := false, false
		for _, m := range named.FindAllStringSubmatch(line, -1) {
			f := function{m[1], m[2], strings.HasPrefix(m[2], "Test")}
			if !there[f] {
				t.Errorf("docs/quirks.md names %s, which %s has not", m[2], m[1])
			}
			tested, placed = tested || f.test, placed || !f.test
		}
		if cells := strings.Count(line, " | "); !strings.HasPrefix(line, "|") || cells < 3 || strings.Contains(line, "---") {
			continue
		}
		if tested || placed {
			rows++
			if !tested || !placed {
				t.Errorf("docs/quirks.md has a row without a function or a test: %s", line)
			}
		}
	}
	if rows < 20 {
		t.Errorf("only %d rows were found; the test looks for the wrong thing", rows)
	}
}

// TestEveryQuirkIsListed: functions of the files for leniencies, fields of the
// structs for quirks, and profiles.
func TestEveryQuirkIsListed(t *testing.T) {
	doc := quirksDoc(t)
	want := func(what, where string) {
		t.Helper()
		if !strings.Contains(doc, "`"+what+"`") {
			t.Errorf("docs/quirks.md does not name %s of %s", what, where)
		}
	}
	for _, p := range session.Profiles() {
		want(p.Name, "the profiles")
	}
	fields := 0
	for _, s := range files(t) {
		if slices.Contains(lenientFiles, s.path) {
			for _, d := range s.syntax.Decls {
				if f, ok := d.(*ast.FuncDecl); ok {
					want(s.dir+"."+f.Name.Name, s.path)
				}
			}
		}
		if s.test || !slices.Contains(quirkStructs, s.dir) {
			continue
		}
		for _, name := range quirksOf(s.syntax) {
			fields++
			want(name, path.Base(s.path))
		}
	}
	if fields < 10 {
		t.Errorf("only %d quirks were found; the test looks for the wrong thing", fields)
	}
}

// quirksOf returns the fields of a struct called Quirks, but for what it embeds.
func quirksOf(f *ast.File) (names []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "Quirks" {
			return true
		}
		if st, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range st.Fields.List {
				for _, name := range field.Names {
					names = append(names, name.Name)
				}
			}
		}
		return false
	})
	return names
}
