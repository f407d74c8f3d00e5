package timeline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Limits of what is read.
const (
	// MaxRecord is how many bytes a record of a file may have.
	MaxRecord = 1 << 20
	// MaxItems is how many lines are made of a file: with more of them nobody
	// would read it. A subgroup is one, however many objects it has.
	MaxItems = 1 << 18
	// maxSessions is how many sessions of a file are named in an error.
	maxSessions = 20
	// maxTime is the latest time of an event: beyond it the file is no trace.
	maxTime = 100 * 365 * 24 * time.Hour
)

// ReadError says what is wrong with a file, and where.
type ReadError struct {
	Name string
	Line int // from 1
	Err  error
}

// Error names the file and the line.
func (e *ReadError) Error() string { return fmt.Sprintf("%s, line %d: %v", e.Name, e.Line, e.Err) }

// Unwrap returns what is wrong.
func (e *ReadError) Unwrap() error { return e.Err }

// SessionsError says that a file is about several sessions, of which one is to
// be named.
type SessionsError struct {
	Name     string
	Sessions []string
}

// Error names the sessions.
func (e *SessionsError) Error() string {
	named := e.Sessions
	more := ""
	if len(named) > maxSessions {
		more = fmt.Sprintf(" and %d more", len(named)-maxSessions)
		named = named[:maxSessions]
	}
	return fmt.Sprintf("%s has %d sessions, name one with -session: %s%s", e.Name, len(e.Sessions), strings.Join(named, ", "), more)
}

// Read reads a trace in JSON-SEQ (RFC 7464); records without the separator, one
// a line, will do too. name is for errors. Of a file with several sessions, their
// group_id says which one is meant; session may be empty if there is one only.
//
// A last record that is cut off is no error: a program writes it at this moment,
// or was killed while it did.
func Read(r io.Reader, name, session string) (*Trace, error) {
	return read(r, name, session, MaxItems)
}

// read makes at most so many items.
func read(r io.Reader, name, session string, most int) (*Trace, error) {
	rd := &reader{name: name, session: session, most: most, sessions: map[string]bool{}}
	rd.scan = bufio.NewScanner(r)
	rd.scan.Buffer(make([]byte, 0, 64<<10), MaxRecord+2)
	rd.scan.Split(rd.split)
	t, err := rd.trace()
	if err != nil {
		return nil, err
	}
	if session == "" && len(rd.sessions) > 1 {
		return nil, &SessionsError{name, slices.Sorted(maps.Keys(rd.sessions))}
	}
	if session != "" && !rd.sessions[session] {
		return nil, &ReadError{name, 1, fmt.Errorf("there is no session %q; there are %s", session, listed(rd.sessions))}
	}
	return t, nil
}

func listed(sessions map[string]bool) string {
	if len(sessions) == 0 {
		return "none with a group_id"
	}
	all := slices.Sorted(maps.Keys(sessions))
	return strings.Join(all[:min(len(all), maxSessions)], ", ")
}

// reader reads one file.
type reader struct {
	name, session string
	most          int // items
	scan          *bufio.Scanner
	line          int             // of the record at hand
	next          int             // of the one after it, less one
	started       bool            // the first byte was seen
	separated     bool            // records begin with the separator
	sessions      map[string]bool // that events are about
	last          time.Duration
}

const separator = 0x1e

// split is a bufio.SplitFunc for records. It leaves the lines in them, by which
// they are counted.
func (rd *reader) split(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if !rd.started && len(data) > 0 {
		rd.started, rd.separated = true, data[0] == separator
	}
	if len(data) == 0 {
		return 0, nil, nil
	}
	end := -1
	if rd.separated {
		if i := bytes.IndexByte(data[1:], separator); i >= 0 {
			end = i + 1
		}
	} else if i := bytes.IndexByte(data, '\n'); i >= 0 {
		end = i + 1
	}
	if end < 0 {
		if !atEOF {
			return 0, nil, nil
		}
		end = len(data)
	}
	return end, data[:end], nil
}

// record returns the next record, nil at the end; whole says that it is not cut
// off.
func (rd *reader) record() (record []byte, whole bool, err error) {
	for rd.scan.Scan() {
		token := rd.scan.Bytes()
		rd.line = rd.next + 1
		rd.next += bytes.Count(token, []byte{'\n'})
		whole = bytes.HasSuffix(token, []byte{'\n'})
		if record = bytes.TrimSpace(bytes.TrimPrefix(token, []byte{separator})); len(record) > 0 {
			return record, whole, nil
		}
	}
	if err := rd.scan.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return nil, false, rd.fail(fmt.Errorf("a record has more than %d bytes", MaxRecord), 1)
		}
		return nil, false, fmt.Errorf("%s: %w", rd.name, err)
	}
	return nil, false, nil
}

// fail is an error about the record at hand, or the one that many lines later.
func (rd *reader) fail(err error, later int) error {
	return &ReadError{rd.name, max(rd.line+later, 1), err}
}

func (rd *reader) trace() (*Trace, error) {
	first, _, err := rd.record()
	if err != nil {
		return nil, err
	}
	t, err := header(first)
	if err != nil {
		return nil, rd.fail(err, 0)
	}
	t.Name = rd.name
	d := newDigest(t)
	for {
		record, whole, err := rd.record()
		if record == nil || err != nil {
			d.end(rd.last)
			return t, err
		}
		ev, err := rd.event(t, record)
		if err == nil && ev != nil {
			err = d.event(ev)
		}
		if err != nil {
			if !whole && !json.Valid(record) {
				d.end(rd.last)
				t.Unfinished = true
				return t, nil
			}
			return nil, rd.fail(err, 0)
		}
		if len(t.items) >= rd.most {
			d.end(rd.last)
			d.note(rd.last, fmt.Sprintf("the rest of the file is left out: it makes more than %d lines", rd.most))
			return t, nil
		}
	}
}

// rawEvent is an event as it stands in a file.
type rawEvent struct {
	Time  *float64        `json:"time"`
	Name  string          `json:"name"`
	Group any             `json:"group_id"`
	Data  json.RawMessage `json:"data"`

	at time.Duration
}

// event returns nil for an event of another session.
func (rd *reader) event(t *Trace, record []byte) (*rawEvent, error) {
	var ev rawEvent
	if err := json.Unmarshal(record, &ev); err != nil {
		return nil, plain(err)
	}
	switch {
	case ev.Time == nil:
		return nil, errors.New("an event without a time")
	case ev.Name == "":
		return nil, errors.New("an event without a name")
	case math.Abs(*ev.Time) > float64(maxTime/time.Millisecond):
		return nil, fmt.Errorf("an event at %g ms", *ev.Time)
	}
	ev.at = time.Duration(*ev.Time * float64(time.Millisecond))
	if t.deltas {
		ev.at += rd.last
		if ev.at.Abs() > maxTime {
			return nil, errors.New("the times of the events add up to more than a century")
		}
	}
	rd.last = ev.at
	if ev.Group != nil {
		id := fmt.Sprint(ev.Group)
		rd.sessions[id] = true
		if rd.session != "" && id != rd.session {
			return nil, nil
		}
		t.session(id)
	} else if rd.session != "" {
		return nil, nil
	}
	return &ev, nil
}

// plain makes an error of package json one for users.
func plain(err error) error {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("no JSON: %w", e)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return fmt.Errorf("a JSON %s where there should be an object", e.Value)
		}
		return fmt.Errorf("%s is a %s", e.Field, e.Value)
	}
	return err
}
