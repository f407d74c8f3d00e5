package wire

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// badMessage breaks one rule. Where code is NoError, only the request or the
// track suffers.
type badMessage struct {
	name  string
	ctx   Context
	wire  string
	code  model.SessionCode
	field string
}

// badMessages break rules of draft 18.
var badMessages = []badMessage{
	{"unknown message type", toServer, "1e  Type\n0001  Length\n00", model.ProtocolViolation, ""},
	{"reserved message type", toServer, "20  Type\n0000  Length", model.ProtocolViolation, ""},
	{"SETUP on a request stream", toServer, "af00  Type\n0000  Length", model.ProtocolViolation, ""},
	{"SUBSCRIBE on the control stream", setupIn, "03  Type\n0006  Length\n00 01 01 61 00 00", model.ProtocolViolation, ""},

	{"PATH from a server", setupOut, "af00  Type\n0003  Length\n01 01 2f", model.InvalidPath, "PATH"},
	{"AUTHORITY from a server", setupOut, "af00  Type\n0003  Length\n05 01 61", model.InvalidAuthority, "AUTHORITY"},
	{"PATH over WebTransport", Context{Draft: model.Draft18, Receiver: Server, WebTransport: true}, "af00  Type\n0003  Length\n01 01 2f", model.InvalidPath, "PATH"},
	{"PATH without slash", setupIn, "af00  Type\n0003  Length\n01 01 61", model.MalformedPath, "PATH"},
	{"PATH with a bad escape", setupIn, "af00  Type\n0006  Length\n01 04 2f257a31", model.MalformedPath, "PATH"},
	{"AUTHORITY with a space", setupIn, "af00  Type\n0005  Length\n05 03 612062", model.MalformedAuthority, "AUTHORITY"},
	{"known option twice", setupIn, "af00  Type\n0004  Length\n04 01 00 02", model.ProtocolViolation, "MAX_AUTH_TOKEN_CACHE_SIZE"},
	{"option longer than SETUP", setupIn, "af00  Type\n0003  Length\n07 05 61", model.ProtocolViolation, "Setup Options"},
	{"option longer than 65535", setupIn, "af00  Type\n0004  Length\n07 c10000", model.ProtocolViolation, "Setup Options"},
	{"option type beyond 2^64-1", setupIn, "af00  Type\n000c  Length\nffffffffffffffffff 00 02 00", model.ProtocolViolation, "Setup Options"},
	{"token with an unknown action in SETUP", setupIn, "af00  Type\n0004  Length\n03 02 04 00", model.KeyValueFormattingError, "AUTHORIZATION_TOKEN"},
	{"token without bytes in SETUP", setupIn, "af00  Type\n0002  Length\n03 00", model.KeyValueFormattingError, "AUTHORIZATION_TOKEN"},
	{"DELETE in SETUP to a server", setupIn, "af00  Type\n0004  Length\n03 02 00 05", model.ProtocolViolation, "AUTHORIZATION_TOKEN"},

	{"GOAWAY with a URI to a server", setupIn, "10  Type\n0004  Length\n01 61 00 01", model.ProtocolViolation, "New Session URI"},
	{"GOAWAY with the receiver's other parity", setupOut, "10  Type\n0003  Length\n00 00 07", model.InvalidRequestID, "Request ID"},
	{"GOAWAY without Request ID on the control stream", setupOut, "10  Type\n0002  Length\n00 00", model.ProtocolViolation, "Request ID"},
	{"GOAWAY with Request ID on a request stream", toClient, "10  Type\n0003  Length\n00 00 02", model.ProtocolViolation, "Length"},

	{"namespace with 33 fields", toServer, "06  Type\n0002  Length\n00 21", model.ProtocolViolation, "Track Namespace"},
	{"namespace with 2^64-1 fields", toServer, "06  Type\n000a  Length\n00 ffffffffffffffffff", model.ProtocolViolation, "Track Namespace"},
	{"namespace with an empty field", toServer, "06  Type\n0004  Length\n00 01 00 00", model.ProtocolViolation, "Track Namespace"},
	{"namespace field of 2^64-1 bytes", toServer, "06  Type\n000b  Length\n00 01 ffffffffffffffffff", model.ProtocolViolation, "Track Namespace"},
	{"track name of 2^63 bytes", toServer, "03  Type\n000d  Length\n00 01 01 61 ff8000000000000000", model.ProtocolViolation, "Track Name"},

	{"unknown parameter", toServer, "03  Type\n0008  Length\n00 01 01 61 00 01 01 00", model.ProtocolViolation, "Parameter Type"},
	{"parameter of another message", toServer, "03  Type\n0008  Length\n00 01 01 61 00 01 08 00", model.ProtocolViolation, "EXPIRES"},
	{"parameter twice", toServer, "03  Type\n000a  Length\n00 01 01 61 00 02 10 01 00 01", model.ProtocolViolation, "FORWARD"},
	{"parameter type beyond 2^64-1", toServer, "03  Type\n0012  Length\n00 01 01 61 00 02 02 00 ffffffffffffffffff 00", model.ProtocolViolation, "Parameter Type"},
	{"fewer parameters than their number", toServer, "03  Type\n000e  Length\n00 01 01 61 00 ffffffffffffffffff", model.ProtocolViolation, "Parameter Type"},
	{"FORWARD 2", toServer, "03  Type\n0008  Length\n00 01 01 61 00 01 10 02", model.ProtocolViolation, "FORWARD"},
	{"GROUP_ORDER 0", toServer, "03  Type\n0008  Length\n00 01 01 61 00 01 22 00", model.ProtocolViolation, "GROUP_ORDER"},
	{"GROUP_ORDER 3", toServer, "03  Type\n0008  Length\n00 01 01 61 00 01 22 03", model.ProtocolViolation, "GROUP_ORDER"},
	{"filter of type 0", toServer, "03  Type\n0009  Length\n00 01 01 61 00 01 21 01 00", model.ProtocolViolation, "SUBSCRIPTION_FILTER"},
	{"filter of the private type 250", toServer, "03  Type\n000a  Length\n00 01 01 61 00 01 21 02 80fa", model.ProtocolViolation, "SUBSCRIPTION_FILTER"},
	{"filter with bytes left", toServer, "03  Type\n000a  Length\n00 01 01 61 00 01 21 02 02 00", model.ProtocolViolation, "SUBSCRIPTION_FILTER"},
	{"filter that ends beyond 2^64-1", toServer, "03  Type\n0014  Length\n00 01 01 61 00 01 21 0c 04 ffffffffffffffffff 00 01", model.ProtocolViolation, "SUBSCRIPTION_FILTER"},
	{"filter longer than the message", toServer, "03  Type\n0009  Length\n00 01 01 61 00 01 21 05 02", model.ProtocolViolation, "SUBSCRIPTION_FILTER"},
	{"token with bytes left", toServer, "03  Type\n000b  Length\n00 01 01 61 00 01 03 03 00 05 aa", model.KeyValueFormattingError, "AUTHORIZATION_TOKEN"},
	{"token that ends early", toServer, "03  Type\n0009  Length\n00 01 01 61 00 01 03 01 01", model.KeyValueFormattingError, "AUTHORIZATION_TOKEN"},
	{"update of a fetch with FORWARD", updating(KindFetch), "02  Type\n0004  Length\n02 01 10 01", model.ProtocolViolation, "FORWARD"},
	{"update of nothing that can be updated", updating(KindTrackStatus), "02  Type\n0004  Length\n02 01 02 01", model.ProtocolViolation, "OBJECT_DELIVERY_TIMEOUT"},
	{"update with an Existing Request ID of draft 16", updating(KindSubscribe), "02  Type\n0003  Length\n02 01 00", model.ProtocolViolation, "Parameter Type"},

	{"properties in PUBLISH_OK", answering(KindPublish, KindPublish), "07  Type\n0003  Length\n00 02 05", model.ProtocolViolation, "Track Properties"},
	{"DEFAULT_PUBLISHER_PRIORITY 256", toClient, "04  Type\n0005  Length\n05 00 0e 8100", model.ProtocolViolation, "Track Properties"},
	{"DEFAULT_PUBLISHER_GROUP_ORDER 3", toClient, "04  Type\n0004  Length\n05 00 22 03", model.ProtocolViolation, "Track Properties"},
	{"DYNAMIC_GROUPS 2 among the immutable", toClient, "04  Type\n0006  Length\n05 00 0b 02 30 02", model.ProtocolViolation, "Track Properties"},
	{"property longer than the message", toClient, "04  Type\n0005  Length\n05 00 41 05 61", model.ProtocolViolation, "Track Properties"},
	{"immutable inside immutable", toClient, "04  Type\n0006  Length\n05 00 0b 02 0b 00", model.NoError, "Track Properties"},
	{"immutable that does not add up", toClient, "04  Type\n0006  Length\n05 00 0b 02 41 05", model.NoError, "Track Properties"},

	{"unknown fetch type", toServer, "16  Type\n0005  Length\n00 00 00 00 00", model.ProtocolViolation, "Fetch Type"},
	{"fetch that ends before it starts", toServer, "16  Type\n000a  Length\n00 01 01 01 61 00 05 05 05 05", model.ProtocolViolation, "Number of Parameters"},
	{"fetch of no object", toServer, "16  Type\n000b  Length\n00 01 01 01 61 00 05 05 05 05 00", model.NoError, "End Location"},
	{"End Of Track 2", toClient, "18  Type\n0004  Length\n02 0a 03 00", model.ProtocolViolation, "End Of Track"},

	{"reason longer than 1024", toClient, "0b  Type\n0004  Length\n02 00 8401", model.ProtocolViolation, "Reason Phrase"},
	{"redirect code without redirect", toClient, "05  Type\n0003  Length\n34 00 00", model.ProtocolViolation, "Connect URI"},
	{"redirect to a URI at a server", toServer, "05  Type\n0007  Length\n34 00 00 01 75 00 00", model.ProtocolViolation, "Connect URI"},
	{"redirect of a namespace to a track", answering(KindSubscribeNamespace, KindRequestUpdate), "05  Type\n0009  Length\n34 00 00 00 01 01 61 01 74", model.ProtocolViolation, "Track Name"},
}

