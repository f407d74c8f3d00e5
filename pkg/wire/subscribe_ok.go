package wire

import "oxymoq/pkg/model"

// SubscribeOK accepts a Subscribe (section 10.8).
type SubscribeOK struct {
	RequestID       uint64 // drafts up to 16
	TrackAlias      uint64
	Params          Params
	TrackProperties model.Properties
}

// Kind returns KindSubscribeOK.
func (*SubscribeOK) Kind() MessageKind { return KindSubscribeOK }

func (m *SubscribeOK) appendBody(e *encoder) {
	e.requestID(m.RequestID)
	e.uint(m.TrackAlias)
	if e.table.subscriptionFields {
		e.trackFields(inSubscribeOK, &m.Params, m.TrackProperties)
		return
	}
	e.params(inSubscribeOK, &m.Params)
	e.trackProperties(m.TrackProperties)
}

func (m *SubscribeOK) parseBody(d *decoder) {
	m.RequestID = d.requestID()
	m.TrackAlias = d.uint("Track Alias")
	if d.table.subscriptionFields {
		m.Params, m.TrackProperties = d.trackFields(inSubscribeOK)
		return
	}
	m.Params = d.params(inSubscribeOK)
	m.TrackProperties = d.trackProperties()
}
