package elementary

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/nal"
)

// Pictures are slices of a few bytes; what is in them is not looked at.
const (
	idr   = "6588840a"
	other = "419a2014"

	idrHEVC = "2601af09"
)

const start = "00000001"

// lengths writes NAL units behind lengths of size bytes.
func lengths(size int, units ...string) string {
	s := new(strings.Builder)
	for _, u := range units {
		n := []byte{0, 0, 0, byte(len(u) / 2)}
		for _, b := range n[4-size:] {
			s.WriteString(string("0123456789abcdef"[b>>4]) + string("0123456789abcdef"[b&15]))
		}
		s.WriteString(u)
	}
	return s.String()
}

type step struct {
	chunk      Chunk
	data, conf string // wanted; data empty: an error
	key        bool
	err        error // wanted, if not nil
}

func TestStream(t *testing.T) {
	two := strings.Replace(avcC, "0142c00dff", "0142c00dfd", 1) // lengths of two bytes
	adts := "fff14c8001bffc" + "010203040506"                   // 48 kHz, stereo, 13 bytes
	monoHead := "4f7075734865616401010000" + "80bb0000000000"
	c := func(name, config, data string) Chunk {
		return Chunk{Name: name, Config: unhex(t, config), Data: unhex(t, data)}
	}
	tests := []struct {
		name  string
		kind  media.Kind
		hint  *media.Format
		steps []step
	}{
		{"configuration and lengths", media.Video, nil, []step{
			{c("avc1.42c00d", "", lengths(4, other)), "", "", false, ErrNoConfig},
			{c("avc1.42c00d", avcC, lengths(4, idr)), lengths(4, idr), avcC, true, nil},
			{c("avc1.42c00d", "", lengths(4, other)), lengths(4, other), avcC, false, nil},
			{c("", "", lengths(4, other, other)), lengths(4, other, other), avcC, false, nil},
			{c("avc1.64000d", avcCHigh, lengths(4, idr)), lengths(4, idr), avcCHigh, true, nil},
		}},
		{"a configuration and no name", media.Video, nil, []step{
			{c("", avcC, lengths(4, idr)), lengths(4, idr), avcC, true, nil},
			{c("", "", lengths(4, other)), lengths(4, other), avcC, false, nil},
		}},
		{"lengths of two bytes", media.Video, nil, []step{
			{c("", two, lengths(2, idr)), lengths(4, idr), avcC, true, nil},
			{c("", "", lengths(2, other)), lengths(4, other), avcC, false, nil},
			{c("", two, lengths(2, idr)), lengths(4, idr), avcC, true, nil},
		}},
		{"parameter sets behind start codes", media.Video, nil, []step{
			{c("avc1.42001e", "", start+other), "", "", false, ErrNoConfig},
			{c("avc1.42001e", "", start+sps+start+pps+start+idr), lengths(4, idr), avcC, true, nil},
			{c("avc1.42001e", "", start+other), lengths(4, other), avcC, false, nil},
			{c("avc1.42001e", "", "000001"+other), lengths(4, other), avcC, false, nil},
			{c("avc1.42001e", "", start+sps+start+pps), "", "", false, errEmpty},
		}},
		{"parameter sets behind lengths", media.Video, nil, []step{
			{c("avc3.42001e", "", lengths(4, sps, pps, idr)), lengths(4, idr), avcC, true, nil},
			{c("avc3.42001e", "", lengths(4, other)), lengths(4, other), avcC, false, nil},
		}},
		{"start codes beside a configuration", media.Video, nil, []step{
			{c("avc1.42001e", avcC, start+sps+start+pps+start+idr), lengths(4, sps, pps, idr), avcC, true, nil},
		}},
		{"a hint with a configuration", media.Video, format(t, media.H264, avcC), []step{
			{c("", "", lengths(4, other)), lengths(4, other), avcC, false, nil},
			{c("avc1.64000d", avcCHigh, lengths(4, idr)), lengths(4, idr), avcCHigh, true, nil},
			{c("", "", lengths(4, other)), lengths(4, other), avcCHigh, false, nil},
		}},
		{"a hint with another configuration than the stream", media.Video, format(t, media.H264, avcCHigh), []step{
			{c("", "", start+other), lengths(4, other), avcCHigh, false, nil},
			{c("", "", start+sps+start+pps+start+idr), lengths(4, idr), avcC, true, nil},
			{c("", "", start+other), lengths(4, other), avcC, false, nil},
		}},
		{"a hint of the codec only", media.Video, &media.Format{Codec: media.H264}, []step{
			{c("", "", start+other), "", "", false, ErrNoConfig},
			{c("", "", start+sps+start+pps+start+idr), lengths(4, idr), avcC, true, nil},
		}},
		{"HEVC", media.Video, nil, []step{
			{c("hev1.1.6.L60.90", "", start+vps+start+spsHEVC+start+ppsHEVC+start+idrHEVC), lengths(4, idrHEVC), "", true, nil},
			{c("", hvcC, lengths(4, idrHEVC)), lengths(4, idrHEVC), hvcC, true, nil},
			{c("", strings.Replace(hvcC, "00000f03", "00000c03", 1), lengths(1, idrHEVC)), lengths(4, idrHEVC), strings.Replace(hvcC, "00000f03", "00000f03", 1), true, nil},
		}},
		{"from one codec to another", media.Video, nil, []step{
			{c("avc1.42c00d", avcC, lengths(4, idr)), lengths(4, idr), avcC, true, nil},
			{c("hvc1.1.6.L60.90", "", lengths(4, idrHEVC)), "", "", false, ErrNoConfig},
			{c("hvc1.1.6.L60.90", hvcC, lengths(4, idrHEVC)), lengths(4, idrHEVC), hvcC, true, nil},
		}},
		{"AV1", media.Video, nil, []step{
			{c("av01.0.00M.08", "", "120032021000"), "", "", false, ErrNoConfig},
			{c("av01.0.00M.08", av1C, "1200"+av1C[8:]+"32021000"), "1200" + av1C[8:] + "32021000", av1C, true, nil},
			{c("", "", "120032023000"), "120032023000", av1C, false, nil},
		}},
		{"AV1 without a configuration", media.Video, nil, []step{
			{c("av01.0.00M.08", "", "1200"+av1C[8:]+"32021000"), "1200" + av1C[8:] + "32021000", av1C, true, nil},
		}},
		{"AAC", media.Audio, nil, []step{
			{c("mp4a.40.2", asc, "0102"), "0102", asc, true, nil},
			{c("mp4a.40.2", "", "0103"), "0103", asc, true, nil},
			{c("mp4a.40.2", "", adts), adts, asc, true, nil}, // the configuration says that there is no header
			{c("", "1210", "0102"), "0102", "1210", true, nil},
		}},
		{"MPEG-4 audio that is not AAC", media.Audio, nil, []step{{c("", "9190", "0102"), "", "", false, nil}}},
		{"AAC by its configuration", media.Audio, nil, []step{{c("", asc, "0102"), "0102", asc, true, nil}}},
		{"ADTS", media.Audio, nil, []step{
			{c("mp4a.40.2", "", "0102"), "", "", false, ErrNoConfig},
			{c("mp4a.40.2", "", adts), "010203040506", asc, true, nil},
			{c("mp4a.40.2", "", adts), "010203040506", asc, true, nil},
			{c("mp4a.40.2", "", strings.Replace(adts, "bffc", "bffd", 1)), "", "", false, errBlocks},
		}},
		{"Opus by its head", media.Audio, nil, []step{{c("", monoHead, "fc01"), "fc01", monoHead, true, nil}}},
		{"Opus by its name", media.Audio, nil, []step{
			{c("opus", "", "fc01"), "fc01", "4f7075734865616401020000" + "80bb0000000000", true, nil},
			{c("opus", "", "fc02"), "fc02", "4f7075734865616401020000" + "80bb0000000000", true, nil},
		}},
		{"Opus by a hint", media.Audio, &media.Format{Codec: media.Opus, Channels: 1}, []step{
			{c("", "", "fc01"), "fc01", "4f7075734865616401010000" + "80bb0000000000", true, nil},
		}},
		{"nothing known", media.Video, nil, []step{{c("", "", lengths(4, idr)), "", "", false, ErrNoConfig}}},
		{"no data", media.Audio, nil, []step{{c("opus", "", ""), "", "", false, ErrNoSample}}},
		{"what cannot be", media.Video, nil, []step{
			{c("vp8", "", "00"), "", "", false, nil},
			{c("opus", "", "00"), "", "", false, &KindError{media.Video, media.Opus}},
			{c("", "ff", "00"), "", "", false, nil},
			{c("avc1.42c00d", "01", "00"), "", "", false, nil},
			{c("avc1.42c00d", avcC, "00000009ff"), "", "", false, nil},
			{c("avc1.42c00d", "", start), "", "", false, nil},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewStream(tt.kind, tt.hint)
			var before *media.Format
			for i, st := range tt.steps {
				f, err := s.Frame(st.chunk)
				if st.data == "" {
					var kind *KindError
					if err == nil || st.err != nil && !errors.Is(err, st.err) && !errors.As(err, &kind) {
						t.Fatalf("step %d: got %+v, %v; want error %v", i, f, err, st.err)
					}
					continue
				}
				if err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
				if !bytes.Equal(f.Data, unhex(t, st.data)) || f.Key != st.key {
					t.Errorf("step %d: got %x, key %v; want %s, %v", i, f.Data, f.Key, st.data, st.key)
				}
				if st.conf != "" && !bytes.Equal(f.Format.Config, unhex(t, st.conf)) {
					t.Errorf("step %d: got configuration %x, want %s", i, f.Format.Config, st.conf)
				}
				if before != nil && before.Same(f.Format) && before != f.Format {
					t.Errorf("step %d: a new format that is the same", i)
				}
				before = f.Format
			}
		})
	}
}

