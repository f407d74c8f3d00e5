package wire

import "oxymoq/pkg/model"

// Publish offers a track to the peer (section 10.10).
type Publish struct {
	RequestID       uint64
	Track           model.FullTrackName
	TrackAlias      uint64
	Params          Params
	TrackProperties model.Properties
}

// Kind returns KindPublish.
func (*Publish) Kind() MessageKind { return KindPublish }

func (m *Publish) appendBody(e *encoder) {
	e.uint(m.RequestID)
	e.trackName(m.Track)
	e.uint(m.TrackAlias)
	if e.table.subscriptionFields {
		e.publishFields(&m.Params, m.TrackProperties)
		return
	}
	e.params(inPublish, &m.Params)
	e.trackProperties(m.TrackProperties)
}

func (m *Publish) parseBody(d *decoder) {
	m.RequestID = d.uint("Request ID")
	m.Track = d.trackName()
	m.TrackAlias = d.uint("Track Alias")
	if d.table.subscriptionFields {
		m.Params, m.TrackProperties = d.publishFields()
		return
	}
	m.Params = d.params(inPublish)
	m.TrackProperties = d.trackProperties()
	if d.soft != nil && d.soft.Malformed { // the others with properties answer a request of ours
		d.soft.Request = model.Some(model.RequestMalformedTrack)
	}
}
