package qmuxtr_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/qmuxtr"
)

// peer is the other end of a connection, which says what a test wants.
type peer struct {
	t *testing.T
	*pipe
	in qmuxtr.Records
}

// generous is what a peer allows that is not to be in the way.
var generous = qmuxtr.Params{
	Data: 1 << 30, BidiLocal: 1 << 30, BidiRemote: 1 << 30, Uni: 1 << 30,
	StreamsBidi: 1 << 20, StreamsUni: 1 << 20, Datagram: qmuxtr.DefaultRecord, Record: qmuxtr.DefaultRecord, ResetAt: true,
}

// against starts a server whose client is a peer that has said p.
func against(t *testing.T, alpn string, o qmuxtr.Options, p qmuxtr.Params) (transport.Conn, *peer) {
	t.Helper()
	cp, sp := newPipe()
	pr := &peer{t, cp, qmuxtr.NewRecords(cp)}
	pr.say(qmuxtr.Frame{Type: qmuxtr.TransportParams, Data: string(p.Append(nil))})
	c := testkit.Must(qmuxtr.Server(t.Context(), sp, alpn, o))(t)
	hello := pr.hear()
	testkit.Equal(t, len(hello), 1)
	testkit.Equal(t, hello[0].Type, uint64(qmuxtr.TransportParams))
	t.Cleanup(func() {
		cp.Close()
		c.CloseWithError(0, "")
	})
	return c, pr
}

// say sends frames in one record.
func (p *peer) say(frames ...qmuxtr.Frame) {
	p.t.Helper()
	_, err := p.Write(qmuxtr.Record(frames...))
	testkit.NoErr(p.t, err)
}

// hear reads the frames of one record.
func (p *peer) hear() []qmuxtr.Frame {
	p.t.Helper()
	record := testkit.Must(p.in.Next())(p.t)
	if len(record) > qmuxtr.DefaultRecord {
		p.t.Fatalf("a record of %d bytes", len(record))
	}
	return testkit.Must(qmuxtr.ParseFrames(record))(p.t)
}

// hearType reads until a frame of a type comes.
func (p *peer) hearType(typ uint64) qmuxtr.Frame {
	p.t.Helper()
	for {
		for _, f := range p.hear() {
			if f.Type == typ {
				return f
			}
		}
	}
}

// bubble runs a test against a peer on virtual time.
func bubble(t *testing.T, name, alpn string, o qmuxtr.Options, p qmuxtr.Params, run func(t *testing.T, c transport.Conn, p *peer)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, pr := against(t, alpn, o, p)
			run(t, c, pr)
		})
	})
}

const (
	strictName  = "qmux-02." + protocol
	lenientName = protocol
)

// small are limits that a test can exceed with few bytes.
var small = qmuxtr.Options{MaxStreams: 2, MaxUniStreams: 2, StreamWindow: 1000, ConnWindow: 1500}

func data(id, offset uint64, n int) qmuxtr.Frame {
	return qmuxtr.Frame{Type: qmuxtr.Stream, ID: id, HasOffset: offset > 0, N: offset, Data: strings.Repeat("x", n)}
}