// What a catalog says and the configuration does not, a format has of the catalog.
func TestHintFillsIn(t *testing.T) {
	s := NewStream(media.Video, &media.Format{Codec: media.HEVC, Width: 1, Height: 2, FrameRate: 25})
	f, err := s.Frame(Chunk{Config: unhex(t, hvcC), Data: unhex(t, lengths(4, idrHEVC))})
	if err != nil || f.Format.Width != 320 || f.Format.Height != 180 || f.Format.FrameRate != 30 {
		t.Errorf("got %+v, %v", f.Format, err)
	}
	bare := strings.Replace(avcC, "e1", "e0", 1)[:12] + "00" // without parameter sets
	s = NewStream(media.Video, &media.Format{Codec: media.H264, Width: 1, Height: 2, FrameRate: 25})
	f, err = s.Frame(Chunk{Codec: media.H264, Config: unhex(t, bare), Data: unhex(t, lengths(4, idr))})
	if err != nil || f.Format.Width != 1 || f.Format.Height != 2 || f.Format.FrameRate != 25 {
		t.Errorf("got %+v, %v", f.Format, err)
	}
}

// In-band and back is the same sample.
func TestAppendInBand(t *testing.T) {
	for codec, config := range map[media.Codec]string{media.H264: avcC, media.HEVC: hvcC} {
		f := format(t, codec, config)
		key := map[media.Codec]string{media.H264: idr, media.HEVC: idrHEVC}[codec]
		s := &media.Sample{Format: f, Key: true, Data: unhex(t, lengths(4, key, key))}
		b, err := AppendInBand([]byte{9}, s)
		if err != nil {
			t.Fatal(err)
		}
		frame, err := NewStream(media.Video, nil).Frame(Chunk{Codec: codec, Data: b[1:]})
		if err != nil || !bytes.Equal(frame.Data, s.Data) || !frame.Key {
			t.Errorf("%v: got %+v, %v", codec, frame, err)
		}
		// The record that is made of parameter sets may say less than the first, but
		// has the same sets.
		if g := frame.Format; g.Width != f.Width || g.Name != f.Name {
			t.Errorf("%v: got %+v, want %+v", codec, g, f)
		}
		s.Key = false
		b, err = AppendInBand(nil, s)
		if want := unhex(t, start+key+start+key); err != nil || !bytes.Equal(b, want) {
			t.Errorf("%v: got %x, %v; want %x", codec, b, err, want)
		}
		for _, bad := range []media.Sample{
			{Format: f, Data: []byte{0, 0, 0, 9, 1}},
			{Format: &media.Format{Codec: codec, Config: []byte{1}}, Key: true, Data: s.Data},
		} {
			if b, err := AppendInBand(nil, &bad); err == nil {
				t.Errorf("%v: wrote %x", codec, b)
			}
		}
	}
	b, err := AppendInBand([]byte{9}, &media.Sample{Format: format(t, media.AAC, asc), Key: true, Data: []byte{1, 2}})
	if err != nil || !bytes.Equal(b, []byte{9, 1, 2}) {
		t.Errorf("AAC: got %x, %v", b, err)
	}
}

