package session

import (
	"fmt"

	"oxymoq/pkg/wire"
)

// State is the state of a request (section 5.1 for subscriptions; the other
// kinds follow the same pattern).
type State uint8

// The states.
const (
	Idle        State = iota // nothing was sent
	Pending                  // the request was sent, its answer was not
	Established              // the request was accepted
	Terminated               // refused, done or cancelled
)

var stateNames = [...]string{"Idle", "Pending", "Established", "Terminated"}

// String returns the name of the state.
func (s State) String() string { return stateNames[s] }

// Event is something that happens to a request, whoever causes it.
type Event uint8

// The events. A request is answered once, by OK or Error; afterwards the same
// messages answer updates and are events of their own.
const (
	EventRequest Event = iota
	EventOK
	EventError
	EventUpdate
	EventUpdateOK
	EventUpdateError
	EventDone          // PUBLISH_DONE
	EventNamespace     // NAMESPACE
	EventNamespaceDone // NAMESPACE_DONE
	EventBlocked       // PUBLISH_BLOCKED
	EventGoaway
	EventFIN
	EventCancel // RESET_STREAM or STOP_SENDING

	eventCount
)

var eventNames = [...]string{
	"REQUEST", "OK", "ERROR", "UPDATE", "UPDATE_OK", "UPDATE_ERROR", "PUBLISH_DONE",
	"NAMESPACE", "NAMESPACE_DONE", "PUBLISH_BLOCKED", "GOAWAY", "FIN", "CANCEL",
}

// String returns the name of the event.
func (e Event) String() string { return eventNames[e] }

// Party is one of the two ends of a request.
type Party uint8

// The parties.
const (
	Requester Party = iota // opened the stream
	Responder
)

// String returns the name of the party.
func (p Party) String() string { return [...]string{"requester", "responder"}[p] }

func (p Party) other() Party { return 1 - p }

// requestKinds are the messages that may begin a request stream (section 3.3).
var requestKinds = [...]wire.MessageKind{
	wire.KindSubscribe, wire.KindPublish, wire.KindFetch, wire.KindTrackStatus,
	wire.KindPublishNamespace, wire.KindSubscribeNamespace, wire.KindSubscribeTracks,
}

// row is one legal step of a request.
type row struct {
	from  State
	by    Party
	event Event
	to    State
}

// common are the steps that every kind of request has.
var common = []row{
	{Idle, Requester, EventRequest, Pending},
	{Pending, Responder, EventError, Terminated},
	{Pending, Requester, EventFIN, Pending}, // no further updates will come; not a cancellation
	{Pending, Responder, EventFIN, Terminated},
	{Pending, Requester, EventCancel, Terminated},
	{Pending, Responder, EventCancel, Terminated},
	// After the end a late message crosses what ended the request; it is
	// read and dropped.
}

// established are the steps of all kinds that live on after their answer.
var established = []row{
	{Pending, Responder, EventOK, Established},
	{Pending, Requester, EventUpdate, Pending}, // pipelined behind the request
	{Pending, Requester, EventGoaway, Pending},
	{Pending, Responder, EventGoaway, Pending},
	{Established, Requester, EventUpdate, Established},
	{Established, Responder, EventUpdateOK, Established},
	{Established, Responder, EventUpdateError, Established},
	{Established, Requester, EventGoaway, Established},
	{Established, Responder, EventGoaway, Established},
	{Established, Requester, EventFIN, Established},
	{Established, Responder, EventFIN, Terminated},
	{Established, Requester, EventCancel, Terminated},
	{Established, Responder, EventCancel, Terminated},
}

