package qmuxtr_test

import (
	"crypto/tls"
	"net"
	"syscall"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport/qmuxtr"
)

// TCP holds no more than Unsent that it has not sent.
func TestUnsent(t *testing.T) {
	ln := testkit.Must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	defer ln.Close()
	nc := testkit.Must((&net.Dialer{}).DialContext(t.Context(), "tcp", ln.Addr().String()))(t)
	defer nc.Close()
	qmuxtr.Tune(tls.Client(nc, insecure()))
	raw := testkit.Must(nc.(*net.TCPConn).SyscallConn())(t)
	var got int
	var err error
	testkit.NoErr(t, raw.Control(func(fd uintptr) {
		got, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, 25)
	}))
	testkit.NoErr(t, err)
	testkit.Equal(t, got, qmuxtr.Unsent)
	qmuxtr.Tune(nil) // what is no TCP socket is left alone
}
