package dashboard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/draw"
)

var noon = time.Date(2026, 11, 21, 12, 1, 7, 0, time.UTC)

// world is a relay as a test tells it: a Source and a Control.
type world struct {
	state  *observe.State
	detail *observe.TrackDetail
	err    error
	events []observe.Event
	done   []string // what was changed
}

func (w *world) State(context.Context) (*observe.State, error) { return w.state, w.err }

func (w *world) Track(_ context.Context, id string) (*observe.TrackDetail, error) {
	if w.detail == nil || w.detail.ID != id {
		return nil, observe.ErrNoTrack
	}
	return w.detail, w.err
}

func (w *world) Events(_ context.Context, after uint64) ([]observe.Event, uint64, error) {
	var all []observe.Event
	for _, e := range w.events {
		if e.Number > after {
			all = append(all, e)
		}
	}
	return all, 0, w.err
}

func (w *world) Kick(_ context.Context, id, _ string) error {
	w.done = append(w.done, "kick "+id)
	return nil
}

func (w *world) Purge(_ context.Context, id string) error {
	w.done = append(w.done, "purge "+id)
	return errors.New("the cache is locked")
}

func (w *world) Drain(context.Context, string, time.Duration) error {
	w.done = append(w.done, "drain")
	return nil
}

// at returns the state some seconds after noon: counters grow evenly.
func at(seconds int) *observe.State {
	n := uint64(seconds + 100)
	s := &observe.State{
		Time: noon.Add(time.Duration(seconds) * time.Second),
		Relay: observe.Identity{Name: "eu-1", Addresses: []string{"moqt://:4433", "https://:4433"}, Drafts: []string{"18"},
			Began: noon.Add(-72*time.Minute - 9*time.Second)},
		Counters: observe.RelaySnapshot{FetchHits: 98, FetchMisses: 2},
		Cache:    observe.CacheState{Bytes: 412 << 20, Budget: 512 << 20, Groups: 120, Tracks: 6},
		Lag:      observe.Lag{Objects: 10, P50: 12 * time.Millisecond, P99: 84 * time.Millisecond},
	}
	track := func(id, ns, name, state string, subs int, in, out uint64, at observe.Location, groups int64, lag time.Duration) {
		t := observe.TrackState{
			ID: id, Namespace: strings.Split(ns, "/"), Name: name, State: state, Subscribers: subs, Newest: s.Time,
			Publishers: []string{"7f3a"}, Largest: &at, Lag: observe.Lag{Objects: 1, P99: lag},
			Counters: observe.TrackSnapshot{BytesIn: in / 8 * n, BytesOut: out / 8 * n, LogGroups: groups, LogBytes: groups << 20},
		}
		s.Totals.BytesIn += in / 8 * n
		s.Totals.BytesOut += out / 8 * n
		if in == 0 {
			t.Newest = noon.Add(-time.Minute)
		}
		s.Tracks = append(s.Tracks, t)
	}
	track("t1", "live/cam13", "video-1080p", "live", 22, 2_200_000, 47_400_000, observe.Location{Group: 1213, Object: 39}, 8, 59*time.Millisecond)
	track("t2", "live/cam03", "video-1080p", "live", 21, 1_700_000, 36_200_000, observe.Location{Group: 1203, Object: 9}, 8, 29*time.Millisecond)
	track("t3", "live/cam29", "audio-en", "live", 18, 96_000, 1_700_000, observe.Location{Group: 1795262467000, Object: 0}, 32, 12*time.Millisecond)
	track("t4", "live/cam29", "video-1080p", "live", 18, 0, 0, observe.Location{Group: 1229, Object: 27}, 8, 0)
	track("t5", "moq-date", "date", "live", 1, 48, 48, observe.Location{Group: 29384, Object: 12}, 2, 4*time.Millisecond)
	track("t6", "chat/room1", "al\x1b[2Jice", "orphaned", 4, 0, 0, observe.Location{Group: 12, Object: 3}, 1, 0)
	session := func(id, remote, kind, role, who string, in, out uint64, rtt time.Duration) {
		s.Sessions = append(s.Sessions, observe.SessionState{
			ID: id, Remote: remote, Transport: kind, Draft: "18", Role: role, Implementation: "moq-lite-js", Subject: who, Began: noon.Add(-41 * time.Minute),
			Publishes: 3, Link: observe.LinkQuality{RTT: rtt, CongestionWindow: 212_000, PacketsSent: 1000, PacketsLost: 1},
			Counters: observe.SessionSnapshot{BytesIn: in / 8 * n, BytesOut: out / 8 * n},
		})
	}
	session("7f3a", "192.0.2.10:51022", "quic", "pub", "jwt:pub", 4_400_000, 4_000, 24*time.Millisecond)
	session("91c0", "198.51.100.7:4121", "wt", "sub", "", 3_000, 2_300_000, 38*time.Millisecond)
	session("a0b2", "203.0.113.2:4433", "qmux", "pub+sub", "", 18_000_000, 64_000_000, 0)
	for _, ns := range []string{"chat/room1", "live/cam03", "live/cam13", "live/cam29", "moq-date"} {
		s.Spaces = append(s.Spaces, observe.NamespaceState{Fields: strings.Split(ns, "/"), Publishers: []string{"7f3a"}, Tracks: 1})
	}
	s.Spaces = append(s.Spaces, observe.NamespaceState{Fields: []string{"live"}, Watchers: []string{"91c0", "a0b2", "c77e", "d001", "e117"}})
	return s
}

