// Package listen serves several application protocols on one UDP port.
//
// TLS chooses among the protocols (ALPN) by the order of the server: those of
// raw QUIC, then "h3" for WebTransport. Accept returns connections of both.
//
// An address without a host, ":4433", serves IPv6 and IPv4 alike. A handshake
// that hangs delays nobody: it goes on in a goroutine of quic-go, and Accept
// sees the connection when it is done. There is no 0-RTT: a replayed request
// could start work at a relay.
//
// Goroutines: one that accepts, one per HTTP/3 connection, and those of
// quic-go. All have ended when Close returns.
//
// Locks: one, for the set of open connections; nothing else is locked under
// it.
//
//	l, err := listen.Listen(":4433", listen.Config{
//		TLS:          &tls.Config{GetCertificate: source.GetCertificate},
//		Protocols:    []string{"moqt-18", "moqt-16"},
//		WebTransport: &wttr.Server{Protocols: []string{"moqt-18", "moqt-16"}},
//	})
//	...
//	for {
//		conn, err := l.Accept(ctx)
//		if err != nil {
//			return err
//		}
//		go serve(conn)
//	}
package listen
