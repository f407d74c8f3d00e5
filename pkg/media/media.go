package media

import "time"

// Kind tells video from audio.
type Kind uint8

// The kinds.
const (
	Video Kind = iota + 1
	Audio
)

// String returns "video" or "audio".
func (k Kind) String() string {
	switch k {
	case Video:
		return "video"
	case Audio:
		return "audio"
	}
	return "unknown"
}

// Codec is how media is coded.
type Codec uint8

// The codecs.
const (
	H264 Codec = iota + 1
	HEVC
	AV1
	AAC
	Opus
)

// Kind returns what the codec is for.
func (c Codec) Kind() Kind {
	switch c {
	case H264, HEVC, AV1:
		return Video
	case AAC, Opus:
		return Audio
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
	case AAC:
		return "AAC"
	case Opus:
		return "Opus"
	}
	return "unknown codec"
}

// Format is what a decoder must know before the first sample. What is not known
// is zero.
type Format struct {
	Codec Codec
	// Config is the decoder's configuration as the codec's ISO binding has it:
	// AVCDecoderConfigurationRecord, HEVCDecoderConfigurationRecord,
	// AV1CodecConfigurationRecord, AudioSpecificConfig, or the identification
	// header of Opus ("OpusHead", RFC 7845 section 5.1), which may be absent.
	Config []byte
	// Name is the codec string of RFC 6381 and WebCodecs, as in avc1.42001e.
	Name          string
	Width, Height int     // of the picture, in pixels
	FrameRate     float64 // pictures in a second
	SampleRate    int     // in hertz
	Channels      int
}

// Sample is one coded picture or one frame of audio.
type Sample struct {
	// Format is shared between samples. Another pointer with another Config says
	// that the decoder is to be set up anew, which happens at a Key only.
	Format *Format
	// PTS and DTS are when it is shown and when it is decoded, on the media
	// clock that all tracks of a publisher share. Audio has both alike.
	PTS, DTS time.Duration
	Duration time.Duration // 0: not known
	// Key says that decoding can begin here, which is so for all audio.
	Key bool
	// Seq counts the samples of a track in the order of decoding, if HasSeq.
	Seq    uint64
	HasSeq bool
	// Captured is when it was captured or read; zero if nobody says.
	Captured time.Time
	Data     []byte
}