func TestBadMessagesAreRefused(t *testing.T) {
	for _, bad := range slices.Concat(badMessages, badOlderMessages) {
		t.Run(bad.name, func(t *testing.T) {
			typ, body, err := frame(annotated(t, bad.wire))
			if err != nil {
				t.Fatal(err)
			}
			m, err := ParseMessage(bad.ctx, typ, body)
			pe, ok := errors.AsType[*ParseError](err)
			if !ok {
				t.Fatalf("got %+v and error %v, want a ParseError", m, err)
			}
			if pe.Code != bad.code || pe.Field != bad.field {
				t.Errorf("%v: code %v of field %q, want %v of %q", err, pe.Code, pe.Field, bad.code, bad.field)
			}
			if pe.Fatal() != (bad.code != model.NoError) || pe.Fatal() != (m == nil) {
				t.Errorf("%v: fatal %v, message %+v", err, pe.Fatal(), m)
			}
			if !strings.HasPrefix(err.Error(), pe.Message+": ") || errors.Unwrap(err) == nil {
				t.Errorf("%q does not begin with the message", err)
			}
		})
	}
}

// A request that asks for nothing is refused, but its ID and its stream are
// good: the message comes beside the error.
func TestRefusedRequestIsReturned(t *testing.T) {
	typ, body, err := frame(annotated(t, `
		16  Type
		000b  Length
		06  Request ID
		01  Fetch Type
		01 01 61  Track Namespace
		00  Track Name
		05 05  Start Location
		04 00  End Location
		00  Number of Parameters`))
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseMessage(toServer, typ, body)
	pe, ok := errors.AsType[*ParseError](err)
	if !ok || pe.Request != model.Some(model.InvalidRange) {
		t.Fatalf("error %v, want INVALID_RANGE for the request", err)
	}
	if f, ok := m.(*Fetch); !ok || f.RequestID != 6 {
		t.Errorf("message %+v, want the FETCH", m)
	}
}

