package dashboard

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/table"
)

// press does what a key does here.
func (m *Model) press(msg tea.KeyPressMsg) tea.Cmd {
	m.notice = ""
	if m.prompt.kind != noPrompt {
		return m.pressPrompt(msg)
	}
	k := &m.keys
	if m.help {
		switch {
		case key.Matches(msg, k.Back, k.Help, k.Quit, k.Open):
			m.help = false
		default:
			m.scroll(msg, func(n int) { m.helpAt = max(m.helpAt+n, 0) })
		}
		return nil
	}
	for s := range screens {
		if key.Matches(msg, k.Screens[s]) {
			m.screen, m.open = s, nil
			return nil
		}
	}
	switch {
	case key.Matches(msg, k.Help):
		m.help, m.helpAt = true, 0
	case key.Matches(msg, k.Quit):
		return m.leave()
	case key.Matches(msg, k.Freeze):
		m.freeze()
	case key.Matches(msg, k.Faster):
		m.interval = max(m.interval/2, MinInterval)
	case key.Matches(msg, k.Slower):
		m.interval = min(m.interval*2, MaxInterval)
	case key.Matches(msg, k.Command):
		m.prompt.ask(commandPrompt, ":", "")
	case key.Matches(msg, k.Export):
		return m.export("")
	case key.Matches(msg, k.Drain):
		m.drain()
	case m.state == nil:
		if key.Matches(msg, k.Back) {
			return m.leave()
		}
	case m.open != nil:
		return m.pressDetail(msg)
	default:
		return m.pressScreen(msg)
	}
	return nil
}

// pressScreen takes keys of a tab.
func (m *Model) pressScreen(msg tea.KeyPressMsg) tea.Cmd {
	k, t := &m.keys, m.tables[m.screen]
	if m.scroll(msg, t.Move) {
		return nil
	}
	switch {
	case m.screen == logScreen && key.Matches(msg, k.Level):
		m.level = strings.Index("diwe", msg.String())
		m.fillLog()
	case key.Matches(msg, k.Back):
		m.setFilter("")
	case key.Matches(msg, k.Filter):
		m.prompt.ask(filterPrompt, "/", m.filters[m.screen])
	case key.Matches(msg, k.Sort):
		t.NextSort()
	case key.Matches(msg, k.Reverse):
		t.Reverse()
	case key.Matches(msg, k.Follow):
		t.Follow(!t.Following())
	case key.Matches(msg, k.Open):
		return m.openSelected()
	case key.Matches(msg, k.Copy):
		return m.copyName()
	case key.Matches(msg, k.Kick) && m.screen == sessionsScreen:
		m.kick(t.Selected())
	case key.Matches(msg, k.Purge) && (m.screen == tracksScreen || m.screen == cacheScreen):
		m.purge(t.Selected())
	}
	return nil
}

// scroll moves by keys and reports whether the key was one of those.
func (m *Model) scroll(msg tea.KeyPressMsg, move func(int)) bool {
	const all = 1 << 30
	k := &m.keys
	page := max(m.body-2, 1)
	switch {
	case key.Matches(msg, k.Up):
		move(-1)
	case key.Matches(msg, k.Down):
		move(1)
	case key.Matches(msg, k.PageUp):
		move(-page)
	case key.Matches(msg, k.PageDown):
		move(page)
	case key.Matches(msg, k.Top):
		move(-all)
	case key.Matches(msg, k.Bottom):
		move(all)
	default:
		return false
	}
	return true
}

// pressPrompt takes keys while something is asked.
func (m *Model) pressPrompt(msg tea.KeyPressMsg) tea.Cmd {
	p := &m.prompt
	if p.kind == confirmPrompt {
		switch {
		case key.Matches(msg, m.keys.Yes):
			yes := p.yes
			p.close()
			return yes()
		case key.Matches(msg, m.keys.No):
			p.close()
		}
		return nil
	}
	switch msg.String() {
	case "esc", "ctrl+c":
		if p.kind == filterPrompt {
			m.setFilter(p.before)
		}
		p.close()
		return nil
	case "enter":
		kind, text := p.kind, strings.TrimSpace(p.input.Value())
		p.close()
		switch kind {
		case commandPrompt:
			return m.command(text)
		case groupPrompt:
			m.goToGroup(text)
		}
		return nil
	}
	return m.typed(msg)
}

// typed gives a message to the line that is typed in.
func (m *Model) typed(msg tea.Msg) tea.Cmd {
	var cmd tea.Cmd
	m.prompt.input, cmd = m.prompt.input.Update(msg)
	if m.prompt.kind == filterPrompt {
		m.setFilter(m.prompt.input.Value())
	}
	return cmd
}

func (m *Model) paste(msg tea.PasteMsg) tea.Cmd {
	if m.prompt.kind == noPrompt || m.prompt.kind == confirmPrompt {
		return nil
	}
	return m.typed(msg)
}

func (m *Model) setFilter(s string) {
	m.filters[m.screen] = strings.TrimSpace(s)
	m.tables[m.screen].SetFilter(table.ParseFilter(s))
}

// freeze stops the view, or shows the newest state again. What happens is
// noted meanwhile.
func (m *Model) freeze() {
	m.frozen = !m.frozen
	if !m.frozen && m.newest != nil {
		m.state = m.newest
		m.fill()
	}
}

// leave ends the program; where the relay ends with it, it asks before.
func (m *Model) leave() tea.Cmd {
	if m.opts.Remote != "" {
		return tea.Quit
	}
	m.prompt.confirm("Stop the relay?", func() tea.Cmd { return tea.Quit })
	return nil
}