func TestDescribe(t *testing.T) {
	opus := func(head string) *media.Format { return &media.Format{Codec: media.Opus, Config: unhex(t, head)} }
	for _, tt := range []struct {
		f            *media.Format
		name, config string
	}{
		{format(t, media.H264, avcC), "avc1.42c00d", avcC},
		{&media.Format{Codec: media.H264, Config: unhex(t, avcC)}, "avc1.42c00d", avcC},
		{format(t, media.AAC, asc), "mp4a.40.2", asc},
		{opus(""), "opus", "4f707573486561640102000080bb0000000000"},
		{opus("4f70757348656164010138010000000000" + "0000"), "opus", "4f707573486561640101380180bb0000000000"}, // rate 0
		{opus("4f707573486561640101380144ac0000000000"), "opus", "4f707573486561640101380144ac0000000000"},
	} {
		name, config, err := Describe(tt.f)
		if err != nil || name != tt.name || !bytes.Equal(config, unhex(t, tt.config)) {
			t.Errorf("%+v: %s %x, %v; want %s %s", tt.f, name, config, err, tt.name, tt.config)
		}
	}
	for _, f := range []*media.Format{opus("00"), {Codec: media.AAC}, {Codec: media.Opus, Channels: 300}} {
		if name, config, err := Describe(f); err == nil {
			t.Errorf("%+v: %s %x", f, name, config)
		}
	}
}

