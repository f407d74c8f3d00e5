package timeline

import (
	"bufio"
	"encoding/json"
	"io"
	"path/filepath"
	"time"
)

// jsonSide is a trace in the first line of JSON.
type jsonSide struct {
	Side       string  `json:"side"`
	File       string  `json:"file"`
	ID         string  `json:"id,omitempty"`
	Title      string  `json:"title,omitempty"`
	Protocol   string  `json:"protocol,omitempty"`
	Began      string  `json:"began,omitempty"`
	Length     float64 `json:"length_ms"`
	Unfinished bool    `json:"unfinished,omitempty"`
}

// jsonHead is the first line.
type jsonHead struct {
	Kind   string      `json:"kind"`
	Sides  []jsonSide  `json:"sides"`
	Clocks *jsonClocks `json:"clocks,omitempty"`
}

type jsonClocks struct {
	Pairs int      `json:"pairs"`
	Ahead *float64 `json:"right_ahead_ms,omitempty"`
	Trip  *float64 `json:"round_trip_ms,omitempty"`
}

// jsonRow is a line for a row.
type jsonRow struct {
	Time    float64  `json:"time_ms"`
	Kind    Kind     `json:"kind"`
	From    string   `json:"from"`
	To      string   `json:"to,omitempty"`
	Stream  *int64   `json:"stream,omitempty"`
	What    string   `json:"what,omitempty"`
	Track   string   `json:"track,omitempty"`
	Text    string   `json:"text,omitempty"`
	Delay   *float64 `json:"delay_ms,omitempty"`
	Missing bool     `json:"missing,omitempty"`
}

// JSON writes a story as one object a line: of the kind "traces" with what is
// known of sides and clocks, and one for each row.
func JSON(w io.Writer, s *Story, rows []Row) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s.jsonHead()); err != nil {
		return err
	}
	for _, r := range rows {
		out := jsonRow{Time: ms(r.At), Kind: r.Kind, What: r.What, Track: r.Track, Text: r.Text, Missing: r.Missing}
		out.From, out.To = s.Between(r.Dir)
		if r.Stream != NoStream {
			out.Stream = &r.Stream
		}
		if r.Known {
			delay := ms(r.Delay)
			out.Delay = &delay
		}
		if err := enc.Encode(out); err != nil {
			return err
		}
	}
	return b.Flush()
}

func (s *Story) jsonHead() jsonHead {
	left, right := s.names()
	side := func(name string, t *Trace) jsonSide {
		out := jsonSide{Side: name, File: filepath.Base(t.Name), ID: t.ID, Title: t.Title, Protocol: t.Protocol, Length: ms(t.Length), Unfinished: t.Unfinished}
		if !t.Began.IsZero() {
			out.Began = t.Began.UTC().Format(time.RFC3339Nano)
		}
		return out
	}
	head := jsonHead{Kind: "traces", Sides: []jsonSide{side(left, s.Left)}}
	if s.Right == nil {
		return head
	}
	head.Sides = append(head.Sides, side(right, s.Right))
	c := &jsonClocks{Pairs: s.Clocks.Pairs}
	if s.Clocks.Told {
		ahead := ms(s.Clocks.Ahead)
		c.Ahead = &ahead
	}
	if s.Clocks.Both {
		trip := ms(s.Clocks.Trip)
		c.Trip = &trip
	}
	head.Clocks = c
	return head
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