// opened returns the detail of a track of the state.
func opened(s *observe.State) *observe.TrackDetail {
	d := &observe.TrackDetail{TrackState: s.Tracks[0], Time: s.Time, Priority: 128, Order: "ascending",
		Sources:    []observe.PublisherState{{Session: "7f3a", Transport: "quic", Draft: "18", State: "sends", Alias: new(uint64(4))}},
		Properties: []observe.PropertyState{{Type: 0x0E, Value: "128"}}}
	d.Counters.FetchHits = 14
	for g := uint64(1206); g <= 1213; g++ {
		group := observe.GroupState{ID: g, Objects: 60, Bytes: 400_000, Subgroups: 1, Ended: true}
		group.Began = s.Time.Add(-time.Duration(1214-g) * 2 * time.Second)
		group.Newest = group.Began.Add(1900 * time.Millisecond)
		switch g {
		case 1210:
			group.Objects, group.Holes = 59, []observe.Hole{{From: 17, To: 17}, {From: 20, To: 22, Absent: true}}
		case 1211:
			group.Torn = 1
		case 1213:
			group.Objects, group.Bytes, group.Open, group.Ended = 40, 130_000, 1, false
		}
		d.Groups = append(d.Groups, group)
	}
	for i, id := range []string{"91c0", "a0b2", "c77e"} {
		r := observe.SubscriberState{Session: id, Transport: "wt", Draft: "18", Forward: true, Priority: 128, Lag: observe.Lag{Objects: 5, P99: time.Duration(i+1) * 40 * time.Millisecond}}
		r.Counters.BytesOut, r.Counters.BytesBehind = 1_000_000*uint64(i), int64(i)*4096
		r.Counters.Dropped[observe.DropTimeout] = uint64(i) * 7
		d.Subscriptions = append(d.Subscriptions, r)
	}
	for o := uint64(30); o < 40; o++ {
		d.Objects = append(d.Objects, observe.ObjectState{
			Location: observe.Location{Group: 1213, Object: o}, Arrived: s.Time.Add(time.Duration(o-39) * 17 * time.Millisecond), Size: 4100, Status: "normal",
			Properties: []observe.PropertyState{{Type: 0x10, Value: "123456"}}, Peek: []byte("\x00\x00\x0f\xa0hello, world, this is an object"),
		})
	}
	return d
}

// stage is a dashboard whose commands run when the test says so.
type stage struct {
	t     *testing.T
	w     *world
	m     *Model
	clock time.Time
}

func newStage(t *testing.T, o Options, width, height int) *stage {
	t.Helper()
	st := &stage{t: t, w: &world{state: at(0)}, clock: noon}
	o.Source, o.Directory = st.w, t.TempDir()
	o.Now = func() time.Time { return st.clock }
	if o.Theme == nil {
		theme, err := draw.NewTheme(draw.Options{ASCII: true, Theme: "mono"})
		if err != nil {
			t.Fatal(err)
		}
		o.Theme = theme
	}
	if o.Remote == "" {
		o.Control = st.w
	}
	st.m = New(t.Context(), o)
	st.m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	return st
}

// tick shows the state some seconds after noon.
func (st *stage) tick(seconds int) {
	st.w.state = at(seconds)
	st.clock = noon.Add(time.Duration(seconds) * time.Second)
	st.m.Update(st.m.ask())
	if st.m.open != nil {
		st.w.detail = opened(st.w.state)
		st.m.Update(st.m.askTrack(st.m.open.id)())
	}
}

// run runs a command and what follows from it, but for those that wait.
func (st *stage) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		for _, c := range msg {
			st.run(c)
		}
	case stateMsg, nil:
		st.m.Update(msg)
	default:
		_, next := st.m.Update(msg)
		if _, action := msg.(actionMsg); action {
			st.run(next)
		}
	}
}

// press presses keys: "enter", "esc", "tab", "space", "up", or text.
func (st *stage) press(names ...string) {
	codes := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "space": tea.KeySpace, "up": tea.KeyUp, "down": tea.KeyDown, "end": tea.KeyEnd}
	for _, name := range names {
		if code, ok := codes[name]; ok {
			msg := tea.KeyPressMsg{Code: code}
			if name == "space" {
				msg.Text = " "
			}
			_, cmd := st.m.Update(msg)
			st.run(cmd)
			continue
		}
		for _, r := range name {
			_, cmd := st.m.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
			st.run(cmd)
		}
	}
}

// screen is what is shown, without styles.
func (st *stage) screen() string { return ansi.Strip(strings.Join(st.m.lines(), "\n")) }

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

// shape checks that every line has the width of the screen.
func (st *stage) shape() {
	st.t.Helper()
	lines := st.m.lines()
	if len(lines) != st.m.height {
		st.t.Errorf("%dx%d: %d lines", st.m.width, st.m.height, len(lines))
	}
	for i, l := range lines {
		if draw.Width(l) != st.m.width {
			st.t.Errorf("%dx%d: line %d has %d cells: %q", st.m.width, st.m.height, i, draw.Width(l), l)
		}
	}
}

func fakeEvents(n int) (all []observe.Event) {
	for i := range n {
		all = append(all, observe.Event{Number: uint64(i + 1), Time: noon.Add(time.Duration(i) * time.Second), Level: levels[i%4], Kind: "session",
			Session: "7f3a", Track: "t1", Text: fmt.Sprintf("event %d", i+1), Detail: map[string]string{"because": "it came", "a": "b"}})
	}
	return all
}
