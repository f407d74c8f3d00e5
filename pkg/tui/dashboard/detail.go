package dashboard

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/draw"
	"oxymoq/pkg/tui/table"
)

// pane is a part of the view of a track that keys act on.
type pane uint8

const (
	readersPane pane = iota
	objectsPane
	groupsPane
	panes
)

// detail is the track that is looked at.
type detail struct {
	id      string
	newest  *observe.TrackDetail
	shown   *observe.TrackDetail // the same unless frozen
	failure error
	pane    pane
	tables  [panes]*table.Table
	bytes   bool // the bytes of the selected object are shown
}

func (m *Model) openTrack(id string) tea.Cmd {
	if id == "" {
		return nil
	}
	d := &detail{id: id, pane: objectsPane}
	d.tables[readersPane] = table.New([]table.Column{
		{Title: "ID", Flex: true, Min: 5}, {Title: "TRANSP", Width: 6, Priority: 4}, {Title: "DRAFT", Width: 5, Priority: 5}, number("LAG", 6, 0),
		number("OUT b/s", 7, 1), number("QUEUE", 7, 2), number("DROP", 5, 3), number("PRIO", 4, 6),
	})
	d.tables[objectsPane] = table.New([]table.Column{
		{Title: "ARRIVED", Width: 12}, {Title: "GROUP/OBJ", Flex: true, Min: 13}, {Title: "SG", Width: 4, Right: true, Priority: 3}, number("SIZE", 6, 0),
		{Title: "AFTER", Width: 8, Right: true, Priority: 1}, {Title: "PROPS", Width: 5, Right: true, Priority: 4}, {Title: "HOW", Width: 8, Priority: 2},
	})
	d.tables[groupsPane] = table.New([]table.Column{
		{Title: "GROUP", Flex: true, Min: 8}, number("OBJECTS", 7, 0), number("BYTES", 8, 1), {Title: "STREAMS", Width: 7, Right: true, Priority: 3}, {Title: "IS", Width: 9},
		{Title: "TOOK", Width: 6, Right: true, Priority: 4}, {Title: "AFTER", Width: 6, Right: true, Priority: 5}, {Title: "LACKS", Width: 28, Priority: 2},
	})
	d.tables[objectsPane].Follow(true)
	d.tables[groupsPane].Follow(true)
	m.open = d
	return m.askTrack(id)
}

func (d *detail) table() *table.Table { return d.tables[d.pane] }
func (d *detail) move(n int)          { d.table().Move(n) }

// takeDetail notes a track that was asked for.
func (m *Model) takeDetail(msg detailMsg) {
	d := m.open
	if d == nil || d.id != msg.id {
		return
	}
	if d.failure = msg.err; msg.err != nil {
		return
	}
	if d.newest != nil {
		m.flow.takeReaders(msg.detail, msg.detail.Time.Sub(d.newest.Time).Seconds())
	} else {
		m.flow.readers = map[string]*series{}
		m.flow.takeReaders(msg.detail, 0)
	}
	d.newest = msg.detail
	if !m.frozen || d.shown == nil {
		d.shown = msg.detail
		d.fill(m)
	}
}

