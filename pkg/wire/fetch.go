package wire

import (
	"errors"

	"oxymoq/pkg/model"
)

var errEndBeforeStart = errors.New("lies before the Start Location")

// FetchKind tells the three forms of a Fetch apart.
type FetchKind uint8

// Fetch forms; their values are the wire's up to draft 19.
const (
	FetchStandalone      FetchKind = 1
	FetchRelativeJoining FetchKind = 2
	FetchAbsoluteJoining FetchKind = 3
)

// Fetch asks for a range of a track that was published already (section 10.12).
type Fetch struct {
	RequestID uint64
	FetchKind FetchKind
	Track     model.FullTrackName // standalone
	// Range is inclusive; an End.Object of model.MaxID means the whole group.
	Range            model.Range // standalone
	JoiningRequestID uint64      // joining: the subscription
	JoiningStart     uint64      // joining: groups back, or group ID
	Params           Params
}

// Kind returns KindFetch.
func (*Fetch) Kind() MessageKind { return KindFetch }

func (m *Fetch) appendBody(e *encoder) {
	e.uint(m.RequestID)
	params := &m.Params
	if e.table.subscriptionFields {
		e.fetchFields(params)
		params = params.without(paramSubscriberPriority, paramGroupOrder)
	}
	e.uint(uint64(m.FetchKind))
	switch m.FetchKind {
	case FetchStandalone:
		if m.Range.Empty() {
			e.fail("range %v ends before it starts", m.Range)
		}
		e.trackName(m.Track)
		e.location(m.Range.Start)
		e.exclusiveEnd(m.Range.End)
	case FetchRelativeJoining, FetchAbsoluteJoining:
		e.uint(m.JoiningRequestID)
		e.uint(m.JoiningStart)
	default:
		e.fail("unknown Fetch Type %d", m.FetchKind)
	}
	e.params(inFetch, params)
}

func (m *Fetch) parseBody(d *decoder) {
	m.RequestID = d.uint("Request ID")
	var fields Params
	if d.table.subscriptionFields {
		d.fetchFields(&fields)
	}
	switch typ := d.uint("Fetch Type"); {
	case typ == uint64(FetchStandalone):
		m.FetchKind = FetchStandalone
		m.Track = d.trackName()
		m.Range.Start = d.location("Start Location")
		m.Range.End = inclusiveEnd(d.location("End Location"))
		if m.Range.Empty() {
			d.refuse("End Location", model.InvalidRange, errEndBeforeStart)
		}
	case typ == uint64(FetchRelativeJoining) || typ == uint64(FetchAbsoluteJoining):
		m.FetchKind = FetchKind(typ)
		m.JoiningRequestID = d.uint("Joining Request ID")
		m.JoiningStart = d.uint("Joining Start")
	default:
		d.fail("Fetch Type", errValue)
	}
	m.Params = d.params(inFetch)
	if d.table.subscriptionFields {
		m.Params.SubscriberPriority, m.Params.GroupOrder = fields.SubscriberPriority, fields.GroupOrder
	}
}

// exclusiveEnd writes an inclusive end. One that the integers of the draft cannot
// say lies behind everything that they can: it becomes their largest group.
func (e *encoder) exclusiveEnd(l model.Location) {
	end := exclusiveEnd(l)
	switch largest := e.kind.Max(); {
	case end.Group > largest:
		end = model.Location{Group: largest}
	case end.Object > largest:
		end.Object = 0
	}
	e.location(end)
}

// exclusiveEnd turns an inclusive end into the wire's: the object after the
// last, or 0 for the whole group.
func exclusiveEnd(l model.Location) model.Location {
	l.Object++ // model.MaxID, the whole group, becomes 0
	return l
}

// inclusiveEnd is the inverse of exclusiveEnd.
func inclusiveEnd(l model.Location) model.Location {
	l.Object--
	return l
}
