//go:build !linux

package qmuxtr

import "net"

// tune sets what QMux wants of a TCP socket: nothing where the kernel cannot
// limit what it has not sent yet.
func tune(net.Conn) {}
