package wire

import (
	"oxymoq/pkg/varint"
)

// inPublishers14 are messages in which a publisher tells about its track.
const inPublishers14 = inPublish | inSubscribeOK | inTrackStatusOK

// draft14 is draft-ietf-moq-transport-14, section 9. Every request shares the
// control stream and has an OK and an ERROR of its own. Much that later drafts
// write as parameters are fields here (fields14.go).
var draft14 = &draftTable{
	varint:               varint.QUIC,
	unknownStreamCount:   varint.MaxQUIC,
	requestIDs:           true,
	versions:             true,
	countedOptions:       true,
	subscriptionFields:   true,
	namesNamespaces:      true,
	absoluteTypes:        true,
	absoluteGroupEnd:     true,
	namespacesHaveFields: true,
	prefixesHaveFields:   true,
	keyValueParams:       true,
	ignoresMisplaced:     true,
	ignoresUnknown:       true,
	joinsNextObject:      true,
	positiveTimeouts:     true,
	options:              draft16.options, // section 9.3.2.6 numbers MOQT_IMPLEMENTATION 0x05: see lenient.go
	messages: []messageRow{
		{kind: KindSetup, typ: 0x20, name: "CLIENT_SETUP", on: onControl, to: toServerOnly},
		{kind: KindSetup, typ: 0x21, name: "SERVER_SETUP", on: onControl, to: toClientOnly},
		{kind: KindGoaway, typ: 0x10, name: "GOAWAY", on: onControl},
		{kind: KindMaxRequestID, typ: 0x15, name: "MAX_REQUEST_ID", on: onControl},
		{kind: KindRequestsBlocked, typ: 0x1A, name: "REQUESTS_BLOCKED", on: onControl},
		{kind: KindSubscribe, typ: 0x03, name: "SUBSCRIBE", on: onControl, opens: true},
		{kind: KindSubscribeOK, typ: 0x04, name: "SUBSCRIBE_OK", on: onControl},
		{kind: KindRequestError, typ: 0x05, name: "SUBSCRIBE_ERROR", on: onControl, answers: kinds(KindSubscribe)},
		{kind: KindRequestUpdate, typ: 0x02, name: "SUBSCRIBE_UPDATE", on: onControl},
		{kind: KindUnsubscribe, typ: 0x0A, name: "UNSUBSCRIBE", on: onControl},
		{kind: KindPublishDone, typ: 0x0B, name: "PUBLISH_DONE", on: onControl},
		{kind: KindPublish, typ: 0x1D, name: "PUBLISH", on: onControl, opens: true},
		{kind: KindRequestOK, typ: 0x1E, name: "PUBLISH_OK", on: onControl, answers: kinds(KindPublish)},
		{kind: KindRequestError, typ: 0x1F, name: "PUBLISH_ERROR", on: onControl, answers: kinds(KindPublish)},
		{kind: KindFetch, typ: 0x16, name: "FETCH", on: onControl, opens: true},
		{kind: KindFetchOK, typ: 0x18, name: "FETCH_OK", on: onControl},
		{kind: KindRequestError, typ: 0x19, name: "FETCH_ERROR", on: onControl, answers: kinds(KindFetch)},
		{kind: KindFetchCancel, typ: 0x17, name: "FETCH_CANCEL", on: onControl},
		{kind: KindTrackStatus, typ: 0x0D, name: "TRACK_STATUS", on: onControl, opens: true},
		{kind: KindRequestOK, typ: 0x0E, name: "TRACK_STATUS_OK", on: onControl, answers: kinds(KindTrackStatus)},
		{kind: KindRequestError, typ: 0x0F, name: "TRACK_STATUS_ERROR", on: onControl, answers: kinds(KindTrackStatus)},
		{kind: KindPublishNamespace, typ: 0x06, name: "PUBLISH_NAMESPACE", on: onControl, opens: true},
		{kind: KindRequestOK, typ: 0x07, name: "PUBLISH_NAMESPACE_OK", on: onControl, answers: kinds(KindPublishNamespace)},
		{kind: KindRequestError, typ: 0x08, name: "PUBLISH_NAMESPACE_ERROR", on: onControl, answers: kinds(KindPublishNamespace)},
		{kind: KindPublishNamespaceDone, typ: 0x09, name: "PUBLISH_NAMESPACE_DONE", on: onControl},
		{kind: KindPublishNamespaceCancel, typ: 0x0C, name: "PUBLISH_NAMESPACE_CANCEL", on: onControl},
		{kind: KindSubscribeNamespace, typ: 0x11, name: "SUBSCRIBE_NAMESPACE", on: onControl, opens: true},
		{kind: KindRequestOK, typ: 0x12, name: "SUBSCRIBE_NAMESPACE_OK", on: onControl, answers: kinds(KindSubscribeNamespace)},
		{kind: KindRequestError, typ: 0x13, name: "SUBSCRIBE_NAMESPACE_ERROR", on: onControl, answers: kinds(KindSubscribeNamespace)},
		{kind: KindUnsubscribeNamespace, typ: 0x14, name: "UNSUBSCRIBE_NAMESPACE", on: onControl},
	},
	params: []paramRow{
		{0x02, "DELIVERY_TIMEOUT", paramObjectDeliveryTimeout, asUint, 0, anyQUIC, false,
			inSubscribe | inPublishOK | inUpdateOfSubscription | inTrackStatus | inPublishers14},
		{0x03, "AUTHORIZATION_TOKEN", paramToken, asToken, 0, 0, true, inRequest16 | inUpdateOfSubscription},
		{0x04, "MAX_CACHE_DURATION", paramMaxCacheDuration, asUint, 0, anyQUIC, false, inPublishers14 | inFetchOK},
	},
}
