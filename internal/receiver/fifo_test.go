//go:build unix

package receiver

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"oxymoq/internal/testkit"
)

var quietLog = slog.New(slog.DiscardHandler)

// TestFifo waits for its reader, and sees it go.
func TestFifo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo.flv")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skipf("no fifos here: %v", err)
	}
	k := openSink(t, path, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	said, saying := io.Pipe()
	log := slog.New(slog.NewTextHandler(saying, nil))
	waited := make(chan error, 1)
	go func() { waited <- k.Wait(ctx, log) }()
	line := testkit.Must(bufio.NewReader(said).ReadString('\n'))(t)
	if !strings.Contains(line, "waiting for a reader") {
		t.Errorf("it says %s", line)
	}
	cancel(errStopped)
	testkit.ErrIs(t, <-waited, errStopped)
	testkit.NoErr(t, k.Close())

	k = openSink(t, path, nil)
	go func() { waited <- k.Wait(t.Context(), quietLog) }()
	r := testkit.Must(os.OpenFile(path, os.O_RDONLY, 0))(t)
	testkit.NoErr(t, <-waited)
	ctx, stop := context.WithCancelCause(t.Context())
	o := NewOutput(k, true, true, stop)
	o.Add(sample(small, 0, true, 0))
	head := make([]byte, 3)
	testkit.Must(io.ReadFull(r, head))(t)
	testkit.Equal(t, string(head), "FLV")
	testkit.NoErr(t, r.Close())
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := 1; ctx.Err() == nil; i++ { // until the writer hears of it
		o.Add(sample(small, i, false, 0))
		<-tick.C
	}
	testkit.ErrIs(t, context.Cause(ctx), ErrReaderGone)
	testkit.ErrIs(t, o.Close(), ErrReaderGone)
	testkit.NoErr(t, k.Close())
}

// TestFifoIsNotRead: the end does not wait for a reader that reads nothing.
func TestFifoIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo.flv")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skipf("no fifos here: %v", err)
	}
	k := openSink(t, path, nil)
	waited := make(chan error, 1)
	go func() { waited <- k.Wait(t.Context(), quietLog) }()
	r := testkit.Must(os.OpenFile(path, os.O_RDONLY, 0))(t)
	defer r.Close()
	testkit.NoErr(t, <-waited)
	o := NewOutput(k, true, true, func(error) {})
	o.Add(sample(small, 0, true, 1<<20)) // more than a pipe holds
	testkit.ErrIs(t, o.Close(), errNotRead)
	testkit.NoErr(t, k.Close())
}
