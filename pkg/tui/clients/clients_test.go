package clients

import (
	"context"
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

	"oxymoq/pkg/tui/draw"
)

// TestGolden shows every screen at three sizes, in colour and in ASCII.
func TestGolden(t *testing.T) {
	for _, size := range [][2]int{{57, 14}, {100, 24}, {160, 40}} {
		for name, o := range map[string]draw.Options{"color": {}, "ascii": {ASCII: true, Theme: "mono"}} {
			for _, program := range programs {
				for _, view := range []string{"", "help", "log", "bytes", "hex"} {
					if view != "" && program != "text" && (view != "help" || size[0] != 100) {
						continue
					}
					t.Run(fmt.Sprintf("%s%s-%d-%s", program, view, size[0], name), func(t *testing.T) {
						st := newStage(t, program, o, size[0], size[1])
						st.logged("connected", "a sample is dropped", "the relay is lost")
						st.play(program)
						st.press(map[string]string{"help": "?", "log": "l", "hex": "v", "bytes": "enter"}[view])
						st.shape()
						golden.RequireEqual(t, strings.Join(st.f.lines(), "\n"))
					})
				}
			}
		}
	}
}

// TestEveryWidth: no screen has a broken line at any size.
func TestEveryWidth(t *testing.T) {
	for _, program := range programs {
		for step, o := range map[int]draw.Options{1: {}, 7: {ASCII: true}} {
			st := newStage(t, program, o, 100, 24)
			all := func() {
				for width := MinWidth - 1; width <= 200; width += step {
					st.send(tea.WindowSizeMsg{Width: width, Height: MinHeight - 1 + width%17})
					st.shape()
				}
			}
			all()
			st.look()
			all()
			st.logged("a\x1b[31mb", strings.Repeat("long ", 100), "日本語")
			st.play(program)
			st.rows.Add(Row{Track: "live/cam\x1b1 · 日本語", Note: strings.Repeat("日本", 80)})
			st.rows.Add(Row{Track: "live/cam\x1b1 · 日本語", Payload: []byte("日本語\x1b[2J\t" + strings.Repeat("語", 80)), Size: 300, Group: 1 << 60, Object: 1 << 60, Since: new(time.Hour)})
			st.look()
			views := [][]string{nil, {"?"}, {"?", "l"}, {"l", "space", "q"}}
			if program == "text" {
				views = append([][]string{{"v"}, {"up", "enter"}, {"esc", "/", "日"}, {"esc", "v"}}, views...)
			}
			for _, keys := range views {
				st.press(keys...)
				all()
			}
			if t.Failed() {
				t.Fatal(program)
			}
		}
	}
}

// TestTooSmall says how large it must be.
func TestTooSmall(t *testing.T) {
	st := newStage(t, "text", draw.Options{}, 39, 24)
	st.want("terminal too small", "39x24, at least 40x8")
}

