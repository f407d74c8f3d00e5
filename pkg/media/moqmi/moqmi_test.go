package moqmi

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/elementary"
	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// blob writes metadata.
func blob(k varint.Kind, v ...uint64) []byte {
	var b []byte
	for _, n := range v {
		b = k.Append(b, n)
	}
	return b
}

func TestUnpackForms(t *testing.T) {
	video := blob(varint.QUIC, 1, 90000, 90000, 90000, 3000, 0)
	audio := blob(varint.QUIC, 1, 48000, 48000, 44100, 1, 1024, 0)
	immutable := []byte{0x10, 0x05, 0x02, 0x01} // a list: 0x10 is 5, 0x12 is 1
	config := unhex(t, avcC)
	tests := []struct {
		name    string
		kind    media.Kind
		props   model.Properties
		payload string
		check   func(*media.Sample) bool
	}{
		{
			"another timebase", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x0D, Bytes: config}, {Type: 0x15, Bytes: video}}, idr,
			func(s *media.Sample) bool { return s.PTS == time.Second && s.Duration == time.Second/30 },
		},
		{
			"in another order", media.Video, model.Properties{{Type: 0x15, Bytes: video}, {Type: 0x0D, Bytes: config}, {Type: 0x0A}}, idr,
			func(s *media.Sample) bool { return s.PTS == time.Second },
		},
		{
			"the transport's properties beside ours", media.Video,
			model.Properties{{Type: 0x0A}, {Type: 0x0B, Bytes: immutable}, {Type: 0x0D, Bytes: config}, {Type: 0x15, Bytes: video}, {Type: 0x3C, Int: 7}}, idr,
			func(s *media.Sample) bool { return s.PTS == time.Second },
		},
		{
			"both numbers: the new one counts", media.Video,
			model.Properties{{Type: 0x0A}, {Type: 0x0B, Bytes: blob(varint.QUIC, 9, 9, 9, 9, 9, 9)}, {Type: 0x0D, Bytes: config}, {Type: 0x15, Bytes: video}}, idr,
			func(s *media.Sample) bool { return s.Seq == 1 },
		},
		{
			"AAC at 44.1 kHz, mono", media.Audio, model.Properties{{Type: 0x0A, Int: 3}, {Type: 0x13, Bytes: audio}}, "21",
			func(s *media.Sample) bool {
				return s.Format.SampleRate == 44100 && s.Format.Channels == 1 && s.PTS == time.Second && s.DTS == s.PTS && s.Key
			},
		},
		{
			"media type 4 with metadata of Opus", media.Audio, model.Properties{{Type: 0x0A, Int: 4}, {Type: 0x0F, Bytes: audio}}, "21",
			func(s *media.Sample) bool { return s.Format.Codec == media.Opus },
		},
		{
			"media type 4 with metadata of HEVC", media.Video,
			model.Properties{{Type: 0x0A, Int: 4}, {Type: 0x17, Bytes: video}, {Type: 0x19, Bytes: unhex(t, hvcC)}}, idrHEVC,
			func(s *media.Sample) bool { return s.Format.Codec == media.HEVC && s.Key },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := NewUnpacker(tt.kind, nil).Unpack(tt.props, unhex(t, tt.payload))
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
	video := blob(varint.QUIC, 1, 2, 2, 1000, 3, 0)
	audio := blob(varint.QUIC, 1, 2, 1000, 48000, 2, 3, 0)
	huge := uint64(1<<62 - 1)
	tests := []struct {
		name  string
		kind  media.Kind
		props model.Properties
		typ   uint64 // of the PropertyError; 0: another error
		err   error  // or this one
	}{
		{"no properties", media.Video, nil, 0, ErrNotMoQMi},
		{"no media type", media.Video, model.Properties{{Type: 0x15, Bytes: video}}, 0, ErrNotMoQMi},
		{"media type twice", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x0A}}, 0x0A, nil},
		{"metadata twice", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x15, Bytes: video}, {Type: 0x15, Bytes: video}}, 0x15, nil},
		{"an empty one twice", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x0D}, {Type: 0x0D}}, 0x0D, nil},
		{"text", media.Video, model.Properties{{Type: 0x0A, Int: 2}, {Type: 0x11, Bytes: []byte{1}}}, 0x0A, nil},
		{"unknown media type", media.Video, model.Properties{{Type: 0x0A, Int: 5}}, 0x0A, nil},
		{"no metadata", media.Video, model.Properties{{Type: 0x0A}}, 0x15, nil},
		{"metadata of another", media.Audio, model.Properties{{Type: 0x0A, Int: 1}, {Type: 0x13, Bytes: audio}}, 0x0F, nil},
		{"4 without metadata", media.Audio, model.Properties{{Type: 0x0A, Int: 4}}, 0x0A, nil},
		{"4 with both", media.Audio, model.Properties{{Type: 0x0A, Int: 4}, {Type: 0x0F, Bytes: audio}, {Type: 0x17, Bytes: video}}, 0x0A, nil},
		{"too few integers", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x15, Bytes: video[:len(video)-1]}}, 0x15, nil},
		{"too many integers", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x15, Bytes: append(video[:len(video):len(video)], 0)}}, 0x15, nil},
		{"IMMUTABLE_PROPERTIES", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x0B, Bytes: []byte{0x10, 0x05}}}, 0x0B, nil},
		{"timebase 0", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x15, Bytes: blob(varint.QUIC, 1, 2, 2, 0, 3, 0)}}, 0x15, nil},
		{"timebase 0 of audio", media.Audio, model.Properties{{Type: 0x0A, Int: 3}, {Type: 0x13, Bytes: blob(varint.QUIC, 1, 2, 0, 48000, 2, 3, 0)}}, 0x13, nil},
		{"PTS too large", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x15, Bytes: blob(varint.QUIC, 1, huge, 2, 1, 3, 0)}}, 0x15, nil},
		{"DTS too large", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x15, Bytes: blob(varint.QUIC, 1, 2, huge, 1, 3, 0)}}, 0x15, nil},
		{"duration too large", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x15, Bytes: blob(varint.QUIC, 1, 2, 2, 1, huge, 0)}}, 0x15, nil},
		{"wallclock too large", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x15, Bytes: blob(varint.QUIC, 1, 2, 2, 1000, 3, huge)}}, 0x15, nil},
		{"no channels", media.Audio, model.Properties{{Type: 0x0A, Int: 3}, {Type: 0x13, Bytes: blob(varint.QUIC, 1, 2, 1000, 48000, 0, 3, 0)}}, 0x13, nil},
		{"no configuration yet", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x15, Bytes: video}}, 0, elementary.ErrNoConfig},
		{"rubbish for a configuration", media.Video, model.Properties{{Type: 0x0A}, {Type: 0x0D, Bytes: []byte{9}}, {Type: 0x15, Bytes: video}}, 0, nil},
		{"audio in a track of video", media.Video, model.Properties{{Type: 0x0A, Int: 3}, {Type: 0x13, Bytes: audio}}, 0, &elementary.KindError{Want: media.Video, Got: media.AAC}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := NewUnpacker(tt.kind, nil).Unpack(tt.props, unhex(t, slice))
			if err == nil {
				t.Fatalf("got %+v", s)
			}
			var p *PropertyError
			var kind *elementary.KindError
			switch {
			case tt.typ != 0 && (!errors.As(err, &p) || p.Type != tt.typ):
				t.Errorf("got %v, want one of property 0x%02x", err, tt.typ)
			case errors.As(tt.err, &kind):
				if !errors.As(err, &kind) {
					t.Errorf("got %v, want %v", err, tt.err)
				}
			case tt.err != nil && !errors.Is(err, tt.err):
				t.Errorf("got %v, want %v", err, tt.err)
			}
		})
	}
	if _, err := NewUnpacker(media.Audio, nil).Unpack(model.Properties{{Type: 0x0A, Int: 3}, {Type: 0x13, Bytes: audio}}, nil); !errors.Is(err, elementary.ErrNoSample) {
		t.Errorf("no payload: %v", err)
	}
}

