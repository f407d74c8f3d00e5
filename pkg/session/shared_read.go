package session

import (
	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// read sorts the messages of the control stream until it ends. A server has read
// the first one to know the stream; first, if not nil, hands it over.
func (c *sharedControl) read(r *messageReader, first func(func(uint64, []byte) error) error) error {
	var begun bool
	handle := func(typ uint64, body []byte) error {
		kind, _ := wire.KindOf(c.s.cfg.Draft, typ)
		if begun != (kind != wire.KindSetup) {
			if begun {
				return violation("second SETUP")
			}
			return violation("%s before SETUP", wire.MessageName(c.s.cfg.Draft, typ))
		}
		begun = true
		return c.receive(typ, body)
	}
	if first != nil {
		if err := first(handle); err != nil {
			return err
		}
	}
	return c.s.readControl(r, handle)
}

// receive handles one message. It never waits for a request.
func (c *sharedControl) receive(typ uint64, body []byte) error {
	d := c.s.cfg.Draft
	if id, ok := wire.RequestIDOf(d, typ, body); ok {
		return c.receiveFor(id, typ, body)
	}
	if id, ok := wire.UpdatedIDOf(d, typ, body); ok {
		return c.receiveUpdate(id, typ, body)
	}
	m, err := c.parse(typ, body, 0, 0)
	refusal, err := refusalOf(m, err)
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case *wire.Setup:
		return c.s.acceptSetup(m)
	case *wire.Goaway:
		return c.s.acceptGoaway(m)
	case *wire.MaxRequestID:
		return c.s.raise(m.Max)
	case *wire.RequestsBlocked:
		c.s.grant(true)
		return nil
	case *wire.PublishNamespaceDone:
		return c.namespaceOver(m.RequestID, m.Namespace, Responder, model.ResetCancelled)
	case *wire.PublishNamespaceCancel:
		return c.namespaceOver(m.RequestID, m.Namespace, Requester, resetFor(m.Code))
	case *wire.UnsubscribeNamespace:
		c.cancelNamed(wire.KindSubscribeNamespace, Responder, m.Prefix, model.ResetCancelled)
		return nil
	}
	if _, _, _, ok := describe(m); ok {
		return c.request(m, refusal)
	}
	return violation("%s on the control stream", wire.MessageName(d, typ))
}

func (c *sharedControl) parse(typ uint64, body []byte, request, answers wire.MessageKind) (wire.Message, error) {
	return c.s.parseMessage(c.stream, c.s.context(wire.ControlStream, request, answers), typ, body)
}

// request begins a request of the peer.
func (c *sharedControl) request(m wire.Message, refusal *model.RequestError) error {
	s := c.s
	id, track, _, _ := describe(m)
	l := c.newShare(m.Kind(), Responder)
	l.id, l.namespace, l.begun = id, track.Namespace, true
	l.agree(m)
	r := s.newRequest(s.kindOf(m), Responder, id, l)
	err := s.admit(r, m, refusal)
	if se := sessionError(err); se != nil {
		return se
	}
	c.mu.Lock()
	c.lanes[id] = l
	if c.broken != nil {
		l.endLocked(c.broken)
	}
	announced := err == nil && m.Kind() == wire.KindPublishNamespace && c.announcedLocked(l)
	c.mu.Unlock()
	if announced {
		s.loops.Go(func() { s.acknowledge(r) })
		return nil
	}
	s.loops.Go(func() { s.serve(r, m, err) })
	return nil
}

// made returns nil if a request with the ID was made once, so that a message about
// it crossed its end, and else what the session is closed for.
func (c *sharedControl) made(id uint64, typ uint64) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.ids.made(id) {
		return nil
	}
	return &model.SessionError{
		Code:   model.InvalidRequestID,
		Reason: wire.MessageName(c.s.cfg.Draft, typ) + " for a request that was never made",
	}
}