func (m *Model) openSelected() tea.Cmd {
	id := m.tables[m.screen].Selected()
	switch m.screen {
	case tracksScreen, cacheScreen:
		return m.openTrack(id)
	case logScreen:
		for _, e := range m.events {
			if fmt.Sprint(e.Number) == id && e.Track != "" {
				return m.openTrack(e.Track)
			}
		}
	case namespacesScreen:
		if row := m.tables[namespacesScreen].Selected(); row != "" {
			for _, r := range m.tables[namespacesScreen].Rows() {
				if r.ID == row {
					m.screen = tracksScreen
					m.setFilter(strings.TrimSuffix(r.Find, "/"))
				}
			}
		}
	}
	return nil
}

// copyName puts the name of what is selected into the clipboard.
func (m *Model) copyName() tea.Cmd {
	t := m.tables[m.screen]
	for _, r := range t.Rows() {
		if r.ID == t.Selected() {
			text := strings.TrimSpace(r.Cells[0].Text)
			switch m.screen {
			case sessionsScreen:
				text = r.ID
			case tracksScreen:
				text, _, _ = strings.Cut(text, "  ") // what it carries follows
			}
			m.notice = "copied: " + text
			return tea.SetClipboard(text)
		}
	}
	return nil
}

func (m *Model) kick(session string) {
	if session == "" || m.opts.Control == nil {
		return
	}
	m.prompt.confirm(fmt.Sprintf("Kick session %s?", session), func() tea.Cmd {
		return m.act("session "+session+" was kicked", func(ctx context.Context, c observe.Control) error {
			return c.Kick(ctx, session, "kicked by the operator")
		})
	})
}

func (m *Model) purge(track string) {
	if track == "" || m.opts.Control == nil {
		return
	}
	name := track
	for i := range m.state.Tracks {
		if t := &m.state.Tracks[i]; t.ID == track {
			name = m.title(t.Namespace, t.Name)
		}
	}
	m.prompt.confirm("Purge what is cached of "+name+"?", func() tea.Cmd {
		return m.act("purged "+name, func(ctx context.Context, c observe.Control) error { return c.Purge(ctx, track) })
	})
}

// drainTime is how long peers have to leave when the dashboard drains the relay.
const drainTime = 10 * time.Second

func (m *Model) drain() {
	if m.opts.Control == nil {
		return
	}
	m.prompt.confirm("Drain the relay: ask all peers to leave, and take no new requests?", func() tea.Cmd {
		return func() tea.Msg {
			ctx, cancel := context.WithTimeout(m.ctx, drainTime+patience)
			defer cancel()
			return actionMsg{"all peers have left", m.opts.Control.Drain(ctx, "", drainTime)}
		}
	})
}

// command does what was typed after ":".
func (m *Model) command(text string) tea.Cmd {
	verb, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	for s := range screens {
		if verb != "" && strings.HasPrefix(strings.ToLower(s.String()), strings.ToLower(verb)) {
			m.screen, m.open = s, nil
			return nil
		}
	}
	switch verb {
	case "":
	case "filter":
		m.setFilter(rest)
	case "sort":
		for i, c := range m.tables[m.screen].Columns() {
			if strings.EqualFold(c.Title, rest) || strings.HasPrefix(strings.ToLower(c.Title), strings.ToLower(rest)) && rest != "" {
				m.tables[m.screen].SortBy(i)
				return nil
			}
		}
		m.say("", fmt.Errorf("there is no column %q here", rest))
	case "export":
		return m.export(rest)
	case "kick":
		m.kick(rest)
	case "drain":
		m.drain()
	case "every":
		d, err := time.ParseDuration(rest)
		if err != nil {
			m.say("", fmt.Errorf("every how long? as in :every 500ms"))
			return nil
		}
		m.interval = min(max(d, MinInterval), MaxInterval)
	case "q", "quit":
		return m.leave()
	default:
		m.say("", fmt.Errorf("there is no command %s; there are the names of the tabs, filter, sort, export, every, kick, drain, quit", strconv.Quote(verb)))
	}
	return nil
}

// wheel scrolls three lines.
func (m *Model) wheel(msg tea.MouseWheelMsg) {
	n := 3
	if msg.Button == tea.MouseWheelUp {
		n = -3
	}
	switch {
	case m.help:
		m.helpAt = max(m.helpAt+n, 0)
	case m.open != nil:
		m.open.move(n)
	default:
		m.tables[m.screen].Move(n)
	}
}

// click selects a tab or a row; a click on the selected row opens it.
func (m *Model) click(msg tea.MouseClickMsg) tea.Cmd {
	if msg.Button != tea.MouseLeft || m.help || m.prompt.kind != noPrompt || m.state == nil || m.width < MinWidth {
		return nil
	}
	top := m.top()
	if top == 4 && msg.Y == 2 { // the tabs
		x := 1
		for s := range screens {
			width := len(fmt.Sprintf("%d %s", s+1, s)) + 1
			if s == m.screen {
				width += 2
			}
			if msg.X >= x && msg.X < x+width {
				m.screen, m.open = s, nil
				return nil
			}
			x += width
		}
		return nil
	}
	if m.open != nil {
		return nil
	}
	t := m.tables[m.screen]
	id := t.RowAt(msg.Y - top - len(m.preface()))
	if id == "" {
		return nil
	}
	if id == t.Selected() {
		return m.openSelected()
	}
	t.Select(id)
	return nil
}