// Metadata is read in whichever integers take its bytes; where both do, in those
// that the track has had before.
func TestFlavours(t *testing.T) {
	ambiguous := blob(varint.QUIC, 1, 2, 2, 30, 3, 0)
	if a, ok := integers(varint.MoQ, ambiguous, 6); !ok || a[3] != 30 {
		t.Fatal("small integers differ")
	}

	var f flavours
	if v, err := f.read(blob(varint.QUIC, 100, 2000, 2000, 1000, 33, 0), videoLayout); err != nil || v[1] != 2000 || f.transport {
		t.Fatalf("QUIC's: %v, %v", v, err)
	}
	if v, err := f.read(blob(varint.MoQ, 100, 2000, 2000, 1000, 33, 0), videoLayout); err != nil || v[1] != 2000 || !f.transport {
		t.Fatalf("the transport's: %v, %v", v, err)
	}
	if _, err := f.read(ambiguous, videoLayout); err != nil || !f.transport {
		t.Fatal("what both can read changed the track's flavour")
	}
	if v, err := f.read(blob(varint.QUIC, 100, 2000, 2000, 1000, 33, 0), videoLayout); err != nil || v[1] != 2000 || f.transport {
		t.Fatalf("QUIC's again: %v, %v", v, err)
	}
	// These bytes are seen to be six integers in both, and the times of QUIC's
	// cannot be: 23 million years of 1/49 s.
	const disputed = "fc6596ef1ec63a" + "f8ec1ad63010" + "f8ec1ad62fe1" + "83e8" + "8216" + "fa31582d65eb"
	quic, isQUIC := integers(varint.QUIC, unhex(t, disputed), 6)
	moq, isMoQ := integers(varint.MoQ, unhex(t, disputed), 6)
	if !isQUIC || !isMoQ || quic[3] != 49 || moq[3] != 1000 {
		t.Fatalf("the bytes are not what the test needs: %v, %v", quic, moq)
	}
	if v, err := new(flavours).read(unhex(t, disputed), videoLayout); err != nil || v[3] != 1000 {
		t.Errorf("by what can be: %v, %v", v, err)
	}
	if v, err := (&flavours{known: true}).read(unhex(t, disputed), videoLayout); err != nil || v[3] != 49 {
		t.Errorf("by what was: %v, %v", v, err)
	}
	if _, ok := integers(varint.MoQ, make([]byte, MaxMetadata+1), MaxMetadata+1); ok {
		t.Error("more than MaxMetadata bytes were read")
	}
	if _, ok := integers(varint.QUIC, make([]byte, MaxMetadata), MaxMetadata); !ok {
		t.Error("MaxMetadata bytes were not read")
	}
}

