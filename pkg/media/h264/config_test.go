package h264

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/media/nal"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// records are avcC boxes of MP4 files that ffmpeg 5.1 made with libx264; what
// they should be is what its ffprobe says of them.
var records = []struct {
	name, record string
	codec        string
	sps          SPS
}{
	{
		"baseline", "0142c00dffe1001767 42c00dda05067e7c0440000003004000000f03c50aa801000468ce0fc8", "avc1.42c00d",
		SPS{66, 0xc0, 13, 0, 1, 8, 8, 320, 180, false, 30, 0},
	}, {
		"B-pictures, cropped, 59.94 a second", "014d402affe10018674d402aeca03c0113f2e022000007d20003a9801e30632c01000468ce0fc8", "avc1.4d402a",
		SPS{77, 0x40, 42, 0, 1, 8, 8, 1920, 1080, false, 60000.0 / 1001, 2},
	}, {
		"fields and a buffer model", "0164001effe100236764001eacd940b424d8088000000300800000193020007a12000f425261807c50a65801000668fba3cb22c0fdf8f800", "avc1.64001e",
		SPS{100, 0, 30, 0, 1, 8, 8, 720, 576, true, 25, 2},
	}, {
		"fields, cropped", "014d4028ffe10019674d4028f403c0227ef011000003000100000300321f162ea001000468de0fc8", "avc1.4d4028",
		SPS{77, 0x40, 40, 0, 1, 8, 8, 1920, 1080, true, 25, 0},
	}, {
		"4:4:4, cropped, scaling lists", "01f4000dffe1001b67f4000d919b282a33c7c5e022000003000200000300641e28532c01000868ebe3c44c000440fff8f800", "avc1.f4000d",
		SPS{244, 0, 13, 0, 3, 8, 8, 322, 182, false, 25, 2},
	}, {
		"4:2:2, cropped", "017a000dffe1001b677a000dbcd941519e222f011000000300100000030320f142996001000668ebe3cb22c0fef8f800", "avc1.7a000d",
		SPS{122, 0, 13, 0, 2, 8, 8, 322, 182, false, 25, 2},
	}, {
		"10 bits", "016e000dffe1001b676e000da6cd941519e226c044000003000400000300c83c50a65801000668ebe3cb22c0fdfafa00", "avc1.6e000d",
		SPS{110, 0, 13, 0, 1, 10, 10, 322, 182, false, 25, 2},
	}, {
		"every part of the VUI", "0142c00dffe1002a6742c00dda05467889bff008f00b8b5010101b7000003e90000ea60602001e840007a12930801e28554001000468ce0fc8", "avc1.42c00d",
		SPS{66, 0xc0, 13, 0, 1, 8, 8, 322, 182, false, 30000.0 / 1001, 0},
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
			if c.LengthSize != 4 || len(c.SPS) != 1 || len(c.PPS) != 1 {
				t.Errorf("lengths of %d bytes, %d SPS, %d PPS", c.LengthSize, len(c.SPS), len(c.PPS))
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
			made, err := ConfigFromAnnexB(nal.AppendAnnexB(nal.AppendAnnexB(nil, c.SPS...), c.PPS...))
			if diff := cmp.Diff(c, made); err != nil || diff != "" {
				t.Errorf("made of its parameter sets: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestTruncatedRecords(t *testing.T) {
	for _, r := range records {
		record := unhex(t, r.record)
		whole, err := ParseConfig(record)
		if err != nil {
			t.Fatal(err)
		}
		for n := range record {
			c, err := ParseConfig(record[:n:n])
			if whole.High != nil && n == len(record)-4 { // as older muxers wrote it
				if err != nil || c.High != nil {
					t.Errorf("%s without the fields of High: %v, %v", r.name, c, err)
				}
				continue
			}
			if err == nil {
				t.Errorf("%s: %d of %d bytes are taken", r.name, n, len(record))
			}
		}
		for n := range whole.SPS[0] {
			sps, err := ParseSPS(whole.SPS[0][:n:n])
			if err == nil && (sps.Width != r.sps.Width || sps.Height != r.sps.Height) {
				t.Errorf("%s: %d bytes of the SPS are %dx%d", r.name, n, sps.Width, sps.Height)
			}
			if err == nil && n < 8 {
				t.Errorf("%s: %d bytes of the SPS are taken", r.name, n)
			}
		}
	}
}

func TestParseConfig(t *testing.T) {
	sets := "e1 0003 674200 01 0002 68ce"
	high := &High{ChromaFormat: 1, BitDepthLuma: 8, BitDepthChroma: 9, SPSExt: [][]byte{{0x6d, 1}}}
	sps, pps := [][]byte{{0x67, 0x42, 0}}, [][]byte{{0x68, 0xce}}
	for _, r := range []struct {
		name, record string
		want         *Config // without: an error
		err          string
	}{
		{"lengths of one byte", "01 42c01f fc" + sets, &Config{66, 0xc0, 31, 1, sps, pps, nil}, ""},
		{"lengths of two bytes", "01 42c01f fd" + sets, &Config{66, 0xc0, 31, 2, sps, pps, nil}, ""},
		{"lengths of three bytes", "01 42c01f fe" + sets, nil, "3 bytes"},
		{"reserved bits that are not set", "01 42c01f 03 01 0003 674200 01 0002 68ce", &Config{66, 0xc0, 31, 4, sps, pps, nil}, ""},
		{"bytes after a baseline record", "01 42c01f ff" + sets + "fdf8f8", &Config{66, 0xc0, 31, 4, sps, pps, nil}, ""},
		{"an SPS extension", "01 64001f ff" + sets + "fd f8 f9 01 0002 6d01", &Config{100, 0, 31, 4, sps, pps, high}, ""},
		{"bytes after a high record", "01 64001f ff" + sets + "fd f8 f9 01 0002 6d01 00", &Config{100, 0, 31, 4, sps, pps, high}, ""},
		{"no parameter sets", "01 42c01f ff e0 00", &Config{66, 0xc0, 31, 4, nil, nil, nil}, ""},
		{"two SPS and two PPS", "01 42c01f ff e2 0003 674200 0003 674200 02 0002 68ce 0002 68ce",
			&Config{66, 0xc0, 31, 4, append(sps, sps...), append(pps, pps...), nil}, ""},
		{"nothing", "", nil, "truncated"},
		{"version 0", "00 42c01f ff" + sets, nil, "version 0"},
		{"a start code", "00000001 6742c01f", nil, "version 0"},
		{"an empty SPS", "01 42c01f ff e1 0000 00", nil, "SPS 0 is empty"},
		{"half an SPS", "01 42c01f ff e1 0004 674200", nil, "SPS 0: truncated"},
		{"half a PPS", "01 42c01f ff e1 0003 674200 01 0003 68ce", nil, "PPS 0: truncated"},
		{"more PPS than there are", "01 42c01f ff e1 0003 674200 02 0002 68ce", nil, "PPS 1: truncated"},
		{"half the fields of High", "01 64001f ff" + sets + "fdf8f8", nil, "truncated"},
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

func TestWhatDoesNotFitIntoARecord(t *testing.T) {
	nals := func(n, size int) (units [][]byte) {
		for range n {
			units = append(units, make([]byte, size))
		}
		return units
	}
	high := func(luma, ext int) *High { return &High{1, luma, 8, nals(ext, 1)} }
	for _, r := range []struct {
		name string
		c    Config
		ok   bool
	}{
		{"all that fits", Config{100, 0, 31, 4, nals(MaxSPS, 9), nals(MaxPPS, 9), high(15, MaxPPS)}, true},
		{"a parameter set of the largest size", Config{66, 0, 31, 4, nals(1, MaxParameterSet), nil, nil}, true},
		{"a larger one", Config{66, 0, 31, 4, nals(1, MaxParameterSet+1), nil, nil}, false},
		{"an empty one", Config{66, 0, 31, 4, nil, nals(1, 0), nil}, false},
		{"lengths of three bytes", Config{66, 0, 31, 3, nil, nil, nil}, false},
		{"no lengths", Config{66, 0, 31, 0, nil, nil, nil}, false},
		{"one SPS more", Config{66, 0, 31, 4, nals(MaxSPS+1, 9), nil, nil}, false},
		{"one PPS more", Config{66, 0, 31, 4, nil, nals(MaxPPS+1, 9), nil}, false},
		{"one SPS extension more", Config{100, 0, 31, 4, nil, nil, high(8, MaxPPS+1)}, false},
		{"16 bits", Config{100, 0, 31, 4, nil, nil, high(16, 0)}, false},
		{"7 bits", Config{100, 0, 31, 4, nil, nil, high(7, 0)}, false},
	} {
		b, err := r.c.Append(nil)
		if (err == nil) != r.ok {
			t.Errorf("%s: the error is %v", r.name, err)
		}
		if err != nil {
			continue
		}
		if c, err := ParseConfig(b); err != nil || !reflect.DeepEqual(*c, r.c) {
			t.Errorf("%s: read again it is %v, %v", r.name, c, err)
		}
	}
}

func TestRecordWithoutSPS(t *testing.T) {
	if sps, err := new(Config).ParseSPS(); sps != nil || err != nil {
		t.Errorf("the SPS of nothing is %v, %v", sps, err)
	}
}
