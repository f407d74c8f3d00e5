package admin

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"oxymoq/internal/testkit"
)

func TestSocketDir(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/1000")
	testkit.Equal(t, SocketDir(), filepath.FromSlash("/run/user/1000/oxymoq"))
	for _, none := range []string{"", "relative"} {
		t.Setenv("XDG_RUNTIME_DIR", none)
		testkit.Equal(t, SocketDir(), filepath.Join(os.TempDir(), "oxymoq-"+strconv.Itoa(os.Getuid())))
	}
}

func TestSocketsAreFoundByNumber(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	testkit.Equal(t, len(Sockets()), 0)
	var want []string
	for _, port := range []string{"443", "4433", "10000"} {
		path, err := SocketPath(port)
		testkit.NoErr(t, err)
		want = append(want, path)
		ln, err := ListenSocket(path)
		testkit.NoErr(t, err)
		defer ln.Close()
	}
	testkit.Equal(t, Sockets(), want)
}

// TestADirectoryOfOthers: nobody can have made the directory for us.
func TestADirectoryOfOthers(t *testing.T) {
	for name, make := range map[string]func(string) error{
		"others may write": func(dir string) error {
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			return os.Chmod(dir, 0o770)
		},
		"a link": func(dir string) error { return os.Symlink(os.TempDir(), dir) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
			testkit.NoErr(t, make(SocketDir()))
			_, err := SocketPath("4433")
			if err == nil || !strings.Contains(err.Error(), "is not a directory of this user alone") {
				t.Fatalf("error %v", err)
			}
		})
	}
}

func TestSocketForThisUserAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.sock")
	ln, err := ListenSocket(path)
	testkit.NoErr(t, err)
	info := testkit.Must(os.Lstat(path))(t)
	testkit.Equal(t, info.Mode(), os.ModeSocket|0o600)
	testkit.Equal(t, ln.Addr().String(), path)
	testkit.Equal(t, len(testkit.Must(os.ReadDir(filepath.Dir(path)))(t)), 1)
	testkit.NoErr(t, ln.Close())
	_, err = os.Lstat(path)
	testkit.ErrIs(t, err, os.ErrNotExist)
	if err := ln.Close(); err == nil {
		t.Error("a socket was closed twice")
	}
}

func TestAPlaceThatIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.sock")
	first, err := ListenSocket(path)
	testkit.NoErr(t, err)
	defer first.Close()
	if _, err := ListenSocket(path); err == nil || !strings.Contains(err.Error(), "another program answers at") {
		t.Fatalf("error %v", err)
	}

	file := filepath.Join(t.TempDir(), "file")
	testkit.NoErr(t, os.WriteFile(file, []byte("mine"), 0o600))
	if _, err := ListenSocket(file); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Fatalf("error %v", err)
	}
	testkit.Equal(t, string(testkit.Must(os.ReadFile(file))(t)), "mine")

	_, err = ListenSocket(filepath.Join(t.TempDir(), "nowhere", "relay.sock"))
	testkit.ErrIs(t, err, os.ErrNotExist)
}

// TestASocketOfAKilledRelay: its place is taken, and it does not take away ours when it is closed late.
func TestASocketOfAKilledRelay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	testkit.NoErr(t, err)
	dead.SetUnlinkOnClose(false)
	dead.Close()
	second, err := ListenSocket(path)
	testkit.NoErr(t, err)
	defer second.Close()

	testkit.NoErr(t, os.Remove(path))
	third, err := ListenSocket(path)
	testkit.NoErr(t, err)
	second.Close()
	conn, err := new(net.Dialer).DialContext(t.Context(), "unix", path)
	testkit.NoErr(t, err)
	conn.Close()
	testkit.NoErr(t, third.Close())
}
