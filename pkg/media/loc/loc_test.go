package loc

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/elementary"
	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// wall is the wall clock of a timestamp without a timescale, in microseconds.
const wall = 1764115200123456

func TestUnpackForms(t *testing.T) {
	config, name := unhex(t, avcC), []byte("avc1.42c00d")
	nested := []byte{0x08, 0x80 | 0x03, 0xE8, 0x05, byte(len(config))} // 0x08 is 1000, 0x0d the configuration, 0x10 is 5
	nested = append(append(nested, config...), 0x03, 0x05)
	video := func(p ...model.Property) model.Properties {
		return append(model.Properties{{Type: 0x0D, Bytes: config}, {Type: 0x11, Bytes: name}}, p...)
	}
	captured := func(s *media.Sample) bool {
		return s.PTS == wall*time.Microsecond && s.Captured.Equal(time.UnixMicro(wall))
	}
	tests := []struct {
		name    string
		kind    media.Kind
		hint    *media.Format
		props   model.Properties
		payload string
		check   func(*media.Sample) bool
	}{
		{"media time", media.Video, nil, video(model.Property{Type: 0x08, Int: 90000}, model.Property{Type: 0x10, Int: 45000}), idr, func(s *media.Sample) bool {
			return s.PTS == 500*ms && s.Captured.IsZero() && !s.HasSeq && s.Key
		}},
		{"wall clock", media.Video, nil, video(model.Property{Type: 0x10, Int: wall}), idr, captured},
		{"draft 02: timestamp 06", media.Video, nil, video(model.Property{Type: 0x06, Int: wall}), idr, captured},
		{"draft 02 with a timescale", media.Video, nil, video(model.Property{Type: 0x06, Int: 500}, model.Property{Type: 0x08, Int: 1000}), idr, func(s *media.Sample) bool {
			return s.PTS == 500*ms
		}},
		{"draft 03: timestamp 0a", media.Video, nil, video(model.Property{Type: 0x0A, Int: wall}), idr, captured},
		{"draft 03 with a timescale", media.Video, nil, video(model.Property{Type: 0x0A, Int: 1}, model.Property{Type: 0x08, Int: 1000}), idr, func(s *media.Sample) bool {
			return s.PTS == ms
		}},
		{"audio level of draft 01 beside a timestamp", media.Video, nil, video(model.Property{Type: 0x06, Int: 9}, model.Property{Type: 0x10, Int: wall}), idr, captured},
		{"in the immutable properties", media.Video, nil, model.Properties{{Type: 0x0B, Bytes: nested}}, idr, func(s *media.Sample) bool {
			return s.PTS == 5*ms && s.Format.Width == 320
		}},
		{"immutable properties of others", media.Video, nil, video(model.Property{Type: 0x0B, Bytes: []byte{1, 2, 3}}, model.Property{Type: 0x10, Int: wall}), idr, captured},
		{"parameter sets among the pictures", media.Video, nil, model.Properties{{Type: 0x10, Int: wall}, {Type: 0x11, Bytes: name}}, sets + "00000001" + idr[8:], func(s *media.Sample) bool {
			return s.Key && s.Format.Width == 320 && bytes.Equal(s.Data, unhex(t, idr))
		}},
		{"Opus without anything but a hint", media.Audio, &media.Format{Codec: media.Opus}, model.Properties{{Type: 0x10, Int: wall}}, "fc", func(s *media.Sample) bool {
			return s.Format.Codec == media.Opus && s.Key && s.DTS == s.PTS
		}},
		{"Opus by its configuration", media.Audio, nil, model.Properties{{Type: 0x0F, Bytes: unhex(t, head)}, {Type: 0x10, Int: wall}}, "fc", func(s *media.Sample) bool {
			return s.Format.Codec == media.Opus
		}},
		{"AAC by its configuration", media.Audio, nil, model.Properties{{Type: 0x0F, Bytes: unhex(t, asc)}, {Type: 0x10, Int: wall}}, "2110", func(s *media.Sample) bool {
			return s.Format.Codec == media.AAC && s.Format.SampleRate == 48000
		}},
		{"ADTS", media.Audio, nil, model.Properties{{Type: 0x10, Int: wall}, {Type: 0x11, Bytes: []byte("mp4a.40.2")}}, "fff14c8001bffc010203040506", func(s *media.Sample) bool {
			return s.Format.SampleRate == 48000 && len(s.Data) == 6
		}},
		{"a frame marking that says nothing", media.Video, nil, video(model.Property{Type: 0x09}, model.Property{Type: 0x10, Int: wall}), idr, func(s *media.Sample) bool {
			return s.Key // seen in the picture
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := NewUnpacker(tt.kind, tt.hint).Unpack(tt.props, unhex(t, tt.payload))
			if err != nil {
				t.Fatal(err)
			}
			if !tt.check(s) {
				t.Errorf("got %+v of %+v", s, s.Format)
			}
		})
	}
}

