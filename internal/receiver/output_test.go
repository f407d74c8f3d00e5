package receiver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
)

// sample is a picture, or audio, of a number of bytes.
func sample(f *media.Format, n int, key bool, size int) *media.Sample {
	at := time.Duration(n) * pictureStep
	return &media.Sample{Format: f, DTS: at, PTS: at, Key: key, Data: append(picture(n, key), make([]byte, size)...)}
}

// gate is a writer that writes when it is let.
type gate struct {
	bytes.Buffer
	let chan struct{}
	err error
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.let
	if g.err != nil {
		return 0, g.err
	}
	return g.Buffer.Write(p)
}

func openSink(t *testing.T, path string, out io.Writer) *Sink {
	t.Helper()
	return testkit.Must(OpenSink(path, out))(t)
}

// TestOutputIsBounded: what cannot be written in time is dropped, and the rest can be
// decoded.
func TestOutputIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name         string
		size, length int // of each picture, and how many fit
	}{
		{"by number", 0, MaxQueued},
		{"by size", 1 << 20, MaxQueuedBytes>>20 - 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gate{let: make(chan struct{})}
				o := NewOutput(openSink(t, "-", g), true, true, func(err error) { t.Errorf("stopped: %v", err) })
				o.Add(sample(small, 0, true, 0))
				synctest.Wait() // the writer has it, and waits
				for i := range tt.length {
					o.Add(sample(small, i+1, false, tt.size))
				}
				o.Add(sample(small, tt.length+1, false, tt.size))
				testkit.Equal(t, o.dropped, uint64(1))
				close(g.let)
				synctest.Wait()
				o.Add(sample(small, tt.length+2, false, 0)) // after the loss
				o.Add(sample(small, tt.length+3, true, 0))
				o.Add(sample(small, tt.length+4, false, 0))
				testkit.NoErr(t, o.Close())
				slow, refused := o.Dropped()
				if slow != 2 || refused != 0 {
					t.Errorf("%d dropped, %d refused", slow, refused)
				}
				o.Add(sample(small, tt.length+5, false, 0)) // nobody takes it
			})
		})
	}
}

// TestOutputRefuses what FLV cannot have, with what depends on it.
func TestOutputRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		o := NewOutput(openSink(t, "-", &out), true, false, func(err error) { t.Errorf("stopped: %v", err) })
		for i, s := range []*media.Sample{
			sample(small, 0, true, 0), sample(small, 1, false, 0), sample(large, 2, false, 0), sample(small, 3, false, 0),
			sample(large, 4, true, 0), sample(stereo, 5, true, 0), sample(large, 6, false, 0),
		} {
			s.Data = append(s.Data, byte(i))
			o.Add(s)
		}
		testkit.NoErr(t, o.Close())
		_, refused := o.Dropped()
		testkit.Equal(t, refused, uint64(3))
	})
}

// TestOutputEnds when its reader goes away, or nothing more can be written, or is.
func TestOutputEnds(t *testing.T) {
	full := errors.New("no space left on device")
	for _, tt := range []struct {
		name      string
		err, want error
	}{
		{"reader gone", syscall.EPIPE, ErrReaderGone},
		{"pipe closed", io.ErrClosedPipe, ErrReaderGone},
		{"full", full, full},
		{"not read", nil, errNotRead},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gate{let: make(chan struct{}), err: tt.err}
				ctx, stop := context.WithCancelCause(t.Context())
				o := NewOutput(openSink(t, "-", g), true, true, stop)
				o.Add(sample(small, 0, true, 0))
				if tt.err != nil {
					close(g.let)
					<-ctx.Done()
					testkit.ErrIs(t, context.Cause(ctx), tt.want)
					o.Add(sample(small, 1, false, 0))
				}
				testkit.ErrIs(t, o.Close(), tt.want)
				if tt.err == nil {
					close(g.let)
				}
			})
		})
	}
}

// TestFile: what was there stays until there is something to write.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.flv")
	testkit.NoErr(t, os.WriteFile(path, bytes.Repeat([]byte("x"), 1<<16), 0o600))
	k := openSink(t, path, nil)
	o := NewOutput(k, true, true, func(err error) { t.Errorf("stopped: %v", err) })
	testkit.NoErr(t, o.Close())
	testkit.NoErr(t, k.Close())
	testkit.Equal(t, len(testkit.Must(os.ReadFile(path))(t)), 1<<16)

	k = openSink(t, path, nil)
	o = NewOutput(k, true, false, func(err error) { t.Errorf("stopped: %v", err) })
	o.Add(sample(small, 0, true, 0))
	o.Add(sample(small, 25, false, 0))
	testkit.NoErr(t, o.Close())
	testkit.NoErr(t, k.Close())
	f := testkit.Must(os.Open(path))(t)
	defer f.Close()
	testkit.Equal(t, read(t, f).video, "V0@0s+1 v25@1s+1")
	if b := testkit.Must(os.ReadFile(path))(t); int64(len(b)) >= k.Written() || bytes.Contains(b, []byte("xx")) {
		t.Errorf("%d bytes are there, %d were written", len(b), k.Written())
	}
}

// TestNoSpace ends the program with a sentence.
func TestNoSpace(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skipf("no %s here", full)
	}
	k := openSink(t, full, nil)
	ctx, stop := context.WithCancelCause(t.Context())
	o := NewOutput(k, true, false, stop)
	o.Add(sample(small, 0, true, 0))
	<-ctx.Done()
	testkit.ErrIs(t, o.Close(), syscall.ENOSPC)
	testkit.NoErr(t, k.Close())
}
