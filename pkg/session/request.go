package session

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// request is one request stream, seen from either end. It keeps the state and
// turns whatever happens on the stream into calls of its hooks.
type request struct {
	s      *Session
	kind   wire.MessageKind
	us     Party // which end we are
	id     uint64
	stream transport.Stream
	reader *messageReader
	writer messageWriter
	tokens []auth.Token // of the peer's request

	ctx    context.Context // ends when the request is over
	cancel context.CancelCauseFunc

	// Hooks, set before run and called from the reading goroutine.
	onOK      func(wire.Message) error               // the request was accepted
	onUpdate  func(wire.Params) (wire.Params, error) // the peer changes parameters; returns those of the answer
	onMessage func(wire.Message) error               // NAMESPACE, PUBLISH_DONE, …
	onGoaway  func(*wire.Goaway)

	mu       sync.Mutex
	state    State
	answered chan struct{} // closed when Pending ends
	updates  []*update     // ours that are not answered yet, oldest first
	goaways  [2]bool       // by party: at most one each
	over     error         // cause of Terminated
	onExpire func(error)   // the permission ended; nil: cancel the request
	onOver   func()        // the request is about to end: what it holds in tables is given back
}

// update is a REQUEST_UPDATE of ours that waits for its answer.
type update struct {
	done  chan struct{}
	reply wire.Params
	err   error
}

