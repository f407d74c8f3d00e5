package wire

import (
	"math"

	"oxymoq/pkg/varint"
)

// Scopes that several parameters of draft 22 share (its section 9.20).
const (
	inTimeouts22 = inSubscribe | inPublish | inSubscribeTracks | inUpdateOfSubscription
	inPriority22 = inTimeouts22 | inFetch | inUpdateOfFetch | inFill
)

// draft22 is draft-ietf-moq-transport-22 as far as its messages have the fields
// of draft 18. FETCH, FETCH_OK and PUBLISH_STATE_NOTIFY have others and are not
// spoken; no session is opened with this draft.
var draft22 = &draftTable{
	varint:             varint.MoQ,
	unknownStreamCount: math.MaxUint64,
	messages: []messageRow{
		{KindSetup, 0x2F00, "SETUP", onControl, false},
		{KindGoaway, 0x10, "GOAWAY", onControl | onRequest, false},
		{KindSubscribe, 0x03, "SUBSCRIBE", onRequest, true},
		{KindSubscribeOK, 0x04, "SUBSCRIBE_OK", onRequest, false},
		{KindPublish, 0x1D, "PUBLISH", onRequest, true},
		{KindPublishDone, 0x0B, "PUBLISH_DONE", onRequest, false},
		{KindTrackStatus, 0x0D, "TRACK_STATUS", onRequest, true},
		{KindPublishNamespace, 0x06, "PUBLISH_NAMESPACE", onRequest, true},
		{KindSubscribeNamespace, 0x50, "SUBSCRIBE_NAMESPACE", onRequest, true},
		{KindNamespace, 0x08, "NAMESPACE", onRequest, false},
		{KindNamespaceDone, 0x0E, "NAMESPACE_DONE", onRequest, false},
		{KindSubscribeTracks, 0x51, "SUBSCRIBE_TRACKS", onRequest, true},
		{KindPublishBlocked, 0x0F, "PUBLISH_SKIPPED", onRequest, false},
		{KindRequestUpdate, 0x02, "REQUEST_UPDATE", onRequest, false},
		{KindRequestOK, 0x07, "REQUEST_OK", onRequest, false},
	},
	params: []paramRow{
		{0x02, "OBJECT_DELIVERY_TIMEOUT", paramObjectDeliveryTimeout, asUint, 0, anyNumber, false, inTimeouts22},
		{0x03, "AUTHORIZATION_TOKEN", paramToken, asToken, 0, 0, true, inAnyRequest | inAnyUpdate},
		{0x04, "RENDEZVOUS_TIMEOUT", paramRendezvousTimeout, asUint, 0, anyNumber, false, inSubscribe},
		{0x06, "SUBGROUP_DELIVERY_TIMEOUT", paramSubgroupDeliveryTimeout, asUint, 0, anyNumber, false, inTimeouts22},
		{0x08, "EXPIRES", paramExpires, asUint, 0, anyNumber, false, inSubscribeOK | inPublish | inPublishOK |
			inSubscribeNamespaceOK | inSubscribeTracksOK | inPublishNamespaceOK | inUpdateOK},
		{0x09, "LARGEST_OBJECT", paramLargestObject, asLocation, 0, 0, false, inSubscribeOK | inPublish | inUpdateOK | inTrackStatusOK},
		{0x0A, "FILL_TIMEOUT", paramFillTimeout, asUint, 0, anyNumber, false, inFetch | inFill},
		{0x10, "FORWARD", paramForward, asByte, 0, 1, false, inTimeouts22 | inUpdateOfSubscribeTracks},
		{0x20, "SUBSCRIBER_PRIORITY", paramSubscriberPriority, asByte, 0, 255, false, inPriority22},
		{0x21, "LOCATION_FILTER", paramFilter, asFilter22, 0, 0, false, inTimeouts22 | inFetch | inFill},
		{0x22, "GROUP_ORDER", paramGroupOrder, asByte, 1, 2, false, inSubscribe | inPublish | inSubscribeTracks | inFetch | inFill},
		{0x23, "FILL_PARAMETERS", paramFill, asParams, 0, 0, false, inSubscribe | inUpdateOfSubscription | inSubscribeTracks},
		{0x32, "NEW_GROUP_REQUEST", paramNewGroupRequest, asUint, 0, anyNumber, false, inSubscribe | inUpdateOfSubscription},
		{0x34, "TRACK_NAMESPACE_PREFIX", paramNamespacePrefix, asNamespace, 0, 0, false, inUpdateOfSubscribeNamespace | inUpdateOfSubscribeTracks},
		{0x35, "INCLUDE_PROPERTIES", paramIncludeProperties, asByte, 0, 1, false, inSubscribe | inTrackStatus | inFetch | inSubscribeTracks},
	},
}
