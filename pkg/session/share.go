package session

import (
	"io"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// inboxLimit is how many messages of the peer may wait for one request. More is
// no conversation: nobody sends so many updates without an answer.
const inboxLimit = 64

// share is the lane of a request on the control stream that all requests share.
// Everything but what never changes is guarded by sharedControl.mu.
type share struct {
	c    *sharedControl
	kind wire.MessageKind
	us   Party

	id        uint64
	namespace model.Namespace // by which draft 14 calls some requests
	begun     bool            // the request itself was sent or read
	answered  bool
	over      bool // nothing more is said on either side
	inbox     []heard
	limit     int
	end       error         // what next returns behind the inbox
	came      chan struct{} // holds a token if there may be something for next
	onStopped func(*model.StreamError)
	stopped   *model.StreamError // the peer gave the request up

	terms    Terms            // draft 14: of the subscription, as the peer knows them
	order    model.GroupOrder // draft 14: of the peer's PUBLISH
	largest  model.Opt[model.Location]
	under    *share              // draft 14: our SUBSCRIBE_NAMESPACE that this PUBLISH_NAMESPACE answers
	reported map[string]*request // draft 14: our PUBLISH_NAMESPACEs under this, by suffix
}

func (c *sharedControl) newShare(kind wire.MessageKind, us Party) *share {
	l := &share{c: c, kind: kind, us: us, limit: inboxLimit, came: make(chan struct{}, 1), terms: defaultTerms()}
	if kind == wire.KindSubscribeNamespace { // each of the peer's requests may bring one namespace and take it back
		l.limit += 2 * c.s.cfg.Limits.Requests
	}
	return l
}

func (l *share) next(func() bool) (heard, error) {
	for {
		l.c.mu.Lock()
		if len(l.inbox) > 0 {
			h := l.inbox[0]
			l.inbox = l.inbox[1:]
			l.c.mu.Unlock()
			return h, h.err
		}
		end := l.end
		l.c.mu.Unlock()
		if end != nil {
			return heard{}, end
		}
		<-l.came
	}
}

// deliverLocked puts a message into the inbox. What ends the request ends the lane
// behind it.
func (l *share) deliverLocked(h heard) error {
	if l.over {
		return nil // it crossed the end
	}
	if len(l.inbox) >= l.limit {
		return &model.SessionError{Code: model.TooManyRequests, Reason: "too many messages for one request"}
	}
	l.inbox = append(l.inbox, h)
	l.wake()
	if h.toUpdate {
		return nil
	}
	switch m := h.m.(type) {
	case *wire.SubscribeOK:
		l.answered, l.largest = true, m.Params.LargestObject
		l.terms.Range = l.terms.Filter.Resolve(l.largest)
	case *wire.FetchOK:
		l.answered = true
	case *wire.RequestOK:
		l.answered = true
		if l.kind == wire.KindTrackStatus {
			l.endLocked(io.EOF)
		}
		return l.adoptLocked()
	case *wire.RequestError, *wire.PublishDone:
		l.answered = true
		l.endLocked(io.EOF)
	}
	return nil
}

func (l *share) wake() {
	select {
	case l.came <- struct{}{}:
	default:
	}
}

// endLocked ends the lane; next returns err when the inbox is empty. The first
// call counts.
func (l *share) endLocked(err error) {
	if l.over {
		return
	}
	l.over, l.end = true, err
	if l.c.lanes[l.id] == l {
		delete(l.c.lanes, l.id)
	}
	for id, waiting := range l.c.updates {
		if waiting == l {
			delete(l.c.updates, id)
		}
	}
	l.namespaceEndedLocked()
	l.wake()
}

// stoppedLocked ends the lane because the peer gave the request up.
func (l *share) stoppedLocked(code model.ResetCode) {
	if l.over {
		return
	}
	l.stopped = &model.StreamError{Code: code, Remote: true}
	l.endLocked(l.stopped)
	if f := l.onStopped; f != nil {
		cause := l.stopped
		l.c.s.loops.Go(func() { f(cause) })
	}
}

// cancelledBy reports whether the lane is for requests of a kind, which the given
// party may end, and the peer is that party.
func (l *share) cancelledBy(kind wire.MessageKind, party Party) bool {
	return l.kind == kind && l.us != party
}

func (l *share) send(m wire.Message, to reply, fin bool) error {
	switch m := m.(type) {
	case *wire.Namespace:
		return l.announce(m.Suffix)
	case *wire.NamespaceDone:
		return l.withdraw(m.Suffix)
	}
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	if l.over {
		return errClosedWriter
	}
	if err := l.prepareLocked(m, to); err != nil {
		return err
	}
	if err := l.c.postLocked(l.c.s.sendContext(wire.ControlStream, l.kind, to.kind), m); err != nil {
		return err
	}
	l.sentLocked(m, to)
	if fin {
		l.endLocked(io.EOF)
	}
	return l.c.flushLocked()
}

// prepareLocked fills in what only the shared stream needs.
func (l *share) prepareLocked(m wire.Message, to reply) error {
	stamp(m, l.id, to)
	if l.c.s.dialect.settledTerms {
		return l.settleLocked(m, to)
	}
	return nil
}

// sentLocked notes what a message of ours has changed.
func (l *share) sentLocked(m wire.Message, to reply) {
	switch m := m.(type) {
	case *wire.SubscribeOK, *wire.FetchOK:
		l.answered = true
	case *wire.RequestOK, *wire.RequestError:
		l.answered = l.answered || to.kind != wire.KindRequestUpdate
	case *wire.RequestUpdate:
		if !l.c.s.dialect.silentUpdates {
			l.c.updates[m.RequestID] = l
		}
	default:
		id, track, _, ok := describe(m)
		if !ok {
			return
		}
		l.id, l.namespace, l.begun = id, track.Namespace, true
		l.agree(m)
		l.c.lanes[id] = l
	}
}

// stamp writes Request IDs into a message that must say what it belongs to.
func stamp(m wire.Message, id uint64, to reply) {
	switch m := m.(type) {
	case *wire.SubscribeOK:
		m.RequestID = to.id
	case *wire.FetchOK:
		m.RequestID = to.id
	case *wire.RequestOK:
		m.RequestID = to.id
	case *wire.RequestError:
		m.RequestID = to.id
	case *wire.PublishDone:
		m.RequestID = id
	case *wire.RequestUpdate:
		m.Existing = id
	}
}

func (l *share) close() {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	if !l.over && l.us == Responder && l.begun && !l.answered {
		l.lastLocked(&wire.RequestError{RequestID: l.id, Code: model.RequestInternalError, Reason: "not answered"})
	}
	l.endLocked(io.EOF)
}

func (l *share) cancel(code model.ResetCode) {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	if !l.over && l.begun {
		if m := l.farewell(code); m != nil {
			l.lastLocked(m)
		}
	}
	l.inbox = nil
	l.endLocked(&model.StreamError{Code: code})
}

// lastLocked posts the message that ends a request, and waits for nothing.
func (l *share) lastLocked(m wire.Message) {
	if err := l.c.postLocked(l.c.s.sendContext(wire.ControlStream, l.kind, l.kind), m); err != nil && l.c.broken == nil {
		l.c.s.log.Error("message was not sent", "message", m.Kind(), "error", err)
	}
}

func (l *share) stopReading() {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	l.inbox = nil
	l.endLocked(io.EOF)
}

// linger ends the lane at once: what the peer still says about a request that is
// over is dropped where it is read.
func (l *share) linger(time.Duration) { l.stopReading() }

func (l *share) onStop(f func(*model.StreamError)) {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	if l.stopped != nil {
		cause := l.stopped
		l.c.s.loops.Go(func() { f(cause) })
		return
	}
	l.onStopped = f
}
