package dashboard

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/draw"
	"oxymoq/pkg/tui/table"
)

// number is a column of numbers, the largest first.
func number(title string, width, priority int) table.Column {
	return table.Column{Title: title, Width: width, Right: true, Priority: priority, Descending: true}
}

func newTables() (all [screens]*table.Table) {
	all[tracksScreen] = table.New([]table.Column{
		{Title: "TRACK", Flex: true, Min: 20}, {Title: "ST", Width: 7, Priority: 1}, number("SUBS", 5, 2),
		{Title: "GROUP/OBJ", Width: 13, Right: true, Priority: 6}, number("IN b/s", 7, 5), number("OUT b/s", 8, 3),
		number("CACHE", 8, 7), number("LAG", 6, 4), {Title: "LAST", Width: 14, Priority: 8},
	})
	all[sessionsScreen] = table.New([]table.Column{
		{Title: "ID", Width: 5}, {Title: "PEER", Flex: true, Min: 18}, {Title: "TRANSP", Width: 6, Priority: 4}, {Title: "DRAFT", Width: 5, Priority: 5},
		{Title: "ROLE", Width: 7, Priority: 1}, number("TRK", 4, 3), number("RTT", 6, 6), number("LOSS", 5, 7), number("CWND", 6, 10),
		number("IN b/s", 7, 2), number("OUT b/s", 8, 2), {Title: "SPEAKS", Width: 18, Priority: 11}, {Title: "AUTH", Width: 10, Priority: 9}, number("AGE", 4, 8),
	})
	all[namespacesScreen] = table.New([]table.Column{
		{Title: "NAMESPACE", Flex: true, Min: 20}, number("TRACKS", 6, 1), {Title: "PUBLISHED BY", Width: 20, Priority: 2}, {Title: "WATCHED BY", Width: 20, Priority: 3},
	})
	all[cacheScreen] = table.New([]table.Column{
		{Title: "TRACK", Flex: true, Min: 20}, number("BYTES", 8, 0), {Title: "SHARE", Width: 12, Priority: 3}, number("GROUPS", 6, 1),
		number("EVICTED", 8, 2), number("FETCHED", 8, 4), number("LATE", 6, 5), number("TWICE", 6, 6),
	})
	all[logScreen] = table.New([]table.Column{
		{Title: "TIME", Width: 12}, {Title: "LEVEL", Width: 5, Priority: 1}, {Title: "WHAT", Width: 9, Priority: 3}, {Title: "SESSION", Width: 7, Priority: 2},
		{Title: "TEXT", Flex: true, Min: 20},
	})
	all[linksScreen] = table.New([]table.Column{
		{Title: "RELAY", Flex: true, Min: 20}, {Title: "STATE", Width: 10}, number("RTT", 6, 2), number("NAMESPACES", 10, 1), number("TRK", 4, 4), number("IN", 7, 5), number("OUT", 7, 6), {Title: "SINCE", Width: 8, Priority: 3},
		{Title: "WHY", Width: 30, Priority: 4},
	})
	all[tracksScreen].SortBy(5)
	all[cacheScreen].SortBy(1)
	all[logScreen].Follow(true)
	return all
}

// staleAfter is how long a live track may bring nothing before it is called
// stale.
const staleAfter = 5 * time.Second

// fill makes the rows of all tables from the state.
func (m *Model) fill() {
	m.tables[tracksScreen].SetRows(m.trackRows())
	m.tables[sessionsScreen].SetRows(m.sessionRows())
	m.tables[namespacesScreen].SetRows(m.namespaceRows())
	m.tables[cacheScreen].SetRows(m.cacheRows())
	m.tables[linksScreen].SetRows(m.linkRows())
	m.fillLog()
}

// title is the name of a track for people.
func (m *Model) title(ns []string, name string) string {
	return draw.Clean(strings.Join(ns, "/")) + " " + m.theme.Sign(draw.Dot) + " " + draw.Clean(name)
}

// condition is the state of a track in a word.
func (m *Model) condition(t *observe.TrackState) (string, draw.Role) {
	switch {
	case t.State == "live" && t.Subscribers > 0 && !t.Newest.IsZero() && m.state.Time.Sub(t.Newest) > staleAfter:
		return "STALE", draw.Warn
	case t.State == "live":
		return "live", draw.OK
	case t.State == "orphaned":
		return "ORPHAN", draw.Warn
	case t.State == "opening":
		return "opening", draw.Accent
	}
	return draw.Clean(t.State), draw.Faint
}

// bits is a cell with a rate.
func bits(v float64) table.Cell {
	c := table.Cell{Text: draw.SI(v), Sort: v}
	if math.IsNaN(v) {
		c.Sort = -1
	}
	if v == 0 {
		c.Role = draw.Faint
	}
	return c
}