func TestTextRows(t *testing.T) {
	st := newStage(t, "text", draw.Options{ASCII: true}, 100, 16)
	st.look()
	st.want("! not connected", "connecting")
	st.text.Phase = Waiting
	st.look()
	st.want("! waiting", "has not accepted")
	st.play("text")
	st.want("moqtextclient  https://localhost:4433/moq-relay  wt d18  moq-date . date", "* subscribed", "29384/16", " +984ms", "-- gap: 29384/10 to 29384/11 were not delivered --",
		"rx 15 obj", "lag 4ms", "jitter 1ms", "gaps 1", "SUBSCRIBE_OK 9ms", "first object 11ms", "00 01 02 ff 80")
	st.wantNot("29384/2 ")
	st.press("home")
	st.want(">12:01:07.002", "2026-11-21 12:01:", "past")
	st.date(18, 30)
	st.look()
	st.want("2026-11-21 12:01:")
	st.press("F")
	st.want("29384/30")
	st.press("pgup", "down", "up", "end")
	st.want("29384/30")
	st.send(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	st.want(">12:01:34")
	st.send(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	st.wantNot(">12")
}

func TestTextFilterAndFreeze(t *testing.T) {
	st := newStage(t, "text", draw.Options{ASCII: true}, 120, 24)
	st.play("text")
	st.press("/", "29384/12")
	st.want("/ 29384/12", "1 of 17")
	st.wantNot("29384/13")
	st.press("esc")
	st.want("29384/13")
	st.press("/", "!gap", "enter")
	st.wantNot("-- gap")
	st.press("esc")
	st.want("-- gap")
	st.press("/", "nothing")
	st.want("nothing matches")
	st.send(tea.PasteMsg{Content: " at all"})
	st.want("/nothing at all")
	st.press("esc", "space")
	st.want("* frozen")
	st.date(20, 20)
	st.look()
	st.wantNot("29384/20")
	st.want("rx 16 obj")
	st.press("/", "29384", "enter")
	st.wantNot("29384/20")
	st.press("esc", "space")
	st.want("29384/20", "* subscribed")
}

// TestTextIsBounded: what is too much is skipped, and that is said.
func TestTextIsBounded(t *testing.T) {
	st := newStage(t, "text", draw.Options{ASCII: true}, 120, 24)
	st.date(0, 0)
	st.look()
	for i := range 3 * MaxRows {
		st.rows.Add(Row{Object: uint64(i), Payload: make([]byte, 2*MaxRowBytes), Size: 2 * MaxRowBytes})
	}
	st.look()
	m := st.m.(*Text)
	if len(m.rows) != MaxRows || len(m.visible) != MaxRows || len(m.rows[5].Payload) != MaxRowBytes {
		t.Errorf("%d rows are kept, %d shown, of a payload %d bytes", len(m.rows), len(m.visible), len(m.rows[5].Payload))
	}
	for i := range MaxRows / 2 {
		st.rows.Add(Row{Object: uint64(i), Note: "half"})
	}
	st.look()
	st.press("home")
	if len(m.rows) != MaxRows || m.rows[0].Note != "" || m.rows[MaxRows-1].Note != "half" || m.visible[0].Number != m.rows[0].Number {
		t.Errorf("%d rows, the first is %+v", len(m.rows), m.rows[0].Number)
	}
	st.rows = &Rows{}
	rows, skipped := st.rows.After(0)
	if len(rows) != 0 || skipped != 0 {
		t.Errorf("of nothing %d rows, %d skipped", len(rows), skipped)
	}
	few := newStage(t, "text", draw.Options{ASCII: true}, 120, 24)
	for range MaxRows + 7 {
		few.rows.Add(Row{Note: "x"})
	}
	few.look()
	few.press("home")
	few.want("-- x --")
	if m := few.m.(*Text); len(m.rows) != MaxRows {
		t.Errorf("%d rows are kept", len(m.rows))
	}
}

func TestTextBytes(t *testing.T) {
	st := newStage(t, "text", draw.Options{ASCII: true}, 100, 12)
	st.play("text")
	st.press("enter")
	st.want("29384/17", "datagram", "0x10 = 123456", "00 01 02 ff 80", "4995 bytes more were not kept")
	st.press("esc", "up", "enter")
	st.want("29384/16", "subgroup 0", "|16|")
	st.press("down", "down", "up", "esc", "v")
	st.want("2B  31 36")
	st.press("home", "enter", "q")
	if !st.quit {
		t.Error("q does not end it")
	}
}

// TestTextControl: keys change what is asked of the peer, and say what came of it.
func TestTextControl(t *testing.T) {
	st := newStage(t, "text", draw.Options{ASCII: true}, 120, 24)
	st.play("text")
	st.press("p")
	st.want("paused: the publisher was asked")
	st.text.Phase = Paused
	st.look()
	st.want("* paused")
	st.press("p")
	st.want("going on")
	st.press("f", "29384/0 29385/3")
	st.want("fetch from group[/object] to group[/object]: 29384/0 29385/3")
	st.press("enter")
	st.want("fetching 29384/0 29385/3")
	st.press("f", "enter", "f", "esc", "u")
	st.want("Leave the track?")
	st.press("n", "u", "y")
	st.want("the track was left")
	st.fails = errNo
	st.press("p")
	st.want("failed: the peer does not want to")
	for range noticeLooks {
		st.look()
	}
	st.wantNot("failed")
	st.did("pause true, pause false, fetch 29384/0 29385/3, unsubscribe, pause false")
	st.text.Phase = Over
	st.look()
	st.want("* over")
	st.press("p", "u")
	st.wantNot("u unsubscribe", "Leave", "paused")
}

func TestIsText(t *testing.T) {
	for _, tt := range []struct {
		bytes string
		cut   bool
		want  bool
	}{
		{"", false, true}, {"", true, true}, {"abc", false, true}, {"日本", false, true}, {"日\xe6\x9c", false, false}, {"日\xe6\x9c", true, true}, {"\xe6", true, true},
		{"日本", true, true}, {"a\x00b", false, false}, {"\x80\x80\x80\x80\x80", true, false}, {"ab\xff", true, false},
	} {
		if got := isText([]byte(tt.bytes), tt.cut); got != tt.want {
			t.Errorf("%q, cut %v: %v", tt.bytes, tt.cut, got)
		}
	}
}

func TestTextExport(t *testing.T) {
	st := newStage(t, "text", draw.Options{ASCII: true}, 120, 24)
	st.play("text")
	st.press("/", "29384/1", "enter", "x")
	st.want("exported 8 rows to")
	text, err := os.ReadFile(filepath.Join(st.dir, "oxymoq-objects-20261121-120123.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []Row
	if err := json.Unmarshal(text, &rows); err != nil || len(rows) != 8 || string(rows[0].Payload) != "1" || rows[1].Note == "" {
		t.Errorf("%v: %+v", err, rows)
	}
	st.m.(*Text).opts.Directory = filepath.Join(st.dir, "nowhere")
	st.press("x")
	st.want("failed: cannot export")
}

func TestStreamer(t *testing.T) {
	st := newStage(t, "streamer", draw.Options{ASCII: true}, 160, 24)
	st.look()
	st.want("! not connected", "no track yet", "live input", "pace -")
	st.stream(30)
	st.want("moqflvstreamer  bbb.flv  -> https://localhost:4433/moq-relay  quic d18  ns flvstreamer", "* 2 subs", "H.264  1280x720 30 fps  moqmi    ~467060/27", "1.9Mb/s",
		"key every 2.0s", "128kb/s", "17%", "00:00:30 / about 00:02:54", "pace 1.00x", "dropped 0", "send lag 3ms", "A/V skew +8ms", "kept 16 grp 9.0MiB")
	st.press("space")
	st.streamer.Dropped, st.streamer.Phase = 7, Paused
	st.look()
	st.want("dropped 0", "* frozen")
	st.press("space")
	st.want("dropped 7", "* paused")
	st.press("p")
	st.want("going on")
	st.streamer.Phase = Running
	st.look()
	st.press("p", "q")
	st.want("Stop publishing?")
	st.press("n", "l")
	st.want("nothing was logged yet")
	st.did("pause false, pause true")
	if st.press("esc", "q", "y"); !st.quit {
		t.Error("it goes on")
	}
}

func TestReceiver(t *testing.T) {
	st := newStage(t, "receiver", draw.Options{ASCII: true}, 160, 24)
	st.look()
	st.want("! not connected", "no track yet", "first picture -")
	st.receive(30)
	st.want("moqflvreceiver  https://localhost:4433/moq-relay  wt d18  flvstreamer  -> out.flv", "* receiving", "video0  receiving  moqmi", "41/27", "2.4Mb/s",
		"lag 112ms", "gaps 1", "late 3", "freezes 1 1.2s", "180/500ms", "first picture 120ms", "9.0MiB", "00:00:30", "A/V skew -8ms", "restarts 3", "asked for")
	st.press("space")
	st.receiver.Bytes = 0
	st.look()
	st.want("9.0MiB", "* frozen")
	st.press("space")
	st.want("0B")
	st.press("q", "n")
	if st.quit {
		t.Error("it ends without a yes")
	}
	if st.press("ctrl+c"); !st.quit {
		t.Error("ctrl+c does not end it")
	}
}

// TestLog is shown where there is room, and all of it by a key.
func TestLog(t *testing.T) {
	st := newStage(t, "streamer", draw.Options{ASCII: true}, 100, 12)
	st.stream(2)
	var lines []string
	for i := range 40 {
		lines = append(lines, fmt.Sprintf("line %d", i))
	}
	st.logged(lines...)
	st.look()
	st.want("- log -", "line 39 track=video0")
	st.wantNot("line 30")
	st.press("l")
	st.want("line 39", "line 33")
	st.press("home")
	st.want("line 0 ")
	st.press("end")
	st.want("line 39")
	st.press("up")
	st.wantNot("line 39")
	st.press("esc")
	st.want("file")
	for range 2 * MaxLog {
		st.logged("more")
	}
	st.look()
	if n := len(st.f.log.events); n != MaxLog {
		t.Errorf("%d lines are kept", n)
	}
	st.streamer.Time = noon.Add(time.Second)
	st.look()
	st.wantNot("WARN")
	st.logged("fine", "a warning")
	st.look()
	st.want("12:01:08 WARN  a warning")
	st.send(tea.WindowSizeMsg{Width: 100, Height: 9})
	st.want("\n WARN  a warning")
}

// TestMeter: a rate is of a second, and begins anew with the counter.
func TestMeter(t *testing.T) {
	var m meter
	for i, tt := range []struct {
		after time.Duration
		count uint64
		want  string
	}{
		{0, 100, draw.Unknown}, {500 * time.Millisecond, 200, draw.Unknown}, {time.Second, 1100, "1.0k"}, {time.Second, 5000, "1.0k"},
		{3 * time.Second, 1100, "1.0k"}, {5 * time.Second, 1300, "100"}, {5 * time.Second, 3, "100"}, {6 * time.Second, 13, "10"}, {2 * time.Second, 13, "10"}, {3 * time.Second, 13, "0"},
	} {
		m.take(noon.Add(tt.after), tt.count)
		if got := draw.SI(m.rate()); got != tt.want && i != 4 {
			t.Errorf("%d: %s, want %s", i, got, tt.want)
		}
	}
	for i := range 3 * meterKept {
		m.take(noon.Add(time.Duration(10+i)*time.Second), 20)
	}
	if len(m.history) != meterKept {
		t.Errorf("%d rates are kept", len(m.history))
	}
}

// TestBeside: a screen and its work end each other.
func TestBeside(t *testing.T) {
	work := errors.New("no work")
	draws := errors.New("no screen")
	until := func(err error) func(context.Context) error {
		return func(ctx context.Context) error { <-ctx.Done(); return errors.Join(err, context.Cause(ctx)) }
	}
	now := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	for _, tt := range []struct {
		name       string
		show, work func(context.Context) error
		stay       bool
		want       error
	}{
		{"the work is done", until(nil), now(nil), false, nil},
		{"the work fails", until(nil), now(work), false, work},
		{"the work fails and the screen would stay", until(nil), now(work), true, work},
		{"the screen is left", now(nil), until(nil), false, nil},
		{"the screen fails", now(draws), until(nil), true, draws},
	} {
		if err := Beside(t.Context(), tt.show, tt.work, tt.stay); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	over := make(chan struct{})
	err := Beside(t.Context(), func(ctx context.Context) error {
		<-over
		return ctx.Err()
	}, func(context.Context) error { close(over); return nil }, true)
	if err != nil {
		t.Errorf("the screen stays: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(work)
	if err := Beside(ctx, until(nil), until(nil), true); !errors.Is(err, work) {
		t.Errorf("told to stop: %v", err)
	}
}

// TestHelpNamesEveryKey that a screen names in its last line.
func TestHelpNamesEveryKey(t *testing.T) {
	for program, sections := range map[string][]Section{"text": TextKeys(), "streamer": StreamerKeys(), "receiver": ReceiverKeys()} {
		st := newStage(t, program, draw.Options{}, 200, 60)
		named := map[string]bool{}
		for _, s := range sections {
			for _, b := range s.Keys {
				named[b.Help().Key] = true
			}
		}
		for _, b := range st.f.of.bindings() {
			if !named[b.Help().Key] {
				t.Errorf("%s: %s is not in the help", program, b.Help().Key)
			}
		}
	}
}

func TestCarrier(t *testing.T) {
	for _, tt := range [][3]string{{"quic", "18", "quic d18"}, {"wt", "", "wt"}, {"", "", ""}, {"mem", "other", "mem other"}} {
		if got := Carrier(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%s, %s: %s", tt[0], tt[1], got)
		}
	}
}
