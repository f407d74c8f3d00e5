package qmuxtr

import "oxymoq/pkg/varint"

// Frame types (RFC 9000, section 19; RFC 9221; draft-ietf-quic-qmux, section 5;
// draft-ietf-quic-reliable-stream-reset). A frame that comes in several types
// has here the lowest one.
const (
	framePadding            = 0x00
	frameResetStream        = 0x04
	frameStopSending        = 0x05
	frameStream             = 0x08 // to 0x0f
	frameMaxData            = 0x10
	frameMaxStreamData      = 0x11
	frameMaxStreamsBidi     = 0x12
	frameMaxStreamsUni      = 0x13
	frameDataBlocked        = 0x14
	frameStreamDataBlocked  = 0x15
	frameStreamsBlockedBidi = 0x16
	frameStreamsBlockedUni  = 0x17
	frameTransportClose     = 0x1c
	frameClose              = 0x1d
	frameResetStreamAt      = 0x24
	frameDatagram           = 0x30 // and 0x31
	framePing               = 0x348c67529ef8c7bd
	framePong               = 0x348c67529ef8c7be
	frameParams             = 0x3f5153300d0a0d0a
)

// Bits of the types of STREAM and DATAGRAM.
const (
	bitFin            = 0x01
	bitLength         = 0x02
	bitOffset         = 0x04
	bitDatagramLength = 0x01
)

const (
	// maxStreamCount is the largest number of streams that there are IDs for.
	maxStreamCount = 1 << 60
	// streamHeader is the most bytes in front of the data of a STREAM frame
	// that fits DefaultRecord.
	streamHeader = 1 + 8 + 8 + 2
	// datagramHeader is the same for DATAGRAM.
	datagramHeader = 1 + 2
	// controlSize is the most bytes of any other frame that is sent, except
	// the first and the last of a connection.
	controlSize = 1 + 4*8
)

// frame is any frame. Which fields have a meaning is up to its type.
type frame struct {
	typ       uint64 // the lowest of its kind
	id        uint64 // stream
	code      uint64 // of an error
	n         uint64 // limit, offset, final size, sequence number, or the type of a frame at fault
	reliable  uint64 // RESET_STREAM_AT: how much of the stream still counts
	hasOffset bool   // STREAM
	fin       bool   // STREAM
	data      []byte // stream data, datagram, reason or parameters; aliases the input
}

// parseFrame reads one frame. What it returns as data ends with the frame's
// length, or with the record if the frame has none.
func parseFrame(r *varint.Reader) (frame, *TransportError) {
	wireType := r.Uint()
	f := frame{typ: wireType}
	switch wireType {
	case framePadding:
	case frameResetStream, frameResetStreamAt:
		f.id, f.code, f.n = r.Uint(), r.Uint(), r.Uint()
		if wireType == frameResetStreamAt {
			if f.reliable = r.Uint(); f.reliable > f.n {
				return f, violation(FrameEncodingError, wireType, "the reliable size %d is above the final size %d", f.reliable, f.n)
			}
		}
	case frameStopSending:
		f.id, f.code = r.Uint(), r.Uint()
	case frameMaxData, frameDataBlocked, framePing, framePong:
		f.n = r.Uint()
	case frameMaxStreamData, frameStreamDataBlocked:
		f.id, f.n = r.Uint(), r.Uint()
	case frameMaxStreamsBidi, frameMaxStreamsUni, frameStreamsBlockedBidi, frameStreamsBlockedUni:
		if f.n = r.Uint(); f.n > maxStreamCount {
			return f, violation(FrameEncodingError, wireType, "%d streams are more than there are IDs", f.n)
		}
	case frameTransportClose:
		f.code, f.n = r.Uint(), r.Uint()
		f.data = r.Bytes(r.Uint())
	case frameClose:
		f.code = r.Uint()
		f.data = r.Bytes(r.Uint())
	case frameDatagram:
		f.data = r.Rest()
	case frameDatagram | bitDatagramLength:
		f.typ = frameDatagram
		f.data = r.Bytes(r.Uint())
	case frameParams:
		f.data = r.Bytes(r.Uint())
	default:
		if wireType&^7 != frameStream {
			return f, violation(FrameEncodingError, wireType, "frame type 0x%x is unknown or prohibited", wireType)
		}
		f.typ = frameStream
		f.fin = wireType&bitFin != 0
		f.hasOffset = wireType&bitOffset != 0
		f.id = r.Uint()
		if f.hasOffset {
			f.n = r.Uint()
		}
		if wireType&bitLength != 0 {
			f.data = r.Bytes(r.Uint())
		} else {
			f.data = r.Rest()
		}
		if f.n+uint64(len(f.data)) > varint.MaxQUIC {
			return f, violation(FrameEncodingError, wireType, "stream data beyond the largest offset")
		}
	}
	if r.Err() != nil {
		return f, violation(FrameEncodingError, wireType, "the record ends inside a frame")
	}
	return f, nil
}

// append appends the frame, with a length where one is optional.
func (f *frame) append(b []byte) []byte {
	put := func(vs ...uint64) {
		for _, v := range vs {
			b = varint.QUIC.Append(b, v)
		}
	}
	withData := func() {
		put(uint64(len(f.data)))
		b = append(b, f.data...)
	}
	switch f.typ {
	case framePadding:
		put(f.typ)
	case frameResetStream:
		put(f.typ, f.id, f.code, f.n)
	case frameResetStreamAt:
		put(f.typ, f.id, f.code, f.n, f.reliable)
	case frameStopSending:
		put(f.typ, f.id, f.code)
	case frameStream:
		b = appendStreamHeader(b, f.id, f.n, len(f.data), f.hasOffset, f.fin)
		b = append(b, f.data...)
	case frameMaxStreamData, frameStreamDataBlocked:
		put(f.typ, f.id, f.n)
	case frameTransportClose:
		put(f.typ, f.code, f.n)
		withData()
	case frameClose:
		put(f.typ, f.code)
		withData()
	case frameDatagram:
		put(f.typ | bitDatagramLength)
		withData()
	case frameParams:
		put(f.typ)
		withData()
	default: // one number
		put(f.typ, f.n)
	}
	return b
}

// appendStreamHeader appends what stands before size bytes of stream data.
func appendStreamHeader(b []byte, id, offset uint64, size int, hasOffset, fin bool) []byte {
	typ := byte(frameStream | bitLength)
	if hasOffset {
		typ |= bitOffset
	}
	if fin {
		typ |= bitFin
	}
	b = varint.QUIC.Append(append(b, typ), id)
	if hasOffset {
		b = varint.QUIC.Append(b, offset)
	}
	return varint.QUIC.Append(b, uint64(size))
}
