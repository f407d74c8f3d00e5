package h264

import (
	"encoding/binary"
	"errors"
	"fmt"

	"oxymoq/pkg/media/nal"
)

// What a record can hold, by the widths of its fields.
const (
	// MaxSPS is the largest number of sequence parameter sets.
	MaxSPS = 31
	// MaxPPS is the largest number of picture parameter sets, and of extensions
	// of sequence parameter sets.
	MaxPPS = 255
	// MaxParameterSet is the largest size of one, in bytes.
	MaxParameterSet = 1<<16 - 1
)

// Config is an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 section
// 5.3.3.1).
type Config struct {
	Profile, Constraints, Level byte // as in the SPS
	// LengthSize is the number of bytes before each NAL unit of a sample: 1, 2 or 4.
	LengthSize int
	SPS, PPS   [][]byte // whole NAL units
	// High are the fields that profiles from High on have; nil if they are absent.
	High *High
}

// High is what the record of a profile from High on says more.
type High struct {
	ChromaFormat   byte // chroma_format_idc
	BitDepthLuma   int  // 8 to 15
	BitDepthChroma int
	SPSExt         [][]byte
}

// hasHigh reports whether the record of a profile has the fields of High.
func hasHigh(profile byte) bool { return profile != 66 && profile != 77 && profile != 88 }

// ParseConfig reads a record. Its slices alias b.
//
//	01 PP CC LL, 6 bits 1 and lengthSizeMinusOne, 3 bits 1 and the number of SPS, {length (16), SPS}...,
//	number of PPS (8), {length (16), PPS}..., and for high profiles: 6 bits 1 and chroma_format,
//	5 bits 1 and bit_depth_luma_minus8, 5 bits 1 and bit_depth_chroma_minus8, number of SPSExt (8), {length (16), SPSExt}...
func ParseConfig(b []byte) (*Config, error) {
	c, err := parseConfig(b)
	if err != nil {
		return nil, fmt.Errorf("AVCDecoderConfigurationRecord: %w", err)
	}
	return c, nil
}

func parseConfig(b []byte) (*Config, error) {
	if len(b) < 6 {
		return nil, nal.ErrTruncated
	}
	if b[0] != 1 {
		return nil, fmt.Errorf("version %d is not known", b[0])
	}
	c := &Config{Profile: b[1], Constraints: b[2], Level: b[3], LengthSize: int(b[4]&3) + 1}
	if c.LengthSize == 3 {
		return nil, errors.New("NAL units with lengths of 3 bytes do not exist")
	}
	var err error
	if c.SPS, b, err = parseSets(b[6:], int(b[5]&0x1f), "SPS"); err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return nil, nal.ErrTruncated
	}
	if c.PPS, b, err = parseSets(b[1:], int(b[0]), "PPS"); err != nil {
		return nil, err
	}
	// Older muxers end here, whatever the profile.
	if !hasHigh(c.Profile) || len(b) == 0 {
		return c, nil
	}
	if len(b) < 4 {
		return nil, nal.ErrTruncated
	}
	c.High = &High{ChromaFormat: b[0] & 3, BitDepthLuma: int(b[1]&7) + 8, BitDepthChroma: int(b[2]&7) + 8}
	if c.High.SPSExt, _, err = parseSets(b[4:], int(b[3]), "SPS extension"); err != nil {
		return nil, err
	}
	return c, nil
}

// parseSets reads n parameter sets, each behind its length, and returns what
// follows them.
func parseSets(b []byte, n int, name string) (sets [][]byte, rest []byte, err error) {
	for i := range n {
		if len(b) < 2 {
			return nil, nil, fmt.Errorf("%s %d: %w", name, i, nal.ErrTruncated)
		}
		size := int(binary.BigEndian.Uint16(b))
		b = b[2:]
		if size == 0 {
			return nil, nil, fmt.Errorf("%s %d is empty", name, i)
		}
		if size > len(b) {
			return nil, nil, fmt.Errorf("%s %d: %w", name, i, nal.ErrTruncated)
		}
		sets = append(sets, b[:size:size])
		b = b[size:]
	}
	return sets, b, nil
}

// Append writes the record behind b. It fails if the configuration does not fit
// into one.
func (c *Config) Append(b []byte) ([]byte, error) {
	if c.LengthSize != 1 && c.LengthSize != 2 && c.LengthSize != 4 {
		return nil, fmt.Errorf("NAL units with lengths of %d bytes do not exist", c.LengthSize)
	}
	if len(c.SPS) > MaxSPS {
		return nil, fmt.Errorf("%d SPS are more than %d", len(c.SPS), MaxSPS)
	}
	b = append(b, 1, c.Profile, c.Constraints, c.Level, 0xfc|byte(c.LengthSize-1), 0xe0|byte(len(c.SPS)))
	b, err := appendSets(b, c.SPS)
	if err != nil {
		return nil, err
	}
	if len(c.PPS) > MaxPPS {
		return nil, fmt.Errorf("%d PPS are more than %d", len(c.PPS), MaxPPS)
	}
	if b, err = appendSets(append(b, byte(len(c.PPS))), c.PPS); err != nil {
		return nil, err
	}
	h := c.High
	if h == nil || !hasHigh(c.Profile) {
		return b, nil
	}
	if h.BitDepthLuma < 8 || h.BitDepthLuma > 15 || h.BitDepthChroma < 8 || h.BitDepthChroma > 15 {
		return nil, fmt.Errorf("bit depths of %d and %d do not exist", h.BitDepthLuma, h.BitDepthChroma)
	}
	if len(h.SPSExt) > MaxPPS {
		return nil, fmt.Errorf("%d SPS extensions are more than %d", len(h.SPSExt), MaxPPS)
	}
	b = append(b, 0xfc|h.ChromaFormat&3, 0xf8|byte(h.BitDepthLuma-8), 0xf8|byte(h.BitDepthChroma-8), byte(len(h.SPSExt)))
	return appendSets(b, h.SPSExt)
}

func appendSets(b []byte, sets [][]byte) ([]byte, error) {
	for _, s := range sets {
		if len(s) == 0 || len(s) > MaxParameterSet {
			return nil, fmt.Errorf("a parameter set of %d bytes does not fit into a configuration record", len(s))
		}
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
	}
	return b, nil
}

// Name returns the codec string, avc1 with profile, constraints and level in
// hexadecimal (RFC 6381 section 3.3).
func (c *Config) Name() string {
	return fmt.Sprintf("avc1.%02x%02x%02x", c.Profile, c.Constraints, c.Level)
}

// ParseSPS reads the first SPS of the record, which may have none where
// parameter sets come with the pictures; the result is then nil.
func (c *Config) ParseSPS() (*SPS, error) {
	if len(c.SPS) == 0 {
		return nil, nil
	}
	return ParseSPS(c.SPS[0])
}
