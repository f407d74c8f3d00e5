package wire

import (
	"errors"
	"strings"
	"testing"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// Every limit holds in both directions at its last value.
func TestLargestValuesBothWays(t *testing.T) {
	long := strings.Repeat("n", model.MaxFullTrackNameLen-2)
	for name, m := range map[string]struct {
		ctx Context
		msg Message
	}{
		"URI":              {setupOut, &Goaway{NewSessionURI: strings.Repeat("u", MaxURILen), RequestID: model.Some[uint64](0)}},
		"reason":           {toClient, &RequestError{Reason: strings.Repeat("r", MaxReasonLen)}},
		"name":             {toServer, &Subscribe{Track: model.FullTrackName{Namespace: model.Namespace{"a", "b"}, Name: long}}},
		"namespace":        {toServer, &PublishNamespace{Namespace: model.Namespace{"a", "b", long}}},
		"namespace fields": {toServer, &PublishNamespace{Namespace: strings.Split(strings.Repeat("a", model.MaxNamespaceFields), "")}},
		"payload":          {toServer, subscribing(Params{Tokens: []Token{{Action: TokenUseValue, Value: make([]byte, MaxMessageLen-14-1-3-2)}}})},
		"16 URI":           {client16, &Goaway{NewSessionURI: strings.Repeat("u", MaxURILen)}},
		"16 reason":        {olderAnswer(model.Draft16, KindFetch), &RequestError{Reason: strings.Repeat("r", MaxReasonLen)}},
		"16 name":          {server16, &Subscribe{Track: model.FullTrackName{Namespace: model.Namespace{"a", "b"}, Name: long}}},
		"16 prefix":        {ownStream(server16), &SubscribeNamespace{Prefix: strings.Split(strings.Repeat("a", model.MaxNamespaceFields), "")}},
		"14 reason":        {olderAnswer(model.Draft14, KindPublish), &RequestError{Reason: strings.Repeat("r", MaxReasonLen)}},
		"14 namespace":     {client14, &PublishNamespaceDone{Namespace: model.Namespace{"a", "b", long}}},
		"property":         {toClient, &SubscribeOK{TrackProperties: model.Properties{{Type: 0x41, Bytes: make([]byte, MaxPropertyLen-6)}}}},
	} {
		b, err := AppendMessage(nil, m.ctx, m.msg)
		if err != nil {
			t.Errorf("%s: append: %v", name, err)
			continue
		}
		typ, body, err := frame(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseMessage(m.ctx, typ, body); err != nil {
			t.Errorf("%s: parse: %v", name, err)
		}
		if (name == "payload" || name == "property") && len(body) != MaxMessageLen {
			t.Errorf("%s: payload has %d bytes, want the limit of %d", name, len(body), MaxMessageLen)
		}
	}
}

// A length over the limit is refused at once: waiting for so many bytes would
// let a peer fill our memory.
func TestLengthsAreCheckedBeforeTheBytesArrive(t *testing.T) {
	tooLong := varint.MoQ.Append(nil, MaxPropertiesLen+1)
	tooLongOf := func(prefix ...byte) *varint.Reader { return varint.NewReader(varint.MoQ, append(prefix, tooLong...)) }
	_, subgroup := FormOf(model.Draft18, true).ParseObject(model.Opt[uint64]{}, tooLongOf(0))
	_, fetch := NewFetchDecoder(model.Draft18, model.Ascending).Parse(tooLongOf(0x3c, 0, 0, 128))
	for name, err := range map[string]error{"subgroup": subgroup, "fetch": fetch} {
		if pe, ok := errors.AsType[*ParseError](err); !ok || pe.Code != model.InternalError {
			t.Errorf("%s: %v, want our own limit", name, err)
		}
	}
	_, err := FormOf(model.Draft18, true).ParseObject(model.Opt[uint64]{}, varint.NewReader(varint.MoQ, varint.MoQ.Append([]byte{0}, MaxPropertiesLen)))
	if err != varint.ErrTruncated {
		t.Errorf("properties at the limit: %v, want a wish for more", err)
	}
}

// A payload length has no limit here: payloads flow through.
func TestPayloadLengthIsNotLimited(t *testing.T) {
	b := FormOf(model.Draft18, false).AppendObject(nil, model.Opt[uint64]{}, ObjectHeader{PayloadLen: 1<<64 - 1})
	h, err := FormOf(model.Draft18, false).ParseObject(model.Opt[uint64]{}, varint.NewReader(varint.MoQ, b))
	if err != nil || h.PayloadLen != 1<<64-1 {
		t.Errorf("%+v, %v", h, err)
	}
}

// Readers may size their buffers by these: no header is longer, even when every
// integer takes nine bytes.
func TestHeaderLengths(t *testing.T) {
	const largest = "ffffffffffffffffff  "
	long := func(v byte) []byte { return []byte{0xff, 0, 0, 0, 0, 0, 0, 0, v} } // nine bytes for a small value
	stream := annotated(t, largest+"Track Alias\n"+largest+"Group ID\n"+largest+"Subgroup ID\n00  Publisher Priority")
	if n := len(long(0x14)) + len(stream); n > MaxStreamHeaderLen {
		t.Errorf("stream header of %d bytes", n)
	}
	if _, err := ParseSubgroupHeader(model.Draft18, 0x14, varint.NewReader(varint.MoQ, stream)); err != nil {
		t.Error(err)
	}
	var header []byte
	for range 3 {
		header = append(header, long(0)...) // group, subgroup, object
	}
	header = append(append(long(0x3f), header...), 0)
	header = append(header, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff)
	header = append(header, make([]byte, MaxPropertiesLen)...)
	for i := range MaxPropertiesLen / 3 { // type 0 with a value of two bytes
		header[len(header)-MaxPropertiesLen+3*i+1] = 0x80
	}
	header = append(header, long(9)...)
	if len(header) > MaxObjectHeaderLen {
		t.Errorf("object header of %d bytes", len(header))
	}
	it, err := NewFetchDecoder(model.Draft18, model.Ascending).Parse(varint.NewReader(varint.MoQ, header))
	if err != nil || len(it.Properties) != MaxPropertiesLen {
		t.Errorf("%v, properties of %d bytes", err, len(it.Properties))
	}
}
