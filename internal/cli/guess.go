package cli

import (
	"flag"
	"maps"
	"slices"
	"strings"
)

// guess finds the name that was probably meant by one that does not exist.
type guess struct {
	best  string
	least int // slips that the best one takes; 0: there is none yet
}

// maxSlips is how many slips are taken for such; more is another word.
const maxSlips = 2

// try looks whether given may mean name, which is then shown as in shown.
func (g *guess) try(given, name, shown string) {
	if len(given) > len(name)+maxSlips {
		return // and given may be very long
	}
	d := distance(given, name)
	if len(given) > 2 && strings.HasPrefix(name, given) {
		d = 1
	}
	if d <= maxSlips && d < len(name) && (g.best == "" || d < g.least) {
		g.best, g.least = shown, d
	}
}

// Nearest returns the one of names that was probably meant by given, or "".
func Nearest(given string, names []string) string {
	var g guess
	for _, name := range names {
		g.try(given, name, name)
	}
	return g.best
}

// unknown names the flag that was probably meant.
func (f *FlagSet) unknown(arg string) error {
	given := strings.ReplaceAll(strings.TrimLeft(name(arg), "-"), "-", "_")
	var g guess
	off, negated := strings.CutPrefix(given, "no")
	f.VisitAll(func(fl *flag.Flag) {
		g.try(given, fl.Name, fl.Name)
		if negated && isBool(fl) {
			g.try(strings.TrimPrefix(off, "_"), fl.Name, "no"+fl.Name)
		}
	})
	for _, alias := range slices.Sorted(maps.Keys(f.aliases)) {
		g.try(given, alias, alias)
	}
	if g.best == "" {
		return Usagef("unknown flag %s", name(arg))
	}
	return Usagef("unknown flag %s, did you mean -%s", name(arg), g.best)
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour that makes b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
