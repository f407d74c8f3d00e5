package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
)

// What drafts up to 16 have no words for is left out where the message means
// nearly the same without it, and what they demand is filled in.
func TestWhatOlderDraftsMakeOfNewerMessages(t *testing.T) {
	hints := Params{
		RendezvousTimeout: model.Some[uint64](1), SubgroupDeliveryTimeout: model.Some[uint64](2), ObjectDeliveryTimeout: model.Some[uint64](0),
	}
	track := model.Properties{
		{Type: model.PropObjectDeliveryTimeout}, {Type: model.PropMaxCacheDuration, Int: 5}, {Type: model.PropDefaultPriority, Int: 1}, {Type: model.PropDefaultGroupOrder, Int: 2}}
	for _, test := range []struct {
		name string
		ctx  Context
		msg  Message
		wire string
	}{
		{"16: hints", server16, subscribing(hints), `
			03  Type
			000e  Length
			01  Request ID
			01 04 6c697665  Track Namespace
			05 766964656f  Track Name
			00  Number of Parameters`},
		{"16: no filter, so that a FETCH can join", server16, &Subscribe{Track: liveVideo, Params: Params{Filter: model.Some(model.Filter{})}}, `
			03  Type
			0011  Length
			00  Request ID
			01 04 6c697665  Track Namespace
			05 766964656f  Track Name
			01  Number of Parameters
			21 01 02  SUBSCRIPTION_FILTER Largest Object`},
		{"16: no filter in PUBLISH_OK", olderAnswer(model.Draft16, KindPublish), &RequestOK{RequestID: 2, Params: Params{Filter: model.Some(model.Filter{})}}, `
			1e  Type
			0002  Length
			02  Request ID
			00  Number of Parameters`},
		{"16: update to no filter", updating16(KindSubscribe), &RequestUpdate{RequestID: 2, Params: Params{Filter: model.Some(model.Filter{})}}, `
			02  Type
			0008  Length
			02  Request ID
			00  Existing Request ID
			01  Number of Parameters
			21 03 03 00 00  SUBSCRIPTION_FILTER AbsoluteStart`},
		{"16: EXPIRES in the answer to an update", olderAnswer(model.Draft16, KindRequestUpdate), &RequestOK{RequestID: 2, Params: Params{Expires: model.Some[uint64](9)}}, `
			07  Type
			0002  Length
			02  Request ID
			00  Number of Parameters`},
		{"16: properties of the answer to TRACK_STATUS", olderAnswer(model.Draft16, KindTrackStatus), &RequestOK{RequestID: 2, TrackProperties: track}, `
			07  Type
			0002  Length
			02  Request ID
			00  Number of Parameters`},
		{"16: a timeout of 0, which would end the session", client16, &SubscribeOK{RequestID: 2, TrackProperties: track}, `
			04  Type
			0009  Length
			02  Request ID
			00  Track Alias
			00  Number of Parameters
			04 05  MAX_CACHE_DURATION
			0a 01  DEFAULT_PUBLISHER_PRIORITY
			14 02  DEFAULT_PUBLISHER_GROUP_ORDER`},
		{"16: GOAWAY", client16, &Goaway{NewSessionURI: "u", Timeout: 5, RequestID: model.Some[uint64](3)}, `
			10  Type
			0002  Length
			01 75  New Session URI`},
		{"16: a redirect", olderAnswer(model.Draft16, KindSubscribe), &RequestError{RequestID: 1, Code: model.Redirected, Redirect: &model.Redirect{ConnectURI: "u"}}, `
			05  Type
			0004  Length
			01  Request ID
			00  Error Code
			00  Retry Interval
			00  Error Reason`},
		{"16: a retry in the next age", olderAnswer(model.Draft16, KindSubscribe), &RequestError{RequestID: 1, Code: model.RequestTimeout, RetryInterval: model.Some[uint64](1 << 63)}, `
			05  Type
			000b  Length
			01  Request ID
			02  Error Code
			ffffffffffffffff  Retry Interval
			00  Error Reason`},
		{"16: FETCH to the end of all", server16, &Fetch{FetchKind: FetchStandalone, Track: liveVideo, Range: model.Range{End: model.Forever}}, `
			16  Type
			001a  Length
			00  Request ID
			01  Fetch Type
			01 04 6c697665  Track Namespace
			05 766964656f  Track Name
			00 00  Start Location
			ffffffffffffffff 00  End Location
			00  Number of Parameters`},
		{"16: FETCH to the last object that has a number", server16, &Fetch{FetchKind: FetchStandalone, Track: liveVideo, Range: model.Range{End: model.Location{Object: 1<<62 - 1}}}, `
			16  Type
			0013  Length
			00  Request ID
			01  Fetch Type
			01 04 6c697665  Track Namespace
			05 766964656f  Track Name
			00 00  Start Location
			00 00  End Location, the whole group
			00  Number of Parameters`},

		{"14: SUBSCRIBE without parameters", server14, subscribing(hints), `
			03  Type
			0012  Length
			01  Request ID
			01 04 6c697665  Track Namespace
			05 766964656f  Track Name
			80  Subscriber Priority
			00  Group Order
			01  Forward
			02  Filter Type Largest Object
			00  Number of Parameters`},
		{"14: PUBLISH_OK without parameters", olderAnswer(model.Draft14, KindPublish), &RequestOK{Params: Params{Expires: model.Some[uint64](1), NewGroupRequest: model.Some[uint64](2)}}, `
			1e  Type
			0008  Length
			00  Request ID
			01  Forward
			80  Subscriber Priority
			01  Group Order
			03  Filter Type AbsoluteStart
			00 00  Start Location
			00  Number of Parameters`},
		{"14: PUBLISH without parameters", server14, &Publish{Track: liveVideo}, `
			1d  Type
			0012  Length
			00  Request ID
			01 04 6c697665  Track Namespace
			05 766964656f  Track Name
			00  Track Alias
			01  Group Order
			00  Content Exists
			01  Forward
			00  Number of Parameters`},
		{"14: properties that it has words for", client14, &SubscribeOK{TrackProperties: track}, `
			04  Type
			0008  Length
			00  Request ID
			00  Track Alias
			00  Expires
			02  Group Order
			00  Content Exists
			01  Number of Parameters
			04 05  MAX_CACHE_DURATION`},
		{"14: the order of a subscription is not that of the track", client14, &SubscribeOK{TrackProperties: track[3:], Params: Params{GroupOrder: model.Some(model.Ascending)}}, `
			04  Type
			0006  Length
			00  Request ID
			00  Track Alias
			00  Expires
			01  Group Order
			00  Content Exists
			00  Number of Parameters`},
		{"14: FETCH without parameters", server14, &Fetch{FetchKind: FetchRelativeJoining, Params: Params{FillTimeout: model.Some[uint64](1)}}, `
			16  Type
			0007  Length
			00  Request ID
			80  Subscriber Priority
			00  Group Order
			02  Fetch Type
			00  Joining Request ID
			00  Joining Start
			00  Number of Parameters`},
		{"14: FETCH_OK", client14, &FetchOK{End: model.Location{Group: 1}, TrackProperties: model.Properties{{Type: model.PropObjectDeliveryTimeout, Int: 1}, {Type: model.PropMaxCacheDuration, Int: 2}}}, `
			18  Type
			0008  Length
			00  Request ID
			01  Group Order
			00  End Of Track
			01 01  End Location
			01  Number of Parameters
			04 02  MAX_CACHE_DURATION`},
		{"14: update to no filter", server14, &RequestUpdate{RequestID: 2, Params: Params{
			Filter: model.Some(model.Filter{}), SubscriberPriority: model.Some[uint8](1), Forward: model.Some(false)}}, `
			02  Type
			0008  Length
			02  Request ID
			00  Subscription Request ID
			00 00  Start Location
			00  End Group
			01  Subscriber Priority
			00  Forward
			00  Number of Parameters`},
		{"14: a retry interval", olderAnswer(model.Draft14, KindPublish), &RequestError{Code: model.RequestTimeout, RetryInterval: model.Some[uint64](1)}, `
			1f  Type
			0003  Length
			00  Request ID
			02  Error Code
			00  Error Reason`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := AppendMessage(nil, test.ctx, test.msg)
			if err != nil {
				t.Fatal(err)
			}
			if diff := firstDifference(t, test.wire, got); diff != "" {
				t.Errorf("%s\n got %x\nwant %x", diff, got, annotated(t, test.wire))
			}
		})
	}
}

