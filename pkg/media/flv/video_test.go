package flv

import (
	"testing"

	"oxymoq/internal/testkit"
)

// videoRow is a tag of video in bytes. What is read otherwise than written has
// readOnly.
type videoRow struct {
	name     string
	wire     string
	tag      VideoTag
	readOnly bool
	behind   int // bytes of the tracks behind the first
}

var videoRows = []videoRow{
	{name: "H.264 sequence header", wire: `
		17       // key frame, codec 7
		00       // AVC sequence header
		000000   // composition time
		01640015 // configuration`,
		tag: VideoTag{FrameType: KeyFrame, Codec: H264, Packet: SequenceStart, Data: []byte{1, 0x64, 0, 0x15}}},
	{name: "H.264 key frame", wire: `
		17          // key frame, codec 7
		01          // NALU
		000042      // composition time 66 ms
		00000001 65 // data`,
		tag: VideoTag{FrameType: KeyFrame, Codec: H264, Packet: Frames, CompositionTime: 66, Data: []byte{0, 0, 0, 1, 0x65}}},
	{name: "negative composition time", wire: `
		27       // inter frame, codec 7
		01       // NALU
		ffffd7   // composition time -41 ms
		aa       // data`,
		tag: VideoTag{FrameType: InterFrame, Codec: H264, Packet: Frames, CompositionTime: -41, Data: []byte{0xaa}}},
	{name: "smallest composition time", wire: `27 01 800000 aa`,
		tag: VideoTag{FrameType: InterFrame, Codec: H264, Packet: Frames, CompositionTime: MinCompositionTime, Data: []byte{0xaa}}},
	{name: "largest composition time", wire: `27 01 7fffff aa`,
		tag: VideoTag{FrameType: InterFrame, Codec: H264, Packet: Frames, CompositionTime: MaxCompositionTime, Data: []byte{0xaa}}},
	{name: "H.264 end of sequence", wire: `
		17     // key frame, codec 7
		02     // end of sequence
		000000 // composition time`,
		tag: VideoTag{FrameType: KeyFrame, Codec: H264, Packet: SequenceEnd}},
	{name: "composition time of what is no picture", wire: `17 00 000005 01`, readOnly: true,
		tag: VideoTag{FrameType: KeyFrame, Codec: H264, Packet: SequenceStart, Data: []byte{1}}},
	{name: "frame type 0 as moxygen writes it", wire: `07 01 000000 aa`, readOnly: true,
		tag: VideoTag{FrameType: InterFrame, Codec: H264, Packet: Frames, Data: []byte{0xaa}}},
	{name: "seek command", wire: `57 00`, readOnly: true,
		tag: VideoTag{FrameType: CommandFrame, Packet: Command, Data: []byte{0}}},
	{name: "HEVC by codec ID 12", wire: `
		1c     // key frame, codec 12
		01     // NALU
		000021 // composition time 33 ms
		aa     // data`, readOnly: true,
		tag: VideoTag{FrameType: KeyFrame, Codec: HEVC, Packet: Frames, CompositionTime: 33, Data: []byte{0xaa}}},

	{name: "HEVC sequence start", wire: `
		90       // enhanced, key frame, SequenceStart
		68766331 // hvc1
		0101     // configuration`,
		tag: VideoTag{FrameType: KeyFrame, Codec: HEVC, Packet: SequenceStart, Data: []byte{1, 1}}},
	{name: "HEVC coded frames", wire: `
		a1       // enhanced, inter frame, CodedFrames
		68766331 // hvc1
		fffffe   // composition time -2 ms
		aa       // data`,
		tag: VideoTag{FrameType: InterFrame, Codec: HEVC, Packet: Frames, CompositionTime: -2, Data: []byte{0xaa}}},
	{name: "HEVC coded frames without composition time", wire: `
		a3       // enhanced, inter frame, CodedFramesX
		68766331 // hvc1
		aa       // data`,
		tag: VideoTag{FrameType: InterFrame, Codec: HEVC, Packet: Frames, Data: []byte{0xaa}}},
	{name: "HEVC sequence end", wire: `92 68766331`,
		tag: VideoTag{FrameType: KeyFrame, Codec: HEVC, Packet: SequenceEnd}},
	{name: "AV1 sequence start", wire: `
		90       // enhanced, key frame, SequenceStart
		61763031 // av01
		81040c00 // configuration`,
		tag: VideoTag{FrameType: KeyFrame, Codec: AV1, Packet: SequenceStart, Data: []byte{0x81, 4, 12, 0}}},
	{name: "AV1 coded frames, without composition time", wire: `
		91       // enhanced, key frame, CodedFrames
		61763031 // av01
		0a01     // OBUs`,
		tag: VideoTag{FrameType: KeyFrame, Codec: AV1, Packet: Frames, Data: []byte{10, 1}}},
	{name: "VP9 coded frames", wire: `a1 76703039 82`,
		tag: VideoTag{FrameType: InterFrame, Codec: VP9, Packet: Frames, Data: []byte{0x82}}},
	{name: "colours", wire: `
		94       // enhanced, frame type without meaning, Metadata
		68766331 // hvc1
		02 0001 78 05 // "x", null`,
		tag: VideoTag{Codec: HEVC, Packet: VideoMetadata, Data: []byte{2, 0, 1, 'x', 5}}},
	{name: "colours of H.264", wire: `94 61766331 05`,
		tag: VideoTag{Codec: H264, Packet: VideoMetadata, Data: []byte{5}}},
	{name: "colours with frame type 5", wire: `d4 68766331 05`, readOnly: true,
		tag: VideoTag{Codec: HEVC, Packet: VideoMetadata, Data: []byte{5}}},
	{name: "H.264 by FourCC", wire: `
		91       // enhanced, key frame, CodedFrames
		61766331 // avc1
		000010   // composition time 16 ms
		aa       // data`, readOnly: true,
		tag: VideoTag{FrameType: KeyFrame, Codec: H264, Packet: Frames, CompositionTime: 16, Data: []byte{0xaa}}},
	{name: "enhanced seek command", wire: `
		d0 // enhanced, command
		01 // end of seeking`, readOnly: true,
		tag: VideoTag{FrameType: CommandFrame, Packet: Command, Data: []byte{1}}},
	{name: "time in nanoseconds", wire: `
		97       // enhanced, key frame, ModEx
		02       // three bytes
		0f423f   // 999999 ns
		03       // TimestampOffsetNano, then CodedFramesX
		68766331 // hvc1
		aa       // data`, readOnly: true,
		tag: VideoTag{FrameType: KeyFrame, Codec: HEVC, Packet: Frames, Data: []byte{0xaa}}},
	{name: "two extensions, one of them unknown", wire: `
		97       // enhanced, key frame, ModEx
		00       // one byte
		ff       // unknown
		e7       // extension 14, then ModEx
		02       // three bytes
		000001   // 1 ns
		03       // TimestampOffsetNano, then CodedFramesX
		68766331 // hvc1
		aa       // data`, readOnly: true,
		tag: VideoTag{FrameType: KeyFrame, Codec: HEVC, Packet: Frames, Data: []byte{0xaa}}},
	{name: "one track of several", wire: `
		96       // enhanced, key frame, Multitrack
		01       // OneTrack, CodedFrames
		61763031 // av01
		02       // track 2
		0a01     // OBUs`, readOnly: true,
		tag: VideoTag{FrameType: KeyFrame, Codec: AV1, Packet: Frames, Track: 2, Data: []byte{10, 1}}},
	{name: "many tracks", wire: `
		96       // enhanced, key frame, Multitrack
		11       // ManyTracks, CodedFrames
		68766331 // hvc1
		00       // track 0
		000005   // its size
		000007   // composition time 7 ms
		aabb     // data
		01       // track 1
		000004   // its size
		00000011 // composition time and data`, readOnly: true, behind: 8,
		tag: VideoTag{FrameType: KeyFrame, Codec: HEVC, Packet: Frames, CompositionTime: 7, Data: []byte{0xaa, 0xbb}}},
	{name: "many tracks of many codecs", wire: `
		96       // enhanced, key frame, Multitrack
		20       // ManyTracksManyCodecs, SequenceStart
		61763031 // av01
		00       // track 0
		000002   // its size
		8104     // configuration
		68766331 // hvc1
		01       // track 1
		000001   // its size
		01       // configuration`, readOnly: true, behind: 9,
		tag: VideoTag{FrameType: KeyFrame, Codec: AV1, Packet: SequenceStart, Data: []byte{0x81, 4}}},
}

