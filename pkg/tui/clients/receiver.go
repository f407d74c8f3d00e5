package clients

import (
	"context"
	"fmt"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"oxymoq/pkg/tui/draw"
)

// ReceiverState is what a Receiver shows. What is not known is nil.
type ReceiverState struct {
	Time    time.Time
	Phase   Phase
	Carrier string // what carries the session, and its draft: "quic d18"
	Tracks  []Reception
	// Buffer is how long the oldest sample has waited, Hold how long one may.
	Buffer, Hold time.Duration
	Bytes        int64         // written
	Written      time.Duration // of media
	Skew         *time.Duration
	FirstPicture *time.Duration // from the SUBSCRIBE of the video
	Dropped      uint64         // because writing was too slow
	Refused      uint64         // samples that FLV cannot have
	Restarts     uint64         // of the publisher
}

// Reception is a track of a Receiver.
type Reception struct {
	Name, Packaging string
	State           string // in a word
	Receiving       bool   // that is the good one
	Group, Object   uint64
	Objects, Bytes  uint64
	Lag             *time.Duration // of the newest object, from its capture to its arrival
	Gaps, Late      uint64
	// Held is for how long objects were held back in all, for the sake of order.
	Held    time.Duration
	Freezes uint64
	Longest time.Duration // of the freezes
}

// ReceiverOptions are the options of a Receiver.
type ReceiverOptions struct {
	Options
	State  func() ReceiverState // called from any goroutine
	Target string               // the URL of the peer
	Space  string               // the namespace of the tracks
	Output string               // where the media goes
}

// Receiver shows how media is received.
type Receiver struct {
	frame
	opts   ReceiverOptions
	state  ReceiverState // that is shown
	newest ReceiverState
	rates  map[string]*meter // of bytes, by track
	held   map[string]*meter // of microseconds, by track
}

// NewReceiver returns a screen whose commands end with ctx.
func NewReceiver(ctx context.Context, o ReceiverOptions) *Receiver {
	m := &Receiver{opts: o, rates: map[string]*meter{}, held: map[string]*meter{}}
	m.frame = newFrame(ctx, "moqflvreceiver", o.Options, m)
	return m
}

type receiverMsg struct {
	state ReceiverState
	log   news
}

// Init asks for the first state.
func (m *Receiver) Init() tea.Cmd { return m.look() }

func (m *Receiver) look() tea.Cmd {
	logged := m.log.last
	return func() tea.Msg { return receiverMsg{m.opts.State(), newsOf(m.ctx, m.opts.Log, logged)} }
}

// Update takes a message.
func (m *Receiver) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case receiverMsg:
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

func (m *Receiver) take(msg receiverMsg) {
	m.log.take(msg.log)
	m.newest = msg.state
	for _, t := range msg.state.Tracks {
		meterOf(m.rates, t.Name).take(msg.state.Time, t.Bytes)
		meterOf(m.held, t.Name).take(msg.state.Time, uint64(t.Held.Microseconds()))
	}
	if !m.frozen {
		m.state = m.newest
	}
}

func (m *Receiver) pressed(msg tea.KeyPressMsg) tea.Cmd {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Quit):
		return m.quit("Stop receiving?")
	case key.Matches(msg, k.Freeze):
		if m.frozen = !m.frozen; !m.frozen {
			m.state = m.newest
		}
	}
	return nil
}

func (m *Receiver) scroll(int) {}

func (m *Receiver) sections() []Section { return m.keys.receiver() }

func (m *Receiver) bindings() []key.Binding {
	k := &m.keys
	return []key.Binding{k.Quit, k.Freeze, k.Help, k.Log}
}

func (m *Receiver) head() (left []part, light string) {
	t := m.theme
	out := m.opts.Output
	if out == "" {
		out = "nothing"
	}
	left = []part{{t.Plain(draw.Clean(m.opts.Target)), 3}}
	if m.state.Carrier != "" {
		left = append(left, part{m.state.Carrier, 4})
	}
	left = append(left, part{t.Plain(draw.Clean(m.opts.Space)), 1}, part{toward(t) + " " + t.Plain(draw.Clean(out)), 2})
	return left, m.phase(m.state.Phase, "receiving")
}

