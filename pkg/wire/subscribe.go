package wire

import "oxymoq/pkg/model"

// Subscribe asks for a track from now on (section 10.7).
type Subscribe struct {
	RequestID uint64
	Track     model.FullTrackName
	Params    Params
}

// Kind returns KindSubscribe.
func (*Subscribe) Kind() MessageKind { return KindSubscribe }

func (m *Subscribe) appendBody(e *encoder) {
	e.uint(m.RequestID)
	e.trackName(m.Track)
	if e.table.subscriptionFields {
		e.subscribeFields(inSubscribe, &m.Params)
		return
	}
	e.params(inSubscribe, &m.Params)
}

func (m *Subscribe) parseBody(d *decoder) {
	m.RequestID = d.uint("Request ID")
	m.Track = d.trackName()
	if d.table.subscriptionFields {
		m.Params = d.subscribeFields(inSubscribe)
		return
	}
	m.Params = d.params(inSubscribe)
}
