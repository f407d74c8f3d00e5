package mlog

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
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

// Log is one file. Its methods may be called from any goroutine.
type Log struct {
	began time.Time
	id    string // what the group_ids of this file have in common

	mu       sync.Mutex
	w        io.Writer
	sessions int
	buf      []byte
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
			{"event_schemas", []string{schemaMoQT}},
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
	events(draft, e, func(name string, data fields) { l.named(group, name, data) })
}

func (l *Log) named(group, name string, data fields) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := float64(time.Since(l.began).Microseconds()) / 1000
	l.record(fields{{"time", at}, {"name", name}, {"group_id", group}, {"data", data}})
}

// record writes one record, with one Write. The caller holds mu or nobody else
// has the Log yet.
func (l *Log) record(f fields) {
	if l.err != nil {
		return
	}
	l.buf = appendRecord(l.buf[:0], f)
	_, l.err = l.w.Write(l.buf)
}
