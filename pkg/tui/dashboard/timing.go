package dashboard

import (
	"fmt"
	"slices"
	"time"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/draw"
)

// timing are lines on how the objects of a track come.
func (m *Model) timing(d *observe.TrackDetail) []string {
	g := d.Timing
	f := get(m.flow.tracks, d.ID)
	var lines []string
	line := func(name, format string, args ...any) {
		lines = append(lines, m.theme.Plain(fmt.Sprintf("%-9s "+format, append([]any{name}, args...)...)))
	}
	line("in", "%s b/s", draw.SI(f.in))
	line("objects", "%d since %s", g.Objects, g.Since.Format("15:04:05"))
	if g.FrameRate > 0 {
		line("media", "%g objects a second", g.FrameRate)
	}
	if g.KeyInterval > 0 {
		line("keys", "one each %s", draw.Lag(g.KeyInterval))
	}
	spread := func(l observe.Lag) string {
		return fmt.Sprintf("p50 %s  p95 %s  p99 %s  max %s", draw.Lag(l.P50), draw.Lag(l.P95), draw.Lag(l.P99), draw.Lag(l.Max))
	}
	if g.Interval.Objects > 0 {
		line("interval", "%s", spread(g.Interval))
	}
	if g.JitterFrom != "" {
		line("jitter", "%.1fms, by %s", float64(g.Jitter)/float64(time.Millisecond), jitterNames[g.JitterFrom])
	}
	if g.Delay.Objects > 0 {
		line("delay", "%s", spread(g.Delay))
		if g.ClockSkewed {
			line("", "the clocks differ")
		}
	}
	if g.Interval.Objects > 0 {
		line("freezes", "%d", g.Freezes)
	}
	return lines
}

// jitterNames say what observe.Timing.JitterFrom is.
var jitterNames = map[string]string{"media": "media time", "capture": "capture time", "interval": "the interval before"}

// between is the time from one moment to another, if both are known.
func between(from, to time.Time) string {
	if from.IsZero() || to.IsZero() || to.Before(from) {
		return draw.Unknown
	}
	return draw.Lag(to.Sub(from))
}

// groupInterval is the usual time from the beginning of a group to that of the
// next; 0 if it is not known.
func groupInterval(groups []observe.GroupState) time.Duration {
	var steps []time.Duration
	for i := 1; i < len(groups); i++ {
		if a, b := groups[i-1].Began, groups[i].Began; !a.IsZero() && b.After(a) {
			steps = append(steps, b.Sub(a))
		}
	}
	if len(steps) == 0 {
		return 0
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}
