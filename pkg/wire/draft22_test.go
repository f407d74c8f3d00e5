package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
)

var (
	toServer22 = Context{Draft: model.Draft22, Stream: RequestStream, Receiver: Server}
	toClient22 = Context{Draft: model.Draft22, Stream: RequestStream, Receiver: Client}
)

// filtered22 is a SUBSCRIBE of draft 22 with one filter; the bytes of the
// filter come last.
func filtered22(name string, f model.Filter, length, bytes string) row {
	return row{name, toServer22, &Subscribe{RequestID: 9, Track: liveVideo, Params: Params{Filter: model.Some(f)}}, `
		03  Type
		` + length + `  Length
		09  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		01  Number of Parameters
		21 ` + bytes + `  LOCATION_FILTER`}
}

func absolute(group, object uint64, end model.Opt[model.EndLocation]) model.Filter {
	return model.Filter{Kind: model.FilterAbsolute, Start: model.Location{Group: group, Object: object}, End: end}
}

func filling(p Params) *RequestUpdate { return &RequestUpdate{RequestID: 95, Params: Params{Fill: &p}} }

func updating22() Context {
	ctx := toServer22
	ctx.Request = KindSubscribe
	return ctx
}

// draft22Rows prove that a draft which differs in encodings is a table and not
// a copy.
var draft22Rows = []row{
	filtered22("no filter", model.Filter{}, "0010", "00"),
	filtered22("next group", model.NextGroup, "0011", "01 00"),
	filtered22("current group", model.Filter{Kind: model.FilterRelative, Back: 1}, "0011", "01 01"),
	filtered22("two groups back of the current one", model.Filter{Kind: model.FilterRelative, Back: 3}, "0011", "01 03"),
	filtered22("next object", model.NextObject, "0010", "05"),
	filtered22("from {12,5}", model.From(model.Location{Group: 12, Object: 5}), "0012", "02 0c 05"),
	filtered22("{12,5} to group 15", absolute(12, 5, model.Some(model.EndLocation{Group: 15})), "0013", "03 0c 05 03"),
	filtered22("{12,5} to {15,7}", absolute(12, 5, model.Some(model.EndLocation{Group: 15, Object: model.Some[uint64](7)})), "0014", "04 0c 05 03 07"),
	filtered22("from {0,0}", model.From(model.Location{}), "0012", "02 00 00"),
	filtered22("from {300,0}", model.From(model.Location{Group: 300}), "0013", "02 812c 00"),

	{"fill that inherits everything", updating22(), filling(Params{}), `
		02  Type
		0005  Length
		5f  Request ID
		01  Number of Parameters
		23 01 00  FILL_PARAMETERS`},
	{"fill of the current group", updating22(), filling(Params{Filter: model.Some(model.Filter{Kind: model.FilterRelative, Back: 1})}), `
		02  Type
		0008  Length
		5f  Request ID
		01  Number of Parameters
		23 04  FILL_PARAMETERS
		01  Number of Parameters inside
		21 01 01  LOCATION_FILTER`},
	{"fill from {100,0}", updating22(), filling(Params{Filter: model.Some(model.From(model.Location{Group: 100}))}), `
		02  Type
		0009  Length
		5f  Request ID
		01  Number of Parameters
		23 05  FILL_PARAMETERS
		01  Number of Parameters inside
		21 02 64 00  LOCATION_FILTER`},
	{"fill from {3,0} to group 5 at once", updating22(), filling(Params{FillTimeout: model.Some[uint64](0), Filter: model.Some(absolute(3, 0, model.Some(model.EndLocation{Group: 5})))}), `
		02  Type
		000c  Length
		5f  Request ID
		01  Number of Parameters
		23 08  FILL_PARAMETERS
		02  Number of Parameters inside
		0a 00  FILL_TIMEOUT
		17 03 03 00 02  LOCATION_FILTER`},
	{"the chain of types goes on behind a fill", toServer22, &Subscribe{RequestID: 9, Track: liveVideo, Params: Params{
		Filter: model.Some(model.NextObject), Fill: &Params{Filter: model.Some(model.Filter{Kind: model.FilterRelative, Back: 1})}, IncludeProperties: model.Some(false)}}, `
		03  Type
		0018  Length
		09  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		03  Number of Parameters
		21 05  LOCATION_FILTER Next Object
		02 04 01 21 01 01  FILL_PARAMETERS
		12 00  INCLUDE_PROPERTIES`},
	{"priority before and group order after a filter without length", toServer22, &Subscribe{RequestID: 9, Track: liveVideo, Params: Params{
		SubscriberPriority: model.Some[uint8](200), Filter: model.Some(model.NextObject), GroupOrder: model.Some(model.Ascending)}}, `
		03  Type
		0014  Length
		09  Request ID
		01 04 6c697665  Track Namespace
		05 766964656f  Track Name
		03  Number of Parameters
		20 c8  SUBSCRIBER_PRIORITY
		01 05  LOCATION_FILTER
		01 01  GROUP_ORDER`},
	{"PUBLISH with a filter", toServer22, &Publish{Track: model.FullTrackName{Namespace: model.Namespace{"media"}, Name: "test"}, TrackAlias: 2, Params: Params{Filter: model.Some(model.NextObject)}}, `
		1d  Type
		0011  Length
		00  Request ID
		01 05 6d65646961  Track Namespace
		04 74657374  Track Name
		02  Track Alias
		01  Number of Parameters
		21 05  LOCATION_FILTER`},
	{"PUBLISH_DONE with an unknown stream count", toClient22, &PublishDone{Code: model.DoneTrackEnded, Reason: "done"}, `
		0b  Type
		000f  Length
		02  Status Code
		ffffffffffffffffff  Stream Count
		04 646f6e65  Reason Phrase`},
	{"GOAWAY without Request ID", Context{Draft: model.Draft22, Receiver: Client}, &Goaway{Timeout: 5000}, `
		10  Type
		0003  Length
		00  New Session URI
		9388  Timeout`},
	{"bare TRACK_NAMESPACE_PREFIX", Context{Draft: model.Draft22, Stream: RequestStream, Receiver: Server, Request: KindSubscribeNamespace},
		&RequestUpdate{RequestID: 7, Params: Params{NamespacePrefix: model.Some(model.Namespace{"live", "sports"})}}, `
		02  Type
		0010  Length
		07  Request ID
		01  Number of Parameters
		34 02 04 6c697665 06 73706f727473  TRACK_NAMESPACE_PREFIX`},
}

