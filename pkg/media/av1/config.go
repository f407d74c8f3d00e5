package av1

import (
	"errors"
	"fmt"
)

// recordLen is the size of the record's fields before its OBUs, in bytes.
const recordLen = 4

// Config is an AV1CodecConfigurationRecord (AV1 in ISOBMFF section 2.3).
type Config struct {
	Profile      byte // seq_profile, 0 Main, 1 High, 2 Professional
	Level        byte // seq_level_idx_0, 0 to 31; 31 is any
	HighTier     bool
	BitDepth     int // 8, 10 or 12
	Monochrome   bool
	SubsamplingX bool
	SubsamplingY bool
	// SamplePosition is chroma_sample_position, 0 to 3.
	SamplePosition byte
	// PresentationDelay is how many samples a decoder needs before it can show the
	// first without a stop, 1 to 16; 0 if that is not said.
	PresentationDelay int
	// OBUs is a row of OBUs with sizes, most often one sequence header.
	OBUs []byte
}

// ParseConfig reads a record. OBUs aliases b.
//
//	marker 1 (1) version 1 (7), profile (3) level (5), tier (1) high_bitdepth (1) twelve_bit (1) monochrome (1)
//	subsampling_x (1) subsampling_y (1) sample position (2), 000 delay present (1) delay - 1 (4), OBUs
func ParseConfig(b []byte) (*Config, error) {
	c, err := parseConfig(b)
	if err != nil {
		return nil, fmt.Errorf("AV1CodecConfigurationRecord: %w", err)
	}
	return c, nil
}

func parseConfig(b []byte) (*Config, error) {
	if len(b) < recordLen {
		return nil, errTruncated
	}
	if b[0] != 0x81 {
		return nil, fmt.Errorf("marker and version %#x are not known", b[0])
	}
	c := &Config{
		Profile: b[1] >> 5, Level: b[1] & 0x1f, HighTier: b[2]&0x80 != 0, BitDepth: 8, Monochrome: b[2]&0x10 != 0,
		SubsamplingX: b[2]&8 != 0, SubsamplingY: b[2]&4 != 0, SamplePosition: b[2] & 3,
	}
	if b[2]&0x40 != 0 {
		c.BitDepth = 10
		if b[2]&0x20 != 0 {
			c.BitDepth = 12
		}
	}
	if c.Profile > 2 {
		return nil, fmt.Errorf("profile %d does not exist", c.Profile)
	}
	if b[3]&0x10 != 0 {
		c.PresentationDelay = int(b[3]&0xf) + 1
	}
	c.OBUs = b[recordLen:len(b):len(b)]
	for _, err := range Units(c.OBUs) {
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Append writes the record behind b. It fails if the configuration does not fit
// into one.
func (c *Config) Append(b []byte) ([]byte, error) {
	var depth byte
	switch c.BitDepth {
	case 8:
	case 10:
		depth = 0x40
	case 12:
		depth = 0x60
	default:
		return nil, fmt.Errorf("a bit depth of %d does not exist", c.BitDepth)
	}
	if c.Profile > 2 || c.Level > 31 || c.SamplePosition > 3 {
		return nil, fmt.Errorf("profile %d, level %d or sample position %d does not exist", c.Profile, c.Level, c.SamplePosition)
	}
	if c.PresentationDelay < 0 || c.PresentationDelay > 16 {
		return nil, fmt.Errorf("a presentation delay of %d samples is not from 1 to 16", c.PresentationDelay)
	}
	var delay byte
	if c.PresentationDelay > 0 {
		delay = 0x10 | byte(c.PresentationDelay-1)
	}
	b = append(b, 0x81, c.Profile<<5|c.Level,
		bit(c.HighTier)<<7|depth|bit(c.Monochrome)<<4|bit(c.SubsamplingX)<<3|bit(c.SubsamplingY)<<2|c.SamplePosition, delay)
	return append(b, c.OBUs...), nil
}

func bit(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// Name returns the codec string in its short form (AV1 in ISOBMFF section 5):
// av01, profile, level and tier, and bit depth, as in av01.0.04M.08.
func (c *Config) Name() string {
	tier := "M"
	if c.HighTier {
		tier = "H"
	}
	return fmt.Sprintf("av01.%d.%02d%s.%02d", c.Profile, c.Level, tier, c.BitDepth)
}

// ParseSequence reads the sequence header of the record, which may have none;
// the result is then nil.
func (c *Config) ParseSequence() (*Sequence, error) { return findSequence(c.OBUs) }

// ConfigFromSample makes a configuration of the sequence header that stands
// before key pictures. It returns nil if the sample has none.
func ConfigFromSample(sample []byte) (*Config, error) {
	s, err := findSequence(sample)
	if s == nil || err != nil {
		return nil, err
	}
	return &Config{
		Profile: s.Profile, Level: s.Level, HighTier: s.HighTier, BitDepth: s.BitDepth, Monochrome: s.Monochrome,
		SubsamplingX: s.SubsamplingX, SubsamplingY: s.SubsamplingY, SamplePosition: s.SamplePosition,
		OBUs: appendUnit(nil, TypeSequence, s.payload),
	}, nil
}

func findSequence(b []byte) (*Sequence, error) {
	for u, err := range Units(b) {
		if err != nil {
			return nil, err
		}
		if u.Type == TypeSequence {
			return ParseSequence(u.Payload)
		}
	}
	return nil, nil
}

var errForbidden = errors.New("the forbidden bit is set")
