package flv

import "fmt"

// AudioTag is the data of a tag of audio.
type AudioTag struct {
	Codec  Codec // 0 with a SequenceEnd that is an empty tag
	Packet PacketType
	// Hertz and Channels are what the header says of the sound: 5512, 11025, 22050
	// or 44100, and 1 or 2. They are 0 in enhanced tags, which do not say. For AAC
	// they mean nothing, since they must be 44100 and 2 whatever it is (annex
	// E.4.2.1); AppendAudio does not look at them.
	Hertz, Channels int
	// Track is the ID of the track in an enhanced tag of several, of which the
	// first is given. It is 0 in other tags; so is the main track.
	Track uint8
	// Data aliases what was parsed: an AudioSpecificConfig or OpusHead, an AAC
	// frame without a header, or an Opus packet.
	Data []byte
}

// Sound formats (annex E.4.2.1, and 9 by E-RTMP).
const (
	soundExHeader = 9
	soundAAC      = 10
)

// legacyAudio names the codecs that are not supported.
var legacyAudio = [16]string{
	0: "PCM of the platform's endianness", 1: "ADPCM", 2: "MP3", 3: "PCM", 4: "Nellymoser at 16 kHz", 5: "Nellymoser at 8 kHz",
	6: "Nellymoser", 7: "G.711 A-law", 8: "G.711 mu-law", 11: "Speex", 14: "MP3 at 8 kHz", 15: "device-specific sound",
}

// Types of packets of AAC in a tag without FourCC (AACPacketType).
const (
	aacSequenceHeader = 0
	aacRaw            = 1
)

// aacFirst is the first byte of every tag of AAC: 44 kHz, 16 bits, stereo (annex
// E.4.2.1).
const aacFirst = soundAAC<<4 | 3<<2 | 1<<1 | 1

// ParseAudio parses the data of a tag of audio. Errors are *FormatError, with the
// offset in data, and *UnsupportedError.
//
// A tag without data says that there is silence (E-RTMP v2, AudioPacketType); it is
// a SequenceEnd without a codec.
func ParseAudio(data []byte) (AudioTag, error) {
	if len(data) == 0 {
		return AudioTag{Packet: SequenceEnd}, nil
	}
	c := &cursor{b: data}
	var a AudioTag
	var err error
	first := c.uint8("the sound format")
	switch format := first >> 4; format {
	case soundExHeader:
		a, err = c.enhancedAudio(first)
	case soundAAC:
		a, err = c.legacyAAC(first)
	default:
		if name := legacyAudio[format]; name != "" {
			err = unsupported(Audio, "codec %s", name)
		} else {
			err = unsupported(Audio, "sound format %d", format)
		}
	}
	if err == nil {
		err = c.err
	}
	if err != nil {
		return AudioTag{}, err
	}
	return a, nil
}

func (c *cursor) legacyAAC(first byte) (AudioTag, error) {
	a := AudioTag{
		Codec:    AAC,
		Hertz:    [4]int{5512, 11025, 22050, 44100}[first>>2&3],
		Channels: 1 + int(first&1),
	}
	switch p := c.uint8("the packet type"); p {
	case aacSequenceHeader:
		a.Packet = SequenceStart
	case aacRaw:
		a.Packet = Frames
	default:
		return a, &FormatError{1, fmt.Sprintf("packet type %d is not defined", p)}
	}
	a.Data = c.rest()
	return a, nil
}

func (c *cursor) enhancedAudio(first byte) (AudioTag, error) {
	var a AudioTag
	var fourCC string
	packet := c.modEx(first & 0x0f)
	if packet == exAudioMultitrack {
		packet, fourCC, a.Track = c.multitrack(exAudioMultitrack)
	} else {
		fourCC = c.fourCC()
	}
	if c.err != nil {
		return a, c.err
	}
	if a.Codec = codecOf(fourCC, AAC, Opus); a.Codec == 0 {
		return a, unsupported(Audio, "codec %q", fourCC)
	}
	switch packet {
	case exSequenceStart:
		a.Packet = SequenceStart
	case exCodedFrames:
		a.Packet = Frames
	case exSequenceEnd:
		a.Packet = SequenceEnd
	case exChannelConfig:
		a.Packet = ChannelConfig
	default:
		return a, unsupported(Audio, "packet type %d", packet)
	}
	a.Data = c.rest()
	return a, nil
}

// AppendAudio appends the data of a tag of audio: AAC as every player knows it, with
// sound format 10, Opus with its FourCC. It fails if there is no such tag; a Track
// other than 0 cannot be written.
func AppendAudio(b []byte, a AudioTag) ([]byte, error) {
	first := byte(soundExHeader << 4)
	switch a.Packet {
	case SequenceStart:
		first |= exSequenceStart
	case Frames:
		first |= exCodedFrames
	case SequenceEnd:
		first |= exSequenceEnd
	case ChannelConfig:
		first |= exChannelConfig
	default:
		return b, fmt.Errorf("FLV: a tag of audio cannot be a %s", a.Packet)
	}
	silence := a.Codec == 0 && a.Packet == SequenceEnd
	switch {
	case a.Track != 0:
		return b, fmt.Errorf("FLV: track %d of audio cannot be written, only one is", a.Track)
	case a.Codec != AAC && a.Codec != Opus && !silence:
		return b, fmt.Errorf("FLV: a tag of audio cannot be of %s", a.Codec)
	}
	switch {
	case silence:
		return b, nil
	case a.Codec == AAC && a.Packet == SequenceStart:
		b = append(b, aacFirst, aacSequenceHeader)
	case a.Codec == AAC && a.Packet == Frames:
		b = append(b, aacFirst, aacRaw)
	default:
		b = append(b, first)
		b = append(b, fourCCs[a.Codec]...)
	}
	return append(b, a.Data...), nil
}
