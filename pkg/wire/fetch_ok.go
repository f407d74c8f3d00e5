package wire

import "oxymoq/pkg/model"

// FetchOK accepts a Fetch (section 10.13).
type FetchOK struct {
	RequestID  uint64 // drafts up to 16
	EndOfTrack bool   // all objects of the track have been published
	// End is inclusive; an Object of model.MaxID means the whole group.
	End             model.Location
	Params          Params // draft 14: GroupOrder is that of the response
	TrackProperties model.Properties
}

// Kind returns KindFetchOK.
func (*FetchOK) Kind() MessageKind { return KindFetchOK }

func (m *FetchOK) appendBody(e *encoder) {
	e.requestID(m.RequestID)
	params := &m.Params
	if e.table.subscriptionFields {
		e.order14(params.GroupOrder.Or(model.Ascending), orderSettled14)
		params = params.without(paramGroupOrder)
		params.MaxCacheDuration = intOf(m.TrackProperties, model.PropMaxCacheDuration)
	}
	e.byte(byte(truth(m.EndOfTrack)))
	e.exclusiveEnd(m.End)
	e.params(inFetchOK, params)
	e.trackProperties(m.TrackProperties)
}

func (m *FetchOK) parseBody(d *decoder) {
	m.RequestID = d.requestID()
	var order model.GroupOrder
	if d.table.subscriptionFields {
		order = d.settledOrder()
	}
	m.EndOfTrack = d.flag("End Of Track")
	m.End = inclusiveEnd(d.location("End Location"))
	m.Params = d.params(inFetchOK)
	if d.table.subscriptionFields {
		m.TrackProperties = m.Params.takeTrack(model.GroupOrderUnset)
		if order != model.GroupOrderUnset {
			m.Params.GroupOrder = model.Some(order)
		}
		return
	}
	m.TrackProperties = d.trackProperties()
}