func TestUnpackRefuses(t *testing.T) {
	ts := model.Property{Type: 0x10, Int: 1}
	tests := []struct {
		name  string
		props model.Properties
		typ   uint64 // of the PropertyError; 0: another error
		err   error
	}{
		{"no properties", nil, 0, ErrNotLOC},
		{"no timestamp", model.Properties{{Type: 0x08, Int: 1000}}, 0, ErrNotLOC},
		{"a media type of MoQMi", model.Properties{{Type: 0x0A, Int: maxMediaType}}, 0, ErrNotLOC},
		{"timestamp twice", model.Properties{ts, ts}, 0x10, nil},
		{"timestamp twice, once immutable", model.Properties{{Type: 0x0B, Bytes: []byte{0x10, 0x05}}, ts}, 0x10, nil},
		{"timescale twice", model.Properties{{Type: 0x08, Int: 1}, {Type: 0x08, Int: 1}, ts}, 0x08, nil},
		{"configuration twice", model.Properties{{Type: 0x0D, Bytes: []byte{1}}, {Type: 0x0D, Bytes: []byte{1}}, ts}, 0x0D, nil},
		{"codec twice", model.Properties{ts, {Type: 0x11, Bytes: []byte("opus")}, {Type: 0x11, Bytes: []byte("opus")}}, 0x11, nil},
		{"long codec", model.Properties{ts, {Type: 0x11, Bytes: bytes.Repeat([]byte{'a'}, MaxCodec+1)}}, 0x11, nil},
		{"timescale 0", model.Properties{{Type: 0x08}, ts}, 0x10, elementary.ErrTimescale},
		{"time too large", model.Properties{{Type: 0x08, Int: 1}, {Type: 0x10, Int: 1 << 63}}, 0x10, nil},
		{"unknown codec", model.Properties{ts, {Type: 0x11, Bytes: []byte("vp8")}}, 0, nil},
		{"a codec as long as may be", model.Properties{ts, {Type: 0x11, Bytes: bytes.Repeat([]byte{'a'}, MaxCodec)}}, 0, nil},
		{"nothing known", model.Properties{ts}, 0, elementary.ErrNoConfig},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := NewUnpacker(media.Video, nil).Unpack(tt.props, unhex(t, slice))
			if err == nil {
				t.Fatalf("got %+v", s)
			}
			var p *PropertyError
			if errors.As(err, &p) != (tt.typ != 0) || p != nil && p.Type != tt.typ {
				t.Errorf("got %v, want one of property 0x%02x", err, tt.typ)
			}
			if tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
		})
	}
}

func TestPackRefuses(t *testing.T) {
	for name, s := range map[string]*media.Sample{
		"no format":        {},
		"PTS before 0":     {Format: format(t, media.H264, avcC), PTS: -ms},
		"no configuration": {Format: &media.Format{Codec: media.H264, Name: "avc1.42c00d"}, Key: true},
		"broken head":      {Format: &media.Format{Codec: media.Opus, Config: []byte{1}}},
	} {
		if p, b, err := NewPacker().Pack(s); err == nil {
			t.Errorf("%s: packed %x %x", name, p, b)
		}
	}
	// AV1 has its configuration in the pictures too.
	if _, _, err := NewPacker().Pack(&media.Sample{Format: &media.Format{Codec: media.AV1, Name: "av01.0.00M.08"}, Key: true, Data: []byte{1}}); err != nil {
		t.Error(err)
	}
}

