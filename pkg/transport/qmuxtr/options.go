package qmuxtr

import "time"

// What a connection has unless Options says otherwise. They are those of raw
// QUIC, so that a program need not care which one carries it.
const (
	// HandshakeTimeout ends a TLS and QMux handshake whose peer stays silent.
	HandshakeTimeout = 5 * time.Second
	// IdleTimeout is how long a silent peer is believed to be alive.
	IdleTimeout = 15 * time.Second
	// KeepAlive is how long a peer may be silent before it is pinged.
	KeepAlive = 5 * time.Second

	// MaxStreams and MaxUniStreams are how many streams the peer may have open
	// at a time.
	MaxStreams    = 1024
	MaxUniStreams = 4096

	// The receive windows start small and grow when their reader waits for
	// more, never above the largest. All streams share the connection's.
	StreamWindow    = 256 << 10
	MaxStreamWindow = 4 << 20
	ConnWindow      = 512 << 10
	MaxConnWindow   = 8 << 20
)

// Limits that Options does not change.
const (
	// DefaultRecord is the largest record that every peer takes, and the
	// largest that is sent: with its length it fills one TLS record.
	DefaultRecord = 16382
	// MaxRecord is the largest record that is received. It is far above
	// DefaultRecord because moxygen writes records of 64 KiB and more whatever
	// its peer declares.
	MaxRecord = 256 << 10

	// StreamBuffer is how many bytes of a stream Write takes without waiting
	// for the network, and ConnBuffer how many of all streams together. A
	// Write that finds no room waits until its bytes are in a record.
	StreamBuffer = 32 << 10
	ConnBuffer   = 256 << 10

	// SendDatagrams are the datagrams that wait to be sent, ReceiveDatagrams
	// and ReceiveDatagramBytes those that wait for ReceiveDatagram. More are
	// dropped.
	SendDatagrams        = 32
	ReceiveDatagrams     = 128
	ReceiveDatagramBytes = 256 << 10

	// MaxReason is the most bytes of a close reason that are sent.
	MaxReason = 512
	// CloseTimeout is how long closing waits for a peer that does not read.
	CloseTimeout = time.Second
	// Linger is how long a closed connection waits for the peer to close its
	// direction, so that a TCP reset does not overtake the reason.
	Linger = 2 * time.Second
	// Silence is how many idle timeouts a peer may leave pings unanswered
	// while data still goes out to it.
	Silence = 4
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
}

// filled returns o with the defaults in place of zeros.
func (o Options) filled() Options {
	return Options{
		HandshakeTimeout: or(o.HandshakeTimeout, HandshakeTimeout),
		IdleTimeout:      or(o.IdleTimeout, IdleTimeout),
		KeepAlive:        max(0, or(o.KeepAlive, KeepAlive)),
		MaxStreams:       max(0, or(o.MaxStreams, MaxStreams)),
		MaxUniStreams:    max(0, or(o.MaxUniStreams, MaxUniStreams)),
		StreamWindow:     or(o.StreamWindow, StreamWindow),
		ConnWindow:       or(o.ConnWindow, ConnWindow),
	}
}

// or returns v, or def if v is zero.
func or[N int | time.Duration](v, def N) N {
	if v == 0 {
		return def
	}
	return v
}

// params are what o tells the peer.
func (o Options) params(d dialect) params {
	return params{
		idle:       uint64(o.IdleTimeout / time.Millisecond),
		data:       uint64(o.ConnWindow),
		bidiLocal:  uint64(o.StreamWindow),
		bidiRemote: uint64(o.StreamWindow),
		uni:        uint64(o.StreamWindow),
		streams:    [2]uint64{bidi: uint64(o.MaxStreams), uni: uint64(o.MaxUniStreams)},
		datagram:   DefaultRecord,
		record:     MaxRecord,
		resetAt:    d.resetAt,
	}
}
