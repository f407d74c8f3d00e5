package hevc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"oxymoq/pkg/media/nal"
)

// What a record can hold, by the widths of its fields.
const (
	// MaxArrays is the largest number of arrays of NAL units.
	MaxArrays = 1<<8 - 1
	// MaxUnits is the largest number of NAL units in an array.
	MaxUnits = 1<<16 - 1
	// MaxParameterSet is the largest size of one, in bytes.
	MaxParameterSet = 1<<16 - 1
)

// recordLen is the size of the record's fields before its arrays, in bytes.
const recordLen = 23

// Profile is the general profile, tier and level (ISO/IEC 23008-2 section 7.3.3).
type Profile struct {
	Space         byte // general_profile_space, 0 to 3
	High          bool // general_tier_flag: the High tier, not the Main
	ID            byte // general_profile_idc, 1 Main, 2 Main 10, ...
	Compatibility uint32
	Constraints   uint64 // 48 bits
	Level         byte   // 30 times the number, 93 is level 3.1
}

// Config is an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 section
// 8.3.3.1).
type Config struct {
	Profile        Profile
	Segmentation   uint16 // min_spatial_segmentation_idc, 12 bits
	Parallelism    byte   // parallelismType, 2 bits
	ChromaFormat   byte   // chroma_format_idc
	BitDepthLuma   int    // 8 to 15
	BitDepthChroma int
	AvgFrameRate   uint16 // pictures in 256 seconds, 0 if not said
	ConstantRate   byte   // constantFrameRate, 2 bits
	TemporalLayers byte   // 0 if not known, at most 7
	TemporalNested bool   // temporalIdNested
	// LengthSize is the number of bytes before each NAL unit of a sample: 1, 2 or 4.
	LengthSize int
	Arrays     []Array
}

// Array holds the NAL units of one type.
type Array struct {
	// Complete says that all units of the type are here and none in the samples.
	Complete bool
	Type     int
	Units    [][]byte
}

// ParseConfig reads a record. Its slices alias b.
//
//	01, profile_space (2) tier (1) profile (5), compatibility (32), constraints (48), level (8),
//	1111 segmentation (12), 111111 parallelism (2), 111111 chroma (2), 11111 luma depth - 8 (3), 11111 chroma depth - 8 (3),
//	avgFrameRate (16), constantFrameRate (2) numTemporalLayers (3) temporalIdNested (1) lengthSizeMinusOne (2),
//	number of arrays (8), {complete (1) 0 type (6), number of units (16), {length (16), unit}...}...
func ParseConfig(b []byte) (*Config, error) {
	c, err := parseConfig(b)
	if err != nil {
		return nil, fmt.Errorf("HEVCDecoderConfigurationRecord: %w", err)
	}
	return c, nil
}

func parseConfig(b []byte) (*Config, error) {
	if len(b) < recordLen {
		return nil, nal.ErrTruncated
	}
	if b[0] != 1 {
		return nil, fmt.Errorf("version %d is not known", b[0])
	}
	c := &Config{
		Profile: Profile{
			Space: b[1] >> 6, High: b[1]&0x20 != 0, ID: b[1] & 0x1f,
			Compatibility: binary.BigEndian.Uint32(b[2:]),
			Constraints:   uint64(binary.BigEndian.Uint16(b[6:]))<<32 | uint64(binary.BigEndian.Uint32(b[8:])),
			Level:         b[12],
		},
		Segmentation: binary.BigEndian.Uint16(b[13:]) & 0xfff, Parallelism: b[15] & 3,
		ChromaFormat: b[16] & 3, BitDepthLuma: int(b[17]&7) + 8, BitDepthChroma: int(b[18]&7) + 8,
		AvgFrameRate: binary.BigEndian.Uint16(b[19:]), ConstantRate: b[21] >> 6,
		TemporalLayers: b[21] >> 3 & 7, TemporalNested: b[21]&4 != 0, LengthSize: int(b[21]&3) + 1,
	}
	if c.LengthSize == 3 {
		return nil, errors.New("NAL units with lengths of 3 bytes do not exist")
	}
	n := int(b[22])
	b = b[recordLen:]
	for i := range n {
		if len(b) < 3 {
			return nil, fmt.Errorf("array %d: %w", i, nal.ErrTruncated)
		}
		a := Array{Complete: b[0]&0x80 != 0, Type: int(b[0] & 0x3f)}
		units := int(binary.BigEndian.Uint16(b[1:]))
		b = b[3:]
		for j := range units {
			if len(b) < 2 {
				return nil, fmt.Errorf("unit %d of array %d: %w", j, i, nal.ErrTruncated)
			}
			size := int(binary.BigEndian.Uint16(b))
			b = b[2:]
			if size < headerLen {
				return nil, fmt.Errorf("unit %d of array %d has %d bytes", j, i, size)
			}
			if size > len(b) {
				return nil, fmt.Errorf("unit %d of array %d: %w", j, i, nal.ErrTruncated)
			}
			a.Units = append(a.Units, b[:size:size])
			b = b[size:]
		}
		c.Arrays = append(c.Arrays, a)
	}
	return c, nil
}