func TestDraft22BothWays(t *testing.T) {
	for _, r := range draft22Rows {
		t.Run(r.name, func(t *testing.T) {
			got, err := AppendMessage(nil, r.ctx, r.msg)
			if err != nil {
				t.Fatalf("append: %v", err)
			}
			if diff := firstDifference(t, r.wire, got); diff != "" {
				t.Errorf("append: %s\n got %x", diff, got)
			}
			typ, body, err := frame(got)
			if err != nil {
				t.Fatal(err)
			}
			back, err := ParseMessage(r.ctx, typ, body)
			if err != nil {
				t.Fatalf("parse: %v", err)
			}
			if diff := cmp.Diff(r.msg, back); diff != "" {
				t.Errorf("parse (-want +got):\n%s", diff)
			}
		})
	}
}

// Some peers leave out the number of parameters inside FILL_PARAMETERS.
func TestDraft22FillWithoutCount(t *testing.T) {
	for name, test := range map[string]struct {
		wire string
		want Params
	}{
		"nothing":        {"02  Type\n0004  Length\n5f 01\n23 00", Params{}},
		"current group":  {"02  Type\n0007  Length\n5f 01\n23 03 21 01 01", Params{Filter: model.Some(model.Filter{Kind: model.FilterRelative, Back: 1})}},
		"two parameters": {"02  Type\n000b  Length\n5f 01\n23 07 0a 00 17 03 03 00 02", Params{FillTimeout: model.Some[uint64](0), Filter: model.Some(absolute(3, 0, model.Some(model.EndLocation{Group: 5})))}},
	} {
		typ, body, err := frame(annotated(t, test.wire))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseMessage(updating22(), typ, body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(Message(filling(test.want)), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDraft22Refuses(t *testing.T) {
	for name, wire := range map[string]string{
		"a filter type it lacks":      "02  Type\n0004  Length\n5f 01 21 06",
		"FORWARD inside a fill":       "02  Type\n0007  Length\n5f 01 23 03 01 10 01",
		"a fill inside a fill":        "02  Type\n0007  Length\n5f 01 23 03 01 23 00",
		"a token inside a fill":       "02  Type\n0009  Length\n5f 01 23 05 01 03 02 02 01",
		"bytes left in a fill":        "02  Type\n0006  Length\n5f 01 23 02 00 00",
		"an end beyond 2^64-1":        "02  Type\n000e  Length\n5f 01 21 03 ffffffffffffffffff 00 01",
		"GROUP_ORDER in an update":    "02  Type\n0004  Length\n5f 01 22 01",
		"a fill longer than its room": "02  Type\n0005  Length\n5f 01 23 05 00",
	} {
		typ, body, err := frame(annotated(t, wire))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if m, err := ParseMessage(updating22(), typ, body); err == nil {
			t.Errorf("%s: accepted as %+v", name, m)
		}
	}
	if _, err := AppendMessage(nil, toServer22, &Fetch{FetchKind: FetchRelativeJoining}); err == nil {
		t.Error("a joining FETCH was written")
	}
}

// The third kind of end exists from draft 20 on; before, it is the second.
func TestTimedOutRange(t *testing.T) {
	it := endAt(FetchEndTimedOut, 2, 4)
	for d, want := range map[model.Draft]string{model.Draft18: "810c 02 04", model.Draft22: "820c 02 04"} {
		b, err := NewFetchEncoder(d, model.Ascending).Append(nil, it)
		if err != nil {
			t.Fatal(err)
		}
		if diff := firstDifference(t, want+"  End of Range", b); diff != "" {
			t.Errorf("draft %v: %s", d, diff)
		}
	}
	header := "05  Type\n04  Request ID\n820c 02 04  End of Timed-Out Range"
	if _, items, err := parseFetchStream(model.Draft22, model.Ascending, annotated(t, header)); err != nil || items[0].header.Kind != FetchEndTimedOut {
		t.Errorf("draft 22: %+v, %v", items, err)
	}
	if _, _, err := parseFetchStream(model.Draft18, model.Ascending, annotated(t, header)); err == nil {
		t.Error("draft 18 accepted the end that it lacks")
	}
}