func TestVideo(t *testing.T) {
	for _, row := range videoRows {
		t.Run(row.name, func(t *testing.T) {
			b := annotated(t, row.wire)
			testkit.Equal(t, testkit.Must(ParseVideo(b))(t), row.tag)
			if !row.readOnly {
				testkit.Equal(t, testkit.Must(AppendVideo(nil, row.tag))(t), b)
			}
		})
	}
}

// TestEveryTruncationOfVideo: what is cut is refused, or read as a tag with less
// data.
func TestEveryTruncationOfVideo(t *testing.T) {
	for _, row := range videoRows {
		b := annotated(t, row.wire)
		for n := range len(b) - row.behind {
			got, err := ParseVideo(b[:n])
			if err != nil {
				testkit.ErrAs[*FormatError](t, err)
				continue
			}
			if len(got.Data) >= len(row.tag.Data) && len(row.tag.Data) > 0 {
				t.Errorf("%s: %d of %d bytes have as much data as all", row.name, n, len(b))
			}
		}
	}
}

func TestVideoThatIsRefused(t *testing.T) {
	for _, row := range []struct{ name, wire, want string }{
		{"nothing", "", "FLV: byte 0: 0 bytes are left for the frame type and codec, must be 1"},
		{"frame type 6", "67 01 000000", "FLV: byte 0: frame type 6 is reserved"},
		{"packet type 3 of H.264", "17 03 000000", "FLV: byte 1: packet type 3 is not defined"},
		{"no composition time", "17 01 0000", "FLV: byte 2: 2 bytes are left for the composition time, must be 3"},
		{"FourCC cut", "90 6876", "FLV: byte 1: 2 bytes are left for the FourCC, must be 4"},
		{"multitrack in multitrack", "96 06 61763031 00", "FLV: byte 1: packet type 6 cannot be in a multitrack"},
		{"extension in multitrack", "96 07 61763031 00", "FLV: byte 1: packet type 7 cannot be in a multitrack"},
		{"multitrack of type 3", "96 31 61763031 00", "FLV: byte 1: multitrack of type 3 is not defined"},
		{"track longer than the tag", "96 11 61763031 00 000002 aa", "FLV: byte 10: 1 bytes are left for the track, must be 2"},
		{"long extension cut", "97 ff 0fff 00", "FLV: byte 4: 1 bytes are left for an extension, must be 4096"},
		{"command cut", "57", "FLV: byte 1: 0 bytes are left for the command, must be 1"},
		{"Sorenson", "22 00", "FLV: codec Sorenson H.263 in a tag of video is not supported"},
		{"VP6", "14 00", "FLV: codec On2 VP6 in a tag of video is not supported"},
		{"codec 13", "1d 00 000000", "FLV: codec ID 13 in a tag of video is not supported"},
		{"VVC", "90 76766331", `FLV: codec "vvc1" in a tag of video is not supported`},
		{"MPEG-2 TS", "95 61763031", "FLV: a configuration of MPEG-2 TS in a tag of video is not supported"},
		{"packet type 8", "98 61763031", "FLV: packet type 8 in a tag of video is not supported"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := ParseVideo(annotated(t, row.wire))
			if err == nil {
				t.Fatalf("it was read as %+v", got)
			}
			testkit.Equal(t, err.Error(), row.want)
		})
	}
}

