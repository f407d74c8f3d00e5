package wire

import (
	"slices"

	"oxymoq/pkg/model"
)

// older is a Context of a draft up to 16, in which nearly all messages travel on
// the control stream.
func older(d model.Draft, receiver Role) Context {
	return Context{Draft: d, Stream: ControlStream, Receiver: receiver}
}

// olderAnswer is the context of the answer to a message of such a draft.
func olderAnswer(d model.Draft, answers MessageKind) Context {
	ctx := older(d, Client)
	ctx.Request, ctx.Answers = answers, answers
	return ctx
}

// ownStream moves a context to the request stream that SUBSCRIBE_NAMESPACE of
// draft 16 has.
func ownStream(ctx Context) Context {
	ctx.Stream = RequestStream
	return ctx
}

var (
	server16 = older(model.Draft16, Server)
	client16 = older(model.Draft16, Client)
)

func updating16(request MessageKind) Context {
	ctx := server16
	ctx.Request = request
	return ctx
}

func rows16() []row {
	return slices.Concat(setupRows16, requestRows16, answerRows16, endRows(model.Draft16), namespaceRows16)
}

var setupRows16 = []row{
	{"CLIENT_SETUP without options", server16, &Setup{}, `
		20  Type
		0001  Length
		00  Number of Parameters`},
	{"CLIENT_SETUP with every option", server16, &Setup{
		Path: model.Some("/moq"), MaxRequestID: model.Some[uint64](100), Tokens: []Token{{Action: TokenRegister, Alias: 64, Type: 1, Value: []byte("ab")}, largeToken},
		MaxTokenCacheSize: model.Some[uint64](1024), Authority: model.Some("a:1"), Implementation: model.Some("x"),
		Unknown: model.Properties{{Type: 0x41, Bytes: []byte{1}}, {Type: 0x42, Int: 1<<62 - 1}},
	}, `
		20  Type
		0034  Length
		09  Number of Parameters
		01 04 2f6d6f71  PATH
		01 4064  MAX_REQUEST_ID
		01 06 01 4040 01 6162  AUTHORIZATION_TOKEN
		00 09 03 412c 736563726574  AUTHORIZATION_TOKEN
		01 4400  MAX_AUTH_TOKEN_CACHE_SIZE
		01 03 613a31  AUTHORITY
		02 01 78  MOQT_IMPLEMENTATION
		3a 01 01  0x41
		01 ffffffffffffffff  0x42`},
	{"SERVER_SETUP", client16, &Setup{MaxRequestID: model.Some[uint64](0), Implementation: model.Some("y")}, `
		21  Type
		0006  Length
		02  Number of Parameters
		02 00  MAX_REQUEST_ID
		05 01 79  MOQT_IMPLEMENTATION`},
}

// every16 is what a SUBSCRIBE of draft 16 may carry.
var every16 = Params{
	ObjectDeliveryTimeout: model.Some[uint64](3000),
	Tokens:                []Token{{Action: TokenUseAlias, Alias: 9}, largeToken},
	Forward:               model.Some(false),
	SubscriberPriority:    model.Some[uint8](200),
	Filter:                model.Some(model.Filter{Kind: model.FilterAbsolute, Start: model.Location{Group: 200, Object: 5}, End: model.Some(model.EndLocation{Group: 500})}),
	GroupOrder:            model.Some(model.Descending),
	NewGroupRequest:       model.Some[uint64](1 << 40),
}

