package table

import (
	"cmp"
	"slices"
	"strings"

	"oxymoq/pkg/tui/draw"
)

// Column is one column. Exactly one of a table should be Flex, which takes the
// cells that are left.
type Column struct {
	Title string
	Key   string // names it in exports; empty: the title in small letters
	Width int
	Right bool // numbers are
	Flex  bool
	Min   int // the least width of a Flex column; others leave for it
	// Priority says who leaves first when not all fit: the largest number does,
	// among equals the one further right. 0 stays.
	Priority int
	// Descending: the first sorting by it has the largest first.
	Descending bool
}

// Cell is one value of a row.
type Cell struct {
	Text string // must be clean: see draw.Clean
	Role draw.Role
	// Sort is what the row is sorted by; where it is equal, and for texts,
	// Text is.
	Sort float64
}

// Row is one line. Its ID keeps the cursor on it.
type Row struct {
	ID    string
	Cells []Cell
	// Find is what a filter is matched against beside the cells.
	Find string
}

// Table is a list of rows with a cursor. Make it with New.
type Table struct {
	columns []Column
	rows    []Row // sorted and filtered
	all     []Row

	sort     int // column; -1: as the rows came
	reversed bool
	filter   Filter

	selected string // ID
	cursor   int
	top      int // first row that is shown
	follow   bool
}

// New returns an empty table that is not sorted.
func New(columns []Column) *Table { return &Table{columns: columns, sort: -1} }

// SetRows replaces the rows. The cursor stays on the row of the same ID, or on the
// same line.
func (t *Table) SetRows(rows []Row) {
	t.all = rows
	t.arrange()
}

// arrange filters and sorts, and puts the cursor back where it was.
func (t *Table) arrange() {
	t.rows = t.rows[:0]
	for _, r := range t.all {
		if t.filter.matches(r) {
			t.rows = append(t.rows, r)
		}
	}
	if t.sort >= 0 {
		slices.SortStableFunc(t.rows, func(a, b Row) int {
			x, y := a.cell(t.sort), b.cell(t.sort)
			c := cmp.Or(cmp.Compare(x.Sort, y.Sort), cmp.Compare(x.Text, y.Text))
			if t.reversed {
				c = -c
			}
			return cmp.Or(c, cmp.Compare(a.ID, b.ID))
		})
	}
	if i := slices.IndexFunc(t.rows, func(r Row) bool { return r.ID == t.selected }); i >= 0 {
		t.cursor = i
	}
	if t.follow {
		t.cursor = len(t.rows) - 1
	}
	t.clamp()
}

func (r Row) cell(i int) Cell {
	if i < len(r.Cells) {
		return r.Cells[i]
	}
	return Cell{}
}

func (t *Table) clamp() {
	t.cursor = max(min(t.cursor, len(t.rows)-1), 0)
	t.selected = ""
	if len(t.rows) > 0 {
		t.selected = t.rows[t.cursor].ID
	}
}

// Len returns how many rows the filter lets through, and how many there are.
func (t *Table) Len() (shown, all int) { return len(t.rows), len(t.all) }

// Rows returns the rows that the filter lets through, as they are sorted.
func (t *Table) Rows() []Row { return t.rows }

// Columns returns the columns.
func (t *Table) Columns() []Column { return t.columns }

// Selected returns the ID of the row under the cursor; empty if there is none.
func (t *Table) Selected() string { return t.selected }

// Select puts the cursor on the row of that ID, if there is one.
func (t *Table) Select(id string) {
	if i := slices.IndexFunc(t.rows, func(r Row) bool { return r.ID == id }); i >= 0 {
		t.cursor, t.selected, t.follow = i, id, false
	}
}

// Move moves the cursor by rows; it stops at the ends.
func (t *Table) Move(rows int) {
	t.follow = false
	t.cursor += rows
	t.clamp()
}

// Follow keeps the cursor on the last row, until it is moved.
func (t *Table) Follow(on bool) {
	t.follow = on
	t.arrange()
}

// Following reports whether the cursor is kept on the last row.
func (t *Table) Following() bool { return t.follow }

// SetFilter shows only what the filter matches.
func (t *Table) SetFilter(f Filter) {
	t.filter = f
	t.arrange()
}

