package mlog

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// Limits of a Trace.
const (
	// MaxQueued is how many events wait to be written. Those that find no room
	// are dropped, and counted in the trace.
	MaxQueued = 4096
	// MaxQueuedBytes is how many bytes the data of MoQT's events may have that
	// wait. Those of QUIC are small, and formatted when they are written.
	MaxQueuedBytes = 1 << 20
	// MinBytes is the least that a trace may be limited to.
	MinBytes = 4 << 10
	// lastWords is kept free at the end for what is said when the limit is met.
	lastWords = 512
	// flushAfter is how long an event waits for others, so that a packet does
	// not cost a write to the file.
	flushAfter = 20 * time.Millisecond
	// writeSize is how many bytes are collected before they are written.
	writeSize = 64 << 10
)

// Trace is one file of a Dir. It has one goroutine, which writes.
type Trace struct {
	dir   *Dir
	start transport.TraceStart
	began time.Time
	wake  chan struct{} // one slot: the queue is not empty any more, or half full, or closed
	done  chan struct{} // closed when the file is

	owner *session.Session // if its carrier does not end the trace; else nil
	left  sync.Once        // its end was told

	mu      sync.Mutex // a leaf
	queue   []event
	bytes   int    // of the data in queue
	dropped uint64 // since the queue was last taken
	closed  bool   // nothing is queued any more

	// Of the goroutine.
	file    io.WriteCloser
	written int64
	buf     []byte
	text    bytes.Buffer
}

var _ transport.Trace = (*Trace)(nil)

// event waits to be written: with data, or what encode makes of it.
type event struct {
	at     time.Time
	name   string
	data   []byte
	encode func(w io.Writer, at time.Time) error
}

func newTrace(d *Dir, start transport.TraceStart) *Trace {
	return &Trace{dir: d, start: start, began: time.Now(), wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// Event implements transport.Trace.
func (t *Trace) Event(name string, encode func(w io.Writer, at time.Time) error) {
	t.add(event{name: name, encode: encode})
}

// Close implements transport.Trace. It does not wait for the file.
func (t *Trace) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.signal()
}

// session returns what is told of a session. What the events hold belongs to
// the session, so they are formatted at once.
func (t *Trace) session(draft model.Draft) session.TraceFunc {
	out := func(name string, data fields) { t.add(event{name: name, data: data.append(nil)}) }
	return func(e session.TraceEvent) {
		if !t.over() {
			events(draft, e, out)
		}
	}
}

func (t *Trace) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

func (t *Trace) add(e event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return
	case len(t.queue) >= MaxQueued || t.bytes+len(e.data) > MaxQueuedBytes:
		t.dropped++
		return
	}
	e.at = time.Now()
	t.queue = append(t.queue, e)
	t.bytes += len(e.data)
	if len(t.queue) == 1 || len(t.queue) == MaxQueued/2 {
		t.signal()
	}
}

func (t *Trace) signal() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// take exchanges the queue for an empty one.
func (t *Trace) take(empty []event) (queue []event, dropped uint64, closed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	queue, dropped, closed = t.queue, t.dropped, t.closed
	t.queue, t.bytes, t.dropped = empty, 0, 0
	return queue, dropped, closed
}

// run writes the file until the trace is closed, the file has reached its limit,
// or it cannot be written.
func (t *Trace) run() {
	defer close(t.done)
	err := t.open()
	var queue []event
	for closed := false; err == nil && !closed; {
		<-t.wake
		if !t.over() {
			select {
			case <-time.After(flushAfter):
			case <-t.wake:
			}
		}
		var dropped uint64
		queue, dropped, closed = t.take(queue[:0])
		err = t.write(queue, dropped)
		clear(queue)
	}
	t.Close()
	t.take(nil) // what is left will not be written
	if t.file != nil {
		if closed := t.file.Close(); err == nil {
			err = closed
		}
	}
	t.dir.ended(t, err)
}