// A stream with B-pictures keeps its order and gets decode times that fit.
func TestReordering(t *testing.T) {
	f := format(t, media.H264, "0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000468ef8fcbfdf8f800")
	p, u := NewPacker(), NewUnpacker(media.Video, nil)
	last := -time.Hour
	for i, n := range []int{2, 6, 4, 3, 5, 10, 8, 7, 9} {
		s := &media.Sample{Format: f, PTS: time.Duration(n) * 33333 * time.Microsecond, DTS: time.Duration(i) * 33333 * time.Microsecond, Key: i == 0, Data: unhex(t, slice)}
		if s.Key {
			s.Data = unhex(t, idr)
		}
		props, payload, err := p.Pack(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := u.Unpack(props, payload)
		if err != nil {
			t.Fatal(err)
		}
		if d := back.DTS - s.DTS; back.PTS != s.PTS || d.Abs() > time.Microsecond || back.DTS < last {
			t.Errorf("picture %d: got PTS %v DTS %v, want %v %v", i, back.PTS, back.DTS, s.PTS, s.DTS)
		}
		last = back.DTS
	}
}

// Whatever is packed is unpacked alike, to the microsecond.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		kinds := []struct {
			codec        media.Codec
			config, data string
		}{{media.H264, avcC, idr}, {media.AV1, av1C, "1200" + av1C[8:] + "32021000"}, {media.AAC, asc, "2110"}, {media.Opus, head, "fc"}}
		k := kinds[r.IntN(len(kinds))]
		p, u := NewPacker(), NewUnpacker(k.codec.Kind(), nil)
		f := format(t, k.codec, k.config)
		for range 10 {
			pts := time.Duration(r.Uint64N(1<<r.IntN(52))) * time.Microsecond
			s := &media.Sample{Format: f, PTS: pts, DTS: pts, Key: true, Data: unhex(t, k.data)}
			props, payload, err := p.Pack(s)
			if err != nil {
				t.Fatal(err)
			}
			back, err := u.Unpack(props, payload)
			if err != nil {
				t.Fatalf("%+v: %v", props, err)
			}
			if !back.Format.Same(f) || back.PTS != pts || back.DTS != pts || !back.Key || !bytes.Equal(back.Data, s.Data) {
				t.Fatalf("got\n%+v\nwant\n%+v", back, s)
			}
		}
	}
}

// Any properties whatever: an error, or a sample that can be packed again.
func FuzzUnpack(f *testing.F) {
	f.Add(uint8(1), uint64(0x08), uint64(1000), uint64(0x10), uint64(5), unhex(f, avcC), []byte("avc1.42c00d"), []byte(nil), unhex(f, idr))
	f.Add(uint8(1), uint64(0x06), uint64(wall), uint64(0x3C), uint64(5), []byte(nil), []byte("avc1.42c00d"), []byte(nil), unhex(f, sets+"00000001"+strings.TrimPrefix(idr, "00000004")))
	f.Add(uint8(2), uint64(0x08), uint64(48000), uint64(0x10), uint64(wall), unhex(f, head), []byte("opus"), []byte{0x10, 0x05}, []byte{0xFC})
	f.Add(uint8(2), uint64(0x0A), uint64(wall), uint64(0x3C), uint64(1), unhex(f, asc), []byte(nil), varint.QUIC.Append([]byte{0x10}, 5000), []byte{0x21})
	f.Fuzz(func(t *testing.T, kind uint8, type1, int1, type2, int2 uint64, config, codec, immutable, payload []byte) {
		k := media.Kind(1 + kind%2)
		props := model.Properties{{Type: type1 &^ 1, Int: int1}, {Type: type2 &^ 1, Int: int2}}
		for _, p := range (model.Properties{{Type: 0x0B, Bytes: immutable}, {Type: 0x0D, Bytes: config}, {Type: 0x11, Bytes: codec}}) {
			if len(p.Bytes) > 0 {
				props = append(props, p)
			}
		}
		s, err := NewUnpacker(k, nil).Unpack(props, payload)
		if err != nil {
			return
		}
		if s.Format == nil || s.Format.Codec.Kind() != k || s.PTS < 0 || s.DTS > s.PTS || len(s.Data) == 0 {
			t.Fatalf("got %+v", s)
		}
		again, data, err := NewPacker().Pack(s)
		if err != nil {
			t.Fatalf("cannot pack what was unpacked: %v", err)
		}
		back, err := NewUnpacker(k, s.Format).Unpack(again, data)
		if err != nil {
			t.Fatalf("cannot unpack what was packed: %v", err)
		}
		if back.Key != s.Key || back.Format.Codec != s.Format.Codec || (back.PTS-s.PTS).Abs() > time.Microsecond {
			t.Fatalf("got\n%+v\nwant\n%+v", back, s)
		}
	})
}
