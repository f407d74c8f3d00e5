package wire

import (
	"errors"
	"strings"
	"testing"

	"oxymoq/pkg/model"
)

// badOlderMessages break one rule of draft 16 or 14 each, as badMessages do of
// draft 18.
var badOlderMessages = []badMessage{
	{"16: SETUP of draft 18", server16, "af00  Type\n0000  Length", model.ProtocolViolation, ""},
	{"16: PUBLISH_BLOCKED", client16, "0f  Type\n0002  Length\n00 00", model.ProtocolViolation, ""},
	{"16: CLIENT_SETUP to a client", client16, "20  Type\n0001  Length\n00", model.ProtocolViolation, ""},
	{"16: SERVER_SETUP to a server", server16, "21  Type\n0001  Length\n00", model.ProtocolViolation, ""},
	{"16: SUBSCRIBE on a stream of its own", ownStream(server16), "03  Type\n0006  Length\n00 01 01 61 00 00", model.ProtocolViolation, ""},
	{"16: SUBSCRIBE_NAMESPACE on the control stream", server16, "11  Type\n0004  Length\n04 00 01 00", model.ProtocolViolation, ""},
	{"16: REQUEST_OK to PUBLISH", olderAnswer(model.Draft16, KindPublish), "07  Type\n0002  Length\n01 00", model.ProtocolViolation, ""},
	{"16: PUBLISH_OK to SUBSCRIBE_NAMESPACE", olderAnswer(model.Draft16, KindSubscribeNamespace), "1e  Type\n0002  Length\n01 00", model.ProtocolViolation, ""},
	{"16: properties in REQUEST_OK", olderAnswer(model.Draft16, KindTrackStatus), "07  Type\n0004  Length\n01 00 02 05", model.ProtocolViolation, "Length"},

	{"16: fewer options than their number", server16, "20  Type\n0003  Length\n02 02 01", model.ProtocolViolation, "Setup Options"},
	{"16: 2^62-1 options", server16, "20  Type\n0008  Length\nffffffffffffffff", model.ProtocolViolation, "Setup Options"},
	{"16: more options than their number", server16, "20  Type\n0003  Length\n00 02 01", model.ProtocolViolation, "Length"},
	{"16: MAX_REQUEST_ID twice", server16, "20  Type\n0005  Length\n02 02 01 00 01", model.ProtocolViolation, "MAX_REQUEST_ID"},
	{"16: PATH from a server", client16, "21  Type\n0004  Length\n01 01 01 2f", model.InvalidPath, "PATH"},
	{"16: AUTHORITY with a space", server16, "20  Type\n0006  Length\n01 05 03 612062", model.MalformedAuthority, "AUTHORITY"},
	{"16: GOAWAY with a timeout", client16, "10  Type\n0002  Length\n00 00", model.ProtocolViolation, "Length"},
	{"16: GOAWAY with a URI to a server", server16, "10  Type\n0002  Length\n01 61", model.ProtocolViolation, "New Session URI"},

	{"16: namespace without fields", server16, "03  Type\n0004  Length\n00 00 00 00", model.ProtocolViolation, "Track Namespace"},
	{"16: PUBLISH_NAMESPACE without fields", server16, "06  Type\n0003  Length\n00 00 00", model.ProtocolViolation, "Track Namespace"},
	{"16: prefix with 33 fields", ownStream(server16), "11  Type\n0002  Length\n00 21", model.ProtocolViolation, "Track Namespace Prefix"},
	{"16: Subscribe Options 3", ownStream(server16), "11  Type\n0004  Length\n00 00 03 00", model.ProtocolViolation, "Subscribe Options"},

	{"16: unknown parameter", server16, "03  Type\n0008  Length\n00 01 01 61 00 01 04 00", model.ProtocolViolation, "Parameter Type"},
	{"16: parameter twice", server16, "03  Type\n000a  Length\n00 01 01 61 00 02 10 01 00 01", model.ProtocolViolation, "FORWARD"},
	{"16: misplaced parameter that is too long", server16, "03  Type\n0009  Length\n00 01 01 61 00 01 09 05 00", model.ProtocolViolation, "Value"},
	{"16: FORWARD 2", server16, "03  Type\n0008  Length\n00 01 01 61 00 01 10 02", model.ProtocolViolation, "FORWARD"},
	{"16: FORWARD in two bytes", server16, "03  Type\n0009  Length\n00 01 01 61 00 01 10 4040", model.ProtocolViolation, "FORWARD"},
	{"16: SUBSCRIBER_PRIORITY 256", server16, "03  Type\n0009  Length\n00 01 01 61 00 01 20 4100", model.ProtocolViolation, "SUBSCRIBER_PRIORITY"},
	{"16: GROUP_ORDER 0", server16, "03  Type\n0008  Length\n00 01 01 61 00 01 22 00", model.ProtocolViolation, "GROUP_ORDER"},
	{"16: DELIVERY_TIMEOUT 0", server16, "03  Type\n0008  Length\n00 01 01 61 00 01 02 00", model.ProtocolViolation, "DELIVERY_TIMEOUT"},
	{"16: DELIVERY_TIMEOUT 0 of the track", client16, "04  Type\n0005  Length\n01 05 00 02 00", model.ProtocolViolation, "Track Properties"},
	{"16: LARGEST_OBJECT without its length", client16, "04  Type\n0006  Length\n01 05 01 09 0a 03", model.KeyValueFormattingError, "LARGEST_OBJECT"},
	{"16: LARGEST_OBJECT with bytes left", client16, "04  Type\n0008  Length\n01 05 01 09 03 0a 03 00", model.KeyValueFormattingError, "LARGEST_OBJECT"},
	{"16: filter with bytes left", server16, "03  Type\n000a  Length\n00 01 01 61 00 01 21 02 02 00", model.ProtocolViolation, "SUBSCRIPTION_FILTER"},
	{"16: filter that ends before it starts", server16, "03  Type\n000c  Length\n00 01 01 61 00 01 21 04 04 05 00 04", model.NoError, "SUBSCRIPTION_FILTER"},
	{"16: the same in PUBLISH_OK", olderAnswer(model.Draft16, KindPublish), "1e  Type\n0008  Length\n01 01 21 04 04 05 00 04", model.ProtocolViolation, "SUBSCRIPTION_FILTER"},
	{"16: update of a fetch with FORWARD", updating16(KindFetch), "02  Type\n0005  Length\n02 00 01 10 01", model.ProtocolViolation, "FORWARD"},
	{"16: REQUEST_UPDATE without Existing Request ID", updating16(KindSubscribe), "02  Type\n0002  Length\n02 00", model.ProtocolViolation, "Number of Parameters"},
	{"16: REQUEST_ERROR with a redirect", olderAnswer(model.Draft16, KindSubscribe), "05  Type\n0007  Length\n01 34 00 00 00 00 00", model.ProtocolViolation, "Length"},

	{"14: REQUEST_OK to an update", olderAnswer(model.Draft14, KindRequestUpdate), "07  Type\n0001  Length\n01", model.ProtocolViolation, ""},
	{"14: FETCH_ERROR to SUBSCRIBE", olderAnswer(model.Draft14, KindSubscribe), "19  Type\n0003  Length\n01 04 00", model.ProtocolViolation, ""},
	{"14: SUBSCRIBE_NAMESPACE on a stream of its own", ownStream(server14), "11  Type\n0004  Length\n00 01 01 61 00", model.ProtocolViolation, ""},
	{"14: no versions", server14, "20  Type\n0002  Length\n00 00", model.ProtocolViolation, "Number of Supported Versions"},
	{"14: 2^62-1 versions", server14, "20  Type\n0009  Length\nffffffffffffffff 01", model.ProtocolViolation, "Version"},
	{"14: AUTHORITY over WebTransport is the implementation, PATH is not", Context{Draft: model.Draft14, Receiver: Server, WebTransport: true},
		"20  Type\n0010  Length\n01 c0000000ff00000e 02 05 01 61 01 01 2f", model.InvalidPath, "PATH"},
	{"14: prefix without fields", server14, "11  Type\n0003  Length\n00 00 00", model.ProtocolViolation, "Track Namespace Prefix"},
	{"14: UNSUBSCRIBE_NAMESPACE without fields", server14, "14  Type\n0001  Length\n00", model.ProtocolViolation, "Track Namespace Prefix"},
	{"14: PUBLISH_NAMESPACE_DONE without fields", client14, "09  Type\n0001  Length\n00", model.ProtocolViolation, "Track Namespace"},
	{"14: Group Order 3", server14, "03  Type\n000a  Length\n00 01 01 61 00 80 03 01 01 00", model.ProtocolViolation, "Group Order"},
	{"14: Forward 2", server14, "03  Type\n000a  Length\n00 01 01 61 00 80 00 02 01 00", model.ProtocolViolation, "Forward"},
	{"14: filter of type 5", server14, "03  Type\n000a  Length\n00 01 01 61 00 80 00 01 05 00", model.ProtocolViolation, "Filter Type"},
	{"14: filter that ends before it starts", server14, "03  Type\n000d  Length\n00 01 01 61 00 80 00 01 04 05 00 04 00", model.NoError, "Filter Type"},
	{"14: the same in PUBLISH_OK", olderAnswer(model.Draft14, KindPublish), "1e  Type\n0009  Length\n01 01 80 01 04 05 00 04 00", model.ProtocolViolation, "Filter Type"},
	{"14: update that ends before it starts", server14, "02  Type\n0008  Length\n02 00 05 00 05 80 01 00", model.ProtocolViolation, "End Group"},
	{"14: Group Order 0 in SUBSCRIBE_OK", client14, "04  Type\n0006  Length\n01 00 00 00 00 00", model.ProtocolViolation, "Group Order"},
	{"14: Content Exists 2", client14, "04  Type\n0008  Length\n01 00 00 01 02 00 00 00", model.ProtocolViolation, "Content Exists"},
	{"14: Group Order 0 in FETCH_OK", client14, "18  Type\n0006  Length\n01 00 00 00 00 00", model.ProtocolViolation, "Group Order"},
	{"14: extensions in SUBSCRIBE_OK", client14, "04  Type\n0008  Length\n01 00 00 01 00 00 0e 05", model.ProtocolViolation, "Length"},
	{"14: parameters in PUBLISH_NAMESPACE_OK", olderAnswer(model.Draft14, KindPublishNamespace), "07  Type\n0002  Length\n01 00", model.ProtocolViolation, "Length"},
	{"14: Retry Interval in SUBSCRIBE_ERROR", olderAnswer(model.Draft14, KindSubscribe), "05  Type\n0004  Length\n01 04 00 00", model.ProtocolViolation, "Length"},
	{"14: DELIVERY_TIMEOUT twice", server14, "03  Type\n000e  Length\n00 01 01 61 00 80 00 01 01 02 02 01 02 01", model.ProtocolViolation, "DELIVERY_TIMEOUT"},
	{"14: unknown parameter longer than the message", server14, "03  Type\n000d  Length\n00 01 01 61 00 80 00 01 01 01 4041 05", model.ProtocolViolation, "Value"},
	{"14: token with bytes left", server14, "03  Type\n000f  Length\n00 01 01 61 00 80 00 01 01 01 03 03 00 05 aa", model.KeyValueFormattingError, "AUTHORIZATION_TOKEN"},
}

