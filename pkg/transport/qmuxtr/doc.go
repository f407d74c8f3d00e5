// Package qmuxtr carries MoQT on QMux: the streams and datagrams of QUIC over
// TCP and TLS (draft-ietf-quic-qmux-01 and -02), for networks that let no UDP
// through. It dials, and it listens on a TCP port of its own.
//
// It knows no MoQT message. The names of the application protocols are those
// of the caller; ALPN says how they stand in the TLS handshake, because the
// draft of QMux is negotiated with them. Path and authority travel in MoQT's
// SETUP, as on raw QUIC. QMux on WebSocket is another binding and not here, and
// neither is draft 00, which has no records (docs/adr/0010-qmux.md).
//
// All streams and datagrams share one ordered byte stream: a lost TCP segment
// holds up all of them, and a datagram that was handed to TCP cannot be lost.
// So little is handed over ahead of time. A record of at most 16 KiB is built
// when TCP takes it: first what steers the connection and its streams, then
// datagrams, then stream data by SetPriority.
//
// A peer that breaks a rule is told the code and ends with a *TransportError;
// everything else is in the terms of package transport.
//
// Goroutines: one that reads and one that writes per connection, which end
// with it, CloseTimeout and Linger later at the latest. A Listener has one that
// accepts and one per handshake; Close waits for those.
//
// Locks: one per connection, never held while waiting for the network or for
// anybody else, so that a peer that does not read stops nobody but its own
// writers; one per Listener, for the set of open connections, under which
// nothing else is locked.
//
//	l, err := qmuxtr.Listen(":4433", qmuxtr.Config{
//		TLS:       &tls.Config{GetCertificate: source.GetCertificate},
//		Protocols: []string{"moqt-18"},
//	})
//	...
//	conn, err := qmuxtr.Dial(ctx, "localhost:4433", &tls.Config{}, []string{"moqt-18"}, qmuxtr.Options{})
//	if err != nil {
//		return err
//	}
//	defer conn.CloseWithError(0, "")
package qmuxtr
