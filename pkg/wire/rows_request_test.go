package wire

import "oxymoq/pkg/model"

// everyParameter is what a SUBSCRIBE may carry, with values that take more than
// one byte.
var everyParameter = Params{
	ObjectDeliveryTimeout:   model.Some[uint64](3000),
	Tokens:                  []Token{{Action: TokenUseAlias, Alias: 9}, largeToken},
	RendezvousTimeout:       model.Some[uint64](8000),
	SubgroupDeliveryTimeout: model.Some[uint64](0),
	Forward:                 model.Some(false),
	SubscriberPriority:      model.Some[uint8](200),
	Filter:                  model.Some(model.Filter{Kind: model.FilterAbsolute, Start: model.Location{Group: 200, Object: 5}, End: model.Some(model.EndLocation{Group: 500})}),
	GroupOrder:              model.Some(model.Descending),
	NewGroupRequest:         model.Some[uint64](1 << 40),
}

func subscribing(p Params) *Subscribe { return &Subscribe{RequestID: 1, Track: liveVideo, Params: p} }

var subscribeRows = []row{
	{"SUBSCRIBE without parameters", toServer, subscribing(Params{}), `
		03  Type
		000e  Length
		01  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		00  Number of Parameters`},
	{"SUBSCRIBE with FORWARD", toServer, subscribing(Params{Forward: model.Some(true)}), `
		03  Type
		0010  Length
		01  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		01  Number of Parameters
		10 01  FORWARD`},
	{"SUBSCRIBE with SUBSCRIBER_PRIORITY", toServer, subscribing(Params{SubscriberPriority: model.Some[uint8](32)}), `
		03  Type
		0010  Length
		01  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		01  Number of Parameters
		20 20  SUBSCRIBER_PRIORITY`},
	{"SUBSCRIBE from the next object", toServer, subscribing(Params{Filter: model.Some(model.NextObject)}), `
		03  Type
		0011  Length
		01  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		01  Number of Parameters
		21 01 02  SUBSCRIPTION_FILTER LargestObject`},
	{"SUBSCRIBE from the next group", toServer, subscribing(Params{Filter: model.Some(model.NextGroup)}), `
		03  Type
		0011  Length
		01  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		01  Number of Parameters
		21 01 01  SUBSCRIPTION_FILTER NextGroupStart`},
	{"SUBSCRIBE from an absolute start", toServer, subscribing(Params{Filter: model.Some(model.From(model.Location{Group: 10, Object: 3}))}), `
		03  Type
		0013  Length
		01  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		01  Number of Parameters
		21 03  SUBSCRIPTION_FILTER
		03  Filter Type AbsoluteStart
		0a 03  Start Location`},
	{"SUBSCRIBE with two timeouts", toServer, subscribing(Params{ObjectDeliveryTimeout: model.Some[uint64](3000), SubgroupDeliveryTimeout: model.Some[uint64](8000)}), `
		03  Type
		0014  Length
		01  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		02  Number of Parameters
		02 8bb8  OBJECT_DELIVERY_TIMEOUT
		04 9f40  SUBGROUP_DELIVERY_TIMEOUT`},
	{"SUBSCRIBE with every parameter", toServer, &Subscribe{RequestID: 1 << 21, Params: everyParameter,
		Track: model.FullTrackName{Namespace: model.Namespace{"a", "\xff\x00", "c"}}}, `
		03  Type
		003a  Length
		e0200000  Request ID
		03 01 61 02 ff00 01 63  Track Namespace
		00  Track Name
		0a  Number of Parameters
		02 8bb8  OBJECT_DELIVERY_TIMEOUT
		01 02 02 09  AUTHORIZATION_TOKEN USE_ALIAS 9
		00 09 03 812c 736563726574  AUTHORIZATION_TOKEN USE_VALUE
		01 9f40  RENDEZVOUS_TIMEOUT
		02 00  SUBGROUP_DELIVERY_TIMEOUT
		0a 00  FORWARD
		10 c8  SUBSCRIBER_PRIORITY
		01 06 04 80c8 05 812c  SUBSCRIPTION_FILTER AbsoluteRange
		01 02  GROUP_ORDER
		10 f90000000000  NEW_GROUP_REQUEST`},
	{"TRACK_STATUS", toServer, &TrackStatus{RequestID: 3, Track: liveVideo, Params: Params{Tokens: []Token{{Action: TokenUseValue, Value: []byte("k")}}}}, `
		0d  Type
		0013  Length
		03  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		01  Number of Parameters
		03 03 03 00 6b  AUTHORIZATION_TOKEN`},
}

