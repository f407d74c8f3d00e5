package wire

import "oxymoq/pkg/model"

// RequestOK accepts a request or an update (section 10.5). TrackProperties
// may only be non-empty in the answer to a TrackStatus.
type RequestOK struct {
	RequestID       uint64 // drafts up to 16
	Params          Params
	TrackProperties model.Properties
	TrackAlias      uint64 // draft 14: of the answer to a TrackStatus
}

// Kind returns KindRequestOK.
func (*RequestOK) Kind() MessageKind { return KindRequestOK }

func (m *RequestOK) appendBody(e *encoder) {
	e.params(inAnswerTo(e.ctx.Answers), &m.Params)
	if e.ctx.Answers != KindTrackStatus && len(m.TrackProperties) > 0 {
		e.fail("track properties in the answer to %v", e.ctx.Answers)
	}
	e.properties(m.TrackProperties)
}

func (m *RequestOK) parseBody(d *decoder) {
	m.Params = d.params(inAnswerTo(d.ctx.Answers))
	if d.ctx.Answers != KindTrackStatus {
		if d.r.Len() > 0 {
			d.fail("Track Properties", errNotPermitted)
		}
		return
	}
	m.TrackProperties = d.trackProperties()
}
