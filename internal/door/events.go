package door

import (
	"errors"
	"fmt"
	"os"

	"oxymoq/internal/cli"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// DefaultTraceBytes is the most that a file of -qlog_dir has, unless told
// otherwise: some minutes of a video, with all packets.
const DefaultTraceBytes = 64 << 20

// Events are files for what sessions say, and for what happens to the packets.
type Events struct {
	flags  *cli.FlagSet
	path   string // of the one for all sessions
	dir    string // of those for each connection
	sample int
	bytes  int64
}

// Declare adds the flags.
func (e *Events) Declare(p *cli.Program) {
	e.flags = p.Flags
	p.Flags.StringVar(&e.path, "mlog_path", "", "`file` for what is said on all sessions, as qlog in JSON-SEQ; what was there is lost")
	p.Flags.StringVar(&e.dir, "qlog_dir", "", "`directory` for a qlog file for each connection, with the packets of QUIC and what is said on the session; moqtimeline shows them")
	p.Flags.IntVar(&e.sample, "qlog_sample", 1, "trace one in `N` connections; both sides choose the same ones")
	p.Flags.Int64Var(&e.bytes, "qlog_max_bytes", DefaultTraceBytes, "where a file of -qlog_dir ends, in `bytes`")
}

// Trace begins the files that are wanted, and has sessions with cfg, and the
// carriers that have these tracers, write to them. The caller defers end with the
// address of its result, which tells if a file is not complete.
func (e *Events) Trace(env *cli.Env, v mlog.VantagePoint, title string, cfg *session.Config, carriers ...*transport.Tracer) (end func(result *error), err error) {
	all, err := e.openAll(v, title)
	if err != nil {
		return nil, err
	}
	dir, err := e.openDir(env, title)
	if err != nil {
		if all != nil {
			_ = all.Close() // nothing is in it
		}
		return nil, err
	}
	switch {
	case all != nil && dir != nil:
		cfg.Trace = both(all.Session, dir.Session)
	case all != nil:
		cfg.Trace = all.Session
	case dir != nil:
		cfg.Trace = dir.Session
	}
	if dir != nil {
		for _, c := range carriers {
			*c = dir.Connection
		}
	}
	return func(result *error) {
		if all != nil {
			incomplete(result, e.path, all.Close())
		}
		if dir != nil {
			incomplete(result, "-qlog_dir "+e.dir, dir.Close())
		}
	}, nil
}

// incomplete makes it the result of the program that a file is not complete,
// unless the result is something worse.
func incomplete(result *error, what string, err error) {
	_, stopped := errors.AsType[*cli.SignalError](*result)
	if err != nil && (*result == nil || stopped) {
		*result = fmt.Errorf("%s is not complete: %w", what, err)
	}
}

func (e *Events) openAll(v mlog.VantagePoint, title string) (*mlog.Log, error) {
	if e.path == "" {
		return nil, nil
	}
	log, err := mlog.Create(e.path, v, title)
	if err != nil {
		return nil, fmt.Errorf("-mlog_path: %s cannot be written: %w", e.path, withoutPath(err))
	}
	return log, nil
}

func (e *Events) openDir(env *cli.Env, title string) (*mlog.Dir, error) {
	if e.dir == "" {
		for _, name := range []string{"qlog_sample", "qlog_max_bytes"} {
			if e.flags != nil && e.flags.IsSet(name) {
				return nil, cli.Usagef("-%s needs -qlog_dir", name)
			}
		}
		return nil, nil
	}
	switch {
	case e.sample < 1:
		return nil, cli.Usagef("-qlog_sample is %d; it must be at least 1", e.sample)
	case e.bytes < mlog.MinBytes:
		return nil, cli.Usagef("-qlog_max_bytes is %d; it must be at least %d", e.bytes, mlog.MinBytes)
	}
	dir, err := mlog.OpenDir(mlog.DirConfig{
		Path: e.dir, Sample: e.sample, MaxBytes: e.bytes, Title: title, Version: cli.Version(), Log: env.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("-qlog_dir: nothing can be written into %s: %w", e.dir, withoutPath(err))
	}
	return dir, nil
}

// withoutPath is for errors about a path that is named anyway.
func withoutPath(err error) error {
	if at, ok := errors.AsType[*os.PathError](err); ok {
		return at.Err
	}
	return err
}

// tracer is what session.Config.Trace is.
type tracer = func(*session.Session) session.TraceFunc

// both tells two of what sessions say.
func both(a, b tracer) tracer {
	return func(s *session.Session) session.TraceFunc {
		first, second := a(s), b(s)
		if second == nil {
			return first
		}
		return func(e session.TraceEvent) {
			first(e)
			second(e)
		}
	}
}
