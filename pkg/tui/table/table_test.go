package table

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"oxymoq/pkg/tui/draw"
)

func tracks() *Table {
	return New([]Column{
		{Title: "TRACK", Flex: true, Min: 20},
		{Title: "ST", Width: 6, Priority: 1},
		{Title: "SUBS", Width: 6, Right: true, Descending: true, Priority: 2},
		{Title: "OUT", Width: 7, Right: true, Descending: true, Priority: 3},
	})
}

func rows(subs ...float64) []Row {
	var all []Row
	for i, n := range subs {
		name := fmt.Sprintf("live/cam%d", i)
		all = append(all, Row{ID: name, Cells: []Cell{{Text: name}, {Text: "live", Role: draw.OK}, {Text: fmt.Sprint(n), Sort: n}, {Text: "1.2M"}}})
	}
	return all
}

func ids(t *Table) string {
	var all []string
	for _, r := range t.Rows() {
		all = append(all, strings.TrimPrefix(r.ID, "live/cam"))
	}
	return strings.Join(all, " ")
}

func ascii(t *testing.T) *draw.Theme {
	t.Helper()
	th, err := draw.NewTheme(draw.Options{ASCII: true, Theme: "mono"})
	if err != nil {
		t.Fatal(err)
	}
	return th
}

func TestSortAndFilter(t *testing.T) {
	tb := tracks()
	tb.SetRows(rows(3, 1, 2, 2))
	check := func(want string) {
		t.Helper()
		if got := ids(tb); got != want {
			t.Errorf("rows %s, want %s", got, want)
		}
	}
	check("0 1 2 3")
	tb.SortBy(2)
	check("0 2 3 1")
	tb.Reverse()
	check("1 2 3 0")
	if title, descending := tb.Sorting(); title != "SUBS" || descending {
		t.Errorf("sorted by %s, %v", title, descending)
	}
	tb.SetFilter(ParseFilter("CAM !cam1"))
	check("2 3 0")
	if shown, all := tb.Len(); shown != 3 || all != 4 {
		t.Errorf("%d of %d", shown, all)
	}
	tb.SetFilter(ParseFilter("~lvam3l"))
	check("3")
	tb.SetFilter(Filter{})
	tb.SortBy(-1)
	check("0 1 2 3")
	for range 5 {
		tb.NextSort()
	}
	if title, _ := tb.Sorting(); title != "TRACK" {
		t.Errorf("sorted by %s", title)
	}
}

// TestCursorStays on its row when rows come, go and move.
func TestCursorStays(t *testing.T) {
	tb := tracks()
	tb.SetRows(rows(3, 1, 2))
	tb.Move(1)
	tb.SortBy(2)
	if tb.Selected() != "live/cam1" {
		t.Errorf("after sorting the cursor is on %s", tb.Selected())
	}
	tb.SetRows(rows(0, 9, 2, 2))
	if tb.Selected() != "live/cam1" || ids(tb) != "1 3 2 0" && ids(tb) != "1 2 3 0" {
		t.Errorf("after new rows %s the cursor is on %s", ids(tb), tb.Selected())
	}
	tb.SetRows(rows(5)) // its row has gone
	if tb.Selected() != "live/cam0" {
		t.Errorf("the cursor is on %s", tb.Selected())
	}
	tb.SetRows(nil)
	if tb.Selected() != "" {
		t.Errorf("the cursor of an empty table is on %s", tb.Selected())
	}
	tb.SetRows(rows(1, 2, 3))
	tb.Follow(true)
	tb.SortBy(-1)
	tb.SetRows(rows(1, 2, 3, 4))
	if tb.Selected() != "live/cam3" || !tb.Following() {
		t.Errorf("following, the cursor is on %s", tb.Selected())
	}
	tb.Move(-100)
	tb.Select("live/cam2")
	tb.Select("nothing")
	if tb.Selected() != "live/cam2" || tb.Following() {
		t.Errorf("the cursor is on %s", tb.Selected())
	}
}

// TestEveryWidth: lines have the width that was asked for, and columns leave by
// priority.
func TestEveryWidth(t *testing.T) {
	tb := tracks()
	tb.SetRows(rows(1, 2, 3))
	last := len(tb.Columns())
	for width := 200; width >= 1; width-- {
		lines := tb.Render(ascii(t), width, 6)
		if len(lines) != 6 {
			t.Fatalf("%d lines", len(lines))
		}
		for _, line := range lines {
			if draw.Width(line) != width {
				t.Errorf("width %d: %q has %d cells", width, line, draw.Width(line))
			}
		}
		columns := 0
		for _, title := range []string{"TRACK", "ST", "SUBS", "OUT"} {
			if slices.Contains(strings.Fields(ansi.Strip(lines[0])), title) {
				columns++
			}
		}
		if columns > last {
			t.Errorf("width %d has more columns than the one before", width)
		}
		last = columns
	}
	if got := strings.Fields(ansi.Strip(tb.Render(ascii(t), 40, 2)[0])); strings.Join(got, " ") != "TRACK ST SUBS" {
		t.Errorf("with 40 cells: %v", got)
	}
}

func TestScroll(t *testing.T) {
	tb := tracks()
	tb.SetRows(rows(make([]float64, 50)...))
	tb.Move(30)
	lines := tb.Render(ascii(t), 60, 11)
	if !strings.HasPrefix(ansi.Strip(lines[10]), " > live/cam30") {
		t.Errorf("the cursor's line is %q", lines[10])
	}
	if id := tb.RowAt(1); id != "live/cam21" {
		t.Errorf("the first line has %s", id)
	}
	if tb.RowAt(0) != "" || tb.RowAt(100) != "" {
		t.Error("a row where there is none")
	}
	tb.Move(-30)
	if lines = tb.Render(ascii(t), 60, 11); !strings.HasPrefix(ansi.Strip(lines[1]), " > live/cam0") {
		t.Errorf("the cursor's line is %q", lines[1])
	}
	if tb.Render(ascii(t), 60, 0) != nil {
		t.Error("lines without height")
	}
}

func FuzzFilter(f *testing.F) {
	f.Add("cam !1 ~lv", "live/cam1")
	f.Fuzz(func(t *testing.T, filter, text string) {
		p := ParseFilter(filter)
		if got := p.Match(text); p.Empty() && !got {
			t.Errorf("an empty filter %q does not match %q", filter, text)
		}
	})
}

func BenchmarkRender(b *testing.B) {
	th, err := draw.NewTheme(draw.Options{})
	if err != nil {
		b.Fatal(err)
	}
	tb := tracks()
	tb.SetRows(rows(make([]float64, 5000)...))
	for b.Loop() {
		tb.Render(th, 200, 60)
	}
}