// receiveFor handles a message about the request or update of an ID: an answer, or
// an end.
func (c *sharedControl) receiveFor(id, typ uint64, body []byte) error {
	c.mu.Lock()
	l, answers := c.lanes[id], wire.MessageKind(0)
	if l != nil {
		answers = l.kind
	} else if l = c.updates[id]; l != nil {
		answers = wire.KindRequestUpdate
		delete(c.updates, id)
	}
	c.mu.Unlock()
	if l == nil {
		return c.made(id, typ)
	}
	m, err := c.parse(typ, body, l.kind, answers)
	if _, fatal := refusalOf(m, err); fatal != nil {
		return fatal
	}
	switch m.(type) {
	case *wire.Unsubscribe:
		return c.cancelled(l, l.cancelledBy(wire.KindSubscribe, Requester) || l.cancelledBy(wire.KindPublish, Responder), typ)
	case *wire.FetchCancel:
		return c.cancelled(l, l.cancelledBy(wire.KindFetch, Requester), typ)
	}
	return c.deliver(l, heard{m: m, toUpdate: answers == wire.KindRequestUpdate, err: err})
}

// cancelled ends a lane that the peer gives up, if that is for it to do.
func (c *sharedControl) cancelled(l *share, legal bool, typ uint64) error {
	if !legal {
		return violation("%s for a %s", wire.MessageName(c.s.cfg.Draft, typ), requestName(l.kind))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l.stoppedLocked(model.ResetCancelled)
	return nil
}

// receiveUpdate handles a REQUEST_UPDATE of the request of an ID.
func (c *sharedControl) receiveUpdate(id, typ uint64, body []byte) error {
	c.mu.Lock()
	l := c.lanes[id]
	c.mu.Unlock()
	request := wire.KindSubscribe
	if l != nil {
		request = l.kind
	} else if c.made(id, typ) != nil {
		return violation("%s of a request that was never made", wire.MessageName(c.s.cfg.Draft, typ))
	}
	m, err := c.parse(typ, body, request, 0)
	if err != nil {
		return err
	}
	u := m.(*wire.RequestUpdate)
	err = c.s.admitUpdate(u, true)
	if se := sessionError(err); se != nil {
		return se
	}
	c.s.grant(false)
	if l == nil {
		return nil // it crossed the end
	}
	return c.deliver(l, heard{m: u, admitted: true, refusal: err})
}

// deliver puts a message into the inbox of a lane.
func (c *sharedControl) deliver(l *share, h heard) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return l.deliverLocked(h)
}

// namespaceOver ends a PUBLISH_NAMESPACE of which we are the given party, by its
// Request ID or in draft 14 by its namespace.
func (c *sharedControl) namespaceOver(id uint64, ns model.Namespace, us Party, code model.ResetCode) error {
	if c.s.dialect.namespaceMeansBoth {
		c.cancelNamed(wire.KindPublishNamespace, us, ns, code)
		return nil
	}
	c.mu.Lock()
	l := c.lanes[id]
	if l != nil && l.kind == wire.KindPublishNamespace && l.us == us {
		l.stoppedLocked(code)
		c.mu.Unlock()
		return nil
	}
	c.mu.Unlock()
	if l != nil {
		return violation("end of a PUBLISH_NAMESPACE for a %s", requestName(l.kind))
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if !c.s.ids.made(id) {
		return &model.SessionError{Code: model.InvalidRequestID, Reason: "end of a PUBLISH_NAMESPACE that was never made"}
	}
	return nil
}

// cancelNamed ends the lanes that draft 14 calls by a namespace. None may be left:
// the message crossed the end of the request, or an answer that refused it.
func (c *sharedControl) cancelNamed(kind wire.MessageKind, us Party, ns model.Namespace, code model.ResetCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lanes {
		if l.kind == kind && l.us == us && l.begun && l.namespace.Equal(ns) {
			l.stoppedLocked(code)
		}
	}
}