func (m *Receiver) fill(w, h int) []string {
	var lines []string
	if len(m.state.Tracks) == 0 {
		lines = []string{" " + m.theme.Paint(draw.Faint, "no track yet")}
	}
	t := m.theme
	var rows [][]part
	for _, r := range m.state.Tracks {
		role := draw.OK
		if !r.Receiving {
			role = draw.Warn
		}
		place := draw.Unknown
		if r.Objects > 0 {
			place = location(r.Group, r.Object)
		}
		flow, held := meterOf(m.rates, r.Name), meterOf(m.held, r.Name)
		rows = append(rows, []part{
			{t.Paint(draw.Accent, t.Plain(draw.Clean(r.Name))), 0}, {t.Paint(role, r.State), 4}, {r.Packaging, 9}, {draw.Right(t.Plain(place), 12), 3},
			{draw.Right(draw.SI(8*flow.rate()), 5) + "b/s", 6}, {t.Paint(draw.Faint, t.Spark(flow.history, spark(w)/2)), 8},
			{"lag " + draw.Right(known(r.Lag), 5), 1}, {m.warn("gaps", r.Gaps), 1}, {m.warn("late", r.Late), 5}, {m.freezes(&r), 7},
			{"reorder " + t.Paint(draw.Faint, t.Spark(above(held.history, heldNoise), spark(w))), 8},
		})
	}
	lines = append(lines, columns(rows, w-2)...)
	return m.withLog(append(lines, m.buffer(w), m.written(w)), h)
}

// heldNoise is for how many microseconds a second objects are held back where they
// come in order, because a machine does other things too.
const heldNoise = 10_000

// above returns values with 0 for those that are less than the least.
func above(values []float64, least float64) []float64 {
	out := slices.Clone(values)
	for i, v := range out {
		if v < least {
			out[i] = 0
		}
	}
	return out
}

// warn is a count that should be 0.
func (m *Receiver) warn(what string, n uint64) string {
	s := what + " " + draw.SI(float64(n))
	if n > 0 {
		return m.theme.Paint(draw.Warn, s)
	}
	return s
}

// freezes are the times without an object that were longer than they should.
func (m *Receiver) freezes(r *Reception) string {
	s := m.warn("freezes", r.Freezes)
	if r.Freezes > 0 {
		s += " " + draw.Lag(r.Longest)
	}
	return s
}

// buffer draws how much of the time that samples may wait they do.
func (m *Receiver) buffer(w int) string {
	s := &m.state
	share := 0.0
	if s.Hold > 0 {
		share = s.Buffer.Seconds() / s.Hold.Seconds()
	}
	return " " + join([]part{{label("buffer"), 0}, {m.theme.Gauge(share, min(max(w/4, 8), 40)), 0},
		{fmt.Sprintf("%d/%dms", s.Buffer.Milliseconds(), s.Hold.Milliseconds()), 0}, {"first picture " + known(s.FirstPicture), 1}}, w-2)
}

// written draws what has become of it.
func (m *Receiver) written(w int) string {
	s := &m.state
	parts := []part{{label("written"), 0}, {draw.Bytes(s.Bytes), 0}, {draw.Clock(s.Written), 0}, {"A/V skew " + signed(s.Skew), 1}}
	for _, c := range []struct {
		what string
		n    uint64
	}{{"dropped", s.Dropped}, {"refused", s.Refused}, {"restarts", s.Restarts}} {
		if c.n > 0 {
			parts = append(parts, part{m.warn(c.what, c.n), 2})
		}
	}
	return " " + join(parts, w-2)
}

func (m *Receiver) status() string { return m.attention(m.newest.Time) }
