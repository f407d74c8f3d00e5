package timeline

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Role is a side of a connection.
type Role string

// Roles, as qlog names them.
const (
	Client Role = "client"
	Server Role = "server"
)

// Trace is what one side of a connection has written down.
type Trace struct {
	Name     string // of the file
	Title    string // what the file calls itself
	Version  string // of the program that wrote it
	Role     Role   // empty: the file does not say
	ID       string // of the connection; both sides have the same over QUIC
	Protocol string // as negotiated by ALPN, if the trace tells it
	// Began is when the clock of the trace was 0, by the clock of the machine;
	// zero if the file does not say.
	Began time.Time
	// Length is the time of the last event.
	Length time.Duration
	// Unfinished says that the last record is cut off.
	Unfinished bool

	items  []*item
	deltas bool // times count from the event before
	cut    bool // the file ended at its limit
}

// fileHeader is the first record, of quic-go's and our own files and of others.
type fileHeader struct {
	Schema      string          `json:"file_schema"`
	Format      string          `json:"qlog_format"`
	Serial      string          `json:"serialization_format"`
	QlogVersion string          `json:"qlog_version"`
	Title       string          `json:"title"`
	CodeVersion string          `json:"code_version"`
	Traces      json.RawMessage `json:"traces"`
	Trace       *struct {
		VantagePoint struct {
			Type string `json:"type"`
			Name string `json:"name"`
		} `json:"vantage_point"`
		Common struct {
			Group         any             `json:"group_id"`
			ODCID         string          `json:"ODCID"`
			TimeFormat    string          `json:"time_format"`
			ReferenceTime json.RawMessage `json:"reference_time"`
		} `json:"common_fields"`
	} `json:"trace"`
}

// header reads the first record of a file, nil if there is none.
func header(record []byte) (*Trace, error) {
	if record == nil {
		return nil, errors.New("the file is empty")
	}
	var h fileHeader
	if err := json.Unmarshal(record, &h); err != nil {
		return nil, plain(err)
	}
	switch {
	case h.Traces != nil:
		return nil, errors.New("this is qlog in one piece of JSON; only JSON-SEQ can be read, one record for each event")
	case h.Trace == nil && h.Schema == "" && h.Format == "" && h.Serial == "" && h.QlogVersion == "":
		return nil, errors.New("this is no header of a qlog file")
	}
	t := &Trace{Title: h.Title, Version: h.CodeVersion}
	if h.Trace == nil {
		return t, nil
	}
	t.Role = role(h.Trace.VantagePoint.Type)
	c := h.Trace.Common
	if id, ok := c.Group.(string); ok {
		t.ID = id
	} else {
		t.ID = c.ODCID
	}
	t.deltas = c.TimeFormat == "delta" || c.TimeFormat == "relative_to_previous_event"
	t.Began = began(c.ReferenceTime)
	return t, nil
}

func role(s string) Role {
	switch r := Role(s); r {
	case Client, Server:
		return r
	}
	return ""
}

// began reads a reference_time: quic-go has wall_clock_time in it, others an
// epoch, older ones have a number or nothing.
func began(raw json.RawMessage) time.Time {
	var ref struct {
		Wall  string `json:"wall_clock_time"`
		Epoch string `json:"epoch"`
	}
	_ = json.Unmarshal(raw, &ref) // another form says nothing that is of use
	for _, text := range []string{ref.Wall, ref.Epoch} {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return at
		}
	}
	return time.Time{}
}

// session takes from the group_id of events what the header leaves open: files
// of many sessions name them so, with the side behind an underscore.
func (t *Trace) session(id string) {
	if t.ID == "" {
		t.ID = id
	}
	if t.Role == "" {
		if i := strings.LastIndexByte(id, '_'); i >= 0 {
			t.Role = role(id[i+1:])
		}
	}
}