var publishRows = []row{
	{"PUBLISH without parameters", toServer, &Publish{RequestID: 2, Track: liveVideo, TrackAlias: 1}, `
		1d  Type
		000f  Length
		02  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		01  Track Alias
		00  Number of Parameters`},
	{"PUBLISH with every parameter and properties", toServer, &Publish{RequestID: 2, Track: liveVideo, TrackAlias: 300,
		Params: Params{Tokens: []Token{{Action: TokenDelete, Alias: 1}}, Expires: model.Some[uint64](30000),
			LargestObject: model.Some(model.Location{Group: 1 << 35, Object: 0}), Forward: model.Some(true)},
		TrackProperties: model.Properties{{Type: model.PropMaxCacheDuration, Int: 1000}, {Type: model.PropImmutable, Bytes: []byte{0x40, 0x05}},
			{Type: model.PropDefaultGroupOrder, Int: 2}, {Type: model.PropMandatoryFirst, Int: 1}}}, `
		1d  Type
		002e  Length
		02  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		812c  Track Alias
		04  Number of Parameters
		03 02 00 01  AUTHORIZATION_TOKEN DELETE
		05 c07530  EXPIRES
		01 f80800000000 00  LARGEST_OBJECT
		07 01  FORWARD
		04 83e8  MAX_CACHE_DURATION
		07 02 40 05  IMMUTABLE_PROPERTIES
		17 02  DEFAULT_PUBLISHER_GROUP_ORDER
		bfde 01  0x4000`},
	{"PUBLISH_DONE", toClient, &PublishDone{Code: model.DoneTrackEnded, StreamCount: model.Some[uint64](300), Reason: "done"}, `
		0b  Type
		0008  Length
		02  Status Code TRACK_ENDED
		812c  Stream Count
		04 646f6e65  Reason Phrase`},
	{"PUBLISH_DONE with an unknown stream count", toClient, &PublishDone{Code: model.DoneTooFarBehind}, `
		0b  Type
		000b  Length
		05  Status Code TOO_FAR_BEHIND
		ff3fffffffffffffff  Stream Count
		00  Reason Phrase`},
	{"PUBLISH_DONE with a grease code", toServer, &PublishDone{Code: 0x9d, StreamCount: model.Some[uint64](0)}, `
		0b  Type
		0004  Length
		809d  Status Code
		00  Stream Count
		00  Reason Phrase`},
	{"PUBLISH_BLOCKED", toClient, &PublishBlocked{Suffix: model.Namespace{"room", "1"}, Name: "audio"}, `
		0f  Type
		000e  Length
		02 04 726f6f6d 01 31  Track Namespace Suffix
		05 617564696f  Track Name`},
}

