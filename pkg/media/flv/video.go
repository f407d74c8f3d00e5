package flv

import "fmt"

// FrameType is the kind of a picture (annex E.4.3.1).
type FrameType uint8

// The types of frames.
const (
	KeyFrame          FrameType = iota + 1 // decoding can begin here
	InterFrame                             // it cannot
	DisposableFrame                        // for Sorenson H.263
	GeneratedKeyFrame                      // by a server
	CommandFrame                           // no picture, but a Command
)

// VideoTag is the data of a tag of video.
type VideoTag struct {
	FrameType FrameType // 0 with VideoMetadata, which has none
	Codec     Codec     // 0 with a Command, which is of no codec
	Packet    PacketType
	// CompositionTime is how many milliseconds after the time of the tag the
	// picture is shown. It is 0 unless the packet is Frames of H.264 or HEVC.
	CompositionTime int32
	// Track is the ID of the track in an enhanced tag of several, of which the
	// first is given. It is 0 in other tags; so is the main track.
	Track uint8
	// Data aliases what was parsed: an ISO configuration record, NAL units with
	// length prefixes, or an AV1 temporal unit.
	Data []byte
}

// Codec IDs (annex E.4.3.1).
const (
	legacyH264 = 7
	// legacyHEVC is in no specification, but in what CDNs in China write; the
	// layout is that of H.264.
	legacyHEVC = 12
)

// legacyVideo names the codecs that are not supported.
var legacyVideo = [16]string{
	1: "JPEG", 2: "Sorenson H.263", 3: "Screen Video", 4: "On2 VP6", 5: "On2 VP6 with alpha", 6: "Screen Video 2",
}

// Types of packets of H.264 in a tag without FourCC (AVCPacketType).
const (
	avcSequenceHeader = 0
	avcNALU           = 1
	avcEndOfSequence  = 2
)

// ParseVideo parses the data of a tag of video. Errors are *FormatError, with the
// offset in data, and *UnsupportedError.
func ParseVideo(data []byte) (VideoTag, error) {
	c := &cursor{b: data}
	first := c.uint8("the frame type and codec")
	if c.err != nil {
		return VideoTag{}, c.err
	}
	var v VideoTag
	var err error
	if first&0x80 != 0 {
		v, err = c.enhancedVideo(first)
	} else {
		v, err = c.legacyVideo(first)
	}
	if err == nil {
		err = c.err
	}
	if err == nil && v.FrameType > CommandFrame {
		err = &FormatError{0, fmt.Sprintf("frame type %d is reserved", v.FrameType)}
	}
	if err != nil {
		return VideoTag{}, err
	}
	return v, nil
}

func (c *cursor) legacyVideo(first byte) (VideoTag, error) {
	v := VideoTag{FrameType: anyFrameType(FrameType(first >> 4))}
	if v.FrameType == CommandFrame {
		v.Packet, v.Data = Command, c.bytes(1, "the command")
		return v, nil
	}
	switch id := first & 0x0f; id {
	case legacyH264:
		v.Codec = H264
	case legacyHEVC:
		v.Codec = HEVC
	default:
		if name := legacyVideo[id]; name != "" {
			return v, unsupported(Video, "codec %s", name)
		}
		return v, unsupported(Video, "codec ID %d", id)
	}
	switch p := c.uint8("the packet type"); p {
	case avcSequenceHeader:
		v.Packet = SequenceStart
	case avcNALU:
		v.Packet = Frames
	case avcEndOfSequence:
		v.Packet = SequenceEnd
	default:
		return v, &FormatError{1, fmt.Sprintf("packet type %d is not defined", p)}
	}
	if time := c.int24("the composition time"); v.Packet == Frames {
		v.CompositionTime = time
	}
	v.Data = c.rest()
	return v, nil
}