var requestRows16 = []row{
	{"SUBSCRIBE without parameters", server16, subscribing(Params{}), `
		03  Type
		000e  Length
		01  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		00  Number of Parameters`},
	{"SUBSCRIBE from the next object", server16, subscribing(Params{Filter: model.Some(model.NextObject)}), `
		03  Type
		0011  Length
		01  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		01  Number of Parameters
		21 01 02  SUBSCRIPTION_FILTER Largest Object`},
	{"SUBSCRIBE with every parameter", server16, subscribing(every16), `
		03  Type
		0038  Length
		01  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		08  Number of Parameters
		02 4bb8  DELIVERY_TIMEOUT
		01 02 02 09  AUTHORIZATION_TOKEN
		00 09 03 412c 736563726574  AUTHORIZATION_TOKEN
		0d 00  FORWARD
		10 40c8  SUBSCRIBER_PRIORITY
		01 06 04 40c8 05 41f4  SUBSCRIPTION_FILTER with an absolute End Group
		01 02  GROUP_ORDER
		10 c000010000000000  NEW_GROUP_REQUEST`},
	{"TRACK_STATUS", server16, &TrackStatus{RequestID: 64, Track: liveVideo, Params: Params{Tokens: []Token{{Action: TokenUseAlias, Alias: 1}}}}, `
		0d  Type
		0013  Length
		4040  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		01  Number of Parameters
		03 02 02 01  AUTHORIZATION_TOKEN`},
	{"PUBLISH with everything", server16, &Publish{RequestID: 2, Track: liveVideo, TrackAlias: 300,
		Params: Params{Expires: model.Some[uint64](64), LargestObject: model.Some(model.Location{Group: 64, Object: 1}), Forward: model.Some(true)},
		TrackProperties: model.Properties{
			{Type: model.PropMaxCacheDuration, Int: 10000}, {Type: model.PropDefaultPriority, Int: 128}, {Type: model.PropDynamicGroups, Int: 1}, {Type: 0x41, Bytes: []byte("x")}}}, `
		1d  Type
		0025  Length
		02  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		412c  Track Alias
		03  Number of Parameters
		08 4040  EXPIRES
		01 03 4040 01  LARGEST_OBJECT
		07 01  FORWARD
		04 6710  MAX_CACHE_DURATION
		0a 4080  DEFAULT_PUBLISHER_PRIORITY
		22 01  DYNAMIC_GROUPS
		11 01 78  0x41`},
	{"FETCH of a range", server16, &Fetch{RequestID: 4, FetchKind: FetchStandalone, Track: liveVideo,
		Range:  model.Range{Start: model.Location{Group: 64, Object: 3}, End: model.Location{Group: 100, Object: 63}},
		Params: Params{SubscriberPriority: model.Some[uint8](128), GroupOrder: model.Some(model.Ascending)}}, `
		16  Type
		001b  Length
		04  Request ID
		01  Fetch Type
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		4040 03  Start Location
		4064 4040  End Location, plus one
		02  Number of Parameters
		20 4080  SUBSCRIBER_PRIORITY
		02 01  GROUP_ORDER`},
	{"FETCH, relative joining", server16, &Fetch{RequestID: 6, FetchKind: FetchRelativeJoining, JoiningRequestID: 2, JoiningStart: 3}, `
		16  Type
		0005  Length
		06  Request ID
		02  Fetch Type
		02  Joining Request ID
		03  Joining Start
		00  Number of Parameters`},
	{"PUBLISH_NAMESPACE", server16, &PublishNamespace{RequestID: 64, Namespace: model.Namespace{"live"}}, `
		06  Type
		0009  Length
		4040  Request ID
		01 04 6c697665  Track Namespace
		00  Number of Parameters`},
	{"REQUEST_UPDATE of a subscription", updating16(KindPublish), &RequestUpdate{RequestID: 64, Existing: 65, Params: Params{
		Forward: model.Some(true), Filter: model.Some(model.From(model.Location{Group: 5}))}}, `
		02  Type
		000c  Length
		4040  Request ID
		4041  Existing Request ID
		02  Number of Parameters
		10 01  FORWARD
		11 03 03 05 00  SUBSCRIPTION_FILTER`},
	{"REQUEST_UPDATE of a fetch", updating16(KindFetch), &RequestUpdate{RequestID: 6, Existing: 4, Params: Params{SubscriberPriority: model.Some[uint8](9)}}, `
		02  Type
		0005  Length
		06  Request ID
		04  Existing Request ID
		01  Number of Parameters
		20 09  SUBSCRIBER_PRIORITY`},
	{"REQUEST_UPDATE on a stream of its own", ownStream(updating16(KindSubscribeNamespace)), &RequestUpdate{RequestID: 8, Existing: 6, Params: Params{Tokens: []Token{{Action: TokenUseAlias, Alias: 3}}}}, `
		02  Type
		0007  Length
		08  Request ID
		06  Existing Request ID
		01  Number of Parameters
		03 02 02 03  AUTHORIZATION_TOKEN`},
}

