package clients

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"charm.land/bubbles/v2/key"

	"oxymoq/pkg/tui/draw"
)

func (m *Text) head() (left []part, light string) {
	left = []part{{m.theme.Plain(draw.Clean(m.opts.Target)), 2}}
	if m.state.Carrier != "" {
		left = append(left, part{m.state.Carrier, 3})
	}
	track := m.theme.Plain(draw.Clean(m.opts.Space)) + " " + m.theme.Sign(draw.Dot) + " " + m.theme.Plain(draw.Clean(m.opts.Track))
	left = append(left, part{track, 1})
	return left, m.phase(m.state.Phase, m.state.Word)
}

func (m *Text) sections() []Section { return m.keys.text() }

func (m *Text) bindings() []key.Binding {
	k := &m.keys
	switch {
	case m.opened != nil:
		return []key.Binding{k.Back, k.Up, k.Down, k.Help, k.Quit}
	case m.opts.Control == nil || m.state.Phase == Over:
		return []key.Binding{k.Hex, k.Filter, k.Quit, k.Help, k.Open, k.Export, k.Log}
	}
	return []key.Binding{k.Pause, k.Unsubscribe, k.Fetch, k.Hex, k.Filter, k.Quit, k.Help, k.Export, k.Freeze, k.Log}
}

// known is a time, or that it is not known.
func known(d *time.Duration) string {
	if d == nil {
		return draw.Unknown
	}
	return draw.Lag(*d)
}

func (m *Text) status() string {
	s := &m.state
	parts := []part{
		{fmt.Sprintf("rx %s obj %s", draw.SI(float64(s.Objects)), draw.Bytes(int64(s.Bytes))), 0},
		{"lag " + known(s.Lag), 1}, {"jitter " + known(s.Jitter), 3},
	}
	if s.Gaps > 0 {
		parts = append(parts, part{m.theme.Paint(draw.Warn, fmt.Sprintf("gaps %d", s.Gaps)), 1})
	}
	if !m.filter.Empty() {
		parts = append(parts, part{m.theme.Paint(draw.Warn, fmt.Sprintf("/ %s (%d of %d)", draw.Clean(m.filter.String()), len(m.visible), len(m.rows))), 1})
	}
	if s.Accepted != nil {
		parts = append(parts, part{"SUBSCRIBE_OK " + known(s.Accepted), 4})
	}
	parts = append(parts, part{"first object " + known(s.First), 2})
	if wrong := m.attention(s.Time); wrong != "" {
		parts = append(parts, part{wrong, 0})
	}
	return join(parts, m.width-2)
}

// fill draws the rows, or the bytes of one.
func (m *Text) fill(w, h int) []string {
	if m.opened != nil {
		return m.dump(m.opened, h)
	}
	if len(m.visible) == 0 {
		return []string{"", "   " + m.theme.Paint(draw.Faint, m.empty())}
	}
	// The view ends with the newest row while it is followed. Otherwise the
	// cursor is kept away from its ends.
	at := m.selected()
	top := max(len(m.visible)-h, 0)
	if m.cursor != 0 {
		top = max(min(at-h/2, top), 0)
	}
	var lines []string
	for i := top; i < min(top+h, len(m.visible)); i++ {
		lines = append(lines, m.line(&m.visible[i], i == at && m.cursor != 0, w))
	}
	return lines
}

// empty says why there is nothing, and what leads to something.
func (m *Text) empty() string {
	switch {
	case !m.filter.Empty():
		return "nothing matches the filter; esc clears it"
	case m.state.Phase == Connecting:
		return "connecting"
	case m.state.Phase == Waiting:
		return "the peer has not accepted the request yet; l shows the log"
	}
	return "no object has come yet"
}

// Widths from which a row has more columns.
const (
	withSince  = 60
	withMillis = narrow
)

