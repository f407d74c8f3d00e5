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
	goawayRequestID:     true,
	filterNoneIsAbsence: true,
	messages: []messageRow{
		{KindSetup, 0x2F00, "SETUP", onControl, false},
		{KindGoaway, 0x10, "GOAWAY", onControl | onRequest, false},
		{KindSubscribe, 0x03, "SUBSCRIBE", onRequest, true},
		{KindSubscribeOK, 0x04, "SUBSCRIBE_OK", onRequest, false},
		{KindPublish, 0x1D, "PUBLISH", onRequest, true},
		{KindPublishDone, 0x0B, "PUBLISH_DONE", onRequest, false},
		{KindFetch, 0x16, "FETCH", onRequest, true},
		{KindFetchOK, 0x18, "FETCH_OK", onRequest, false},
		{KindTrackStatus, 0x0D, "TRACK_STATUS", onRequest, true},
		{KindPublishNamespace, 0x06, "PUBLISH_NAMESPACE", onRequest, true},
		{KindSubscribeNamespace, 0x50, "SUBSCRIBE_NAMESPACE", onRequest, true},
		{KindNamespace, 0x08, "NAMESPACE", onRequest, false},
		{KindNamespaceDone, 0x0E, "NAMESPACE_DONE", onRequest, false},
		{KindSubscribeTracks, 0x51, "SUBSCRIBE_TRACKS", onRequest, true},
		{KindPublishBlocked, 0x0F, "PUBLISH_BLOCKED", onRequest, false},
		{KindRequestUpdate, 0x02, "REQUEST_UPDATE", onRequest, false},
		{KindRequestOK, 0x07, "REQUEST_OK", onRequest, false},
		{KindRequestError, 0x05, "REQUEST_ERROR", onRequest, false},
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
