package timeline

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"oxymoq/pkg/tui/draw"
)

// Filter says which rows are shown; the zero value shows all.
type Filter struct {
	Kinds   []Kind  // of these; none: of all
	Track   string  // with this in their track; those without a track remain
	Streams []int64 // on these; none: on all and on none
}

// Apply returns the rows that pass, of which there may be fewer.
func (f Filter) Apply(rows []Row) []Row {
	var out []Row
	for _, r := range rows {
		switch {
		case len(f.Kinds) > 0 && !slices.Contains(f.Kinds, r.Kind):
		case f.Track != "" && r.Track != "" && !strings.Contains(r.Track, f.Track):
		case len(f.Streams) > 0 && !slices.Contains(f.Streams, r.Stream):
		default:
			out = append(out, r)
		}
	}
	return out
}

// Layout says how rows are written as text.
type Layout struct {
	Width  int  // cells of a line; 0: as many as it takes
	Colour bool // for terminals
	ASCII  bool
}

// MinWidth is the least Width that is kept to.
const MinWidth = 40

// signs are the arrows of a row between its two sides.
var signs = map[bool]map[Direction]map[Kind]string{
	false: {
		ToRight: {"": "──▶", Data: "══▶", Loss: "──✕"},
		ToLeft:  {"": "◀──", Data: "◀══", Loss: "✕──"},
		AtLeft:  {"": "   "},
		AtRight: {"": "   "},
	},
	true: {
		ToRight: {"": "-->", Data: "==>", Loss: "--x"},
		ToLeft:  {"": "<--", Data: "<==", Loss: "x--"},
		AtLeft:  {"": "   "},
		AtRight: {"": "   "},
	},
}

// colours of kinds, as SGR parameters that light and dark terminals show alike.
var colours = map[Kind]string{Control: "36", Loss: "33", Reset: "31", Connection: "1", Note: "35"}

// Text writes a story: what is known of its sides and clocks, and its rows.
func Text(w io.Writer, s *Story, rows []Row, l Layout) error {
	b := bufio.NewWriter(w)
	p := &printer{story: s, Layout: l}
	if p.Width > 0 {
		p.Width = max(p.Width, MinWidth)
	}
	for _, text := range s.head() {
		fmt.Fprintln(b, p.fit(draw.Clean(text)))
	}
	if len(rows) > 0 {
		fmt.Fprintln(b)
	}
	p.measure(rows)
	for _, r := range rows {
		fmt.Fprintln(b, p.line(r))
	}
	return b.Flush()
}

// head are the lines above the rows.
func (s *Story) head() []string {
	var lines []string
	left, right := s.names()
	about := func(side string, t *Trace) {
		parts := []string{filepath.Base(t.Name)}
		if t.Title != "" {
			parts = append(parts, strings.TrimSpace(t.Title+" "+t.Version))
		}
		if t.Protocol != "" {
			parts = append(parts, t.Protocol)
		}
		if !t.Began.IsZero() {
			parts = append(parts, t.Began.UTC().Format("2006-01-02 15:04:05.000 UTC"))
		}
		parts = append(parts, milliseconds(t.Length))
		if t.Unfinished {
			parts = append(parts, "still being written or cut off")
		}
		lines = append(lines, fmt.Sprintf("%-7s %s", side, strings.Join(parts, ", ")))
	}
	about(left, s.Left)
	if s.Right == nil {
		return lines
	}
	about(right, s.Right)
	return append(lines, "clocks  "+s.Clocks.text(left, right))
}

// text is one sentence about the clocks.
func (c Clocks) text(left, right string) string {
	var parts []string
	switch {
	case c.Told && c.Pairs == 0:
		return "by the time of day only: no message is in both traces"
	case c.Pairs == 0:
		return "unknown: no message is in both traces, and they do not tell the time of day"
	case c.Told && c.Ahead < 0:
		parts = append(parts, fmt.Sprintf("the %s's is %s ahead of the %s's", left, milliseconds(-c.Ahead), right))
	case c.Told:
		parts = append(parts, fmt.Sprintf("the %s's is %s ahead of the %s's", right, milliseconds(c.Ahead), left))
	}
	parts = append(parts, fmt.Sprintf("by %d messages that both traces have", c.Pairs))
	if c.Both {
		parts = append(parts, fmt.Sprintf("there and back at least %s", milliseconds(c.Trip)))
	} else {
		parts = append(parts, "in one direction only: the fastest counts as 0 ms")
	}
	return strings.Join(parts, ", ")
}

// printer writes rows below each other.
type printer struct {
	Layout
	story       *Story
	left, right string // letters of the sides
	time        int    // width of the column of times
	stream      int    // of streams
	delays      bool   // there are delays
}

func (p *printer) measure(rows []Row) {
	left, right := p.story.names()
	p.left, p.right = strings.ToUpper(left[:1]), strings.ToUpper(right[:1])
	for _, r := range rows {
		p.time = max(p.time, len(clock(r.At)))
		p.stream = max(p.stream, len(streamName(r.Stream)))
		p.delays = p.delays || r.Known || r.Missing
	}
}

// clock is a time of a row, in milliseconds.
func clock(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 3, 64)
}

func streamName(id int64) string {
	if id == NoStream {
		return ""
	}
	return "s" + strconv.FormatInt(id, 10)
}

// delayWidth is the width of the column of delays.
const delayWidth = 10

func (p *printer) line(r Row) string {
	sign := signs[p.ASCII][r.Dir]
	arrow, ok := sign[r.Kind]
	if !ok {
		arrow = sign[""]
	}
	left, right := p.left, p.right
	switch r.Dir { // a side that did nothing is not named
	case AtLeft:
		right = " "
	case AtRight:
		left = " "
	}
	front := fmt.Sprintf("%*s  %s%s%s  %-*s  ", p.time, clock(r.At), left, arrow, right, p.stream, streamName(r.Stream))
	what := draw.Clean(strings.Join(nonEmpty(r.What, r.Track), " "))
	text := draw.Clean(r.Text)
	if p.ASCII {
		what, text = ascii(what), ascii(text)
	}
	delay := ""
	switch {
	case r.Missing:
		delay = "not there"
	case r.Known:
		delay = fmt.Sprintf("+%.3f", float64(r.Delay)/float64(time.Millisecond))
		if r.Delay < 0 {
			delay = delay[1:]
		}
	}
	middle := strings.Join(nonEmpty(what, text), "  ")
	if p.Width > 0 {
		room := p.Width - draw.Width(front)
		if p.delays && room > 3*delayWidth {
			middle = p.cut(middle, room-delayWidth-1) + " " + draw.Right(delay, delayWidth)
		} else {
			middle = p.cut(middle, room)
		}
		middle = strings.TrimRight(middle, " ")
	} else if delay != "" {
		middle += "  " + delay
	}
	line := p.fit(strings.TrimRight(front+middle, " ")) // with huge numbers there is no room for more
	if code := colours[r.Kind]; p.Colour && code != "" {
		return "\x1b[" + code + "m" + line + "\x1b[0m"
	}
	return line
}

func nonEmpty(all ...string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// fit cuts a line of the head.
func (p *printer) fit(s string) string {
	if p.ASCII {
		s = ascii(s)
	}
	if p.Width == 0 {
		return s
	}
	return strings.TrimRight(p.cut(s, p.Width), " ")
}

func (p *printer) cut(s string, width int) string {
	if p.ASCII {
		return draw.FitASCII(s, width)
	}
	return draw.Fit(s, width)
}

// ascii writes other characters as question marks.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '–':
			return '-'
		case r > '~':
			return '?'
		}
		return r
	}, s)
}
