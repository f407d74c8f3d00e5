package dashboard

import (
	"fmt"
	"math"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"oxymoq/pkg/tui/draw"
)

// The least that anything can be shown on.
const (
	MinWidth  = 40
	MinHeight = 8
)

// narrow is the width below which the header is short.
const narrow = 84

// View draws the screen.
func (m *Model) View() tea.View {
	v := tea.NewView(strings.Join(m.lines(), "\n"))
	v.AltScreen = true
	v.WindowTitle = "oxymoq"
	if m.state != nil && m.state.Relay.Name != "" {
		v.WindowTitle = "oxymoq " + m.state.Relay.Name
	}
	if !m.opts.NoMouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// lines returns exactly as many lines as the screen has, each exactly as wide.
func (m *Model) lines() []string {
	w, h := m.width, m.height
	if w <= 0 || h <= 0 {
		return nil
	}
	if w < MinWidth || h < MinHeight {
		lines := []string{m.theme.Fit("terminal too small", w), m.theme.Fit(fmt.Sprintf("%dx%d, at least %dx%d", w, h, MinWidth, MinHeight), w)}
		return pad(lines[:min(len(lines), h)], w, h)
	}
	head := m.header()
	foot := m.footer()
	m.body = h - len(head) - len(foot)
	var body []string
	switch {
	case m.help:
		body = m.helpLines()
	case m.state == nil:
		body = m.waiting()
	case m.open != nil:
		body = m.detailLines(w, m.body)
	default:
		body = m.screenLines()
	}
	lines := append(head, pad(body, w, m.body)...)
	lines = append(lines, foot...)
	for i := range lines {
		lines[i] = m.theme.Fit(lines[i], w)
	}
	return lines
}

// pad returns exactly height lines of that width.
func pad(lines []string, width, height int) []string {
	out := make([]string, 0, height)
	for i := range height {
		if i < len(lines) {
			out = append(out, lines[i])
		} else {
			out = append(out, strings.Repeat(" ", width))
		}
	}
	return out
}

// top is where the body begins.
func (m *Model) top() int { return len(m.header()) }

func (m *Model) header() []string {
	w, t := m.width, m.theme
	light := m.light()
	if m.state == nil {
		return []string{t.Fit(draw.Between(" moqrelay", light+" ", w), w), t.Paint(draw.Faint, t.Rule(w))}
	}
	s := m.state
	sessions, tracks := len(s.Sessions), len(s.Tracks)
	counts := fmt.Sprintf("%d sess  %d trk  %s ", sessions, tracks, light)
	name := " moqrelay"
	if s.Relay.Name != "" {
		name += " " + draw.Clean(s.Relay.Name)
	}
	if s.Relay.Draining {
		name += " " + t.Paint(draw.Warn, "DRAINING")
	}
	lagText := draw.Unknown
	if s.Lag.Objects > 0 {
		lagText = draw.Lag(s.Lag.P99)
	}
	share := 0.0
	if s.Cache.Budget > 0 {
		share = float64(s.Cache.Bytes) / float64(s.Cache.Budget)
	}
	in, out := m.flow.relay.in, m.flow.relay.out
	if w < narrow {
		return []string{
			draw.Between(t.Paint(draw.Accent, name), counts, w),
			t.Plain(fmt.Sprintf(" in %s  out %s  cache %s  lag p99 %s", draw.SI(in), draw.SI(out), draw.Percent(share), lagText)),
		}
	}
	about := name
	if m.opts.Remote != "" {
		about += "  attached " + draw.Clean(m.opts.Remote)
	} else if len(s.Relay.Addresses) > 0 {
		about += "  " + draw.Clean(addresses(s.Relay.Addresses))
	}
	about += "  drafts " + strings.Join(s.Relay.Drafts, " ")
	if !s.Relay.Began.IsZero() { // a relay that is asked as a client does not say
		about += "  up " + draw.Clock(s.Time.Sub(s.Relay.Began))
	}
	bar := max((w-72)/3, 6)
	flows := fmt.Sprintf(" in %s %s  out %s %s  cache %s/%s %s  lag p99 %s",
		draw.Right(draw.SI(in), 5), t.Spark(m.flow.in, bar), draw.Right(draw.SI(out), 5), t.Spark(m.flow.out, bar),
		draw.Bytes(s.Cache.Bytes), draw.Bytes(s.Cache.Budget), t.Gauge(share, min(bar, 10)), lagText)
	return []string{draw.Between(t.Paint(draw.Accent, t.Plain(about)), counts, w), t.Plain(flows), m.tabs(), t.Paint(draw.Faint, t.Rule(w))}
}

// addresses shortens URLs to what tells them apart: "localhost:4433 moqt+https".
func addresses(urls []string) string {
	schemes := map[string]string{}
	var hosts []string
	for _, u := range urls {
		scheme, rest, _ := strings.Cut(u, "://")
		host, _, _ := strings.Cut(rest, "/")
		if schemes[host] == "" {
			hosts = append(hosts, host+" ")
			schemes[host] = scheme
		} else {
			schemes[host] += "+" + scheme
		}
	}
	for i, host := range hosts {
		hosts[i] = host + schemes[strings.TrimSuffix(host, " ")]
	}
	return strings.Join(hosts, "  ")
}

// light says in a word whether what is shown is the present.
func (m *Model) light() string {
	t := m.theme
	switch {
	case m.failure != nil && m.answered.IsZero():
		return t.Paint(draw.Warn, t.Sign(draw.Warning)+" no answer")
	case m.failure != nil:
		return t.Paint(draw.Warn, fmt.Sprintf("%s stale %s", t.Sign(draw.Warning), draw.Age(m.opts.Now().Sub(m.answered))))
	case m.frozen:
		return t.Paint(draw.Accent, t.Sign(draw.Live)+" frozen")
	case m.state == nil:
		return t.Paint(draw.Faint, "connecting")
	}
	return t.Paint(draw.OK, t.Sign(draw.Live)+" live "+interval(m.interval))
}

func interval(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	return fmt.Sprintf("%gs", d.Seconds())
}

// tabs are the titles of the screens, the present one in brackets.
func (m *Model) tabs() string {
	var parts []string
	for s := range screens {
		title := fmt.Sprintf("%d %s", s+1, s)
		if s == m.screen {
			title = m.theme.Paint(draw.Accent, "["+title+"]")
		}
		parts = append(parts, title)
	}
	filter := m.filters[m.screen]
	right := "/ no filter"
	if filter != "" {
		right = m.theme.Paint(draw.Warn, "/ "+draw.Clean(filter))
	}
	if title, descending := m.tables[m.screen].Sorting(); title != "" {
		sign := draw.Up
		if descending {
			sign = draw.Down
		}
		right += "   sort: " + title + " " + m.theme.Sign(sign)
	}
	left := " " + strings.Join(parts, " ")
	if draw.Width(left)+draw.Width(right)+3 > m.width {
		right = ""
	}
	return draw.Between(left, right+" ", m.width)
}

// screenLines is the body of the present tab.
func (m *Model) screenLines() []string {
	t := m.tables[m.screen]
	lines := m.preface()
	rows := m.body - len(lines)
	shown, all := t.Len()
	switch {
	case shown == 0 && all > 0:
		return append(lines, t.Render(m.theme, m.width, 1)[0], m.theme.Paint(draw.Faint, "   nothing matches the filter; esc clears it"))
	case all == 0:
		return append(lines, "", m.theme.Paint(draw.Faint, "   "+m.theme.Plain(empty[m.screen])))
	}
	return append(lines, t.Render(m.theme, m.width, rows)...)
}

// empty says what is missing, and how it comes.
var empty = [screens]string{
	"no tracks yet: they come with publishers and subscribers", "no sessions yet", "no namespaces yet: publishers announce them",
	"nothing is cached yet", "nothing has happened yet", "no links: this relay knows no other",
}

// preface are lines above the table of a tab.
func (m *Model) preface() []string {
	if m.screen != cacheScreen || m.state == nil {
		return nil
	}
	c, n := m.state.Cache, m.state.Counters
	share := 0.0
	if c.Budget > 0 {
		share = float64(c.Bytes) / float64(c.Budget)
	}
	hits := draw.Unknown
	if total := n.FetchHits + n.FetchMisses; total > 0 {
		hits = draw.Percent(float64(n.FetchHits) / float64(total))
	}
	return []string{
		fmt.Sprintf(" %s of %s %s %s   %d groups of %d tracks   FETCH from the cache %s, %d served, %d upstream", draw.Bytes(c.Bytes), draw.Bytes(c.Budget),
			m.theme.Gauge(share, 20), draw.Percent(share), c.Groups, c.Tracks, m.theme.Plain(hits), n.FetchHits, n.FetchMisses),
	}
}

// footer are the lines below the body: what is going on, and the keys.
func (m *Model) footer() []string {
	t, w := m.theme, m.width
	last := m.keyLine()
	if m.prompt.kind != noPrompt {
		last = m.prompt.line(t)
	}
	if w < narrow {
		return []string{t.Fit(last, w)}
	}
	return []string{t.Fit(m.status(), w), t.Paint(draw.Faint, t.Rule(w)), t.Fit(last, w)}
}

// status says what is shown of how much, and what needs attention.
func (m *Model) status() string {
	t := m.theme
	switch {
	case m.notice != "" && m.wrong:
		return " " + t.Paint(draw.Err, t.Plain("failed: "+draw.Clean(m.notice)))
	case m.notice != "":
		return " " + t.Plain(draw.Clean(m.notice))
	case m.failure != nil && m.state != nil:
		return " " + t.Paint(draw.Warn, t.Plain(fmt.Sprintf("the relay does not answer (try %d): %s; the values are those of %s", m.tries, draw.Clean(m.failure.Error()), m.state.Time.Format("15:04:05"))))
	case m.state == nil || m.help || m.open != nil:
		return ""
	}
	shown, all := m.tables[m.screen].Len()
	parts := []string{fmt.Sprintf("%d of %d", shown, all)}
	stale := 0
	for i := range m.state.Tracks {
		if word, _ := m.condition(&m.state.Tracks[i]); word == "STALE" || word == "ORPHAN" {
			stale++
		}
	}
	if stale > 0 {
		parts = append(parts, t.Paint(draw.Warn, fmt.Sprintf("%d stale", stale)))
	}
	if n := m.flow.relay.drops; n > 0 && !math.IsNaN(m.flow.relay.out) {
		parts = append(parts, t.Paint(draw.Warn, fmt.Sprintf("%d objects dropped just now", n)))
	}
	return " " + strings.Join(parts, " "+t.Sign(draw.Dot)+" ")
}

// keyLine names the keys that do something here.
func (m *Model) keyLine() string {
	k := &m.keys
	var all []key.Binding
	switch {
	case m.help:
		all = []key.Binding{k.Up, k.Down, k.Back}
	case m.open != nil:
		all = []key.Binding{k.Pane, k.Open, k.Follow, k.Group, k.Kick, k.Purge, k.Copy, k.Back, k.Help}
	case m.screen == logScreen:
		all = []key.Binding{k.Level, k.Filter, k.Follow, k.Open, k.Freeze, k.Export, k.Help, k.Quit}
	case m.screen == sessionsScreen:
		all = []key.Binding{k.Filter, k.Sort, k.Reverse, k.Freeze, k.Kick, k.Export, k.Help, k.Quit}
	default:
		all = []key.Binding{k.Open, k.Filter, k.Sort, k.Reverse, k.Freeze, k.Export, k.Help, k.Quit}
	}
	var parts []string
	for _, b := range all {
		if !b.Enabled() {
			continue
		}
		word, _, _ := strings.Cut(b.Help().Desc, " ") // the rest is for the help
		parts = append(parts, m.theme.Paint(draw.Accent, m.keyName(b))+" "+strings.TrimSuffix(word, ":"))
	}
	return " " + strings.Join(parts, "  ")
}

// keyName is the help of a binding, in ASCII if need be.
func (m *Model) keyName(b key.Binding) string {
	name := b.Help().Key
	if m.theme.ASCII {
		name = strings.NewReplacer("↑", "up", "↓", "down", "⏎", "enter").Replace(name)
	}
	return name
}

// waiting is the body before the first state.
func (m *Model) waiting() []string {
	if m.failure == nil {
		return []string{"", "  asking the relay …"}
	}
	return []string{"", "  " + m.theme.Paint(draw.Warn, m.theme.Plain("the relay does not answer: "+draw.Clean(m.failure.Error()))), "",
		fmt.Sprintf("  try %d; the next follows by itself", m.tries+1)}
}

// helpLines explains every key.
func (m *Model) helpLines() []string {
	var lines []string
	for _, s := range m.keys.sections() {
		lines = append(lines, " "+m.theme.Paint(draw.Accent, s.Title))
		for _, b := range s.Keys {
			if b.Enabled() {
				lines = append(lines, "   "+m.theme.Fit(m.keyName(b), 10)+m.theme.Plain(b.Help().Desc))
			}
		}
	}
	m.helpAt = max(min(m.helpAt, len(lines)-m.body), 0)
	return lines[m.helpAt:]
}
