package wire

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

func (r *subgroupRow) append(d model.Draft) []byte {
	b := r.header.Append(nil, d)
	var prev model.Opt[uint64]
	for _, o := range r.objects {
		b = FormOf(d, r.header.Properties).AppendObject(b, prev, o.header)
		b = append(b, o.bytes...)
		prev = model.Some(o.header.ID)
	}
	return b
}

// parseSubgroupStream reads as many whole objects as b has.
func parseSubgroupStream(d model.Draft, b []byte) (h SubgroupHeader, objects []payload[ObjectHeader], err error) {
	r := varint.NewReader(VarintKind(d), b)
	typ := r.Uint()
	if r.Err() != nil {
		return h, nil, r.Err()
	}
	if h, err = ParseSubgroupHeader(d, typ, r); err != nil {
		return h, nil, err
	}
	var prev model.Opt[uint64]
	for r.Len() > 0 {
		o, err := FormOf(d, h.Properties).ParseObject(prev, r)
		data := r.Bytes(o.PayloadLen)
		if err == nil {
			err = r.Err()
		}
		if err != nil {
			return h, objects, err
		}
		objects = append(objects, payload[ObjectHeader]{o, string(data)})
		prev = model.Some(o.ID)
	}
	return h, objects, nil
}

var comparePayloads = cmp.AllowUnexported(payload[ObjectHeader]{}, payload[FetchItem]{})

