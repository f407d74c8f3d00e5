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
	goawayTimeout:      true,
	trackProperties:    true,
	statusProperties:   true,
	options:            draft18.options,
	messages: []messageRow{
		{kind: KindSetup, typ: 0x2F00, name: "SETUP", on: onControl},
		{kind: KindGoaway, typ: 0x10, name: "GOAWAY", on: onControl | onRequest},
		{kind: KindSubscribe, typ: 0x03, name: "SUBSCRIBE", on: onRequest, opens: true},
		{kind: KindSubscribeOK, typ: 0x04, name: "SUBSCRIBE_OK", on: onRequest},
		{kind: KindPublish, typ: 0x1D, name: "PUBLISH", on: onRequest, opens: true},
		{kind: KindPublishDone, typ: 0x0B, name: "PUBLISH_DONE", on: onRequest},
		{kind: KindTrackStatus, typ: 0x0D, name: "TRACK_STATUS", on: onRequest, opens: true},
		{kind: KindPublishNamespace, typ: 0x06, name: "PUBLISH_NAMESPACE", on: onRequest, opens: true},
		{kind: KindSubscribeNamespace, typ: 0x50, name: "SUBSCRIBE_NAMESPACE", on: onRequest, opens: true},
		{kind: KindNamespace, typ: 0x08, name: "NAMESPACE", on: onRequest},
		{kind: KindNamespaceDone, typ: 0x0E, name: "NAMESPACE_DONE", on: onRequest},
		{kind: KindSubscribeTracks, typ: 0x51, name: "SUBSCRIBE_TRACKS", on: onRequest, opens: true},
		{kind: KindPublishBlocked, typ: 0x0F, name: "PUBLISH_SKIPPED", on: onRequest},
		{kind: KindRequestUpdate, typ: 0x02, name: "REQUEST_UPDATE", on: onRequest},
		{kind: KindRequestOK, typ: 0x07, name: "REQUEST_OK", on: onRequest},
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
