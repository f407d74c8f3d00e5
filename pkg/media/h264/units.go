package h264

import (
	"bytes"
	"fmt"
	"slices"

	"oxymoq/pkg/media/nal"
)

// Types of NAL units (ISO/IEC 14496-10 table 7-1).
const (
	TypeSlice     = 1
	TypeIDR       = 5
	TypeSEI       = 6
	TypeSPS       = 7
	TypePPS       = 8
	TypeDelimiter = 9
	TypeFiller    = 12
	TypeSPSExt    = 13
)

// UnitType returns the type of a NAL unit, 0 to 31; that of an empty one is 0,
// which is no type.
func UnitType(nal []byte) int {
	if len(nal) == 0 {
		return 0
	}
	return int(nal[0] & 0x1f)
}

// IsIDR reports whether a sample with lengths of four bytes has an IDR picture,
// at which decoding can begin. A broken sample is none.
func IsIDR(sample []byte) bool {
	idr := false
	for unit, err := range nal.Units(sample, 4) {
		if err != nil {
			return false
		}
		idr = idr || UnitType(unit) == TypeIDR
	}
	return idr
}

// ConfigFromAnnexB makes a configuration with lengths of four bytes of the
// parameter sets that stand in a byte stream, as encoders put before IDR
// pictures. It returns nil if it has not both an SPS and a PPS.
func ConfigFromAnnexB(b []byte) (*Config, error) {
	units, err := nal.SplitAnnexB(b)
	if err != nil {
		return nil, err
	}
	return ConfigFromUnits(units)
}

// ConfigFromUnits is ConfigFromAnnexB for NAL units that are already apart.
func ConfigFromUnits(units [][]byte) (*Config, error) {
	var sps, pps, ext [][]byte
	for _, nal := range units {
		var err error
		switch UnitType(nal) {
		case TypeSPS:
			sps, err = appendNew(sps, nal, MaxSPS)
		case TypePPS:
			pps, err = appendNew(pps, nal, MaxPPS)
		case TypeSPSExt:
			ext, err = appendNew(ext, nal, MaxPPS)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(sps) == 0 || len(pps) == 0 {
		return nil, nil
	}
	first, err := ParseSPS(sps[0])
	if err != nil {
		return nil, err
	}
	c := &Config{
		Profile: first.Profile, Constraints: first.Constraints, Level: first.Level,
		LengthSize: 4, SPS: sps, PPS: pps,
	}
	if hasHigh(c.Profile) {
		c.High = &High{
			ChromaFormat: first.ChromaFormat, BitDepthLuma: first.BitDepthLuma, BitDepthChroma: first.BitDepthChroma, SPSExt: ext,
		}
	}
	if _, err := c.Append(nil); err != nil {
		return nil, err
	}
	return c, nil
}

// appendNew appends a parameter set unless it is there: a picture may carry the
// same one more than once.
func appendNew(sets [][]byte, nal []byte, most int) ([][]byte, error) {
	if slices.ContainsFunc(sets, func(s []byte) bool { return bytes.Equal(s, nal) }) {
		return sets, nil
	}
	if len(sets) == most {
		return nil, fmt.Errorf("more than %d parameter sets of type %d", most, UnitType(nal))
	}
	return append(sets, nal), nil
}
