package clients

import (
	"slices"
	"strings"
	"time"

	"oxymoq/pkg/tui/draw"
)

// columns puts the parts of rows below each other, each as wide as the widest of
// its column. Where not all fit into the width, columns of the largest rank are
// left out first, among equals the one further right. A column without text is
// left out too. All rows have the same number of parts, and the same ranks.
func columns(rows [][]part, width int) []string {
	if len(rows) == 0 {
		return nil
	}
	const gap = 2
	wide := make([]int, len(rows[0]))
	used := -gap
	for i := range wide {
		for _, r := range rows {
			wide[i] = max(wide[i], draw.Width(r[i].text))
		}
		if wide[i] > 0 {
			used += wide[i] + gap
		}
	}
	for used > width {
		leaver := -1
		for i, p := range rows[0] {
			if wide[i] > 0 && p.rank > 0 && (leaver < 0 || p.rank >= rows[0][leaver].rank) {
				leaver = i
			}
		}
		if leaver < 0 {
			break // what is left is cut
		}
		used -= wide[leaver] + gap
		wide[leaver] = 0
	}
	lines := make([]string, 0, len(rows))
	for _, r := range rows {
		var cells []string
		for i, p := range r {
			if wide[i] > 0 {
				cells = append(cells, draw.Fit(p.text, wide[i]))
			}
		}
		lines = append(lines, " "+strings.Join(cells, strings.Repeat(" ", gap)))
	}
	return lines
}

// withLog puts the end of the log below lines, as much of it as there is room for.
func (f *frame) withLog(lines []string, height int) []string {
	room := height - len(lines) - 1
	if room < 1 || len(f.log.events) == 0 {
		return lines
	}
	f.logged = true
	t := f.theme
	title := " log "
	lines = append(slices.Clip(lines), t.Paint(draw.Faint, t.Rule(1)+title+t.Rule(f.width-1-len(title))))
	all := f.log.lines(t)
	return append(lines, all[max(len(all)-room, 0):]...)
}

// freshFor is how long a warning is pointed out.
const freshFor = 10 * time.Second

// attention is the newest warning of the log while it is fresh, for where there is
// no room for the log.
func (f *frame) attention(now time.Time) string {
	e, ok := f.log.worst()
	if f.logged || !ok || now.Sub(e.Time) > freshFor {
		return ""
	}
	return f.log.text(f.theme, e)
}
