package dashboard

import (
	"context"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/draw"
	"oxymoq/pkg/tui/table"
)

// Options say what to show and how.
type Options struct {
	Source observe.Source
	// Control is what can be changed; nil hides the keys for that.
	Control observe.Control
	Theme   *draw.Theme // nil: the default
	// Interval is how often the state is asked for; 0: DefaultInterval.
	Interval time.Duration
	// Remote is where the source is; empty: the relay of this program, which
	// ends with it, so that leaving is asked about.
	Remote  string
	NoMouse bool
	// Directory is where exports are written; empty: the present one.
	Directory string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// How often the state is asked for.
const (
	DefaultInterval = time.Second
	MinInterval     = 250 * time.Millisecond
	MaxInterval     = 10 * time.Second
)

// patience is how long a source may take to answer.
const patience = 5 * time.Second

// screen is one of the tabs.
type screen uint8

const (
	tracksScreen screen = iota
	sessionsScreen
	namespacesScreen
	cacheScreen
	logScreen
	linksScreen
	screens
)

var screenNames = [screens]string{"Tracks", "Sessions", "Namespaces", "Cache", "Log", "Links"}

// String returns the title of the tab.
func (s screen) String() string { return screenNames[s] }

// Model is the dashboard.
type Model struct {
	ctx   context.Context // of its commands, the caller's
	opts  Options
	theme *draw.Theme
	keys  keys

	width, height int
	screen        screen
	tables        [screens]*table.Table
	filters       [screens]string

	state    *observe.State // shown; nil before the first
	newest   *observe.State // the same unless frozen
	frozen   bool
	interval time.Duration
	failure  error     // of the newest attempt
	answered time.Time // when the newest state came
	tries    int       // that failed since
	flow     *rates

	events  []observe.Event
	lastSeq uint64
	skipped uint64
	level   int // of levels, the lowest that is shown

	open   *detail // the track that is looked at, nil if none
	prompt prompt
	help   bool
	helpAt int
	notice string // what the last action said
	wrong  bool   // it failed
	body   int    // lines of the body
}

// New returns a dashboard whose questions to the source end with ctx.
func New(ctx context.Context, o Options) *Model {
	if o.Theme == nil {
		o.Theme, _ = draw.NewTheme(draw.Options{}) // the default exists
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	m := &Model{ctx: ctx, opts: o, theme: o.Theme, keys: newKeys(), interval: min(max(o.Interval, MinInterval), MaxInterval), flow: newRates(), level: infoLevel}
	m.tables = newTables()
	for _, b := range []interface{ SetEnabled(bool) }{&m.keys.Kick, &m.keys.Purge, &m.keys.Drain} {
		b.SetEnabled(o.Control != nil)
	}
	return m
}

// Messages of the model's commands.
type (
	stateMsg struct {
		state *observe.State
		err   error
	}
	detailMsg struct {
		id     string
		detail *observe.TrackDetail
		err    error
	}
	eventsMsg struct {
		events  []observe.Event
		skipped uint64
		err     error
	}
	actionMsg struct {
		done string
		err  error
	}
	tickMsg  struct{}
	eventTry struct{}
)

// Init asks for the first state and for events.
func (m *Model) Init() tea.Cmd { return tea.Batch(m.ask, m.askEvents) }

// ask is a command; it uses nothing of the model that changes.
func (m *Model) ask() tea.Msg {
	ctx, cancel := context.WithTimeout(m.ctx, patience)
	defer cancel()
	s, err := m.opts.Source.State(ctx)
	return stateMsg{s, err}
}

func (m *Model) askTrack(id string) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(m.ctx, patience)
		defer cancel()
		d, err := m.opts.Source.Track(ctx, id)
		return detailMsg{id, d, err}
	}
}

// eventPatience is how long one request for events waits for one.
const eventPatience = 20 * time.Second

func (m *Model) askEvents() tea.Msg { return m.eventsAfter(0)() }

func (m *Model) eventsAfter(seq uint64) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(m.ctx, eventPatience)
		defer cancel()
		events, skipped, err := m.opts.Source.Events(ctx, seq)
		if errors.Is(err, context.DeadlineExceeded) {
			err = nil
		}
		return eventsMsg{events, skipped, err}
	}
}

// act runs something that changes the relay.
func (m *Model) act(done string, do func(context.Context, observe.Control) error) tea.Cmd {
	c := m.opts.Control
	if c == nil {
		return nil
	}
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(m.ctx, patience)
		defer cancel()
		return actionMsg{done, do(ctx, c)}
	}
}

// Update takes a message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case stateMsg:
		return m, m.takeState(msg)
	case extraMsg:
		m.show(msg.state)
	case detailMsg:
		m.takeDetail(msg)
	case eventsMsg:
		return m, m.takeEvents(msg)
	case eventTry:
		return m, m.eventsAfter(m.lastSeq)
	case tickMsg:
		if m.open != nil {
			return m, tea.Batch(m.ask, m.askTrack(m.open.id))
		}
		return m, m.ask
	case actionMsg:
		m.say(msg.done, msg.err)
		return m, m.askBetween
	case tea.KeyPressMsg:
		return m, m.press(msg)
	case tea.PasteMsg:
		return m, m.paste(msg)
	case tea.MouseWheelMsg:
		m.wheel(msg)
	case tea.MouseClickMsg:
		return m, m.click(msg)
	}
	return m, nil
}

// askBetween asks for the state without moving the time when it is asked for
// next.
func (m *Model) askBetween() tea.Msg {
	msg, ok := m.ask().(stateMsg)
	if !ok || msg.err != nil {
		return nil
	}
	return extraMsg(msg)
}

// extraMsg is a state that was not due yet.
type extraMsg stateMsg

// say shows what an action did.
func (m *Model) say(done string, err error) {
	m.notice, m.wrong = done, err != nil
	if err != nil {
		m.notice = err.Error()
	}
}

// takeState notes a state, or that there is none, and says when to ask again.
func (m *Model) takeState(msg stateMsg) tea.Cmd {
	pause := m.interval
	if m.failure = msg.err; msg.err != nil {
		m.tries++
		pause = min(m.interval<<min(m.tries, 6), MaxInterval)
	} else {
		m.tries, m.answered = 0, m.opts.Now()
		m.show(msg.state)
	}
	return tea.Tick(pause, func(time.Time) tea.Msg { return tickMsg{} })
}

// show makes a state the newest one, and shows it unless the view is frozen.
func (m *Model) show(s *observe.State) {
	m.flow.take(s)
	m.newest = s
	if m.frozen && m.state != nil {
		return
	}
	m.state = s
	m.fill()
}

// takeEvents notes events and asks for more.
func (m *Model) takeEvents(msg eventsMsg) tea.Cmd {
	if msg.err != nil {
		return tea.Tick(m.interval<<min(m.tries+1, 4), func(time.Time) tea.Msg { return eventTry{} })
	}
	if n := len(msg.events); n > 0 {
		if msg.events[0].Number <= m.lastSeq { // of another run of the relay
			m.events, m.skipped = nil, 0
		}
		m.lastSeq = msg.events[n-1].Number
		m.skipped += msg.skipped
		m.events = append(m.events, msg.events...)
		if extra := len(m.events) - observe.DefaultEvents; extra > 0 {
			m.events = append(m.events[:0], m.events[extra:]...)
		}
		if !m.frozen {
			m.fillLog()
		}
	}
	return m.eventsAfter(m.lastSeq)
}
