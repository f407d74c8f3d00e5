package flv

import (
	"fmt"
	"io"
)

// Limits of what is read and written. All are tested.
const (
	// MaxTagData is the most bytes of data that a tag can have: its size has 24
	// bits (annex E.4.1).
	MaxTagData = 1<<24 - 1
	// MaxHeader is the longest file header in bytes that a tolerant Reader
	// passes; version 1 has nine.
	MaxHeader = 1 << 16
	// MaxSkip is how many bytes a tolerant Reader passes in search of the next
	// tag before it gives up.
	MaxSkip = 1 << 24
	// MaxScriptDepth is how deep values of script data may be in one another.
	MaxScriptDepth = 16
	// MaxScriptValues is how many values one tag of script data may have. The
	// table of key pictures in some files has two for each.
	MaxScriptValues = 1 << 16
	// MinCompositionTime and MaxCompositionTime bound VideoTag.CompositionTime in
	// milliseconds: it has 24 bits and a sign (annex E.4.3.1).
	MinCompositionTime = -1 << 23
	MaxCompositionTime = 1<<23 - 1
)

// TagType is what a tag holds.
type TagType uint8

// The types of tags (annex E.4.1; ScriptAMF3 by E-RTMP v2 "Enabling AMF3 in
// FLV", whose data this package does not parse).
const (
	Audio      TagType = 8
	Video      TagType = 9
	ScriptAMF3 TagType = 15
	Script     TagType = 18
)

// String returns the name of the type.
func (t TagType) String() string {
	switch t {
	case Audio:
		return "audio"
	case Video:
		return "video"
	case Script:
		return "script"
	case ScriptAMF3:
		return "AMF3 script"
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// known reports whether a tag may have the type.
func (t TagType) known() bool {
	return t == Audio || t == Video || t == Script || t == ScriptAMF3
}

// Header says which tags a file has (annex E.2). Many writers claim both kinds
// without knowing, so it is a hint.
type Header struct{ Audio, Video bool }

// Tag is one tag of a file (annex E.4.1).
type Tag struct {
	Type TagType
	// Time is that of decoding in milliseconds. It begins anew after 2^32-1, 49
	// days.
	Time uint32
	Data []byte
}

// Sizes of the parts of a file, in bytes.
const (
	headerSize  = 9
	tagHeadSize = 11
	backPointer = 4 // PreviousTagSize
)

// FormatError says that bytes break a rule of the format.
type FormatError struct {
	// Offset is where, in bytes from the beginning: of the input for a Reader, of
	// the data of the tag for a parser.
	Offset int64
	Reason string
}

// Error names the rule and the place.
func (e *FormatError) Error() string {
	return fmt.Sprintf("FLV: byte %d: %s", e.Offset, e.Reason)
}

// TruncatedError says that the input ended in the middle of something. It wraps
// io.ErrUnexpectedEOF.
type TruncatedError struct {
	Offset int64  // of the end, in bytes
	Within string // as in "a tag of video"
}

// Error names the place and what was being read.
func (e *TruncatedError) Error() string {
	return fmt.Sprintf("FLV: it ends at byte %d, in the middle of %s", e.Offset, e.Within)
}

// Unwrap returns io.ErrUnexpectedEOF.
func (e *TruncatedError) Unwrap() error { return io.ErrUnexpectedEOF }

// UnsupportedError says that a tag is of a kind that this package leaves out.
type UnsupportedError struct {
	Type TagType
	What string // as in "codec Sorenson H.263"
}

// Error names the kind of tag and what is not supported.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("FLV: %s in a tag of %s is not supported", e.What, e.Type)
}

// Codec is how the media of a tag is coded.
type Codec uint8

// The codecs that are read and written.
const (
	H264 Codec = iota + 1
	HEVC
	AV1
	VP9
	AAC
	Opus
)

// fourCCs are the FourCC of the codecs (E-RTMP v2, VideoFourCc and AudioFourCc).
var fourCCs = [...]string{H264: "avc1", HEVC: "hvc1", AV1: "av01", VP9: "vp09", AAC: "mp4a", Opus: "Opus"}

// codecOf returns the codec with the FourCC among those from first to last, or 0.
func codecOf(fourCC string, first, last Codec) Codec {
	for c := first; c <= last; c++ {
		if fourCCs[c] == fourCC {
			return c
		}
	}
	return 0
}

// String returns the name that people use.
func (c Codec) String() string {
	switch c {
	case H264:
		return "H.264"
	case HEVC:
		return "HEVC"
	case AV1:
		return "AV1"
	case VP9:
		return "VP9"
	case AAC:
		return "AAC"
	case Opus:
		return "Opus"
	}
	return "unknown codec"
}

// PacketType is what the data of a tag of video or audio is.
type PacketType uint8

// The types of packets. The numbers are ours: those on the wire differ between
// legacy and enhanced tags, and between video and audio.
const (
	// SequenceStart is the configuration of the decoder: the record of the codec's
	// ISO binding, or OpusHead.
	SequenceStart PacketType = iota + 1
	// Frames are coded pictures or sound.
	Frames
	// SequenceEnd says that a sequence is over; for audio also that there is
	// silence. It has no data.
	SequenceEnd
	// VideoMetadata is script data about the video, as its colours (E-RTMP v2
	// "Metadata Frame").
	VideoMetadata
	// Command is one byte for a player that seeks (annex E.4.3.1, frame type 5). It
	// is read but not written.
	Command
	// ChannelConfig says which speakers the channels are for (E-RTMP v2,
	// AudioPacketType.MultichannelConfig). Its data is left as it is.
	ChannelConfig
)

// String returns the name of the type.
func (p PacketType) String() string {
	switch p {
	case SequenceStart:
		return "sequence start"
	case Frames:
		return "frames"
	case SequenceEnd:
		return "sequence end"
	case VideoMetadata:
		return "metadata"
	case Command:
		return "command"
	case ChannelConfig:
		return "channel configuration"
	}
	return "unknown packet"
}
