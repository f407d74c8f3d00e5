package streamer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Stdin is the name of standard input.
const Stdin = "-"

// glance is how often a read that waits looks whether it is to end: not every
// system wakes the readers of a fifo when its last writer goes.
const glance = 250 * time.Millisecond

// knock is how often a fifo without a writer is looked at.
const knock = 20 * time.Millisecond

// ErrNotRepeatable says that an input cannot be read again from the start.
var ErrNotRepeatable = errors.New("only a file can be read again from the start")

// Input is where media comes from: a file, a fifo or standard input. A read that
// waits ends with the context of Open.
type Input struct {
	// Name is what people call it.
	Name string
	// Live says that it has a pace of its own, as fifos and pipes have.
	Live bool

	ctx    context.Context
	log    *slog.Logger
	reader io.Reader
	file   *os.File // nil: another kind of reader
	undo   func()   // what Close does besides closing
	fifo   bool     // its writer may not be there yet
	begun  bool     // something was read
	waits  bool     // a read may wait, and heeds deadlines
	size   int64    // of a file
	read   atomic.Int64
}

// Open opens the file or fifo of that name, or stdin for Stdin. It does not wait
// for the writer of a fifo, reading does; log is told that it does.
func Open(ctx context.Context, name string, stdin io.Reader, log *slog.Logger) (*Input, error) {
	in := &Input{Name: name, ctx: ctx, log: log, undo: func() {}}
	var err error
	if name == Stdin {
		in.Name, in.Live = "standard input", true
		err = in.openStdin(stdin)
	} else {
		err = in.openFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened: %w", in.Name, bare(err))
	}
	wake := func() {
		if in.waits {
			_ = in.file.SetReadDeadline(time.Now()) // without it the next glance comes
		}
	}
	if c, ok := in.reader.(io.Closer); ok && in.file == nil {
		wake = func() { _ = c.Close() }
	}
	stop := context.AfterFunc(ctx, wake)
	undo := in.undo
	in.undo = func() { stop(); undo() }
	return in, nil
}

// bare leaves out the path, which is named anyway.
func bare(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

func (in *Input) openFile(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	flags := os.O_RDONLY
	switch {
	case info.IsDir():
		return syscall.EISDIR
	case info.Mode()&fs.ModeNamedPipe != 0:
		// To open it would wait for its writer, and nothing could end that.
		flags |= syscall.O_NONBLOCK
		in.Live, in.waits = true, true
		in.fifo = !inherited(name)
	case info.Mode().IsRegular():
		in.size = info.Size()
	default:
		in.Live = true
	}
	in.file, err = os.OpenFile(name, flags, 0)
	in.reader = in.file
	return err
}

// inherited reports whether a name is of a file that was open when the program
// began, as /dev/stdin and what a shell makes of <(command). Such a pipe has had
// its writer.
func inherited(name string) bool {
	return strings.HasPrefix(name, "/dev/") || strings.HasPrefix(name, "/proc/")
}

func (in *Input) openStdin(stdin io.Reader) error {
	in.reader = stdin
	f, ok := stdin.(*os.File)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	in.file = f
	switch {
	case info.Mode().IsRegular():
		in.size = info.Size()
	case info.Mode()&fs.ModeCharDevice != 0:
		if null, err := os.Stat(os.DevNull); err != nil || !os.SameFile(info, null) {
			return errors.New("it is a terminal, and media is expected")
		}
	default:
		in.file, in.undo, in.waits = interruptible(f)
		in.reader = in.file
	}
	return nil
}

// Read reads, waiting for the writer of a fifo and for data. It fails with the
// cause of Open's context when that ends.
func (in *Input) Read(p []byte) (int, error) {
	for {
		if in.waits {
			_ = in.file.SetReadDeadline(time.Now().Add(glance)) // Open has seen to it that this works
		}
		if in.ctx.Err() != nil {
			return 0, context.Cause(in.ctx)
		}
		n, err := in.reader.Read(p)
		in.read.Add(int64(n))
		switch {
		case n > 0:
			in.begun = true
			return n, nil // an error comes again
		case in.ctx.Err() != nil:
			return 0, context.Cause(in.ctx)
		case errors.Is(err, os.ErrDeadlineExceeded):
			continue
		case err == io.EOF && in.fifo && !in.begun:
			if err := in.await(); err != nil {
				return 0, err
			}
			continue
		case err != nil && err != io.EOF:
			return 0, fmt.Errorf("%s cannot be read: %w", in.Name, bare(err))
		}
		return 0, err
	}
}

// await waits a moment for the writer of a fifo.
func (in *Input) await() error {
	if in.log != nil {
		in.log.Info("waiting for who writes into " + in.Name)
		in.log = nil // that is said once
	}
	select {
	case <-time.After(knock):
		return nil
	case <-in.ctx.Done():
		return context.Cause(in.ctx)
	}
}

// Rewind goes back to the start of a file; others fail with ErrNotRepeatable.
func (in *Input) Rewind() error {
	if in.Live || in.file == nil {
		return ErrNotRepeatable
	}
	_, err := in.file.Seek(0, io.SeekStart)
	in.read.Store(0)
	return err
}

// Progress returns how much of a file was read, from 0 to 1; ok is false for
// what has no known end.
func (in *Input) Progress() (part float64, ok bool) {
	if in.size == 0 {
		return 0, false
	}
	return min(1, float64(in.read.Load())/float64(in.size)), true
}

// Close closes a file or fifo; standard input is left open.
func (in *Input) Close() error {
	in.undo()
	if in.file == nil || in.Name == "standard input" {
		return nil
	}
	return in.file.Close()
}