func TestAudioConfig(t *testing.T) {
	for _, tt := range []struct {
		codec           media.Codec
		hertz, channels uint64
		want            string // empty: an error
	}{
		{media.AAC, 48000, 2, "1190"},
		{media.AAC, 44100, 1, "1208"},
		{media.AAC, 1 << 40, 2, ""},
		{media.AAC, 48000, 0, ""},
		{media.AAC, 48000, 1 << 63, ""},
		{media.AAC, 48000, 77, ""},
		{media.Opus, 48000, 1, "4f707573486561640101000080bb0000000000"},
		{media.Opus, 1 << 40, 1, ""},
		{media.Opus, 48000, 3, ""},
		{media.H264, 48000, 2, ""},
	} {
		got, err := AudioConfig(tt.codec, tt.hertz, tt.channels)
		if (err == nil) != (tt.want != "") || err == nil && !bytes.Equal(got, unhex(t, tt.want)) {
			t.Errorf("%v %d Hz %d channels: %x, %v; want %s", tt.codec, tt.hertz, tt.channels, got, err, tt.want)
		}
	}
}

// Any chunks whatever: an error or a frame that is in order.
func FuzzStream(f *testing.F) {
	f.Add(uint8(0), []byte("avc1"), unhex(f, avcC), unhex(f, lengths(4, idr)), unhex(f, lengths(4, other)))
	f.Add(uint8(1), []byte(""), []byte(nil), unhex(f, start+sps+start+pps+start+idr), unhex(f, start+other))
	f.Add(uint8(2), []byte(""), unhex(f, hvcC), unhex(f, lengths(4, idrHEVC)), []byte(nil))
	f.Add(uint8(3), []byte(""), unhex(f, av1C), unhex(f, "1200"+av1C[8:]+"32021000"), []byte(nil))
	f.Add(uint8(4), []byte(""), []byte(nil), unhex(f, "fff14c8001bffc010203040506"), []byte(nil))
	f.Add(uint8(5), []byte(""), unhex(f, "4f707573486561640101380180bb0000000000"), []byte{0xFC}, []byte{0xFC})
	f.Fuzz(func(t *testing.T, which uint8, name, config, first, second []byte) {
		codec := media.Codec(which % 6)
		kind := codec.Kind()
		if kind == 0 {
			kind = media.Kind(1 + which/6%2)
		}
		s := NewStream(kind, nil)
		for _, c := range []Chunk{{Codec: codec, Name: string(name), Config: config, Data: first}, {Codec: codec, Data: second}} {
			fr, err := s.Frame(c)
			if err != nil {
				continue
			}
			if fr.Format == nil || fr.Format.Codec.Kind() != kind || len(fr.Data) == 0 {
				t.Fatalf("got %+v", fr)
			}
			units, split := nal.Units, false
			switch fr.Format.Codec {
			case media.H264:
				split = true
			case media.HEVC:
				units, split = nal.Units, true
			}
			if split {
				if _, err := collect(units(fr.Data, 4)); err != nil {
					t.Fatalf("data that is not NAL units: %v", err)
				}
			}
		}
	})
}
