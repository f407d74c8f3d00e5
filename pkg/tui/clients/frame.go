package clients

import (
	"context"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/draw"
)

// Options say how a screen is drawn.
type Options struct {
	Theme *draw.Theme // nil: the default
	// Interval is how often the state is asked for; 0: DefaultInterval.
	Interval time.Duration
	// Log is where the log of the program goes; nil: it has none.
	Log     *observe.Ring
	NoMouse bool
	// Directory is where exports are written; empty: the present one.
	Directory string
}

// DefaultInterval is how often the state is asked for.
const DefaultInterval = 250 * time.Millisecond

// The least that anything can be shown on.
const (
	MinWidth  = 40
	MinHeight = 8
)

// narrow is the width below which lines are short.
const narrow = 84

// patience is how long what a key does may take.
const patience = 10 * time.Second

// Phase is what a program does, from which the word at the right of its first
// line follows.
type Phase uint8

// The phases.
const (
	Connecting Phase = iota
	Waiting          // the peer has not answered, or has no such track yet
	Running
	Paused
	Over // nothing more comes
)

// content is what the three screens do not share.
type content interface {
	head() (left []part, light string)
	fill(width, height int) []string
	status() string
	bindings() []key.Binding
	sections() []Section
	scroll(lines int)
}

// frame is what they share: the lines around, freezing, help, log and questions.
type frame struct {
	ctx   context.Context // of its commands, the caller's
	opts  Options
	theme *draw.Theme
	keys  keys
	name  string // of the program
	of    content

	width, height int
	frozen        bool
	help          bool
	helpAt        int
	logs          bool // the log is what is shown
	logUp         int  // lines that it is scrolled up
	logged        bool // its end is below what is shown
	asks          prompt
	notice        string // what the last action said
	wrong         bool   // it failed
	noticed       int    // for how many looks at the state that is still shown
	body          int    // lines of the body
	log           journal
}

func newFrame(ctx context.Context, name string, o Options, of content) frame {
	if o.Theme == nil {
		o.Theme, _ = draw.NewTheme(draw.Options{}) // the default exists
	}
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	return frame{ctx: ctx, opts: o, theme: o.Theme, keys: newKeys(), name: name, of: of}
}

// noticeLooks is how long it is shown what an action did, in looks at the state.
const noticeLooks = 20

// tickMsg says that the state is to be asked for.
type tickMsg struct{}

// later asks for the state when it is time. What an action said goes after a while.
func (f *frame) later() tea.Cmd {
	if f.noticed--; f.noticed <= 0 {
		f.notice = ""
	}
	return tea.Tick(f.opts.Interval, func(time.Time) tea.Msg { return tickMsg{} })
}

// doneMsg says what an action did.
type doneMsg struct {
	done string
	err  error
}

// act returns a command that does something that takes time.
func (f *frame) act(done string, do func(context.Context) error) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(f.ctx, patience)
		defer cancel()
		return doneMsg{done, do(ctx)}
	}
}

func (f *frame) say(done string, err error) {
	f.notice, f.wrong, f.noticed = done, err != nil, noticeLooks
	if err != nil {
		f.notice = err.Error()
	}
}

// update takes the messages that mean the same everywhere, and reports whether
// that is all.
func (f *frame) update(msg tea.Msg) (tea.Cmd, bool) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		f.width, f.height = msg.Width, msg.Height
	case doneMsg:
		f.say(msg.done, msg.err)
	case tea.PasteMsg:
		if f.asks.open {
			return f.asks.update(msg), true
		}
	case tea.MouseWheelMsg:
		n := 3
		if msg.Button == tea.MouseWheelUp {
			n = -3
		}
		f.move(n)
	case tea.KeyPressMsg:
		return f.press(msg)
	default:
		return nil, false
	}
	return nil, true
}

// press takes the keys that mean the same everywhere.
func (f *frame) press(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	k := &f.keys
	if key.Matches(msg, k.Leave) {
		return tea.Quit, true
	}
	if f.notice = ""; f.asks.open {
		return f.answer(msg), true
	}
	if f.help {
		if key.Matches(msg, k.Help, k.Back, k.Quit, k.Open) {
			f.help = false
			return nil, true
		}
		f.moved(msg)
		return nil, true
	}
	switch {
	case key.Matches(msg, k.Help):
		f.help, f.helpAt = true, 0
	case key.Matches(msg, k.Log):
		f.logs, f.logUp = !f.logs, 0
	case f.logs && key.Matches(msg, k.Back):
		f.logs = false
	case key.Matches(msg, k.Bottom) && f.logs:
		f.logUp = 0
	default:
		return nil, f.moved(msg)
	}
	return nil, true
}

