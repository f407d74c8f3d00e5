// Package draw turns values into the cells of a terminal: numbers of a fixed
// width, bars and sparklines, styles by role, and lines that fit exactly.
//
// Everything is a pure function of its arguments and a Theme, so that a screen
// can be compared with a file. A Theme knows six roles and no colours beyond
// them; what a colour says is also said by a word or a sign. With Theme.ASCII
// nothing but ASCII is drawn.
//
// The package knows neither keys nor what the values mean. It has no goroutines
// and no locks; a Theme is not changed after it was made.
//
//	t := draw.NewTheme(draw.Options{})
//	line := draw.Fit(t.Style(draw.Accent).Render("▸ ")+draw.Right(draw.SI(18.4e6), 6), 20)
package draw
