package receiver

import (
	"context"
	"log/slog"
)

// quiet lets everything be said for debugging only: what a moqt.Subscriber misses
// is told better by who knows what the objects are.
type quiet struct{ slog.Handler }

// Enabled is as for debugging.
func (q quiet) Enabled(ctx context.Context, _ slog.Level) bool {
	return q.Handler.Enabled(ctx, slog.LevelDebug)
}

// Handle says it for debugging.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return q.Handler.Handle(ctx, r)
}

// WithAttrs and WithGroup keep it quiet.
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

// WithGroup is as WithAttrs.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
