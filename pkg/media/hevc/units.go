package hevc

import (
	"bytes"
	"fmt"
	"slices"

	"oxymoq/pkg/media/nal"
)

// Types of NAL units (ISO/IEC 23008-2 table 7-1).
const (
	TypeBLA       = 16 // the first of those at which decoding can begin (IRAP)
	TypeIDR       = 19
	TypeCRA       = 21
	TypeLastIRAP  = 23 // the last of them, reserved
	TypeVPS       = 32
	TypeSPS       = 33
	TypePPS       = 34
	TypeDelimiter = 35
	TypePrefixSEI = 39
	TypeSuffixSEI = 40
)

// headerLen is the size of a NAL unit's header, in bytes.
const headerLen = 2

// MaxSets is the largest number of parameter sets of one type that a picture may
// bring, as their ids have it (section 7.4.3).
const MaxSets = 64

// UnitType returns the type of a NAL unit, 0 to 63; that of one without a whole
// header is -1.
func UnitType(nal []byte) int {
	if len(nal) < headerLen {
		return -1
	}
	return int(nal[0] >> 1 & 0x3f)
}

// IsKey reports whether a sample with lengths of four bytes has a picture at
// which decoding can begin: IDR, CRA or BLA (IRAP, section 3). A broken sample
// is none.
func IsKey(sample []byte) bool {
	key := false
	for unit, err := range nal.Units(sample, 4) {
		if err != nil {
			return false
		}
		t := UnitType(unit)
		key = key || t >= TypeBLA && t <= TypeLastIRAP
	}
	return key
}

// ConfigFromAnnexB makes a configuration with lengths of four bytes of the
// parameter sets that stand in a byte stream, as encoders put before key
// pictures. It returns nil if it has not all of VPS, SPS and PPS.
func ConfigFromAnnexB(b []byte) (*Config, error) {
	units, err := nal.SplitAnnexB(b)
	if err != nil {
		return nil, err
	}
	return ConfigFromUnits(units)
}

// ConfigFromUnits is ConfigFromAnnexB for NAL units that are already apart.
func ConfigFromUnits(units [][]byte) (*Config, error) {
	arrays := []Array{{Complete: true, Type: TypeVPS}, {Complete: true, Type: TypeSPS}, {Complete: true, Type: TypePPS}}
	for _, nal := range units {
		i := UnitType(nal) - TypeVPS
		if i < 0 || i >= len(arrays) {
			continue
		}
		sets := arrays[i].Units
		// A picture may carry the same one more than once.
		if slices.ContainsFunc(sets, func(s []byte) bool { return bytes.Equal(s, nal) }) {
			continue
		}
		if len(sets) == MaxSets {
			return nil, fmt.Errorf("more than %d parameter sets of type %d", MaxSets, UnitType(nal))
		}
		arrays[i].Units = append(sets, nal)
	}
	for _, a := range arrays {
		if len(a.Units) == 0 {
			return nil, nil
		}
	}
	first, err := ParseSPS(arrays[1].Units[0])
	if err != nil {
		return nil, err
	}
	c := &Config{
		Profile: first.Profile, ChromaFormat: first.ChromaFormat,
		BitDepthLuma: first.BitDepthLuma, BitDepthChroma: first.BitDepthChroma,
		TemporalLayers: first.TemporalLayers, TemporalNested: first.TemporalNested,
		LengthSize: 4, Arrays: arrays,
	}
	if _, err := c.Append(nil); err != nil {
		return nil, err
	}
	return c, nil
}
