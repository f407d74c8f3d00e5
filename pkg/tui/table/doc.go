// Package table draws tables that are wider than the terminal, longer than it, and
// still to be read: columns leave by priority until the rest fits, numbers stay in
// place, the cursor stays on its row whatever the rows do, and sorting and
// filtering happen here.
//
// A Table is a plain struct: its user gives it rows and keys' effects, and asks
// for lines of an exact width. It reads no keys, has no goroutines and no locks.
//
//	t := table.New([]table.Column{{Title: "TRACK", Flex: true, Min: 20}, {Title: "SUBS", Width: 6, Right: true}})
//	t.SetRows([]table.Row{{ID: "1", Cells: []table.Cell{{Text: "live/cam1"}, {Text: "22", Sort: 22}}}})
//	lines := t.Render(theme, 100, 20)
package table
