package h264

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/internal/testkit"
)

func TestSplitAnnexB(t *testing.T) {
	for _, r := range []struct {
		name, stream string
		want         []string
		err          string
	}{
		{"start codes of three bytes", "000001 65aa 000001 41bb", []string{"65aa", "41bb"}, ""},
		{"start codes of four bytes", "00000001 65aa 00000001 41bb", []string{"65aa", "41bb"}, ""},
		{"zeros around", "000000000001 65aa0000 0000000001 41bb000000", []string{"65aa", "41bb"}, ""},
		{"emulation prevention", "000001 65 000003 01 000003", []string{"6500000301000003"}, ""},
		{"zeros within", "000001 65 0000 02 00", []string{"65000002"}, ""},
		{"empty units", "000001 000001 65aa 000001", []string{"65aa"}, ""},
		{"only a start code", "000001", nil, ""},
		{"nothing", "", nil, "start code"},
		{"zeros only", "00000000", nil, "start code"},
		{"something before", "01 000001 65aa", nil, "start code"},
		{"lengths", "00000002 65aa", nil, "start code"},
	} {
		t.Run(r.name, func(t *testing.T) {
			var want [][]byte
			for _, s := range r.want {
				want = append(want, unhex(t, s))
			}
			got, err := SplitAnnexB(unhex(t, r.stream))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (err == nil) != (r.err == "") || err != nil && !strings.Contains(err.Error(), r.err) {
				t.Errorf("the error is %v, want %q", err, r.err)
			}
			if again, err := SplitAnnexB(AppendAnnexB(nil, want...)); want != nil && (err != nil || !cmp.Equal(again, want)) {
				t.Errorf("written and read again: %x, %v", again, err)
			}
		})
	}
}

func TestRelength(t *testing.T) {
	for _, r := range []struct {
		name, sample string
		size         int
		want         string
		bad          bool
	}{
		{"of one byte", "02 65aa 01 41", 1, "00000002 65aa 00000001 41", false},
		{"of two bytes", "0002 65aa 0001 41", 2, "00000002 65aa 00000001 41", false},
		{"of four bytes", "00000002 65aa", 4, "00000002 65aa", false},
		{"with an empty unit", "00 02 65aa", 1, "00000002 65aa", false},
		{"of nothing", "", 4, "", false},
		{"of half a length", "0002 65aa 00", 2, "", true},
		{"of half a unit", "0003 65aa", 2, "", true},
		{"of the largest length", "ffffffff 65aa", 4, "", true},
		{"of three bytes", "000002 65aa", 3, "", true},
		{"of no bytes", "65aa", 0, "", true},
	} {
		got, err := Relength([]byte{}, unhex(t, r.sample), r.size)
		if r.bad {
			if got != nil || !errors.Is(err, errTruncated) {
				t.Errorf("a sample %s: %x, %v", r.name, got, err)
			}
			continue
		}
		if err != nil || !bytes.Equal(got, unhex(t, r.want)) {
			t.Errorf("a sample %s: %x, %v; want %s", r.name, got, err, r.want)
		}
	}
}

func TestUnitsCanBeLeft(t *testing.T) {
	for nal, err := range Units(unhex(t, "00000001 65 00000001 41 00"), 4) {
		if UnitType(nal) != TypeIDR || err != nil {
			t.Errorf("the first unit is %x, %v", nal, err)
		}
		break
	}
}

func TestWhichForm(t *testing.T) {
	big := func(size int) string { // a sample of one unit
		return string(AppendAVC(nil, bytes.Repeat([]byte{0x65}, size)))
	}
	for _, r := range []struct {
		name, sample string
		annexB, idr  bool
	}{
		{"a byte stream", string(unhex(t, "00000001 6742 000001 68ce 000001 65aa")), true, false},
		{"a byte stream with a short start code", string(unhex(t, "000001 65aa")), true, false},
		{"an IDR picture", string(unhex(t, "00000002 0910 00000002 65aa")), false, true},
		{"another picture", string(unhex(t, "00000002 41aa")), false, false},
		{"a unit of one byte", big(1), false, true},
		{"a unit of 256 bytes", big(256), false, true},
		{"a unit of 511 bytes", big(511), false, true},
		{"an IDR picture that is cut off", string(unhex(t, "00000002 65aa 0000")), false, false},
		{"nothing", "", false, false},
		{"rubbish", "\xff\x00\x00\x01", false, false},
	} {
		if got := IsAnnexB([]byte(r.sample)); got != r.annexB {
			t.Errorf("%s: IsAnnexB is %v", r.name, got)
		}
		if got := IsIDR([]byte(r.sample)); got != r.idr {
			t.Errorf("%s: IsIDR is %v", r.name, got)
		}
	}
}

