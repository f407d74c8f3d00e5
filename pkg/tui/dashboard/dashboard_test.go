package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/exp/golden"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/draw"
)

// TestGolden shows every screen at three sizes, in colour and in ASCII.
func TestGolden(t *testing.T) {
	for _, size := range [][2]int{{57, 14}, {100, 24}, {160, 40}} {
		for name, o := range map[string]draw.Options{"color": {}, "ascii": {ASCII: true, Theme: "mono"}} {
			theme, err := draw.NewTheme(o)
			if err != nil {
				t.Fatal(err)
			}
			for s := range screens {
				t.Run(fmt.Sprintf("%s-%d-%s", strings.ToLower(s.String()), size[0], name), func(t *testing.T) {
					st := newStage(t, Options{Theme: theme}, size[0], size[1])
					st.w.events = fakeEvents(8)
					st.m.Update(st.m.askEvents())
					st.tick(0)
					st.tick(1)
					st.press(digit(s))
					st.shape()
					golden.RequireEqual(t, strings.Join(st.m.lines(), "\n"))
				})
			}
			for _, view := range []string{"track", "bytes", "groups", "help"} {
				t.Run(fmt.Sprintf("%s-%d-%s", view, size[0], name), func(t *testing.T) {
					st := newStage(t, Options{Theme: theme}, size[0], size[1])
					st.tick(0)
					st.press(map[string]string{"help": "?"}[view])
					if view != "help" {
						st.press("enter")
						st.tick(1)
						st.tick(2)
					}
					switch view {
					case "bytes":
						st.press("up", "enter")
					case "groups":
						st.press("tab")
					}
					st.shape()
					golden.RequireEqual(t, strings.Join(st.m.lines(), "\n"))
				})
			}
		}
	}
}

func digit(s screen) string { return string(rune('1' + s)) }

// TestEveryWidth: no screen has a broken line at any size.
func TestEveryWidth(t *testing.T) {
	st := newStage(t, Options{}, 100, 24)
	st.w.events = fakeEvents(20)
	st.m.Update(st.m.askEvents())
	views := []func(){func() { st.press("esc") }, func() { st.press("?") }, func() { st.press("esc", "1", "enter"); st.tick(3) }, func() { st.press("enter") },
		func() { st.press("esc", "tab") }, func() { st.press("esc", "/", "live") }}
	st.tick(0)
	st.tick(1)
	for _, show := range views {
		show()
		for s := range screens {
			if st.m.open == nil && st.m.prompt.kind == noPrompt && !st.m.help {
				st.press(digit(s))
			}
			for width := 1; width <= 200; width++ {
				for _, height := range []int{1, 8, 24} {
					st.m.Update(tea.WindowSizeMsg{Width: width, Height: height})
					st.shape()
				}
			}
		}
	}
	if t.Failed() {
		t.Log(st.screen())
	}
}

func TestFilterSortAndOpen(t *testing.T) {
	st := newStage(t, Options{}, 120, 24)
	st.tick(0)
	st.tick(1)
	st.want("eu-1", "3 sess  6 trk", "* live 1s", "sort: OUT b/s v", "47.4M", "STALE", "ORPHAN", "2 stale", "live/cam13 . video-1080p")
	st.wantNot("\x1b[2J")
	st.press("/", "audio")
	st.want("1 of 6", "audio-en")
	st.wantNot("video")
	st.press("esc")
	st.want("6 of 6")
	st.press("/", "!video", "enter")
	st.want("/ !video", "3 of 6")
	st.press("esc", ":", "sort track", "enter")
	st.want("sort: TRACK ^")
	st.press("r")
	st.want("sort: TRACK v")
	st.press(":", "sort nothing", "enter")
	st.want("failed: there is no column")
	st.press(":", "sess", "enter")
	st.want("192.0.2.10:51022", "jwt:pub", "0.1%")
	st.press("1", ":", "sort out", "enter")
	st.w.detail = opened(st.w.state)
	st.m.tables[tracksScreen].Select("t1")
	st.press("enter")
	st.want("Tracks", "publisher 7f3a", "subscribers (3)", "live objects", "! 1210: 17 missing, 20-22 never existed", "1213/39")
	st.press("g", "1210", "enter")
	st.press("g", "7", "enter")
	st.want("failed: group 7 is not in the cache")
	st.press("enter")
	st.want("68 65 6c 6c  6f", "property 0x10 = 123456", "bytes more")
	st.press("esc", "esc")
	st.want("[1 Tracks]")
}

// TestFreeze stops the view and nothing else.
func TestFreeze(t *testing.T) {
	st := newStage(t, Options{}, 120, 24)
	st.tick(0)
	st.tick(1)
	st.press("space")
	st.want("* frozen")
	before := st.m.state
	st.tick(60)
	if st.m.state != before || st.m.newest == before {
		t.Error("the view has moved, or collecting has stopped")
	}
	st.press("space")
	st.want("* live 1s")
	if st.m.state != st.m.newest {
		t.Error("the view is not the newest")
	}
}

// TestStale: the values stay when the relay does not answer, and it is asked again.
func TestStale(t *testing.T) {
	st := newStage(t, Options{Remote: "https://eu-1:8443"}, 120, 24)
	st.w.err = errors.New("connection refused")
	st.m.Update(st.m.ask())
	st.want("! no answer", "the relay does not answer: connection refused", "try 2")
	st.w.err = nil
	st.tick(0)
	st.want("attached https://eu-1:8443", "* live 1s")
	st.w.err = errors.New("connection refused")
	st.clock = st.clock.Add(7 * time.Second)
	st.m.Update(st.m.ask())
	st.want("! stale 7s", "connection refused", "12:01:07", "live/cam13")
	st.w.err = nil
	st.tick(10)
	st.want("* live 1s")
	st.wantNot("connection refused")
}

