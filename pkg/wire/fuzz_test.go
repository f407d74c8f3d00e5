package wire

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// The oracle of all: what was read is written, and what was written is read as
// the same. The bytes may differ, for integers may be longer than necessary.

// packContext and unpackContext let the fuzzer choose a Context. Bits 3 and 4
// are the index of the draft in packedDrafts.
func packContext(ctx Context) (bits uint8, request, answers uint8) {
	bits = uint8(ctx.Stream) | uint8(ctx.Receiver)<<1 | uint8(slices.Index(packedDrafts, ctx.Draft))<<3
	if ctx.WebTransport {
		bits |= 4
	}
	return bits, uint8(ctx.Request), uint8(ctx.Answers)
}

func unpackContext(bits, request, answers uint8) Context {
	return Context{
		Draft: packedDrafts[bits>>3&3], Stream: StreamKind(bits & 1), Receiver: Role(bits >> 1 & 1), WebTransport: bits&4 != 0,
		Request: MessageKind(request), Answers: MessageKind(answers),
	}
}

var packedDrafts = []model.Draft{model.Draft18, model.Draft22, model.Draft16, model.Draft14}

func FuzzParseMessage(f *testing.F) {
	for _, r := range append(allRows(), draft22Rows...) {
		typ, body, err := frame(annotated(f, r.wire))
		if err != nil {
			f.Fatal(err)
		}
		bits, request, answers := packContext(r.ctx)
		f.Add(bits, request, answers, typ, body)
	}
	for typ, body := range map[uint64]string{ // read by leniency
		0x3: "02 02 04 64656d6f 08 63616d2e68616e67 0c 636174616c6f672e6a736f6e 04 10 01 10 809b 01 01 02 01 02",
		0x4: "00 01 22 02",
	} {
		bits, request, answers := packContext(answering(KindSubscribe, KindSubscribe))
		f.Add(bits, request, answers, typ, annotated(f, body))
	}
	f.Fuzz(func(t *testing.T, bits, request, answers uint8, typ uint64, body []byte) {
		if len(body) > MaxMessageLen {
			return
		}
		ctx := unpackContext(bits, request, answers)
		id, hasID := RequestIDOf(ctx.Draft, typ, body)
		m, err := ParseMessage(ctx, typ, body)
		if ok, isOK := m.(*RequestOK); isOK && hasID && id != ok.RequestID {
			t.Fatalf("answers %d, %d before decoding", ok.RequestID, id)
		}
		if errors.Is(err, varint.ErrTruncated) {
			t.Fatalf("%v: asks for more of a bounded body", err)
		}
		if err != nil {
			pe, ok := errors.AsType[*ParseError](err)
			if !ok || pe.Fatal() != (m == nil) || pe.Offset > len(body) {
				t.Fatalf("%#v beside %+v", err, m)
			}
			return
		}
		if u, ok := m.(*RequestUpdate); ok {
			if id, ok := UpdatedIDOf(ctx.Draft, typ, body); ok && id != u.Existing {
				t.Fatalf("updates %d, %d before decoding", u.Existing, id)
			}
		}
		if table, _ := tableOf(ctx.Draft); ctx.Answers == 0 {
			ctx.Answers = table.messageOfType(typ).answers.only() // the type said it
		}
		b, err := AppendMessage(nil, ctx, m)
		if err != nil {
			if ok, isOK := m.(*RequestOK); isOK && ok.Params.Expires.Set && ctx.Answers == KindTrackStatus {
				return // read by leniency, never sent
			}
			if ok, isOK := m.(*SubscribeOK); isOK && ok.Params.GroupOrder.Set {
				return // likewise
			}
			if len(body) == MaxMessageLen {
				return // a prefix without length grows by one
			}
			t.Fatalf("%+v was read but is not written: %v", m, err)
		}
		typ2, body2, err := frame(b)
		if err != nil || typ2 != typ {
			t.Fatalf("written with type 0x%x and %v", typ2, err)
		}
		again, err := ParseMessage(ctx, typ2, body2)
		if err != nil {
			t.Fatalf("%+v was written as %x, which is not read: %v", m, b, err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Fatalf("changed on the way (-first +again):\n%s", diff)
		}
	})
}

// fits reports whether a draft can write a row at all.
func fits(r *subgroupRow, d model.Draft) bool {
	for _, o := range r.objects {
		if !FormOf(d, r.header.Properties).Fits(o.header) {
			return false
		}
	}
	return r.header.Fits(d)
}

func FuzzSubgroupStream(f *testing.F) {
	for i := range subgroupRows {
		for k, d := range drafts {
			if fits(&subgroupRows[i], d) {
				f.Add(uint8(k), subgroupRows[i].append(d))
			}
		}
	}
	f.Fuzz(func(t *testing.T, draft uint8, b []byte) {
		d := drafts[int(draft)%len(drafts)]
		h, objects, err := parseSubgroupStream(d, b)
		if err != nil && err != varint.ErrTruncated {
			if pe, ok := errors.AsType[*ParseError](err); !ok || errors.Is(err, varint.ErrTruncated) || pe.Message == "" {
				t.Fatalf("%#v", err)
			}
		}
		if len(objects) == 0 {
			return
		}
		r := subgroupRow{header: h, objects: objects}
		h2, again, err := parseSubgroupStream(d, r.append(d))
		if err != nil {
			t.Fatalf("%+v %+v: written but not read: %v", h, objects, err)
		}
		if diff := cmp.Diff(h, h2) + cmp.Diff(objects, again, comparePayloads); diff != "" {
			t.Fatalf("changed on the way (-first +again):\n%s", diff)
		}
	})
}

func FuzzParseDatagram(f *testing.F) {
	for _, r := range datagramRows {
		for k, d := range drafts {
			if r.datagram.Fits(d) {
				f.Add(uint8(k), r.datagram.Append(nil, d))
			}
		}
	}
	f.Add(uint8(2), AppendPaddingDatagram(nil, drafts[2], 3))
	f.Fuzz(func(t *testing.T, draft uint8, b []byte) {
		d := drafts[int(draft)%len(drafts)]
		g, padding, err := ParseDatagram(d, b)
		if err == varint.ErrTruncated {
			t.Fatal("asks for more of a datagram")
		}
		if err != nil || padding {
			return
		}
		again, padding, err := ParseDatagram(d, g.Append(nil, d))
		if err != nil || padding {
			t.Fatalf("%+v: written but not read: %v, padding %v", g, err, padding)
		}
		if len(g.Payload) == 0 { // said in two ways
			g.Payload, again.Payload = nil, nil
		}
		if diff := cmp.Diff(g, again); diff != "" {
			t.Fatalf("changed on the way (-first +again):\n%s", diff)
		}
	})
}

func FuzzFetchStream(f *testing.F) {
	for _, r := range fetchStreamRows {
		f.Add(uint8(2), r.order == model.Descending, annotated(f, r.wire))
	}
	for _, r := range olderFetchRows {
		f.Add(uint8(slices.Index(drafts, r.draft)), r.order == model.Descending, annotated(f, r.wire))
	}
	f.Fuzz(func(t *testing.T, draft uint8, descending bool, b []byte) {
		d, order := drafts[int(draft)%len(drafts)], model.Ascending
		if descending {
			order = model.Descending
		}
		id, items, _ := parseFetchStream(d, order, b)
		out := AppendFetchHeader(nil, d, id)
		e := NewFetchEncoder(d, order)
		for _, it := range items {
			var err error
			if out, err = e.Append(out, it.header); err != nil {
				return // an end of range may lie anywhere; what it does to the order is the reader's affair
			}
			out = append(out, it.bytes...)
		}
		id2, again, err := parseFetchStream(d, order, out)
		if err != nil || id2 != id {
			t.Fatalf("%+v: written but not read: %v", items, err)
		}
		if diff := cmp.Diff(items, again, comparePayloads); diff != "" {
			t.Fatalf("changed on the way (-first +again):\n%s", diff)
		}
	})
}

// FuzzTranslate: what a translation says is what was read.
func FuzzTranslate(f *testing.F) {
	for from := range drafts {
		for to := range drafts {
			f.Add(uint8(from), uint8(to), hotProperties)
			f.Add(uint8(from), uint8(to), []byte{0x3e, 0x01, 0x0b, 0x02, 0x4a, 0x01, 0x06, 0x02})
			f.Add(uint8(from), uint8(to), []byte{0x06, 0x01, 0x04, 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		}
	}
	f.Fuzz(func(t *testing.T, a, b uint8, raw []byte) {
		from, to := PropertyFormOf(drafts[int(a)%len(drafts)]), PropertyFormOf(drafts[int(b)%len(drafts)])
		list, err := ParseProperties(from, ObjectProperties, raw)
		if err != nil || len(raw) > MaxPropertiesLen {
			return
		}
		before := []byte{1}
		out, err := TranslateObjectProperties(before, from, to, raw)
		if err != nil {
			if len(out) != 1 {
				t.Fatalf("%x beside %v", out, err)
			}
			return
		}
		again, err := ParseProperties(to, ObjectProperties, out[1:])
		if err != nil {
			t.Fatalf("%x became %x, which is not read: %v", raw, out[1:], err)
		}
		if diff := cmp.Diff(shortest(list), shortest(again)); diff != "" {
			t.Fatalf("%x became %x (-first +again):\n%s", raw, out[1:], diff)
		}
	})
}

// shortest writes the lists inside lists anew, so that only what they say counts.
func shortest(list model.Properties) model.Properties {
	for i, p := range list {
		if p.Type == model.PropImmutable {
			list[i].Bytes, _ = translate(nil, insideForm, insideForm, p.Bytes)
		}
	}
	return list
}

func FuzzParseProperties(f *testing.F) {
	for k := range drafts {
		f.Add(uint8(k), false, []byte{})
		f.Add(uint8(k), true, hotProperties)
		f.Add(uint8(k), false, []byte{0x02, 0x93, 0x88, 0x0c, 0x80, 0x80})
		f.Add(uint8(k), true, []byte{0x3c, 0x01, 0x02, 0x01})
		f.Add(uint8(k), true, []byte{0x3e, 0x01, 0x0b, 0x02, 0x4a, 0x01, 0x06, 0x02})
		f.Add(uint8(k), true, []byte{0x0b, 0x02, 0x0b, 0x00})
	}
	f.Fuzz(func(t *testing.T, draft uint8, object bool, raw []byte) {
		k, scope := PropertyFormOf(drafts[int(draft)%len(drafts)]), TrackProperties
		if object {
			scope = ObjectProperties
		}
		p, err := ParseProperties(k, scope, raw)
		if check := CheckProperties(k, scope, raw); (check == nil) != (err == nil) {
			t.Fatalf("ParseProperties says %v, CheckProperties %v", err, check)
		}
		if pe, ok := errors.AsType[*ParseError](err); ok && pe.Fatal() {
			if p != nil {
				t.Fatalf("%+v beside %v", p, err)
			}
			return
		}
		if err != nil && k != insideForm {
			return // what is inside may be no list
		}
		b, err := AppendProperties(nil, k, p)
		if err != nil {
			t.Fatalf("%+v was read but is not written: %v", p, err)
		}
		again, _ := ParseProperties(k, scope, b)
		if diff := cmp.Diff(p, again); diff != "" {
			t.Fatalf("changed on the way (-first +again):\n%s", diff)
		}
	})
}
