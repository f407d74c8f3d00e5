package clients

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"oxymoq/pkg/tui/table"
)

// TextState is what a Text shows beside the objects. Times that are not known are
// nil.
type TextState struct {
	Time  time.Time
	Phase Phase
	// Word is what it does while it runs: "subscribed", "fetching".
	Word           string
	Objects, Bytes uint64
	Lag            *time.Duration // of the newest object, from its capture to its arrival
	Jitter         *time.Duration
	Accepted       *time.Duration // from SUBSCRIBE to its answer
	First          *time.Duration // and to the first object
	Gaps           uint64
	Carrier        string // what carries the session, and its draft: "quic d18"
}

// TextControl is what keys of a Text change. Its methods may take their time.
type TextControl interface {
	// Pause has the publisher send no more objects, or go on.
	Pause(ctx context.Context, on bool) error
	// Unsubscribe leaves the track for good.
	Unsubscribe(ctx context.Context) error
	// Fetch asks for a range of the past, as the user has written it; its objects
	// become rows.
	Fetch(ctx context.Context, what string) error
}

// TextOptions are the options of a Text.
type TextOptions struct {
	Options
	State   func() TextState // called from any goroutine
	Rows    *Rows
	Control TextControl
	Target  string // the URL of the peer
	Space   string // the namespace
	Track   string // the name of the track, or what stands for all of the namespace
}

// Text shows the objects of a track as they come.
type Text struct {
	frame
	opts    TextOptions
	state   TextState
	rows    []Row // all that are kept
	last    uint64
	visible []Row  // that the filter lets through, up to where the view is frozen
	until   uint64 // where it is frozen
	filter  table.Filter
	hex     bool
	cursor  uint64 // number of the selected row; 0: the newest
	opened  *Row   // whose bytes are shown
	openAt  int
}

// NewText returns a screen whose commands end with ctx.
func NewText(ctx context.Context, o TextOptions) *Text {
	m := &Text{opts: o}
	m.frame = newFrame(ctx, "moqtextclient", o.Options, m)
	return m
}

// textMsg is what the program has told.
type textMsg struct {
	state   TextState
	rows    []Row
	skipped uint64
	log     news
}

// Init asks for the first state.
func (m *Text) Init() tea.Cmd { return m.look() }

// look returns a command that asks for what is new. It uses nothing of the model
// that changes.
func (m *Text) look() tea.Cmd {
	last, logged := m.last, m.log.last
	return func() tea.Msg {
		msg := textMsg{state: m.opts.State(), log: newsOf(m.ctx, m.opts.Log, logged)}
		msg.rows, msg.skipped = m.opts.Rows.After(last)
		return msg
	}
}

// Update takes a message.
func (m *Text) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case textMsg:
		m.take(msg)
		return m, m.later()
	case tickMsg:
		return m, m.look()
	}
	cmd, done := m.update(msg)
	if k, pressed := msg.(tea.KeyPressMsg); pressed && !done {
		cmd = m.pressed(k)
	}
	return m, cmd
}

// take notes what has come.
func (m *Text) take(msg textMsg) {
	m.state = msg.state
	m.log.take(msg.log)
	if len(msg.rows) == 0 {
		return
	}
	if msg.skipped > 0 {
		first := msg.rows[0]
		m.add(Row{Number: first.Number - 1, At: first.At, Note: fmt.Sprintf("skipped %d rows, which came too fast", msg.skipped), Wrong: true})
	}
	for _, r := range msg.rows {
		m.add(r)
	}
	m.last = msg.rows[len(msg.rows)-1].Number
	if extra := len(m.rows) - MaxRows; extra > 0 {
		m.rows = slices.Delete(m.rows, 0, extra)
	}
	if !m.frozen {
		old, _ := slices.BinarySearchFunc(m.visible, m.rows[0].Number, byNumber)
		m.visible = slices.Delete(m.visible, 0, old)
	}
}

func byNumber(r Row, number uint64) int { return cmp.Compare(r.Number, number) }

func (m *Text) add(r Row) {
	m.rows = append(m.rows, r)
	if !m.frozen && m.matches(&r) {
		m.visible = append(m.visible, r)
	}
}

