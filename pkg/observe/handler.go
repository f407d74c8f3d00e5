package observe

import (
	"context"
	"log/slog"
	"maps"
	"strings"
)

// Handler puts log records into a Ring, for a window that shows the log. It is
// joined with others by slog.NewMultiHandler.
//
// A record becomes an Event of KindLog, its message the text, its attributes the
// details, those of groups by "group.name". An attribute "session" outside of any
// group becomes Event.Session.
type Handler struct {
	ring    *Ring
	level   slog.Leveler
	session string
	group   string            // with a dot at the end, or empty
	detail  map[string]string // of With; not changed after it was made
}

// NewHandler returns a handler for records of a level or above; nil is Info.
func NewHandler(ring *Ring, level slog.Leveler) *Handler {
	if level == nil {
		level = slog.LevelInfo
	}
	return &Handler{ring: ring, level: level}
}

// recorded marks the context of a record that is in the Ring already.
type recorded struct{}

// Recorded returns a context for slog whose records Handlers leave out, because
// they tell of an Event that was put into the Ring itself.
func Recorded(ctx context.Context) context.Context { return context.WithValue(ctx, recorded{}, true) }

// Enabled is for package slog.
func (h *Handler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.level.Level() && ctx.Value(recorded{}) == nil
}

// Handle is for package slog. It never fails.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	if ctx.Value(recorded{}) != nil {
		return nil
	}
	n := h.clone()
	r.Attrs(func(a slog.Attr) bool {
		n.add(n.group, a)
		return true
	})
	n.ring.Add(Event{
		Time: r.Time, Level: LevelName(r.Level), Kind: KindLog, Session: n.session, Text: r.Message, Detail: n.detail,
	})
	return nil
}

// WithAttrs is for package slog.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	n := h.clone()
	for _, a := range attrs {
		n.add(n.group, a)
	}
	return n
}

// WithGroup is for package slog.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	n := h.clone()
	n.group += name + "."
	return n
}

func (h *Handler) clone() *Handler {
	n := *h
	n.detail = maps.Clone(h.detail)
	return &n
}

// add enters an attribute.
func (h *Handler) add(group string, a slog.Attr) {
	v := a.Value.Resolve()
	switch {
	case v.Kind() == slog.KindGroup:
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, in := range v.Group() {
			h.add(group, in)
		}
	case a.Equal(slog.Attr{}): // slog asks that they be ignored
	case group == "" && a.Key == "session":
		h.session = cut(v.String())
	case len(h.detail) < MaxEventDetails:
		if h.detail == nil {
			h.detail = make(map[string]string)
		}
		h.detail[cut(group+a.Key)] = cut(v.String())
	}
}

// LevelName returns what an Event calls a level of package slog: "debug", "info",
// "warn" or "error", of those between two the lower one.
func LevelName(l slog.Level) string {
	for _, known := range []slog.Level{slog.LevelError, slog.LevelWarn, slog.LevelInfo} {
		if l >= known {
			return strings.ToLower(known.String())
		}
	}
	return "debug"
}