// TestActions ask before, and say what became of them.
func TestActions(t *testing.T) {
	st := newStage(t, Options{}, 120, 24)
	st.tick(0)
	st.press("2", "K")
	st.want("Kick session 7f3a?", "y yes")
	st.press("n")
	if len(st.w.done) != 0 {
		t.Errorf("done without a yes: %v", st.w.done)
	}
	st.press("K", "y")
	st.want("session 7f3a was kicked")
	st.press("1", "P", "y")
	st.want("failed: the cache is locked")
	st.press("D")
	st.want("Drain the relay")
	st.press("y")
	st.want("all peers have left")
	if got := strings.Join(st.w.done, ", "); got != "kick 7f3a, purge t1, drain" {
		t.Errorf("done: %s", got)
	}
	st.press("q")
	st.want("Stop the relay?")
	st.press("esc")
	st.wantNot("Stop the relay?")
}

// TestRemoteReadsOnly: without a Control nothing can be changed, and leaving is not asked about.
func TestRemoteReadsOnly(t *testing.T) {
	st := newStage(t, Options{Remote: "unix:/run/relay.sock"}, 120, 24)
	st.tick(0)
	st.press("2", "K", "D")
	st.wantNot("Kick", "Drain")
	if cmd := st.m.leave(); cmd == nil {
		t.Error("leaving a remote relay is asked about")
	}
}

func TestExport(t *testing.T) {
	st := newStage(t, Options{}, 120, 24)
	st.tick(0)
	st.press("/", "audio", "enter", "x")
	st.want("exported to")
	text, err := os.ReadFile(filepath.Join(st.m.opts.Directory, "oxymoq-tracks-20261121-120107.json"))
	if err != nil {
		t.Fatal(err)
	}
	var tracks []observe.TrackState
	if err := json.Unmarshal(text, &tracks); err != nil || len(tracks) != 1 || tracks[0].Name != "audio-en" {
		t.Errorf("exported %s: %v", text, err)
	}
	st.press(":", "export nowhere/x.json", "enter")
	st.want("failed: cannot export")
	for s := range screens {
		st.press("esc", digit(s), ":", fmt.Sprintf("export %d.json", s), "enter")
		st.want("exported to")
	}
}

func TestLog(t *testing.T) {
	st := newStage(t, Options{}, 120, 30)
	st.w.events = fakeEvents(8)
	st.m.Update(st.m.askEvents())
	st.tick(0)
	st.press("5")
	st.want("event 8 a=b because=it came")
	st.wantNot("event 1 ")
	st.press("d")
	st.want("event 1 ")
	st.press("e")
	st.wantNot("event 3 ")
	st.want("event 4 ", "event 8 ")
	st.m.Update(eventsMsg{events: []observe.Event{{Number: 50, Level: "error", Text: "late"}}, skipped: 41})
	st.want("41 events came too fast", "late")
	st.m.Update(eventsMsg{events: []observe.Event{{Number: 1, Level: "error", Text: "another run"}}})
	st.want("another run")
	st.wantNot("event 8", "too fast")
	st.m.Update(eventsMsg{err: errors.New("lost")})
	st.want("another run")
}

func TestMouse(t *testing.T) {
	st := newStage(t, Options{}, 120, 24)
	st.tick(0)
	st.m.Update(tea.MouseClickMsg{Button: tea.MouseLeft, X: 14, Y: 2})
	st.want("[2 Sessions]")
	st.m.Update(tea.MouseClickMsg{Button: tea.MouseLeft, X: 5, Y: 6})
	if got := st.m.tables[sessionsScreen].Selected(); got != "91c0" {
		t.Errorf("the click selected %s", got)
	}
	st.m.Update(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	if got := st.m.tables[sessionsScreen].Selected(); got != "7f3a" {
		t.Errorf("the wheel selected %s", got)
	}
	st.press("1")
	st.w.detail = opened(st.w.state)
	for range 2 { // the first selects, the second opens
		_, cmd := st.m.Update(tea.MouseClickMsg{Button: tea.MouseLeft, X: 5, Y: 5})
		st.run(cmd)
	}
	st.want("live objects")
}

// TestRates are of the time between states; they begin anew with another run.
func TestRates(t *testing.T) {
	r := newRates()
	r.take(at(0))
	r.take(at(0)) // not newer
	r.take(at(2))
	if got := get(r.tracks, "t1").out; got != 47_400_000 {
		t.Errorf("out %v", got)
	}
	if got := r.relay.in; got < 3_990_000 || got > 4_000_000 {
		t.Errorf("the relay has in %v", got)
	}
	gone := at(3)
	gone.Tracks = gone.Tracks[1:]
	r.take(gone)
	if r.relay.out < 0 || r.tracks["t1"] != nil {
		t.Errorf("after a track has gone: out %v", r.relay.out)
	}
	again := at(4)
	again.Relay.Began = noon
	r.take(again)
	if got := get(r.tracks, "t2").history; len(got) != 0 {
		t.Errorf("history of the run before: %v", got)
	}
}

// BenchmarkFrame draws 1,000 tracks and 200 sessions.
func BenchmarkFrame(b *testing.B) {
	s := at(0)
	for i := range 1000 {
		t := s.Tracks[i%6]
		t.ID = fmt.Sprint("x", i)
		s.Tracks = append(s.Tracks, t)
	}
	m := New(b.Context(), Options{Source: &world{}})
	m.Update(tea.WindowSizeMsg{Width: 200, Height: 60})
	for b.Loop() {
		c := *s
		c.Time = c.Time.Add(time.Second)
		m.show(&c)
		m.View()
	}
}