// SortBy sorts by a column, in its first order; by the same one again it reverses.
// A column that does not exist restores the order in which the rows came.
func (t *Table) SortBy(column int) {
	switch {
	case column < 0 || column >= len(t.columns):
		t.sort = -1
	case column == t.sort:
		t.reversed = !t.reversed
	default:
		t.sort, t.reversed = column, t.columns[column].Descending
	}
	t.arrange()
}

// NextSort sorts by the next column.
func (t *Table) NextSort() {
	if len(t.columns) > 0 {
		t.SortBy((t.sort + 1) % len(t.columns))
	}
}

// Reverse reverses the order.
func (t *Table) Reverse() {
	if t.sort >= 0 {
		t.SortBy(t.sort)
	}
}

// Sorting returns the title of the column and whether the largest is first;
// empty if the rows are as they came.
func (t *Table) Sorting() (title string, descending bool) {
	if t.sort < 0 {
		return "", false
	}
	return t.columns[t.sort].Title, t.reversed
}

// gap is between two columns.
const gap = 2

// layout returns the widths of the columns for a width; 0: the column is left out.
func (t *Table) layout(width int) []int {
	widths := make([]int, len(t.columns))
	left := width - 3 // the cursor and its blanks
	flex := -1
	for i, c := range t.columns {
		if c.Flex {
			flex, widths[i] = i, max(c.Min, 1)
		} else {
			widths[i] = max(c.Width, draw.Width(c.Title)+1) // room for the mark of sorting
		}
	}
	used := func() (n int) {
		for _, w := range widths {
			if w > 0 {
				n += w + gap
			}
		}
		return max(n-gap, 0)
	}
	for used() > left {
		leaver := -1
		for i, c := range t.columns {
			if widths[i] > 0 && c.Priority > 0 && (leaver < 0 || c.Priority >= t.columns[leaver].Priority) {
				leaver = i
			}
		}
		if leaver < 0 {
			break // what is left is cut
		}
		widths[leaver] = 0
	}
	if flex >= 0 {
		widths[flex] = max(widths[flex]+left-used(), 1)
	}
	return widths
}

// Render returns exactly height lines of exactly that width: the titles and as
// many rows as fit, with the cursor among them.
func (t *Table) Render(theme *draw.Theme, width, height int) []string {
	if height <= 0 {
		return nil
	}
	widths := t.layout(width)
	lines := []string{theme.Paint(draw.Faint, theme.Fit(t.titles(theme, widths), width))}
	rows := height - 1
	t.top = max(min(t.top, t.cursor), t.cursor-rows+1, 0)
	t.top = min(t.top, max(len(t.rows)-rows, 0))
	for i := range rows {
		n := t.top + i
		if n >= len(t.rows) {
			lines = append(lines, strings.Repeat(" ", max(width, 0)))
			continue
		}
		mark, role := "   ", draw.Text
		if n == t.cursor {
			mark, role = " "+theme.Sign(draw.Cursor)+" ", draw.Accent
		}
		cells := make([]string, 0, len(widths))
		for j, w := range widths {
			if w == 0 {
				continue
			}
			cell := t.rows[n].cell(j)
			text := align(theme, theme.Plain(cell.Text), w, t.columns[j].Right)
			if cell.Role == draw.Text && t.columns[j].Flex {
				cell.Role = role
			}
			cells = append(cells, theme.Paint(cell.Role, text))
		}
		lines = append(lines, theme.Fit(theme.Paint(role, mark)+strings.Join(cells, strings.Repeat(" ", gap)), width))
	}
	return lines
}

func (t *Table) titles(theme *draw.Theme, widths []int) string {
	cells := make([]string, 0, len(widths))
	for j, w := range widths {
		if w == 0 {
			continue
		}
		title := t.columns[j].Title
		if j == t.sort {
			sign := draw.Up
			if t.reversed {
				sign = draw.Down
			}
			title += theme.Sign(sign)
		}
		cells = append(cells, align(theme, title, w, t.columns[j].Right))
	}
	return "   " + strings.Join(cells, strings.Repeat(" ", gap))
}

func align(theme *draw.Theme, s string, width int, right bool) string {
	if right && draw.Width(s) < width {
		return draw.Right(s, width)
	}
	return theme.Fit(s, width)
}

// RowAt returns the ID of the row on a line of what Render returned, empty if there
// is none: line 0 are the titles.
func (t *Table) RowAt(line int) string {
	if n := t.top + line - 1; line >= 1 && n < len(t.rows) {
		return t.rows[n].ID
	}
	return ""
}
