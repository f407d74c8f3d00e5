package wire

import (
	"errors"

	"oxymoq/pkg/model"
)

var errParity = errors.New("parity is not the receiver's")

// Goaway asks the peer to leave (section 10.4).
type Goaway struct {
	NewSessionURI string
	Timeout       uint64            // ms; 0: unspecified; not sent up to draft 16
	RequestID     model.Opt[uint64] // draft 18, on the control stream: smallest request not processed
}

// Kind returns KindGoaway.
func (*Goaway) Kind() MessageKind { return KindGoaway }

// hasRequestID reports whether the field is on the wire.
func (*Goaway) hasRequestID(ctx Context, t *draftTable) bool {
	return t.goawayRequestID && ctx.Stream == ControlStream
}

func (m *Goaway) appendBody(e *encoder) {
	if m.NewSessionURI != "" && e.ctx.Receiver == Server {
		e.fail("only a server may name a New Session URI")
	}
	e.string("New Session URI", m.NewSessionURI, MaxURILen)
	if e.table.goawayTimeout {
		e.uint(m.Timeout)
	}
	if m.hasRequestID(e.ctx, e.table) {
		if !m.RequestID.Set {
			e.fail("Request ID is missing")
		}
		e.uint(m.RequestID.Value)
	}
}

func (m *Goaway) parseBody(d *decoder) {
	m.NewSessionURI = d.string("New Session URI", MaxURILen)
	if m.NewSessionURI != "" && d.ctx.Receiver == Server {
		d.fail("New Session URI", errNotPermitted)
	}
	if d.table.goawayTimeout {
		m.Timeout = d.uint("Timeout")
	}
	if m.hasRequestID(d.ctx, d.table) {
		m.RequestID = model.Some(d.uint("Request ID"))
		if m.RequestID.Value&1 != uint64(d.ctx.Receiver) { // a client's are even
			d.failCode("Request ID", model.InvalidRequestID, errParity)
		}
	}
}
