package quictr

import (
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/pkg/transport"
)

// What a connection has unless Options says otherwise.
const (
	// HandshakeTimeout ends a handshake whose peer stays silent.
	HandshakeTimeout = 5 * time.Second
	// IdleTimeout is how long a silent peer is believed to be alive. A
	// publisher that was killed holds its tracks that long.
	IdleTimeout = 15 * time.Second
	// KeepAlive keeps a session without objects alive, and its place in NATs:
	// three are lost before IdleTimeout strikes.
	KeepAlive = 5 * time.Second

	// MaxStreams and MaxUniStreams are how many streams the peer may have open
	// at a time. Draft 18 takes a bidirectional stream per request and a
	// unidirectional one per subgroup, so quic-go's 100 is little for a relay.
	MaxStreams    = 1024
	MaxUniStreams = 4096

	// The receive windows start small, since an idle session should cost
	// little and a hostile one may fill them, and grow with what is read. The
	// largest carry 100 Mbit/s over 300 ms.
	//
	// All streams share the connection's window. Who reads streams one after
	// the other can wait for the rest of one forever, while the others fill
	// the window: read every accepted stream, or cancel it.
	StreamWindow    = 256 << 10
	MaxStreamWindow = 4 << 20
	ConnWindow      = 512 << 10
	MaxConnWindow   = 8 << 20
)

// Options of a connection. The zero value means the constants above.
type Options struct {
	HandshakeTimeout time.Duration
	IdleTimeout      time.Duration
	KeepAlive        time.Duration // negative: none

	MaxStreams    int // negative: none
	MaxUniStreams int // negative: none

	StreamWindow int // bytes; also the largest, if above MaxStreamWindow
	ConnWindow   int // bytes; also the largest, if above MaxConnWindow

	// Via is the QUIC endpoint to dial from, so that a relay can use one UDP
	// port for both directions. It outlives the connection. Nil: a socket of
	// its own, closed with the connection.
	Via *quic.Transport

	// Trace is asked for a trace of each connection, for events of QUIC and, over
	// WebTransport, of HTTP/3. Nil: none is traced.
	Trace transport.Tracer
}

// QUIC returns the configuration for quic-go: with datagrams and reliable
// stream resets, without 0-RTT (a replayed request could start work at a
// relay).
func (o Options) QUIC() *quic.Config {
	stream, conn := uint64(or(o.StreamWindow, StreamWindow)), uint64(or(o.ConnWindow, ConnWindow))
	c := &quic.Config{
		HandshakeIdleTimeout:             or(o.HandshakeTimeout, HandshakeTimeout),
		MaxIdleTimeout:                   or(o.IdleTimeout, IdleTimeout),
		KeepAlivePeriod:                  max(0, or(o.KeepAlive, KeepAlive)),
		MaxIncomingStreams:               int64(or(o.MaxStreams, MaxStreams)),
		MaxIncomingUniStreams:            int64(or(o.MaxUniStreams, MaxUniStreams)),
		InitialStreamReceiveWindow:       stream,
		MaxStreamReceiveWindow:           max(stream, MaxStreamWindow),
		InitialConnectionReceiveWindow:   conn,
		MaxConnectionReceiveWindow:       max(conn, MaxConnWindow),
		EnableDatagrams:                  true,
		EnableStreamResetPartialDelivery: true,
		Tracer:                           tracer(o.Trace),
	}
	return c
}

// or returns v, or def if v is zero.
func or[N int | time.Duration](v, def N) N {
	if v == 0 {
		return def
	}
	return v
}
