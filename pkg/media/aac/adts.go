package aac

import (
	"errors"
	"fmt"
	"slices"
)

const (
	// adtsLen is the size of an ADTS header, in bytes, and adtsCRC of the check
	// that may follow it.
	adtsLen = 7
	adtsCRC = 2
	// MaxADTS is the largest ADTS frame with its header, in bytes; its length has
	// 13 bits.
	MaxADTS = 1<<13 - 1
)

// ADTS is the header of an ADTS frame (ISO/IEC 14496-3 section 1.A.3.2).
type ADTS struct {
	Type          int // audio object type, 1 to 4
	Hertz         int
	ChannelConfig int // 0 if the frames say what the channels are
	HeaderLen     int // 7 or 9 bytes
	Len           int // of header and frames, in bytes
	Blocks        int // raw_data_blocks, which are frames: 1 to 4
}

// ParseADTS reads the header at the front of b, which must hold the whole frame.
//
//	fff (12), MPEG-2 (1), layer 0 (2), no CRC (1), type - 1 (2), frequency index (4), private (1), channels (3), 4 bits,
//	length (13), buffer fullness (11), blocks - 1 (2), CRC (16) if there is one
func ParseADTS(b []byte) (*ADTS, error) {
	h, err := parseADTS(b)
	if err != nil {
		return nil, fmt.Errorf("ADTS: %w", err)
	}
	return h, nil
}

func parseADTS(b []byte) (*ADTS, error) {
	if len(b) < adtsLen {
		return nil, errTruncated
	}
	if b[0] != 0xff || b[1]&0xf6 != 0xf0 {
		return nil, errors.New("the frame does not begin with a syncword")
	}
	index := int(b[2] >> 2 & 0xf)
	if index >= len(frequencies) {
		return nil, fmt.Errorf("sampling frequency index %d is reserved", index)
	}
	h := &ADTS{
		Type: int(b[2]>>6) + 1, Hertz: frequencies[index], ChannelConfig: int(b[2]&1)<<2 | int(b[3]>>6),
		HeaderLen: adtsLen, Len: int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5]>>5), Blocks: int(b[6]&3) + 1,
	}
	if b[1]&1 == 0 {
		h.HeaderLen += adtsCRC
		if h.Blocks > 1 {
			return nil, errors.New("several blocks with checks between them are not read")
		}
	}
	if h.Len < h.HeaderLen {
		return nil, fmt.Errorf("a length of %d bytes is below that of the header", h.Len)
	}
	if h.Len > len(b) {
		return nil, errTruncated
	}
	return h, nil
}

// Config returns the configuration that the header stands for.
func (h *ADTS) Config() *Config {
	return &Config{Type: h.Type, Hertz: h.Hertz, ChannelConfig: h.ChannelConfig, Channels: channelCounts[h.ChannelConfig]}
}

// IsADTS reports whether a sample is one ADTS frame from its beginning to its
// end and not a raw one.
func IsADTS(sample []byte) bool {
	h, err := parseADTS(sample)
	return err == nil && h.Len == len(sample)
}

// AppendADTS writes the header for a raw frame of size bytes behind b. It fails
// for configurations that ADTS cannot say: it knows types 1 to 4, the sampling
// frequencies of the table and up to 8 channels.
func (c *Config) AppendADTS(b []byte, size int) ([]byte, error) {
	index := slices.Index(frequencies[:], c.Hertz)
	if c.Type < TypeMain || c.Type > TypeLTP || index < 0 || c.ChannelConfig < 0 || c.ChannelConfig > 7 || c.Short {
		return nil, fmt.Errorf("ADTS has no %s of %d hertz with channel configuration %d", c.Name(), c.Hertz, c.ChannelConfig)
	}
	n := size + adtsLen
	if size < 0 || n > MaxADTS {
		return nil, fmt.Errorf("a frame of %d bytes does not fit into ADTS", size)
	}
	const noCRC, variable = 1, 0x7ff // buffer fullness 7ff: the bit rate varies
	return append(b, 0xff, 0xf0|noCRC, byte(c.Type-1)<<6|byte(index)<<2|byte(c.ChannelConfig>>2),
		byte(c.ChannelConfig&3)<<6|byte(n>>11), byte(n>>3), byte(n&7)<<5|variable>>6, variable&0x3f<<2), nil
}