func whole[T int | int64 | uint64](n T) table.Cell {
	return table.Cell{Text: draw.SI(float64(n)), Sort: float64(n)}
}

func lagCell(l observe.Lag) table.Cell {
	if l.Objects == 0 {
		return table.Cell{Text: draw.Unknown, Sort: -1, Role: draw.Faint}
	}
	c := table.Cell{Text: draw.Lag(l.P99), Sort: float64(l.P99)}
	if l.P99 > time.Second {
		c.Role = draw.Warn
	}
	return c
}

// place returns a location in at most 13 cells: of group IDs that are times only
// the end differs.
func place(at *observe.Location) string {
	if at == nil {
		return draw.Unknown
	}
	group := fmt.Sprint(at.Group)
	if len(group) > 8 {
		group = "…" + group[len(group)-6:]
	}
	return fmt.Sprintf("%s/%d", group, at.Object)
}

func (m *Model) trackRows() []table.Row {
	rows := make([]table.Row, 0, len(m.state.Tracks))
	for i := range m.state.Tracks {
		t := &m.state.Tracks[i]
		f := get(m.flow.tracks, t.ID)
		word, role := m.condition(t)
		location := table.Cell{Text: place(t.Largest)}
		if t.Largest != nil {
			location.Sort = float64(t.Largest.Group)
		}
		name := m.title(t.Namespace, t.Name)
		if t.Media != "" {
			name += "  " + draw.Clean(t.Media)
		}
		rows = append(rows, table.Row{ID: t.ID, Cells: []table.Cell{
			{Text: name}, {Text: word, Role: role}, whole(t.Subscribers), location, bits(f.in), bits(f.out),
			{Text: fmt.Sprintf("%d grp", t.Counters.LogGroups), Sort: float64(t.Counters.LogGroups)}, lagCell(t.Lag),
			{Text: m.theme.Spark(f.history, 14), Role: draw.Faint},
		}})
	}
	return rows
}

func (m *Model) sessionRows() []table.Row {
	rows := make([]table.Row, 0, len(m.state.Sessions))
	for i := range m.state.Sessions {
		s := &m.state.Sessions[i]
		f := get(m.flow.sessions, s.ID)
		rtt := table.Cell{Text: draw.Unknown, Sort: -1, Role: draw.Faint}
		if s.Link.RTT > 0 {
			rtt = table.Cell{Text: draw.Lag(s.Link.RTT), Sort: float64(s.Link.RTT)}
		}
		loss := table.Cell{Text: draw.Unknown, Sort: -1, Role: draw.Faint}
		if s.Link.PacketsSent > 0 {
			loss = table.Cell{Text: draw.Percent(s.Link.Loss()), Sort: s.Link.Loss()}
			if s.Link.Loss() > 0.02 {
				loss.Role = draw.Warn
			}
		}
		window := table.Cell{Text: draw.Unknown, Sort: -1, Role: draw.Faint}
		if s.Link.CongestionWindow > 0 {
			window = whole(s.Link.CongestionWindow)
		}
		who := s.Subject
		if who == "" {
			who = "anybody"
		}
		age := m.state.Time.Sub(s.Began)
		rows = append(rows, table.Row{ID: s.ID, Find: s.Path, Cells: []table.Cell{
			{Text: s.ID}, {Text: draw.Clean(s.Remote)}, {Text: s.Transport}, {Text: s.Draft}, {Text: s.Role}, whole(s.Publishes + s.Subscribes),
			rtt, loss, window, bits(f.in), bits(f.out), {Text: draw.Clean(s.Implementation)}, {Text: draw.Clean(who), Role: draw.Faint},
			{Text: draw.Age(age), Sort: float64(age)},
		}})
	}
	return rows
}

// namespaceRows are the namespaces as a tree, fields that several share above.
func (m *Model) namespaceRows() []table.Row {
	spaces := slices.Clone(m.state.Spaces)
	slices.SortFunc(spaces, func(a, b observe.NamespaceState) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), slices.Compare(a.Fields, b.Fields))
	})
	rows := make([]table.Row, 0, len(spaces))
	shown := map[string]bool{}
	for _, s := range spaces {
		for depth := 1; depth < len(s.Fields); depth++ { // those above that are no namespaces themselves
			if above := s.Fields[:depth]; !shown[fieldsID(above)] && shares(spaces, above) {
				shown[fieldsID(above)] = true
				rows = append(rows, table.Row{ID: "/" + fieldsID(above), Find: strings.Join(above, "/"), Cells: []table.Cell{
					{Text: strings.Repeat("  ", depth-1) + draw.Clean(above[depth-1]) + "/"}, {Text: ""}}})
			}
		}
		shown[fieldsID(s.Fields)] = true
		indent, from := "", 0
		for depth := 1; depth < len(s.Fields); depth++ {
			if shown[fieldsID(s.Fields[:depth])] {
				indent, from = indent+"  ", depth
			}
		}
		name := strings.Join(s.Fields[from:], "/")
		if len(s.Fields) == 0 {
			name = "(everything)"
		}
		rows = append(rows, table.Row{ID: spaceID(s), Find: strings.Join(s.Fields, "/"), Cells: []table.Cell{
			{Text: indent + draw.Clean(name)}, whole(s.Tracks),
			{Text: list(s.Publishers), Sort: float64(len(s.Publishers))}, {Text: list(s.Watchers), Sort: float64(len(s.Watchers))},
		}})
	}
	return rows
}