func TestSubgroupStreamsBothWays(t *testing.T) {
	for _, r := range subgroupRows {
		t.Run(r.name, func(t *testing.T) {
			want := annotated(t, r.wire)
			if diff := firstDifference(t, r.wire, r.append(model.Draft18)); diff != "" {
				t.Errorf("append: %s", diff)
			}
			h, objects, err := parseSubgroupStream(model.Draft18, want)
			if err != nil {
				t.Fatalf("parse: %v", err)
			}
			if diff := cmp.Diff(r.header, h); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(r.objects, objects, comparePayloads); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

// A stream that is cut anywhere asks for more bytes, and yields exactly the
// objects that are whole.
func TestEveryTruncationOfSubgroupStreams(t *testing.T) {
	for _, r := range subgroupRows {
		whole := annotated(t, r.wire)
		ends := map[int]int{len(r.header.Append(nil, model.Draft18)): 0} // length of a prefix → objects in it
		for i := range r.objects {
			part := r
			part.objects = r.objects[:i+1]
			ends[len(part.append(model.Draft18))] = i + 1
		}
		for n := range whole {
			_, objects, err := parseSubgroupStream(model.Draft18, whole[:n])
			count, complete := ends[n]
			if complete && (err != nil || len(objects) != count) {
				t.Errorf("%s cut to %d bytes: %d objects and %v, want %d", r.name, n, len(objects), err, count)
			}
			if !complete && err != varint.ErrTruncated {
				t.Errorf("%s cut to %d bytes: %v, want a wish for more", r.name, n, err)
			}
		}
	}
}

func TestDatagramsBothWays(t *testing.T) {
	for _, r := range datagramRows {
		t.Run(r.name, func(t *testing.T) {
			want := annotated(t, r.wire)
			if diff := firstDifference(t, r.wire, r.datagram.Append(nil, model.Draft18)); diff != "" {
				t.Errorf("append: %s", diff)
			}
			got, padding, err := ParseDatagram(model.Draft18, want)
			if err != nil || padding {
				t.Fatalf("parse: %v, padding %v", err, padding)
			}
			if diff := cmp.Diff(r.datagram, got); diff != "" {
				t.Errorf("parse (-want +got):\n%s", diff)
			}
			for n := range want {
				if g, _, err := ParseDatagram(model.Draft18, want[:n]); err == varint.ErrTruncated {
					t.Errorf("cut to %d bytes: asks for more of a datagram", n)
				} else if err == nil && !slices.Equal(g.appendAs(nil, model.Draft18, flagsAt(model.Draft18, want, 0)), want[:n]) {
					t.Errorf("cut to %d bytes: read as %+v", n, g)
				}
			}
		})
	}
}

func (r *fetchRow) append(t *testing.T, d model.Draft) []byte {
	t.Helper()
	b := AppendFetchHeader(nil, d, r.requestID)
	e := NewFetchEncoder(d, r.order)
	for _, it := range r.items {
		var err error
		if b, err = e.Append(b, it.header); err != nil {
			t.Fatalf("append: %v", err)
		}
		b = append(b, it.bytes...)
	}
	return b
}

// parseFetchStream reads as many whole items as b has.
func parseFetchStream(d model.Draft, order model.GroupOrder, b []byte) (id uint64, items []payload[FetchItem], err error) {
	r := varint.NewReader(VarintKind(d), b)
	typ := r.Uint()
	if r.Err() != nil {
		return 0, nil, r.Err()
	}
	if kind, err := UniStreamKind(d, typ); err != nil || kind != UniFetch {
		return 0, nil, violation("FETCH_HEADER", "Type", 0, unknownNumber(typ))
	}
	if id, err = ParseFetchHeader(d, r); err != nil {
		return 0, nil, err
	}
	dc := NewFetchDecoder(d, order)
	for r.Len() > 0 {
		it, err := dc.Parse(r)
		data := r.Bytes(it.PayloadLen)
		if err == nil {
			err = r.Err()
		}
		if err != nil {
			return id, items, err
		}
		items = append(items, payload[FetchItem]{it, string(data)})
	}
	return id, items, nil
}

func TestFetchStreamsBothWays(t *testing.T) {
	for _, r := range fetchStreamRows {
		t.Run(r.name, func(t *testing.T) {
			if diff := firstDifference(t, r.wire, r.append(t, model.Draft18)); diff != "" {
				t.Errorf("append: %s", diff)
			}
			id, items, err := parseFetchStream(model.Draft18, r.order, annotated(t, r.wire))
			if err != nil {
				t.Fatalf("parse: %v", err)
			}
			if id != r.requestID {
				t.Errorf("Request ID %d, want %d", id, r.requestID)
			}
			if diff := cmp.Diff(r.items, items, comparePayloads); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

// The decoder does not move when an item is not whole: fed byte by byte it
// reads the same items.
func TestFetchDecoderMayBeRetried(t *testing.T) {
	for _, r := range fetchStreamRows {
		t.Run(r.name, func(t *testing.T) {
			b := annotated(t, r.wire)
			start := len(AppendFetchHeader(nil, model.Draft18, r.requestID))
			dc := NewFetchDecoder(model.Draft18, r.order)
			var items []payload[FetchItem]
			for end := start; end <= len(b); end++ {
				var rd varint.Reader
				rd.Reset(varint.MoQ, b[start:end])
				it, err := dc.Parse(&rd)
				if err == varint.ErrTruncated {
					continue
				}
				if err != nil {
					t.Fatalf("at byte %d: %v", end, err)
				}
				n := rd.Offset() + len(r.items[len(items)].bytes)
				items = append(items, payload[FetchItem]{it, string(b[start+rd.Offset() : start+n])})
				start += n
				end = start - 1
			}
			if diff := cmp.Diff(r.items, items, comparePayloads); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

// All 48 types of subgroup streams, and no others, are read; so are all others
// classified.
func TestStreamTypes(t *testing.T) {
	count := map[UniKind]int{}
	for typ := range uint64(0x4000) {
		kind, err := UniStreamKind(model.Draft18, typ)
		if (err == nil) != (kind != 0) {
			t.Fatalf("type 0x%x: kind %d and error %v", typ, kind, err)
		}
		count[kind]++
		r := varint.NewReader(varint.MoQ, make([]byte, 40))
		h, err := ParseSubgroupHeader(model.Draft18, typ, r)
		if (err == nil) != (kind == UniSubgroup) {
			t.Errorf("type 0x%x: header error %v", typ, err)
		}
		if err == nil && h.Type(model.Draft18) != typ {
			t.Errorf("type 0x%x is written as 0x%x", typ, h.Type(model.Draft18))
		}
	}
	if count[UniSubgroup] != 48 || count[UniFetch] != 1 || count[UniControl] != 1 || count[UniPadding] != 0 {
		t.Errorf("kinds %v, want 48 subgroups, one fetch, one control", count)
	}
	if kind, err := UniStreamKind(model.Draft18, StreamTypePadding); kind != UniPadding || err != nil {
		t.Errorf("padding: %v, %v", kind, err)
	}
	for d, want := range map[model.Draft]int{model.Draft14: 12, model.Draft16: 24, model.Draft22: 48} {
		n := 0
		for typ := range uint64(0x100) {
			if validSubgroupType(d, typ) {
				n++
			}
		}
		if n != want {
			t.Errorf("draft %v has %d subgroup types, want %d", d, n, want)
		}
	}
}

func TestDatagramTypes(t *testing.T) {
	for d, want := range map[model.Draft]int{model.Draft14: 10, model.Draft16: 24, model.Draft18: 24} {
		n := 0
		for typ := range uint64(0x100) {
			if validDatagramType(d, typ) {
				n++
			}
		}
		if n != want {
			t.Errorf("draft %v has %d datagram types, want %d", d, n, want)
		}
	}
}

func TestPadding(t *testing.T) {
	stream, datagram := AppendPaddingStream(nil, model.Draft18, 2), AppendPaddingDatagram(nil, model.Draft18, 2)
	if want := annotated(t, "f0132b3e28  Type\n0000  zeros"); !slices.Equal(stream, want) {
		t.Errorf("stream %x, want %x", stream, want)
	}
	if want := annotated(t, "f0132b3e29  Type\n0000  zeros"); !slices.Equal(datagram, want) {
		t.Errorf("datagram %x, want %x", datagram, want)
	}
	if _, padding, err := ParseDatagram(model.Draft18, datagram); !padding || err != nil {
		t.Errorf("padding %v, %v", padding, err)
	}
	if _, _, err := ParseDatagram(model.Draft16, varint.QUIC.Append(nil, DatagramTypePadding)); err == nil {
		t.Error("draft 16 has no padding, but it was accepted")
	}
}

// Draft 14 has no default priority and writes property types whole.
func TestOlderDraftsOnTheDataPlane(t *testing.T) {
	h := SubgroupHeader{TrackAlias: 64, FirstObject: true}
	if got, want := h.Append(nil, model.Draft14), annotated(t, "10  Type\n4040  Track Alias\n00  Group ID\n80  Publisher Priority"); !slices.Equal(got, want) {
		t.Errorf("draft 14: %x, want %x", got, want)
	}
	if got, want := h.Append(nil, model.Draft16), annotated(t, "30  Type\n4040  Track Alias\n00  Group ID"); !slices.Equal(got, want) {
		t.Errorf("draft 16: %x, want %x", got, want)
	}
	descending := []byte{0x06, 0x01, 0x02, 0x01} // types 6 and 2 in draft 14; 6 and 8 as deltas
	for d, want := range map[model.Draft]bool{model.Draft14: true, model.Draft16: false} {
		if same := FormOf(d, true) == FormOf(model.Draft14, true); same != want {
			t.Errorf("draft %v in the form of draft 14: %v", d, same)
		}
		b := FormOf(d, true).AppendObject(nil, model.Opt[uint64]{}, ObjectHeader{Properties: descending, PayloadLen: 1})
		if _, err := FormOf(d, true).ParseObject(model.Opt[uint64]{}, varint.NewReader(varint.QUIC, b)); err != nil {
			t.Errorf("draft %v: %v", d, err)
		}
	}
	if FormOf(model.Draft18, true) != FormOf(model.Draft22, true) || FormOf(model.Draft16, false) == FormOf(model.Draft18, false) {
		t.Error("forms do not tell integer encodings apart")
	}
}

// What has no encoding in a draft can be told before it is written.
func TestFits(t *testing.T) {
	const huge = varint.MaxQUIC + 1
	for _, d := range drafts {
		want := d > 16
		h, g := SubgroupHeader{Group: huge}, Datagram{Object: huge}
		if h.Fits(d) != want || g.Fits(d) != want || FormOf(d, false).Fits(ObjectHeader{ID: huge}) != want {
			t.Errorf("draft %v: 2^62 fits otherwise than %v", d, want)
		}
		h.Group, g.Object = varint.MaxQUIC, varint.MaxQUIC
		if !h.Fits(d) || !g.Fits(d) || !FormOf(d, false).Fits(ObjectHeader{PayloadLen: varint.MaxQUIC}) {
			t.Errorf("draft %v: 2^62-1 does not fit", d)
		}
	}
}
