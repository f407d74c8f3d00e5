package dashboard

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/table"
)

// export writes what is shown to a file, as JSON. Without a name the file is
// named after the screen and the time of what is shown.
func (m *Model) export(name string) tea.Cmd {
	if m.state == nil {
		return nil
	}
	v, what := m.exported()
	if name == "" {
		name = fmt.Sprintf("oxymoq-%s-%s.json", what, m.state.Time.Format("20060102-150405"))
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(m.opts.Directory, name)
	}
	return func() tea.Msg {
		text, err := json.MarshalIndent(v, "", "  ")
		if err == nil {
			err = os.WriteFile(path, append(text, '\n'), 0o600)
		}
		if err != nil {
			return actionMsg{err: fmt.Errorf("cannot export: %w", err)}
		}
		return actionMsg{done: "exported to " + path}
	}
}

// exported returns what is shown: the rows that the filter lets through, as they
// are sorted.
func (m *Model) exported() (v any, what string) {
	if m.open != nil && m.open.shown != nil {
		return m.open.shown, "track"
	}
	s := m.state
	rows := m.tables[m.screen].Rows()
	what = strings.ToLower(m.screen.String())
	switch m.screen {
	case tracksScreen, cacheScreen:
		return pick(rows, s.Tracks, func(t observe.TrackState) string { return t.ID }), what
	case sessionsScreen:
		return pick(rows, s.Sessions, func(x observe.SessionState) string { return x.ID }), what
	case namespacesScreen:
		return pick(rows, s.Spaces, spaceID), what
	case linksScreen:
		return pick(rows, s.Links, func(x observe.LinkState) string { return x.URL }), what
	}
	return pick(rows, m.events, func(e observe.Event) string { return fmt.Sprint(e.Number) }), what
}

// pick returns the values that rows show, in their order.
func pick[T any](rows []table.Row, all []T, id func(T) string) []T {
	byID := make(map[string]T, len(all))
	for _, v := range all {
		byID[id(v)] = v
	}
	out := make([]T, 0, len(rows))
	for _, r := range rows {
		if v, ok := byID[r.ID]; ok {
			out = append(out, v)
		}
	}
	return out
}
