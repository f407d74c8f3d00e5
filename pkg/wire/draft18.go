package wire

import (
	"math"

	"oxymoq/pkg/varint"
)

// Scopes that several parameters of draft 18 share (sections 10.2.2 to 10.2.14).
const (
	inSubscription18 = inSubscribe | inPublishOK | inUpdateOfSubscription
	// Section 10.2.3 and 10.2.4 name REQUEST_UPDATE without saying of what.
	inTimeouts18 = inSubscribe | inPublishOK | inAnyUpdate
	anyNumber    = uint64(math.MaxUint64)
)

// draft18 is draft-ietf-moq-transport-18, sections 10 and 15.7.
var draft18 = &draftTable{
	varint:              varint.MoQ,
	unknownStreamCount:  varint.MaxQUIC,
	goawayTimeout:       true,
	goawayRequestID:     true,
	retryInterval:       true,
	redirect:            true,
	trackProperties:     true,
	statusProperties:    true,
	filterNoneIsAbsence: true,
	options: map[uint64]string{
		optionPath: "PATH", optionToken: "AUTHORIZATION_TOKEN", optionMaxTokenCacheSize: "MAX_AUTH_TOKEN_CACHE_SIZE",
		optionAuthority: "AUTHORITY", optionImplementation: "MOQT_IMPLEMENTATION",
	},
	messages: []messageRow{
		{kind: KindSetup, typ: 0x2F00, name: "SETUP", on: onControl},
		{kind: KindGoaway, typ: 0x10, name: "GOAWAY", on: onControl | onRequest},
		{kind: KindSubscribe, typ: 0x03, name: "SUBSCRIBE", on: onRequest, opens: true},
		{kind: KindSubscribeOK, typ: 0x04, name: "SUBSCRIBE_OK", on: onRequest},
		{kind: KindPublish, typ: 0x1D, name: "PUBLISH", on: onRequest, opens: true},
		{kind: KindPublishDone, typ: 0x0B, name: "PUBLISH_DONE", on: onRequest},
		{kind: KindFetch, typ: 0x16, name: "FETCH", on: onRequest, opens: true},
		{kind: KindFetchOK, typ: 0x18, name: "FETCH_OK", on: onRequest},
		{kind: KindTrackStatus, typ: 0x0D, name: "TRACK_STATUS", on: onRequest, opens: true},
		{kind: KindPublishNamespace, typ: 0x06, name: "PUBLISH_NAMESPACE", on: onRequest, opens: true},
		{kind: KindSubscribeNamespace, typ: 0x50, name: "SUBSCRIBE_NAMESPACE", on: onRequest, opens: true},
		{kind: KindNamespace, typ: 0x08, name: "NAMESPACE", on: onRequest},
		{kind: KindNamespaceDone, typ: 0x0E, name: "NAMESPACE_DONE", on: onRequest},
		{kind: KindSubscribeTracks, typ: 0x51, name: "SUBSCRIBE_TRACKS", on: onRequest, opens: true},
		{kind: KindPublishBlocked, typ: 0x0F, name: "PUBLISH_BLOCKED", on: onRequest},
		{kind: KindRequestUpdate, typ: 0x02, name: "REQUEST_UPDATE", on: onRequest},
		{kind: KindRequestOK, typ: 0x07, name: "REQUEST_OK", on: onRequest},
		{kind: KindRequestError, typ: 0x05, name: "REQUEST_ERROR", on: onRequest},
	},
	params: []paramRow{
		{0x02, "OBJECT_DELIVERY_TIMEOUT", paramObjectDeliveryTimeout, asUint, 0, anyNumber, false, inTimeouts18},
		{0x03, "AUTHORIZATION_TOKEN", paramToken, asToken, 0, 0, true, inAnyRequest | inAnyUpdate},
		{0x04, "RENDEZVOUS_TIMEOUT", paramRendezvousTimeout, asUint, 0, anyNumber, false, inSubscribe},
		{0x06, "SUBGROUP_DELIVERY_TIMEOUT", paramSubgroupDeliveryTimeout, asUint, 0, anyNumber, false, inTimeouts18},
		{0x08, "EXPIRES", paramExpires, asUint, 0, anyNumber, false, inSubscribeOK | inPublish | inPublishOK | inUpdateOK},
		{0x09, "LARGEST_OBJECT", paramLargestObject, asLocation, 0, 0, false, inSubscribeOK | inPublish | inUpdateOK | inTrackStatusOK},
		{0x0A, "FILL_TIMEOUT", paramFillTimeout, asUint, 0, anyNumber, false, inFetch},
		{0x10, "FORWARD", paramForward, asByte, 0, 1, false, inSubscription18 | inPublish | inSubscribeTracks},
		{0x20, "SUBSCRIBER_PRIORITY", paramSubscriberPriority, asByte, 0, 255, false, inSubscription18 | inFetch | inUpdateOfFetch},
		{0x21, "SUBSCRIPTION_FILTER", paramFilter, asFilter18, 0, 0, false, inSubscription18},
		{0x22, "GROUP_ORDER", paramGroupOrder, asByte, 1, 2, false, inSubscribe | inPublishOK | inFetch},
		{0x32, "NEW_GROUP_REQUEST", paramNewGroupRequest, asUint, 0, anyNumber, false, inSubscription18},
		{0x34, "TRACK_NAMESPACE_PREFIX", paramNamespacePrefix, asNamespacePrefix, 0, 0, false, inUpdateOfSubscribeNamespace | inUpdateOfSubscribeTracks},
	},
}
