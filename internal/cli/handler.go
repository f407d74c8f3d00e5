package cli

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// handler writes log lines for people:
//
//	12:01:07.114 WARN session: peer is slow track=live--cam1 behind=31
type handler struct {
	out    *lockedWriter
	levels *Levels
	colour bool

	category string
	attrs    string // formatted already, each with a space before it
	prefix   string // open groups, each with a dot after it
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// NewHandler returns a handler that writes to w what levels let pass at that
// moment, one line per record, in colour if asked for.
func NewHandler(w io.Writer, levels *Levels, colour bool) slog.Handler {
	return &handler{out: &lockedWriter{w: w}, levels: levels, colour: colour}
}

// Enabled reports whether the handler's category lets the level pass.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.levels.Of(h.category) }

// WithAttrs returns a handler that adds attrs to every line. The attribute
// Category, outside groups, sets the category instead.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	n := *h
	var b strings.Builder
	for _, a := range attrs {
		if a.Key == Category && h.prefix == "" {
			n.category = a.Value.String()
			continue
		}
		appendAttr(&b, h.prefix, a)
	}
	n.attrs += b.String()
	return &n
}

// WithGroup returns a handler that puts name and a dot before further keys.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	n := *h
	n.prefix += name + "."
	return &n
}

// Handle writes one line.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	if !r.Time.IsZero() {
		b.WriteString(r.Time.Format("15:04:05.000 "))
	}
	b.WriteString(h.paint(r.Level))
	if h.category != "" {
		b.WriteString(h.category + ": ")
	}
	b.WriteString(strings.ReplaceAll(r.Message, "\n", " "))
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		appendAttr(&b, h.prefix, a)
		return true
	})
	b.WriteByte('\n')
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	_, err := io.WriteString(h.out.w, b.String())
	return err
}

// paint returns the name of the level, padded, in its colour.
func (h *handler) paint(l slog.Level) string {
	name := levelName(l)
	pad := strings.Repeat(" ", max(0, 4-len(name))+1)
	if !h.colour {
		return name + pad
	}
	colour := "2" // faint
	switch {
	case l >= slog.LevelError:
		colour = "31" // red
	case l >= slog.LevelWarn:
		colour = "33" // yellow
	case l >= slog.LevelInfo:
		colour = "32" // green
	}
	return "\x1b[" + colour + "m" + name + "\x1b[0m" + pad
}

// maxAttr is how many bytes of one value are shown: names of namespaces come
// from outside and may have thousands.
const maxAttr = 512

func appendAttr(b *strings.Builder, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, m := range v.Group() {
			appendAttr(b, prefix, m)
		}
		return
	}
	if a.Equal(slog.Attr{}) {
		return
	}
	text := v.String()
	switch v.Kind() {
	case slog.KindTime:
		text = v.Time().Format(time.RFC3339Nano)
	case slog.KindDuration:
		text = v.Duration().Round(time.Microsecond).String()
	}
	if len(text) > maxAttr {
		text = strings.ToValidUTF8(text[:maxAttr], "") + "…"
	}
	b.WriteByte(' ')
	b.WriteString(prefix + a.Key)
	b.WriteByte('=')
	if strings.ContainsFunc(text, func(r rune) bool { return r == '"' || r == '=' || r <= ' ' || !unicode.IsPrint(r) }) || text == "" {
		text = strconv.Quote(text)
	}
	b.WriteString(text)
}

// colourful reports whether w may be written in colour: it is a terminal, the
// terminal is not dumb, and NO_COLOR is empty or absent.
func colourful(w io.Writer, lookup func(string) (string, bool)) bool {
	if no, _ := lookup("NO_COLOR"); no != "" {
		return false
	}
	if term, _ := lookup("TERM"); term == "dumb" {
		return false
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	// A character device is a terminal, or /dev/null, where colour does no harm.
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
