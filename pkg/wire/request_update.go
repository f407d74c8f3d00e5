package wire

// RequestUpdate changes parameters of an open request (section 10.9).
type RequestUpdate struct {
	RequestID uint64
	Existing  uint64 // drafts up to 16: the Request ID of what is updated
	Params    Params
}

// Kind returns KindRequestUpdate.
func (*RequestUpdate) Kind() MessageKind { return KindRequestUpdate }

func (m *RequestUpdate) appendBody(e *encoder) {
	e.uint(m.RequestID)
	e.params(inUpdateOf(e.ctx.Request), &m.Params)
}

func (m *RequestUpdate) parseBody(d *decoder) {
	m.RequestID = d.uint("Request ID")
	m.Params = d.params(inUpdateOf(d.ctx.Request))
}
