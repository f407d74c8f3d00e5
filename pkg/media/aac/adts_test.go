package aac

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/internal/testkit"
)

func TestParseADTS(t *testing.T) {
	for _, r := range []struct {
		name, frame string
		want        *ADTS // without: an error
		err         string
	}{
		{"LC, mono", "fff14c40013ffc 0102", &ADTS{TypeLC, 48000, 1, 7, 9, 1}, ""},
		{"MPEG-2", "fff94c40013ffc 0102", &ADTS{TypeLC, 48000, 1, 7, 9, 1}, ""},
		{"a check", "fff04c40017ffc abcd 0102", &ADTS{TypeLC, 48000, 1, 9, 11, 1}, ""},
		{"four blocks", "fff14c40013fff 0102", &ADTS{TypeLC, 48000, 1, 7, 9, 4}, ""},
		{"four blocks with checks", "fff04c40017fff abcd 0102", nil, "several blocks"},
		{"LTP, 7350 hertz, 7.1", "fff1f1c0013ffc 0102", &ADTS{TypeLTP, 7350, 7, 7, 9, 1}, ""},
		{"channels within", "fff14c00013ffc 0102", &ADTS{TypeLC, 48000, 0, 7, 9, 1}, ""},
		{"nothing in it", "fff14c4000fffc", &ADTS{TypeLC, 48000, 1, 7, 7, 1}, ""},
		{"another behind it", "fff14c40013ffc 0102 fff1", &ADTS{TypeLC, 48000, 1, 7, 9, 1}, ""},
		{"nothing", "", nil, "truncated"},
		{"half a header", "fff14c40013f", nil, "truncated"},
		{"half a frame", "fff14c40013ffc 01", nil, "truncated"},
		{"a raw frame", "210049900219002380", nil, "syncword"},
		{"layer 3", "fffb4c40013ffc 0102", nil, "syncword"},
		{"a reserved frequency", "fff17440013ffc 0102", nil, "index 13"},
		{"a length below the header", "fff14c4000dffc 0102", nil, "length of 6"},
		{"a length below the check", "fff04c40011ffc 0102", nil, "length of 8"},
	} {
		t.Run(r.name, func(t *testing.T) {
			frame := unhex(t, r.frame)
			got, err := ParseADTS(frame)
			if diff := cmp.Diff(r.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (err == nil) != (r.want != nil) || err != nil && !strings.Contains(err.Error(), r.err) {
				t.Errorf("the error is %v, want %q", err, r.err)
			}
			if is := IsADTS(frame); is != (got != nil && got.Len == len(frame)) {
				t.Errorf("IsADTS is %v", is)
			}
		})
	}
}

func TestAppendADTS(t *testing.T) {
	for _, r := range []struct {
		name string
		c    Config
		size int
		ok   bool
	}{
		{"LC", Config{Type: TypeLC, Hertz: 48000, ChannelConfig: 2, Channels: 2}, 371, true},
		{"Main, 96000 hertz, 7.1", Config{Type: TypeMain, Hertz: 96000, ChannelConfig: 7, Channels: 8}, 0, true},
		{"the largest", Config{Type: TypeLC, Hertz: 7350, ChannelConfig: 1, Channels: 1}, MaxADTS - adtsLen, true},
		{"a larger one", Config{Type: TypeLC, Hertz: 7350, ChannelConfig: 1, Channels: 1}, MaxADTS - adtsLen + 1, false},
		{"less than nothing", Config{Type: TypeLC, Hertz: 7350, ChannelConfig: 1, Channels: 1}, -1, false},
		{"a frequency without index", Config{Type: TypeLC, Hertz: 48001, ChannelConfig: 2, Channels: 2}, 1, false},
		{"6.1", Config{Type: TypeLC, Hertz: 48000, ChannelConfig: 11, Channels: 7}, 1, false},
		{"LD", Config{Type: TypeLD, Hertz: 48000, ChannelConfig: 2, Channels: 2}, 1, false},
		{"960 samples", Config{Type: TypeLC, Hertz: 48000, ChannelConfig: 2, Channels: 2, Short: true}, 1, false},
	} {
		b, err := r.c.AppendADTS(nil, r.size)
		if (err == nil) != r.ok {
			t.Errorf("%s: the error is %v", r.name, err)
		}
		if err != nil {
			continue
		}
		h, err := ParseADTS(append(b, make([]byte, r.size)...))
		want := &ADTS{r.c.Type, r.c.Hertz, r.c.ChannelConfig, adtsLen, adtsLen + r.size, 1}
		if diff := cmp.Diff(want, h); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", r.name, err, diff)
			continue
		}
		if diff := cmp.Diff(r.c, *h.Config()); diff != "" {
			t.Errorf("%s: the configuration (-want +got):\n%s", r.name, diff)
		}
	}
}

// ffmpeg can put frames of FLV into ADTS; what is made of that must be what was
// in the FLV.
func TestFFmpegWritesBothForms(t *testing.T) {
	clip := testkit.Clip{NoVideo: true, Seconds: 0.2, Hertz: 44100}.File(t)
	path := filepath.Join(t.TempDir(), "clip.aac")
	testkit.FFmpeg(t, "-i", clip, "-c", "copy", "-f", "adts", path)
	flv, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	frames := 0
	for len(stream) > 0 {
		h, err := ParseADTS(stream)
		if err != nil {
			t.Fatalf("frame %d: %v", frames, err)
		}
		raw := stream[h.HeaderLen:h.Len]
		if !bytes.Contains(flv, raw) {
			t.Errorf("frame %d of %d bytes is not in the FLV", frames, len(raw))
		}
		config, err := h.Config().Append(nil)
		if err != nil || !bytes.Contains(flv, append([]byte{0xaf, 0}, config...)) {
			t.Errorf("the configuration of frame %d is not in the FLV: %x, %v", frames, config, err)
		}
		header, err := h.Config().AppendADTS(nil, len(raw))
		if !bytes.Equal(header, stream[:h.HeaderLen]) {
			t.Errorf("the header of frame %d is %x, ffmpeg's %x, %v", frames, header, stream[:h.HeaderLen], err)
		}
		stream = stream[h.Len:]
		frames++
	}
	if want := len(testkit.Packets(t, clip)); frames != want || frames == 0 {
		t.Errorf("%d frames, ffprobe says %d", frames, want)
	}
}
