package session

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// request is one request, seen from either end. It keeps the state and turns
// whatever happens on its lane into calls of its hooks.
type request struct {
	s      *Session
	kind   wire.MessageKind
	us     Party // which end we are
	id     uint64
	lane   lane
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
	giving   sync.Mutex    // held while onOver runs
}

// update is a REQUEST_UPDATE of ours that waits for its answer.
type update struct {
	id    uint64
	done  chan struct{}
	reply wire.Params
	err   error
}

func (s *Session) newRequest(kind wire.MessageKind, us Party, id uint64, l lane) *request {
	r := &request{s: s, kind: kind, us: us, id: id, lane: l, answered: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancelCause(s.ctx)
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
	r.giving.Lock() // who comes second must find the tables without r
	defer r.giving.Unlock()
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

// send writes a message of ours after checking that the state allows it. An OK
// or ERROR answers the request, once that was answered an update: see answer.
func (r *request) send(m wire.Message, fin bool) error {
	return r.answer(m, r.id, fin)
}

// answer is send for a message that answers the request or update of an ID.
func (r *request) answer(m wire.Message, id uint64, fin bool) error {
	r.mu.Lock()
	ev, ok := eventOf(m, r.state >= Established)
	if _, _, _, opens := describe(m); opens {
		ev, ok = EventRequest, true
	}
	if r.state == Terminated || !ok {
		err := r.over
		r.mu.Unlock()
		return errors.Join(errTerminated, err)
	}
	to := reply{r.kind, id}
	if ev == EventUpdateOK || ev == EventUpdateError {
		to.kind = wire.KindRequestUpdate
	}
	_, err := r.stepLocked(r.us, ev)
	r.mu.Unlock()
	if err != nil {
		return err
	}
	return r.lane.send(m, to, fin)
}

var errTerminated = errors.New("the request is over")

// run reads the lane until both are over, the request and the peer's half. It is
// the only reader.
func (r *request) run() {
	r.lane.onStop(r.refused)
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
		r.lane.stopReading()
	case err == io.EOF:
		// The peer only said that it has no more to say. Cancellation comes
		// through refused, the end of the session through ctx.
	default:
		r.finish(r.s.endOf(err))
		r.lane.cancel(model.ResetCancelled)
	}
}

// read handles messages until the lane ends.
func (r *request) read() error {
	for {
		h, err := r.lane.next(r.wasAnswered)
		if err == io.EOF {
			to, serr := r.step(r.us.other(), EventFIN)
			if serr == nil && to == Terminated && r.err() == nil {
				r.concluded(errClosedEarly)
			}
			return cmp.Or(serr, io.EOF)
		}
		if err != nil {
			if _, ok := errors.AsType[*model.StreamError](err); ok {
				_, _ = r.step(r.us.other(), EventCancel) // legal in every state
			}
			return err
		}
		if err := r.receive(h); err != nil {
			return err
		}
	}
}

// wasAnswered reports whether the request was answered: what answers something
// from then on answers an update.
func (r *request) wasAnswered() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state >= Established
}

// concluded ends the request after the peer's last message; our half ends with
// FIN, and the peer's FIN is awaited for a while.
func (r *request) concluded(cause error) {
	r.finish(cause)
	r.lane.close()
	r.lane.linger(r.s.cfg.Limits.MessageTimeout)
}

var (
	errClosedEarly = errors.New("the peer closed the request stream without a final message")
	errAnswered    = errors.New("the request was answered, and that was all")
)

