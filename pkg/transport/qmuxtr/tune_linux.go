package qmuxtr

import (
	"net"
	"syscall"
)

// Unsent is how many bytes may wait in the kernel before TCP can send them.
// What waits there has lost its priority; without a limit it can be megabytes.
const Unsent = 128 << 10

// notSentLowat is TCP_NOTSENT_LOWAT, which package syscall does not know on
// all architectures.
const notSentLowat = 25

// tune sets what QMux wants of a TCP socket. It works without, only worse.
func tune(nc net.Conn) {
	if outer, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = outer.NetConn()
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	//nolint:errcheck // an old kernel has no such option
	raw.Control(func(fd uintptr) {
		//nolint:errcheck // the same
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, notSentLowat, Unsent)
	})
}
