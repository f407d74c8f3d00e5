package h264

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/media/nal"
)

// ue writes an unsigned Exp-Golomb code as ones and zeros.
func ue(v uint64) string {
	return fmt.Sprintf("%0*b", 2*bits.Len64(v+1)-1, v+1)
}

// pack makes bytes of ones and zeros behind a header, with a stop bit.
func pack(header []byte, fields ...string) []byte {
	all := strings.Join(fields, "") + "1"
	all += strings.Repeat("0", -len(all)&7)
	for ; all != ""; all = all[8:] {
		var c byte
		for _, digit := range all[:8] {
			c = c<<1 | byte(digit-'0')
		}
		header = append(header, c)
	}
	return header
}

// made makes a baseline SPS: what comes before the size, the size in
// macroblocks, and what comes behind direct_8x8_inference_flag.
func made(before string, width, height uint64, behind string) []byte {
	return pack([]byte{0x67, 66, 0xc0, 31}, before, ue(1), "0", ue(width-1), ue(height-1), "1", "1", behind)
}

func TestSPS(t *testing.T) {
	plain := ue(0) + ue(0) + ue(2) // id, log2_max_frame_num_minus4, pic_order_cnt_type
	offsets := func(n uint64) string {
		return ue(3) + ue(0) + ue(1) + "0" + ue(1) + ue(2) + ue(n) + strings.Repeat(ue(3), int(n))
	}
	// A VUI with only an HRD of n buffers and a restriction to two pictures.
	hrd := func(n uint64) string {
		return "01" + "00000" + "1" + ue(n-1) + "00000000" + strings.Repeat(ue(7)+ue(7)+"0", int(n)) +
			"00000000000000000000" + "0" + "0" + "0" + "1" + "1" + ue(0) + ue(0) + ue(0) + ue(0) + ue(2) + ue(2)
	}
	size := func(width, height int) *SPS { return &SPS{66, 0xc0, 31, 0, 1, 8, 8, width, height, false, 0, -1} }
	third := size(16, 16)
	third.ID = 3
	reorders := size(16, 16)
	reorders.ReorderFrames = 2
	for _, r := range []struct {
		name string
		nal  []byte
		want *SPS
		err  string
	}{
		{"one macroblock", made(plain, 1, 1, "00"), size(16, 16), ""},
		{"cropped on all sides", made(plain, 2, 3, "1"+ue(1)+ue(2)+ue(3)+ue(4)+"0"), size(26, 34), ""},
		{"the largest", made(plain, 4095, 4095, "00"), size(65520, 65520), ""},
		{"the largest after cropping", made(plain, 4096, 1, "1"+ue(0)+ue(1)+ue(0)+ue(0)+"0"), size(65534, 16), ""},
		{"wider", made(plain, 4096, 1, "00"), nil, "larger"},
		{"higher", made(plain, 1, 4096, "00"), nil, "larger"},
		{"as wide as can be said", made(plain, 1<<32-1, 1<<32-1, "00"), nil, "larger"},
		{"wider than can be said", made(plain, 1<<32, 1, "00"), nil, "integer too large"},
		{"nothing left", made(plain, 1, 1, "1"+ue(4)+ue(4)+ue(0)+ue(0)+"0"), nil, "nothing is left"},
		{"less than nothing left", made(plain, 1, 1, "1"+ue(0)+ue(0)+ue(1<<32-2)+ue(1<<32-2)+"0"), nil, "nothing is left"},
		{"offsets in the order", made(offsets(maxOffsets), 1, 1, "00"), third, ""},
		{"one offset more", made(offsets(maxOffsets+1), 1, 1, "00"), nil, "256 offsets"},
		{"an unknown order", made(ue(0)+ue(0)+ue(3), 1, 1, "00"), nil, "pic_order_cnt_type 3"},
		{"the largest id", made(ue(31)+ue(0)+ue(2), 1, 1, "00"), &SPS{66, 0xc0, 31, 31, 1, 8, 8, 16, 16, false, 0, -1}, ""},
		{"a larger id", made(ue(32)+ue(0)+ue(2), 1, 1, "00"), nil, "id 32"},
		{"a model of all buffers", made(plain, 1, 1, hrd(maxCPB)), reorders, ""},
		{"a model of one more, which ends the VUI", made(plain, 1, 1, hrd(maxCPB+1)), size(16, 16), ""},
		{"a clock that stands", made(plain, 1, 1, "01"+"0000"+"1"+fmt.Sprintf("%032b%032b", 0, 50)+"1"+"0000"), size(16, 16), ""},
		{"unknown chroma", pack([]byte{0x67, 100, 0, 31}, ue(0), ue(4)), nil, "chroma_format_idc 4"},
		{"15 bits", pack([]byte{0x67, 100, 0, 31}, ue(0), ue(1), ue(7)), nil, "14 bits"},
		{"planes apart, which are cropped by pixels",
			pack([]byte{0x67, 244, 0, 31}, ue(0), ue(3), "1", ue(6), ue(6), "00", ue(0), ue(2), ue(1), "0", ue(0), ue(0), "11", "1", ue(1), ue(0), ue(1), ue(0), "0"),
			&SPS{244, 0, 31, 0, 3, 14, 14, 15, 15, false, 0, -1}, ""},
		{"another NAL unit", []byte{0x68, 66, 0xc0, 31}, nil, "another type"},
		{"nothing", nil, nil, "another type"},
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

func TestGolomb(t *testing.T) {
	for _, v := range []uint64{0, 1, 2, 3, 254, 255, 256, 1<<31 - 1, 1<<32 - 2} {
		r := nal.NewBits(pack(nil, ue(v)))
		if got := r.UE(); uint64(got) != v || r.Err() != nil {
			t.Errorf("%d is read as %d, %v", v, got, r.Err())
		}
	}
	for code, want := range map[uint64]int32{0: 0, 1: 1, 2: -1, 3: 2, 4: -2, 1<<32 - 3: 1<<31 - 1, 1<<32 - 2: -1<<31 + 1} {
		r := nal.NewBits(pack(nil, ue(code)))
		if got := r.SE(); got != want || r.Err() != nil {
			t.Errorf("code %d is read as %d, %v; want %d", code, got, r.Err(), want)
		}
	}
	r := nal.NewBits([]byte{0, 0x80}) // a code of 17 bits that is cut off
	if got := r.UE(); got != 0 || r.Err() != nal.ErrTruncated || r.U(1) != 0 {
		t.Errorf("half a code is read as %d, %v", got, r.Err())
	}
}

func TestUnescape(t *testing.T) {
	for escaped, want := range map[string]string{
		"": "", "000003": "0000", "00000301": "000001", "0000030000030000": "000000000000", "0003": "0003", "0000": "0000",
		"00000003": "000000", "0000000303": "00000003", "03000003": "030000",
	} {
		if got := fmt.Sprintf("%x", nal.Unescape(unhex(t, escaped))); got != want {
			t.Errorf("%s becomes %s, want %s", escaped, got, want)
		}
	}
}
