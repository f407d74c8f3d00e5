package wire

import (
	"slices"

	"oxymoq/pkg/model"
)

var (
	server14 = older(model.Draft14, Server)
	client14 = older(model.Draft14, Client)
	version  = []uint64{VersionNumber(model.Draft14)}
)

func rows14() []row {
	return slices.Concat(setupRows14, requestRows14, answerRows14, errorRows14, endRows(model.Draft14), namespaceRows14)
}

var setupRows14 = []row{
	{"CLIENT_SETUP with two versions", server14, &Setup{Versions: []uint64{0xff00000d, 0xff00000e}}, `
		20  Type
		0012  Length
		02  Number of Supported Versions
		c0000000ff00000d  Supported Version
		c0000000ff00000e  Supported Version
		00  Number of Parameters`},
	{"CLIENT_SETUP with every option", server14, &Setup{
		Path: model.Some("/moq"), MaxRequestID: model.Some[uint64](100), Tokens: []Token{{Action: TokenUseValue, Type: 1, Value: []byte("ab")}},
		MaxTokenCacheSize: model.Some[uint64](1024), Authority: model.Some("a:1"), Implementation: model.Some("x"), Versions: version,
		Unknown: model.Properties{{Type: 0, Int: 1}, {Type: 0x42, Int: 7}},
	}, `
		20  Type
		0029  Length
		01  Number of Supported Versions
		c0000000ff00000e  Supported Version
		08  Number of Parameters
		00 01  0x00
		01 04 2f6d6f71  PATH
		02 4064  MAX_REQUEST_ID
		03 04 03 01 6162  AUTHORIZATION_TOKEN
		04 4400  MAX_AUTH_TOKEN_CACHE_SIZE
		05 03 613a31  AUTHORITY
		07 01 78  MOQT_IMPLEMENTATION, with the number that it has later
		4042 07  0x42`},
	{"SERVER_SETUP", client14, &Setup{Versions: version, MaxRequestID: model.Some[uint64](64)}, `
		21  Type
		000c  Length
		c0000000ff00000e  Selected Version
		01  Number of Parameters
		02 4040  MAX_REQUEST_ID`},
}

// subscription14 is what every SUBSCRIBE of draft 14 says.
func subscription14(p Params) Params {
	p.SubscriberPriority = model.Some[uint8](200)
	p.Forward = model.Some(true)
	if !p.Filter.Set {
		p.Filter = model.Some(model.NextGroup)
	}
	return p
}

func upTo(start model.Location, group uint64) model.Opt[model.Filter] {
	f := model.From(start)
	f.End = model.Some(model.EndLocation{Group: group})
	return model.Some(f)
}