func (s *Session) newRequest(kind wire.MessageKind, us Party, stream transport.Stream) *request {
	r := &request{s: s, kind: kind, us: us, stream: stream, answered: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancelCause(s.ctx)
	r.writer.dst, r.writer.timeout = stream, s.cfg.Limits.MessageTimeout
	stream.SetPriority(urgencyRequest, false)
	return r
}

// step moves the state, for something that party by did.
func (r *request) step(by Party, ev Event) (State, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stepLocked(by, ev)
}

func (r *request) stepLocked(by Party, ev Event) (State, error) {
	if ev == EventGoaway && r.state != Terminated {
		if r.goaways[by] {
			return r.state, violation("second GOAWAY on a request stream")
		}
		r.goaways[by] = true
	}
	to, err := transition(r.kind, r.state, by, ev)
	if err != nil {
		return r.state, violation("%v", err)
	}
	if r.state < Established && to >= Established {
		close(r.answered)
	}
	r.state = to
	return to, nil
}

// finish ends the request with its cause: updates fail, ctx ends. Only the
// first call counts.
func (r *request) finish(cause error) {
	r.giveBack()
	r.mu.Lock()
	if r.state < Established {
		close(r.answered)
	}
	r.state = Terminated
	if r.over == nil {
		r.over = cause
	}
	cause = r.over
	pending := r.updates
	r.updates = nil
	r.mu.Unlock()
	for _, u := range pending {
		u.err = cause
		close(u.done)
	}
	r.cancel(cause)
}

// giveBack runs onOver once. It comes before the last message is sent, since
// the peer may ask again as soon as it has read that.
func (r *request) giveBack() {
	r.mu.Lock()
	onOver := r.onOver
	r.onOver = nil
	r.mu.Unlock()
	if onOver != nil {
		onOver()
	}
}

// whenOver sets onOver and onExpire. It reports whether the request was over
// already, when neither will be called.
func (r *request) whenOver(over func(), expire func(error)) (late bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state == Terminated {
		return true
	}
	r.onOver, r.onExpire = over, expire
	return false
}

// send writes a message of ours after checking that the state allows it.
func (r *request) send(m wire.Message, fin bool) error {
	r.mu.Lock()
	ev, ok := eventOf(m, r.state >= Established)
	if m.Kind() == r.kind {
		ev, ok = EventRequest, true
	}
	if r.state == Terminated || !ok {
		err := r.over
		r.mu.Unlock()
		return errors.Join(errTerminated, err)
	}
	answers := r.kind
	if ev == EventUpdateOK || ev == EventUpdateError {
		answers = wire.KindRequestUpdate
	}
	_, err := r.stepLocked(r.us, ev)
	r.mu.Unlock()
	if err != nil {
		return err
	}
	return r.s.sendMessage(&r.writer, r.s.sendContext(wire.RequestStream, r.kind, answers), m, fin)
}

var errTerminated = errors.New("the request is over")

// run reads the stream until both are over, the request and the peer's half.
// It is the only reader.
func (r *request) run() {
	context.AfterFunc(r.stream.Context(), r.refused)
	err := r.read()
	if r.err() != nil && errors.Is(err, errStalled) {
		err = nil // the FIN after the last message did not come; nobody needs it
	}
	if se := sessionError(err); se != nil {
		r.s.fail(se)
		err = se
	}
	switch {
	case r.err() != nil: // what comes after the end does not matter
		r.stream.CancelRead(uint64(model.ResetCancelled))
	case err == io.EOF:
		// The peer only said that it has no more to say. Cancellation comes
		// through refused, the end of the session through ctx.
	default:
		r.finish(r.s.endOf(err))
		r.stream.CancelRead(uint64(model.ResetCancelled))
		r.writer.reset(model.ResetCancelled)
	}
}

// read handles messages until the stream ends.
func (r *request) read() error {
	for {
		typ, body, err := r.reader.next()
		if err == io.EOF {
			to, serr := r.step(r.us.other(), EventFIN)
			if serr == nil && to == Terminated && r.err() == nil {
				r.concluded(errClosedEarly)
			}
			return cmp.Or(serr, io.EOF)
		}
		if err != nil {
			if se, ok := errors.AsType[*transport.StreamError](err); ok {
				_, _ = r.step(r.us.other(), EventCancel) // legal in every state
				return &model.StreamError{Code: wire.ResetCodeFromWire(r.s.cfg.Draft, se.Code), Remote: se.Remote}
			}
			return err
		}
		if err := r.receive(typ, body); err != nil {
			return err
		}
	}
}

// concluded ends the request after the peer's last message; our half ends with
// FIN, and the peer's FIN is awaited for a while.
func (r *request) concluded(cause error) {
	r.finish(cause)
	r.writer.close()
	_ = r.stream.SetReadDeadline(time.Now().Add(r.s.cfg.Limits.MessageTimeout)) // fails only if there is nothing left to read
}

var (
	errClosedEarly = errors.New("the peer closed the request stream without a final message")
	errAnswered    = errors.New("the request was answered, and that was all")
)

// receive handles one message of the peer.
func (r *request) receive(typ uint64, body []byte) error {
	r.mu.Lock()
	state := r.state
	r.mu.Unlock()
	answers := r.kind
	if state >= Established {
		answers = wire.KindRequestUpdate
	}
	m, err := r.s.parseMessage(r.stream, r.s.context(wire.RequestStream, r.kind, answers), typ, body)
	if err != nil {
		return err
	}
	if state == Terminated {
		return nil // crossed the end on its way
	}
	ev, ok := eventOf(m, state >= Established)
	if !ok || ev == EventOK && m.Kind() != okKind(r.kind) {
		return violation("%s on the stream of a %s", wire.MessageName(r.s.cfg.Draft, typ), requestName(r.kind))
	}
	if r.isNotAnswered(m) {
		return nil
	}
	if ev == EventOK && r.us == Requester && r.onOK != nil {
		if err := r.onOK(m); err != nil { // before the waiter learns of the answer
			return err
		}
	}
	to, err := r.step(r.us.other(), ev)
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case *wire.RequestUpdate:
		return r.receiveUpdate(m)
	case *wire.Goaway:
		if r.onGoaway != nil {
			r.onGoaway(m)
		}
		return nil
	case *wire.RequestError:
		if ev == EventUpdateError {
			return r.resolveUpdate(wire.Params{}, r.s.requestError(m))
		}
		r.concluded(r.s.requestError(m))
		return nil
	}
	switch {
	case ev == EventUpdateOK:
		return r.resolveUpdate(m.(*wire.RequestOK).Params, nil)
	case ev == EventOK && to == Terminated:
		r.concluded(errAnswered)
		return nil
	case ev == EventOK:
		return nil
	case r.onMessage != nil:
		return r.onMessage(m)
	}
	return nil
}

func (s *Session) requestError(m *wire.RequestError) *model.RequestError {
	e := &model.RequestError{Code: m.Code, Reason: m.Reason, Redirect: m.Redirect, Remote: true}
	if ms, ok := m.RetryInterval.Get(); ok {
		e.RetryAfter = model.Some(milliseconds(ms))
	}
	return e
}

// receiveUpdate answers a REQUEST_UPDATE of the peer. An empty one is a
// keep-alive and is answered like any other.
func (r *request) receiveUpdate(m *wire.RequestUpdate) error {
	if !r.isKeepAlive(m) {
		if err := r.s.useID(m.RequestID); err != nil {
			return err
		}
	}
	r.s.mu.Lock()
	_, err := r.s.cache.resolve(m.Params.Tokens, false)
	r.s.mu.Unlock()
	if se := sessionError(err); se != nil {
		return se
	}
	var reply wire.Params
	if err == nil {
		select {
		case <-r.answered: // updates behind a request apply after its answer
		case <-r.ctx.Done():
			return nil
		}
		if r.onUpdate != nil {
			reply, err = r.onUpdate(m.Params)
		}
	}
	if err != nil {
		re := asRequestError(err)
		return ignoreTerminated(r.send(requestErrorMessage(re), false))
	}
	return ignoreTerminated(r.send(&wire.RequestOK{Params: reply}, false))
}

