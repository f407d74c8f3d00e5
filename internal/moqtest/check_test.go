package moqtest

import (
	"errors"
	"strings"
	"testing"

	"oxymoq/pkg/model"
)

// delivered returns what a perfect relay makes of a track.
func delivered(p Params, fetch bool) (came []arrival) {
	for _, at := range all(p) {
		o, _ := p.Object(at)
		if fetch && p.marks(at) {
			continue
		}
		stream := int(at.Group*100 + o.Subgroup)
		if o.Datagram {
			stream = -1
		}
		came = append(came, newArrival(o, o.Payload, stream))
	}
	return came
}

// TestPerfect: nothing is said against what is as it should be.
func TestPerfect(t *testing.T) {
	for _, c := range append(Cases(Suite50), Cases(Suite80)...) {
		for _, fetch := range []bool{false, true} {
			k := check{params: c.Ask.Params, exact: true, fetch: fetch}
			if err := k.all(delivered(k.params, fetch), nil, model.Range{End: model.Forever}); err != nil {
				t.Errorf("%s, fetched %v: %v", c.ID(), fetch, err)
			}
		}
	}
}

// TestWrong: every fault is found, and told.
func TestWrong(t *testing.T) {
	suite := Cases(Suite50)
	reset := func(code model.ResetCode) map[subgroup]error {
		return map[subgroup]error{{group: 1}: &model.StreamError{Code: code, Remote: true}}
	}
	without := func(from, n int) func([]arrival) []arrival {
		return func(came []arrival) []arrival { return append(came[:from:from], came[from+n:]...) }
	}
	changed := func(i int, f func(*arrival)) func([]arrival) []arrival {
		return func(came []arrival) []arrival { f(&came[i]); return came }
	}
	as := func(came []arrival) []arrival { return came }
	for _, tt := range []struct {
		name  string
		case_ int // of the older suite
		check check
		spoil func([]arrival) []arrival
		cut   map[subgroup]error
		want  string // empty: it is forgiven
	}{
		{"an object is missing", 1, check{}, without(7, 1), nil, "object 1/1 did not come"},
		{"some are", 1, check{}, without(6, 4), nil, "4 of 18 objects did not come, the first of them: object 1/0"},
		{"a stream was reset", 1, check{}, without(7, 1), reset(model.ResetInternalError), "its stream ended with"},
		{"a stream was reset behind all objects", 1, check{}, as, reset(model.ResetInternalError), "a stream of group 1, subgroup 0 ended with"},
		{"a stream was too late", 48, check{late: true}, without(7, 1), reset(model.ResetDeliveryTimeout), ""},
		{"a stream was too late in another group", 48, check{late: true}, without(1, 1), reset(model.ResetDeliveryTimeout), "object 0/1 did not come"},
		{"a stream was too late without a timeout", 1, check{}, without(7, 1), reset(model.ResetDeliveryTimeout), "object 1/1 did not come"},
		{"an object came twice", 1, check{}, func(came []arrival) []arrival { return append(came, came[3]) }, nil, "object 0/3 came twice"},
		{"an object that there is not", 1, check{}, changed(5, func(a *arrival) { a.Location.Object = 6 }), nil, "object 0/6 came, which the track has not"},
		{"a group that there is not", 25, check{}, changed(0, func(a *arrival) { a.Location.Group = 1 }), nil, "object 1/0 came, which the track has not"},
		{"one stream out of order", 1, check{}, func(came []arrival) []arrival { came[1], came[2] = came[2], came[1]; return came }, nil, "object 0/1 came after 0/2 on one stream"},
		{"a wrong subgroup", 3, check{}, changed(1, func(a *arrival) { a.Subgroup = 0; a.stream = 77 }), nil, "has the Subgroup ID 0 and not 1"},
		{"a datagram", 1, check{}, changed(1, func(a *arrival) { a.Datagram = true }), nil, "came in a datagram and not in a stream"},
		{"no datagram", 4, check{}, changed(1, func(a *arrival) { a.Datagram = false; a.Subgroup = 1 }), nil, "came in a stream and not in a datagram"},
		{"no datagram, fetched", 8, check{fetch: true}, changed(1, func(a *arrival) { a.Datagram = false; a.Subgroup = 1 }), nil, ""},
		{"a longer payload", 1, check{}, changed(1, func(a *arrival) { a.size++ }), nil, "has a payload of bytes 101 and not 100"},
		{"another byte", 1, check{}, changed(1, func(a *arrival) { a.wrongByte = 9 }), nil, "at 9"},
		{"no END_OF_GROUP", 31, check{}, changed(6, func(a *arrival) { a.Status = model.StatusNormal }), nil, "has the status"},
		{"a fetched END_OF_GROUP", 34, check{fetch: true}, as, nil, "which is an END_OF_GROUP"},
		{"a wrong priority", 1, check{exact: true}, changed(1, func(a *arrival) { a.Priority.Value = 128 }), nil, "has the publisher priority 128 and not 200"},
		{"another publisher's priority", 1, check{}, changed(1, func(a *arrival) { a.Priority.Value = 128 }), nil, ""},
		{"another value of a property", 39, check{exact: true}, changed(1, func(a *arrival) { a.Properties[0].Int++ }), nil, "has the property 0x2 with"},
		{"another publisher's value", 39, check{}, changed(1, func(a *arrival) { a.Properties[0].Int++ }), nil, ""},
		{"a property is missing", 39, check{}, changed(1, func(a *arrival) { a.Properties = a.Properties[1:] }), nil, "without its property of type 0x2"},
		{"a property too many", 1, check{}, changed(1, func(a *arrival) { a.Properties = model.Properties{{Type: 0x70, Int: 3}} }), nil, "0x70 with 3, which it was not sent with"},
		{"a timestamp", 1, check{}, changed(1, func(a *arrival) { a.Properties = model.Properties{{Type: timestampProperty, Int: 3}} }), nil, ""},
		{"one datagram was lost", 4, check{}, without(3, 1), nil, ""},
		{"two were", 4, check{}, without(3, 2), nil, "2 of 18 objects did not come"},
		{"two were, of which more may be", 4, check{drops: 20}, without(3, 2), nil, ""},
		{"all were", 4, check{drops: 100}, without(0, 18), nil, "18 of 18 objects did not come"},
		{"parity from the first object", 7, check{fetch: true}, as, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := tt.check
			k.params = suite[tt.case_-1].Ask.Params
			err := k.all(tt.spoil(delivered(k.params, false)), tt.cut, model.Range{End: model.Forever})
			if tt.want == "" && err != nil {
				t.Errorf("%v", err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestRangeIsKept: what lies outside of the range is too much.
func TestRangeIsKept(t *testing.T) {
	k := check{params: Cases(Suite50)[0].Ask.Params}
	r := model.Range{Start: model.Location{Group: 1}, End: model.Location{Group: 1, Object: model.MaxID}}
	came := delivered(k.params, false)
	if err := k.all(came[6:12], nil, r); err != nil {
		t.Error(err)
	}
	if err := k.all(came[6:13], nil, r); err == nil || err.Error() != "object 2/0 came, which was not asked for" {
		t.Errorf("%v", err)
	}
}

// TestReceived: what comes instead is told in the words of the draft.
func TestReceived(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&lateError{limit: slack}, "nothing within 20s"},
		{&model.RequestError{Code: model.DoesNotExist, Reason: "none", Remote: true}, `REQUEST_ERROR with DOES_NOT_EXIST ("none")`},
		{&model.DoneError{Code: model.DoneExpired, Reason: "late"}, `PUBLISH_DONE with EXPIRED ("late")`},
		{errors.New("something"), "something"},
	} {
		err := instead("SUBSCRIBE_OK", tt.err)
		if want := "SUBSCRIBE_OK was expected, and what came is " + tt.want; err.Error() != want || !errors.Is(err, tt.err) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if instead("SUBSCRIBE_OK", nil) != nil {
		t.Error("nothing came instead")
	}
}