func TestPeersThatBreakRules(t *testing.T) {
	fin := data(2, 0, 1)
	fin.Fin = true
	for _, c := range []struct {
		name    string
		frames  []qmuxtr.Frame
		strict  qmuxtr.ErrorCode
		lenient qmuxtr.ErrorCode
	}{
		{"more than the stream's window", []qmuxtr.Frame{data(2, 0, 1001)}, qmuxtr.FlowControlError, qmuxtr.FlowControlError},
		{"more than the connection's window", []qmuxtr.Frame{data(2, 0, 1000), data(6, 0, 501)}, qmuxtr.FlowControlError, qmuxtr.FlowControlError},
		{"too many unidirectional streams", []qmuxtr.Frame{data(10, 0, 1)}, qmuxtr.StreamLimitError, qmuxtr.StreamLimitError},
		{"too many bidirectional streams", []qmuxtr.Frame{data(8, 0, 1)}, qmuxtr.StreamLimitError, qmuxtr.StreamLimitError},
		{"the largest stream ID", []qmuxtr.Frame{data(1<<62-4, 0, 1)}, qmuxtr.StreamLimitError, qmuxtr.StreamLimitError},
		{"a stream of ours that is not open", []qmuxtr.Frame{data(1, 0, 1)}, qmuxtr.StreamStateError, qmuxtr.StreamStateError},
		{"data on a stream that we send", []qmuxtr.Frame{data(3, 0, 1)}, qmuxtr.StreamStateError, qmuxtr.StreamStateError},
		{"reset of a stream that we send", []qmuxtr.Frame{{Type: qmuxtr.ResetStream, ID: 3}}, qmuxtr.StreamStateError, qmuxtr.StreamStateError},
		{"stopping a stream that we read", []qmuxtr.Frame{{Type: qmuxtr.StopSending, ID: 2}}, qmuxtr.StreamStateError, qmuxtr.StreamStateError},
		{"credit for a stream that we read", []qmuxtr.Frame{{Type: qmuxtr.MaxStreamData, ID: 2}}, qmuxtr.StreamStateError, qmuxtr.StreamStateError},
		{"a gap", []qmuxtr.Frame{data(2, 0, 1), data(2, 2, 1)}, qmuxtr.ProtocolViolation, qmuxtr.ProtocolViolation},
		{"data again", []qmuxtr.Frame{data(2, 0, 5), data(2, 2, 3)}, qmuxtr.ProtocolViolation, qmuxtr.ProtocolViolation},
		{"no offset", []qmuxtr.Frame{data(2, 0, 5), data(2, 0, 3)}, qmuxtr.ProtocolViolation, 0},
		{"data after FIN", []qmuxtr.Frame{fin, data(2, 1, 1)}, qmuxtr.FinalSizeError, qmuxtr.FinalSizeError},
		{"data after a reset", []qmuxtr.Frame{data(2, 0, 1), {Type: qmuxtr.ResetStream, ID: 2, N: 1}, data(2, 1, 1)}, qmuxtr.FinalSizeError, qmuxtr.FinalSizeError},
		{"a reset that takes data back", []qmuxtr.Frame{data(2, 0, 5), {Type: qmuxtr.ResetStream, ID: 2, N: 4}}, qmuxtr.FinalSizeError, 0},
		{"a reset beyond the window", []qmuxtr.Frame{{Type: qmuxtr.ResetStream, ID: 2, N: 1001}}, qmuxtr.FlowControlError, 0},
		{"RESET_STREAM_AT", []qmuxtr.Frame{{Type: qmuxtr.ResetStreamAt, ID: 2}}, 0, qmuxtr.FrameEncodingError},
		{"parameters again", []qmuxtr.Frame{{Type: qmuxtr.TransportParams}}, qmuxtr.ProtocolViolation, qmuxtr.TransportParameterError},
		{"an unknown frame", []qmuxtr.Frame{{Type: 0x99}}, qmuxtr.FrameEncodingError, qmuxtr.FrameEncodingError},
		{"pings that count down", []qmuxtr.Frame{{Type: qmuxtr.Ping, N: 2}, {Type: qmuxtr.Ping, N: 1}}, qmuxtr.ProtocolViolation, 0},
		{"an answer to no ping", []qmuxtr.Frame{{Type: qmuxtr.Pong, N: 1}}, qmuxtr.ProtocolViolation, 0},
		{"what changes nothing", []qmuxtr.Frame{
			{Type: qmuxtr.Padding}, {Type: qmuxtr.DataBlocked}, {Type: qmuxtr.StreamDataBlocked, ID: 2},
			{Type: qmuxtr.StreamsBlockedBidi}, {Type: qmuxtr.StreamsBlockedUni},
			{Type: qmuxtr.MaxData}, {Type: qmuxtr.MaxStreamsBidi}, {Type: qmuxtr.MaxStreamsUni},
			data(0, 0, 1), {Type: qmuxtr.MaxStreamData, ID: 0}, fin, {Type: qmuxtr.ResetStream, ID: 2, N: 1},
		}, 0, 0},
	} {
		for alpn, want := range map[string]qmuxtr.ErrorCode{strictName: c.strict, lenientName: c.lenient} {
			bubble(t, alpn+" "+c.name, alpn, small, generous, func(t *testing.T, conn transport.Conn, p *peer) {
				p.say(c.frames...)
				if want == 0 {
					synctest.Wait()
					testkit.NoErr(t, context.Cause(conn.Context()))
					return
				}
				f := p.hearType(qmuxtr.TransportClose)
				testkit.Equal(t, qmuxtr.ErrorCode(f.Code), want)
				<-conn.Context().Done()
				e := testkit.ErrAs[*qmuxtr.TransportError](t, context.Cause(conn.Context()))
				testkit.Equal(t, *e, qmuxtr.TransportError{Code: want, FrameType: f.N, Reason: f.Data})
			})
		}
	}
}

