package dashboard

import (
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"oxymoq/pkg/observe"
)

// inspected makes the state and the track those of a relay that is asked as a
// client.
func (st *stage) inspected() {
	st.w.state.Relay.Began = time.Time{}
	st.w.state.Tracks[0].Media = "LOC H.264 1280x720 30 fps"
	d := opened(st.w.state)
	d.Subscriptions = nil
	lag := func(n int) observe.Lag {
		ms := time.Duration(n) * time.Millisecond
		return observe.Lag{Objects: 400, P50: ms, P95: 2 * ms, P99: 3 * ms, Max: 4 * ms}
	}
	d.Timing = &observe.Timing{Since: noon, Objects: 412, Interval: lag(33), Jitter: 2300 * time.Microsecond, JitterFrom: "media",
		Delay: lag(80), ClockSkewed: true, FrameRate: 29.97, KeyInterval: 2 * time.Second, Freezes: 1}
	st.w.detail = d
	st.m.Update(st.m.ask())
	if st.m.open != nil {
		st.m.Update(st.m.askTrack(st.m.open.id)())
	}
}

// TestInspected shows what a client finds out of a track.
func TestInspected(t *testing.T) {
	st := newStage(t, Options{Remote: "moqt://relay.example/moq"}, 150, 30)
	st.tick(0)
	st.inspected()
	st.want("attached moqt://relay.example/moq", "live/cam13 . video-1080p  LOC H.264 1280x720 30 fps")
	st.wantNot("  up ")
	st.press("/", "h.264", "enter")
	st.want("1 of 6")
	st.press("y")
	st.want("copied: live/cam13 . video-1080p ")
	st.wantNot("copied: live/cam13 . video-1080p  LOC")
	st.press("enter")
	st.inspected()
	st.want("LOC H.264 1280x720 30 fps  publisher 7f3a", "how it comes", "412 since 12:01:07", "29.97 objects a second", "one each 2.0s",
		"p50 33ms  p95 66ms  p99 99ms  max 132ms", "2.3ms, by media time", "p50 80ms", "the clocks differ", "freezes   1", ", one each 2.0s")
	st.press("tab")
	st.want("TOOK", "AFTER", "1.9s", "2.0s")
	for width := MinWidth; width <= 200; width++ {
		st.m.Update(tea.WindowSizeMsg{Width: width, Height: 24})
		st.shape()
	}
}

// TestGroupInterval: one long pause changes nothing.
func TestGroupInterval(t *testing.T) {
	var groups []observe.GroupState
	for _, second := range []int{0, 2, 4, 60, 62} {
		groups = append(groups, observe.GroupState{Began: noon.Add(time.Duration(second) * time.Second)})
	}
	if got := groupInterval(groups); got != 2*time.Second {
		t.Errorf("%v", got)
	}
	if got := groupInterval(append(groups[:1], observe.GroupState{})); got != 0 {
		t.Errorf("without times: %v", got)
	}
}
