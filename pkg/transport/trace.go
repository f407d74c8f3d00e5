package transport

import (
	"io"
	"time"
)

// Trace is where what happens on one connection is written down: by its carrier,
// and by those who use it, so that one file tells of packets and of messages. Its
// methods may be called from any goroutine and never wait for the file.
type Trace interface {
	// Event adds an event that happens now. encode writes its data, one JSON
	// value; it is called later by one goroutine, or never if there is no room.
	// at is when the event happened.
	Event(name string, encode func(w io.Writer, at time.Time) error)
	// Close says that the connection has ended. Later events are ignored.
	Close()
}

// TraceStart describes a connection that begins, as far as that is known before
// its handshake.
type TraceStart struct {
	Client bool // whether it is of the side that dialed
	// ID is the same on both sides: the connection ID, in hexadecimal digits, to
	// which the client sent its first packet.
	ID string
	// Schemas are the qlog schemas of the events of the carrier.
	Schemas []string
}

// Tracer is told of each connection that begins. Nil: it is not traced.
type Tracer func(TraceStart) Trace

// Traced is implemented by connections whose carrier writes a trace. Others may
// add their events to it, and leave closing it to the carrier.
type Traced interface {
	// Trace returns nil if the connection is not traced.
	Trace() Trace
}