var fetchRows = []row{
	{"FETCH of a range", toServer, &Fetch{RequestID: 4, FetchKind: FetchStandalone, Track: liveVideo,
		Range: model.Range{Start: model.Location{Group: 10, Object: 3}, End: model.Location{Group: 20, Object: 7}}}, `
		16  Type
		0013  Length
		04  Request ID
		01  Fetch Type
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		0a 03  Start Location
		14 08  End Location
		00  Number of Parameters`},
	{"FETCH of whole groups with every parameter", toServer, &Fetch{RequestID: 4, FetchKind: FetchStandalone, Track: liveVideo,
		Range: model.Range{End: model.Location{Object: model.MaxID}},
		Params: Params{Tokens: []Token{largeToken}, FillTimeout: model.Some[uint64](0), SubscriberPriority: model.Some[uint8](255),
			GroupOrder: model.Some(model.Ascending)}}, `
		16  Type
		0024  Length
		04  Request ID
		01  Fetch Type
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		00 00  Start Location
		00 00  End Location, the whole group 0
		04  Number of Parameters
		03 09 03 812c 736563726574  AUTHORIZATION_TOKEN
		07 00  FILL_TIMEOUT
		16 ff  SUBSCRIBER_PRIORITY
		02 01  GROUP_ORDER`},
	{"FETCH of one object at the end of the ID space", toServer, &Fetch{RequestID: 4, FetchKind: FetchStandalone, Track: liveVideo,
		Range: model.Range{Start: model.Location{Group: 1<<64 - 1, Object: 1<<64 - 2}, End: model.Location{Group: 1<<64 - 1, Object: 1<<64 - 2}}}, `
		16  Type
		0033  Length
		04  Request ID
		01  Fetch Type
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		ffffffffffffffffff fffffffffffffffffe  Start Location
		ffffffffffffffffff ffffffffffffffffff  End Location
		00  Number of Parameters`},
	{"FETCH, relative joining", toServer, &Fetch{RequestID: 6, FetchKind: FetchRelativeJoining, JoiningRequestID: 2, JoiningStart: 3}, `
		16  Type
		0005  Length
		06  Request ID
		02  Fetch Type
		02  Joining Request ID
		03  Joining Start
		00  Number of Parameters`},
	{"FETCH, absolute joining", toServer, &Fetch{RequestID: 6, FetchKind: FetchAbsoluteJoining, JoiningRequestID: 128, JoiningStart: 1 << 14,
		Params: Params{GroupOrder: model.Some(model.Descending)}}, `
		16  Type
		000a  Length
		06  Request ID
		03  Fetch Type
		8080  Joining Request ID
		c04000  Joining Start
		01  Number of Parameters
		22 02  GROUP_ORDER`},
}

var namespaceRows = []row{
	{"PUBLISH_NAMESPACE", toServer, &PublishNamespace{RequestID: 0, Namespace: model.Namespace{"live"}}, `
		06  Type
		0008  Length
		00  Request ID
		01 04 6c697665  Track Namespace
		00  Number of Parameters`},
	{"SUBSCRIBE_NAMESPACE with a token", toServer, &SubscribeNamespace{RequestID: 8, Prefix: model.Namespace{"live", "tv"}, Params: Params{Tokens: []Token{{Action: TokenUseAlias, Alias: 128}}}}, `
		50  Type
		0010  Length
		08  Request ID
		02 04 6c697665 02 7476  Track Namespace Prefix
		01  Number of Parameters
		03 03 02 8080  AUTHORIZATION_TOKEN`},
	{"SUBSCRIBE_NAMESPACE of everything", toClient, &SubscribeNamespace{RequestID: 1}, `
		50  Type
		0003  Length
		01  Request ID
		00  Track Namespace Prefix
		00  Number of Parameters`},
	{"SUBSCRIBE_TRACKS with FORWARD", toServer, &SubscribeTracks{RequestID: 2, Prefix: model.Namespace{"a"}, Params: Params{Tokens: []Token{{Action: TokenUseAlias, Alias: 1}}, Forward: model.Some(false)}}, `
		51  Type
		000b  Length
		02  Request ID
		01 01 61  Track Namespace Prefix
		02  Number of Parameters
		03 02 02 01  AUTHORIZATION_TOKEN
		0d 00  FORWARD`},
	{"NAMESPACE", toClient, &Namespace{Suffix: model.Namespace{"ab", "c"}}, `
		08  Type
		0006  Length
		02 02 6162 01 63  Track Namespace Suffix`},
	{"NAMESPACE equal to the prefix", toClient, &Namespace{}, `
		08  Type
		0001  Length
		00  Track Namespace Suffix`},
	{"NAMESPACE_DONE", toClient, &NamespaceDone{Suffix: model.Namespace{"\x00"}}, `
		0e  Type
		0003  Length
		01 01 00  Track Namespace Suffix`},
}