// answer takes keys while something is asked.
func (f *frame) answer(msg tea.KeyPressMsg) tea.Cmd {
	p := f.asks
	switch {
	case p.confirms && key.Matches(msg, f.keys.Yes):
		f.asks = prompt{}
		return p.yes()
	case p.confirms && key.Matches(msg, f.keys.No), msg.String() == "esc":
		if f.asks = (prompt{}); p.left != nil {
			p.left()
		}
	case p.confirms:
	case msg.String() == "enter":
		f.asks = prompt{}
		return p.entered(strings.TrimSpace(p.input.Value()))
	default:
		return f.asks.update(msg)
	}
	return nil
}

// farthest is further than anything reaches.
const farthest = 1 << 30

// moved moves by keys and reports whether the key was one of those.
func (f *frame) moved(msg tea.KeyPressMsg) bool {
	k := &f.keys
	page := max(f.body-2, 1)
	switch {
	case key.Matches(msg, k.Up):
		f.move(-1)
	case key.Matches(msg, k.Down):
		f.move(1)
	case key.Matches(msg, k.PageUp):
		f.move(-page)
	case key.Matches(msg, k.PageDown):
		f.move(page)
	case key.Matches(msg, k.Top):
		f.move(-farthest)
	case key.Matches(msg, k.Bottom):
		f.move(farthest)
	default:
		return false
	}
	return true
}

func (f *frame) move(lines int) {
	switch {
	case f.help:
		f.helpAt = max(f.helpAt+lines, 0)
	case f.logs:
		f.logUp = max(f.logUp-lines, 0)
	default:
		f.of.scroll(lines)
	}
}

// quit ends the program; question is asked before if there is one.
func (f *frame) quit(question string) tea.Cmd {
	if question == "" {
		return tea.Quit
	}
	f.asks.confirm(question, func() tea.Cmd { return tea.Quit })
	return nil
}

