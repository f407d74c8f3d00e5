package door

import (
	"errors"
	"fmt"
	"os"

	"oxymoq/internal/cli"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
)

// Events is a file for what sessions say.
type Events struct{ path string }

// Declare adds the flag.
func (e *Events) Declare(p *cli.Program) {
	p.Flags.StringVar(&e.path, "mlog_path", "", "`file` for what is said on all sessions, as qlog in JSON-SEQ; what was there is lost")
}

// Trace begins the file, if one is wanted, and has sessions with cfg write to it.
// The caller defers end with the address of its result, which tells if the file
// is not complete.
func (e *Events) Trace(cfg *session.Config, v mlog.VantagePoint, title string) (end func(result *error), err error) {
	if e.path == "" {
		return func(*error) {}, nil
	}
	log, err := mlog.Create(e.path, v, title)
	if err != nil {
		if at, ok := errors.AsType[*os.PathError](err); ok {
			err = at.Err // the path is named anyway
		}
		return nil, fmt.Errorf("-mlog_path: %s cannot be written: %w", e.path, err)
	}
	cfg.Trace = log.Session
	return func(result *error) {
		err := log.Close()
		_, stopped := errors.AsType[*cli.SignalError](*result)
		if err != nil && (*result == nil || stopped) {
			*result = fmt.Errorf("%s is not complete: %w", e.path, err)
		}
	}, nil
}