func TestPackRefuses(t *testing.T) {
	h264, aac := format(t, media.H264, avcC), format(t, media.AAC, asc)
	for name, s := range map[string]*media.Sample{
		"no format":        {},
		"AV1":              {Format: format(t, media.AV1, av1C)},
		"PTS before 0":     {Format: h264, PTS: -ms},
		"DTS before 0":     {Format: h264, DTS: -ms},
		"duration below 0": {Format: aac, Duration: -ms},
		"no configuration": {Format: &media.Format{Codec: media.H264}, Key: true},
		"no rate":          {Format: &media.Format{Codec: media.AAC, Channels: 2}},
		"no channels":      {Format: &media.Format{Codec: media.Opus, SampleRate: 48000}},
		"broken AAC":       {Format: &media.Format{Codec: media.AAC, Config: []byte{1}}},
		"sequence":         {Format: h264, Seq: math.MaxUint64, HasSeq: true},
	} {
		if p, b, err := NewPacker(Options{}).Pack(s); err == nil {
			t.Errorf("%s: packed %x %x", name, p, b)
		}
	}
	var codec *CodecError
	_, _, err := NewPacker(Options{}).Pack(&media.Sample{Format: format(t, media.AV1, av1C)})
	if !errors.As(err, &codec) || err.Error() != "MoQMi cannot carry AV1; the packaging loc can" {
		t.Errorf("AV1: %v", err)
	}
}

// Samples without a number are counted, on from those with one.
func TestPackCounts(t *testing.T) {
	p, u := NewPacker(Options{}), NewUnpacker(media.Audio, nil)
	for i, want := range []uint64{0, 1, 40, 41} {
		s := &media.Sample{Format: format(t, media.AAC, asc), Data: []byte{1}}
		if i == 2 {
			s.Seq, s.HasSeq = 40, true
		}
		props, payload, err := p.Pack(s)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := u.Unpack(props, payload); err != nil || back.Seq != want {
			t.Errorf("sample %d: got %+v, %v; want number %d", i, back, err, want)
		}
	}
}