// fill makes the rows of the panes.
func (d *detail) fill(m *Model) {
	var rows []table.Row
	for i := range d.shown.Subscriptions {
		s := &d.shown.Subscriptions[i]
		f := get(m.flow.readers, s.Session)
		drops := s.Counters.Dropped.Total()
		drop := whole(drops)
		if drops > 0 {
			drop.Role = draw.Warn
		}
		rows = append(rows, table.Row{ID: s.Session, Cells: []table.Cell{
			{Text: s.Session}, {Text: s.Transport}, {Text: s.Draft}, lagCell(s.Lag), bits(f.out),
			{Text: draw.Bytes(s.Counters.BytesBehind), Sort: float64(s.Counters.BytesBehind)}, drop, whole(int(s.Priority)),
		}})
	}
	d.tables[readersPane].SetRows(rows)
	rows = nil
	for i := range d.shown.Objects {
		o := &d.shown.Objects[i]
		after := draw.Unknown
		if i > 0 {
			after = "+" + draw.Lag(o.Arrived.Sub(d.shown.Objects[i-1].Arrived))
		}
		how := "stream"
		switch {
		case o.Status != "" && o.Status != "normal":
			how = o.Status
		case o.Fetched:
			how = "fetched"
		case o.Datagram:
			how = "datagram"
		}
		subgroup := fmt.Sprint(o.Subgroup)
		if o.Datagram {
			subgroup = draw.Unknown
		}
		rows = append(rows, table.Row{ID: o.Location.String(), Cells: []table.Cell{
			{Text: o.Arrived.Format("15:04:05.000")}, {Text: o.Location.String()}, {Text: subgroup}, {Text: draw.SI(float64(o.Size)), Sort: float64(o.Size)},
			{Text: after}, {Text: fmt.Sprint(len(o.Properties))}, {Text: how},
		}})
	}
	d.tables[objectsPane].SetRows(rows)
	rows = nil
	for i := range d.shown.Groups {
		g := &d.shown.Groups[i]
		word, role := groupWord(g)
		after := draw.Unknown
		if i > 0 {
			after = between(d.shown.Groups[i-1].Began, g.Began)
		}
		rows = append(rows, table.Row{ID: fmt.Sprint(g.ID), Cells: []table.Cell{
			{Text: fmt.Sprint(g.ID), Sort: float64(g.ID)}, whole(g.Objects), {Text: draw.Bytes(g.Bytes), Sort: float64(g.Bytes)}, {Text: fmt.Sprint(g.Subgroups)},
			{Text: word, Role: role}, {Text: between(g.Began, g.Newest)}, {Text: after}, {Text: holes(g)},
		}})
	}
	d.tables[groupsPane].SetRows(rows)
}

func groupWord(g *observe.GroupState) (string, draw.Role) {
	switch {
	case g.Torn > 0:
		return "torn", draw.Err
	case len(g.Holes) > 0:
		return "holes", draw.Warn
	case g.Open > 0:
		return "open", draw.Accent
	case g.Ended:
		return "complete", draw.OK
	}
	return "closed", draw.Text
}

// holes names what is missing of a group, and what does not exist.
func holes(g *observe.GroupState) string {
	var missing, absent []string
	for _, h := range g.Holes {
		s := fmt.Sprint(h.From)
		if h.To != h.From {
			s = fmt.Sprintf("%d-%d", h.From, h.To)
		}
		if h.Absent {
			absent = append(absent, s)
		} else {
			missing = append(missing, s)
		}
	}
	var parts []string
	if len(missing) > 0 {
		parts = append(parts, strings.Join(missing, " ")+" missing")
	}
	if len(absent) > 0 {
		parts = append(parts, strings.Join(absent, " ")+" never existed")
	}
	return strings.Join(parts, ", ")
}

// pressDetail takes keys of the view of a track.
func (m *Model) pressDetail(msg tea.KeyPressMsg) tea.Cmd {
	k, d := &m.keys, m.open
	if m.scroll(msg, d.move) {
		return nil
	}
	switch {
	case key.Matches(msg, k.Pane):
		d.pane = (d.pane + 1) % panes
	case key.Matches(msg, k.Hex) && d.pane == objectsPane:
		d.bytes = !d.bytes
	case key.Matches(msg, k.Back):
		if d.bytes {
			d.bytes = false
		} else {
			m.open = nil
		}
	case key.Matches(msg, k.Follow):
		d.table().Follow(!d.table().Following())
	case key.Matches(msg, k.Sort):
		d.table().NextSort()
	case key.Matches(msg, k.Reverse):
		d.table().Reverse()
	case key.Matches(msg, k.Group):
		m.prompt.ask(groupPrompt, "go to group ", "")
	case key.Matches(msg, k.Kick):
		if d.pane == readersPane {
			m.kick(d.table().Selected())
		} else if d.shown != nil && len(d.shown.Publishers) > 0 {
			m.kick(d.shown.Publishers[0])
		}
	case key.Matches(msg, k.Purge):
		m.purge(d.id)
	case key.Matches(msg, k.Copy):
		if d.shown != nil {
			text := strings.Join(d.shown.Namespace, "/") + " " + d.shown.Name
			m.notice = "copied: " + text
			return tea.SetClipboard(text)
		}
	}
	return nil
}