// line draws one row.
func (m *Text) line(r *Row, selected bool, w int) string {
	t := m.theme
	if r.Note != "" {
		role := draw.Faint
		if r.Wrong {
			role = draw.Warn
		}
		bar := t.Rule(2)
		text := t.Fit(t.Plain(draw.Clean(r.Note)), min(draw.Width(t.Plain(draw.Clean(r.Note))), max(w-9, 1)))
		left := " " + bar + " " + text + " "
		return t.Paint(role, left+t.Rule(w-draw.Width(left)-1))
	}
	mark, role := " ", draw.Text
	if selected {
		mark, role = t.Sign(draw.Cursor), draw.Accent
	}
	clock := "15:04:05"
	if w >= withMillis {
		clock += ".000"
	}
	const place = 13
	parts := []string{t.Paint(role, mark) + t.Paint(draw.Faint, r.At.Format(clock)), draw.Right(t.Plain(location(r.Group, r.Object)), place)}
	if w >= withSince {
		parts = append(parts, t.Paint(draw.Faint, draw.Right(since(r), 8)))
	}
	if r.Track != "" {
		parts = append(parts, t.Paint(draw.Accent, t.Plain(draw.Clean(r.Track))))
	}
	return strings.Join(append(parts, m.payload(r, w)), "  ")
}

// location is a group and an object; of a group ID that is a time only the end
// differs from that of the next.
func location(group, object uint64) string {
	g := fmt.Sprint(group)
	if len(g) > 8 {
		g = "…" + g[len(g)-6:]
	}
	return fmt.Sprintf("%s/%d", g, object)
}

// since is how long after the row before an object came.
func since(r *Row) string {
	switch {
	case r.Past:
		return "past"
	case r.Since == nil:
		return ""
	case r.Since.Abs() < 100*time.Second:
		return fmt.Sprintf("%+dms", r.Since.Milliseconds())
	}
	return "+" + draw.Age(r.Since.Abs())
}

// payload is what fits into a line: text, or bytes if it is none or if those are
// wanted.
func (m *Text) payload(r *Row, w int) string {
	shown := r.Payload[:min(len(r.Payload), 4*w)]
	text := !m.hex && isText(r.Payload, r.Size > len(r.Payload))
	switch {
	case r.Size == 0:
		return m.theme.Paint(draw.Faint, "empty")
	case text:
		return m.theme.Plain(draw.Clean(string(shown)))
	}
	return fmt.Sprintf("%s  % x", draw.Right(draw.Bytes(int64(r.Size)), 7), shown[:min(len(shown), w)])
}

// isText reports whether a payload is UTF-8 without NUL. One that was cut may end
// within a letter.
func isText(b []byte, cut bool) bool {
	for i := 1; cut && i < utf8.UTFMax && i <= len(b); i++ {
		if tail := b[len(b)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				b = b[:len(b)-i]
			}
			break
		}
	}
	return utf8.Valid(b) && !bytes.Contains(b, []byte{0})
}

// dump shows all that is known of an object.
func (m *Text) dump(r *Row, h int) []string {
	t := m.theme
	form := "subgroup " + r.Subgroup
	if r.Subgroup == "datagram" {
		form = r.Subgroup
	}
	lines := []string{fmt.Sprintf(" %s  %s  %s  %s", t.Paint(draw.Accent, fmt.Sprintf("%d/%d", r.Group, r.Object)), form,
		r.At.Format("15:04:05.000"), draw.Bytes(int64(r.Size)))}
	for _, p := range r.Properties {
		lines = append(lines, "   "+draw.Clean(p))
	}
	lines = append(lines, "")
	for l := range strings.Lines(hex.Dump(r.Payload)) {
		lines = append(lines, "   "+strings.TrimRight(l, "\n"))
	}
	if more := r.Size - len(r.Payload); more > 0 {
		lines = append(lines, "   "+t.Paint(draw.Faint, fmt.Sprintf("%d bytes more were not kept", more)))
	}
	m.openAt = max(min(m.openAt, len(lines)-h), 0)
	return lines[m.openAt:]
}
