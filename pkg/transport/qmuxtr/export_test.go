package qmuxtr

import (
	"io"

	"oxymoq/pkg/transport"
	"oxymoq/pkg/varint"
)

// Frame is a frame as tests write it; the fields are those of frame.
type Frame struct {
	Type, ID, Code, N, Reliable uint64
	HasOffset, Fin              bool
	Data                        string
}

func (f Frame) inner() frame {
	return frame{typ: f.Type, id: f.ID, code: f.Code, n: f.N, reliable: f.Reliable, hasOffset: f.HasOffset, fin: f.Fin, data: []byte(f.Data)}
}

// Append appends the frame.
func (f Frame) Append(b []byte) []byte {
	inner := f.inner()
	return inner.append(b)
}

// ParseFrames reads all frames of a record.
func ParseFrames(record []byte) ([]Frame, error) {
	var all []Frame
	for r := varint.NewReader(varint.QUIC, record); r.Len() > 0; {
		f, err := parseFrame(r)
		if err != nil {
			return all, err
		}
		all = append(all, Frame{f.typ, f.id, f.code, f.n, f.reliable, f.hasOffset, f.fin, string(f.data)})
	}
	return all, nil
}

// Record returns frames as one record, for sizes that ours never have too.
func Record(frames ...Frame) []byte {
	var b []byte
	for _, f := range frames {
		b = f.Append(b)
	}
	return append(varint.QUIC.Append(nil, uint64(len(b))), b...)
}

// Seal returns frames as one record, as they are sent.
func Seal(frames ...Frame) []byte {
	b := make([]byte, recordHeader, recordHeader+DefaultRecord)
	for _, f := range frames {
		b = f.Append(b)
	}
	return seal(b)
}

// Records reads records until the end of r.
type Records struct{ r *recordReader }

// NewRecords returns a reader of r.
func NewRecords(r io.Reader) Records { return Records{newRecordReader(r)} }

// Next returns the frames of the next record.
func (r Records) Next() ([]byte, error) { return r.r.next() }

// Cap is the memory that the reader holds for records.
func (r Records) Cap() int { return cap(r.r.buf) }

// Params are transport parameters as tests write them.
type Params struct {
	Idle, Data, BidiLocal, BidiRemote, Uni uint64
	StreamsBidi, StreamsUni                uint64
	Datagram, Record                       uint64
	ResetAt                                bool
}

// Append appends the parameters.
func (p Params) Append(b []byte) []byte {
	return params{
		idle: p.Idle, data: p.Data, bidiLocal: p.BidiLocal, bidiRemote: p.BidiRemote, uni: p.Uni,
		streams: [2]uint64{p.StreamsBidi, p.StreamsUni}, datagram: p.Datagram, record: p.Record, resetAt: p.ResetAt,
	}.append(b)
}

// ParseParams reads parameters.
func ParseParams(b []byte) (Params, error) {
	p, err := parseParams(b)
	if err != nil {
		return Params{}, err
	}
	return Params{
		p.idle, p.data, p.bidiLocal, p.bidiRemote, p.uni, p.streams[bidi], p.streams[uni], p.datagram, p.record, p.resetAt,
	}, nil
}

// The frame types.
const (
	Padding            = framePadding
	ResetStream        = frameResetStream
	StopSending        = frameStopSending
	Stream             = frameStream
	MaxData            = frameMaxData
	MaxStreamData      = frameMaxStreamData
	MaxStreamsBidi     = frameMaxStreamsBidi
	MaxStreamsUni      = frameMaxStreamsUni
	DataBlocked        = frameDataBlocked
	StreamDataBlocked  = frameStreamDataBlocked
	StreamsBlockedBidi = frameStreamsBlockedBidi
	StreamsBlockedUni  = frameStreamsBlockedUni
	TransportClose     = frameTransportClose
	AppClose           = frameClose
	ResetStreamAt      = frameResetStreamAt
	Datagram           = frameDatagram
	Ping               = framePing
	Pong               = framePong
	TransportParams    = frameParams
)

// Tune sets the options of a TCP socket.
var Tune = tune

// Starved is how many streams wait for MAX_DATA.
func Starved(c transport.Conn) int {
	inner := c.(*conn)
	inner.mu.Lock()
	defer inner.mu.Unlock()
	return len(inner.starved)
}
