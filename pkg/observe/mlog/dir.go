package mlog

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// MaxOpen is how many traces of a Dir are open at a time; each has a file.
// Connections beyond that are not traced.
const MaxOpen = 1024

// DirConfig says what a Dir is to have.
type DirConfig struct {
	Path string // of the directory; it is made if it is not there
	// Sample is how many connections there are for each that is traced; 0 is 1.
	// The ID of a connection decides, so that both its sides agree.
	Sample int
	// MaxBytes is what a file may have, at least MinBytes.
	MaxBytes int64
	Title    string // of the files: the program
	Version  string // of the program
	// Log is told of files that cannot be written; nil discards.
	Log *slog.Logger
}

// Dir is a directory with a trace for each connection: what its carrier tells, if
// that writes traces, and what is said on its session. Its methods may be called
// from any goroutine.
type Dir struct {
	cfg    DirConfig
	create func(name string) (io.WriteCloser, error)

	mu     sync.Mutex // a leaf
	closed bool
	open   map[*Trace]struct{}
	failed int   // traces that are not complete
	err    error // why the first of them is not
	beyond int   // connections that were not traced because of MaxOpen
}

// OpenDir makes the directory and sees whether files can be made there.
func OpenDir(cfg DirConfig) (*Dir, error) {
	if err := os.MkdirAll(cfg.Path, 0o755); err != nil {
		return nil, err
	}
	try, err := os.CreateTemp(cfg.Path, ".writable-*")
	if err != nil {
		return nil, err
	}
	_ = try.Close() // it is empty
	if err := os.Remove(try.Name()); err != nil {
		return nil, err
	}
	if cfg.MaxBytes < MinBytes {
		return nil, fmt.Errorf("a trace of %d bytes is too short to say anything; the least is %d", cfg.MaxBytes, MinBytes)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Dir{cfg: cfg, create: createFile, open: map[*Trace]struct{}{}}, nil
}

// Connection is a transport.Tracer.
func (d *Dir) Connection(start transport.TraceStart) transport.Trace {
	if t := d.begin(start); t != nil {
		return t
	}
	return nil
}

// begin begins a trace, or returns nil if the connection is not to be traced.
func (d *Dir) begin(start transport.TraceStart) *Trace { return d.beginOf(nil, start) }

// beginOf is begin for a session whose carrier writes no traces and so does not
// end this one; nil: it does.
func (d *Dir) beginOf(s *session.Session, start transport.TraceStart) *Trace {
	if !sampled(start.ID, d.cfg.Sample) {
		return nil
	}
	t, first := d.add(s, start)
	if first {
		d.cfg.Log.Warn("more connections than can be traced at a time; those beyond are not", "most", MaxOpen)
	}
	if t != nil {
		go t.run()
	}
	return t
}

// add adds a trace to the open ones, if there is room. firstBeyond says that
// there is none for the first time.
func (d *Dir) add(s *session.Session, start transport.TraceStart) (_ *Trace, firstBeyond bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, false
	}
	if len(d.open) >= MaxOpen {
		d.beyond++
		return nil, d.beyond == 1
	}
	t := newTrace(d, start)
	t.owner = s
	d.open[t] = struct{}{}
	return t, false
}

// sampled says whether a connection is one of those that are traced.
func sampled(id string, one int) bool {
	if one <= 1 {
		return true
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // it never fails
	return h.Sum64()%uint64(one) == 0
}

// Session is for session.Config.Trace. A session whose carrier writes traces is
// in the one of its connection; another has a trace of its own.
func (d *Dir) Session(s *session.Session) session.TraceFunc {
	var t *Trace
	if c, ok := s.Conn().(transport.Traced); ok {
		t, _ = c.Trace().(*Trace)
	} else {
		t = d.beginOf(s, transport.TraceStart{Client: s.Role() == session.Client, ID: groupID()})
		if t != nil {
			context.AfterFunc(s.Context(), t.leave)
		}
	}
	if t == nil {
		return nil
	}
	return t.session(s.Draft())
}

// leave ends a trace whose carrier does not. A Dir that is closed when its
// sessions have just ended may be earlier than what their ends have started.
func (t *Trace) leave() {
	t.left.Do(func() {
		t.connectionClosed(context.Cause(t.owner.Context()))
		t.Close()
	})
}

// connectionClosed says how a connection ended, in the words of quic-go.
func (t *Trace) connectionClosed(cause error) {
	f := fields{{"initiator", "local"}}
	if e, ok := errors.AsType[*transport.CloseError](cause); ok {
		if e.Remote {
			f = fields{{"initiator", "remote"}}
		}
		f = append(f, fields{{"application_error", "unknown"}, {"error_code", e.Code}, {"reason", e.Reason}}...)
	} else if errors.Is(cause, transport.ErrIdle) {
		f = append(f, field{"trigger", "idle_timeout"})
	} else if cause != nil {
		f = append(f, field{"reason", cause.Error()})
	}
	t.add(event{name: "transport:connection_closed", data: f.append(nil)})
}

// path returns the name of a file as quic-go has it: the connection's ID and our
// side of it.
func (d *Dir) path(start transport.TraceStart) string {
	side := Server
	if start.Client {
		side = Client
	}
	id := strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdef", r) {
			return r
		}
		return -1
	}, start.ID)
	return filepath.Join(d.cfg.Path, id+"_"+string(side)+".sqlog")
}

// ended is told by a trace that it has ended, and why if that is not as it should
// be.
func (d *Dir) ended(t *Trace, err error) {
	failed := err != nil && !errors.Is(err, errLimit)
	d.mu.Lock()
	delete(d.open, t)
	if failed {
		if d.failed++; d.failed == 1 {
			d.err = err
		}
	}
	first := d.failed == 1
	d.mu.Unlock()
	if failed && first {
		d.cfg.Log.Warn("a trace cannot be written", "because", err)
	}
}

// Close ends the traces that are still open and returns why some are not
// complete, if any are not. A Dir that is closed traces nothing.
func (d *Dir) Close() error {
	d.mu.Lock()
	d.closed = true
	rest := make([]*Trace, 0, len(d.open))
	for t := range d.open {
		rest = append(rest, t)
	}
	d.mu.Unlock()
	for _, t := range rest {
		if t.owner != nil && t.owner.Context().Err() != nil {
			t.leave()
		}
		t.Close()
	}
	for _, t := range rest {
		<-t.done
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed > 1 {
		return fmt.Errorf("%d traces, the first because: %w", d.failed, d.err)
	}
	return d.err
}