var requestRows14 = []row{
	{"SUBSCRIBE in the publisher's order", server14, subscribing(subscription14(Params{})), `
		03  Type
		0012  Length
		01  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		c8  Subscriber Priority
		00  Group Order
		01  Forward
		01  Filter Type Next Group Start
		00  Number of Parameters`},
	{"SUBSCRIBE with everything", server14, subscribing(subscription14(Params{
		ObjectDeliveryTimeout: model.Some[uint64](3000), Tokens: []Token{{Action: TokenUseAlias, Alias: 9}, largeToken},
		GroupOrder: model.Some(model.Descending), Filter: upTo(model.Location{Group: 64, Object: 3}, 500)})), `
		03  Type
		0029  Length
		01  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		c8  Subscriber Priority
		02  Group Order
		01  Forward
		04  Filter Type AbsoluteRange
		4040 03  Start Location
		41f4  End Group
		03  Number of Parameters
		02 4bb8  DELIVERY_TIMEOUT
		03 02 02 09  AUTHORIZATION_TOKEN
		03 09 03 412c 736563726574  AUTHORIZATION_TOKEN`},
	{"TRACK_STATUS", server14, &TrackStatus{RequestID: 3, Track: liveVideo, Params: subscription14(Params{Filter: model.Some(model.From(model.Location{Group: 10}))})}, `
		0d  Type
		0014  Length
		03  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		c8  Subscriber Priority
		00  Group Order
		01  Forward
		03  Filter Type AbsoluteStart
		0a 00  Start Location
		00  Number of Parameters`},
	{"PUBLISH without content", server14, &Publish{RequestID: 2, Track: liveVideo, TrackAlias: 300, Params: Params{Forward: model.Some(false)}}, `
		1d  Type
		0013  Length
		02  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		412c  Track Alias
		01  Group Order
		00  Content Exists
		00  Forward
		00  Number of Parameters`},
	{"PUBLISH with everything", server14, &Publish{RequestID: 2, Track: liveVideo, TrackAlias: 5,
		Params: Params{Forward: model.Some(true), LargestObject: model.Some(model.Location{Group: 64, Object: 1}), Tokens: []Token{{Action: TokenUseAlias, Alias: 1}}},
		TrackProperties: model.Properties{
			{Type: model.PropObjectDeliveryTimeout, Int: 5000}, {Type: model.PropMaxCacheDuration, Int: 100}, {Type: model.PropDefaultGroupOrder, Int: 2}}}, `
		1d  Type
		001f  Length
		02  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		05  Track Alias
		02  Group Order
		01  Content Exists
		4040 01  Largest Location
		01  Forward
		03  Number of Parameters
		02 5388  DELIVERY_TIMEOUT
		03 02 02 01  AUTHORIZATION_TOKEN
		04 4064  MAX_CACHE_DURATION`},
	{"FETCH of a range", server14, &Fetch{RequestID: 4, FetchKind: FetchStandalone, Track: liveVideo,
		Range:  model.Range{Start: model.Location{Group: 5, Object: 3}, End: model.Location{Group: 20, Object: model.MaxID}},
		Params: Params{SubscriberPriority: model.Some[uint8](128), GroupOrder: model.Some(model.Ascending), Tokens: []Token{{Action: TokenUseAlias, Alias: 2}}}}, `
		16  Type
		0019  Length
		04  Request ID
		80  Subscriber Priority
		01  Group Order
		01  Fetch Type
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		05 03  Start Location
		14 00  End Location, the whole group
		01  Number of Parameters
		03 02 02 02  AUTHORIZATION_TOKEN`},
	{"FETCH, absolute joining", server14, &Fetch{RequestID: 6, FetchKind: FetchAbsoluteJoining, JoiningRequestID: 2, JoiningStart: 64, Params: Params{SubscriberPriority: model.Some[uint8](0)}}, `
		16  Type
		0008  Length
		06  Request ID
		00  Subscriber Priority
		00  Group Order
		03  Fetch Type
		02  Joining Request ID
		4040  Joining Start
		00  Number of Parameters`},
	{"SUBSCRIBE_UPDATE to a range", server14, &RequestUpdate{RequestID: 4, Existing: 64, Params: Params{
		Filter: upTo(model.Location{Group: 5, Object: 1}, 63), SubscriberPriority: model.Some[uint8](128), Forward: model.Some(false), ObjectDeliveryTimeout: model.Some[uint64](9)}}, `
		02  Type
		000c  Length
		04  Request ID
		4040  Subscription Request ID
		05 01  Start Location
		4040  End Group, plus one
		80  Subscriber Priority
		00  Forward
		01  Number of Parameters
		02 09  DELIVERY_TIMEOUT`},
	{"SUBSCRIBE_UPDATE without end", server14, &RequestUpdate{RequestID: 6, Existing: 2, Params: Params{
		Filter: model.Some(model.From(model.Location{Group: 5})), SubscriberPriority: model.Some[uint8](0), Forward: model.Some(true)}}, `
		02  Type
		0008  Length
		06  Request ID
		02  Subscription Request ID
		05 00  Start Location
		00  End Group
		00  Subscriber Priority
		01  Forward
		00  Number of Parameters`},
	{"PUBLISH_NAMESPACE", server14, &PublishNamespace{RequestID: 0, Namespace: model.Namespace{"live"}, Params: Params{Tokens: []Token{{Action: TokenUseAlias, Alias: 2}}}}, `
		06  Type
		000c  Length
		00  Request ID
		01 04 6c697665  Track Namespace
		01  Number of Parameters
		03 02 02 02  AUTHORIZATION_TOKEN`},
	{"SUBSCRIBE_NAMESPACE", server14, &SubscribeNamespace{RequestID: 8, Prefix: model.Namespace{"a", "b"}}, `
		11  Type
		0007  Length
		08  Request ID
		02 01 61 01 62  Track Namespace Prefix
		00  Number of Parameters`},
}