func TestVideoThatIsNotWritten(t *testing.T) {
	good := VideoTag{FrameType: KeyFrame, Codec: HEVC, Packet: Frames}
	for name, change := range map[string]func(*VideoTag){
		"no codec":              func(v *VideoTag) { v.Codec = 0 },
		"codec of audio":        func(v *VideoTag) { v.Codec = AAC },
		"no packet":             func(v *VideoTag) { v.Packet = 0 },
		"command":               func(v *VideoTag) { v.Packet, v.FrameType = Command, CommandFrame },
		"packet of audio":       func(v *VideoTag) { v.Packet = ChannelConfig },
		"no frame type":         func(v *VideoTag) { v.FrameType = 0 },
		"frame type of command": func(v *VideoTag) { v.FrameType = CommandFrame },
		"metadata of a frame":   func(v *VideoTag) { v.Packet = VideoMetadata },
		"second track":          func(v *VideoTag) { v.Track = 1 },
		"too far ahead":         func(v *VideoTag) { v.CompositionTime = MaxCompositionTime + 1 },
		"too far behind":        func(v *VideoTag) { v.CompositionTime = MinCompositionTime - 1 },
		"AV1 does not reorder":  func(v *VideoTag) { v.Codec, v.CompositionTime = AV1, 1 },
		"configuration later":   func(v *VideoTag) { v.Packet, v.CompositionTime = SequenceStart, 1 },
	} {
		v := good
		change(&v)
		if b, err := AppendVideo([]byte("x"), v); err == nil || string(b) != "x" {
			t.Errorf("%s: %q, error %v", name, b, err)
		}
	}
}