// A track that is malformed from the start is refused by refusing the PUBLISH.
func TestMalformedPublishIsRefused(t *testing.T) {
	typ, body, err := frame(annotated(t, `
		1d  Type
		000a  Length
		02  Request ID
		01 01 61  Track Namespace
		00  Track Name
		05  Track Alias
		00  Number of Parameters
		0b 01 0b  IMMUTABLE_PROPERTIES that do not add up`))
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseMessage(toServer, typ, body)
	pe, ok := errors.AsType[*ParseError](err)
	if !ok || !pe.Malformed || pe.Request != model.Some(model.RequestMalformedTrack) {
		t.Fatalf("error %v, want MALFORMED_TRACK for the request", err)
	}
	if p, ok := m.(*Publish); !ok || p.RequestID != 2 || len(p.TrackProperties) != 1 {
		t.Errorf("message %+v, want the PUBLISH", m)
	}
}

type badMessageToSend struct {
	name string
	ctx  Context
	msg  Message
}

// badMessagesToSend cannot be said in draft 18.
var badMessagesToSend = []badMessageToSend{
	{"an unknown draft", Context{Draft: 17}, &Setup{}},
	{"SUBSCRIBE on the control stream", setupIn, &Subscribe{Track: liveVideo}},
	{"PATH of a server", setupOut, &Setup{Path: model.Some("/")}},
	{"a known option among the unknown", setupIn, &Setup{Unknown: model.Properties{{Type: optionPath}}}},
	{"unknown options out of order", setupIn, &Setup{Unknown: model.Properties{{Type: 9}, {Type: 8}}}},
	{"a token with an unknown action", setupIn, &Setup{Tokens: []Token{{Action: 4}}}},
	{"GOAWAY of a client with a URI", setupIn, &Goaway{NewSessionURI: "x", RequestID: model.Some[uint64](1)}},
	{"GOAWAY on the control stream without Request ID", setupOut, &Goaway{}},
	{"a URI that is too long", setupOut, &Goaway{NewSessionURI: strings.Repeat("u", MaxURILen+1), RequestID: model.Some[uint64](0)}},
	{"a reason that is too long", toClient, &PublishDone{Reason: strings.Repeat("r", MaxReasonLen+1)}},
	{"a namespace with 33 fields", toServer, &PublishNamespace{Namespace: strings.Split(strings.Repeat("a", 33), "")}},
	{"a namespace with an empty field", toServer, &PublishNamespace{Namespace: model.Namespace{""}}},
	{"a name that is too long", toServer, &Subscribe{Track: model.FullTrackName{Namespace: model.Namespace{"a"}, Name: strings.Repeat("n", model.MaxFullTrackNameLen)}}},
	{"a payload that is too long", toServer, subscribing(Params{Tokens: []Token{{Action: TokenUseValue, Value: make([]byte, MaxMessageLen)}}})},
	{"EXPIRES in SUBSCRIBE", toServer, subscribing(Params{Expires: model.Some[uint64](0)})},
	{"EXPIRES in TRACK_STATUS_OK, although it is read", answering(KindTrackStatus, KindTrackStatus), &RequestOK{Params: Params{Expires: model.Some[uint64](0)}}},
	{"INCLUDE_PROPERTIES, which draft 18 lacks", toServer, subscribing(Params{IncludeProperties: model.Some(true)})},
	{"FILL_PARAMETERS, which draft 18 lacks", toServer, subscribing(Params{Fill: new(Params)})},
	{"GROUP_ORDER 0", toServer, subscribing(Params{GroupOrder: model.Some(model.GroupOrderUnset)})},
	{"a filter that starts groups back", toServer, subscribing(Params{Filter: model.Some(model.Filter{Kind: model.FilterRelative, Back: 1})})},
	{"a filter that ends inside a group", toServer, subscribing(Params{Filter: model.Some(model.Filter{Kind: model.FilterAbsolute, End: model.Some(model.EndLocation{Object: model.Some[uint64](1)})})})},
	{"a filter that ends before it starts", toServer, subscribing(Params{Filter: model.Some(model.Filter{Kind: model.FilterAbsolute, Start: model.Location{Group: 2}, End: model.Some(model.EndLocation{Group: 1})})})},
	{"a filter of an unknown kind", toServer, subscribing(Params{Filter: model.Some(model.Filter{Kind: 77})})},
	{"a fetch of nothing", toServer, &Fetch{FetchKind: FetchStandalone, Track: liveVideo, Range: model.Range{Start: model.Location{Group: 1}}}},
	{"a fetch of an unknown kind", toServer, &Fetch{}},
	{"properties in PUBLISH_OK", answering(KindPublish, KindPublish), &RequestOK{TrackProperties: model.Properties{{Type: 2}}}},
	{"properties out of order", toClient, &SubscribeOK{TrackProperties: model.Properties{{Type: 4}, {Type: 2}}}},
	{"a property that is too long", toClient, &SubscribeOK{TrackProperties: model.Properties{{Type: 0x41, Bytes: make([]byte, MaxPropertyLen+1)}}}},
	{"a redirect with another code", toClient, &RequestError{Code: model.DoesNotExist, Redirect: &model.Redirect{}}},
	{"a redirect code without a redirect", toClient, &RequestError{Code: model.Redirected}},
	{"a redirect to a URI for a server", toServer, &RequestError{Code: model.Redirected, Redirect: &model.Redirect{ConnectURI: "u"}}},
	{"a redirect of a namespace to a track", answering(KindPublishNamespace, KindPublishNamespace), &RequestError{Code: model.Redirected, Redirect: &model.Redirect{Track: &liveVideo}}},
	{"a retry interval of 2^64-1", toClient, &RequestError{RetryInterval: model.Some[uint64](1<<64 - 1)}},
}

