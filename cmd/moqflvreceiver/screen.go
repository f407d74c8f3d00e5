package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/receiver"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/clients"
)

// drawn says whether there is a screen. One that is not asked for does not stand
// in for lines that are, and there is none where the media goes.
func (f *flags) drawn(env *cli.Env, set *cli.FlagSet) (bool, error) {
	on, err := f.screen.Wanted(env)
	if err != nil || !on {
		return false, err
	}
	why := ""
	switch {
	case f.toOutput(env):
		why = "standard output is where the FLV goes"
	case set.IsSet("json"):
		why = "-json is for lines"
	case set.IsSet("progress"):
		why = "-progress is for lines"
	case f.stats == "json":
		why = "-stats json is for lines"
	}
	if why != "" && set.Lookup("tui").Value.String() == "on" {
		return false, cli.Usagef("-tui on shows a screen, and %s; use one", why)
	}
	return why == "", nil
}

// toOutput reports whether the FLV goes to standard output.
func (f *flags) toOutput(env *cli.Env) bool {
	return f.out == "-" || f.out == "" && len(env.Args) == 1 && env.Args[0] == "-"
}

// window hands the Status of a Receiver to a screen.
type window struct {
	newest atomic.Pointer[receiver.Status] // nil: none yet
}

// display runs a Receiver beside its screen. Its log goes into events; what is to
// be told at the end goes where it would have gone, and to plain.
func (f *flags) display(ctx context.Context, env *cli.Env, r *receiver.Receiver, events *observe.Ring, plain *slog.Logger) error {
	theme, err := f.screen.Theme()
	if err != nil {
		return err
	}
	var w window
	r.Progress = &receiver.Progress{Every: clients.DefaultInterval, To: func(st *receiver.Status) { w.newest.Store(st) }, Out: &bytes.Buffer{}}
	var report bytes.Buffer
	if r.Stats != nil {
		r.Stats = &receiver.Stats{Out: &report}
	}
	m := clients.NewReceiver(ctx, clients.ReceiverOptions{
		Options: clients.Options{Theme: theme, Log: events, NoMouse: f.screen.NoMouse()},
		State:   w.state, Target: r.Target.String(), Space: strings.Join(r.Namespace, "/"), Output: r.Path,
	})
	err = clients.Beside(ctx, func(ctx context.Context) error { return f.screen.Run(ctx, env, m) }, r.Run, false)
	if st := w.newest.Load(); st != nil && st.Bytes > 0 {
		plain.Info("done", "bytes", st.Bytes, "to", r.Path, "time", (time.Duration(st.Written) * time.Millisecond).String())
	}
	_, _ = env.Out.Write(report.Bytes()) // who does not read it does not want it
	return err
}

// state is what the screen shows.
func (w *window) state() clients.ReceiverState {
	st := w.newest.Load()
	if st == nil {
		return clients.ReceiverState{Time: time.Now()}
	}
	s := clients.ReceiverState{
		Time: st.Time, Phase: clients.Waiting, Carrier: clients.Carrier(st.Transport, door.Draft(st.Protocol)),
		Buffer: millis(st.Buffer), Hold: millis(st.Hold), Bytes: st.Bytes, Written: millis(st.Written), FirstPicture: st.FirstPicture,
		Dropped: st.Dropped, Refused: st.Refused, Restarts: st.Restarts,
	}
	if st.Skew != nil {
		s.Skew = new(millis(*st.Skew))
	}
	for i := range st.Tracks {
		t := &st.Tracks[i]
		r := clients.Reception{
			Name: t.Name, Packaging: t.Packaging, State: t.State, Receiving: t.Receiving, Group: t.Group, Object: t.Object, Objects: t.Objects,
			Bytes: t.In, Gaps: t.Gaps, Late: t.Late + t.Behind, Held: t.Held, Freezes: t.Freezes, Longest: t.Longest,
		}
		if t.Lag != nil {
			r.Lag = new(millis(*t.Lag))
		}
		if t.Receiving {
			s.Phase = clients.Running
		}
		s.Tracks = append(s.Tracks, r)
	}
	if !st.Connected {
		s.Phase, s.Carrier = clients.Connecting, ""
	}
	return s
}

func millis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