// badOlderMessagesToSend cannot be said in draft 16 or 14.
var badOlderMessagesToSend = []badMessageToSend{
	{"16: versions", server16, &Setup{Versions: version}},
	{"16: SUBSCRIBE_TRACKS", server16, &SubscribeTracks{}},
	{"16: UNSUBSCRIBE_NAMESPACE", server16, &UnsubscribeNamespace{}},
	{"16: SUBSCRIBE_NAMESPACE on the control stream", server16, &SubscribeNamespace{}},
	{"16: unknown Subscribe Options", ownStream(server16), &SubscribeNamespace{Options: 3}},
	{"16: a namespace without fields", server16, &PublishNamespace{}},
	{"16: a track without namespace", server16, &Subscribe{}},
	{"16: an integer beyond 2^62-1", server16, &Unsubscribe{RequestID: 1 << 62}},
	{"16: TRACK_NAMESPACE_PREFIX", ownStream(updating16(KindSubscribeNamespace)), &RequestUpdate{Params: Params{NamespacePrefix: model.Some(model.Namespace{"a"})}}},
	{"16: MAX_CACHE_DURATION as a parameter", client16, &SubscribeOK{Params: Params{MaxCacheDuration: model.Some[uint64](1)}}},
	{"16: GROUP_ORDER in SUBSCRIBE_OK", client16, &SubscribeOK{Params: Params{GroupOrder: model.Some(model.Ascending)}}},
	{"16: the answer to nothing", olderAnswer(model.Draft16, KindSubscribe), &RequestOK{}},
	{"18: MAX_REQUEST_ID", setupIn, &Setup{MaxRequestID: model.Some[uint64](1)}},

	{"14: no version", server14, &Setup{}},
	{"14: two versions of a server", client14, &Setup{Versions: []uint64{1, 2}}},
	{"14: NAMESPACE", client14, &Namespace{}},
	{"14: the answer to an update", olderAnswer(model.Draft14, KindRequestUpdate), &RequestOK{}},
	{"14: an error for an update", olderAnswer(model.Draft14, KindRequestUpdate), &RequestError{}},
	{"14: a prefix without fields", server14, &SubscribeNamespace{}},
	{"14: an update that leaves the filter", server14, &RequestUpdate{Params: Params{SubscriberPriority: model.Some[uint8](1), Forward: model.Some(true)}}},
	{"14: an update to the next object", server14, &RequestUpdate{Params: subscription14(Params{Filter: model.Some(model.NextObject)})}},
	{"14: an update that ends inside a group", server14, &RequestUpdate{Params: subscription14(Params{
		Filter: model.Some(model.Filter{Kind: model.FilterAbsolute, End: model.Some(model.EndLocation{Object: model.Some[uint64](1)})})})}},
	{"14: an update that ends before it starts", server14, &RequestUpdate{Params: subscription14(Params{Filter: upTo(model.Location{Group: 2}, 1)})}},
	{"14: FORWARD in FETCH", server14, &Fetch{FetchKind: FetchRelativeJoining, Params: Params{Forward: model.Some(true)}}},
	{"14: a token in PUBLISH_NAMESPACE_OK", olderAnswer(model.Draft14, KindPublishNamespace), &RequestOK{Params: Params{Tokens: []Token{{}}}}},
	{"14: GROUP_ORDER 3", server14, subscribing(Params{GroupOrder: model.Some(model.GroupOrder(3))})},
	{"14: properties in PUBLISH_OK", olderAnswer(model.Draft14, KindPublish), &RequestOK{TrackProperties: model.Properties{{Type: 2, Int: 1}}}},
}

// A filter that ends before it starts ends the request, not the session.
func TestRefusedSubscribeOfOlderDraftsIsReturned(t *testing.T) {
	for _, ctx := range []Context{server16, server14} {
		wire := map[model.Draft]string{
			model.Draft16: "03  Type\n000c  Length\n07 01 01 61 00 01 21 04 04 05 00 04",
			model.Draft14: "03  Type\n000d  Length\n07 01 01 61 00 80 00 01 04 05 00 04 00",
		}[ctx.Draft]
		typ, body, err := frame(annotated(t, wire))
		if err != nil {
			t.Fatal(err)
		}
		m, err := ParseMessage(ctx, typ, body)
		pe, ok := errors.AsType[*ParseError](err)
		if !ok || pe.Request != model.Some(model.InvalidRange) || !strings.Contains(err.Error(), "Start Location") {
			t.Errorf("draft %v: error %v, want INVALID_RANGE for the request", ctx.Draft, err)
		}
		if s, ok := m.(*Subscribe); !ok || s.RequestID != 7 {
			t.Errorf("draft %v: message %+v, want the SUBSCRIBE", ctx.Draft, m)
		}
	}
}