// ignoreTerminated drops the error of answering a request that has ended
// meanwhile.
func ignoreTerminated(err error) error {
	if errors.Is(err, errTerminated) || errors.Is(err, errClosedWriter) {
		return nil
	}
	return err
}

// update sends a REQUEST_UPDATE and waits for its answer, unless the peer gives
// none.
func (r *request) update(ctx context.Context, p wire.Params) (wire.Params, error) {
	u := &update{done: make(chan struct{})}
	r.mu.Lock()
	if r.state == Terminated {
		err := r.over
		r.mu.Unlock()
		return wire.Params{}, errors.Join(errTerminated, err)
	}
	answered := !r.s.updatesToKeepAlive.Load()
	if answered {
		r.updates = append(r.updates, u)
	}
	r.mu.Unlock()
	if err := r.send(&wire.RequestUpdate{RequestID: r.s.takeID(), Params: p}, false); err != nil || !answered {
		return wire.Params{}, err
	}
	select {
	case <-u.done:
		return u.reply, u.err
	case <-ctx.Done():
		return wire.Params{}, context.Cause(ctx)
	}
}

// resolveUpdate hands an answer to the oldest update that waits for one.
func (r *request) resolveUpdate(p wire.Params, refusal error) error {
	r.mu.Lock()
	if len(r.updates) == 0 {
		r.mu.Unlock()
		if r.s.updatesToKeepAlive.Load() {
			return nil // it has learnt to answer
		}
		return violation("answer to an update of a %s that was not sent", requestName(r.kind))
	}
	u := r.updates[0]
	r.updates = r.updates[1:]
	r.mu.Unlock()
	u.reply, u.err = p, refusal
	close(u.done)
	return nil
}

// refused is called when the peer no longer reads what we write: by
// STOP_SENDING it cancels the request.
func (r *request) refused() {
	se, ok := errors.AsType[*transport.StreamError](context.Cause(r.stream.Context()))
	if !ok || !se.Remote {
		return
	}
	_, _ = r.step(r.us.other(), EventCancel) // legal in every state
	r.finish(&model.StreamError{Code: wire.ResetCodeFromWire(r.s.cfg.Draft, se.Code), Remote: true})
	r.stream.CancelRead(uint64(model.ResetCancelled))
}

// abandon cancels the request in both directions (section 3.3.2).
func (r *request) abandon(code model.ResetCode) {
	r.mu.Lock()
	if r.state == Terminated {
		r.mu.Unlock()
		return
	}
	_, _ = r.stepLocked(r.us, EventCancel) // legal in every state
	r.mu.Unlock()
	r.finish(&model.StreamError{Code: code})
	wireCode := wire.ResetCodeToWire(r.s.cfg.Draft, code)
	r.stream.CancelRead(wireCode)
	r.writer.reset(model.ResetCode(wireCode))
}

// conclude sends the last message of a request and FIN, then lets the peer's
// half come to its end for a while.
func (r *request) conclude(m wire.Message, cause error) error {
	r.giveBack()
	r.mu.Lock()
	if r.over == nil {
		r.over = cause // before the peer can answer with FIN, which would be another
	}
	r.mu.Unlock()
	err := r.send(m, true)
	r.finish(cause)
	_ = r.stream.SetReadDeadline(time.Now().Add(r.s.cfg.Limits.MessageTimeout)) // fails only if there is nothing left to read
	return err
}

// reject refuses the peer's request.
func (r *request) reject(e *model.RequestError) error {
	return r.conclude(requestErrorMessage(e), e)
}

func requestErrorMessage(e *model.RequestError) *wire.RequestError {
	m := &wire.RequestError{Code: e.Code, Reason: e.Reason, Redirect: e.Redirect}
	if len(m.Reason) > maxReason {
		m.Reason = m.Reason[:maxReason]
	}
	if d, ok := e.RetryAfter.Get(); ok {
		m.RetryInterval = model.Some(uint64(max(0, d.Milliseconds())))
	}
	return m
}

// maxReason is the longest reason phrase (section 1.4.4).
const maxReason = 1024

// asRequestError makes any error one that can be sent. Text of errors that
// were not meant for the peer is kept back.
func asRequestError(err error) *model.RequestError {
	if re, ok := errors.AsType[*model.RequestError](err); ok {
		return re
	}
	return &model.RequestError{Code: model.RequestInternalError, Reason: "internal error"}
}

// err returns why the request is over, nil while it is not.
func (r *request) err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

// expire ends a request whose permission has ended.
func (r *request) expire(cause error) {
	r.mu.Lock()
	onExpire := r.onExpire
	r.mu.Unlock()
	if onExpire != nil {
		onExpire(cause)
		return
	}
	r.abandon(model.ResetExpiredAuthToken)
}
