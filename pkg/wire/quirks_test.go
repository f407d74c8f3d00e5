package wire

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// What is read of peers with a quirk, and ends the session with others.
func TestQuirksOfMessages(t *testing.T) {
	largestGroup := model.Some(model.Filter{Kind: model.FilterRelative, Back: 1})
	publishOK14 := server14
	publishOK14.Answers = KindPublish
	live := model.FullTrackName{Namespace: model.Namespace{"live"}, Name: "video"}
	for _, test := range []struct {
		name  string
		quirk Quirks
		ctx   Context
		want  Message
		wire  string
		field string // that is wrong for others
	}{
		{"GROUP_ORDER in SUBSCRIBE_OK", Quirks{OrderInSubscribeOK: true}, answering(KindSubscribe, KindSubscribe), &SubscribeOK{Params: Params{GroupOrder: model.Some(model.Descending)}}, `
			04  Type
			0004  Length
			00  Track Alias
			01  Number of Parameters
			22 02  GROUP_ORDER`, "GROUP_ORDER"},
		{"GROUP_ORDER of 0 in the answer to TRACK_STATUS", Quirks{OrderInStatus: true}, answering(KindTrackStatus, KindTrackStatus), &RequestOK{Params: Params{
			Expires: model.Some[uint64](0), LargestObject: model.Some(model.Location{Group: 7, Object: 3}),
		}}, `
			07  Type
			0008  Length
			03  Number of Parameters
			08 00  EXPIRES
			01 07 03  LARGEST_OBJECT
			19 00  GROUP_ORDER`, "GROUP_ORDER"},
		{"Group Order of 0 in PUBLISH_OK, draft 14", Quirks{OrderLeftOpen: true}, publishOK14, &RequestOK{RequestID: 2, Params: Params{
			Forward: model.Some(true), SubscriberPriority: model.Some[uint8](128), Filter: model.Some(model.NextObject),
		}}, `
			1e  Type
			0006  Length
			02  Request ID
			01  Forward
			80  Subscriber Priority
			00  Group Order
			02  Filter Type
			00  Number of Parameters`, "Group Order"},
		{"Group Order of 0 in SUBSCRIBE_OK, draft 14", Quirks{OrderLeftOpen: true}, server14, &SubscribeOK{RequestID: 2, TrackAlias: 5}, `
			04  Type
			0006  Length
			02  Request ID
			05  Track Alias
			00  Expires
			00  Group Order
			00  Content Exists
			00  Number of Parameters`, "Group Order"},
		{"Group Order of 0 in FETCH_OK, draft 14", Quirks{OrderLeftOpen: true}, server14, &FetchOK{RequestID: 2, End: model.Location{Group: 7, Object: 2}}, `
			18  Type
			0006  Length
			02  Request ID
			00  Group Order
			00  End Of Track
			07 03  End Location
			00  Number of Parameters`, "Group Order"},
		{"how to deliver in TRACK_STATUS", Quirks{DeliveryInStatus: true}, toServer, &TrackStatus{Track: live, Params: Params{
			Forward: model.Some(false), SubscriberPriority: model.Some[uint8](5), Filter: model.Some(model.NextObject), GroupOrder: model.Some(model.Ascending),
		}}, `
			0d  Type
			0017  Length
			00  Request ID
			01 04 6c697665  Track Namespace
			05 766964656f  Track Name
			04  Number of Parameters
			10 00  FORWARD
			10 05  SUBSCRIBER_PRIORITY
			01 01 02  SUBSCRIPTION_FILTER
			01 01  GROUP_ORDER`, "FORWARD"},
		{"FORWARD in SUBSCRIBE_NAMESPACE", Quirks{ForwardForNamespaces: true}, toServer, &SubscribeNamespace{Prefix: model.Namespace{"live"}, Params: Params{Forward: model.Some(true)}}, `
			50  Type
			000a  Length
			00  Request ID
			01 04 6c697665  Track Namespace Prefix
			01  Number of Parameters
			10 01  FORWARD`, "FORWARD"},
		{"filter of the largest group, draft 18", Quirks{LargestGroupFilter: true}, toServer, &Subscribe{Track: live, Params: Params{Filter: largestGroup}}, `
			03  Type
			0012  Length
			00  Request ID
			01 04 6c697665  Track Namespace
			05 766964656f  Track Name
			01  Number of Parameters
			21 02 80fa  SUBSCRIPTION_FILTER`, "SUBSCRIPTION_FILTER"},
		{"filter of the largest group, draft 16", Quirks{LargestGroupFilter: true}, server16, &Subscribe{Track: live, Params: Params{Filter: largestGroup}}, `
			03  Type
			0012  Length
			00  Request ID
			01 04 6c697665  Track Namespace
			05 766964656f  Track Name
			01  Number of Parameters
			21 02 40fa  SUBSCRIPTION_FILTER`, "SUBSCRIPTION_FILTER"},
		{"filter of the largest group, draft 14", Quirks{LargestGroupFilter: true}, server14, &Subscribe{Track: live, Params: Params{
			SubscriberPriority: model.Some[uint8](128), Forward: model.Some(true), Filter: largestGroup,
		}}, `
			03  Type
			0013  Length
			00  Request ID
			01 04 6c697665  Track Namespace
			05 766964656f  Track Name
			80  Subscriber Priority
			00  Group Order
			01  Forward
			40fa  Filter Type
			00  Number of Parameters`, "Filter Type"},
		{"SUBSCRIBE_NAMESPACE for all namespaces, draft 14", Quirks{EmptyPrefix: true}, server14, &SubscribeNamespace{RequestID: 2}, `
			11  Type
			0003  Length
			02  Request ID
			00  Track Namespace Prefix
			00  Number of Parameters`, "Track Namespace Prefix"},
		{"UNSUBSCRIBE_NAMESPACE for all namespaces, draft 14", Quirks{EmptyPrefix: true}, server14, &UnsubscribeNamespace{}, `
			14  Type
			0001  Length
			00  Track Namespace Prefix`, "Track Namespace Prefix"},
		{"Existing Request ID in REQUEST_UPDATE", Quirks{ExistingInUpdate: true}, updating(KindSubscribe), &RequestUpdate{RequestID: 7, Params: Params{Forward: model.Some(false)}}, `
			02  Type
			0005  Length
			07  Request ID
			05  Existing Request ID
			01  Number of Parameters
			10 00  FORWARD`, "Parameter Type"},
		{"Existing Request ID of 0 in REQUEST_UPDATE", Quirks{ExistingInUpdate: true}, updating(KindSubscribe), &RequestUpdate{RequestID: 7}, `
			02  Type
			0003  Length
			07  Request ID
			00  Existing Request ID
			00  Number of Parameters`, "Length"},
	} {
		t.Run(test.name, func(t *testing.T) {
			typ, body, err := frame(annotated(t, test.wire))
			if err != nil {
				t.Fatal(err)
			}
			with := test.ctx
			with.Quirks = test.quirk
			got, err := ParseMessage(with, typ, body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			_, err = ParseMessage(test.ctx, typ, body)
			if pe, ok := errors.AsType[*ParseError](err); !ok || !pe.Fatal() || pe.Code != model.ProtocolViolation || pe.Field != test.field {
				t.Errorf("of another: %v, want an error of %s", err, test.field)
			}
		})
	}
}

// A code means what the peer's table says.
func TestLaterErrorCodes(t *testing.T) {
	ctx := server14
	ctx.Answers = KindSubscribe
	for _, later := range []bool{false, true} {
		ctx.Quirks.LaterErrorCodes = later
		m, err := ParseMessage(ctx, 0x05, annotated(t, "02 10 00  Request ID, Error Code, Reason Phrase"))
		want := model.RequestMalformedAuthToken
		if later {
			want = model.DoesNotExist
		}
		if e, ok := m.(*RequestError); err != nil || !ok || e.Code != want {
			t.Errorf("later %v: %+v, %v", later, m, err)
		}
	}
}

// What a draft allows is read as it has it, whatever else the peer may do.
func TestUpdateWithoutExistingID(t *testing.T) {
	ctx := updating(KindSubscribe)
	ctx.Quirks.ExistingInUpdate = true
	for _, test := range []struct{ name, body, reason string }{
		{"as the draft has it", "07 01 10 00", ""},
		{"in neither form", "07 05 01 11 00", "REQUEST_UPDATE: Parameter Type: unknown type 0x1 (byte 3)"},
		{"in neither form, too long", "07 00 00 00", "REQUEST_UPDATE: Length: bytes left after the last field (byte 2)"},
	} {
		_, err := ParseMessage(ctx, 0x02, annotated(t, test.body+"  Body"))
		if got := fmt.Sprint(err); err != nil && got != test.reason || err == nil && test.reason != "" {
			t.Errorf("%s: %v, want %s", test.name, err, test.reason)
		}
	}
}

// What is taken of every peer ends the session with a strict one.
func TestStrictContextTakesTheLetter(t *testing.T) {
	update22 := updating22()
	for _, test := range []struct {
		name, wire, field string
		ctx               Context
	}{
		{"parameters as Key-Value-Pairs", `
			03  Type
			000a  Length
			00  Request ID
			01 01 61 00  Track
			02  Number of Parameters
			20 809b  SUBSCRIBER_PRIORITY as an integer
			02  GROUP_ORDER`, "Parameter Type", toServer},
		{"FILL_PARAMETERS without their number", `
			02  Type
			0006  Length
			00  Request ID
			01  Number of Parameters
			23 02 0a 05  FILL_PARAMETERS`, "Parameter Type", update22},
		{"empty FILL_PARAMETERS", `
			02  Type
			0004  Length
			00  Request ID
			01  Number of Parameters
			23 00  FILL_PARAMETERS`, "Number of Parameters", update22},
	} {
		t.Run(test.name, func(t *testing.T) {
			typ, body, err := frame(annotated(t, test.wire))
			if err != nil {
				t.Fatal(err)
			}
			test.ctx.Strict = true
			_, err = ParseMessage(test.ctx, typ, body)
			if pe, ok := errors.AsType[*ParseError](err); !ok || !pe.Fatal() || pe.Code != model.ProtocolViolation || pe.Field != test.field {
				t.Errorf("%v, want an error of %s", err, test.field)
			}
		})
	}
}

// readFetch reads items byte by byte until the stream ends, as a session does.
func readFetch(d model.Draft, q Quirks, b []byte) (got []string, err error) {
	dec := NewFetchDecoder(d, model.Ascending).Of(q)
	end := 0
	for begin := 0; begin < len(b); {
		end = max(end, begin+1)
		r := varint.NewReader(VarintKind(d), b[begin:end])
		it, err := dec.Parse(r)
		if errors.Is(err, varint.ErrTruncated) {
			if end == len(b) && !dec.End() {
				return got, err
			}
			end = min(end+1, len(b))
			continue
		}
		if err != nil {
			return got, err
		}
		got = append(got, fmt.Sprintf("%v %d %v %d", it.Location, it.Kind, it.Status, it.PayloadLen))
		if begin += r.Offset(); it.PayloadLen > uint64(len(b)-begin) {
			return got, varint.ErrTruncated
		}
		begin += int(it.PayloadLen)
	}
	return got, nil
}

// Empty objects on fetch streams, of peers that write a status behind their length
// and of those of which that is not known.
func TestStatusOfEmptyFetchObjects(t *testing.T) {
	const object, empty, next, marker = "1/0 0 normal 1", "1/1 0 normal 0", "2/0 0 normal 1", "1/1 1 end of group 0"
	const first, behind = "1c 01 00 80 01 ff  {1,0}\n 00 00  {1,1}, empty\n", "0c 00 00 01 ee  {2,0}"
	other := []string{"something else"} // which no reader could know
	for _, test := range []struct {
		name, wire           string
		never, maybe, always []string // nil: an error
	}{
		{"no status", first + behind, []string{object, empty, next}, []string{object, empty, next}, nil},
		{"no status at the end", first, []string{object, empty}, []string{object, empty}, nil},
		{"normal", first + "00  Status\n" + behind, other, other, []string{object, empty, next}},
		{"normal at the end", first + "00  Status", nil, []string{object, empty}, []string{object, empty}},
		{"end of group", first + "03  Status\n" + behind, other, []string{object, marker, next}, []string{object, marker, next}},
		{"end of group at the end", first + "03  Status", nil, []string{object, marker}, []string{object, marker}},
		{"none that there is", first + "05  Status", nil, nil, nil},
		{"what does not exist", first + "01  Status", nil, nil, nil},
		{"a subgroup and an object, without status", first + "03 07 01 dd", []string{object, empty, "1/2 0 normal 1"}, []string{object, empty, "1/2 0 normal 1"}, nil},
		{"a header cut off", first + "1c 01", nil, nil, nil},
	} {
		for _, d := range []model.Draft{model.Draft16, model.Draft18} {
			t.Run(fmt.Sprintf("%s, draft %v", test.name, d), func(t *testing.T) {
				b := annotated(t, test.wire)
				if d == model.Draft16 {
					for i := range b { // IDs are whole there
						if b[i] == 0x0c {
							b[i+1] = 2
						}
					}
				}
				for status, want := range map[FetchStatus][]string{FetchStatusNever: test.never, FetchStatusMaybe: test.maybe, FetchStatusAlways: test.always} {
					got, err := readFetch(d, Quirks{FetchStatus: status}, b)
					diff := cmp.Diff(want, got)
					switch {
					case want == nil && err == nil:
						t.Errorf("%v: %v, want an error", status, got)
					case want != nil && want[0] != other[0] && (err != nil || diff != ""):
						t.Errorf("%v: %v (-want +got):\n%s", status, err, diff)
					}
				}
			})
		}
	}
}

// Only who is known to expect a status gets one.
func TestStatusOfEmptyFetchObjectsIsSent(t *testing.T) {
	for _, d := range spoken {
		without, err := NewFetchEncoder(d, model.Ascending).Append(nil, object(1, 0, 0, 128, 0))
		if err != nil {
			t.Fatal(err)
		}
		for status, more := range map[FetchStatus]string{FetchStatusMaybe: "", FetchStatusAlways: "\x00"} {
			if d == model.Draft14 {
				more = "" // it has one already
			}
			q := Quirks{FetchStatus: status}
			b, err := NewFetchEncoder(d, model.Ascending).Of(q).Append(nil, object(1, 0, 0, 128, 0))
			if err != nil || string(b) != string(without)+more {
				t.Errorf("draft %v, %v: % x, %v", d, status, b, err)
			}
			if got, err := readFetch(d, q.Sent(), b); err != nil || len(got) != 1 {
				t.Errorf("draft %v, %v: read as %v, %v", d, status, got, err)
			}
		}
	}
}

// FuzzFetchOfQuirks: however the bytes come apart, the same is read, and what may
// have a status is never read where it cannot be.
func FuzzFetchOfQuirks(f *testing.F) {
	for _, s := range []string{"1c 01 00 80 00 03 0c 00 00 01 ee", "1c 01 00 80 00 00", "1c 01 00 80 00 04", "1c 01 00 80 00 8c 01 05"} {
		f.Add(uint8(1), uint8(1), annotated(f, s))
		f.Add(uint8(2), uint8(2), annotated(f, s))
	}
	f.Fuzz(func(t *testing.T, draft, status uint8, b []byte) {
		d, q := drafts[int(draft)%len(drafts)], Quirks{FetchStatus: FetchStatus(status % 3)}
		pieces, err := readFetch(d, q, b)
		var whole []string
		dec := NewFetchDecoder(d, model.Ascending).Of(q)
		dec.End()
		r := varint.NewReader(VarintKind(d), b)
		for r.Len() > 0 {
			it, wholeErr := dec.Parse(r)
			if wholeErr != nil || uint64(r.Len()) < it.PayloadLen {
				break
			}
			r.Bytes(it.PayloadLen)
			whole = append(whole, fmt.Sprintf("%v %d %v %d", it.Location, it.Kind, it.Status, it.PayloadLen))
		}
		if diff := cmp.Diff(pieces[:min(len(pieces), len(whole))], whole[:min(len(pieces), len(whole))], cmpopts.EquateEmpty()); err == nil && diff != "" {
			t.Errorf("(-in pieces +whole):\n%s", diff)
		}
	})
}

// FuzzMessagesOfQuirks: what is read of every peer is read alike of one with
// quirks.
func FuzzMessagesOfQuirks(f *testing.F) {
	for _, d := range spoken {
		for _, r := range rowsOf(d) {
			typ, body, err := frame(annotated(f, r.wire))
			if err == nil {
				f.Add(uint8(slices.Index(drafts, d)), uint8(r.ctx.Request), uint8(r.ctx.Answers), uint8(r.ctx.Receiver), r.ctx.Stream == RequestStream, typ, body)
			}
		}
	}
	all := Quirks{OrderInSubscribeOK: true, OrderInStatus: true, OrderLeftOpen: true, DeliveryInStatus: true, ForwardForNamespaces: true, LargestGroupFilter: true, ExistingInUpdate: true}
	f.Fuzz(func(t *testing.T, draft, request, answers, receiver uint8, onStream bool, typ uint64, body []byte) {
		ctx := Context{
			Draft: drafts[int(draft)%len(drafts)], Request: MessageKind(request), Answers: MessageKind(answers), Receiver: Role(receiver % 2),
		}
		if onStream {
			ctx.Stream = RequestStream
		}
		m, err := ParseMessage(ctx, typ, body)
		ctx.Quirks = all
		of, ofErr := ParseMessage(ctx, typ, body)
		if diff := cmp.Diff(m, of); m != nil && (diff != "" || fmt.Sprint(err) != fmt.Sprint(ofErr)) {
			t.Errorf("%v, of one with quirks %v (-plain +quirks):\n%s", err, ofErr, diff)
		}
	})
}
