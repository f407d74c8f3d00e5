//go:build unix

package streamer

import (
	"context"
	"errors"
	"fmt"
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

// fifo makes one.
func fifo(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fifo.flv")
	testkit.NoErr(t, syscall.Mkfifo(name, 0o600))
	return name
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	testkit.NoErr(t, err)
	return r, w
}

// all reads an input in a goroutine.
func all(in io.Reader) <-chan string {
	got := make(chan string, 1)
	go func() {
		b, err := io.ReadAll(in)
		if err != nil {
			got <- string(b) + "!" + err.Error()
			return
		}
		got <- string(b)
	}()
	return got
}

// receive waits for a result as long as it takes.
func receive(t *testing.T, got <-chan string) string {
	t.Helper()
	select {
	case s := <-got:
		return s
	case <-time.After(30 * time.Second):
		t.Fatal("reading does not end")
		return ""
	}
}

func TestFileInput(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.flv")
	testkit.NoErr(t, os.WriteFile(name, []byte("0123456789"), 0o600))
	in := testkit.Must(Open(t.Context(), name, nil, nil))(t)
	defer in.Close()
	if in.Live {
		t.Error("a file is live")
	}
	for range 2 {
		b := make([]byte, 5)
		testkit.Must(io.ReadFull(in, b))(t)
		if part, ok := in.Progress(); part != 0.5 || !ok {
			t.Errorf("progress %v, %v", part, ok)
		}
		if rest := testkit.Must(io.ReadAll(in))(t); string(b)+string(rest) != "0123456789" {
			t.Errorf("%q and %q", b, rest)
		}
		testkit.NoErr(t, in.Rewind())
	}
}

func TestInputsThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "none.flv"), "cannot be opened: no such file or directory"},
		{"a directory", dir, "cannot be opened: is a directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(t.Context(), tt.path, nil, nil)
			if err == nil || err.Error() != tt.path+" "+tt.want {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// A fifo waits for its writer, and its end is that of the last writer.
func TestFifoInput(t *testing.T) {
	name := fifo(t)
	var said strings.Builder
	in := testkit.Must(Open(t.Context(), name, nil, slog.New(slog.NewTextHandler(&said, nil))))(t)
	defer in.Close()
	if !in.Live {
		t.Error("a fifo is not live")
	}
	testkit.ErrIs(t, in.Rewind(), ErrNotRepeatable)
	if _, ok := in.Progress(); ok {
		t.Error("a fifo has a known end")
	}
	got := all(in)
	for i := range 2 { // a writer that writes nothing does not count
		w := testkit.Must(os.OpenFile(name, os.O_WRONLY, 0))(t)
		if i == 1 {
			testkit.Must(w.WriteString("hello"))(t)
		}
		testkit.NoErr(t, w.Close())
	}
	testkit.Equal(t, receive(t, got), "hello")
	if n := strings.Count(said.String(), "waiting for who writes into"); n > 1 {
		t.Errorf("it says %d times that it waits", n)
	}
}

// A pipe that was there when the program began ends when its writer goes, also
// without a word.
func TestInheritedPipe(t *testing.T) {
	r, w := pipe(t)
	defer r.Close()
	in := testkit.Must(Open(t.Context(), fmt.Sprintf("/dev/fd/%d", r.Fd()), nil, nil))(t)
	defer in.Close()
	got := all(in)
	testkit.NoErr(t, w.Close())
	testkit.Equal(t, receive(t, got), "")
}

// A signal ends reading wherever it waits.
func TestInputsEndWithTheirContext(t *testing.T) {
	name := fifo(t)
	r, w := pipe(t)
	defer w.Close()
	defer r.Close()
	virtual, source := io.Pipe()
	defer source.Close()
	for _, tt := range []struct {
		name, path string
		stdin      io.Reader
		write      io.Writer // nil: there is no writer
	}{
		{"a fifo without a writer", name, nil, nil},
		{"a fifo whose writer waits", name, nil, nil},
		{"standard input", Stdin, r, w},
		{"standard input that is not of the system", Stdin, virtual, source},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			in := testkit.Must(Open(ctx, tt.path, tt.stdin, nil))(t)
			defer in.Close()
			if strings.Contains(tt.name, "whose") {
				f := testkit.Must(os.OpenFile(name, os.O_WRONLY, 0))(t)
				defer f.Close()
				tt.write = f
			}
			got := all(in)
			if tt.write != nil {
				testkit.Must(tt.write.Write([]byte("so far")))(t)
				for in.read.Load() == 0 {
					select {
					case s := <-got:
						t.Fatalf("it ended with %q", s)
					case <-time.After(time.Millisecond):
					}
				}
			}
			cancel(errEnough)
			if s := receive(t, got); !strings.HasSuffix(s, "!enough") {
				t.Errorf("%q", s)
			}
			if _, err := in.Read(make([]byte, 1)); !errors.Is(err, errEnough) {
				t.Errorf("reading on: %v", err)
			}
		})
	}
}

// The end of a pipe is seen, and the pipe is as it was afterwards.
func TestStdin(t *testing.T) {
	r, w := pipe(t)
	defer r.Close()
	in := testkit.Must(Open(t.Context(), Stdin, r, nil))(t)
	if !in.Live || in.Name != "standard input" {
		t.Errorf("%q, live %v", in.Name, in.Live)
	}
	got := all(in)
	testkit.Must(w.WriteString("hello"))(t)
	testkit.NoErr(t, w.Close())
	testkit.Equal(t, receive(t, got), "hello")
	testkit.NoErr(t, in.Close())
	raw := testkit.Must(r.SyscallConn())(t)
	testkit.NoErr(t, raw.Control(func(fd uintptr) {
		if flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0); flags&syscall.O_NONBLOCK != 0 {
			t.Error("the pipe does not block any more")
		}
	}))
	if _, err := r.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("standard input was closed: %v", err)
	}
}

func TestStdinOfOtherKinds(t *testing.T) {
	null := testkit.Must(os.Open(os.DevNull))(t)
	defer null.Close()
	name := filepath.Join(t.TempDir(), "x.flv")
	testkit.NoErr(t, os.WriteFile(name, []byte("a file"), 0o600))
	file := testkit.Must(os.Open(name))(t)
	defer file.Close()
	for _, tt := range []struct {
		name  string
		stdin io.Reader
		want  string
	}{
		{"nothing", null, ""},
		{"a file", file, "a file"},
		{"a reader", strings.NewReader("a reader"), "a reader"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := testkit.Must(Open(t.Context(), Stdin, tt.stdin, nil))(t)
			defer in.Close()
			testkit.Equal(t, receive(t, all(in)), tt.want)
			if !in.Live {
				t.Error("standard input is not live")
			}
			testkit.ErrIs(t, in.Rewind(), ErrNotRepeatable)
		})
	}
}
