package mlog

import (
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

// Schemas of the events that are written here. The number is that of the draft
// of qlog's events for MoQT.
const (
	schemaMoQT     = "urn:ietf:params:qlog:events:moqt-08"
	schemaLogLevel = "urn:ietf:params:qlog:events:loglevel"
)

// emit takes one event.
type emit func(name string, data fields)

// events tells in the words of the schema what a session has told.
func events(draft model.Draft, e session.TraceEvent, out emit) {
	switch what := e.What.(type) {
	case *wire.Setup:
		streamType(e, "control", out)
		controlMessage(draft, e, what, out)
	case wire.Message:
		controlMessage(draft, e, what, out)
	case *wire.SubgroupHeader:
		streamType(e, "subgroup_header", out)
		out(twofold(e, "moqt:subgroup_header_created", "moqt:subgroup_header_parsed"), onStream(e, subgroupHeader(what)))
	case *session.TracedObject:
		out(twofold(e, "moqt:subgroup_object_created", "moqt:subgroup_object_parsed"), onStream(e, subgroupObject(draft, what)))
	case *session.TracedFetch:
		streamType(e, "fetch_header", out)
		out(twofold(e, "moqt:fetch_header_created", "moqt:fetch_header_parsed"), onStream(e, fields{{"request_id", what.RequestID}}))
	case *wire.FetchItem:
		out(twofold(e, "moqt:fetch_object_created", "moqt:fetch_object_parsed"), onStream(e, fetchObject(draft, what)))
	case *wire.Datagram:
		out(twofold(e, "moqt:object_datagram_created", "moqt:object_datagram_parsed"), datagram(draft, what))
	}
}

func controlMessage(draft model.Draft, e session.TraceEvent, m wire.Message, out emit) {
	out(twofold(e, "moqt:control_message_created", "moqt:control_message_parsed"), onStream(e, fields{{"message", message(draft, e, m)}}))
}

func streamType(e session.TraceEvent, kind string, out emit) {
	owner := "remote"
	if e.Sent {
		owner = "local"
	}
	out("moqt:stream_type_set", fields{{"owner", owner}, {"stream_id", e.Stream}, {"stream_type", kind}})
}

// twofold is the name of an event that exists in two forms.
func twofold(e session.TraceEvent, created, parsed string) string {
	if e.Sent {
		return created
	}
	return parsed
}

func onStream(e session.TraceEvent, f fields) fields {
	return append(fields{{"stream_id", e.Stream}}, f...)
}
