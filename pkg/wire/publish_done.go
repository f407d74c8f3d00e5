package wire

import "oxymoq/pkg/model"

// PublishDone ends a subscription (section 10.11).
type PublishDone struct {
	RequestID   uint64 // drafts up to 16
	Code        model.DoneCode
	StreamCount model.Opt[uint64] // absent: unknown (2^62-1 on the wire up to draft 19)
	Reason      string
}

// Kind returns KindPublishDone.
func (*PublishDone) Kind() MessageKind { return KindPublishDone }

func (m *PublishDone) appendBody(e *encoder) {
	e.requestID(m.RequestID)
	e.uint(DoneCodeToWire(e.ctx.Draft, m.Code))
	e.uint(m.StreamCount.Or(e.table.unknownStreamCount))
	e.string("Reason Phrase", m.Reason, MaxReasonLen)
}

func (m *PublishDone) parseBody(d *decoder) {
	m.RequestID = d.requestID()
	m.Code = DoneCodeFromWire(d.ctx.Draft, d.uint("Status Code"))
	if n := d.uint("Stream Count"); n != d.table.unknownStreamCount {
		m.StreamCount = model.Some(n)
	}
	m.Reason = d.string("Reason Phrase", MaxReasonLen)
}