// goToGroup puts the cursor on a group and on its first object.
func (m *Model) goToGroup(text string) {
	d := m.open
	if d == nil || d.shown == nil || text == "" {
		return
	}
	group, err := strconv.ParseUint(text, 10, 64)
	i := slices.IndexFunc(d.shown.Groups, func(g observe.GroupState) bool { return g.ID == group })
	if err != nil || i < 0 {
		m.say("", fmt.Errorf("group %s is not in the cache", text))
		return
	}
	d.tables[groupsPane].Select(text)
	for _, o := range d.shown.Objects {
		if o.Location.Group == group {
			d.tables[objectsPane].Select(o.Location.String())
			break
		}
	}
}

// detailLines draws the track that is open.
func (m *Model) detailLines(w, h int) []string {
	d, t := m.open, m.theme
	title := " " + t.Paint(draw.Accent, t.Sign(draw.Back)+" Tracks ")
	if d.shown == nil {
		text := "asking for the track"
		if d.failure != nil {
			text = t.Paint(draw.Warn, t.Plain(d.failure.Error()))
		}
		return []string{title, "", "   " + text}
	}
	s := d.shown
	word, role := m.condition(&s.TrackState)
	if d.failure != nil {
		word, role = "GONE", draw.Warn
	}
	lines := []string{draw.Between(title+t.Plain(m.title(s.Namespace, s.Name)), t.Paint(role, word)+" ", w), m.about(s)}
	strip := 4 // the IDs and the numbers
	if h >= 14 {
		strip = 5 // what is missing too
	}
	if d.pane == groupsPane {
		strip = max(strip, h/2)
	}
	lines = append(lines, m.boxed(groupsPane, m.groupTitle(s), m.strip(w-4, strip-2), w, strip)...)
	rest := h - len(lines)
	if d.bytes {
		return append(lines, m.boxed(objectsPane, "bytes of "+d.tables[objectsPane].Selected(), m.hexLines(), w, rest)...)
	}
	readers, objects := fmt.Sprintf("subscribers (%d)", len(s.Subscriptions)), "live objects"
	side := func(w, h int) []string { return d.tables[readersPane].Render(t, w, h) }
	if len(s.Subscriptions) == 0 && s.Timing != nil {
		readers, side = "how it comes", func(int, int) []string { return m.timing(s) }
	}
	if w < narrow { // one under the other
		upper := rest / 2
		lines = append(lines, m.boxed(readersPane, readers, side(w-4, upper-2), w, upper)...)
		return append(lines, m.boxed(objectsPane, objects, d.tables[objectsPane].Render(t, w-4, rest-upper-2), w, rest-upper)...)
	}
	left := w * 45 / 100
	a := m.boxed(readersPane, readers, side(left-4, rest-2), left, rest)
	b := m.boxed(objectsPane, objects, d.tables[objectsPane].Render(t, w-left-4, rest-2), w-left, rest)
	for i := range min(len(a), len(b)) {
		lines = append(lines, a[i]+b[i])
	}
	return lines
}

// boxed frames a pane; that which keys act on has its title marked.
func (m *Model) boxed(p pane, title string, lines []string, w, h int) []string {
	if m.open.pane == p {
		title = m.theme.Sign(draw.Cursor) + " " + title
	}
	return m.theme.Box(title, lines, w, h)
}