// spaceID names a namespace in its scope, fieldsID without.
func spaceID(s observe.NamespaceState) string { return s.Scope + " " + fieldsID(s.Fields) }
func fieldsID(fields []string) string         { return strings.Join(fields, "\x00") }

// shares reports whether more than one namespace lies below a prefix.
func shares(spaces []observe.NamespaceState, prefix []string) bool {
	n := 0
	for _, s := range spaces {
		if len(s.Fields) >= len(prefix) && slices.Equal(s.Fields[:len(prefix)], prefix) {
			n++
		}
	}
	return n > 1
}

// list names some and counts the rest.
func list(ids []string) string {
	const most = 3
	if len(ids) == 0 {
		return draw.Unknown
	}
	if len(ids) <= most {
		return strings.Join(ids, " ")
	}
	return fmt.Sprintf("%s +%d", strings.Join(ids[:most], " "), len(ids)-most)
}

func (m *Model) cacheRows() []table.Row {
	rows := make([]table.Row, 0, len(m.state.Tracks))
	for i := range m.state.Tracks {
		t := &m.state.Tracks[i]
		c := &t.Counters
		share := 0.0
		if m.state.Cache.Bytes > 0 {
			share = float64(c.LogBytes) / float64(m.state.Cache.Bytes)
		}
		rows = append(rows, table.Row{ID: t.ID, Cells: []table.Cell{
			{Text: m.title(t.Namespace, t.Name)}, {Text: draw.Bytes(c.LogBytes), Sort: float64(c.LogBytes)},
			{Text: m.theme.Gauge(share, 7) + " " + draw.Percent(share), Sort: share}, whole(c.LogGroups), whole(c.Evicted), whole(c.Fetched), whole(c.Late), whole(c.Duplicates),
		}})
	}
	return rows
}

func (m *Model) linkRows() []table.Row {
	rows := make([]table.Row, 0, len(m.state.Links))
	for _, l := range m.state.Links {
		role := draw.OK
		if l.State != "up" {
			role = draw.Warn
		}
		rows = append(rows, table.Row{ID: l.URL, Cells: []table.Cell{
			{Text: draw.Clean(l.URL)}, {Text: l.State, Role: role}, {Text: draw.Lag(l.RTT), Sort: float64(l.RTT)}, whole(l.Namespaces),
			whole(l.Tracks), whole(l.Counters.ObjectsIn), whole(l.Counters.ObjectsOut),
			{Text: draw.Age(m.state.Time.Sub(l.Since))}, {Text: draw.Clean(l.Reason)},
		}})
	}
	return rows
}

// levels of the log, the lowest first.
var levels = []string{"debug", "info", "warn", "error"}

const infoLevel = 1

func levelRole(level string) draw.Role {
	switch level {
	case "error":
		return draw.Err
	case "warn":
		return draw.Warn
	case "debug":
		return draw.Faint
	}
	return draw.Text
}

func (m *Model) fillLog() {
	rows := make([]table.Row, 0, len(m.events))
	if m.skipped > 0 {
		rows = append(rows, table.Row{ID: "skipped", Cells: []table.Cell{{Text: ""}, {Text: ""}, {Text: ""}, {Text: ""},
			{Text: fmt.Sprintf("… %d events came too fast to be kept", m.skipped), Role: draw.Warn}}})
	}
	for _, e := range m.events {
		if slices.Index(levels, e.Level) < m.level && slices.Contains(levels, e.Level) {
			continue
		}
		role := levelRole(e.Level)
		var more strings.Builder
		for _, k := range sortedKeys(e.Detail) {
			fmt.Fprintf(&more, " %s=%s", k, e.Detail[k])
		}
		rows = append(rows, table.Row{ID: fmt.Sprint(e.Number), Find: e.Track, Cells: []table.Cell{
			{Text: e.Time.Format("15:04:05.000")}, {Text: strings.ToUpper(e.Level), Role: role}, {Text: draw.Clean(e.Kind)}, {Text: draw.Clean(e.Session)},
			{Text: draw.Clean(e.Text + more.String())},
		}})
	}
	m.tables[logScreen].SetRows(rows)
}

func sortedKeys(m map[string]string) []string {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}
