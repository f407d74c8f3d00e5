package door_test

import (
	"net"
	"testing"

	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/testkit"
)

// TestBindTakesThePortToo, as moq-relay's flag does (row B5 of docs/seeds.md).
func TestBindTakesThePortToo(t *testing.T) {
	home(t)
	for _, args := range [][]string{
		{"--bind", "127.0.0.1:0", "--http", "off"},
		{"--bind=127.0.0.1", "--port", "0", "--http=off"},
		{"--bind", "127.0.0.1:0", "--port=0", "--http", "off"},
	} {
		l, said, code := opened(t, new(door.Port), args...)
		if code != cli.ExitDone {
			t.Fatalf("%q ends with code %d: %s", args, code, said)
		}
		addr := l.Addr().(*net.UDPAddr)
		if !addr.IP.IsLoopback() || addr.Port == 0 {
			t.Errorf("%q serves at %v", args, addr)
		}
		testkit.NoErr(t, connect(t, l, door.URL(l, "/")))
	}
}
