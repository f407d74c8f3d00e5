// Package quictr carries MoQT on raw QUIC: it turns a *quic.Conn of quic-go
// into a transport.Conn, and dials one.
//
// It knows no MoQT message and picks no protocol: the TLS configuration holds
// the list of application protocols. It does not listen, package listen does,
// and it does not speak WebTransport.
//
// What quic-go calls its errors stays in here. A caller sees *StreamError,
// *CloseError, ErrIdle and the other errors of package transport; only the
// failures that have no name there (a protocol error of the QUIC layer, a
// socket error) pass through as they are.
//
// Goroutines: none per connection until the first SendDatagram, which starts
// one that ends with the connection. quic-go has one of its own per
// connection, and each socket that Dial opens has three, closed with the
// connection.
//
// Locks: none; quic-go locks for itself.
//
//	conn, err := quictr.Dial(ctx, "localhost:4433", &tls.Config{NextProtos: []string{"moqt-18"}}, quictr.Options{})
//	if err != nil {
//		return err
//	}
//	defer conn.CloseWithError(0, "")
package quictr
