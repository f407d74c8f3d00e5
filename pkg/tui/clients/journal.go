package clients

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/draw"
)

// MaxLog is how many lines of the log a screen keeps.
const MaxLog = 500

// journal is what a screen shows of the log of its program.
type journal struct {
	events  []observe.Event
	last    uint64
	skipped uint64
}

// news is what has come into a Ring.
type news struct {
	events  []observe.Event
	skipped uint64
}

// newsOf reads what came after an event. It does not wait.
func newsOf(ctx context.Context, ring *observe.Ring, last uint64) (n news) {
	if ring == nil || ring.Last() <= last {
		return n
	}
	n.events, n.skipped, _ = ring.Events(ctx, last) // there are some, so it does not wait
	return n
}

func (j *journal) take(n news) {
	if len(n.events) == 0 {
		return
	}
	j.last = n.events[len(n.events)-1].Number
	j.skipped += n.skipped
	j.events = append(j.events, n.events...)
	if extra := len(j.events) - MaxLog; extra > 0 {
		j.events = append(j.events[:0], j.events[extra:]...)
	}
}

// lines are all of the log, the newest last.
func (j *journal) lines(t *draw.Theme) []string {
	var out []string
	if j.skipped > 0 {
		out = append(out, " "+t.Paint(draw.Warn, fmt.Sprintf("%d lines came too fast to be kept", j.skipped)))
	}
	for _, e := range j.events {
		out = append(out, " "+t.Paint(draw.Faint, e.Time.Format("15:04:05"))+" "+j.text(t, e))
	}
	return out
}

// text is an event without its time.
func (j *journal) text(t *draw.Theme, e observe.Event) string {
	role := draw.Text
	switch e.Level {
	case "error":
		role = draw.Err
	case "warn":
		role = draw.Warn
	case "debug":
		role = draw.Faint
	}
	var b strings.Builder
	b.WriteString(e.Text)
	names := make([]string, 0, len(e.Detail))
	for name := range e.Detail {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, " %s=%s", name, e.Detail[name])
	}
	word := draw.Fit(strings.ToUpper(draw.Clean(e.Level)), 5)
	return t.Paint(role, t.Plain(word+" "+draw.Clean(b.String())))
}

// worst returns the newest event that is a warning or an error; ok is false if
// there is none.
func (j *journal) worst() (e observe.Event, ok bool) {
	for _, e := range slices.Backward(j.events) {
		if e.Level == "warn" || e.Level == "error" {
			return e, true
		}
	}
	return e, false
}
