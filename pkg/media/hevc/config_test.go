package hevc

import (
	"encoding/hex"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/media/nal"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// main2 is the Main profile, Main tier, level 2.
var main2 = Profile{ID: 1, Compatibility: 0x60000000, Constraints: 0x900000000000, Level: 60}

// records are hvcC boxes of MP4 files that ffmpeg 5.1 made with libx265; what
// they should be is what its ffprobe says of them.
var records = []struct {
	name, record string
	codec        string
	sps          SPS
}{
	{
		"Main, cropped", `0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959409a10001002c
			42010101600000030090000003000003003ca00a880c1c44d965654a4c2f016808000003000800000300c840a2000100064401c073c189`,
		"hvc1.1.6.L60.90", SPS{main2, 0, 1, true, 1, 8, 8, 322, 182, 25, 2},
	}, {
		"Main 10, 59.94 a second, a buffer model and SEI",
		`01022000000090000000000099f000fcfdfafa00000f04a00001001840010c01ffff022000000300900000030000030099959809a100010035
			420101022000000300900000030000030099a003c0801107cad965664a4c2f01680800001f480007530300a4c3f0007a12000f4244a2000100064401c073c18927000100064e0181010f80`,
		"hvc1.2.4.L153.90", SPS{Profile{0, false, 2, 0x20000000, 0x900000000000, 153}, 0, 1, true, 1, 10, 10, 1920, 1080, 60000.0 / 1001, 2},
	}, {
		"4:4:4 with the usual scaling lists",
		`0104080000009e08000000003cf000fcfff8f800000f03a00001001740010c01ffff0408000003009e0800000300003c959409a10001002b
			4201010408000003009e0800000300003c90015101838f8bcb2b2a5270bc05a02000000300200000030321a2000100084401c07318301890`,
		"hvc1.4.10.L60.9E.8", SPS{Profile{0, false, 4, 0x08000000, 0x9e0800000000, 60}, 0, 1, true, 3, 8, 8, 322, 182, 25, 2},
	}, {
		"4:2:2 with two temporal layers",
		`0104080000009d08000000003cf000fcfefafa00001303a00001001b40010c02ffff0408000003009d0800000300003c00009598acc048a10001002f
			4201020408000003009d0800000300003c0000b00a880c1c445b659598acc94985e02d010000030001000003001908a2000100064401c073c189`,
		"hvc1.4.10.L60.9D.8", SPS{Profile{0, false, 4, 0x08000000, 0x9d0800000000, 60}, 0, 2, false, 2, 10, 10, 322, 182, 25, 2},
	}, {
		"every part of the VUI before its timing",
		`0101600000009000000000003cf000fcfdf8f800000f03200001001840010c01ffff01600000030090000003000003003c9594092100010032
			42010101600000030090000003000003003ca00a880c1c44d965654a4c2fff00070009b5010101b61000003e90000753008022000100064401c073c189`,
		"hvc1.1.6.L60.90", SPS{main2, 0, 1, true, 1, 8, 8, 322, 182, 30000.0 / 1001, 2},
	},
}

func TestRecords(t *testing.T) {
	for _, r := range records {
		t.Run(r.name, func(t *testing.T) {
			record := unhex(t, r.record)
			c, err := ParseConfig(record)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Name(); got != r.codec {
				t.Errorf("the codec string is %s, want %s", got, r.codec)
			}
			if c.LengthSize != 4 || len(c.Arrays) < 3 {
				t.Errorf("lengths of %d bytes, %d arrays", c.LengthSize, len(c.Arrays))
			}
			sps, err := c.ParseSPS()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r.sps, *sps); diff != "" {
				t.Errorf("SPS (-want +got):\n%s", diff)
			}
			again, err := c.Append([]byte{7})
			if diff := cmp.Diff(append([]byte{7}, record...), again); err != nil || diff != "" {
				t.Errorf("written again: %v (-want +got):\n%s", err, diff)
			}
			var stream []byte
			for i, a := range c.Arrays {
				stream = nal.AppendAnnexB(stream, a.Units...)
				c.Arrays[i].Complete = true
			}
			c.Arrays = c.Arrays[:3] // without SEI
			made, err := ConfigFromAnnexB(stream)
			if diff := cmp.Diff(c, made); err != nil || diff != "" {
				t.Errorf("made of its parameter sets: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// The file has a record with an SPS of 2 kB: all its scaling lists are there.
func TestScalingLists(t *testing.T) {
	text, err := os.ReadFile("testdata/scaling-lists.hex")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(unhex(t, string(text)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.ParseSPS()
	if diff := cmp.Diff(&SPS{main2, 0, 1, true, 1, 8, 8, 322, 182, 25, 2}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestTruncatedRecords(t *testing.T) {
	for _, r := range records {
		record := unhex(t, r.record)
		for n := range record {
			if _, err := ParseConfig(record[:n:n]); err == nil {
				t.Errorf("%s: %d of %d bytes are taken", r.name, n, len(record))
			}
		}
		c, err := ParseConfig(record)
		if err != nil {
			t.Fatal(err)
		}
		sps := c.Arrays[1].Units[0]
		for n := range sps {
			got, err := ParseSPS(sps[:n:n])
			if err == nil && (got.Width != r.sps.Width || got.Height != r.sps.Height) {
				t.Errorf("%s: %d bytes of the SPS are %dx%d", r.name, n, got.Width, got.Height)
			}
			if err == nil && n < 20 {
				t.Errorf("%s: %d bytes of the SPS are taken", r.name, n)
			}
		}
	}
}

func TestParseConfig(t *testing.T) {
	// What stands before the byte with the size of lengths.
	const front = "01 e1 60000000 900000000001 3c f123 fe fd f8 fb 1900 "
	config := func(lengths int, arrays ...Array) *Config {
		return &Config{
			Profile{3, true, 1, 0x60000000, 0x900000000001, 60}, 0x123, 2, 1, 8, 11, 0x1900, 1, 2, true, lengths, arrays,
		}
	}
	for _, r := range []struct {
		name, record string
		want         *Config // without: an error
		err          string
	}{
		{"no arrays", front + "57 00", config(4), ""},
		{"lengths of one byte", front + "54 00", config(1), ""},
		{"lengths of two bytes", front + "55 00", config(2), ""},
		{"lengths of three bytes", front + "56 00", nil, "3 bytes"},
		{"an empty array", front + "57 01 a1 0000", config(4, Array{true, 33, nil}), ""},
		{"units of two types", front + "57 02 21 0002 0002 4201 0003 420101 a7 0001 0002 4e01",
			config(4, Array{false, 33, [][]byte{{0x42, 1}, {0x42, 1, 1}}}, Array{true, 39, [][]byte{{0x4e, 1}}}), ""},
		{"bytes after it", front + "57 00 ffff", config(4), ""},
		{"another version", "02" + front[2:] + "57 00", nil, "version 2"},
		{"half an array", front + "57 01 a1 00", nil, "array 0: truncated"},
		{"half a unit", front + "57 01 a1 0001 0003 4201", nil, "unit 0 of array 0: truncated"},
		{"half a length", front + "57 01 a1 0001 00", nil, "unit 0 of array 0: truncated"},
		{"more units than there are", front + "57 01 a1 ffff 0002 4201", nil, "unit 1 of array 0: truncated"},
		{"a unit without header", front + "57 01 a1 0001 0001 42", nil, "has 1 bytes"},
	} {
		t.Run(r.name, func(t *testing.T) {
			got, err := ParseConfig(unhex(t, r.record))
			if diff := cmp.Diff(r.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (err == nil) != (r.want != nil) || err != nil && !strings.Contains(err.Error(), r.err) {
				t.Errorf("the error is %v, want %q", err, r.err)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for want, p := range map[string]Profile{
		"hvc1.1.6.L93.B0":           {ID: 1, Compatibility: 0x60000000, Constraints: 0xb00000000000, Level: 93},
		"hvc1.A4.10.H120.B0.23":     {Space: 1, High: true, ID: 4, Compatibility: 0x08000000, Constraints: 0xb02300000000, Level: 120},
		"hvc1.B0.0.L30":             {Space: 2, Level: 30},
		"hvc1.C31.1.L0.0.0.0.0.0.1": {Space: 3, ID: 31, Compatibility: 1 << 31, Constraints: 1},
	} {
		if got := (&Config{Profile: p}).Name(); got != want {
			t.Errorf("the codec string is %s, want %s", got, want)
		}
	}
}

func TestWhatDoesNotFitIntoARecord(t *testing.T) {
	units := func(n, size int) (nals [][]byte) {
		for range n {
			nals = append(nals, make([]byte, size))
		}
		return nals
	}
	of := func(change func(*Config)) Config {
		c := Config{BitDepthLuma: 15, BitDepthChroma: 8, LengthSize: 4}
		change(&c)
		return c
	}
	for _, r := range []struct {
		name string
		c    Config
		ok   bool
	}{
		{"all arrays", of(func(c *Config) { c.Arrays = make([]Array, MaxArrays) }), true},
		{"one array more", of(func(c *Config) { c.Arrays = make([]Array, MaxArrays+1) }), false},
		{"all units", of(func(c *Config) { c.Arrays = []Array{{Units: units(MaxUnits, 2)}} }), true},
		{"one unit more", of(func(c *Config) { c.Arrays = []Array{{Units: units(MaxUnits+1, 2)}} }), false},
		{"the largest unit", of(func(c *Config) { c.Arrays = []Array{{Units: units(1, MaxParameterSet)}} }), true},
		{"a larger one", of(func(c *Config) { c.Arrays = []Array{{Units: units(1, MaxParameterSet+1)}} }), false},
		{"one without header", of(func(c *Config) { c.Arrays = []Array{{Units: units(1, 1)}} }), false},
		{"lengths of three bytes", of(func(c *Config) { c.LengthSize = 3 }), false},
		{"16 bits", of(func(c *Config) { c.BitDepthLuma = 16 }), false},
		{"7 bits", of(func(c *Config) { c.BitDepthChroma = 7 }), false},
	} {
		b, err := r.c.Append(nil)
		if (err == nil) != r.ok {
			t.Errorf("%s: the error is %v", r.name, err)
		}
		if err != nil {
			continue
		}
		if c, err := ParseConfig(b); err != nil || !reflect.DeepEqual(*c, r.c) {
			t.Errorf("%s: it is read as something else, %v", r.name, err)
		}
	}
}

func TestRecordWithoutSPS(t *testing.T) {
	if sps, err := new(Config).ParseSPS(); sps != nil || err != nil {
		t.Errorf("the SPS of nothing is %v, %v", sps, err)
	}
}
