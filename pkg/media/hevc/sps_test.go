package hevc

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ue writes an unsigned Exp-Golomb code as ones and zeros.
func ue(v uint64) string {
	return fmt.Sprintf("%0*b", 2*bits.Len64(v+1)-1, v+1)
}

// pack makes the NAL unit of an SPS of ones and zeros, with a stop bit and
// emulation prevention.
func pack(fields ...string) []byte {
	all := strings.Join(fields, "") + "1"
	all += strings.Repeat("0", -len(all)&7)
	nal := []byte{TypeSPS << 1, 1}
	for zeros := 0; all != ""; all = all[8:] {
		var c byte
		for _, digit := range all[:8] {
			c = c<<1 | byte(digit-'0')
		}
		if zeros >= 2 && c <= 3 {
			nal, zeros = append(nal, 3), 0
		}
		if nal = append(nal, c); c == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return nal
}

// general is the profile, tier and level of main2.
var general = fmt.Sprintf("%08b%032b%048b%08b", main2.ID, main2.Compatibility, main2.Constraints, main2.Level)

// size makes the fields from the id to the buffers.
func size(width, height uint64, window string) string {
	return ue(0) + ue(1) + ue(width) + ue(height) + window + ue(0) + ue(0) + // bit depths
		ue(4) + "1" + ue(4) + ue(2) + ue(0) // orders of 8 bits, 5 buffers of which 2 reorder
}

const oneLayer = "0000" + "000" + "1"

func TestSPS(t *testing.T) {
	of := func(width, height int, rate float64) *SPS {
		return &SPS{main2, 0, 1, true, 1, 8, 8, width, height, rate, 2}
	}
	seven := of(16, 16, 0)
	seven.TemporalLayers, seven.TemporalNested = 7, false
	// Tools without lists, PCM with its fields, two flags between.
	tools := strings.Repeat(ue(0), 6) + "0" + "00" + "1" + "00000000" + ue(0) + ue(0) + "0"
	timing := "00" + "1" + "0000" + "000" + "0" + "1" + fmt.Sprintf("%032b%032b", 1001, 50050) + "0"
	for _, r := range []struct {
		name string
		nal  []byte
		want *SPS
		err  string
	}{
		{"small", pack(oneLayer, general, size(16, 16, "0")), of(16, 16, 0), ""},
		{"a window", pack(oneLayer, general, size(32, 48, "1"+ue(1)+ue(2)+ue(3)+ue(4))), of(26, 34, 0), ""},
		{"the largest", pack(oneLayer, general, size(MaxSide, MaxSide, "0")), of(MaxSide, MaxSide, 0), ""},
		{"wider", pack(oneLayer, general, size(MaxSide+1, 16, "0")), nil, "65536x16"},
		{"higher", pack(oneLayer, general, size(16, MaxSide+1, "0")), nil, "16x65536"},
		{"of no width", pack(oneLayer, general, size(0, 16, "0")), nil, "0x16"},
		{"wider than can be said", pack(oneLayer, general, size(1<<32, 16, "0")), nil, "integer too large"},
		{"an empty window", pack(oneLayer, general, size(16, 16, "1"+ue(4)+ue(4)+ue(0)+ue(0))), nil, "0x16"},
		{"less than an empty window", pack(oneLayer, general, size(16, 16, "1"+ue(0)+ue(0)+ue(1<<32-2)+ue(1<<32-2))), nil, "16x0"},
		{"seven layers, each with profile and level", pack("0000"+"110"+"0", general,
			strings.Repeat("11", 6), "0000", strings.Repeat(strings.Repeat("10", 48), 6),
			ue(0), ue(1), ue(16), ue(16), "0", ue(0), ue(0), ue(4), "1", strings.Repeat(ue(4)+ue(1)+ue(0), 6), ue(4), ue(2), ue(0)), seven, ""},
		{"seven layers that say nothing", pack("0000"+"110"+"0", general,
			strings.Repeat("00", 8), ue(0), ue(1), ue(16), ue(16), "0", ue(0), ue(0), ue(4), "0", ue(4), ue(2), ue(0)), seven, ""},
		{"eight layers", pack("0000"+"111"+"0", general), nil, "7 temporal layers"},
		{"a large id", pack(oneLayer, general, ue(16)), nil, "id 16"},
		{"unknown chroma", pack(oneLayer, general, ue(0), ue(4)), nil, "chroma_format_idc 4"},
		{"16 bits", pack(oneLayer, general, ue(0), ue(1), ue(16), ue(16), "0", ue(8), ue(0)), nil, "15 bits"},
		{"orders of 17 bits", pack(oneLayer, general, ue(0), ue(1), ue(16), ue(16), "0", ue(0), ue(0), ue(13)), nil, "16 bits"},
		{"far reordered", pack(oneLayer, general, ue(0), ue(1), ue(16), ue(16), "0", ue(0), ue(0), ue(4), "1", ue(16), ue(17), ue(0)),
			nil, "17 pictures"},
		{"planes apart, a window by pixels", pack(oneLayer, general, ue(0), ue(3), "1", ue(16), ue(16), "1", ue(1), ue(0), ue(1), ue(0), ue(7), ue(7),
			ue(4), "1", ue(4), ue(2), ue(0)), &SPS{main2, 0, 1, true, 3, 15, 15, 15, 15, 0, 2}, ""},
		{"timing behind no sets", pack(oneLayer, general, size(16, 16, "0"), tools, ue(0), "0", timing), of(16, 16, 50), ""},
		// The second set is the first, one earlier: -1, -2 and +1 become -2, -3, and
		// 0 which falls away; the picture itself becomes -1. The third has four flags
		// for these three.
		{"timing behind sets of references", pack(oneLayer, general, size(16, 16, "0"), tools,
			ue(3), ue(2)+ue(1)+ue(0)+"1"+ue(0)+"1"+ue(0)+"1", "1"+"1"+ue(0)+"1"+"1"+"1"+"01", "1"+"0"+ue(0)+"00"+"1"+"01"+"1",
			"1"+ue(2)+"000000001"+"000000010", timing), of(16, 16, 50), ""},
		{"all sets of references", pack(oneLayer, general, size(16, 16, "0"), tools,
			ue(maxRefSets), ue(maxRefs)+ue(0)+strings.Repeat(ue(0)+"1", maxRefs), strings.Repeat("0"+ue(0)+ue(0), maxRefSets-1), "0", timing), of(16, 16, 50), ""},
		{"a set of references too many", pack(oneLayer, general, size(16, 16, "0"), tools, ue(maxRefSets+1), strings.Repeat(ue(0)+ue(0), 99), timing), of(16, 16, 0), ""},
		{"a reference too many", pack(oneLayer, general, size(16, 16, "0"), tools, ue(1), ue(maxRefs)+ue(1), strings.Repeat(ue(0)+"1", maxRefs+1), "0", timing), of(16, 16, 0), ""},
		{"all long references", pack(oneLayer, general, size(16, 16, "0"), tools, ue(0), "1"+ue(maxLongRefs), strings.Repeat("000000001", maxLongRefs), timing), of(16, 16, 50), ""},
		{"a long reference too many", pack(oneLayer, general, size(16, 16, "0"), tools, ue(0), "1"+ue(maxLongRefs+1), strings.Repeat("000000001", maxLongRefs+1), timing), of(16, 16, 0), ""},
		{"another NAL unit", []byte{TypePPS << 1, 1, 0}, nil, "another type"},
		{"half a header", []byte{TypeSPS << 1}, nil, "another type"},
	} {
		t.Run(r.name, func(t *testing.T) {
			got, err := ParseSPS(r.nal)
			if diff := cmp.Diff(r.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (err == nil) != (r.want != nil) || err != nil && !strings.Contains(err.Error(), r.err) {
				t.Errorf("the error is %v, want %q", err, r.err)
			}
		})
	}
}
