package mlog

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

// VantagePoint is the side from which a program sees its sessions.
type VantagePoint string

// Vantage points, as qlog names them. A program of both sides is Unknown: its
// sessions say in their group_id what they are.
const (
	Client  VantagePoint = "client"
	Server  VantagePoint = "server"
	Unknown VantagePoint = "unknown"
)

// schema names the events; the number is that of the draft of qlog's events.
const schema = "urn:ietf:params:qlog:events:moqt-08"

// recordSeparator begins each record of a JSON text sequence.
const recordSeparator = 0x1e

// Log is one file. Its methods may be called from any goroutine.
type Log struct {
	began time.Time
	id    string // what the group_ids of this file have in common

	mu       sync.Mutex
	w        io.Writer
	sessions int
	buf      bytes.Buffer
	err      error // why nothing is written any more
}

// New begins a file on w.
func New(w io.Writer, v VantagePoint, title string) (*Log, error) {
	l := &Log{w: w, began: time.Now(), id: groupID()}
	l.record(fields{
		{"file_schema", "urn:ietf:params:qlog:file:sequential"},
		{"serialization_format", "application/qlog+json-seq"},
		{"title", title},
		{"trace", fields{
			{"common_fields", fields{
				{"time_format", "relative_to_epoch"},
				{"reference_time", fields{
					{"clock_type", "system"},
					{"epoch", l.began.UTC().Format(time.RFC3339Nano)},
				}},
			}},
			{"vantage_point", fields{{"type", v}}},
			{"event_schemas", []string{schema}},
		}},
	})
	return l, l.err
}

// Create begins a file of the given name, in place of what was there.
func Create(name string, v VantagePoint, title string) (*Log, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	l, err := New(f, v, title)
	if err != nil {
		_ = f.Close() // it cannot be written anyway
		return nil, err
	}
	return l, nil
}

// Close ends the file and returns why it is not complete, if it is not.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.err
	if c, ok := l.w.(io.Closer); ok {
		if closed := c.Close(); err == nil {
			err = closed
		}
	}
	if l.err == nil {
		l.err = os.ErrClosed
	}
	return err
}

// groupID returns some hexadecimal digits that no other file has.
func groupID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// Session is for session.Config.Trace.
func (l *Log) Session(s *session.Session) session.TraceFunc {
	role := Client
	if s.Role() == session.Server {
		role = Server
	}
	l.mu.Lock()
	l.sessions++
	group := l.id + "-" + strconv.Itoa(l.sessions) + "_" + string(role)
	l.mu.Unlock()
	draft := s.Draft()
	return func(e session.TraceEvent) { l.event(group, draft, e) }
}

// event writes what a session has told.
func (l *Log) event(group string, draft model.Draft, e session.TraceEvent) {
	switch what := e.What.(type) {
	case *wire.Setup:
		l.streamType(group, e, "control")
		l.message(group, e, what)
	case wire.Message:
		l.message(group, e, what)
	case *wire.SubgroupHeader:
		l.streamType(group, e, "subgroup_header")
		l.write(group, e.Sent, "subgroup_header", onStream(e, subgroupHeader(what)))
	case *session.TracedObject:
		l.write(group, e.Sent, "subgroup_object", onStream(e, subgroupObject(draft, what)))
	case *session.TracedFetch:
		l.streamType(group, e, "fetch_header")
		l.write(group, e.Sent, "fetch_header", onStream(e, fields{{"request_id", what.RequestID}}))
	case *wire.FetchItem:
		l.write(group, e.Sent, "fetch_object", onStream(e, fetchObject(draft, what)))
	case *wire.Datagram:
		l.write(group, e.Sent, "object_datagram", datagram(draft, what))
	}
}

func (l *Log) message(group string, e session.TraceEvent, m wire.Message) {
	l.write(group, e.Sent, "control_message", onStream(e, fields{{"message", message(m)}}))
}

func (l *Log) streamType(group string, e session.TraceEvent, kind string) {
	owner := "remote"
	if e.Sent {
		owner = "local"
	}
	l.named(group, "stream_type_set", fields{{"owner", owner}, {"stream_id", e.Stream}, {"stream_type", kind}})
}

func onStream(e session.TraceEvent, f fields) fields {
	return append(fields{{"stream_id", e.Stream}}, f...)
}

// write writes an event that exists in two forms.
func (l *Log) write(group string, sent bool, name string, data fields) {
	if sent {
		name += "_created"
	} else {
		name += "_parsed"
	}
	l.named(group, name, data)
}

func (l *Log) named(group, name string, data fields) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := float64(time.Since(l.began).Microseconds()) / 1000
	l.record(fields{{"time", at}, {"name", "moqt:" + name}, {"group_id", group}, {"data", data}})
}

// record writes one record, with one Write. The caller holds mu or nobody else
// has the Log yet.
func (l *Log) record(f fields) {
	if l.err != nil {
		return
	}
	l.buf.Reset()
	l.buf.WriteByte(recordSeparator)
	enc := json.NewEncoder(&l.buf)
	enc.SetEscapeHTML(false)
	if l.err = enc.Encode(f); l.err == nil {
		_, l.err = l.w.Write(l.buf.Bytes())
	}
}

// field is a member of a JSON object, and fields an object with its members in
// their order.
type (
	field struct {
		name  string
		value any
	}
	fields []field
)

// MarshalJSON returns the object.
func (f fields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, m := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(m.name)) // names of ours need no more
		b.WriteByte(':')
		if err := enc.Encode(m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