// The first frame must be the parameters, and good ones.
func TestHandshakesThatBreakRules(t *testing.T) {
	for name, c := range map[string]struct {
		first           qmuxtr.Frame
		strict, lenient qmuxtr.ErrorCode
	}{
		"another frame":        {data(2, 0, 1), qmuxtr.ProtocolViolation, qmuxtr.TransportParameterError},
		"forbidden parameters": {qmuxtr.Frame{Type: qmuxtr.TransportParams, Data: "\x00\x00"}, qmuxtr.TransportParameterError, qmuxtr.TransportParameterError},
	} {
		for alpn, want := range map[string]qmuxtr.ErrorCode{strictName: c.strict, lenientName: c.lenient} {
			t.Run(alpn+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cp, sp := newPipe()
					p := &peer{t, cp, qmuxtr.NewRecords(cp)}
					p.say(c.first)
					_, err := qmuxtr.Server(t.Context(), sp, alpn, qmuxtr.Options{})
					testkit.Equal(t, testkit.ErrAs[*qmuxtr.TransportError](t, err).Code, want)
					testkit.Equal(t, qmuxtr.ErrorCode(p.hearType(qmuxtr.TransportClose).Code), want)
					cp.Close()
				})
			})
		}
	}
}

func TestHandshakesThatEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, sp := newPipe()
		start := time.Now()
		_, err := qmuxtr.Server(t.Context(), sp, protocol, qmuxtr.Options{})
		testkit.ErrIs(t, err, qmuxtr.ErrNoAnswer)
		testkit.Equal(t, time.Since(start), qmuxtr.HandshakeTimeout)

		cp, sp := newPipe()
		cp.Close()
		if _, err = qmuxtr.Server(t.Context(), sp, protocol, qmuxtr.Options{}); err == nil {
			t.Fatal("a handshake with nobody succeeded")
		}

		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(context.DeadlineExceeded)
		_, sp = newPipe()
		_, err = qmuxtr.Server(ctx, sp, protocol, qmuxtr.Options{})
		testkit.ErrIs(t, err, context.DeadlineExceeded)
	})
}

// What the peer says about the end is what a caller sees.
func TestClosingPeers(t *testing.T) {
	for name, c := range map[string]struct {
		last qmuxtr.Frame
		want error
	}{
		"of the application": {qmuxtr.Frame{Type: qmuxtr.AppClose, Code: 3, Data: "bye"}, &transport.CloseError{Code: 3, Reason: "bye", Remote: true}},
		"without error":      {qmuxtr.Frame{Type: qmuxtr.TransportClose, Data: "bye"}, &transport.CloseError{Reason: "bye", Remote: true}},
		"of the transport":   {qmuxtr.Frame{Type: qmuxtr.TransportClose, Code: 3, N: 8, Data: "bye"}, &qmuxtr.TransportError{Code: 3, FrameType: 8, Reason: "bye", Remote: true}},
	} {
		bubble(t, name, protocol, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
			p.say(c.last, data(2, 0, 1))
			<-conn.Context().Done()
			testkit.Equal(t, context.Cause(conn.Context()), c.want)
			if _, err := p.in.Next(); err == nil {
				t.Fatal("an answer came after the end")
			}
		})
	}
	bubble(t, "without a word", protocol, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		p.CloseWrite()
		<-conn.Context().Done()
		testkit.Equal(t, context.Cause(conn.Context()).Error(), "the peer ended the TCP connection without saying why: use of closed network connection")
	})
	bubble(t, "inside a record", protocol, qmuxtr.Options{}, generous, func(t *testing.T, conn transport.Conn, p *peer) {
		p.Write([]byte{5, 0})
		p.CloseWrite()
		<-conn.Context().Done()
	})
}
