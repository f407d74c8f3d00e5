package wire

import "oxymoq/pkg/model"

// TrackStatus asks for the state of a track (section 10.14).
type TrackStatus struct {
	RequestID uint64
	Track     model.FullTrackName
	Params    Params
}

// Kind returns KindTrackStatus.
func (*TrackStatus) Kind() MessageKind { return KindTrackStatus }

func (m *TrackStatus) appendBody(e *encoder) {
	e.uint(m.RequestID)
	e.trackName(m.Track)
	if e.table.subscriptionFields {
		e.subscribeFields(inTrackStatus, &m.Params)
		return
	}
	e.params(inTrackStatus, &m.Params)
}

func (m *TrackStatus) parseBody(d *decoder) {
	m.RequestID = d.uint("Request ID")
	m.Track = d.trackName()
	if d.table.subscriptionFields {
		m.Params = d.subscribeFields(inTrackStatus)
		return
	}
	m.Params = d.params(inTrackStatus)
}
