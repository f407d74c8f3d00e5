package session

import (
	"context"
	"errors"
	"io"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// lane carries the messages of one request in both directions. Since draft 17
// that is a stream of the request's own (streamLane); before, a share of the
// control stream. A lane knows bytes and places, not what is legal: that is for
// the state table. Its methods may be called from any goroutine, next from one
// only; none but next and send waits for anything.
type lane interface {
	// next returns the next message of the peer. It returns io.EOF when the peer
	// has nothing more to say, a *model.StreamError when one side has given the
	// request up, and a *wire.ParseError for what cannot be understood. answered
	// says whether the request itself was answered already.
	next(answered func() bool) (heard, error)
	// send writes a message of ours; fin says that it is our last one. What was
	// not sent because the draft cannot express it is a notSent error.
	send(m wire.Message, to reply, fin bool) error
	// close says that nothing more comes from us, unless that was said.
	close()
	// cancel gives the request up in both directions, unless our last message
	// was sent (section 3.3.2).
	cancel(code model.ResetCode)
	// stopReading says that it does not matter what the peer still says.
	stopReading()
	// linger bounds the time in which the peer must come to its end.
	linger(d time.Duration)
	// onStop makes f be called, in a goroutine of its own, when the peer no
	// longer wants to hear what we say: it has given the request up.
	onStop(f func(*model.StreamError))
}

// heard is a message of the peer.
type heard struct {
	m wire.Message
	// toUpdate says that a REQUEST_OK or REQUEST_ERROR answers a REQUEST_UPDATE,
	// not the request.
	toUpdate bool
	// admitted says that admitUpdate was called for a REQUEST_UPDATE, and refusal
	// what it returned.
	admitted bool
	refusal  error
	// err, of a lane on a shared stream, is what next returns beside the message.
	err error
}

// reply says what a message answers; only answers need one.
type reply struct {
	kind wire.MessageKind // of the request, or KindRequestUpdate
	id   uint64           // the Request ID of that
}

// notSent is the error of a message that the draft cannot express: not a byte of
// it was written.
type notSent struct{ error }

func (e notSent) Unwrap() error { return e.error }

// streamLane is a stream that carries one request and nothing else.
type streamLane struct {
	s      *Session
	kind   wire.MessageKind // of the request, as the draft calls it
	id     uint64           // of the request
	stream transport.Stream
	reader *messageReader
	writer messageWriter
	// finCancels says that the peer gives the request up by FIN.
	finCancels bool
}

func (s *Session) newStreamLane(stream transport.Stream) *streamLane {
	l := &streamLane{s: s, stream: stream}
	l.reader = newMessageReader(stream, s.cfg.Draft, s.cfg.Limits.MessageTimeout)
	l.writer.dst, l.writer.timeout = stream, s.cfg.Limits.MessageTimeout
	stream.SetPriority(urgencyRequest, false)
	return l
}

func (l *streamLane) next(answered func() bool) (heard, error) {
	typ, body, err := l.reader.next()
	switch {
	case err == io.EOF && l.finCancels:
		return heard{}, &model.StreamError{Code: model.ResetCancelled, Remote: true}
	case err != nil:
		return heard{}, l.broken(err)
	}
	var h heard
	answers := l.kind
	if answered() {
		answers, h.toUpdate = wire.KindRequestUpdate, true
	}
	h.m, err = l.s.parseMessage(l.stream, l.s.context(wire.RequestStream, l.kind, answers), typ, body)
	return h, err
}

// broken translates the error of a read.
func (l *streamLane) broken(err error) error {
	if se, ok := errors.AsType[*transport.StreamError](err); ok {
		return &model.StreamError{Code: wire.ResetCodeFromWire(l.s.cfg.Draft, se.Code), Remote: se.Remote}
	}
	return err
}

func (l *streamLane) send(m wire.Message, to reply, fin bool) error {
	if l.s.dialect.sharesControl {
		stamp(m, l.id, to)
	}
	if to.kind != wire.KindRequestUpdate {
		to.kind = l.kind // which in draft 16 need not be the kind of the request
	}
	return l.s.sendMessage(&l.writer, l.s.sendContext(wire.RequestStream, l.kind, to.kind), m, fin)
}

func (l *streamLane) close() { l.writer.close() }

func (l *streamLane) cancel(code model.ResetCode) {
	wireCode := wire.ResetCodeToWire(l.s.cfg.Draft, code)
	l.stream.CancelRead(wireCode)
	l.writer.reset(wireCode)
}

func (l *streamLane) stopReading() {
	l.stream.CancelRead(wire.ResetCodeToWire(l.s.cfg.Draft, model.ResetCancelled))
}

func (l *streamLane) linger(d time.Duration) {
	_ = l.stream.SetReadDeadline(time.Now().Add(d)) // fails only if there is nothing left to read
}

func (l *streamLane) onStop(f func(*model.StreamError)) {
	context.AfterFunc(l.stream.Context(), func() {
		if se, ok := errors.AsType[*transport.StreamError](context.Cause(l.stream.Context())); ok && se.Remote {
			f(&model.StreamError{Code: wire.ResetCodeFromWire(l.s.cfg.Draft, se.Code), Remote: true})
		}
	})
}

// first reads the first message of a stream of the peer. If there is none it gives
// the stream up.
func (l *streamLane) first() (typ uint64, body []byte, ok bool) {
	_ = l.stream.SetReadDeadline(time.Now().Add(l.s.cfg.Limits.MessageTimeout)) // fails only on a dead stream
	typ, body, err := l.reader.next()
	if err == nil {
		err = l.stream.SetReadDeadline(time.Time{})
	}
	if err != nil {
		l.drop(err)
		return 0, nil, false
	}
	return typ, body, true
}

// drop gives up a stream whose first message did not come.
func (l *streamLane) drop(err error) {
	switch {
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		l.s.fail(violation("a request stream ends without a request"))
	case sessionError(err) != nil && !errors.Is(err, errStalled):
		l.s.fail(err)
	default: // slow or reset: only this stream suffers (section 3.5)
		l.cancel(model.ResetCancelled)
	}
}
