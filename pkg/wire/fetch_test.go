package wire

import (
	"errors"
	"testing"

	"oxymoq/pkg/model"
)

func TestBadFetchStreamsAreRefused(t *testing.T) {
	const first = "1c 05 0a 80 00  object {5,10}\n"
	for _, test := range []struct {
		name  string
		order model.GroupOrder
		items string
		code  model.SessionCode // NoError: malformed
	}{
		{"first object without group delta", model.Ascending, "14 0a 80 00", model.ProtocolViolation},
		{"first object without object delta", model.Ascending, "18 05 80 00", model.ProtocolViolation},
		{"first object with prior priority", model.Ascending, "0c 05 0a 00", model.ProtocolViolation},
		{"first object with prior subgroup", model.Ascending, "1d 05 0a 80 00", model.ProtocolViolation},
		{"first object with prior subgroup plus one", model.Ascending, "1e 05 0a 80 00", model.ProtocolViolation},
		{"prior priority after nothing but an end", model.Ascending, "810c 05 0a  end\n0c 00 00 00", model.ProtocolViolation},
		{"prior subgroup after nothing but an end", model.Ascending, "810c 05 0a  end\n1d 00 00 80 00", model.ProtocolViolation},
		{"flags 0x80", model.Ascending, first + "8080 05 0a", model.ProtocolViolation},
		{"flags 2^64-1", model.Ascending, first + "ffffffffffffffffff 05 0a", model.ProtocolViolation},
		{"group beyond 2^64-1", model.Ascending, first + "0c fffffffffffffffffa 00 00", model.ProtocolViolation},
		{"group delta 2^64-1", model.Ascending, first + "0c ffffffffffffffffff 00 00", model.ProtocolViolation},
		{"group below 0", model.Descending, first + "0c 05 00 00", model.ProtocolViolation},
		{"object beyond 2^64-1", model.Ascending, first + "04 fffffffffffffffff6 00", model.ProtocolViolation},
		{"object after the last ID", model.Ascending, "1c 05 ffffffffffffffffff 80 00  object {5,2^64-1}\n00 00", model.ProtocolViolation},
		{"subgroup after the last ID", model.Ascending, "1f 05 ffffffffffffffffff 00 80 00  object\n02 00", model.ProtocolViolation},
		{"property that crosses the list", model.Ascending, "3c 05 0a 80 01 40 00", model.ProtocolViolation},
		{"repeated object", model.Ascending, first + "04 00 00", model.NoError},
		{"group gap before group 0", model.Ascending, "3c 05 0a 80 02 3c 06 00", model.NoError},
		{"object gap before object 0", model.Ascending, "3c 05 0a 80 02 3e 0b 00", model.NoError},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, items, err := parseFetchStream(model.Draft18, test.order, annotated(t, "05 04  FETCH_HEADER\n"+test.items))
			pe, ok := errors.AsType[*ParseError](err)
			if !ok {
				t.Fatalf("got %+v and %v, want a ParseError", items, err)
			}
			if pe.Code != test.code || pe.Malformed != (test.code == model.NoError) {
				t.Errorf("%v: code %v, malformed %v; want %v", err, pe.Code, pe.Malformed, test.code)
			}
		})
	}
}

func TestFetchItemsThatCannotBeSent(t *testing.T) {
	for name, test := range map[string]struct {
		order         model.GroupOrder
		first, second FetchItem
	}{
		"group against ascending order":  {model.Ascending, object(5, 0, 0, 1, 0), object(4, 0, 0, 1, 0)},
		"group against descending order": {model.Descending, object(5, 0, 0, 1, 0), object(6, 0, 0, 1, 0)},
		"the same object":                {model.Ascending, object(5, 3, 0, 1, 0), object(5, 3, 0, 1, 0)},
		"an earlier object":              {model.Descending, object(5, 3, 0, 1, 0), object(5, 2, 0, 1, 0)},
		"an object inside an end":        {model.Ascending, endAt(FetchEndUnknown, 5, 3), object(5, 3, 0, 1, 0)},
	} {
		e := NewFetchEncoder(model.Draft18, test.order)
		b, err := e.Append(nil, test.first)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again, err := e.Append(b, test.second); err == nil || len(again) != len(b) {
			t.Errorf("%s: %d bytes and error %v", name, len(again)-len(b), err)
		}
	}
}

// After a datagram "prior subgroup" means 0 here; encoders never ask.
func TestPriorSubgroupAfterDatagram(t *testing.T) {
	_, items, err := parseFetchStream(model.Draft18, model.Ascending, annotated(t, `
		05 04  FETCH_HEADER
		1f 01 07 02 80 00  object with subgroup 7
		40 00  datagram
		01 00  prior subgroup`))
	if err != nil || len(items) != 3 || items[2].header.Subgroup != 0 {
		t.Errorf("%+v, %v", items, err)
	}
}