func (c *cursor) enhancedVideo(first byte) (VideoTag, error) {
	v := VideoTag{FrameType: anyFrameType(FrameType(first >> 4 & 7))}
	packet := c.modEx(first & 0x0f)
	if v.FrameType == CommandFrame && packet != exVideoMetadata {
		v.Packet, v.Data = Command, c.bytes(1, "the command")
		return v, nil
	}
	var fourCC string
	if packet == exVideoMultitrack {
		packet, fourCC, v.Track = c.multitrack(exVideoMultitrack)
	} else {
		fourCC = c.fourCC()
	}
	if c.err != nil {
		return v, c.err
	}
	if v.Codec = codecOf(fourCC, H264, VP9); v.Codec == 0 {
		return v, unsupported(Video, "codec %q", fourCC)
	}
	switch packet {
	case exSequenceStart:
		v.Packet = SequenceStart
	case exCodedFrames:
		v.Packet = Frames
		if v.Codec.reorders() {
			v.CompositionTime = c.int24("the composition time")
		}
	case exCodedFramesX:
		v.Packet = Frames
	case exSequenceEnd:
		v.Packet = SequenceEnd
	case exVideoMetadata:
		v.Packet, v.FrameType = VideoMetadata, 0 // its frame type means nothing
	case exMPEG2TSStart:
		return v, unsupported(Video, "a configuration of MPEG-2 TS")
	default:
		return v, unsupported(Video, "packet type %d", packet)
	}
	v.Data = c.rest()
	return v, nil
}

// reorders reports whether pictures of the codec have a composition time.
func (c Codec) reorders() bool { return c == H264 || c == HEVC }

// AppendVideo appends the data of a tag of video: H.264 as every player knows it,
// with codec ID 7, the others with their FourCC. It fails if there is no such tag. A
// Command is not written, nor a Track other than 0.
func AppendVideo(b []byte, v VideoTag) ([]byte, error) {
	if err := v.check(); err != nil {
		return b, err
	}
	first := byte(v.FrameType) << 4
	if v.Codec == H264 && v.Packet != VideoMetadata {
		return appendLegacyVideo(append(b, first|legacyH264), v), nil
	}
	first |= 0x80
	switch v.Packet {
	case SequenceStart:
		first |= exSequenceStart
	case SequenceEnd:
		first |= exSequenceEnd
	case VideoMetadata:
		first |= byte(KeyFrame)<<4 | exVideoMetadata
	case Frames:
		if v.Codec.reorders() && v.CompositionTime == 0 {
			first |= exCodedFramesX // three bytes less
		} else {
			first |= exCodedFrames
		}
	}
	b = append(append(b, first), fourCCs[v.Codec]...)
	if v.CompositionTime != 0 {
		b = appendUint24(b, uint32(v.CompositionTime))
	}
	return append(b, v.Data...), nil
}

func appendLegacyVideo(b []byte, v VideoTag) []byte {
	switch v.Packet {
	case SequenceStart:
		b = append(b, avcSequenceHeader)
	case Frames:
		b = append(b, avcNALU)
	case SequenceEnd:
		b = append(b, avcEndOfSequence)
	}
	b = appendUint24(b, uint32(v.CompositionTime))
	return append(b, v.Data...)
}

// check says why a tag cannot be written.
func (v *VideoTag) check() error {
	switch {
	case v.Track != 0:
		return fmt.Errorf("FLV: track %d of video cannot be written, only one is", v.Track)
	case v.Packet < SequenceStart || v.Packet > VideoMetadata:
		return fmt.Errorf("FLV: a tag of video cannot be a %s", v.Packet)
	case v.Codec < H264 || v.Codec > VP9:
		return fmt.Errorf("FLV: a tag of video cannot be of %s", v.Codec)
	case v.Packet == VideoMetadata && v.FrameType != 0:
		return fmt.Errorf("FLV: metadata has no frame type, but %d is given", v.FrameType)
	case v.Packet != VideoMetadata && (v.FrameType < KeyFrame || v.FrameType > GeneratedKeyFrame):
		return fmt.Errorf("FLV: a picture cannot have frame type %d", v.FrameType)
	case v.CompositionTime < MinCompositionTime || v.CompositionTime > MaxCompositionTime:
		return fmt.Errorf("FLV: a composition time of %d ms has more than 24 bits", v.CompositionTime)
	case v.CompositionTime != 0 && (v.Packet != Frames || !v.Codec.reorders()):
		return fmt.Errorf("FLV: a %s of %s cannot have a composition time", v.Packet, v.Codec)
	}
	return nil
}
