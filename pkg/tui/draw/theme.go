package draw

import (
	"fmt"
	"image/color"
	"strings"

	"charm.land/lipgloss/v2"
)

// Role is what a text is, from which its colour follows.
type Role uint8

// The roles. They never say anything that the text does not.
const (
	Text Role = iota
	Faint
	Accent
	OK
	Warn
	Err
	roles
)

// Options say how to draw.
type Options struct {
	Theme string // of Themes; empty: the first
	ASCII bool   // nothing but ASCII
}

// palettes are the colours of the roles by theme; nil is none.
var palettes = []struct {
	name, about string
	colors      [roles]color.Color
}{
	{"default", "the sixteen colours of the terminal", [roles]color.Color{
		nil, lipgloss.BrightBlack, lipgloss.Cyan, lipgloss.Green, lipgloss.Yellow, lipgloss.Red}},
	{"mono", "bold and faint only", [roles]color.Color{}},
	{"deuteranopia", "blue and orange, for who cannot tell red from green", [roles]color.Color{
		nil, lipgloss.Color("#8a8a8a"), lipgloss.Color("#56b4e9"), lipgloss.Color("#0072b2"), lipgloss.Color("#e69f00"), lipgloss.Color("#d55e00")}},
	{"tritanopia", "teal and red, for who cannot tell blue from yellow", [roles]color.Color{
		nil, lipgloss.Color("#8a8a8a"), lipgloss.Color("#00b4a0"), lipgloss.Color("#009e73"), lipgloss.Color("#cc79a7"), lipgloss.Color("#d53e4f")}},
	{"solarized", "for terminals with that palette", [roles]color.Color{
		nil, lipgloss.Color("#839496"), lipgloss.Color("#2aa198"), lipgloss.Color("#859900"), lipgloss.Color("#b58900"), lipgloss.Color("#dc322f")}},
}

// Themes returns the names of the themes, the default first.
func Themes() []string {
	names := make([]string, len(palettes))
	for i, p := range palettes {
		names[i] = p.name
	}
	return names
}

// Theme is how to draw. Make it with NewTheme.
type Theme struct {
	ASCII  bool
	styles [roles]lipgloss.Style
}

// NewTheme returns the theme of that name.
func NewTheme(o Options) (*Theme, error) {
	for i, p := range palettes {
		if p.name != o.Theme && (o.Theme != "" || i > 0) {
			continue
		}
		t := &Theme{ASCII: o.ASCII}
		for r := range roles {
			t.styles[r] = lipgloss.NewStyle()
			if c := p.colors[r]; c != nil {
				t.styles[r] = t.styles[r].Foreground(c)
			}
		}
		if p.name == "mono" {
			t.styles[Faint] = t.styles[Faint].Faint(true)
		}
		t.styles[Accent] = t.styles[Accent].Bold(true)
		t.styles[Err] = t.styles[Err].Bold(true)
		return t, nil
	}
	return nil, fmt.Errorf("there is no theme %q; there are %s", o.Theme, strings.Join(Themes(), ", "))
}

// Style returns the style of a role.
func (t *Theme) Style(r Role) lipgloss.Style { return t.styles[r] }

// Paint returns a text in the colour of its role.
func (t *Theme) Paint(r Role, s string) string {
	if r == Text || s == "" {
		return s
	}
	return t.styles[r].Render(s)
}

// Reverse returns a text with its colours exchanged, for the line of the cursor.
func (t *Theme) Reverse(s string) string { return lipgloss.NewStyle().Reverse(true).Render(s) }

// Sign is a mark that has a form in ASCII too.
type Sign uint8

// The signs.
const (
	Cursor   Sign = iota // the selected line
	Down                 // sorted, the largest first
	Up                   // sorted, the smallest first
	Live                 // a light that is on
	Warning              // something is wrong
	Back                 // where esc leads
	Dot                  // between a namespace and a name
	Ellipsis             // something was left out
	Dash                 // a value that is not known
	Bar                  // a horizontal line
	Upright              // a vertical line
	TopLeft              // corners of a box
	TopRight
	BottomLeft
	BottomRight
	signs
)

var drawn = [signs][2]string{
	Cursor: {"▸", ">"}, Down: {"↓", "v"}, Up: {"↑", "^"}, Live: {"●", "*"}, Warning: {"⚠", "!"}, Back: {"‹", "<"}, Dot: {"·", "."},
	Ellipsis: {"…", "~"}, Dash: {Unknown, "-"}, Bar: {"─", "-"}, Upright: {"│", "|"},
	TopLeft: {"╭", "+"}, TopRight: {"╮", "+"}, BottomLeft: {"╰", "+"}, BottomRight: {"╯", "+"},
}

// Sign returns a mark.
func (t *Theme) Sign(s Sign) string {
	if t.ASCII {
		return drawn[s][1]
	}
	return drawn[s][0]
}

// Fit is Fit or FitASCII, as the theme wants it.
func (t *Theme) Fit(s string, width int) string {
	if t.ASCII {
		return FitASCII(s, width)
	}
	return Fit(s, width)
}

// Plain returns s with everything replaced that is not ASCII, if the theme wants
// that.
func (t *Theme) Plain(s string) string {
	if !t.ASCII {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '–':
			return '-'
		case r == 'µ':
			return 'u'
		case r == '…':
			return '~'
		case r > '~':
			return '?'
		}
		return r
	}, s)
}

// Rule returns a horizontal line.
func (t *Theme) Rule(width int) string { return strings.Repeat(t.Sign(Bar), max(width, 0)) }
