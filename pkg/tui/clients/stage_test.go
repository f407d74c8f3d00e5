package clients

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/draw"
)

var noon = time.Date(2026, 11, 21, 12, 1, 7, 0, time.UTC)

// stage is a screen and the program that it shows, as a test tells it.
type stage struct {
	t     *testing.T
	m     tea.Model
	f     *frame
	clock time.Time
	quit  bool

	rows     *Rows
	log      *observe.Ring
	text     TextState
	streamer StreamerState
	receiver ReceiverState
	done     []string // by the control
	fails    error
	dir      string
}

func (st *stage) Pause(_ context.Context, on bool) error {
	st.done = append(st.done, fmt.Sprint("pause ", on))
	return st.fails
}

func (st *stage) Unsubscribe(context.Context) error {
	st.done = append(st.done, "unsubscribe")
	return st.fails
}

func (st *stage) Fetch(_ context.Context, what string) error {
	st.done = append(st.done, "fetch "+what)
	return st.fails
}

// programs are those that have a screen.
var programs = []string{"text", "streamer", "receiver"}

// newStage shows the screen of a program.
func newStage(t *testing.T, program string, o draw.Options, width, height int) *stage {
	t.Helper()
	theme, err := draw.NewTheme(o)
	if err != nil {
		t.Fatal(err)
	}
	st := &stage{t: t, clock: noon, rows: &Rows{}, log: observe.NewRing(0), dir: t.TempDir()}
	opts := Options{Theme: theme, Log: st.log, Directory: st.dir}
	switch program {
	case "text":
		m := NewText(t.Context(), TextOptions{Options: opts, Rows: st.rows, Control: st, State: func() TextState { return st.text },
			Target: "https://localhost:4433/moq-relay", Space: "moq-date", Track: "date"})
		st.m, st.f = m, &m.frame
	case "streamer":
		m := NewStreamer(t.Context(), StreamerOptions{Options: opts, State: func() StreamerState { return st.streamer }, Input: "bbb.flv",
			Target: "https://localhost:4433/moq-relay", Space: "flvstreamer", Pause: func(on bool) { st.done = append(st.done, fmt.Sprint("pause ", on)) }})
		st.m, st.f = m, &m.frame
	case "receiver":
		m := NewReceiver(t.Context(), ReceiverOptions{Options: opts, State: func() ReceiverState { return st.receiver },
			Target: "https://localhost:4433/moq-relay", Space: "flvstreamer", Output: "out.flv"})
		st.m, st.f = m, &m.frame
	}
	st.send(tea.WindowSizeMsg{Width: width, Height: height})
	st.streamer.Pace = math.NaN()
	return st
}

// send gives the model a message and runs what follows from it, but for what
// waits.
func (st *stage) send(msg tea.Msg) {
	_, cmd := st.m.Update(msg)
	for cmd != nil {
		next := cmd()
		switch next.(type) {
		case tea.QuitMsg:
			st.quit = true
			return
		case doneMsg:
			_, cmd = st.m.Update(next)
		default:
			return
		}
	}
}

// look shows what the program tells now.
func (st *stage) look() { st.m.Update(st.m.Init()()) }

// press presses keys: those with a name, or text.
func (st *stage) press(names ...string) {
	codes := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "space": tea.KeySpace, "up": tea.KeyUp, "down": tea.KeyDown,
		"end": tea.KeyEnd, "home": tea.KeyHome, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown}
	for _, name := range names {
		switch code, named := codes[name]; {
		case name == "ctrl+c":
			st.send(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
		case name == "space":
			st.send(tea.KeyPressMsg{Code: code, Text: " "})
		case named:
			st.send(tea.KeyPressMsg{Code: code})
		default:
			for _, r := range name {
				st.send(tea.KeyPressMsg{Code: r, Text: string(r)})
			}
		}
	}
}

// screen is what is shown, without styles.
func (st *stage) screen() string { return ansi.Strip(strings.Join(st.f.lines(), "\n")) }

func (st *stage) want(parts ...string) {
	st.t.Helper()
	for _, p := range parts {
		if !strings.Contains(st.screen(), p) {
			st.t.Errorf("%q is not shown:\n%s", p, st.screen())
		}
	}
}

func (st *stage) wantNot(parts ...string) {
	st.t.Helper()
	for _, p := range parts {
		if strings.Contains(st.screen(), p) {
			st.t.Errorf("%q is shown:\n%s", p, st.screen())
		}
	}
}

func (st *stage) did(want string) {
	st.t.Helper()
	if got := strings.Join(st.done, ", "); got != want {
		st.t.Errorf("done: %s; want %s", got, want)
	}
}

