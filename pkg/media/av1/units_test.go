package av1

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oxymoq/internal/testkit"
)

func TestUnits(t *testing.T) {
	for _, r := range []struct {
		name, row string
		want      []Unit
		err       string
	}{
		{"nothing", "", nil, ""},
		{"a delimiter and a frame", "1200 3202aabb", []Unit{{TypeDelimiter, []byte{}}, {TypeFrame, []byte{0xaa, 0xbb}}}, ""},
		{"the last without a size", "1200 30aabb", []Unit{{TypeDelimiter, []byte{}}, {TypeFrame, []byte{0xaa, 0xbb}}}, ""},
		{"an extension", "3628 01aa", []Unit{{TypeFrame, []byte{0xaa}}}, ""},
		{"a size longer than necessary", "32 8180808080808000 aa", []Unit{{TypeFrame, []byte{0xaa}}}, ""},
		{"a size longer than may be", "32 818080808080808000 aa", nil, "a size of more than 8 bytes"},
		{"the largest size", "32 ffffffffffffff7f aa", nil, "truncated"},
		{"half a size", "1200 3280", []Unit{{TypeDelimiter, []byte{}}}, "byte 2 of 4: truncated"},
		{"no size", "32", nil, "truncated"},
		{"half an OBU", "3202aa", nil, "truncated"},
		{"half an extension", "36", nil, "truncated"},
		{"the forbidden bit", "9200", nil, "forbidden"},
	} {
		t.Run(r.name, func(t *testing.T) {
			var got []Unit
			var failed error
			for u, err := range Units(unhex(t, r.row)) {
				if failed = err; err == nil {
					got = append(got, u)
				}
			}
			if len(got) != len(r.want) {
				t.Fatalf("there are %d OBUs, want %d", len(got), len(r.want))
			}
			for i, u := range got {
				if u.Type != r.want[i].Type || !bytes.Equal(u.Payload, r.want[i].Payload) {
					t.Errorf("OBU %d is %v, want %v", i, u, r.want[i])
				}
			}
			if (failed == nil) != (r.err == "") || failed != nil && !strings.Contains(failed.Error(), r.err) {
				t.Errorf("the error is %v, want %q", failed, r.err)
			}
		})
	}
}

func TestIsKey(t *testing.T) {
	const sequence, broken = "0a0b0000000cc4ff6700be0010", "0a0100"
	still := hex.EncodeToString(appendUnit(nil, TypeSequence,
		pack("000", "11", "00100", "0000"+"0000"+"11", "000"+"000", "0000"+"01"+"0", "0")))
	for _, r := range []struct {
		name, sample string
		want         bool
	}{
		{"a key frame", "1200" + sequence + "320110", true},
		{"a key frame in two OBUs", sequence + "1a0110 220100", true},
		{"a key frame without sequence header", "1200 320110", false},
		{"a sequence header behind the frame", "320110" + sequence, false},
		{"a key frame that is not shown", sequence + "320100", false},
		{"an inter frame", sequence + "320130", false},
		{"a frame shown again", sequence + "1a0190", false},
		{"an inter frame before a key frame", sequence + "320130 320110", false},
		{"a sequence header only", sequence, false},
		{"a frame without content", sequence + "3200", false},
		{"a broken sequence header", broken + "320110", false},
		{"a reduced still picture, whose header begins with other fields", still + "3201f0", true},
		{"a sample that is cut off before its frame", sequence + "320210", false},
		{"nothing", "", false},
	} {
		if got := IsKey(unhex(t, r.sample)); got != r.want {
			t.Errorf("%s: IsKey is %v", r.name, got)
		}
	}
	for _, sample := range []string{"", "1200 320110", "3202"} {
		if c, err := ConfigFromSample(unhex(t, sample)); c != nil || (err != nil) != (sample == "3202") {
			t.Errorf("the configuration of %q is %v, %v", sample, c, err)
		}
	}
	if c, err := ConfigFromSample(unhex(t, broken)); c != nil || err == nil {
		t.Errorf("the configuration of a broken sequence header is %v", c)
	}
}

// In the low-overhead form that ffmpeg writes a delimiter stands before each
// temporal unit; the first must be a key and have the record of an MP4.
func TestFFmpegWritesKeys(t *testing.T) {
	clip := filepath.Join(t.TempDir(), "clip.mp4")
	testkit.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-t", "0.2", "-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8",
		"-lag-in-frames", "0", "-g", "3", "-b:v", "300k", "-threads", "1", clip)
	path := filepath.Join(t.TempDir(), "clip.obu")
	testkit.FFmpeg(t, "-i", clip, "-c", "copy", "-f", "obu", path)
	mp4, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ConfigFromSample(stream)
	if err != nil {
		t.Fatal(err)
	}
	record, err := c.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(mp4, append([]byte("av1C"), record...)) {
		t.Errorf("the record made of the stream is not in the MP4: %x", record)
	}
	var keys []bool
	for _, sample := range bytes.Split(stream, []byte{TypeDelimiter<<3 | 2, 0})[1:] {
		if !bytes.Contains(mp4, sample) {
			t.Errorf("sample %d of %d bytes is not in the MP4", len(keys), len(sample))
		}
		keys = append(keys, IsKey(sample))
	}
	if len(keys) != 5 || !keys[0] || keys[1] || keys[2] || !keys[3] || keys[4] {
		t.Errorf("the keys are %v, want the first and fourth of five", keys)
	}
}