// table holds every legal step by kind; what is not in it is a protocol
// violation. testdata/states.txt is the same table for people.
var table = map[wire.MessageKind][]row{
	// The responder is the publisher.
	wire.KindSubscribe: steps(common, established, []row{
		{Established, Responder, EventDone, Terminated},
	}),
	// The requester is the publisher: it may end the track before the
	// answer, its FIN ends the subscription, and both sides may update.
	wire.KindPublish: steps(common, established, []row{
		{Pending, Requester, EventDone, Terminated},
		{Pending, Requester, EventFIN, Terminated},
		{Established, Requester, EventDone, Terminated},
		{Established, Requester, EventFIN, Terminated},
		{Established, Responder, EventFIN, Established},
		{Established, Responder, EventUpdate, Established},
		{Established, Requester, EventUpdateOK, Established},
		{Established, Requester, EventUpdateError, Established},
	}),
	// The answer's FIN does not end a FETCH: its objects are on a stream of
	// their own.
	wire.KindFetch: steps(common, established, []row{
		{Established, Responder, EventFIN, Established},
	}),
	// The answer is all that there is.
	wire.KindTrackStatus: steps(common, nil, []row{
		{Pending, Responder, EventOK, Terminated},
	}),
	wire.KindPublishNamespace: steps(common, established, nil),
	wire.KindSubscribeNamespace: steps(common, established, []row{
		{Established, Responder, EventNamespace, Established},
		{Established, Responder, EventNamespaceDone, Established},
	}),
	wire.KindSubscribeTracks: steps(common, established, []row{
		{Established, Responder, EventBlocked, Established},
	}),
}

func steps(base, more, own []row) []row {
	var all []row
	for _, rows := range [][]row{own, base, more} { // own rows override
		for _, r := range rows {
			if _, ok := find(all, r.from, r.by, r.event); !ok {
				all = append(all, r)
			}
		}
	}
	return all
}

func find(rows []row, from State, by Party, event Event) (State, bool) {
	for _, r := range rows {
		if r.from == from && r.by == by && r.event == event {
			return r.to, true
		}
	}
	return from, false
}

// transition returns the state that follows, or an error that names the rule
// that was broken. Nothing is illegal after the end: what crosses the end of a
// request on its way is dropped by the caller.
func transition(kind wire.MessageKind, from State, by Party, event Event) (State, error) {
	if from == Terminated {
		return Terminated, nil
	}
	to, ok := find(table[kind], from, by, event)
	if !ok {
		return from, fmt.Errorf("%v by the %v of a %s in state %v is not allowed", event, by, requestName(kind), from)
	}
	return to, nil
}

func requestName(kind wire.MessageKind) string {
	switch kind {
	case wire.KindSubscribe:
		return "SUBSCRIBE"
	case wire.KindPublish:
		return "PUBLISH"
	case wire.KindFetch:
		return "FETCH"
	case wire.KindTrackStatus:
		return "TRACK_STATUS"
	case wire.KindPublishNamespace:
		return "PUBLISH_NAMESPACE"
	case wire.KindSubscribeNamespace:
		return "SUBSCRIBE_NAMESPACE"
	case wire.KindSubscribeTracks:
		return "SUBSCRIBE_TRACKS"
	}
	return fmt.Sprintf("request of kind %d", kind)
}

// eventOf maps a message on a request stream to its event. answered says
// whether the request itself was answered already.
func eventOf(m wire.Message, answered bool) (Event, bool) {
	switch m.Kind() {
	case wire.KindSubscribeOK, wire.KindFetchOK:
		return EventOK, true
	case wire.KindRequestOK:
		if answered {
			return EventUpdateOK, true
		}
		return EventOK, true
	case wire.KindRequestError:
		if answered {
			return EventUpdateError, true
		}
		return EventError, true
	case wire.KindRequestUpdate:
		return EventUpdate, true
	case wire.KindPublishDone:
		return EventDone, true
	case wire.KindNamespace:
		return EventNamespace, true
	case wire.KindNamespaceDone:
		return EventNamespaceDone, true
	case wire.KindPublishBlocked:
		return EventBlocked, true
	case wire.KindGoaway:
		return EventGoaway, true
	}
	return 0, false
}

// okKind is the message that accepts a request.
func okKind(kind wire.MessageKind) wire.MessageKind {
	switch kind {
	case wire.KindSubscribe:
		return wire.KindSubscribeOK
	case wire.KindFetch:
		return wire.KindFetchOK
	}
	return wire.KindRequestOK
}
