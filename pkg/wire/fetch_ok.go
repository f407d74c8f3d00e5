package wire

import "oxymoq/pkg/model"

// FetchOK accepts a Fetch (section 10.13).
type FetchOK struct {
	RequestID  uint64 // drafts up to 16
	EndOfTrack bool
	// End is inclusive; an Object of model.MaxID means the whole group.
	End             model.Location
	Params          Params
	TrackProperties model.Properties
}

// Kind returns KindFetchOK.
func (*FetchOK) Kind() MessageKind { return KindFetchOK }

func (m *FetchOK) appendBody(e *encoder) {
	if m.EndOfTrack {
		e.byte(1)
	} else {
		e.byte(0)
	}
	e.location(exclusiveEnd(m.End))
	e.params(inFetchOK, &m.Params)
	e.properties(m.TrackProperties)
}

func (m *FetchOK) parseBody(d *decoder) {
	end := d.byte("End Of Track")
	if end > 1 {
		d.fail("End Of Track", errValue)
	}
	m.EndOfTrack = end == 1
	m.End = inclusiveEnd(d.location("End Location"))
	m.Params = d.params(inFetchOK)
	m.TrackProperties = d.trackProperties()
}
