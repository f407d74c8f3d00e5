package opus

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Hertz is the rate at which Opus is decoded, whatever the header says of its
// source (RFC 7845 section 5.1).
const Hertz = 48000

// Name is the codec string of WebCodecs and of MP4.
const Name = "opus"

const (
	magic = "OpusHead"
	// headLen is the size of a header without a channel mapping, in bytes.
	headLen = 19
	// MaxChannels is the largest number of channels.
	MaxChannels = 255
)

var errTruncated = errors.New("truncated")

// Head is an identification header (RFC 7845 section 5.1).
type Head struct {
	Version  byte // 1; its high half is the part that breaks readers
	Channels int  // 1 to 255
	PreSkip  int  // samples at 48 kHz to drop at the beginning, 16 bits
	// SourceRate is that of what was encoded, in hertz; 0 if not known.
	SourceRate uint32
	Gain       int16 // in 1/256 dB
	// Family says what the channels are: 0 mono or stereo, 1 the order of Vorbis,
	// 255 nothing defined.
	Family byte
	// Streams, Coupled and Mapping are there for a Family above 0: the number of
	// streams in a packet, of those in stereo, and the decoded channel of each
	// output channel, 255 being silence.
	Streams, Coupled byte
	Mapping          []byte
}

// ParseHead reads a header. Mapping aliases b.
//
//	"OpusHead", version (8), channels (8), pre-skip (16), source rate (32), gain (16), family (8),
//	and for a family above 0: streams (8), coupled (8), mapping (8 each channel); numbers are little-endian
func ParseHead(b []byte) (*Head, error) {
	h, err := parseHead(b)
	if err != nil {
		return nil, fmt.Errorf("OpusHead: %w", err)
	}
	return h, nil
}

func parseHead(b []byte) (*Head, error) {
	if len(b) < len(magic) {
		return nil, errTruncated
	}
	if string(b[:len(magic)]) != magic {
		return nil, errors.New("the header does not begin so")
	}
	if len(b) < headLen {
		return nil, errTruncated
	}
	h := &Head{
		Version: b[8], Channels: int(b[9]), PreSkip: int(binary.LittleEndian.Uint16(b[10:])),
		SourceRate: binary.LittleEndian.Uint32(b[12:]), Gain: int16(binary.LittleEndian.Uint16(b[16:])), Family: b[18],
	}
	if h.Family > 0 {
		b = b[headLen:]
		if len(b) < 2+h.Channels {
			return nil, errTruncated
		}
		h.Streams, h.Coupled, h.Mapping = b[0], b[1], b[2:2+h.Channels:2+h.Channels]
	}
	return h, h.check()
}

// check fails if the header is none that a decoder may accept.
func (h *Head) check() error {
	switch {
	case h.Version>>4 != 0:
		return fmt.Errorf("version %d is not known", h.Version)
	case h.Channels < 1 || h.Channels > MaxChannels:
		return fmt.Errorf("%d channels are not from 1 to %d", h.Channels, MaxChannels)
	case h.PreSkip < 0 || h.PreSkip > 1<<16-1:
		return fmt.Errorf("a pre-skip of %d samples has not 16 bits", h.PreSkip)
	case h.Family == 0 && h.Channels > 2:
		return fmt.Errorf("%d channels need a mapping", h.Channels)
	case h.Family == 0:
		return nil
	case len(h.Mapping) != h.Channels:
		return fmt.Errorf("%d channels are mapped, not %d", len(h.Mapping), h.Channels)
	case h.Streams == 0 || h.Coupled > h.Streams || int(h.Streams)+int(h.Coupled) > MaxChannels:
		return fmt.Errorf("%d streams with %d in stereo do not exist", h.Streams, h.Coupled)
	}
	for i, from := range h.Mapping {
		if from != 255 && int(from) >= int(h.Streams)+int(h.Coupled) {
			return fmt.Errorf("channel %d is that of no stream", i)
		}
	}
	return nil
}

// Append writes the header behind b. It fails if there is no such header.
func (h *Head) Append(b []byte) ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	b = append(append(b, magic...), h.Version, byte(h.Channels))
	b = binary.LittleEndian.AppendUint16(b, uint16(h.PreSkip))
	b = binary.LittleEndian.AppendUint32(b, h.SourceRate)
	b = binary.LittleEndian.AppendUint16(b, uint16(h.Gain))
	b = append(b, h.Family)
	if h.Family > 0 {
		b = append(append(b, h.Streams, h.Coupled), h.Mapping...)
	}
	return b, nil
}

// NewHead returns the header for mono or stereo of which nothing else is known.
func NewHead(channels int) *Head { return &Head{Version: 1, Channels: channels, SourceRate: Hertz} }
