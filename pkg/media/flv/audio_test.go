package flv

import (
	"testing"

	"oxymoq/internal/testkit"
)

var audioRows = []struct {
	name     string
	wire     string
	tag      AudioTag
	readOnly bool
	behind   int // bytes of the tracks behind the first
}{
	{name: "AAC sequence header", wire: `
		af   // AAC, 44 kHz, 16 bits, stereo
		00   // sequence header
		1190 // configuration`,
		tag: AudioTag{Codec: AAC, Packet: SequenceStart, Hertz: 44100, Channels: 2, Data: []byte{0x11, 0x90}}},
	{name: "AAC frame", wire: `
		af   // AAC, 44 kHz, 16 bits, stereo
		01   // raw
		2100 // data`,
		tag: AudioTag{Codec: AAC, Packet: Frames, Hertz: 44100, Channels: 2, Data: []byte{0x21, 0}}},
	{name: "AAC frame with other hints", wire: `a6 01 21`, readOnly: true, // 11 kHz, mono
		tag: AudioTag{Codec: AAC, Packet: Frames, Hertz: 11025, Channels: 1, Data: []byte{0x21}}},
	{name: "silence", wire: ``,
		tag: AudioTag{Packet: SequenceEnd}},
	{name: "Opus sequence start", wire: `
		90               // enhanced, SequenceStart
		4f707573         // Opus
		4f70757348656164 // OpusHead
		0102             // version, channels`,
		tag: AudioTag{Codec: Opus, Packet: SequenceStart, Data: []byte("OpusHead\x01\x02")}},
	{name: "Opus frame", wire: `
		91       // enhanced, CodedFrames
		4f707573 // Opus
		fcfffe   // packet`,
		tag: AudioTag{Codec: Opus, Packet: Frames, Data: []byte{0xfc, 0xff, 0xfe}}},
	{name: "Opus sequence end", wire: `92 4f707573`,
		tag: AudioTag{Codec: Opus, Packet: SequenceEnd}},
	{name: "Opus channels", wire: `
		94       // enhanced, MultichannelConfig
		4f707573 // Opus
		01 02    // native order, two channels
		00000003 // front left and right`,
		tag: AudioTag{Codec: Opus, Packet: ChannelConfig, Data: []byte{1, 2, 0, 0, 0, 3}}},
	{name: "AAC by FourCC", wire: `
		91       // enhanced, CodedFrames
		6d703461 // mp4a
		21       // data`, readOnly: true,
		tag: AudioTag{Codec: AAC, Packet: Frames, Data: []byte{0x21}}},
	{name: "AAC sequence end", wire: `92 6d703461`,
		tag: AudioTag{Codec: AAC, Packet: SequenceEnd}},
	{name: "time in nanoseconds", wire: `
		97       // enhanced, ModEx
		02       // three bytes
		000001   // 1 ns
		01       // TimestampOffsetNano, then CodedFrames
		4f707573 // Opus
		fc       // packet`, readOnly: true,
		tag: AudioTag{Codec: Opus, Packet: Frames, Data: []byte{0xfc}}},
	{name: "one track of several", wire: `
		95       // enhanced, Multitrack
		01       // OneTrack, CodedFrames
		4f707573 // Opus
		01       // track 1
		fc       // packet`, readOnly: true,
		tag: AudioTag{Codec: Opus, Packet: Frames, Track: 1, Data: []byte{0xfc}}},
	{name: "many tracks", wire: `
		95       // enhanced, Multitrack
		11       // ManyTracks, CodedFrames
		4f707573 // Opus
		00       // track 0
		000001   // its size
		fc       // packet
		01       // track 1
		000001   // its size
		fd       // packet`, readOnly: true, behind: 5,
		tag: AudioTag{Codec: Opus, Packet: Frames, Data: []byte{0xfc}}},
	{name: "many tracks of many codecs", wire: `
		95       // enhanced, Multitrack
		21       // ManyTracksManyCodecs, CodedFrames
		6d703461 // mp4a
		00       // track 0
		000001   // its size
		21       // frame
		4f707573 // Opus
		01       // track 1
		000001   // its size
		fd       // packet`, readOnly: true, behind: 9,
		tag: AudioTag{Codec: AAC, Packet: Frames, Data: []byte{0x21}}},
}

func TestAudio(t *testing.T) {
	for _, row := range audioRows {
		t.Run(row.name, func(t *testing.T) {
			b := annotated(t, row.wire)
			testkit.Equal(t, testkit.Must(ParseAudio(b))(t), row.tag)
			if row.readOnly {
				return
			}
			written := testkit.Must(AppendAudio([]byte{}, row.tag))(t)
			if string(written) != string(b) {
				t.Errorf("written as % x, want % x", written, b)
			}
		})
	}
}

func TestEveryTruncationOfAudio(t *testing.T) {
	for _, row := range audioRows {
		b := annotated(t, row.wire)
		for n := 1; n < len(b)-row.behind; n++ {
			got, err := ParseAudio(b[:n])
			if err != nil {
				testkit.ErrAs[*FormatError](t, err)
				continue
			}
			if len(got.Data) >= len(row.tag.Data) {
				t.Errorf("%s: %d of %d bytes have as much data as all", row.name, n, len(b))
			}
		}
	}
}

func TestAudioThatIsRefused(t *testing.T) {
	for _, row := range []struct{ name, wire, want string }{
		{"no packet type", "af", "FLV: byte 1: 0 bytes are left for the packet type, must be 1"},
		{"packet type 2 of AAC", "af 02", "FLV: byte 1: packet type 2 is not defined"},
		{"FourCC cut", "90 4f7075", "FLV: byte 1: 3 bytes are left for the FourCC, must be 4"},
		{"multitrack in multitrack", "95 05 4f707573 00", "FLV: byte 1: packet type 5 cannot be in a multitrack"},
		{"MP3", "2f ff", "FLV: codec MP3 in a tag of audio is not supported"},
		{"Speex", "b6 00", "FLV: codec Speex in a tag of audio is not supported"},
		{"PCM", "00 00", "FLV: codec PCM of the platform's endianness in a tag of audio is not supported"},
		{"sound format 12", "cf 00", "FLV: sound format 12 in a tag of audio is not supported"},
		{"FLAC", "90 664c6143", `FLV: codec "fLaC" in a tag of audio is not supported`},
		{"video's FourCC", "90 61766331", `FLV: codec "avc1" in a tag of audio is not supported`},
		{"packet type 3", "93 4f707573", "FLV: packet type 3 in a tag of audio is not supported"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := ParseAudio(annotated(t, row.wire))
			if err == nil {
				t.Fatalf("it was read as %+v", got)
			}
			testkit.Equal(t, err.Error(), row.want)
		})
	}
}

func TestAudioThatIsNotWritten(t *testing.T) {
	for name, a := range map[string]AudioTag{
		"no codec":        {Packet: Frames},
		"codec of video":  {Codec: H264, Packet: Frames},
		"no packet":       {Codec: AAC},
		"packet of video": {Codec: AAC, Packet: VideoMetadata},
		"second track":    {Codec: AAC, Packet: Frames, Track: 1},
	} {
		if b, err := AppendAudio([]byte("x"), a); err == nil || string(b) != "x" {
			t.Errorf("%s: %q, error %v", name, b, err)
		}
	}
}
