package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/text"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/clients"
)

// drawn says whether there is a screen. One that is not asked for does not stand
// in for lines of a form that is.
func (f *flags) drawn(env *cli.Env, set *cli.FlagSet) (bool, error) {
	on, err := f.screen.Wanted(env)
	if err != nil || !on {
		return false, err
	}
	for _, name := range []string{"format", "ids"} {
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

// window is the screen of a Client, and what its keys change.
type window struct {
	client *text.Client
	rows   clients.Rows
	many   bool            // there may be several tracks
	ctx    context.Context // of fetches
	stop   context.CancelFunc
	work   sync.WaitGroup // fetches

	mu   sync.Mutex
	over bool // the Client has ended
	busy bool // there is a fetch
}

// display runs the Client beside its screen, which stays when all has come. Its log
// goes into events; what there is to be told at the end goes to plain and to report.
func (f *flags) display(ctx context.Context, env *cli.Env, c *text.Client, events *observe.Ring, plain *slog.Logger) error {
	theme, err := f.screen.Theme()
	if err != nil {
		return err
	}
	fetching, stop := context.WithCancel(ctx)
	defer stop()
	w := &window{client: c, many: c.Way == text.Publishes && c.Track.Name == "", ctx: fetching, stop: stop}
	c.Watch, c.Format = w, text.Nothing
	var report bytes.Buffer
	c.Report = &report
	m := clients.NewText(ctx, clients.TextOptions{
		Options: clients.Options{Theme: theme, Log: events, NoMouse: f.screen.NoMouse()},
		State:   w.state, Rows: &w.rows, Control: w, Target: c.Target.String(), Space: strings.Join(c.Track.Namespace, "/"), Track: c.Track.Name,
	})
	err = clients.Beside(ctx,
		func(ctx context.Context) error { return f.screen.Run(ctx, env, m) },
		func(ctx context.Context) error {
			defer w.end()
			return c.Run(ctx)
		}, true)
	plain.Info("done", "objects", c.Status().Objects)
	_, _ = env.Err.Write(report.Bytes()) // as with a log, there is nobody to tell
	return err
}

// end notes that the Client has ended, and waits until nothing is fetched any
// more.
func (w *window) end() {
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	w.stop()
	w.work.Wait()
}

// state is what the screen shows beside the objects.
func (w *window) state() clients.TextState {
	st := w.client.Status()
	s := clients.TextState{
		Time: st.Time, Objects: st.Objects, Bytes: st.Bytes, Gaps: st.Gaps, Lag: st.Lag, Jitter: st.Jitter, Accepted: st.Answer, First: st.First,
		Carrier: clients.Carrier(st.Transport, door.Draft(st.Protocol)), Word: "subscribed", Phase: clients.Running,
	}
	if w.client.Way == text.Fetch {
		s.Word = "fetching"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.over:
		s.Phase = clients.Over
	case !st.Connected:
		s.Phase = clients.Connecting
	case !st.Accepted:
		s.Phase = clients.Waiting
	case st.Paused:
		s.Phase = clients.Paused
	}
	return s
}

// Object makes a row of an object.
func (w *window) Object(a *text.Arrival) {
	r := clients.Row{
		At: a.At, Group: a.Group, Object: a.Location.Object, Subgroup: fmt.Sprint(a.Subgroup), Past: a.Past,
		Size: len(a.Payload), Payload: a.Payload,
	}
	if a.Datagram {
		r.Subgroup = "datagram"
	}
	if since, ok := a.Since.Get(); ok {
		r.Since = &since
	}
	if w.many {
		r.Track = a.Track.Name
	}
	for _, p := range a.Properties {
		r.Properties = append(r.Properties, property(p))
	}
	w.rows.Add(r)
}

// maxProperty is how many bytes of a property are shown.
const maxProperty = 64

// property shows one.
func property(p model.Property) string {
	if p.Type%2 == 0 {
		return fmt.Sprintf("property 0x%x = %d", p.Type, p.Int)
	}
	s := fmt.Sprintf("property 0x%x = % x", p.Type, p.Bytes[:min(len(p.Bytes), maxProperty)])
	if more := len(p.Bytes) - maxProperty; more > 0 {
		s += fmt.Sprintf(" and %d bytes more", more)
	}
	return s
}

// Gap makes a line of what was given up.
func (w *window) Gap(track model.FullTrackName, from, to model.Location) {
	what := ""
	if w.many {
		what = " of " + track.Name
	}
	w.note(true, "gap%s: %v and what follows it before %v was not delivered", what, from, to)
}

func (w *window) note(wrong bool, format string, args ...any) {
	w.rows.Add(clients.Row{Note: fmt.Sprintf(format, args...), Wrong: wrong})
}

// Pause is for the screen's key, as are the following.
func (w *window) Pause(ctx context.Context, on bool) error {
	if err := w.client.Pause(ctx, on); err != nil {
		return err
	}
	if on {
		w.note(false, "paused")
	} else {
		w.note(false, "going on")
	}
	return nil
}

// Unsubscribe leaves the track.
func (w *window) Unsubscribe(context.Context) error { return w.client.Unsubscribe() }

// Why nothing is fetched.
var (
	errBusy = errors.New("the fetch before this one is not over")
	errOver = errors.New("the session has ended")
)

// Fetch begins to fetch a range, said as two places: groups, each with an object
// behind a stroke if it is not all of the group.
func (w *window) Fetch(_ context.Context, what string) error {
	span, err := parseRange(what)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.over:
		return errOver
	case w.busy:
		return errBusy
	}
	w.busy = true
	w.work.Go(func() {
		defer w.idle()
		n, err := w.client.FetchRange(w.ctx, span)
		if err != nil {
			w.note(true, "the fetch of %s failed after %d objects: %v", what, n, err)
			return
		}
		w.note(false, "that was the fetch of %s, with %d objects", what, n)
	})
	return nil
}

// idle notes that a fetch is over.
func (w *window) idle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = false
}

// parseRange reads one or two places.
func parseRange(what string) (text.Span, error) {
	places := strings.Fields(what)
	if len(places) < 1 || len(places) > 2 {
		return text.Span{}, fmt.Errorf("%q are not two places, as in 7/0 9/3", what)
	}
	from, first, _ := strings.Cut(places[0], "/")
	to, last := "", ""
	if len(places) == 2 {
		to, last, _ = strings.Cut(places[1], "/")
	}
	return text.ParseSpan(from, first, to, last)
}