// View draws the screen.
func (f *frame) View() tea.View {
	v := tea.NewView(strings.Join(f.lines(), "\n"))
	v.AltScreen, v.WindowTitle = true, f.name
	if !f.opts.NoMouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// lines returns exactly as many lines as the screen has, each exactly as wide.
func (f *frame) lines() []string {
	w, h, t := f.width, f.height, f.theme
	if w <= 0 || h <= 0 {
		return nil
	}
	if w < MinWidth || h < MinHeight {
		return f.exactly([]string{"terminal too small", fmt.Sprintf("%dx%d, at least %dx%d", w, h, MinWidth, MinHeight)}, h)
	}
	lines := []string{f.header(), t.Paint(draw.Faint, t.Rule(w))}
	const foot = 2
	f.body, f.logged = h-len(lines)-foot, false
	var body []string
	switch {
	case f.help:
		body = f.helpLines()
	case f.logs:
		body = f.logLines(f.body)
	default:
		body = f.of.fill(w, f.body)
	}
	lines = append(lines, f.exactly(body, f.body)...)
	return f.exactly(append(lines, f.status(), f.keyLine()), h)
}

// exactly returns that many lines of the width of the screen.
func (f *frame) exactly(lines []string, height int) []string {
	out := make([]string, height)
	for i := range out {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		out[i] = f.theme.Fit(f.theme.Plain(line), f.width)
	}
	return out
}

// header is the first line.
func (f *frame) header() string {
	left, light := f.of.head()
	if f.frozen {
		light = f.theme.Paint(draw.Accent, f.theme.Sign(draw.Live)+" frozen")
	}
	light += " "
	left = append([]part{{text: f.theme.Paint(draw.Accent, f.name)}}, left...)
	return f.between(" "+join(left, f.width-draw.Width(light)-2), light)
}

// between is a line with left and right ends, of which left is cut.
func (f *frame) between(left, right string) string {
	right = f.theme.Plain(right)
	return f.theme.Fit(f.theme.Plain(left), f.width-draw.Width(right)) + right
}

// light is a sign and a word.
func (f *frame) light(role draw.Role, word string) string {
	sign := draw.Live
	if role == draw.Warn || role == draw.Err {
		sign = draw.Warning
	}
	return f.theme.Paint(role, f.theme.Sign(sign)+" "+word)
}

// phase is the light of a program that runs in the word.
func (f *frame) phase(p Phase, running string) string {
	switch p {
	case Running:
		return f.light(draw.OK, running)
	case Paused:
		return f.light(draw.Accent, "paused")
	case Waiting:
		return f.light(draw.Warn, "waiting")
	case Over:
		return f.light(draw.Faint, "over")
	case Connecting:
	}
	return f.light(draw.Warn, "not connected")
}

// status is the line above the keys: what the last key did, or what is going on.
func (f *frame) status() string {
	switch t := f.theme; {
	case f.notice != "" && f.wrong:
		return " " + t.Paint(draw.Err, "failed: "+draw.Clean(f.notice))
	case f.notice != "":
		return " " + draw.Clean(f.notice)
	}
	return " " + f.of.status()
}

// keyLine names the keys that do something here.
func (f *frame) keyLine() string {
	k := &f.keys
	all := f.of.bindings()
	switch {
	case f.asks.open:
		return f.asks.line(f.theme)
	case f.help, f.logs:
		all = []key.Binding{k.Up, k.Down, k.Back}
	}
	var parts []part
	for i, b := range all {
		word, _, _ := strings.Cut(b.Help().Desc, " ") // the rest is for the help
		word = strings.TrimRight(word, ":,")
		rank := i + 2
		switch name := b.Help().Key; name { // that there is help, and a way out, is always said
		case k.Quit.Help().Key, k.Back.Help().Key:
			rank = 0
		case k.Help.Help().Key:
			rank = 1
		}
		parts = append(parts, part{f.theme.Paint(draw.Accent, f.keyName(b)) + " " + word, rank})
	}
	return " " + join(parts, f.width-2)
}

// keyName is the help of a binding, in ASCII if need be.
func (f *frame) keyName(b key.Binding) string {
	name := b.Help().Key
	if f.theme.ASCII {
		name = strings.NewReplacer("↑", "up", "↓", "down", "⏎", "enter").Replace(name)
	}
	return name
}

// helpLines explains every key.
func (f *frame) helpLines() []string {
	var lines []string
	for _, s := range f.of.sections() {
		lines = append(lines, " "+f.theme.Paint(draw.Accent, s.Title))
		for _, b := range s.Keys {
			lines = append(lines, "   "+f.theme.Fit(f.keyName(b), 10)+b.Help().Desc)
		}
	}
	f.helpAt = max(min(f.helpAt, len(lines)-f.body), 0)
	return lines[f.helpAt:]
}

// logLines is as much of the log as fits, the newest last.
func (f *frame) logLines(height int) []string {
	all := f.log.lines(f.theme)
	if len(all) == 0 {
		return []string{"", "   " + f.theme.Paint(draw.Faint, "nothing was logged yet")}
	}
	f.logUp = max(min(f.logUp, len(all)-height), 0)
	end := len(all) - f.logUp
	return all[max(end-height, 0):end]
}

// part is a piece of a line. Where not all fit, those of the largest number are
// left out first; 0 stays.
type part struct {
	text string
	rank int
}

// join puts parts beside each other, as many as fit into the width.
func join(parts []part, width int) string {
	const gap = 2
	used := -gap
	for _, p := range parts {
		used += draw.Width(p.text) + gap
	}
	left := make([]bool, len(parts))
	for used > width {
		leaver := -1
		for i, p := range parts {
			if !left[i] && p.rank > 0 && (leaver < 0 || p.rank >= parts[leaver].rank) {
				leaver = i
			}
		}
		if leaver < 0 {
			break // what is left is cut
		}
		left[leaver] = true
		used -= draw.Width(parts[leaver].text) + gap
	}
	var kept []string
	for i, p := range parts {
		if !left[i] {
			kept = append(kept, p.text)
		}
	}
	return strings.Join(kept, strings.Repeat(" ", gap))
}
