package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// socketPrefix and socketSuffix are around the number of a relay's port.
const (
	socketPrefix = "relay-"
	socketSuffix = ".sock"
)

// SocketDir is where the sockets of this user's relays are:
// $XDG_RUNTIME_DIR/oxymoq, or a directory of the user's among the temporary files.
func SocketDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "oxymoq")
	}
	return filepath.Join(os.TempDir(), "oxymoq-"+strconv.Itoa(os.Getuid()))
}

// SocketPath is where a relay has its socket, by the number of the port that it
// serves. The directory is made, for this user alone, if it is not there.
func SocketPath(port string) (string, error) {
	dir := SocketDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	// Among the temporary files anybody could have made it before us.
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 || !ours(info) {
		return "", fmt.Errorf("%s is not a directory of this user alone", dir)
	}
	return filepath.Join(dir, socketPrefix+port+socketSuffix), nil
}

// Sockets are those of this user's relays that are there, by number. Some may be of
// relays that were killed.
func Sockets() []string {
	paths, _ := filepath.Glob(filepath.Join(SocketDir(), socketPrefix+"*"+socketSuffix)) // the pattern is a valid one
	number := func(path string) int {
		n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), socketPrefix), socketSuffix))
		return n
	}
	slices.SortFunc(paths, func(a, b string) int { return number(a) - number(b) })
	return paths
}

// socketPatience is how long it may take to see whether a socket is in use.
const socketPatience = time.Second

// ListenSocket opens a socket in the file system that only this user may open, in
// the place of one that nobody answers at any more.
func ListenSocket(path string) (net.Listener, error) {
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%s is there already and is no socket", path)
	case answered(path):
		return nil, fmt.Errorf("another program answers at %s", path)
	}
	// It gets its mode where nobody else can see it, and then its place.
	hidden, err := os.MkdirTemp(filepath.Dir(path), ".new")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(hidden)
	first := filepath.Join(hidden, "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: first, Net: "unix"})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false) // it knows its first place only
	if err = os.Chmod(first, 0o600); err == nil {
		err = os.Rename(first, path)
	}
	if err != nil {
		ln.Close()
		return nil, err
	}
	info, err := os.Lstat(path)
	if err != nil {
		ln.Close()
		return nil, err
	}
	return &socket{Listener: ln, path: path, info: info}, nil
}

// answered reports whether a program listens at the path.
func answered(path string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), socketPatience) //nolint:forbidigo // it is local and short
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err == nil {
		conn.Close()
	}
	return !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, fs.ErrNotExist)
}

// socket removes its file when it is closed, unless it is another's by then.
type socket struct {
	net.Listener
	path string
	info fs.FileInfo
	once sync.Once
}

// Addr is where the socket can be found.
func (s *socket) Addr() net.Addr { return &net.UnixAddr{Name: s.path, Net: "unix"} }

func (s *socket) Close() error {
	err := s.Listener.Close()
	s.once.Do(func() {
		if now, statErr := os.Lstat(s.path); statErr == nil && os.SameFile(now, s.info) {
			_ = os.Remove(s.path) // the next program takes its place anyway
		}
	})
	return err
}
