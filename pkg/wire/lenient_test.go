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