var answerRows14 = []row{
	{"SUBSCRIBE_OK without content", client14, &SubscribeOK{RequestID: 1, TrackAlias: 64}, `
		04  Type
		0007  Length
		01  Request ID
		4040  Track Alias
		00  Expires
		01  Group Order
		00  Content Exists
		00  Number of Parameters`},
	{"SUBSCRIBE_OK with everything", client14, &SubscribeOK{RequestID: 1, TrackAlias: 5,
		Params: Params{Expires: model.Some[uint64](64), LargestObject: model.Some(model.Location{Group: 10, Object: 3})},
		TrackProperties: model.Properties{
			{Type: model.PropObjectDeliveryTimeout, Int: 5000}, {Type: model.PropMaxCacheDuration, Int: 30000}, {Type: model.PropDefaultGroupOrder, Int: 2}}}, `
		04  Type
		0011  Length
		01  Request ID
		05  Track Alias
		4040  Expires
		02  Group Order
		01  Content Exists
		0a 03  Largest Location
		02  Number of Parameters
		02 5388  DELIVERY_TIMEOUT
		04 80007530  MAX_CACHE_DURATION`},
	{"TRACK_STATUS_OK", olderAnswer(model.Draft14, KindTrackStatus), &RequestOK{RequestID: 64, Params: Params{LargestObject: model.Some(model.Location{Group: 10})},
		TrackProperties: model.Properties{{Type: model.PropMaxCacheDuration, Int: 1}}}, `
		0e  Type
		000b  Length
		4040  Request ID
		00  Track Alias
		00  Expires
		01  Group Order
		01  Content Exists
		0a 00  Largest Location
		01  Number of Parameters
		04 01  MAX_CACHE_DURATION`},
	{"PUBLISH_OK from the next object", olderAnswer(model.Draft14, KindPublish), &RequestOK{RequestID: 1, Params: Params{
		Forward: model.Some(true), SubscriberPriority: model.Some[uint8](128), GroupOrder: model.Some(model.Ascending), Filter: model.Some(model.NextObject)}}, `
		1e  Type
		0006  Length
		01  Request ID
		01  Forward
		80  Subscriber Priority
		01  Group Order
		02  Filter Type Largest Object
		00  Number of Parameters`},
	{"PUBLISH_OK of a range", olderAnswer(model.Draft14, KindPublish), &RequestOK{RequestID: 2, Params: Params{
		Forward: model.Some(false), SubscriberPriority: model.Some[uint8](64), GroupOrder: model.Some(model.Descending),
		Filter: upTo(model.Location{Group: 5}, 5), ObjectDeliveryTimeout: model.Some[uint64](64)}}, `
		1e  Type
		000c  Length
		02  Request ID
		00  Forward
		40  Subscriber Priority
		02  Group Order
		04  Filter Type AbsoluteRange
		05 00  Start Location
		05  End Group
		01  Number of Parameters
		02 4040  DELIVERY_TIMEOUT`},
	{"FETCH_OK", client14, &FetchOK{RequestID: 2, EndOfTrack: true, End: model.Location{Group: 10, Object: 19}, Params: Params{GroupOrder: model.Some(model.Descending)},
		TrackProperties: model.Properties{{Type: model.PropMaxCacheDuration, Int: 30000}}}, `
		18  Type
		000b  Length
		02  Request ID
		02  Group Order
		01  End Of Track
		0a 14  End Location, plus one
		01  Number of Parameters
		04 80007530  MAX_CACHE_DURATION`},
	{"PUBLISH_NAMESPACE_OK", olderAnswer(model.Draft14, KindPublishNamespace), &RequestOK{RequestID: 1}, `
		07  Type
		0001  Length
		01  Request ID`},
	{"SUBSCRIBE_NAMESPACE_OK", olderAnswer(model.Draft14, KindSubscribeNamespace), &RequestOK{RequestID: 64}, `
		12  Type
		0002  Length
		4040  Request ID`},
	{"PUBLISH_DONE", client14, &PublishDone{RequestID: 1, Code: model.DoneMalformedTrack, StreamCount: model.Some[uint64](5), Reason: "x"}, `
		0b  Type
		0005  Length
		01  Request ID
		07  Status Code
		05  Stream Count
		01 78  Error Reason`},
}

