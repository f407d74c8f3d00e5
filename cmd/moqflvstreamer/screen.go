package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/streamer"
	"oxymoq/pkg/media"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/clients"
)

// drawn says whether there is a screen. One that is not asked for does not stand
// in for lines that are.
func (f *flags) drawn(env *cli.Env, set *cli.FlagSet) (bool, error) {
	on, err := f.screen.Wanted(env)
	if err != nil || !on {
		return false, err
	}
	for _, name := range []string{"json", "progress"} {
		if !set.IsSet(name) {
			continue
		}
		if set.Lookup("tui").Value.String() == "on" {
			return false, cli.Usagef("-tui on shows a screen, and -%s is for lines; use one", name)
		}
		return false, nil
	}
	return true, nil
}

// display runs a Streamer beside its screen; its log goes into events.
func (f *flags) display(ctx context.Context, env *cli.Env, s *streamer.Streamer, events *observe.Ring) error {
	theme, err := f.screen.Theme()
	if err != nil {
		return err
	}
	w := &window{s: s, packaging: string(s.Packaging)}
	m := clients.NewStreamer(ctx, clients.StreamerOptions{
		Options: clients.Options{Theme: theme, Log: events, NoMouse: f.screen.NoMouse()},
		State:   w.state, Pause: s.Pause, Input: f.input, Target: s.Target.String(), Space: strings.Join(s.Namespace, "/"), Loop: f.loop,
	})
	return clients.Beside(ctx, func(ctx context.Context) error { return f.screen.Run(ctx, env, m) }, s.Run, false)
}

// window is what a screen asks for the state of a Streamer.
type window struct {
	s         *streamer.Streamer
	packaging string

	mu     sync.Mutex
	before streamer.Status // that the pace is counted from
	pace   float64
}

// paceSpan is the time over which the pace is measured.
const paceSpan = 2 * time.Second

// state is what the screen shows.
func (w *window) state() clients.StreamerState {
	st := w.s.Status()
	s := clients.StreamerState{
		Time: st.Time, Carrier: clients.Carrier(st.Transport, door.Draft(st.Protocol)), Media: seconds(st.Media), Pace: w.paceAt(&st),
		Late: time.Duration(st.Lag * float64(time.Millisecond)), Dropped: st.Dropped, Skew: st.Skew, Phase: clients.Running,
	}
	switch {
	case !st.Connected:
		s.Phase, s.Carrier = clients.Connecting, ""
	case st.Paused:
		s.Phase = clients.Paused
	}
	if st.Percent != nil {
		s.Part = new(*st.Percent / 100)
	}
	for i := range st.Tracks {
		t := &st.Tracks[i]
		s.Skipped += t.Unsent
		s.KeptGroups += t.KeptGroups
		s.KeptBytes += t.KeptBytes
		s.Subscribers += t.Subscribers
		if t.SendLag != nil && (s.Lag == nil || *s.Lag < *t.SendLag) {
			s.Lag = t.SendLag
		}
		p := clients.Publication{
			Name: t.Name, Codec: t.Codec, Packaging: w.packaging, Group: t.Group, Object: t.Object, Bytes: t.Bytes, Subscribers: t.Subscribers,
		}
		if t.Format != nil {
			p.Detail = detail(t.Format)
			if t.Format.Codec.Kind() == media.Video {
				p.KeyEvery = t.Every
			}
		}
		s.Tracks = append(s.Tracks, p)
	}
	return s
}

// paceAt is how fast media time has gone of late; NaN if that is not known yet.
func (w *window) paceAt(st *streamer.Status) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	took := st.Time.Sub(w.before.Time)
	switch {
	case w.before.Time.IsZero() || len(st.Tracks) == 0:
		w.before, w.pace = *st, math.NaN()
	case took >= paceSpan:
		w.pace = (st.Media - w.before.Media) / took.Seconds()
		w.before = *st
	}
	return w.pace
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// detail is what people want to know of a format beside its codec.
func detail(f *media.Format) string {
	var parts []string
	if f.Width > 0 {
		parts = append(parts, fmt.Sprintf("%dx%d", f.Width, f.Height))
	}
	if f.FrameRate > 0 {
		parts = append(parts, fmt.Sprintf("%.4g fps", f.FrameRate))
	}
	if f.SampleRate > 0 {
		parts = append(parts, fmt.Sprintf("%.4g kHz", float64(f.SampleRate)/1000))
	}
	if f.Channels > 0 {
		parts = append(parts, fmt.Sprintf("%d ch", f.Channels))
	}
	return strings.Join(parts, " ")
}
