package wire

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
)

// What is taken although the text says otherwise, and what would be sent.
func TestLeniency(t *testing.T) {
	live := Params{NamespacePrefix: model.Some(model.Namespace{"live", "sports"})}
	root := Params{NamespacePrefix: model.Some(model.Namespace(nil))}
	for _, test := range []struct {
		name string
		ctx  Context
		want Message
		wire string
	}{
		{"TRACK_NAMESPACE_PREFIX without length", updating(KindSubscribeNamespace), &RequestUpdate{RequestID: 7, Params: live}, `
			02  Type
			0010  Length
			07  Request ID
			01  Number of Parameters
			34 02 04 6c697665 06 73706f727473  TRACK_NAMESPACE_PREFIX`},
		{"TRACK_NAMESPACE_PREFIX with length", updating(KindSubscribeNamespace), &RequestUpdate{RequestID: 7, Params: live}, `
			02  Type
			0011  Length
			07  Request ID
			01  Number of Parameters
			34 0d 02 04 6c697665 06 73706f727473  TRACK_NAMESPACE_PREFIX`},
		{"empty TRACK_NAMESPACE_PREFIX without length", updating(KindSubscribeTracks), &RequestUpdate{Params: root}, `
			02  Type
			0004  Length
			00  Request ID
			01  Number of Parameters
			34 00  TRACK_NAMESPACE_PREFIX`},
		{"EXPIRES in TRACK_STATUS_OK", answering(KindTrackStatus, KindTrackStatus), &RequestOK{Params: Params{Expires: model.Some[uint64](5)}}, `
			07  Type
			0003  Length
			01  Number of Parameters
			08 05  EXPIRES`},
		{"GROUP_ORDER in SUBSCRIBE_OK", withOrder(answering(KindSubscribe, KindSubscribe)), &SubscribeOK{Params: Params{GroupOrder: model.Some(model.Descending)}}, `
			04  Type
			0004  Length
			00  Track Alias
			01  Number of Parameters
			22 02  GROUP_ORDER`},
		{"SUBSCRIBE of @moq/watch 0.4.6", Context{Draft: model.Draft18, Stream: RequestStream, Receiver: Server}, &Subscribe{
			RequestID: 2,
			Track:     model.FullTrackName{Namespace: model.Namespace{"demo", "cam.hang"}, Name: "catalog.json"},
			Params: Params{
				Forward: model.Some(true), SubscriberPriority: model.Some[uint8](155), Filter: model.Some(model.NextObject),
				GroupOrder: model.Some(model.Descending), KeyValues: true,
			},
		}, `
			03  Type
			0028  Length
			02  Request ID
			02 04 64656d6f 08 63616d2e68616e67  Track Namespace
			0c 636174616c6f672e6a736f6e  Track Name
			04  Number of Parameters
			10 01  FORWARD
			10 809b  SUBSCRIBER_PRIORITY as an integer
			01 01 02  SUBSCRIPTION_FILTER
			01 02  GROUP_ORDER`},
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

// The empty form of a datagram's payload is not sent but read.
func TestEmptyDatagramWithoutStatusIsRead(t *testing.T) {
	g, _, err := ParseDatagram(model.Draft18, annotated(t, "00  Type\n01 02 05 80"))
	if err != nil || g.Status != model.StatusNormal || len(g.Payload) != 0 {
		t.Errorf("%+v, %v", g, err)
	}
}

// moxygen sends a new group without an object delta when the ID goes on.
func TestFetchGroupWithoutObjectDeltaIsRead(t *testing.T) {
	_, items, err := parseFetchStream(model.Draft18, model.Ascending, annotated(t, `
		05 04  FETCH_HEADER
		1c 01 07 80 00  object {1,7}
		08 00 00  object {2,8}`))
	if err != nil || len(items) != 2 || items[1].header.Location != (model.Location{Group: 2, Object: 8}) {
		t.Errorf("%+v, %v", items, err)
	}
}

// A prefix that is neither with nor without length is refused with the error of
// the form that most peers send.
// withOrder is for peers that are known to send GROUP_ORDER in SUBSCRIBE_OK.
func withOrder(ctx Context) Context {
	ctx.Quirks.OrderInSubscribeOK = true
	return ctx
}

func TestPrefixInNeitherForm(t *testing.T) {
	typ, body, err := frame(annotated(t, `
		02  Type
		0006  Length
		00  Request ID
		01  Number of Parameters
		34 03 01 00  TRACK_NAMESPACE_PREFIX`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = ParseMessage(updating(KindSubscribeNamespace), typ, body)
	if pe, ok := errors.AsType[*ParseError](err); !ok || pe.Code != model.ProtocolViolation || pe.Field != "TRACK_NAMESPACE_PREFIX" {
		t.Errorf("%v", err)
	}
}

// A peer that writes parameters as Key-Value-Pairs gets them so.
func TestParametersAsKeyValues(t *testing.T) {
	ok := &SubscribeOK{TrackAlias: 5, Params: Params{
		Expires: model.Some[uint64](3), LargestObject: model.Some(model.Location{Group: 300, Object: 1}), KeyValues: true,
	}}
	got, err := AppendMessage(nil, Context{Draft: model.Draft18, Stream: RequestStream, Request: KindSubscribe, Answers: KindSubscribe, Receiver: Client}, ok)
	if err != nil {
		t.Fatal(err)
	}
	want := annotated(t, `
		04  Type
		0009  Length
		05  Track Alias
		02  Number of Parameters
		08 03  EXPIRES
		01 03 812c 01  LARGEST_OBJECT, with a length`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What adds up in neither form is refused as the draft's form would be, and a
// priority that needs no second reading gets none.
func TestParametersInNeitherForm(t *testing.T) {
	for _, test := range []struct{ name, params, reason string }{
		{"unknown parameter", "01 11 00", "SUBSCRIBE: Parameter Type: unknown type 0x11 (byte 7)"},
		{"integer cut off", "02 20 81", "SUBSCRIBE: Parameter Type: ends before its last field (byte 8)"},
		{"priority beyond 255", "02 20 8100 02 01", "SUBSCRIBE: SUBSCRIBER_PRIORITY: more than once (byte 9)"},
		{"small priority of two bytes", "02 20 8005 02 01", "SUBSCRIBE: Parameter Type: unknown type 0x25 (byte 9)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := append(annotated(t, "00 01 01 61 00  Request ID, Track Namespace, Track Name"), annotated(t, test.params+"  Parameters")...)
			_, err := ParseMessage(Context{Draft: model.Draft18, Stream: RequestStream, Receiver: Server}, 0x3, body)
			if pe, ok := errors.AsType[*ParseError](err); !ok || pe.Code != model.ProtocolViolation || pe.Error() != test.reason {
				t.Errorf("%v, want %s", err, test.reason)
			}
		})
	}
}