var answerRows16 = []row{
	{"SUBSCRIBE_OK with LARGEST_OBJECT", client16, &SubscribeOK{RequestID: 1, TrackAlias: 5, Params: Params{LargestObject: model.Some(model.Location{Group: 10, Object: 3})}}, `
		04  Type
		0007  Length
		01  Request ID
		05  Track Alias
		01  Number of Parameters
		09 02 0a 03  LARGEST_OBJECT`},
	{"SUBSCRIBE_OK with extensions", client16, &SubscribeOK{RequestID: 64, TrackProperties: model.Properties{{Type: model.PropObjectDeliveryTimeout, Int: 5000}, {Type: model.PropDefaultGroupOrder, Int: 2}}}, `
		04  Type
		0009  Length
		4040  Request ID
		00  Track Alias
		00  Number of Parameters
		02 5388  DELIVERY_TIMEOUT
		20 02  DEFAULT_PUBLISHER_GROUP_ORDER`},
	{"FETCH_OK", client16, &FetchOK{RequestID: 2, EndOfTrack: true, End: model.Location{Group: 10, Object: model.MaxID}, TrackProperties: model.Properties{{Type: model.PropMaxCacheDuration, Int: 10000}}}, `
		18  Type
		0008  Length
		02  Request ID
		01  End Of Track
		0a 00  End Location, the whole group
		00  Number of Parameters
		04 6710  MAX_CACHE_DURATION`},
	{"PUBLISH_OK with parameters", olderAnswer(model.Draft16, KindPublish), &RequestOK{RequestID: 3, Params: Params{SubscriberPriority: model.Some[uint8](64), GroupOrder: model.Some(model.Ascending)}}, `
		1e  Type
		0007  Length
		03  Request ID
		02  Number of Parameters
		20 4040  SUBSCRIBER_PRIORITY
		02 01  GROUP_ORDER`},
	{"REQUEST_OK to an update", olderAnswer(model.Draft16, KindRequestUpdate), &RequestOK{RequestID: 1, Params: Params{LargestObject: model.Some(model.Location{Group: 10, Object: 3})}}, `
		07  Type
		0006  Length
		01  Request ID
		01  Number of Parameters
		09 02 0a 03  LARGEST_OBJECT`},
	{"REQUEST_OK to TRACK_STATUS", olderAnswer(model.Draft16, KindTrackStatus), &RequestOK{RequestID: 64}, `
		07  Type
		0003  Length
		4040  Request ID
		00  Number of Parameters`},
	{"REQUEST_OK to PUBLISH_NAMESPACE", olderAnswer(model.Draft16, KindPublishNamespace), &RequestOK{RequestID: 1}, `
		07  Type
		0002  Length
		01  Request ID
		00  Number of Parameters`},
	{"REQUEST_OK on a stream of its own", ownStream(olderAnswer(model.Draft16, KindSubscribeNamespace)), &RequestOK{RequestID: 5}, `
		07  Type
		0002  Length
		05  Request ID
		00  Number of Parameters`},
	{"REQUEST_ERROR without retry", olderAnswer(model.Draft16, KindSubscribe), &RequestError{RequestID: 1, Code: model.DoesNotExist, Reason: "no"}, `
		05  Type
		0006  Length
		01  Request ID
		10  Error Code
		00  Retry Interval
		02 6e6f  Error Reason`},
	{"REQUEST_ERROR with retry", olderAnswer(model.Draft16, KindFetch), &RequestError{RequestID: 1, Code: model.RequestTimeout, RetryInterval: model.Some[uint64](64)}, `
		05  Type
		0005  Length
		01  Request ID
		02  Error Code
		4041  Retry Interval, plus one
		00  Error Reason`},
	{"REQUEST_ERROR on a stream of its own", ownStream(olderAnswer(model.Draft16, KindSubscribeNamespace)), &RequestError{RequestID: 5, Code: model.PrefixOverlap}, `
		05  Type
		0004  Length
		05  Request ID
		30  Error Code
		00  Retry Interval
		00  Error Reason`},
	{"PUBLISH_DONE with the number of draft 18's other code", client16, &PublishDone{RequestID: 1, Code: model.DoneExpired, StreamCount: model.Some[uint64](64), Reason: "x"}, `
		0b  Type
		0006  Length
		01  Request ID
		05  Status Code EXPIRED
		4040  Stream Count
		01 78  Error Reason`},
	{"PUBLISH_DONE with an unknown stream count", client16, &PublishDone{RequestID: 1, Code: model.DoneMalformedTrack}, `
		0b  Type
		000b  Length
		01  Request ID
		12  Status Code
		ffffffffffffffff  Stream Count
		00  Error Reason`},
}

