package clients

import (
	"context"
	"fmt"
	"math"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"oxymoq/pkg/tui/draw"
)

// StreamerState is what a Streamer shows. What is not known is nil.
type StreamerState struct {
	Time    time.Time
	Phase   Phase
	Carrier string // what carries the session, and its draft: "quic d18"
	Tracks  []Publication
	Media   time.Duration // how much media time was published
	// Part is how much of a file was read, from 0 to 1.
	Part *float64
	Pace float64       // media time by real time; NaN if it is not known yet
	Late time.Duration // of the newest sample, after it was due
	// Lag is how long objects stay until they are handed to the transport.
	Lag         *time.Duration
	Dropped     uint64 // samples that were not published
	Skipped     uint64 // objects that subscribers did not get
	Skew        *time.Duration
	KeptGroups  int64 // for who comes late
	KeptBytes   int64
	Subscribers int // of all tracks, each of which a relay counts for once
}

// Publication is a track of a Streamer.
type Publication struct {
	Name, Codec   string
	Detail        string // what the codec carries: "1280x720 30 fps", "48 kHz 2 ch"
	Packaging     string
	Group, Object uint64 // the place of the newest object
	Bytes         uint64
	Subscribers   int
	KeyEvery      time.Duration // from group to group; 0: not known
}

// StreamerOptions are the options of a Streamer.
type StreamerOptions struct {
	Options
	State func() StreamerState // called from any goroutine
	// Pause stops reading and publishing, or goes on; nil: it cannot.
	Pause  func(on bool)
	Input  string // what is read
	Target string // the URL of the relay
	Space  string // the namespace of the tracks
	Loop   bool
}

// Streamer shows how media is published.
type Streamer struct {
	frame
	opts   StreamerOptions
	state  StreamerState // that is shown
	newest StreamerState
	rates  map[string]*meter // of bytes, by track
}

// NewStreamer returns a screen whose commands end with ctx.
func NewStreamer(ctx context.Context, o StreamerOptions) *Streamer {
	m := &Streamer{opts: o, rates: map[string]*meter{}}
	m.frame = newFrame(ctx, "moqflvstreamer", o.Options, m)
	return m
}

type streamerMsg struct {
	state StreamerState
	log   news
}

// Init asks for the first state.
func (m *Streamer) Init() tea.Cmd { return m.look() }

func (m *Streamer) look() tea.Cmd {
	logged := m.log.last
	return func() tea.Msg { return streamerMsg{m.opts.State(), newsOf(m.ctx, m.opts.Log, logged)} }
}

// Update takes a message.
func (m *Streamer) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case streamerMsg:
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

func (m *Streamer) take(msg streamerMsg) {
	m.log.take(msg.log)
	m.newest = msg.state
	for _, p := range msg.state.Tracks {
		meterOf(m.rates, p.Name).take(msg.state.Time, p.Bytes)
	}
	if !m.frozen {
		m.state = m.newest
	}
}

// meterOf returns the meter of a track, which is made if it is not there.
func meterOf(all map[string]*meter, track string) *meter {
	if all[track] == nil {
		all[track] = &meter{}
	}
	return all[track]
}

func (m *Streamer) pressed(msg tea.KeyPressMsg) tea.Cmd {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Quit):
		return m.quit("Stop publishing?")
	case key.Matches(msg, k.Freeze):
		if m.frozen = !m.frozen; !m.frozen {
			m.state = m.newest
		}
	case key.Matches(msg, k.Pause) && m.opts.Pause != nil:
		on, done := m.newest.Phase != Paused, "paused: nothing is read and published"
		if !on {
			done = "going on"
		}
		return m.act(done, func(context.Context) error { m.opts.Pause(on); return nil })
	}
	return nil
}

func (m *Streamer) scroll(int) {}

func (m *Streamer) sections() []Section { return m.keys.streamer() }

func (m *Streamer) bindings() []key.Binding {
	k := &m.keys
	return []key.Binding{k.Pause, k.Quit, k.Freeze, k.Help, k.Log}
}

func (m *Streamer) head() (left []part, light string) {
	t := m.theme
	left = []part{{t.Plain(draw.Clean(m.opts.Input)), 1}, {toward(t) + " " + t.Plain(draw.Clean(m.opts.Target)), 2}}
	if m.state.Carrier != "" {
		left = append(left, part{m.state.Carrier, 4})
	}
	left = append(left, part{"ns " + t.Plain(draw.Clean(m.opts.Space)), 3})
	return left, m.phase(m.state.Phase, count(m.state.Subscribers, "sub"))
}

