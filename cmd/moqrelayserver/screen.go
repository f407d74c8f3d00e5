package main

import (
	"context"
	"errors"
	"log/slog"

	"oxymoq/internal/cli"
	"oxymoq/internal/screen"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/tui/dashboard"
)

// record makes the log go into the ring of events too, or only there if a screen
// is drawn.
func record(env *cli.Env, events *observe.Ring, drawn bool) {
	if drawn {
		screen.Quiet(env, events)
		return
	}
	env.Log = slog.New(slog.NewMultiHandler(env.Log.Handler(), observe.NewHandler(events, nil)))
}

// errLeft is how the relay ends when its screen is left.
var errLeft = errors.New("the screen was left")

// display shows the dashboard. left gets errLeft when its user wants to stop the
// relay, or why it failed; erase ends it and waits until the terminal is as it was.
func (f *flags) display(ctx context.Context, env *cli.Env, r *relay.Relay) (left <-chan error, erase func(), err error) {
	theme, err := f.screen.Theme()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	m := dashboard.New(ctx, dashboard.Options{Source: r, Control: r, Theme: theme, NoMouse: f.screen.NoMouse()})
	said, over := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(over)
		if err := f.screen.Run(ctx, env, m); ctx.Err() == nil {
			if err == nil {
				err = errLeft
			}
			said <- err
		}
	}()
	return said, func() { cancel(); <-over }, nil
}
