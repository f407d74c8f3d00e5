package av1

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// uvlc writes a variable length code as ones and zeros.
func uvlc(v uint64) string {
	return fmt.Sprintf("%0*b", 2*bits.Len64(v+1)-1, v+1)
}

// pack makes bytes of ones and zeros, with a trailing bit.
func pack(fields ...string) []byte {
	all := strings.Join(fields, "") + "1"
	all += strings.Repeat("0", -len(all)&7)
	var b []byte
	for ; all != ""; all = all[8:] {
		var c byte
		for _, digit := range all[:8] {
			c = c<<1 | byte(digit-'0')
		}
		b = append(b, c)
	}
	return b
}

// The sequence headers that encoders write have neither timing nor several
// operating points; these are made by hand from section 5.5.
func TestSequence(t *testing.T) {
	const (
		points = "00000" + "000000000000" + "00100" // one operating point, level 4
		size   = "0111" + "0110" + "11111111" + "1111111"
		tools  = "0" + "000" + "0000" + "0" + "1" + "1" + "000" // no order hints, content tools and vectors chosen
		color  = "0" + "0" + "0" + "0" + "01" + "0"
		end    = "0"
	)
	timing := func(tick, scale uint64, rest string) string {
		return "1" + fmt.Sprintf("%032b%032b", tick, scale) + rest
	}
	of := func(rate float64, change ...func(*Sequence)) *Sequence {
		s := &Sequence{Level: 4, BitDepth: 8, SubsamplingX: true, SubsamplingY: true, SamplePosition: 1, Width: 256, Height: 128, FrameRate: rate}
		for _, c := range change {
			c(s)
		}
		return s
	}
	for _, r := range []struct {
		name    string
		payload []byte
		want    *Sequence
		err     string
	}{
		{"plain", pack("000", "00", "0", "0", points, size, tools, color, end), of(0), ""},
		{"a clock, pictures at equal distances", pack("000", "00", timing(1, 60, "1"+uvlc(1)+"0"), "0", points, size, tools, color, end), of(30), ""},
		{"a clock, pictures at any distance", pack("000", "00", timing(1, 60, "0"+"0"), "0", points, size, tools, color, end), of(0), ""},
		{"a clock that stands", pack("000", "00", timing(0, 60, "1"+uvlc(0)+"0"), "0", points, size, tools, color, end), of(0), ""},
		{"a clock too fast to say", pack("000", "00", timing(1, 1<<32-1, "1"+strings.Repeat("0", 32)+"1"+"0"), "0", points, size, tools, color, end),
			of((1<<32 - 1.0) / (1 << 32)), ""},
		{"a decoder model, delays and two operating points",
			pack("000", "00", timing(1001, 30000, "1"+uvlc(0)+"1"+"00111"+strings.Repeat("0", 32)+"0000000000"), "1",
				"00001", "000000000001"+"01000"+"1"+"1"+"00000001"+"00000010"+"1"+"1"+"0011", "000000000011"+"00100"+"0"+"0",
				size, tools, color, end), of(30000.0/1001, func(s *Sequence) { s.Level, s.HighTier = 8, true }), ""},
		{"frame ids and order hints", pack("000", "00", "0", "0", points, size, "1"+"0000000", "000", "1111"+"1"+"00"+"0"+"1"+"0"+"1"+"110", "000", color, end),
			of(0), ""},
		{"no content tools", pack("000", "00", "0", "0", points, size, "0"+"000"+"0000"+"0"+"0"+"0"+"000", color, end), of(0), ""},
		{"a reduced still picture", pack("000", "11", "00100", size, "000"+"000", color, end), of(0), ""},
		{"the largest size", pack("000", "11", "00100", "1111"+"1111"+strings.Repeat("1", 32), "000"+"000", color, end),
			of(0, func(s *Sequence) { s.Width, s.Height = 1<<16, 1<<16 }), ""},
		{"10 bits of profile 2, which are 4:2:2", pack("010", "11", "00100", size, "000"+"000", "1"+"0"+"0"+"0"+"0"+"0", end),
			of(0, func(s *Sequence) { s.Profile, s.BitDepth, s.SubsamplingY, s.SamplePosition = 2, 10, false, 0 }), ""},
		{"12 bits, 4:2:0", pack("010", "11", "00100", size, "000"+"000", "1"+"1"+"0"+"0"+"0"+"11"+"01"+"0", end),
			of(0, func(s *Sequence) { s.Profile, s.BitDepth = 2, 12 }), ""},
		{"12 bits, 4:4:4", pack("010", "11", "00100", size, "000"+"000", "1"+"1"+"0"+"0"+"0"+"0"+"0", end),
			of(0, func(s *Sequence) {
				s.Profile, s.BitDepth, s.SubsamplingX, s.SubsamplingY, s.SamplePosition = 2, 12, false, false, 0
			}), ""},
		{"a colour description", pack("000", "11", "00100", size, "000"+"000", "0"+"0"+"1"+"00000001"+"00000001"+"00000001"+"0"+"01"+"0", end), of(0), ""},
		{"an unknown profile", pack("011"), nil, "profile 3"},
	} {
		t.Run(r.name, func(t *testing.T) {
			got, err := ParseSequence(r.payload)
			if diff := cmp.Diff(r.want, got, cmpopts.IgnoreUnexported(Sequence{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (err == nil) != (r.want != nil) || err != nil && !strings.Contains(err.Error(), r.err) {
				t.Errorf("the error is %v, want %q", err, r.err)
			}
		})
	}
}
