package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// Sink is where FLV goes.
type Sink struct {
	name    string
	file    *os.File  // nil before Wait for a fifo, and where there is none
	out     io.Writer // of what is no file of ours
	fifo    string    // its path, until somebody reads it
	regular bool      // a file that can be written again
	made    bool      // by us
	begun   bool
	written atomic.Int64
}

// OpenSink opens a file, or finds a fifo, at path; "-" is out, and the empty path
// is nowhere. What is in a file stays until Begin. Errors are sentences for the
// user.
func OpenSink(path string, out io.Writer) (*Sink, error) {
	switch path {
	case "":
		return &Sink{name: "nothing", out: io.Discard}, nil
	case "-":
		return &Sink{name: "standard output", out: out}, nil
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.Mode()&fs.ModeNamedPipe != 0:
		return &Sink{name: path, fifo: path}, nil
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("cannot write %s: it is a directory", path)
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cannot write %s: there is no directory %s", path, filepath.Dir(path))
		}
	}
	made := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, cannotWrite(path, err)
	}
	return &Sink{name: path, file: f, regular: made || info.Mode().IsRegular(), made: made}, nil
}

func cannotWrite(name string, err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err // the path is named anyway
	}
	return fmt.Errorf("cannot write %s: %w", name, err)
}

// Name is how the sink is called towards the user.
func (k *Sink) Name() string { return k.name }

// fifoPause is how often a fifo is asked whether somebody reads it.
const fifoPause = 20 * time.Millisecond

// Wait waits for the reader of a fifo, and says so.
func (k *Sink) Wait(ctx context.Context, log *slog.Logger) error {
	if k.fifo == "" {
		return nil
	}
	for told := false; ; told = true {
		f, err := os.OpenFile(k.fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			k.file, k.fifo = f, ""
			log.Info("there is a reader", "of", k.name)
			return nil
		}
		if !errors.Is(err, syscall.ENXIO) {
			return cannotWrite(k.name, err)
		}
		if !told {
			log.Info("waiting for a reader", "of", k.name)
		}
		if !wait(ctx, nil, fifoPause) {
			return context.Cause(ctx)
		}
	}
}

// Begin returns where to write, after it has emptied a file, and whether that can
// be written again.
func (k *Sink) Begin() (out io.Writer, seekable bool, err error) {
	k.begun = true
	if k.regular {
		if err := k.file.Truncate(0); err != nil {
			return nil, false, err
		}
	}
	return k, k.regular, nil
}

// Write writes to where FLV goes.
func (k *Sink) Write(b []byte) (n int, err error) {
	if k.file != nil {
		n, err = k.file.Write(b)
	} else {
		n, err = k.out.Write(b)
	}
	k.written.Add(int64(n))
	return n, err
}

// Seek goes to a place in a file.
func (k *Sink) Seek(offset int64, whence int) (int64, error) {
	if !k.regular {
		return 0, errors.ErrUnsupported
	}
	return k.file.Seek(offset, whence)
}

// Written returns how many bytes were written.
func (k *Sink) Written() int64 { return k.written.Load() }

// Interrupt ends a Write that waits for its reader, if that is possible.
func (k *Sink) Interrupt() bool {
	return k.file != nil && k.file.SetWriteDeadline(time.Unix(1, 0)) == nil
}

// Close closes what was opened. A file that was made for nothing goes away.
func (k *Sink) Close() error {
	if k.file == nil {
		return nil
	}
	err := k.file.Close()
	if k.made && !k.begun {
		err = errors.Join(err, os.Remove(k.name))
	}
	return err
}

// readerGone reports whether writing failed because nobody reads.
func readerGone(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}