// shape checks that every line has the width of the screen.
func (st *stage) shape() {
	st.t.Helper()
	lines := st.f.lines()
	if len(lines) != st.f.height {
		st.t.Errorf("%dx%d: %d lines", st.f.width, st.f.height, len(lines))
	}
	for i, l := range lines {
		if draw.Width(l) != st.f.width {
			st.t.Errorf("%dx%d: line %d has %d cells: %q", st.f.width, st.f.height, i, draw.Width(l), l)
		}
		if st.f.theme.ASCII && strings.ContainsFunc(ansi.Strip(l), func(r rune) bool { return r < ' ' || r > '~' }) {
			st.t.Errorf("%dx%d: line %d is not ASCII: %q", st.f.width, st.f.height, i, l)
		}
	}
}

// date adds the objects of seconds of a minute, and what came with them.
func (st *stage) date(from, to int) {
	for s := from; s <= to; s++ {
		st.clock = noon.Add(time.Duration(s) * time.Second)
		text := fmt.Sprint(s)
		if s == 0 {
			text = "2026-11-21 12:01:"
		}
		st.rows.Add(Row{At: st.clock.Add(2 * time.Millisecond), Group: 29384, Object: uint64(s), Subgroup: "0", Since: new(time.Second - time.Duration(s)*time.Millisecond),
			Past: s < 3, Size: len(text), Payload: []byte(text)})
		st.text.Objects++
		st.text.Bytes += uint64(len(text))
	}
	st.text.Time, st.text.Phase, st.text.Word, st.text.Carrier = st.clock, Running, "subscribed", "wt d18"
	st.text.Lag, st.text.Jitter = new(4*time.Millisecond), new(1200*time.Microsecond)
	st.text.Accepted, st.text.First = new(9*time.Millisecond), new(11*time.Millisecond)
}

// stream lets a streamer publish for some seconds.
func (st *stage) stream(seconds int) {
	s := &st.streamer
	for i := 0; i <= seconds; i++ {
		st.clock = noon.Add(time.Duration(i) * time.Second)
		n := uint64(i)
		*s = StreamerState{
			Time: st.clock, Phase: Running, Carrier: "quic d18", Media: time.Duration(i) * time.Second, Part: new(float64(i) / 174), Pace: 1,
			Late: 300 * time.Microsecond, Lag: new(3 * time.Millisecond), Skew: new(8 * time.Millisecond), KeptGroups: 16, KeptBytes: 9 << 20, Subscribers: 2,
			Tracks: []Publication{
				{Name: "video0", Codec: "H.264", Detail: "1280x720 30 fps", Packaging: "moqmi", Group: 1795262467000 + 2*n, Object: 27, Subscribers: 1,
					Bytes: n*300_000 + n*7%5*20_000, KeyEvery: 2 * time.Second},
				{Name: "audio0", Codec: "AAC", Detail: "48 kHz 2 ch", Packaging: "moqmi", Group: 1795262467968, Object: 0, Subscribers: 1, Bytes: n * 16_000},
			},
		}
		st.look()
	}
}

// receive lets a receiver write for some seconds.
func (st *stage) receive(seconds int) {
	s := &st.receiver
	for i := 0; i <= seconds; i++ {
		st.clock = noon.Add(time.Duration(i) * time.Second)
		n := uint64(i)
		*s = ReceiverState{
			Time: st.clock, Phase: Running, Carrier: "wt d18", Buffer: 180 * time.Millisecond, Hold: 500 * time.Millisecond, Bytes: int64(n) * 316_000,
			Written: time.Duration(i) * time.Second, Skew: new(-8 * time.Millisecond), FirstPicture: new(120 * time.Millisecond), Restarts: n / 10,
			Tracks: []Reception{
				{Name: "video0", Packaging: "moqmi", State: "receiving", Receiving: true, Group: 41, Object: 27, Objects: 30 * n, Bytes: n * 300_000,
					Lag: new(112 * time.Millisecond), Gaps: 1, Late: 3, Held: time.Duration(n%4*n) * 30 * time.Millisecond, Freezes: 1, Longest: 1200 * time.Millisecond},
				{Name: "audio0", State: "asked for"},
			},
		}
		st.look()
	}
}

// play lets the program of a stage run for a while.
func (st *stage) play(program string) {
	switch program {
	case "text":
		st.date(0, 9)
		st.rows.Add(Row{At: st.clock, Note: "gap: 29384/10 to 29384/11 were not delivered", Wrong: true})
		st.text.Gaps++
		st.date(12, 16)
		st.rows.Add(Row{At: st.clock, Group: 29384, Object: 17, Subgroup: "datagram", Size: 5000, Payload: []byte{0, 1, 2, 0xFF, 0x80}, Properties: []string{"0x10 = 123456"}})
		st.look()
	case "streamer":
		st.stream(20)
	case "receiver":
		st.receive(20)
	}
}

// logged writes into the log of the program.
func (st *stage) logged(lines ...string) {
	for i, l := range lines {
		level := []string{"info", "warn", "error", "debug"}[i%4]
		st.log.Add(observe.Event{Time: noon.Add(time.Duration(i) * time.Second), Level: level, Kind: observe.KindLog, Text: l, Detail: map[string]string{"track": "video0"}})
	}
}

var errNo = errors.New("the peer does not want to")
