package loc

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
	av1C = "81000c000a0b000000043cfeccdaf90040"
	asc  = "1190"
	head = "4f707573486561640102000080bb0000000000"

	idr   = "000000046588840a"
	slice = "00000004419a2014"
	// The parameter sets of avcC, behind start codes.
	sets = "000000016742c00dda05067e7c0440000003004000000f03c50aa80000000168ce0fc8"
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

const ms = time.Millisecond

// golden are samples and their objects, by hand from the tables of
// draft-ietf-moq-loc-04 section 2.3 and from what moq-encoder-player writes
// ("04+codecstring"): timescale, frame marking of one byte, configuration,
// timestamp, codec string.
var golden = []struct {
	name   string
	sample func(t testing.TB) *media.Sample
	props  []prop
}{
	{
		"H.264, key",
		func(t testing.TB) *media.Sample {
			return &media.Sample{Format: format(t, media.H264, avcC), PTS: 1033 * ms, DTS: 1033 * ms, Key: true, Data: unhex(t, idr)}
		},
		[]prop{
			{typ: 0x08, n: 1000000}, {typ: 0x09, hex: "e0"}, {typ: 0x0D, hex: avcC}, {typ: 0x10, n: 1033000},
			{typ: 0x11, hex: "617663312e343263303064"}, // avc1.42c00d
		},
	},
	{
		"H.264, not key",
		func(t testing.TB) *media.Sample {
			return &media.Sample{Format: format(t, media.H264, avcC), PTS: 33333 * time.Microsecond, DTS: 33333 * time.Microsecond, Data: unhex(t, slice)}
		},
		[]prop{{typ: 0x08, n: 1000000}, {typ: 0x09, hex: "c0"}, {typ: 0x10, n: 33333}, {typ: 0x11, hex: "617663312e343263303064"}},
	},
	{
		"AV1, key",
		func(t testing.TB) *media.Sample {
			return &media.Sample{Format: format(t, media.AV1, av1C), Key: true, Data: unhex(t, "1200"+av1C[8:]+"32021000")}
		},
		[]prop{
			{typ: 0x08, n: 1000000}, {typ: 0x09, hex: "e0"}, {typ: 0x0D, hex: av1C}, {typ: 0x10, n: 0},
			{typ: 0x11, hex: "617630312e302e30304d2e3038"}, // av01.0.00M.08
		},
	},
	{
		"AAC",
		func(t testing.TB) *media.Sample {
			return &media.Sample{Format: format(t, media.AAC, asc), PTS: 20 * ms, DTS: 20 * ms, Key: true, Data: []byte{0x21, 0x10}}
		},
		[]prop{
			{typ: 0x08, n: 1000000}, {typ: 0x0F, hex: "1190"}, {typ: 0x10, n: 20000},
			{typ: 0x11, hex: "6d7034612e34302e32"}, // mp4a.40.2
		},
	},
	{
		"Opus",
		func(t testing.TB) *media.Sample {
			return &media.Sample{Format: format(t, media.Opus, head), PTS: 20 * ms, DTS: 20 * ms, Key: true, Data: []byte{0xFC}}
		},
		[]prop{{typ: 0x08, n: 1000000}, {typ: 0x0F, hex: head}, {typ: 0x10, n: 20000}, {typ: 0x11, hex: "6f707573"}},
	},
}

func TestGolden(t *testing.T) {
	for _, tt := range golden {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.sample(t)
			got, payload, err := NewPacker().Pack(s)
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
			back, err := NewUnpacker(s.Format.Codec.Kind(), s.Format).Unpack(want, payload)
			if err != nil {
				t.Fatal(err)
			}
			if !back.Format.Same(s.Format) || back.PTS != s.PTS || back.DTS != s.DTS || back.Key != s.Key || !bytes.Equal(back.Data, s.Data) {
				t.Errorf("unpacked\n%+v\nwant\n%+v", back, s)
			}
		})
	}
}