func TestConfigFromAnnexB(t *testing.T) {
	const sps, pps, ext = "000001 6764001eacd940b424d808800000030080", "000001 68fba3cb22c0", "000001 6d01"
	for _, r := range []struct {
		name, stream string
		want         *Config
		err          string
	}{
		{"no parameter sets", "000001 65aa", nil, ""},
		{"an SPS only", sps + "000001 65aa", nil, ""},
		{"a PPS only", pps + "000001 65aa", nil, ""},
		{"both, twice, and a picture", sps + pps + sps + pps + "000001 65aa",
			&Config{100, 0, 30, 4, [][]byte{unhex(t, sps)[3:]}, [][]byte{unhex(t, pps)[3:]}, &High{1, 8, 8, nil}}, ""},
		{"an extension", sps + ext + pps,
			&Config{100, 0, 30, 4, [][]byte{unhex(t, sps)[3:]}, [][]byte{unhex(t, pps)[3:]}, &High{1, 8, 8, [][]byte{{0x6d, 1}}}}, ""},
		{"a broken SPS", "000001 6764001e" + pps, nil, "SPS: truncated"},
		{"no byte stream", "00000002 65aa", nil, "start code"},
	} {
		t.Run(r.name, func(t *testing.T) {
			got, err := ConfigFromAnnexB(unhex(t, r.stream))
			if diff := cmp.Diff(r.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (err == nil) != (r.err == "") || err != nil && !strings.Contains(err.Error(), r.err) {
				t.Errorf("the error is %v, want %q", err, r.err)
			}
		})
	}
}

func TestTooManyParameterSets(t *testing.T) {
	sps := unhex(t, "6742c00dda05067e7c04")
	for _, r := range []struct {
		kind, most int
	}{{TypeSPS, MaxSPS}, {TypePPS, MaxPPS}, {TypeSPSExt, MaxPPS}} {
		units := [][]byte{sps, {TypePPS}}
		for i := range r.most - 1 {
			units = append(units, []byte{byte(r.kind), byte(i), 1})
		}
		if r.kind == TypeSPSExt {
			units = append(units, []byte{TypeSPSExt})
		}
		if c, err := ConfigFromUnits(units); c == nil || err != nil {
			t.Errorf("%d parameter sets of type %d: %v", r.most, r.kind, err)
		}
		if _, err := ConfigFromUnits(append(units, []byte{byte(r.kind), 0, 2})); err == nil {
			t.Errorf("%d parameter sets of type %d are taken", r.most+1, r.kind)
		}
	}
	if _, err := ConfigFromUnits([][]byte{sps, append([]byte{TypePPS}, make([]byte, MaxParameterSet)...)}); err == nil {
		t.Error("a parameter set that is too large is taken")
	}
}

// ffmpeg can turn FLV into a byte stream; what is made of that must be what was
// in the FLV.
func TestFFmpegWritesBothForms(t *testing.T) {
	clip := testkit.Clip{NoAudio: true, Seconds: 0.2, GOP: 3, BFrames: 1}.File(t)
	flv, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "clip.h264")
	testkit.FFmpeg(t, "-i", clip, "-c", "copy", "-f", "h264", path)
	stream, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ConfigFromAnnexB(stream)
	if err != nil {
		t.Fatal(err)
	}
	record, err := c.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(flv, record) {
		t.Errorf("the record made of the byte stream is not in the FLV: %x", record)
	}
	units, err := SplitAnnexB(stream)
	if err != nil {
		t.Fatal(err)
	}
	pictures, idr := 0, 0
	for _, nal := range units {
		switch UnitType(nal) {
		case TypeSlice, TypeIDR:
			sample := AppendAVC(nil, nal)
			if !bytes.Contains(flv, sample) {
				t.Errorf("picture %d of %d bytes is not in the FLV", pictures, len(nal))
			}
			if pictures++; IsIDR(sample) {
				idr++
			}
		}
	}
	if pictures != 6 || idr != 2 {
		t.Errorf("%d pictures and %d IDR pictures, want 6 and 2", pictures, idr)
	}
}
