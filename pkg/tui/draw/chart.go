package draw

import (
	"math"
	"strings"
)

// levels are the heights of a sparkline's cell.
var (
	levels      = []rune("▁▂▃▄▅▆▇█")
	asciiLevels = []rune("_.:-=+*#")
)

// Spark returns the newest values as bars, one to a cell, newest right, the
// largest of them a full one. What is missing on the left is blank; NaN is a
// blank cell.
func (t *Theme) Spark(values []float64, width int) string {
	if width <= 0 {
		return ""
	}
	if len(values) > width {
		values = values[len(values)-width:]
	}
	top := 0.0
	for _, v := range values {
		if v > top && !math.IsInf(v, 0) {
			top = v
		}
	}
	set := levels
	if t.ASCII {
		set = asciiLevels
	}
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", width-len(values)))
	for _, v := range values {
		b.WriteRune(level(v, top, set))
	}
	return b.String()
}

func level(v, top float64, set []rune) rune {
	switch {
	case math.IsNaN(v):
		return ' '
	case v <= 0 || top <= 0:
		return set[0]
	}
	return set[min(int(v/top*float64(len(set))), len(set)-1)]
}

// Gauge returns a bar that is filled to a share of 0 to 1.
func (t *Theme) Gauge(share float64, width int) string {
	if width <= 0 {
		return ""
	}
	if math.IsNaN(share) {
		share = 0
	}
	full := int(math.Round(min(max(share, 0), 1) * float64(width)))
	on, off := "█", "░"
	if t.ASCII {
		on, off = "#", "."
	}
	return strings.Repeat(on, full) + strings.Repeat(off, width-full)
}

// Box returns lines in a frame of the width, with a title in its upper edge.
func (t *Theme) Box(title string, lines []string, width, height int) []string {
	if width < 4 || height < 2 {
		return nil
	}
	bar := t.Sign(Bar)
	head := t.Sign(TopLeft) + bar + " " + t.Fit(title, min(Width(title), width-6)) + " "
	head += strings.Repeat(bar, max(width-1-Width(head), 0)) + t.Sign(TopRight)
	out := []string{head}
	for i := range height - 2 {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		out = append(out, t.Sign(Upright)+" "+t.Fit(line, width-4)+" "+t.Sign(Upright))
	}
	return append(out, t.Sign(BottomLeft)+strings.Repeat(bar, width-2)+t.Sign(BottomRight))
}
