package hang

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/elementary"
)

// Configurations that ffmpeg made: 320x180 baseline, and 48 kHz stereo.
const (
	avcC = "0142c00dffe100176742c00dda05067e7c0440000003004000000f03c50aa801000468ce0fc8"
	av1C = "81000c000a0b000000043cfeccdaf90040"
	asc  = "1190"
	head = "4f707573486561640102000080bb0000000000"

	// The parameter sets of avcC and pictures, behind start codes.
	sets  = "000000016742c00dda05067e7c0440000003004000000f03c50aa80000000168ce0fc8"
	idr   = "000000016588840a"
	slice = "00000001419a2014"
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

const ms = time.Millisecond

// golden are samples and their payloads, by hand: the timestamp in microseconds
// as QUIC's integer, 33333 being 80008235 and 2^30 c000000040000000, and a chunk
// as @moq/publish 0.2.17 has it of WebCodecs' encoders in their "annexb" format.
var golden = []struct {
	name            string
	codec           media.Codec
	config          string
	pts             time.Duration
	key             bool
	data            string
	payload, stored string // stored: the hint's configuration is not in the payload
}{
	{"H.264, key", media.H264, avcC, 33333 * time.Microsecond, true, "000000046588840a", "80008235" + sets + idr, ""},
	{"H.264, not key", media.H264, avcC, (1 << 30) * time.Microsecond, false, "00000004419a201400000004419a2014", "c000000040000000" + slice + slice, avcC},
	{"AV1", media.AV1, av1C, 0, true, "12000a0b000000043cfeccdaf9004032021000", "00" + "12000a0b000000043cfeccdaf9004032021000", ""},
	{"AAC", media.AAC, asc, 20 * ms, true, "2110", "80004e20" + "2110", asc},
	{"Opus", media.Opus, head, 63 * time.Microsecond, true, "fc", "3f" + "fc", ""},
}

func TestGolden(t *testing.T) {
	for _, tt := range golden {
		t.Run(tt.name, func(t *testing.T) {
			f := format(t, tt.codec, tt.config)
			s := &media.Sample{Format: f, PTS: tt.pts, DTS: tt.pts, Key: tt.key, Data: unhex(t, tt.data)}
			props, payload, err := NewPacker().Pack(s)
			if err != nil || props != nil {
				t.Fatal(props, err)
			}
			if !bytes.Equal(payload, unhex(t, tt.payload)) {
				t.Errorf("packed %x, want %s", payload, tt.payload)
			}
			hint := &media.Format{Codec: tt.codec}
			if tt.stored != "" {
				hint = format(t, tt.codec, tt.stored)
			}
			back, err := NewUnpacker(tt.codec.Kind(), hint).Unpack(nil, payload)
			if err != nil {
				t.Fatal(err)
			}
			if back.Format.Codec != tt.codec || back.PTS != s.PTS || back.DTS != s.DTS || back.Key != s.Key || !bytes.Equal(back.Data, s.Data) {
				t.Errorf("unpacked\n%+v\nwant\n%+v", back, s)
			}
			if g := back.Format; g.Width != f.Width || g.SampleRate != f.SampleRate || g.Channels != f.Channels {
				t.Errorf("unpacked format\n%+v\nwant\n%+v", g, f)
			}
		})
	}
}

// A catalog with a description has length-prefixed NAL units in the frames.
func TestDescription(t *testing.T) {
	u := NewUnpacker(media.Video, format(t, media.H264, avcC))
	s, err := u.Unpack(nil, unhex(t, "05"+"000000046588840a"))
	if err != nil || !s.Key || s.PTS != 5*time.Microsecond || !bytes.Equal(s.Data, unhex(t, "000000046588840a")) {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		hint          *media.Format
		err           error
	}{
		{"nothing", "", nil, nil},
		{"half a timestamp", "80", nil, nil},
		{"a mark in time", "05", &media.Format{Codec: media.H264}, elementary.ErrNoSample},
		{"no hint", "05" + slice, nil, elementary.ErrNoConfig},
		{"no parameter sets yet", "05" + slice, &media.Format{Codec: media.H264}, elementary.ErrNoConfig},
		{"time too large", "ffffffffffffffff" + idr, &media.Format{Codec: media.H264}, nil},
		{"audio in a track of video", "05" + "fc", &media.Format{Codec: media.Opus}, nil},
	} {
		if s, err := NewUnpacker(media.Video, tt.hint).Unpack(nil, unhex(t, tt.payload)); err == nil || tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%s: got %+v, %v; want %v", tt.name, s, err, tt.err)
		}
	}
	u := NewUnpacker(media.Video, &media.Format{Codec: media.H264})
	for i, payload := range []string{"8000c350" + sets + idr, "05" + slice} {
		if _, err := u.Unpack(nil, unhex(t, payload)); (err != nil) != (i == 1) {
			t.Errorf("picture %d: %v", i, err)
		}
	}
}

func TestPackRefuses(t *testing.T) {
	h264 := format(t, media.H264, avcC)
	for name, s := range map[string]*media.Sample{
		"no format":        {},
		"PTS before 0":     {Format: h264, PTS: -ms},
		"no NAL units":     {Format: h264, Data: []byte{0, 0, 0, 9, 1}},
		"no configuration": {Format: &media.Format{Codec: media.H264}, Key: true},
	} {
		if p, b, err := NewPacker().Pack(s); err == nil {
			t.Errorf("%s: packed %x %x", name, p, b)
		}
	}
}

// Any payload whatever: an error, or a sample that can be packed again.
func FuzzUnpack(f *testing.F) {
	for _, g := range golden {
		f.Add(uint8(g.codec), unhex(f, g.payload))
	}
	f.Fuzz(func(t *testing.T, which uint8, payload []byte) {
		codec := media.Codec(1 + which%5)
		s, err := NewUnpacker(codec.Kind(), &media.Format{Codec: codec}).Unpack(nil, payload)
		if err != nil {
			return
		}
		if s.Format.Codec != codec || s.PTS < 0 || s.DTS > s.PTS || len(s.Data) == 0 {
			t.Fatalf("got %+v", s)
		}
		_, again, err := NewPacker().Pack(s)
		if err != nil {
			t.Fatalf("cannot pack what was unpacked: %v", err)
		}
		back, err := NewUnpacker(codec.Kind(), s.Format).Unpack(nil, again)
		if err != nil {
			t.Fatalf("cannot unpack what was packed: %v", err)
		}
		if back.PTS != s.PTS || back.Key != s.Key || back.Format.Codec != codec {
			t.Fatalf("got\n%+v\nwant\n%+v", back, s)
		}
	})
}