// errLimit says that a file has reached its limit, which is as it should be.
var errLimit = errors.New("the trace has reached its limit")

// write writes events, and how many were dropped after them.
func (t *Trace) write(queue []event, dropped uint64) error {
	for i := range queue {
		from := len(t.buf)
		if !t.append(&queue[i]) {
			dropped++
			t.buf = t.buf[:from]
			continue
		}
		if t.written+int64(len(t.buf)) > t.dir.cfg.MaxBytes-lastWords {
			t.buf = t.buf[:from]
			t.warn(fields{
				{"message", "the trace ends here: it has reached its limit of " + strconv.FormatInt(t.dir.cfg.MaxBytes, 10) + " bytes"},
				{"limit", uint64(t.dir.cfg.MaxBytes)},
			})
			if err := t.flush(); err != nil {
				return err
			}
			return errLimit
		}
		if len(t.buf) >= writeSize {
			if err := t.flush(); err != nil {
				return err
			}
		}
	}
	if dropped > 0 {
		t.warn(fields{
			{"message", strconv.FormatUint(dropped, 10) + " events are missing here: they came faster than they could be written"},
			{"dropped", dropped},
		})
	}
	return t.flush()
}

// append appends a record to buf, and says whether the event could be formatted.
func (t *Trace) append(e *event) bool {
	t.buf = append(t.buf, recordSeparator)
	t.buf = append(t.buf, `{"time":`...)
	t.buf = strconv.AppendFloat(t.buf, float64(e.at.Sub(t.began).Nanoseconds())/1e6, 'f', -1, 64)
	t.buf = append(t.buf, `,"name":`...)
	t.buf = append(appendString(t.buf, e.name), `,"data":`...)
	if e.encode == nil {
		t.buf = append(t.buf, e.data...)
	} else {
		t.text.Reset()
		if err := e.encode(&t.text, e.at); err != nil {
			return false
		}
		t.buf = append(t.buf, bytes.TrimSpace(t.text.Bytes())...)
	}
	t.buf = append(t.buf, '}', '\n')
	return true
}

// warn appends an event about the trace itself.
func (t *Trace) warn(data fields) {
	t.append(&event{at: time.Now(), name: "loglevel:warning", data: data.append(nil)})
}

func (t *Trace) flush() error {
	if len(t.buf) == 0 {
		return nil
	}
	n, err := t.file.Write(t.buf)
	t.written += int64(n)
	t.buf = t.buf[:0]
	return err
}

// open creates the file and writes its header, which is that of quic-go: qvis
// wants qlog_format and qlog_version too, which qlog itself gave up.
func (t *Trace) open() (err error) {
	name := t.dir.path(t.start)
	// A file that is there is of another connection, whose peer chose the same ID.
	if t.file, err = t.dir.create(name); err != nil {
		t.file = nil
		return err
	}
	side := Server
	if t.start.Client {
		side = Client
	}
	t.buf = appendRecord(t.buf, fields{
		{"file_schema", "urn:ietf:params:qlog:file:sequential"},
		{"serialization_format", "application/qlog+json-seq"},
		{"title", t.dir.cfg.Title},
		{"code_version", t.dir.cfg.Version},
		{"trace", fields{
			{"event_schemas", append(append([]string(nil), t.start.Schemas...), schemaMoQT, schemaLogLevel)},
			{"vantage_point", fields{{"type", string(side)}}},
			{"common_fields", fields{
				{"group_id", t.start.ID},
				{"reference_time", fields{
					{"clock_type", "monotonic"},
					{"epoch", "unknown"},
					{"wall_clock_time", t.began.Format(time.RFC3339Nano)},
				}},
			}},
		}},
		{"qlog_format", "JSON-SEQ"},
		{"qlog_version", "0.3"},
	})
	return t.flush()
}

// createFile creates a file that is not there yet. It is for its owner only: QUIC's
// events have tokens by which strangers could end the connection.
func createFile(name string) (io.WriteCloser, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return f, nil
}