// about says where the track comes from and what it is.
func (m *Model) about(s *observe.TrackDetail) string {
	publisher := "no publisher"
	if len(s.Publishers) > 0 {
		publisher = "publisher " + list(s.Publishers)
	}
	parts := []string{publisher}
	if s.Media != "" {
		parts = []string{draw.Clean(s.Media), publisher}
	}
	for _, p := range s.Sources {
		if p.Alias != nil {
			parts = append(parts, fmt.Sprintf("%s d%s %s, alias %d", p.Transport, p.Draft, p.State, *p.Alias))
		}
	}
	parts = append(parts, fmt.Sprintf("prio %d %s", s.Priority, s.Order), "largest "+place(s.Largest))
	for _, p := range s.Properties {
		parts = append(parts, fmt.Sprintf("0x%X=%s", p.Type, draw.Clean(p.Value)))
	}
	return " " + m.theme.Plain(strings.Join(parts, "  "))
}

func (m *Model) groupTitle(s *observe.TrackDetail) string {
	title := fmt.Sprintf("groups, newest right: %d cached, %s", len(s.Groups), draw.Bytes(s.Counters.LogBytes))
	if c := &s.Counters; c.FetchHits+c.FetchMisses > 0 {
		title += fmt.Sprintf(", FETCH %d from the cache, %d upstream", c.FetchHits, c.FetchMisses)
	}
	if every := groupInterval(s.Groups); every > 0 {
		title += ", one each " + draw.Lag(every)
	}
	return title
}

// strip draws the groups side by side: ID, size and number of objects, with a
// mark where something is missing; or as a table, if that is the pane that
// keys act on.
func (m *Model) strip(w, h int) []string {
	d, t := m.open, m.theme
	if d.pane == groupsPane {
		return d.tables[groupsPane].Render(t, w, h)
	}
	const cell = 8
	groups := d.shown.Groups
	groups = groups[max(len(groups)-w/cell, 0):]
	largest := int64(1)
	for _, g := range groups {
		largest = max(largest, g.Bytes)
	}
	var ids, counts, missing strings.Builder
	for i := range groups {
		g := &groups[i]
		id := fmt.Sprint(g.ID)
		if len(id) > cell-1 {
			id = "…" + id[len(id)-cell+2:]
		}
		mark, role := "", draw.Text
		switch {
		case len(g.Holes) > 0 || g.Torn > 0:
			mark, role = "!", draw.Warn
		case g.Open > 0:
			mark, role = "*", draw.Accent
		}
		ids.WriteString(t.Paint(role, t.Fit(t.Plain(id+mark), cell)))
		bar := t.Spark([]float64{float64(largest), float64(g.Bytes)}, 2)
		bar = string([]rune(bar)[1:])
		counts.WriteString(t.Fit(bar+" "+fmt.Sprint(g.Objects), cell))
		if len(g.Holes) > 0 {
			fmt.Fprintf(&missing, "! %d: %s  ", g.ID, holes(g))
		}
		if g.Torn > 0 {
			fmt.Fprintf(&missing, "! %d: streams reset: %d  ", g.ID, g.Torn)
		}
	}
	return []string{ids.String(), counts.String(), t.Paint(draw.Warn, t.Plain(missing.String()))}
}

// hexLines shows the bytes of the selected object, and its properties.
func (m *Model) hexLines() []string {
	d, t := m.open, m.theme
	id := d.tables[objectsPane].Selected()
	i := slices.IndexFunc(d.shown.Objects, func(o observe.ObjectState) bool { return o.Location.String() == id })
	if i < 0 {
		return []string{"no object is selected"}
	}
	o := &d.shown.Objects[i]
	var lines []string
	for _, p := range o.Properties {
		lines = append(lines, t.Plain(fmt.Sprintf("property 0x%02X = %s", p.Type, draw.Clean(p.Value))))
	}
	for line := range strings.SplitSeq(strings.TrimRight(hex.Dump(o.Peek), "\n"), "\n") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	if rest := o.Size - len(o.Peek); rest > 0 {
		lines = append(lines, fmt.Sprintf("and %d bytes more", rest))
	}
	return lines
}