// toward is an arrow.
func toward(t *draw.Theme) string {
	if t.ASCII {
		return "->"
	}
	return "→"
}

// count is a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (m *Streamer) fill(w, h int) []string {
	lines := m.tracks(w)
	lines = append(lines, m.file(w), m.flow(w))
	return m.withLog(lines, h)
}

// tracks draws a line for each track.
func (m *Streamer) tracks(w int) []string {
	if len(m.state.Tracks) == 0 {
		return []string{" " + m.theme.Paint(draw.Faint, "no track yet: they appear with the first samples")}
	}
	t := m.theme
	var rows [][]part
	for _, p := range m.state.Tracks {
		flow := meterOf(m.rates, p.Name)
		every := ""
		if p.KeyEvery > 0 {
			every = fmt.Sprintf("key every %.1fs", p.KeyEvery.Seconds())
		}
		subs := count(p.Subscribers, "sub")
		if p.Subscribers == 0 {
			subs = t.Paint(draw.Faint, subs)
		}
		rows = append(rows, []part{
			{t.Paint(draw.Accent, t.Plain(draw.Clean(p.Name))), 0}, {t.Plain(p.Codec), 3}, {t.Plain(p.Detail), 5}, {p.Packaging, 7},
			{draw.Right(t.Plain(location(p.Group, p.Object)), 12), 2}, {draw.Right(draw.SI(8*flow.rate()), 5) + "b/s", 1},
			{t.Paint(draw.Faint, t.Spark(flow.history, spark(w))), 4}, {every, 6}, {subs, 8},
		})
	}
	return columns(rows, w-2)
}

// spark is how wide a sparkline is on a screen of a width.
func spark(w int) int { return min(max(w/8, 8), 30) }

// file draws how far the input is.
func (m *Streamer) file(w int) string {
	s := &m.state
	pace := "pace " + draw.Unknown
	if !math.IsNaN(s.Pace) {
		pace = fmt.Sprintf("pace %.2fx", s.Pace)
	}
	parts := []part{{label("file"), 0}}
	if s.Part == nil {
		parts = append(parts, part{"live input", 1}, part{draw.Clock(s.Media), 0}, part{pace, 2})
		return " " + join(parts, w-2)
	}
	times := draw.Clock(s.Media)
	switch {
	case m.opts.Loop:
		times += ", looping"
	case *s.Part > 0.01: // of less nothing can be told
		times += " / about " + draw.Clock(time.Duration(float64(s.Media) / *s.Part))
	}
	return " " + join(append(parts, part{m.theme.Gauge(*s.Part, min(max(w/3, 8), 50)), 1},
		part{draw.Right(draw.Percent(*s.Part), 4), 0}, part{times, 2}, part{pace, 3}), w-2)
}

// label begins a line that is not of a track.
func label(s string) string { return draw.Fit(s, 8) }

// flow draws what goes out, and what does not.
func (m *Streamer) flow(w int) string {
	s := &m.state
	dropped := fmt.Sprintf("dropped %d", s.Dropped)
	if s.Dropped > 0 {
		dropped = m.theme.Paint(draw.Warn, dropped)
	}
	skipped := fmt.Sprintf("not sent %d", s.Skipped)
	if s.Skipped > 0 {
		skipped = m.theme.Paint(draw.Warn, skipped)
	}
	return " " + join([]part{
		{label("flow"), 0}, {fmt.Sprintf("kept %d grp %s", s.KeptGroups, draw.Bytes(s.KeptBytes)), 5}, {dropped, 1}, {skipped, 4},
		{"send lag " + known(s.Lag), 2}, {"late " + draw.Lag(s.Late), 6}, {"A/V skew " + signed(s.Skew), 3},
	}, w-2)
}

// signed is a time with its sign.
func signed(d *time.Duration) string {
	switch {
	case d == nil:
		return draw.Unknown
	case d.Abs() < time.Minute:
		return fmt.Sprintf("%+dms", d.Milliseconds())
	}
	return fmt.Sprintf("%+.0fs", d.Seconds())
}

func (m *Streamer) status() string {
	return m.attention(m.newest.Time)
}
