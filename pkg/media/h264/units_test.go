package h264

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media/nal"
)

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
	units, err := nal.SplitAnnexB(stream)
	if err != nil {
		t.Fatal(err)
	}
	pictures, idr := 0, 0
	for _, unit := range units {
		switch UnitType(unit) {
		case TypeSlice, TypeIDR:
			sample := nal.AppendLengths(nil, unit)
			if !bytes.Contains(flv, sample) {
				t.Errorf("picture %d of %d bytes is not in the FLV", pictures, len(unit))
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

func TestIsIDR(t *testing.T) {
	big := func(size int) string { // a sample of one unit
		return string(nal.AppendLengths(nil, bytes.Repeat([]byte{0x65}, size)))
	}
	for _, r := range []struct {
		name, sample string
		idr          bool
	}{
		{"a byte stream", string(unhex(t, "00000001 6742 000001 68ce 000001 65aa")), false},
		{"a byte stream with a short start code", string(unhex(t, "000001 65aa")), false},
		{"an IDR picture", string(unhex(t, "00000002 0910 00000002 65aa")), true},
		{"another picture", string(unhex(t, "00000002 41aa")), false},
		{"a unit of one byte", big(1), true},
		{"a unit of 256 bytes", big(256), true},
		{"a unit of 511 bytes", big(511), true},
		{"an IDR picture that is cut off", string(unhex(t, "00000002 65aa 0000")), false},
		{"nothing", "", false},
		{"rubbish", "\xff\x00\x00\x01", false},
	} {
		if got := IsIDR([]byte(r.sample)); got != r.idr {
			t.Errorf("%s: IsIDR is %v", r.name, got)
		}
	}
}
