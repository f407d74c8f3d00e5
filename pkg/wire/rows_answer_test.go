package wire

import "oxymoq/pkg/model"

var updateRows = []row{
	{"REQUEST_UPDATE without parameters", updating(KindPublish), &RequestUpdate{RequestID: 2}, `
		02  Type
		0002  Length
		02  Request ID
		00  Number of Parameters`},
	{"REQUEST_UPDATE of a subscription with every parameter", updating(KindSubscribe), &RequestUpdate{RequestID: 2, Params: Params{
		ObjectDeliveryTimeout: model.Some[uint64](1), Tokens: []Token{{Action: TokenUseValue, Type: 5, Value: []byte("new")}},
		SubgroupDeliveryTimeout: model.Some[uint64](128), Forward: model.Some(true), SubscriberPriority: model.Some[uint8](0),
		Filter: model.Some(model.NextObject), NewGroupRequest: model.Some[uint64](0)}}, `
		02  Type
		0017  Length
		02  Request ID
		07  Number of Parameters
		02 01  OBJECT_DELIVERY_TIMEOUT
		01 05 03 05 6e6577  AUTHORIZATION_TOKEN
		03 8080  SUBGROUP_DELIVERY_TIMEOUT
		0a 01  FORWARD
		10 00  SUBSCRIBER_PRIORITY
		01 01 02  SUBSCRIPTION_FILTER
		11 00  NEW_GROUP_REQUEST`},
	{"REQUEST_UPDATE of a fetch", updating(KindFetch), &RequestUpdate{RequestID: 4, Params: Params{SubscriberPriority: model.Some[uint8](9)}}, `
		02  Type
		0004  Length
		04  Request ID
		01  Number of Parameters
		20 09  SUBSCRIBER_PRIORITY`},
	{"REQUEST_UPDATE of a namespace subscription", updating(KindSubscribeNamespace), &RequestUpdate{RequestID: 7, Params: Params{NamespacePrefix: model.Some(model.Namespace{"live", "sports"})}}, `
		02  Type
		0011  Length
		07  Request ID
		01  Number of Parameters
		34  TRACK_NAMESPACE_PREFIX
		0d  its length, which the text does not have
		02 04 6c697665 06 73706f727473  Track Namespace`},
	{"REQUEST_UPDATE to the prefix of everything", updating(KindSubscribeTracks), &RequestUpdate{RequestID: 7, Params: Params{NamespacePrefix: model.Some(model.Namespace(nil))}}, `
		02  Type
		0005  Length
		07  Request ID
		01  Number of Parameters
		34  TRACK_NAMESPACE_PREFIX
		01  its length
		00  Track Namespace`},
}

