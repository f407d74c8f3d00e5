package draw

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Width returns how many cells a text with styles takes.
func Width(s string) int { return ansi.StringWidth(s) }

// Fit returns one line of exactly the width: cut with an ellipsis or filled with
// blanks. A line break in s ends it.
func Fit(s string, width int) string { return fit(s, width, "…") }

// FitASCII is Fit with "~" for the ellipsis.
func FitASCII(s string, width int) string { return fit(s, width, "~") }

func fit(s string, width int, tail string) string {
	if width <= 0 {
		return ""
	}
	s, _, _ = strings.Cut(s, "\n")
	w := ansi.StringWidth(s)
	if w > width {
		s = ansi.Truncate(s, width, tail)
		w = ansi.StringWidth(s)
	}
	return s + strings.Repeat(" ", max(width-w, 0))
}

// Right returns s at the right end of the width, or cut to it.
func Right(s string, width int) string {
	if w := ansi.StringWidth(s); w < width {
		return strings.Repeat(" ", width-w) + s
	}
	return Fit(s, width)
}

// Between returns a line with left at its left and right at its right end. If
// they do not fit, left is cut.
func Between(left, right string, width int) string {
	w := ansi.StringWidth(right)
	if w >= width {
		return Fit(right, width)
	}
	return Fit(left, width-w) + right
}

// Clean replaces what would move the cursor or take no cell, in text that came
// from outside.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ', r == 0x7F, r >= 0x80 && r < 0xA0, r >= 0x200B && r <= 0x200F, r >= 0x2028 && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0xFEFF, r == 0xFFFD:
			return '·'
		}
		return r
	}, s)
}
