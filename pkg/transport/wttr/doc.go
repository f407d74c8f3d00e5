// Package wttr carries MoQT on WebTransport over HTTP/3: it serves and dials
// sessions as a transport.Conn.
//
// It knows no MoQT message. It does not listen, package listen does, and it
// keeps to one session per QUIC connection, which ends with the session. Why a
// part of it is webtransport-go and a part is its own: docs/adr/0008.
//
// The two sides differ in how a session begins and in who reads its CONNECT
// stream; server.go and client.go hold that. All the rest, conn.go and
// stream.go, is the same for both: streams are opened on the *quic.Conn, so that
// priorities, reliable boundaries and credit are those of raw QUIC.
//
// Codes of streams and sessions have 32 bits here; larger ones are clamped.
//
// Goroutines, per session: one reads the CONNECT stream, one takes datagrams,
// two take streams, and one per stream lives until its header has arrived. All
// end with the QUIC connection.
//
// Locks: conn.mu guards the set of open streams, queue.mu the streams that wait
// for Accept, sendStream.mu the header of one stream; the last may be held when
// the first is taken.
//
//	conn, err := wttr.Dial(ctx, "https://localhost:4433/moq", &tls.Config{}, []string{"moqt-18"}, quictr.Options{})
//	if err != nil {
//		return err
//	}
//	defer conn.CloseWithError(0, "")
package wttr
