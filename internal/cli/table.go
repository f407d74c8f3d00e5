package cli

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// everyProgram is the title of the section whose flags all programs have.
const everyProgram = "Every program"

// CheckTable compares the flags with the tables of a document in Markdown and
// returns a sentence for each difference. A table stands below a title of level
// two that is the name of the program, or "Every program". The first two cells
// of a row are the flag in backquotes and its default; for another name of a
// flag the second is "= `name`". Tests of the programs call it.
func (p *Program) CheckTable(markdown string) (differences []string) {
	differs := func(format string, args ...any) {
		differences = append(differences, p.Name+": "+fmt.Sprintf(format, args...))
	}
	documented := make(map[string]string) // flag to default
	here := false
	for text := range strings.Lines(markdown) {
		if title, ok := strings.CutPrefix(text, "## "); ok {
			title = strings.TrimSpace(title)
			here = title == p.Name || title == everyProgram
		}
		cells := strings.Split(text, "|")
		if !here || len(cells) < 4 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		name := strings.Trim(cells[1], " `")
		if _, twice := documented[name]; twice {
			differs("-%s is documented twice", name)
		}
		documented[name] = strings.ReplaceAll(strings.TrimSpace(cells[2]), "`", "")
	}
	declared := make(map[string]string)
	p.Flags.VisitAll(func(fl *flag.Flag) { declared[fl.Name] = fl.DefValue })
	for alias, target := range p.Flags.aliases {
		declared[alias] = "= " + target
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		switch said, ok := documented[name]; {
		case !ok:
			differs("-%s is not documented", name)
		case said != declared[name]:
			differs("-%s has the default %q and not %q", name, declared[name], said)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		if _, ok := declared[name]; !ok {
			differs("-%s is documented and does not exist", name)
		}
	}
	return differences
}