var errorRows14 = []row{
	{"SUBSCRIBE_ERROR", olderAnswer(model.Draft14, KindSubscribe), &RequestError{RequestID: 1, Code: model.DoesNotExist, Reason: "no"}, `
		05  Type
		0005  Length
		01  Request ID
		04  Error Code TRACK_DOES_NOT_EXIST
		02 6e6f  Error Reason`},
	{"PUBLISH_ERROR", olderAnswer(model.Draft14, KindPublish), &RequestError{RequestID: 64, Code: model.Uninterested}, `
		1f  Type
		0004  Length
		4040  Request ID
		04  Error Code UNINTERESTED
		00  Error Reason`},
	{"FETCH_ERROR", olderAnswer(model.Draft14, KindFetch), &RequestError{RequestID: 1, Code: model.InvalidJoiningRequestID}, `
		19  Type
		0003  Length
		01  Request ID
		07  Error Code
		00  Error Reason`},
	{"TRACK_STATUS_ERROR", olderAnswer(model.Draft14, KindTrackStatus), &RequestError{RequestID: 1, Code: model.RequestExpiredAuthToken}, `
		0f  Type
		0003  Length
		01  Request ID
		12  Error Code
		00  Error Reason`},
	{"PUBLISH_NAMESPACE_ERROR", olderAnswer(model.Draft14, KindPublishNamespace), &RequestError{RequestID: 1, Code: model.RequestUnauthorized}, `
		08  Type
		0003  Length
		01  Request ID
		01  Error Code
		00  Error Reason`},
	{"SUBSCRIBE_NAMESPACE_ERROR", olderAnswer(model.Draft14, KindSubscribeNamespace), &RequestError{RequestID: 1, Code: model.PrefixOverlap}, `
		13  Type
		0003  Length
		01  Request ID
		05  Error Code
		00  Error Reason`},
}

var namespaceRows14 = []row{
	{"PUBLISH_NAMESPACE_DONE", client14, &PublishNamespaceDone{Namespace: model.Namespace{"live", "tv"}}, `
		09  Type
		0009  Length
		02 04 6c697665 02 7476  Track Namespace`},
	{"PUBLISH_NAMESPACE_CANCEL", server14, &PublishNamespaceCancel{Namespace: model.Namespace{"a"}, Code: model.Uninterested, Reason: "no"}, `
		0c  Type
		0007  Length
		01 01 61  Track Namespace
		04  Error Code
		02 6e6f  Error Reason`},
	{"UNSUBSCRIBE_NAMESPACE", server14, &UnsubscribeNamespace{Prefix: model.Namespace{"a", "b"}}, `
		14  Type
		0005  Length
		02 01 61 01 62  Track Namespace Prefix`},
}
