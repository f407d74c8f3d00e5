package qmuxtr

import "oxymoq/pkg/varint"

// Transport parameters (RFC 9000, section 18.2; RFC 9221, section 3;
// draft-ietf-quic-qmux, section 6; draft-ietf-quic-reliable-stream-reset).
const (
	paramIdle        = 0x01
	paramData        = 0x04
	paramBidiLocal   = 0x05
	paramBidiRemote  = 0x06
	paramUni         = 0x07
	paramStreamsBidi = 0x08
	paramStreamsUni  = 0x09
	paramResetAt     = 0x1d
	paramDatagram    = 0x20
	paramRecord      = 0x0571c59429cd0845
)

// params are the transport parameters of one side.
type params struct {
	idle       uint64    // milliseconds, 0: none
	data       uint64    // MAX_DATA
	bidiLocal  uint64    // MAX_STREAM_DATA of bidirectional streams of the sender of these
	bidiRemote uint64    // and of those of its peer
	uni        uint64    // and of unidirectional ones
	streams    [2]uint64 // MAX_STREAMS, by kind
	datagram   uint64    // largest DATAGRAM frame, 0: none
	record     uint64    // largest record
	resetAt    bool      // RESET_STREAM_AT is understood
}

// numbers lists the parameters that are integers, in the order of their IDs.
func (p *params) numbers() []param {
	return []param{
		{paramIdle, &p.idle},
		{paramData, &p.data},
		{paramBidiLocal, &p.bidiLocal},
		{paramBidiRemote, &p.bidiRemote},
		{paramUni, &p.uni},
		{paramStreamsBidi, &p.streams[bidi]},
		{paramStreamsUni, &p.streams[uni]},
		{paramDatagram, &p.datagram},
		{paramRecord, &p.record},
	}
}

type param struct {
	id    uint64
	value *uint64
}

// append appends the parameters that differ from what their absence means.
func (p params) append(b []byte) []byte {
	if p.record == DefaultRecord {
		p.record = 0
	}
	for _, n := range p.numbers() {
		if *n.value == 0 {
			continue
		}
		b = varint.QUIC.Append(b, n.id)
		b = varint.QUIC.Append(b, uint64(varint.QUIC.Len(*n.value)))
		b = varint.QUIC.Append(b, *n.value)
	}
	if p.resetAt {
		b = varint.QUIC.Append(b, paramResetAt)
		b = varint.QUIC.Append(b, 0)
	}
	return b
}

// parseParams reads the parameters of a peer. Those that QMux does not know
// are skipped, those that it forbids are an error.
func parseParams(b []byte) (params, *TransportError) {
	p := params{record: DefaultRecord}
	wrong := func(format string, args ...any) (params, *TransportError) {
		return params{}, violation(TransportParameterError, frameParams, format, args...)
	}
	r := varint.NewReader(varint.QUIC, b)
	seen := make(map[uint64]bool)
	for r.Len() > 0 {
		id := r.Uint()
		v := r.Sub(r.Uint())
		switch {
		case r.Err() != nil:
			return wrong("the parameters are truncated")
		case forbiddenParam(id):
			return wrong("parameter 0x%x has no place in QMux", id)
		case seen[id]:
			return wrong("parameter 0x%x comes twice", id)
		}
		if id == paramResetAt {
			seen[id] = true
			p.resetAt = true
			if v.Len() > 0 {
				return wrong("parameter 0x%x has a value", id)
			}
		}
		for _, n := range p.numbers() {
			if n.id != id {
				continue
			}
			seen[id] = true
			*n.value = v.Uint()
			if v.Err() != nil || v.Len() > 0 {
				return wrong("parameter 0x%x is not an integer", id)
			}
		}
	}
	switch {
	case r.Err() != nil:
		return wrong("the parameters are truncated")
	case p.record < DefaultRecord:
		return wrong("max_record_size %d is below %d", p.record, DefaultRecord)
	case p.streams[bidi] > maxStreamCount || p.streams[uni] > maxStreamCount:
		return wrong("more streams than there are IDs")
	}
	return p, nil
}

// forbiddenParam says that an endpoint must not send the parameter: it has to
// do with packets, paths or connection IDs.
func forbiddenParam(id uint64) bool {
	switch id {
	case 0x00, 0x02, 0x03, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10:
		return true
	}
	return false
}