// endRows are messages that drafts 16 and 14 write alike.
func endRows(d model.Draft) []row {
	client, server := older(d, Client), older(d, Server)
	return []row{
		{"GOAWAY", client, &Goaway{NewSessionURI: "moqt://b"}, `
		10  Type
		0009  Length
		08 6d6f71743a2f2f62  New Session URI`},
		{"GOAWAY to a server", server, &Goaway{}, `
		10  Type
		0001  Length
		00  New Session URI`},
		{"MAX_REQUEST_ID", client, &MaxRequestID{Max: 64}, `
		15  Type
		0002  Length
		4040  Max Request ID`},
		{"REQUESTS_BLOCKED", server, &RequestsBlocked{Max: 1<<62 - 1}, `
		1a  Type
		0008  Length
		ffffffffffffffff  Maximum Request ID`},
		{"UNSUBSCRIBE", server, &Unsubscribe{RequestID: 1000}, `
		0a  Type
		0002  Length
		43e8  Request ID`},
		{"FETCH_CANCEL", server, &FetchCancel{RequestID: 2}, `
		17  Type
		0001  Length
		02  Request ID`},
	}
}

var namespaceRows16 = []row{
	{"SUBSCRIBE_NAMESPACE for both", ownStream(server16), &SubscribeNamespace{RequestID: 4, Prefix: model.Namespace{"live"}, Options: WantBoth,
		Params: Params{Tokens: []Token{{Action: TokenUseAlias, Alias: 3}}, Forward: model.Some(false)}}, `
		11  Type
		000f  Length
		04  Request ID
		01 04 6c697665  Track Namespace Prefix
		02  Subscribe Options
		02  Number of Parameters
		03 02 02 03  AUTHORIZATION_TOKEN
		0d 00  FORWARD`},
	{"SUBSCRIBE_NAMESPACE of everything", ownStream(server16), &SubscribeNamespace{RequestID: 4, Options: WantNamespaces}, `
		11  Type
		0004  Length
		04  Request ID
		00  Track Namespace Prefix
		01  Subscribe Options
		00  Number of Parameters`},
	{"NAMESPACE", ownStream(client16), &Namespace{Suffix: model.Namespace{"ab", "c"}}, `
		08  Type
		0006  Length
		02 02 6162 01 63  Track Namespace Suffix`},
	{"NAMESPACE_DONE equal to the prefix", ownStream(client16), &NamespaceDone{}, `
		0e  Type
		0001  Length
		00  Track Namespace Suffix`},
	{"PUBLISH_NAMESPACE_DONE", client16, &PublishNamespaceDone{RequestID: 64}, `
		09  Type
		0002  Length
		4040  Request ID`},
	{"PUBLISH_NAMESPACE_CANCEL", server16, &PublishNamespaceCancel{RequestID: 1, Code: model.Uninterested, Reason: "no"}, `
		0c  Type
		0005  Length
		01  Request ID
		20  Error Code
		02 6e6f  Error Reason`},
}
