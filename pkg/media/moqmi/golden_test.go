package moqmi

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/model"
)

// Configurations that ffmpeg made: 320x180 baseline, and 48 kHz stereo.
const (
	avcC = "0142c00dffe100176742c00dda05067e7c0440000003004000000f03c50aa801000468ce0fc8"
	hvcC = "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959409" +
		"a10001002b42010101600000030090000003000003003ca00a080c1f3e595952930bc05a020000030002000003003c10" + "a200010006" + "4401c073c189"
	av1C = "81000c000a0b000000043cfeccdaf90040"
	asc  = "1190"
	head = "4f707573486561640102000080bb0000000000"

	idr     = "000000046588840a"
	slice   = "00000004419a2014"
	idrHEVC = "000000042601af09"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func format(t testing.TB, c media.Codec, config string) *media.Format {
	t.Helper()
	f, err := media.ParseFormat(c, unhex(t, config))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// prop is a property as a table says it: an integer if hex is empty.
type prop struct {
	typ uint64
	n   uint64
	hex string
}

func props(t testing.TB, list []prop) model.Properties {
	t.Helper()
	var p model.Properties
	for _, e := range list {
		q := model.Property{Type: e.typ, Int: e.n}
		if e.typ%2 == 1 {
			q.Bytes = unhex(t, e.hex)
		}
		p = append(p, q)
	}
	return p
}

// captured is 0x19abd75b87b milliseconds after 1970.
var captured = time.UnixMilli(1764115200123)

const ms = time.Millisecond

// golden are samples and their objects, by hand from the draft's tables
// (draft-cenzano-moq-media-interop-03 section 2). Times in QUIC's integers:
// 1033 is 4409, 1000 is 43e8, 48000 is 8000bb80, 33 is 21; in the transport's
// from draft 17 of MoQT on 1033 is 8409, 1000 is 83e8, 48000 is c0bb80.
var golden = []struct {
	name   string
	o      Options
	sample func(t testing.TB) *media.Sample
	props  []prop
}{
	{
		"H.264, key", Options{},
		func(t testing.TB) *media.Sample {
			return &media.Sample{
				Format: format(t, media.H264, avcC), PTS: 1033 * ms, DTS: 1000 * ms, Duration: 33 * ms, Key: true,
				Seq: 1, HasSeq: true, Captured: captured, Data: unhex(t, idr),
			}
		},
		[]prop{{typ: 0x0A, n: 0}, {typ: 0x0D, hex: avcC}, {typ: 0x15, hex: "01" + "4409" + "43e8" + "43e8" + "21" + "c000019abd75b87b"}},
	},
	{
		"H.264, not key", Options{},
		func(t testing.TB) *media.Sample {
			return &media.Sample{Format: format(t, media.H264, avcC), PTS: 1000 * ms, DTS: 1000 * ms, Seq: 2, HasSeq: true, Data: unhex(t, slice)}
		},
		[]prop{{typ: 0x0A, n: 0}, {typ: 0x15, hex: "02" + "43e8" + "43e8" + "43e8" + "00" + "00"}},
	},
	{
		"H.264 at its old number", Options{OldVideoProperty: true},
		func(t testing.TB) *media.Sample {
			return &media.Sample{Format: format(t, media.H264, avcC), Key: true, Seq: 3, HasSeq: true, Data: unhex(t, idr)}
		},
		[]prop{{typ: 0x0A, n: 0}, {typ: 0x0B, hex: "03" + "00" + "00" + "43e8" + "00" + "00"}, {typ: 0x0D, hex: avcC}},
	},
	{
		"H.264 with integers of the transport", Options{TransportVarints: true},
		func(t testing.TB) *media.Sample {
			return &media.Sample{
				Format: format(t, media.H264, avcC), PTS: 1033 * ms, DTS: 1000 * ms, Duration: 33 * ms,
				Seq: 1, HasSeq: true, Captured: captured, Data: unhex(t, slice),
			}
		},
		[]prop{{typ: 0x0A, n: 0}, {typ: 0x15, hex: "01" + "8409" + "83e8" + "83e8" + "21" + "f99abd75b87b"}},
	},
	{
		"HEVC, key", Options{},
		func(t testing.TB) *media.Sample {
			return &media.Sample{Format: format(t, media.HEVC, hvcC), Key: true, Seq: 4, HasSeq: true, Data: unhex(t, idrHEVC)}
		},
		[]prop{{typ: 0x0A, n: 4}, {typ: 0x17, hex: "04" + "00" + "00" + "43e8" + "00" + "00"}, {typ: 0x19, hex: hvcC}},
	},
	{
		"AAC", Options{},
		func(t testing.TB) *media.Sample {
			return &media.Sample{
				Format: format(t, media.AAC, asc), PTS: 1033 * ms, DTS: 1033 * ms, Duration: 21 * ms, Key: true,
				Seq: 5, HasSeq: true, Captured: captured, Data: []byte{0x21, 0x10},
			}
		},
		[]prop{{typ: 0x0A, n: 3}, {typ: 0x13, hex: "05" + "4409" + "43e8" + "8000bb80" + "02" + "15" + "c000019abd75b87b"}},
	},
	{
		"AAC with integers of the transport", Options{TransportVarints: true},
		func(t testing.TB) *media.Sample {
			return &media.Sample{Format: format(t, media.AAC, asc), PTS: 1033 * ms, DTS: 1033 * ms, Key: true, Seq: 5, HasSeq: true, Data: []byte{0x21, 0x10}}
		},
		[]prop{{typ: 0x0A, n: 3}, {typ: 0x13, hex: "05" + "8409" + "83e8" + "c0bb80" + "02" + "00" + "00"}},
	},
	{
		"Opus", Options{},
		func(t testing.TB) *media.Sample {
			return &media.Sample{Format: format(t, media.Opus, head), PTS: 20 * ms, DTS: 20 * ms, Duration: 20 * ms, Key: true, Seq: 6, HasSeq: true, Data: []byte{0xFC}}
		},
		[]prop{{typ: 0x0A, n: 1}, {typ: 0x0F, hex: "06" + "14" + "43e8" + "8000bb80" + "02" + "14" + "00"}},
	},
	{
		"Opus for moxygen", Options{MoxygenOpus: true},
		func(t testing.TB) *media.Sample {
			return &media.Sample{Format: format(t, media.Opus, head), PTS: 20 * ms, DTS: 20 * ms, Key: true, Seq: 6, HasSeq: true, Data: []byte{0xFC}}
		},
		[]prop{{typ: 0x0A, n: 4}, {typ: 0x0F, hex: "06" + "14" + "43e8" + "8000bb80" + "02" + "00" + "00"}},
	},
}

func TestGolden(t *testing.T) {
	for _, tt := range golden {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.sample(t)
			got, payload, err := NewPacker(tt.o).Pack(s)
			if err != nil {
				t.Fatal(err)
			}
			want := props(t, tt.props)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("packed\n%x\nwant\n%x", got, want)
			}
			if &payload[0] != &s.Data[0] {
				t.Error("the payload was copied")
			}
			u := NewUnpacker(s.Format.Codec.Kind(), s.Format)
			back, err := u.Unpack(want, payload)
			if err != nil {
				t.Fatal(err)
			}
			if !sameSample(s, back) {
				t.Errorf("unpacked\n%+v\nwant\n%+v", back, s)
			}
		})
	}
}

// sameSample compares samples by value, formats by what a decoder needs.
func sameSample(a, b *media.Sample) bool {
	return a.Format.Same(b.Format) && a.PTS == b.PTS && a.DTS == b.DTS && a.Duration == b.Duration && a.Key == b.Key &&
		a.Seq == b.Seq && a.HasSeq == b.HasSeq && a.Captured.Equal(b.Captured) && bytes.Equal(a.Data, b.Data)
}
