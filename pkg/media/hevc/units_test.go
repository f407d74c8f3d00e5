package hevc

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media/nal"
)

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
	units, err := nal.SplitAnnexB(stream)
	if err != nil {
		t.Fatal(err)
	}
	pictures, keys := 0, 0
	for _, unit := range units {
		if UnitType(unit) >= TypeVPS {
			continue
		}
		sample := nal.AppendLengths(nil, unit)
		if !bytes.Contains(mp4, sample) {
			t.Errorf("picture %d of %d bytes is not in the MP4", pictures, len(unit))
		}
		if pictures++; IsKey(sample) {
			keys++
		}
	}
	if pictures != 5 || keys != 2 {
		t.Errorf("%d pictures and %d key pictures, want 5 and 2", pictures, keys)
	}
}

func TestIsKey(t *testing.T) {
	key := func(kind int) string {
		return string(nal.AppendLengths(nil, []byte{0x46, 1, 0x50}, []byte{byte(kind) << 1, 1, 0xaa}))
	}
	for _, r := range []struct {
		name, sample string
		key          bool
	}{
		{"a byte stream", string(unhex(t, "00000001 4001 000001 4201 000001 2601aa")), false},
		{"a picture before the first BLA", key(TypeBLA - 1), false},
		{"a BLA picture", key(TypeBLA), true},
		{"an IDR picture", key(TypeIDR), true},
		{"a CRA picture", key(TypeCRA), true},
		{"the last reserved one", key(TypeLastIRAP), true},
		{"a picture behind it", key(TypeLastIRAP + 1), false},
		{"parameter sets only", key(TypeSPS), false},
		{"a unit of 256 bytes", string(nal.AppendLengths(nil, append([]byte{TypeIDR << 1, 1}, make([]byte, 254)...))), true},
		{"an IDR picture that is cut off", key(TypeIDR) + "\x00", false},
		{"nothing", "", false},
	} {
		if got := IsKey([]byte(r.sample)); got != r.key {
			t.Errorf("%s: IsKey is %v", r.name, got)
		}
	}
}