func TestMessagesThatCannotBeSent(t *testing.T) {
	for _, bad := range slices.Concat(badMessagesToSend, badOlderMessagesToSend) {
		t.Run(bad.name, func(t *testing.T) {
			before := []byte{1, 2, 3}
			got, err := AppendMessage(before, bad.ctx, bad.msg)
			if err == nil {
				t.Fatalf("written as %x", got[3:])
			}
			if len(got) != len(before) {
				t.Errorf("left %d bytes behind", len(got)-len(before))
			}
		})
	}
}

// badObjects are headers of objects that break a rule; the first has ID 5, the
// stream has properties.
var badObjects = []struct {
	name string
	wire string
	code model.SessionCode
}{
	{"Object ID beyond 2^64-1", "ffffffffffffffffff  Object ID Delta", model.ProtocolViolation},
	{"Object ID 2^64 exactly", "fffffffffffffffffa  Object ID Delta", model.ProtocolViolation},
	{"unknown status", "00  delta\n00  properties\n00  length\n01  status", model.ProtocolViolation},
	{"status 2^64-1", "00  delta\n00  properties\n00  length\nffffffffffffffffff  status", model.ProtocolViolation},
	{"properties on an end of group", "00  delta\n02 40 01  properties\n00  length\n03  status", model.ProtocolViolation},
	{"property that crosses the list", "00  delta\n01 40  properties\n01  length", model.ProtocolViolation},
	{"property of 65536 bytes", "00  delta\n04 41c10000  properties\n01  length", model.ProtocolViolation},
	{"property type beyond 2^64-1", "00  delta\n0d fffffffffffffffffe 00 02 0000  properties\n01  length", model.ProtocolViolation},
	{"immutable inside immutable", "00  delta\n04 0b 02 0b 00  properties\n01  length", model.NoError},
	{"immutable that does not add up", "00  delta\n04 0b 02 41 05  properties\n01  length", model.NoError},
	{"immutable twice", "00  delta\n04 0b 00 00 00  properties\n01  length", model.NoError},
	{"object gap twice", "00  delta\n04 3e 01 00 01  properties\n01  length", model.NoError},
	{"object gap inside and outside immutable", "00  delta\n06 0b 02 3e 01 33 01  properties\n01  length", model.NoError},
	{"object gap before object 0", "00  delta\n02 3e 07  properties\n01  length", model.NoError},
	{"mandatory track property", "00  delta\n04 c04000 00  properties\n01  length", model.NoError},
	{"mandatory track property among the immutable", "00  delta\n06 0b 04 c07ffe 00  properties\n01  length", model.NoError},
}

func TestBadObjectsAreRefused(t *testing.T) {
	for _, bad := range badObjects {
		t.Run(bad.name, func(t *testing.T) {
			r := varint.NewReader(varint.MoQ, annotated(t, bad.wire))
			h, err := FormOf(model.Draft18, true).ParseObject(model.Some[uint64](5), r)
			pe, ok := errors.AsType[*ParseError](err)
			if !ok {
				t.Fatalf("got %+v and %v, want a ParseError", h, err)
			}
			if pe.Code != bad.code || pe.Malformed != (bad.code == model.NoError) {
				t.Errorf("%v: code %v, malformed %v; want %v", err, pe.Code, pe.Malformed, bad.code)
			}
			if pe.Malformed && h.PayloadLen != 1 {
				t.Errorf("%v: header %+v does not come beside the error", err, h)
			}
		})
	}
}