func (m *Text) matches(r *Row) bool {
	return m.filter.Empty() || m.filter.Match(fmt.Sprintf("%s %d/%d %s%s", r.Track, r.Group, r.Object, r.Note, r.Payload))
}

// choose shows what the filter lets through.
func (m *Text) choose() {
	m.visible = nil
	for i := range m.rows {
		if r := &m.rows[i]; (!m.frozen || r.Number <= m.until) && m.matches(r) {
			m.visible = append(m.visible, *r)
		}
	}
}

func (m *Text) setFilter(text string) {
	m.filter = table.ParseFilter(text)
	m.choose()
}

// pressed takes the keys of this screen.
func (m *Text) pressed(msg tea.KeyPressMsg) tea.Cmd {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Quit):
		return m.quit("")
	case key.Matches(msg, k.Back):
		if m.opened == nil {
			m.setFilter("")
		}
		m.opened = nil
	case key.Matches(msg, k.Open):
		m.open()
	case key.Matches(msg, k.Freeze):
		m.frozen, m.until = !m.frozen, m.last
		m.choose()
	case key.Matches(msg, k.Follow):
		m.cursor = 0
	case key.Matches(msg, k.Hex):
		m.hex = !m.hex
	case key.Matches(msg, k.Filter):
		before := m.filter.String()
		m.asks.ask("/", before, func(text string) tea.Cmd { m.setFilter(text); return nil })
		m.asks.typed, m.asks.left = m.setFilter, func() { m.setFilter(before) }
	case key.Matches(msg, k.Export):
		return m.export()
	case m.opts.Control != nil && m.state.Phase != Over:
		return m.control(msg)
	}
	return nil
}

// control takes the keys that change what is asked of the peer.
func (m *Text) control(msg tea.KeyPressMsg) tea.Cmd {
	k, c := &m.keys, m.opts.Control
	switch {
	case key.Matches(msg, k.Pause):
		on, done := m.state.Phase != Paused, "paused: the publisher was asked to send nothing"
		if !on {
			done = "going on"
		}
		return m.act(done, func(ctx context.Context) error { return c.Pause(ctx, on) })
	case key.Matches(msg, k.Unsubscribe):
		m.asks.confirm("Leave the track?", func() tea.Cmd { return m.act("the track was left", c.Unsubscribe) })
	case key.Matches(msg, k.Fetch):
		m.asks.ask("fetch from group[/object] to group[/object]: ", "", func(what string) tea.Cmd {
			if what == "" {
				return nil
			}
			return m.act("fetching "+what, func(ctx context.Context) error { return c.Fetch(ctx, what) })
		})
	}
	return nil
}

// selected is the index in visible of the row under the cursor; -1 if there is
// none.
func (m *Text) selected() int {
	last := len(m.visible) - 1
	if m.cursor == 0 {
		return last
	}
	i, _ := slices.BinarySearchFunc(m.visible, m.cursor, byNumber)
	return min(i, last)
}

func (m *Text) scroll(lines int) {
	if m.opened != nil {
		m.openAt = max(m.openAt+lines, 0)
		return
	}
	at := m.selected()
	if at < 0 {
		return
	}
	switch at = max(at+lines, 0); {
	case at >= len(m.visible)-1 && lines > 0:
		m.cursor = 0 // follow
	default:
		m.cursor = m.visible[min(at, len(m.visible)-1)].Number
	}
}

// open shows the bytes of the selected object.
func (m *Text) open() {
	if at := m.selected(); at >= 0 && m.visible[at].Note == "" && m.opened == nil {
		r := m.visible[at]
		m.opened, m.openAt, m.cursor = &r, 0, r.Number
	}
}

// export writes the rows that are shown to a file, as JSON.
func (m *Text) export() tea.Cmd {
	rows := slices.Clone(m.visible)
	name := "oxymoq-objects-" + m.state.Time.Format("20060102-150405") + ".json"
	path := filepath.Join(m.opts.Directory, name)
	return func() tea.Msg {
		text, err := json.MarshalIndent(rows, "", "  ")
		if err == nil {
			err = os.WriteFile(path, append(text, '\n'), 0o600)
		}
		if err != nil {
			return doneMsg{err: fmt.Errorf("cannot export: %w", err)}
		}
		return doneMsg{done: fmt.Sprintf("exported %d rows to %s", len(rows), path)}
	}
}
