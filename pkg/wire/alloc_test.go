package wire

import (
	"testing"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// hotProperties are what a media packaging puts on an object, with one list
// inside.
var hotProperties = []byte{0x06, 0x80, 0xc8, 0x05, 0x02, 0x02, 0x05, 0x32, 0x01, 0x02}

// Reading and writing objects allocates nothing: a relay does it for every
// object and every subscriber.
func TestObjectsAllocateNothing(t *testing.T) {
	for _, d := range drafts {
		t.Run(d.String(), func(t *testing.T) { objectsAllocateNothing(t, d) })
	}
}

func objectsAllocateNothing(t *testing.T, d model.Draft) {
	form := FormOf(d, true)
	hot, err := TranslateObjectProperties(nil, form18, form.PropertyForm, hotProperties)
	if err != nil {
		t.Fatal(err)
	}
	prev := model.Some[uint64](41)
	object := ObjectHeader{ID: 300, Properties: hot, PayloadLen: 1200}
	objectBytes := form.AppendObject(nil, prev, object)
	header := SubgroupHeader{TrackAlias: 300, Group: 1 << 40, Mode: SubgroupExplicit, Subgroup: 1, Priority: model.Some[uint8](1)}
	headerBytes := header.Append(nil, d)
	datagram := Datagram{TrackAlias: 7, Group: 1 << 40, Object: 3, Properties: hot, Payload: make([]byte, 100)}
	datagramBytes := datagram.Append(nil, d)
	item := FetchItem{Location: model.Location{Group: 1 << 40, Object: 2}, Subgroup: 1, Priority: 3, Properties: hot, PayloadLen: 1200}
	first := item
	first.Location.Group--
	itemBytes, err := NewFetchEncoder(d, model.Ascending).Append(nil, first)
	if err != nil {
		t.Fatal(err)
	}
	encoder, decoder := NewFetchEncoder(d, model.Ascending), NewFetchDecoder(d, model.Ascending)
	buf := make([]byte, 0, 4096)
	var r varint.Reader
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range map[string]func(){
		"AppendObject": func() { buf = form.AppendObject(buf[:0], prev, object) },
		"ParseObject": func() {
			r.Reset(form.Kind, objectBytes)
			_, err := form.ParseObject(prev, &r)
			check(err)
		},
		"ParseObject, cut short": func() {
			r.Reset(form.Kind, objectBytes[:len(objectBytes)-1])
			if _, err := form.ParseObject(prev, &r); err != varint.ErrTruncated {
				t.Fatal(err)
			}
		},
		"SubgroupHeader.Append": func() { buf = header.Append(buf[:0], d) },
		"ParseSubgroupHeader": func() {
			r.Reset(form.Kind, headerBytes)
			_, err := ParseSubgroupHeader(d, r.Uint(), &r)
			check(err)
		},
		"UniStreamKind": func() {
			_, err := UniStreamKind(d, 0x14)
			check(err)
		},
		"Datagram.Append": func() { buf = datagram.Append(buf[:0], d) },
		"ParseDatagram": func() {
			_, _, err := ParseDatagram(d, datagramBytes)
			check(err)
		},
		"FetchEncoder.Append": func() {
			encoder.state = fetchState{}
			b, err := encoder.Append(buf[:0], first)
			check(err)
			buf, err = encoder.Append(b, item)
			check(err)
		},
		"FetchDecoder.Parse": func() {
			decoder.state = fetchState{}
			r.Reset(form.Kind, itemBytes)
			_, err := decoder.Parse(&r)
			check(err)
		},
		"CheckProperties": func() { check(CheckProperties(form.PropertyForm, ObjectProperties, hot)) },
		"PriorGaps.Check": func() { check(ParsePriorGaps(form.PropertyForm, hot).Check(item.Location)) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkAppendObject(b *testing.B) {
	form, prev := FormOf(model.Draft18, true), model.Some[uint64](41)
	h := ObjectHeader{ID: 42, Properties: hotProperties, PayloadLen: 1200}
	buf := make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		buf = form.AppendObject(buf[:0], prev, h)
	}
}

func BenchmarkParseObject(b *testing.B) {
	for name, properties := range map[string][]byte{"bare": nil, "properties": hotProperties} {
		b.Run(name, func(b *testing.B) {
			form, prev := FormOf(model.Draft18, properties != nil), model.Some[uint64](41)
			raw := form.AppendObject(nil, prev, ObjectHeader{ID: 42, Properties: properties, PayloadLen: 1200})
			var r varint.Reader
			b.ReportAllocs()
			for b.Loop() {
				r.Reset(varint.MoQ, raw)
				if _, err := form.ParseObject(prev, &r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseSubscribe(b *testing.B) {
	m, err := AppendMessage(nil, toServer, subscribing(everyParameter))
	if err != nil {
		b.Fatal(err)
	}
	typ, body, err := frame(m)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseMessage(toServer, typ, body); err != nil {
			b.Fatal(err)
		}
	}
}