var answerRows = []row{
	{"SUBSCRIBE_OK with LARGEST_OBJECT", toClient, &SubscribeOK{TrackAlias: 5, Params: Params{LargestObject: model.Some(model.Location{Group: 10, Object: 3})}}, `
		04  Type
		0005  Length
		05  Track Alias
		01  Number of Parameters
		09 0a 03  LARGEST_OBJECT`},
	{"SUBSCRIBE_OK with properties", toClient, &SubscribeOK{TrackProperties: model.Properties{{Type: model.PropObjectDeliveryTimeout, Int: 5000}, {Type: model.PropDefaultPriority, Int: 128}}}, `
		04  Type
		0008  Length
		00  Track Alias
		00  Number of Parameters
		02 9388  OBJECT_DELIVERY_TIMEOUT
		0c 8080  DEFAULT_PUBLISHER_PRIORITY`},
	{"SUBSCRIBE_OK with everything", toClient, &SubscribeOK{TrackAlias: 1 << 14, Params: Params{Expires: model.Some[uint64](0), LargestObject: model.Some(model.Location{Group: 1<<64 - 1, Object: 128})},
		TrackProperties: model.Properties{
			{Type: model.PropObjectDeliveryTimeout, Int: 1}, {Type: model.PropMaxCacheDuration, Int: 2}, {Type: model.PropSubgroupDeliveryTimeout, Int: 3},
			{Type: model.PropImmutable, Bytes: []byte{0x02, 0x05, 0x3f, 0x01, 0xaa}}, {Type: model.PropDefaultPriority, Int: 0},
			{Type: model.PropDefaultGroupOrder, Int: 1}, {Type: model.PropDynamicGroups, Int: 1}, {Type: 0x41}, {Type: 0x41, Bytes: []byte("x")}}}, `
		04  Type
		002a  Length
		c04000  Track Alias
		02  Number of Parameters
		08 00  EXPIRES
		01 ffffffffffffffffff 8080  LARGEST_OBJECT
		02 01  OBJECT_DELIVERY_TIMEOUT
		02 02  MAX_CACHE_DURATION
		02 03  SUBGROUP_DELIVERY_TIMEOUT
		05 05 02 05 3f 01 aa  IMMUTABLE_PROPERTIES
		03 00  DEFAULT_PUBLISHER_PRIORITY
		14 01  DEFAULT_PUBLISHER_GROUP_ORDER
		0e 01  DYNAMIC_GROUPS
		11 00  0x41
		00 01 78  0x41`},
	{"FETCH_OK not at the end of the track", toClient, &FetchOK{End: model.Location{Group: 10, Object: 2}}, `
		18  Type
		0004  Length
		00  End Of Track
		0a 03  End Location
		00  Number of Parameters`},
	{"FETCH_OK at the end of the track", toClient, &FetchOK{EndOfTrack: true, End: model.Location{Group: 10, Object: model.MaxID}, TrackProperties: model.Properties{{Type: model.PropDynamicGroups}}}, `
		18  Type
		0006  Length
		01  End Of Track
		0a 00  End Location, the whole group
		00  Number of Parameters
		30 00  DYNAMIC_GROUPS`},
	{"PUBLISH_OK without parameters", answering(KindPublish, KindPublish), &RequestOK{}, `
		07  Type
		0001  Length
		00  Number of Parameters`},
	{"PUBLISH_OK with priority and group order", answering(KindPublish, KindPublish), &RequestOK{Params: Params{SubscriberPriority: model.Some[uint8](64), GroupOrder: model.Some(model.Ascending)}}, `
		07  Type
		0005  Length
		02  Number of Parameters
		20 40  SUBSCRIBER_PRIORITY
		02 01  GROUP_ORDER`},
	{"PUBLISH_OK with every parameter", answering(KindPublish, KindPublish), &RequestOK{Params: Params{
		ObjectDeliveryTimeout: model.Some[uint64](1), SubgroupDeliveryTimeout: model.Some[uint64](2), Expires: model.Some[uint64](3),
		Forward: model.Some(false), SubscriberPriority: model.Some[uint8](4), Filter: model.Some(model.From(model.Location{})),
		GroupOrder: model.Some(model.Descending), NewGroupRequest: model.Some[uint64](5)}}, `
		07  Type
		0014  Length
		08  Number of Parameters
		02 01  OBJECT_DELIVERY_TIMEOUT
		04 02  SUBGROUP_DELIVERY_TIMEOUT
		02 03  EXPIRES
		08 00  FORWARD
		10 04  SUBSCRIBER_PRIORITY
		01 03 03 00 00  SUBSCRIPTION_FILTER
		01 02  GROUP_ORDER
		10 05  NEW_GROUP_REQUEST`},
	{"REQUEST_UPDATE_OK", answering(KindSubscribe, KindRequestUpdate), &RequestOK{Params: Params{Expires: model.Some[uint64](1), LargestObject: model.Some(model.Location{Group: 3, Object: 7})}}, `
		07  Type
		0006  Length
		02  Number of Parameters
		08 01  EXPIRES
		01 03 07  LARGEST_OBJECT`},
	{"TRACK_STATUS_OK", answering(KindTrackStatus, KindTrackStatus), &RequestOK{Params: Params{LargestObject: model.Some(model.Location{})}, TrackProperties: model.Properties{{Type: 0x78, Int: 200}}}, `
		07  Type
		0007  Length
		01  Number of Parameters
		09 00 00  LARGEST_OBJECT
		78 80c8  0x78`},
	{"PUBLISH_NAMESPACE_OK", answering(KindPublishNamespace, KindPublishNamespace), &RequestOK{}, `
		07  Type
		0001  Length
		00  Number of Parameters`},
	{"SUBSCRIBE_NAMESPACE_OK", answering(KindSubscribeNamespace, KindSubscribeNamespace), &RequestOK{}, `
		07  Type
		0001  Length
		00  Number of Parameters`},
	{"SUBSCRIBE_TRACKS_OK", answering(KindSubscribeTracks, KindSubscribeTracks), &RequestOK{}, `
		07  Type
		0001  Length
		00  Number of Parameters`},
	{"REQUEST_ERROR without retry", answering(KindSubscribe, KindSubscribe), &RequestError{Code: model.DoesNotExist, Reason: "no"}, `
		05  Type
		0005  Length
		10  Error Code
		00  Retry Interval
		02 6e6f  Reason Phrase`},
	{"REQUEST_ERROR with retry", answering(KindSubscribe, KindRequestUpdate), &RequestError{Code: model.RequestTimeout, RetryInterval: model.Some[uint64](0)}, `
		05  Type
		0003  Length
		02  Error Code
		01  Retry Interval, plus one
		00  Reason Phrase`},
	{"REQUEST_ERROR with the longest retry", answering(KindFetch, KindFetch), &RequestError{Code: 0x9d, RetryInterval: model.Some[uint64](1<<64 - 2)}, `
		05  Type
		000c  Length
		809d  Error Code
		ffffffffffffffffff  Retry Interval
		00  Reason Phrase`},
	{"REQUEST_ERROR with a redirect to the same name", answering(KindSubscribe, KindSubscribe), &RequestError{Code: model.Redirected, Redirect: &model.Redirect{ConnectURI: "moqt://b"}}, `
		05  Type
		000e  Length
		34  Error Code
		00  Retry Interval
		00  Reason Phrase
		08 6d6f71743a2f2f62  Connect URI
		00  Track Namespace
		00  Track Name`},
	{"REQUEST_ERROR with a redirect to another name", answering(KindFetch, KindFetch), &RequestError{Code: model.Redirected, Reason: "moved", Redirect: &model.Redirect{Track: &liveVideo}}, `
		05  Type
		0015  Length
		34  Error Code
		00  Retry Interval
		05 6d6f766564  Reason Phrase
		00  Connect URI
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name`},
}