// Append writes the record behind b. It fails if the configuration does not fit
// into one.
func (c *Config) Append(b []byte) ([]byte, error) {
	if c.LengthSize != 1 && c.LengthSize != 2 && c.LengthSize != 4 {
		return nil, fmt.Errorf("NAL units with lengths of %d bytes do not exist", c.LengthSize)
	}
	if c.BitDepthLuma < 8 || c.BitDepthLuma > 15 || c.BitDepthChroma < 8 || c.BitDepthChroma > 15 {
		return nil, fmt.Errorf("bit depths of %d and %d do not exist", c.BitDepthLuma, c.BitDepthChroma)
	}
	if len(c.Arrays) > MaxArrays {
		return nil, fmt.Errorf("%d arrays are more than %d", len(c.Arrays), MaxArrays)
	}
	p := c.Profile
	b = append(b, 1, p.Space&3<<6|bit(p.High)<<5|p.ID&0x1f)
	b = binary.BigEndian.AppendUint32(b, p.Compatibility)
	b = binary.BigEndian.AppendUint16(b, uint16(p.Constraints>>32))
	b = binary.BigEndian.AppendUint32(b, uint32(p.Constraints))
	b = binary.BigEndian.AppendUint16(append(b, p.Level), 0xf000|c.Segmentation)
	b = append(b, 0xfc|c.Parallelism&3, 0xfc|c.ChromaFormat&3, 0xf8|byte(c.BitDepthLuma-8), 0xf8|byte(c.BitDepthChroma-8))
	b = binary.BigEndian.AppendUint16(b, c.AvgFrameRate)
	b = append(b, c.ConstantRate&3<<6|c.TemporalLayers&7<<3|bit(c.TemporalNested)<<2|byte(c.LengthSize-1), byte(len(c.Arrays)))
	for _, a := range c.Arrays {
		if len(a.Units) > MaxUnits {
			return nil, fmt.Errorf("%d NAL units of type %d are more than %d", len(a.Units), a.Type, MaxUnits)
		}
		b = append(b, bit(a.Complete)<<7|byte(a.Type)&0x3f)
		b = binary.BigEndian.AppendUint16(b, uint16(len(a.Units)))
		for _, nal := range a.Units {
			if len(nal) < headerLen || len(nal) > MaxParameterSet {
				return nil, fmt.Errorf("a parameter set of %d bytes does not fit into a configuration record", len(nal))
			}
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(nal))), nal...)
		}
	}
	return b, nil
}

func bit(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// Name returns the codec string (ISO/IEC 14496-15 annex E.3): hvc1, profile,
// compatibility flags from the last to the first, tier and level, and the bytes
// of the constraints up to the last that is not 0, as in hvc1.1.6.L93.B0.
func (c *Config) Name() string {
	p := c.Profile
	tier := "L"
	if p.High {
		tier = "H"
	}
	space := []string{"", "A", "B", "C"}[p.Space&3]
	var b strings.Builder
	fmt.Fprintf(&b, "hvc1.%s%d.%X.%s%d", space, p.ID, bits.Reverse32(p.Compatibility), tier, p.Level)
	for rest := p.Constraints << 16; rest != 0; rest <<= 8 {
		fmt.Fprintf(&b, ".%X", rest>>56)
	}
	return b.String()
}

// ParseSPS reads the first SPS of the record, which may have none where
// parameter sets come with the pictures; the result is then nil.
func (c *Config) ParseSPS() (*SPS, error) {
	for _, a := range c.Arrays {
		if a.Type == TypeSPS && len(a.Units) > 0 {
			return ParseSPS(a.Units[0])
		}
	}
	return nil, nil
}
