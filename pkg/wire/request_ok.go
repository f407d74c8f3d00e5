package wire

import "oxymoq/pkg/model"

// RequestOK accepts a request or an update (section 10.5). TrackProperties
// may only be non-empty in the answer to a TrackStatus; draft 16 does not send
// them.
type RequestOK struct {
	RequestID       uint64 // drafts up to 16
	Params          Params
	TrackProperties model.Properties
	TrackAlias      uint64 // draft 14: of the answer to a TrackStatus
}

// Kind returns KindRequestOK.
func (*RequestOK) Kind() MessageKind { return KindRequestOK }

func (m *RequestOK) appendBody(e *encoder) {
	if e.ctx.Answers != KindTrackStatus && len(m.TrackProperties) > 0 {
		e.fail("track properties in the answer to %v", e.ctx.Answers)
	}
	e.requestID(m.RequestID)
	if e.table.subscriptionFields {
		m.appendFields(e)
		return
	}
	e.params(inAnswerTo(e.ctx.Answers), &m.Params)
	if e.table.statusProperties {
		e.trackProperties(m.TrackProperties)
	}
}

func (m *RequestOK) parseBody(d *decoder) {
	m.RequestID = d.requestID()
	if d.table.subscriptionFields {
		m.parseFields(d)
	} else {
		m.Params = d.params(inAnswerTo(d.ctx.Answers))
	}
	d.insist() // an answer cannot be refused
	switch {
	case !d.table.statusProperties:
	case d.ctx.Answers == KindTrackStatus:
		m.TrackProperties = d.trackProperties()
	case d.r.Len() > 0:
		d.fail("Track Properties", errNotPermitted)
	}
}
