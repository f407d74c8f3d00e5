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
	e.uint(m.TrackAlias)
	e.params(inSubscribeOK, &m.Params)
	e.properties(m.TrackProperties)
}

func (m *SubscribeOK) parseBody(d *decoder) {
	m.TrackAlias = d.uint("Track Alias")
	m.Params = d.params(inSubscribeOK)
	m.TrackProperties = d.trackProperties()
}