// What is read and not kept, or read in more than one form (draft 16, section
// 9.2.2; draft 14, section 9.2).
func TestWhatOlderDraftsIgnore(t *testing.T) {
	for _, test := range []struct {
		name string
		ctx  Context
		want Message
		wire string
	}{
		{"16: parameters of other messages", client16, &SubscribeOK{RequestID: 1, Params: Params{Expires: model.Some[uint64](7)}}, `
			04  Type
			000c  Length
			01  Request ID
			00  Track Alias
			04  Number of Parameters
			02 00  DELIVERY_TIMEOUT, of a value that is not allowed
			01 01 ff  AUTHORIZATION_TOKEN that does not add up
			05 07  EXPIRES
			2a 05  NEW_GROUP_REQUEST`},
		{"16: a parameter of no update", updating16(KindFetch), &RequestUpdate{RequestID: 2}, `
			02  Type
			0005  Length
			02  Request ID
			00  Existing Request ID
			01  Number of Parameters
			22 01  GROUP_ORDER`},
		{"16: integers of other lengths", server16, &Subscribe{Track: liveVideo, Params: Params{Forward: model.Some(true)}}, `
			03  Type
			0014  Length
			00  Request ID
			01 04 6c697665  Track Namespace
			05 766964656f  Track Name
			4001  Number of Parameters
			10 80000001  FORWARD`},
		{"14: parameters in any order, unknown and misplaced ones", client14, &SubscribeOK{RequestID: 1, Params: Params{LargestObject: model.Some(model.Location{Group: 1})},
			TrackProperties: model.Properties{{Type: model.PropObjectDeliveryTimeout, Int: 6}, {Type: model.PropMaxCacheDuration, Int: 5}}}, `
			04  Type
			0017  Length
			01  Request ID
			00  Track Alias
			00  Expires
			01  Group Order
			01  Content Exists
			01 00  Largest Location
			06  Number of Parameters
			04 05  MAX_CACHE_DURATION
			4041 01 aa  0x41
			03 00  AUTHORIZATION_TOKEN
			02 06  DELIVERY_TIMEOUT
			4042 00  0x42
			01 00  0x01`},
		{"14: a timeout of 0", server14, &Publish{Track: liveVideo, Params: Params{Forward: model.Some(true)}}, `
			1d  Type
			0014  Length
			00  Request ID
			01 04 6c697665  Track Namespace
			05 766964656f  Track Name
			00  Track Alias
			01  Group Order
			00  Content Exists
			01  Forward
			01  Number of Parameters
			02 00  DELIVERY_TIMEOUT`},
		{"14: options in any order, AUTHORITY first", server14, &Setup{
			Versions: version, Authority: model.Some("a"), Implementation: model.Some("b"), MaxRequestID: model.Some[uint64](3),
			Unknown: model.Properties{{Type: 8, Int: 1}, {Type: 8, Int: 2}, {Type: 9}}}, `
			20  Type
			0018  Length
			01 c0000000ff00000e  Supported Versions
			06  Number of Parameters
			09 00  0x09
			05 01 61  AUTHORITY
			08 01  0x08
			05 01 62  MOQT_IMPLEMENTATION
			08 02  0x08
			02 03  MAX_REQUEST_ID`},
		{"14: what is no authority with its number", server14, &Setup{Versions: version, Implementation: model.Some("a/1")}, `
			20  Type
			000f  Length
			01 c0000000ff00000e  Supported Versions
			01  Number of Parameters
			05 03 612f31  MOQT_IMPLEMENTATION`},
		{"14: both numbers of the implementation from a server", client14, &Setup{Versions: version, Implementation: model.Some("b")}, `
			21  Type
			000f  Length
			c0000000ff00000e  Selected Version
			02  Number of Parameters
			05 01 61  MOQT_IMPLEMENTATION
			07 01 62  MOQT_IMPLEMENTATION`},
	} {
		t.Run(test.name, func(t *testing.T) {
			typ, body, err := frame(annotated(t, test.wire))
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseMessage(test.ctx, typ, body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// NO_OBJECTS is in draft 14 alone; for others it is an invalid range.
func TestNoObjects(t *testing.T) {
	m, err := ParseMessage(client14, 0x19, []byte{2, 6, 0})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&RequestError{RequestID: 2, Code: model.NoObjects}, m); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, d := range drafts {
		want := uint64(model.InvalidRange)
		if d == model.Draft14 {
			want = 6
		}
		if got := RequestCodeToWire(d, KindFetch, model.NoObjects); got != want {
			t.Errorf("draft %v: written as 0x%x, want 0x%x", d, got, want)
		}
		if got := RequestCodeFromWire(d, KindFetch, uint64(model.NoObjects)); got == model.NoObjects {
			t.Errorf("draft %v: our own number is taken for the code", d)
		}
	}
}

// A session has to know what a message answers or updates before it can be read.
func TestRequestIDsBeforeDecoding(t *testing.T) {
	for _, test := range []struct {
		name     string
		draft    model.Draft
		typ      uint64
		body     []byte
		id       model.Opt[uint64]
		existing model.Opt[uint64]
	}{
		{"REQUEST_OK", model.Draft16, 0x07, []byte{0x40, 0x40, 0}, model.Some[uint64](64), model.Opt[uint64]{}},
		{"PUBLISH_NAMESPACE_ERROR", model.Draft14, 0x08, []byte{3, 0, 0}, model.Some[uint64](3), model.Opt[uint64]{}},
		{"NAMESPACE", model.Draft16, 0x08, []byte{0}, model.Opt[uint64]{}, model.Opt[uint64]{}},
		{"REQUEST_UPDATE", model.Draft16, 0x02, []byte{2, 0x40, 0x41, 0}, model.Opt[uint64]{}, model.Some[uint64](65)},
		{"SUBSCRIBE_UPDATE", model.Draft14, 0x02, []byte{2, 1}, model.Opt[uint64]{}, model.Some[uint64](1)},
		{"PUBLISH_DONE", model.Draft14, 0x0B, []byte{5}, model.Some[uint64](5), model.Opt[uint64]{}},
		{"PUBLISH_NAMESPACE_CANCEL by namespace", model.Draft14, 0x0C, []byte{1, 1, 'a'}, model.Opt[uint64]{}, model.Opt[uint64]{}},
		{"cut short", model.Draft16, 0x07, []byte{0x40}, model.Opt[uint64]{}, model.Opt[uint64]{}},
		{"update cut short", model.Draft16, 0x02, []byte{2}, model.Opt[uint64]{}, model.Opt[uint64]{}},
		{"unknown type", model.Draft16, 0x3F, []byte{2, 2}, model.Opt[uint64]{}, model.Opt[uint64]{}},
		{"unknown draft", 17, 0x07, []byte{2, 2}, model.Opt[uint64]{}, model.Opt[uint64]{}},
		{"REQUEST_OK of draft 18", model.Draft18, 0x07, []byte{0}, model.Opt[uint64]{}, model.Opt[uint64]{}},
		{"REQUEST_UPDATE of draft 18", model.Draft18, 0x02, []byte{2, 0}, model.Opt[uint64]{}, model.Opt[uint64]{}},
	} {
		id, ok := RequestIDOf(test.draft, test.typ, test.body)
		if ok != test.id.Set || ok && id != test.id.Value {
			t.Errorf("%s: Request ID %d, %v, want %+v", test.name, id, ok, test.id)
		}
		id, ok = UpdatedIDOf(test.draft, test.typ, test.body)
		if ok != test.existing.Set || ok && id != test.existing.Value {
			t.Errorf("%s: updates %d, %v, want %+v", test.name, id, ok, test.existing)
		}
	}
}

func TestMessageNamesAreThoseOfTheDraft(t *testing.T) {
	for _, test := range []struct {
		draft model.Draft
		typ   uint64
		name  string
	}{
		{model.Draft14, 0x07, "PUBLISH_NAMESPACE_OK"}, {model.Draft16, 0x07, "REQUEST_OK"}, {model.Draft18, 0x07, "REQUEST_OK"},
		{model.Draft14, 0x0E, "TRACK_STATUS_OK"}, {model.Draft16, 0x0E, "NAMESPACE_DONE"}, {model.Draft14, 0x02, "SUBSCRIBE_UPDATE"},
		{model.Draft16, 0x21, "SERVER_SETUP"}, {model.Draft18, 0x21, "message 0x21"}, {model.Draft16, 0x50, "message 0x50"},
	} {
		if got := MessageName(test.draft, test.typ); got != test.name {
			t.Errorf("draft %v: 0x%x is called %s, want %s", test.draft, test.typ, got, test.name)
		}
	}
	for k, want := range map[MessageKind]string{KindMaxRequestID: "MAX_REQUEST_ID", KindUnsubscribeNamespace: "UNSUBSCRIBE_NAMESPACE", KindRequestOK: "REQUEST_OK", 99: "MessageKind(99)"} {
		if got := k.String(); got != want {
			t.Errorf("kind %d is called %s, want %s", k, got, want)
		}
	}
}

// Which messages may begin a request does not depend on where they travel.
func TestRequestsOfOlderDrafts(t *testing.T) {
	for d, want := range map[model.Draft]kindSet{
		model.Draft14: kinds(KindSubscribe, KindPublish, KindFetch, KindTrackStatus, KindPublishNamespace, KindSubscribeNamespace),
		model.Draft16: kinds(KindSubscribe, KindPublish, KindFetch, KindTrackStatus, KindPublishNamespace, KindSubscribeNamespace),
		model.Draft18: kinds(KindSubscribe, KindPublish, KindFetch, KindTrackStatus, KindPublishNamespace, KindSubscribeNamespace, KindSubscribeTracks),
	} {
		for k := range KindUnsubscribeNamespace + 1 {
			if got := OpensRequest(d, k); got != want.has(k) {
				t.Errorf("draft %v: %v opens a request: %v", d, k, got)
			}
		}
	}
}
