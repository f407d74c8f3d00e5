package wire

// RequestUpdate changes parameters of an open request (section 10.9). In draft 14
// only a subscription can be updated, and all of it: filter, priority and FORWARD
// must be there.
type RequestUpdate struct {
	RequestID uint64
	Existing  uint64 // drafts up to 16: the Request ID of what is updated
	Params    Params
}

// Kind returns KindRequestUpdate.
func (*RequestUpdate) Kind() MessageKind { return KindRequestUpdate }

func (m *RequestUpdate) appendBody(e *encoder) {
	e.uint(m.RequestID)
	if e.table.requestIDs {
		e.uint(m.Existing)
	}
	if e.table.subscriptionFields {
		m.appendFields(e)
		return
	}
	e.params(inUpdateOf(e.ctx.Request), &m.Params)
}

func (m *RequestUpdate) parseBody(d *decoder) {
	m.RequestID = d.uint("Request ID")
	if d.table.requestIDs {
		m.Existing = d.uint("Existing Request ID")
	}
	if d.table.subscriptionFields {
		m.parseFields(d)
		return
	}
	m.Params = d.updateWithOrWithoutExisting(inUpdateOf(d.ctx.Request))
}
