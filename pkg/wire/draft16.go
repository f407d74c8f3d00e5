package wire

import (
	"oxymoq/pkg/varint"
)

// Scopes that several parameters of draft 16 share (section 9.2.2).
const (
	inSubscription16 = inSubscribe | inPublishOK | inUpdateOfSubscription
	inRequest16      = inSubscribe | inPublish | inFetch | inTrackStatus | inPublishNamespace | inSubscribeNamespace
	anyQUIC          = varint.MaxQUIC
)

// draft16 is draft-ietf-moq-transport-16, sections 9 and 13. All requests share
// the control stream, but for SUBSCRIBE_NAMESPACE, which has one of its own.
var draft16 = &draftTable{
	varint:               varint.QUIC,
	unknownStreamCount:   varint.MaxQUIC,
	requestIDs:           true,
	countedOptions:       true,
	retryInterval:        true,
	trackProperties:      true,
	subscribeOptions:     true,
	absoluteGroupEnd:     true,
	namespacesHaveFields: true,
	keyValueParams:       true,
	ignoresMisplaced:     true,
	filterNoneIsAbsence:  true,
	joinsNextObject:      true,
	positiveTimeouts:     true,
	options: map[uint64]string{
		optionPath: "PATH", optionMaxRequestID: "MAX_REQUEST_ID", optionToken: "AUTHORIZATION_TOKEN",
		optionMaxTokenCacheSize: "MAX_AUTH_TOKEN_CACHE_SIZE", optionAuthority: "AUTHORITY", optionImplementation: "MOQT_IMPLEMENTATION",
	},
	messages: []messageRow{
		{kind: KindSetup, typ: 0x20, name: "CLIENT_SETUP", on: onControl, to: toServerOnly},
		{kind: KindSetup, typ: 0x21, name: "SERVER_SETUP", on: onControl, to: toClientOnly},
		{kind: KindGoaway, typ: 0x10, name: "GOAWAY", on: onControl},
		{kind: KindMaxRequestID, typ: 0x15, name: "MAX_REQUEST_ID", on: onControl},
		{kind: KindRequestsBlocked, typ: 0x1A, name: "REQUESTS_BLOCKED", on: onControl},
		{kind: KindRequestOK, typ: 0x07, name: "REQUEST_OK", on: onControl | onRequest,
			answers: kinds(KindRequestUpdate, KindTrackStatus, KindSubscribeNamespace, KindPublishNamespace)},
		{kind: KindRequestOK, typ: 0x1E, name: "PUBLISH_OK", on: onControl, answers: kinds(KindPublish)},
		{kind: KindRequestError, typ: 0x05, name: "REQUEST_ERROR", on: onControl | onRequest},
		{kind: KindRequestUpdate, typ: 0x02, name: "REQUEST_UPDATE", on: onControl | onRequest},
		{kind: KindSubscribe, typ: 0x03, name: "SUBSCRIBE", on: onControl, opens: true},
		{kind: KindSubscribeOK, typ: 0x04, name: "SUBSCRIBE_OK", on: onControl},
		{kind: KindUnsubscribe, typ: 0x0A, name: "UNSUBSCRIBE", on: onControl},
		{kind: KindPublish, typ: 0x1D, name: "PUBLISH", on: onControl, opens: true},
		{kind: KindPublishDone, typ: 0x0B, name: "PUBLISH_DONE", on: onControl},
		{kind: KindFetch, typ: 0x16, name: "FETCH", on: onControl, opens: true},
		{kind: KindFetchOK, typ: 0x18, name: "FETCH_OK", on: onControl},
		{kind: KindFetchCancel, typ: 0x17, name: "FETCH_CANCEL", on: onControl},
		{kind: KindTrackStatus, typ: 0x0D, name: "TRACK_STATUS", on: onControl, opens: true},
		{kind: KindPublishNamespace, typ: 0x06, name: "PUBLISH_NAMESPACE", on: onControl, opens: true},
		{kind: KindPublishNamespaceDone, typ: 0x09, name: "PUBLISH_NAMESPACE_DONE", on: onControl},
		{kind: KindPublishNamespaceCancel, typ: 0x0C, name: "PUBLISH_NAMESPACE_CANCEL", on: onControl},
		{kind: KindSubscribeNamespace, typ: 0x11, name: "SUBSCRIBE_NAMESPACE", on: onRequest, opens: true},
		{kind: KindNamespace, typ: 0x08, name: "NAMESPACE", on: onRequest},
		{kind: KindNamespaceDone, typ: 0x0E, name: "NAMESPACE_DONE", on: onRequest},
	},
	params: []paramRow{
		{0x02, "DELIVERY_TIMEOUT", paramObjectDeliveryTimeout, asUint, 1, anyQUIC, false, inSubscribe | inPublishOK | inAnyUpdate},
		{0x03, "AUTHORIZATION_TOKEN", paramToken, asToken, 0, 0, true, inRequest16 | inAnyUpdate},
		{0x08, "EXPIRES", paramExpires, asUint, 0, anyQUIC, false, inSubscribeOK | inPublish | inPublishOK},
		{0x09, "LARGEST_OBJECT", paramLargestObject, asLocation, 0, 0, false, inSubscribeOK | inPublish | inUpdateOK | inTrackStatusOK},
		{0x10, "FORWARD", paramForward, asByte, 0, 1, false, inSubscription16 | inPublish | inSubscribeNamespace},
		{0x20, "SUBSCRIBER_PRIORITY", paramSubscriberPriority, asByte, 0, 255, false, inSubscription16 | inFetch | inUpdateOfFetch},
		{0x21, "SUBSCRIPTION_FILTER", paramFilter, asFilter18, 0, 0, false, inSubscription16},
		{0x22, "GROUP_ORDER", paramGroupOrder, asByte, 1, 2, false, inSubscribe | inPublishOK | inFetch},
		{0x32, "NEW_GROUP_REQUEST", paramNewGroupRequest, asUint, 0, anyQUIC, false, inSubscription16},
	},
}