// receive handles one message of the peer.
func (r *request) receive(h heard) error {
	r.mu.Lock()
	state := r.state
	r.mu.Unlock()
	if state == Terminated {
		return nil // crossed the end on its way
	}
	ev, ok := eventOf(h.m, h.toUpdate)
	if !ok || ev == EventOK && h.m.Kind() != okKind(r.kind) {
		return violation("%v on the stream of a %s", h.m.Kind(), requestName(r.kind))
	}
	if r.isNotAnswered(h.m) {
		return nil
	}
	if ev == EventOK && r.us == Requester && r.onOK != nil {
		if err := r.onOK(h.m); err != nil { // before the waiter learns of the answer
			return err
		}
	}
	to, err := r.step(r.us.other(), ev)
	if err != nil {
		return err
	}
	switch m := h.m.(type) {
	case *wire.RequestUpdate:
		return r.receiveUpdate(m, h)
	case *wire.Goaway:
		if r.onGoaway != nil {
			r.onGoaway(m)
		}
		return nil
	case *wire.RequestError:
		if ev == EventUpdateError {
			return r.resolveUpdate(m.RequestID, wire.Params{}, r.s.requestError(m))
		}
		r.concluded(r.s.requestError(m))
		return nil
	}
	switch {
	case ev == EventUpdateOK:
		ok := h.m.(*wire.RequestOK)
		return r.resolveUpdate(ok.RequestID, ok.Params, nil)
	case ev == EventOK && to == Terminated:
		r.concluded(errAnswered)
		return nil
	case ev == EventOK:
		return nil
	case r.onMessage != nil:
		return r.onMessage(h.m)
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
func (r *request) receiveUpdate(m *wire.RequestUpdate, h heard) error {
	err := h.refusal
	if !h.admitted {
		err = r.s.admitUpdate(m, !r.isKeepAlive(m))
	}
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
	if se := sessionError(err); se != nil {
		return se
	}
	if r.s.dialect.silentUpdates {
		if err != nil {
			r.s.log.Info("update was not applied, and the draft has no answer", "request", m.Existing, "error", err)
		}
		return nil
	}
	if err != nil {
		re := asRequestError(err)
		return ignoreTerminated(r.answer(requestErrorMessage(re), m.RequestID, false))
	}
	return ignoreTerminated(r.answer(&wire.RequestOK{Params: reply}, m.RequestID, false))
}

// admitUpdate makes the checks of a REQUEST_UPDATE that do not depend on what is
// updated. numbered says that it takes a Request ID.
func (s *Session) admitUpdate(m *wire.RequestUpdate, numbered bool) error {
	if numbered {
		if err := s.useID(m.RequestID); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.cache.resolve(m.Params.Tokens, false)
	return err
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
	id, done, err := r.s.takeID(ctx)
	if err != nil {
		return wire.Params{}, err
	}
	u := &update{id: id, done: make(chan struct{})}
	answered := !r.s.dialect.silentUpdates && !r.s.Quirks().KeepAliveUpdates
	r.mu.Lock()
	if answered && r.state != Terminated {
		r.updates = append(r.updates, u)
	}
	r.mu.Unlock()
	err = r.send(&wire.RequestUpdate{RequestID: id, Params: p}, false)
	done(err == nil || wasSent(err))
	if err != nil {
		r.mu.Lock()
		r.updates = slices.DeleteFunc(r.updates, func(o *update) bool { return o == u })
		r.mu.Unlock()
	}
	if err != nil || !answered {
		return wire.Params{}, err
	}
	select {
	case <-u.done:
		return u.reply, u.err
	case <-ctx.Done():
		return wire.Params{}, context.Cause(ctx)
	}
}

// resolveUpdate hands an answer to the update that waits for it: that of the ID
// where answers say one, else the oldest.
func (r *request) resolveUpdate(id uint64, p wire.Params, refusal error) error {
	r.mu.Lock()
	i := 0
	if id != 0 { // no update has the ID 0, which is that of the first request
		i = slices.IndexFunc(r.updates, func(u *update) bool { return u.id == id })
	}
	if i < 0 || i >= len(r.updates) {
		r.mu.Unlock()
		if r.s.Quirks().KeepAliveUpdates {
			return nil // it has learnt to answer
		}
		return violation("answer to an update of a %s that was not sent", requestName(r.kind))
	}
	u := r.updates[i]
	r.updates = slices.Delete(r.updates, i, i+1)
	r.mu.Unlock()
	u.reply, u.err = p, refusal
	close(u.done)
	return nil
}

// refused is called when the peer no longer reads what we write: by
// STOP_SENDING it cancels the request.
func (r *request) refused(cause *model.StreamError) {
	_, _ = r.step(r.us.other(), EventCancel) // legal in every state
	r.finish(cause)
	r.lane.stopReading()
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
	r.lane.cancel(code)
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
	r.lane.linger(r.s.cfg.Limits.MessageTimeout)
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
