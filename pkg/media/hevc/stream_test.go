package hevc

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
	for nal, err := range Units(unhex(t, "00000002 2601 00000002 0201 00"), 4) {
		if UnitType(nal) != TypeIDR || err != nil {
			t.Errorf("the first unit is %x, %v", nal, err)
		}
		break
	}
}

func TestWhichForm(t *testing.T) {
	key := func(kind int) string {
		return string(AppendHVC(nil, []byte{0x46, 1, 0x50}, []byte{byte(kind) << 1, 1, 0xaa}))
	}
	for _, r := range []struct {
		name, sample string
		annexB, key  bool
	}{
		{"a byte stream", string(unhex(t, "00000001 4001 000001 4201 000001 2601aa")), true, false},
		{"a picture before the first BLA", key(TypeBLA - 1), false, false},
		{"a BLA picture", key(TypeBLA), false, true},
		{"an IDR picture", key(TypeIDR), false, true},
		{"a CRA picture", key(TypeCRA), false, true},
		{"the last reserved one", key(TypeLastIRAP), false, true},
		{"a picture behind it", key(TypeLastIRAP + 1), false, false},
		{"parameter sets only", key(TypeSPS), false, false},
		{"a unit of 256 bytes", string(AppendHVC(nil, append([]byte{TypeIDR << 1, 1}, make([]byte, 254)...))), false, true},
		{"an IDR picture that is cut off", key(TypeIDR) + "\x00", false, false},
		{"nothing", "", false, false},
	} {
		if got := IsAnnexB([]byte(r.sample)); got != r.annexB {
			t.Errorf("%s: IsAnnexB is %v", r.name, got)
		}
		if got := IsKey([]byte(r.sample)); got != r.key {
			t.Errorf("%s: IsKey is %v", r.name, got)
		}
	}
}

func TestConfigFromUnits(t *testing.T) {
	sps := pack(oneLayer, general, size(16, 16, "0"))
	vps, pps := []byte{TypeVPS << 1, 1, 9}, []byte{TypePPS << 1, 1, 9}
	picture := []byte{TypeIDR << 1, 1}
	for _, units := range [][][]byte{nil, {picture}, {sps, pps, picture}, {vps, pps, picture}, {vps, sps, picture}} {
		if c, err := ConfigFromUnits(units); c != nil || err != nil {
			t.Errorf("a configuration of %d units: %v, %v", len(units), c, err)
		}
	}
	c, err := ConfigFromUnits([][]byte{vps, sps, pps, vps, sps, pps, picture})
	if err != nil {
		t.Fatal(err)
	}
	want := []Array{{true, TypeVPS, [][]byte{vps}}, {true, TypeSPS, [][]byte{sps}}, {true, TypePPS, [][]byte{pps}}}
	if diff := cmp.Diff(want, c.Arrays); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := ConfigFromUnits([][]byte{vps, sps[:9], pps}); err == nil {
		t.Error("a broken SPS is taken")
	}
	if _, err := ConfigFromUnits([][]byte{vps, sps, append(pps, make([]byte, MaxParameterSet)...)}); err == nil {
		t.Error("a parameter set that is too large is taken")
	}
	many := [][]byte{vps, sps, pps}
	for i := range MaxSets - 1 {
		many = append(many, []byte{TypePPS << 1, 1, byte(i), 1})
	}
	if _, err := ConfigFromUnits(many); err != nil {
		t.Errorf("%d parameter sets: %v", MaxSets, err)
	}
	if _, err := ConfigFromUnits(append(many, []byte{TypePPS << 1, 1, 0, 2})); err == nil {
		t.Errorf("%d parameter sets are taken", MaxSets+1)
	}
}

// ffmpeg can turn MP4 into a byte stream; what is made of that must be what was
// in the MP4.
func TestFFmpegWritesBothForms(t *testing.T) {
	clip := filepath.Join(t.TempDir(), "clip.mp4")
	testkit.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-t", "0.2", "-c:v", "libx265", "-preset", "ultrafast",
		"-x265-params", "log-level=none:info=0:keyint=3:min-keyint=3:scenecut=0:bframes=0:pools=1", "-tag:v", "hvc1", clip)
	path := filepath.Join(t.TempDir(), "clip.hevc")
	testkit.FFmpeg(t, "-i", clip, "-c", "copy", "-f", "hevc", path)
	mp4, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
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
	if !bytes.Contains(mp4, append([]byte("hvcC"), record...)) {
		t.Errorf("the record made of the byte stream is not in the MP4: %x", record)
	}
	units, err := SplitAnnexB(stream)
	if err != nil {
		t.Fatal(err)
	}
	pictures, keys := 0, 0
	for _, nal := range units {
		if UnitType(nal) >= TypeVPS {
			continue
		}
		sample := AppendHVC(nil, nal)
		if !bytes.Contains(mp4, sample) {
			t.Errorf("picture %d of %d bytes is not in the MP4", pictures, len(nal))
		}
		if pictures++; IsKey(sample) {
			keys++
		}
	}
	if pictures != 5 || keys != 2 {
		t.Errorf("%d pictures and %d key pictures, want 5 and 2", pictures, keys)
	}
}