// HE-AAC is said by the rate of its core, for which receivers make AAC-LC.
func TestPackCoreOfHEAAC(t *testing.T) {
	f := format(t, media.AAC, "2b098800") // SBR: 24 kHz become 48 kHz
	if f.SampleRate != 48000 {
		t.Fatalf("the test's configuration is %+v", f)
	}
	props, payload, err := NewPacker(Options{}).Pack(&media.Sample{Format: f, Data: []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewUnpacker(media.Audio, nil).Unpack(props, payload)
	if err != nil || s.Format.SampleRate != 24000 {
		t.Errorf("got %+v, %v", s.Format, err)
	}
}

// A format is shared as long as it is the same, and is another after a change.
func TestUnpackSharesFormats(t *testing.T) {
	u, p := NewUnpacker(media.Video, nil), NewPacker(Options{})
	other := format(t, media.H264, "0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000468ef8fcbfdf8f800")
	var last *media.Format
	for i, f := range []*media.Format{format(t, media.H264, avcC), format(t, media.H264, avcC), other, other} {
		for _, key := range []bool{true, false} {
			data := slice
			if key {
				data = idr
			}
			props, payload, err := p.Pack(&media.Sample{Format: f, Key: key, Data: unhex(t, data)})
			if err != nil {
				t.Fatal(err)
			}
			s, err := u.Unpack(props, payload)
			if err != nil {
				t.Fatal(err)
			}
			if changed := last != s.Format; changed != (key && (i == 0 || i == 2)) {
				t.Errorf("format %d, key %v: another pointer: %v", i, key, changed)
			}
			last = s.Format
		}
	}
}

// What is packed is unpacked alike, to the millisecond: numbers of a track's first
// days and captures of our years, in either integers.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		o := Options{MoxygenOpus: r.IntN(2) == 0, OldVideoProperty: r.IntN(2) == 0, TransportVarints: r.IntN(2) == 0}
		kinds := []struct {
			codec        media.Codec
			config, data string
		}{{media.H264, avcC, idr}, {media.HEVC, hvcC, idrHEVC}, {media.AAC, asc, "2110"}, {media.Opus, head, "fc"}}
		k := kinds[r.IntN(len(kinds))]
		p, u := NewPacker(o), NewUnpacker(k.codec.Kind(), nil)
		for range 20 {
			s := &media.Sample{
				Format: format(t, k.codec, k.config), DTS: time.Duration(r.Uint64N(1<<r.IntN(38))) * ms, Duration: time.Duration(r.IntN(2000)) * ms,
				Key: true, Seq: r.Uint64N(1 << r.IntN(20)), HasSeq: true, Captured: captured.Add(time.Duration(r.Int64N(1<<33)) * ms), Data: unhex(t, k.data),
			}
			s.PTS = s.DTS
			if k.codec.Kind() == media.Video {
				s.PTS += time.Duration(r.IntN(1000)) * ms
			}
			props, payload, err := p.Pack(s)
			if err != nil {
				t.Fatal(err)
			}
			back, err := u.Unpack(props, payload)
			if err != nil {
				t.Fatalf("%+v: %v", props, err)
			}
			if !sameSample(s, back) {
				t.Fatalf("%+v: got\n%+v\nwant\n%+v", o, back, s)
			}
		}
	}
}

// Any properties whatever: an error, or a sample that can be packed again.
func FuzzUnpack(f *testing.F) {
	f.Add(uint8(1), uint64(0), uint64(0x15), blob(varint.QUIC, 1, 2, 2, 1000, 3, 0), uint64(0x0D), unhex(f, avcC), unhex(f, idr))
	f.Add(uint8(1), uint64(4), uint64(0x17), blob(varint.MoQ, 1, 2000, 2, 1000, 3, 0), uint64(0x19), unhex(f, hvcC), unhex(f, idrHEVC))
	f.Add(uint8(1), uint64(0), uint64(0x0B), blob(varint.QUIC, 1, 2, 2, 1000, 3, 0), uint64(0x0D), unhex(f, avcC), unhex(f, idr))
	f.Add(uint8(2), uint64(3), uint64(0x13), blob(varint.QUIC, 1, 2, 1000, 48000, 2, 3, 0), uint64(0x11), []byte(nil), []byte{1})
	f.Add(uint8(2), uint64(4), uint64(0x0F), blob(varint.QUIC, 1, 2, 1000, 48000, 2, 3, 0), uint64(0x11), []byte(nil), []byte{1})
	f.Fuzz(func(t *testing.T, kind uint8, mediaType, type1 uint64, bytes1 []byte, type2 uint64, bytes2, payload []byte) {
		props := model.Properties{{Type: 0x0A, Int: mediaType}, {Type: type1, Bytes: bytes1}, {Type: type2, Bytes: bytes2}}
		k := media.Kind(1 + kind%2)
		s, err := NewUnpacker(k, nil).Unpack(props, payload)
		if err != nil {
			return
		}
		if s.Format == nil || s.Format.Codec.Kind() != k || s.PTS < 0 || s.DTS < 0 || s.Duration < 0 || len(s.Data) == 0 {
			t.Fatalf("got %+v", s)
		}
		again, data, err := NewPacker(Options{TransportVarints: true}).Pack(s) // its numbers may have 64 bits
		if err != nil {
			t.Fatalf("cannot pack what was unpacked: %v", err)
		}
		u := NewUnpacker(k, s.Format)
		u.flavours = flavours{known: true, transport: true}
		back, err := u.Unpack(again, data)
		if err != nil {
			t.Fatalf("cannot unpack what was packed: %v", err)
		}
		if back.Seq != s.Seq || back.Key != s.Key || back.Format.Codec != s.Format.Codec || back.PTS-s.PTS > ms || s.PTS-back.PTS > ms {
			t.Fatalf("got\n%+v\nwant\n%+v", back, s)
		}
	})
}
