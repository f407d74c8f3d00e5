package media_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Configurations as ffmpeg writes them.
const (
	avcC      = "0142c00dffe100176742c00dda05067e7c0440000003004000000f03c50aa801000468ce0fc8"
	hvcC      = "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959409a10001002c42010101600000030090000003000003003ca00a880c1c44d965654a4c2f016808000003000800000300c840a2000100064401c073c189"
	hvcCNoSPS = "0101600000009000000000003cf000fcfdf8f819000f00"
	av1C      = "81010c000a0b0000000cc4ff6700be0010"
	asc       = "121056e500"
	opusHead  = "4f707573486561640101380180bb0000000000"
)

func TestParseFormat(t *testing.T) {
	for _, r := range []struct {
		name   string
		codec  media.Codec
		config string
		want   media.Format
	}{
		{"H.264", media.H264, avcC, media.Format{Name: "avc1.42c00d", Width: 320, Height: 180, FrameRate: 30}},
		{"H.264 whose parameter sets come with the pictures", media.H264, "0142c01fffe000", media.Format{Name: "avc1.42c01f"}},
		{"HEVC", media.HEVC, hvcC, media.Format{Name: "hvc1.1.6.L60.90", Width: 322, Height: 182, FrameRate: 25}},
		{"HEVC whose parameter sets come with the pictures", media.HEVC, hvcCNoSPS, media.Format{Name: "hvc1.1.6.L60.90", FrameRate: 25}},
		{"AV1", media.AV1, av1C, media.Format{Name: "av01.0.01M.08", Width: 640, Height: 360}},
		{"AV1 without sequence header", media.AV1, "81010c00", media.Format{Name: "av01.0.01M.08"}},
		{"AAC", media.AAC, asc, media.Format{Name: "mp4a.40.2", SampleRate: 44100, Channels: 2}},
		{"AAC with SBR", media.AAC, "2b118800", media.Format{Name: "mp4a.40.5", SampleRate: 48000, Channels: 2}},
		{"Opus", media.Opus, opusHead, media.Format{Name: "opus", SampleRate: 48000, Channels: 1}},
		{"Opus without header", media.Opus, "", media.Format{Name: "opus", SampleRate: 48000, Channels: 2}},
	} {
		t.Run(r.name, func(t *testing.T) {
			config := unhex(t, r.config)
			got, err := media.ParseFormat(r.codec, config)
			if err != nil {
				t.Fatal(err)
			}
			want := r.want
			want.Codec, want.Config = r.codec, bytes.Clone(config)
			clear(config) // the format keeps its own
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			codec, err := media.ParseName(got.Name)
			if codec != r.codec || err != nil {
				t.Errorf("its name is that of %v, %v", codec, err)
			}
		})
	}
}

func TestNoFormat(t *testing.T) {
	for _, c := range []media.Codec{media.H264, media.HEVC, media.AV1, media.AAC} {
		if f, err := media.ParseFormat(c, nil); f != nil || err == nil || !strings.Contains(err.Error(), c.String()) {
			t.Errorf("%v without configuration: %v, %v", c, f, err)
		}
	}
	for config, c := range map[string]media.Codec{
		"0142c00dffe10003 6742c0 00":              media.H264, // an SPS that is cut off
		"4f707573":                                media.Opus,
		hvcCNoSPS[:44] + "01 a1 0001 0003 420101": media.HEVC,
		"81010c00 0a0100":                         media.AV1,
		asc:                                       0,
		opusHead:                                  media.Opus + 1,
	} {
		if f, err := media.ParseFormat(c, unhex(t, config)); f != nil || err == nil {
			t.Errorf("codec %d, %s: %v, %v", c, config, f, err)
		}
	}
}

// A rate that no picture has is the clock of the encoder.
func TestMaxFrameRate(t *testing.T) {
	for record, want := range map[string]float64{
		"0142c00cffe100176742c00cda05067e7c044000000300400001f403c50aa801000468ce0fc8": media.MaxFrameRate, // 2000 ticks a second, two a picture
		"0142c00cffe100176742c00cda05067e7c044000000300400001f483c50aa801000468ce0fc8": 0,                  // 2002
	} {
		f, err := media.ParseFormat(media.H264, unhex(t, record))
		if err != nil || f.FrameRate != want {
			t.Errorf("%s has the rate %v, %v; want %v", record, f.FrameRate, err, want)
		}
	}
}

func TestSame(t *testing.T) {
	parse := func(c media.Codec, config string) *media.Format {
		f, err := media.ParseFormat(c, unhex(t, config))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	stereo, again, mono := parse(media.AAC, "1190"), parse(media.AAC, "1190"), parse(media.AAC, "1188")
	again.Name, again.SampleRate = "mp4a.40.02", 0
	video := &media.Format{Codec: media.H264, Config: stereo.Config}
	for _, r := range []struct {
		a, b *media.Format
		want bool
	}{
		{stereo, stereo, true}, {stereo, again, true}, {stereo, mono, false}, {stereo, video, false},
		{stereo, nil, false}, {nil, stereo, false}, {nil, nil, true},
	} {
		if got := r.a.Same(r.b); got != r.want {
			t.Errorf("%v and %v: %v", r.a, r.b, got)
		}
	}
}

func TestKeyFrame(t *testing.T) {
	for _, r := range []struct {
		codec media.Codec
		data  string
		want  bool
	}{
		{media.H264, "00000002 65aa", true}, {media.H264, "00000002 41aa", false}, {media.H264, "00000003 65aa", false},
		{media.HEVC, "00000003 2601aa", true}, {media.HEVC, "00000003 0201aa", false},
		{media.AV1, "0a0b0000000cc4ff6700be0010 320110", true}, {media.AV1, "320110", false},
		{media.AAC, "2100", true}, {media.Opus, "", true}, {0, "00000002 65aa", false},
	} {
		if got := media.KeyFrame(r.codec, unhex(t, r.data)); got != r.want {
			t.Errorf("%v %s: %v", r.codec, r.data, got)
		}
	}
}

func TestParseName(t *testing.T) {
	for name, want := range map[string]media.Codec{
		"avc1.42001e": media.H264, "avc3.640028": media.H264, "AVC1.42E01F": media.H264, "avc1": media.H264,
		"hvc1.1.6.L93.B0": media.HEVC, "hev1.1.6.L93.90": media.HEVC, "av01.0.04M.08": media.AV1,
		"mp4a.40.1": media.AAC, "mp4a.40.2": media.AAC, "mp4a.40.02": media.AAC, "mp4a.40.5": media.AAC, "mp4a.40.29": media.AAC,
		"opus": media.Opus, "Opus": media.Opus,
		"": 0, ".": 0, "avc": 0, "avc10": 0, "vp09.00.10.08": 0, "vp8": 0, "mp4a": 0, "mp4a.40": 0, "mp4a.69": 0, "mp4a.40.34": 0, "mp3": 0, "flac": 0,
	} {
		got, err := media.ParseName(name)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q is %v, %v; want %v", name, got, err, want)
		}
	}
}

// What a format says of a file must be what ffprobe says of it.
func TestFormatsAgreeWithFFprobe(t *testing.T) {
	for _, r := range []struct {
		name  string
		codec media.Codec
		box   string // of MP4, which has the configuration
		args  string
		level int // as ffprobe counts
	}{
		{"H.264 baseline", media.H264, "avcC", "-c:v libx264 -preset ultrafast -profile:v baseline -pix_fmt yuv420p", 13},
		{"H.264 high, B-pictures", media.H264, "avcC", "-c:v libx264 -preset ultrafast -x264-params cabac=1:8x8dct=1 -bf 2 -pix_fmt yuv420p", 13},
		{"HEVC", media.HEVC, "hvcC", "-c:v libx265 -preset ultrafast -x265-params log-level=none:pools=1 -pix_fmt yuv420p", 60},
		{"HEVC of 10 bits", media.HEVC, "hvcC", "-c:v libx265 -preset ultrafast -x265-params log-level=none:pools=1 -pix_fmt yuv420p10", 60},
		{"AV1", media.AV1, "av1C", "-c:v libaom-av1 -usage realtime -cpu-used 8 -b:v 200k -threads 1 -pix_fmt yuv420p", 0},
	} {
		t.Run(r.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "clip.mp4")
			args := append([]string{"-f", "lavfi", "-i", "testsrc2=size=322x182:rate=25", "-t", "0.2"}, strings.Fields(r.args)...)
			testkit.FFmpeg(t, append(args, path)...)
			f, err := media.ParseFormat(r.codec, box(t, path, r.box))
			if err != nil {
				t.Fatal(err)
			}
			p := probe(t, path)
			if f.Width != p.Width || f.Height != p.Height || f.Width != 322 {
				t.Errorf("the size is %dx%d, ffprobe says %dx%d", f.Width, f.Height, p.Width, p.Height)
			}
			// AV1 says the rate in the container only.
			if f.FrameRate != 25 && r.codec != media.AV1 || p.Rate != "25/1" {
				t.Errorf("the rate is %v, ffprobe says %s", f.FrameRate, p.Rate)
			}
			profile, level := profileAndLevel(t, r.codec, f)
			if !strings.HasPrefix(p.Profile, profile) || level != p.Level || level != r.level {
				t.Errorf("%s is %s, level %d; ffprobe says %s, level %d", f.Name, profile, level, p.Profile, p.Level)
			}
		})
	}
}

// profileAndLevel reads them from where the configuration has them.
func profileAndLevel(t *testing.T, c media.Codec, f *media.Format) (profile string, level int) {
	t.Helper()
	switch c {
	case media.H264:
		return map[byte]string{66: "Constrained Baseline", 100: "High"}[f.Config[1]], int(f.Config[3])
	case media.HEVC:
		return map[byte]string{1: "Main", 2: "Main 10"}[f.Config[1]&0x1f], int(f.Config[12])
	case media.AV1:
		return map[byte]string{0: "Main"}[f.Config[1]>>5], int(f.Config[1] & 0x1f)
	}
	t.Fatalf("%v has neither", c)
	return "", 0
}

// box returns what the first box of a type in an MP4 holds.
func box(t *testing.T, path, kind string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte(kind))
	if at < 4 {
		t.Fatalf("%s has no %s", path, kind)
	}
	return b[at+4 : at-4+int(binary.BigEndian.Uint32(b[at-4:]))]
}

// stream is what ffprobe says of one.
type stream struct {
	Profile       string
	Level         int
	Width, Height int
	Rate          string `json:"r_frame_rate"`
}

func probe(t *testing.T, path string) stream {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-of", "json",
		"-show_entries", "stream=profile,level,width,height,r_frame_rate", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var said struct{ Streams []stream }
	if err := json.Unmarshal(out, &said); err != nil || len(said.Streams) != 1 {
		t.Fatalf("ffprobe says %s: %v", out, err)
	}
	return said.Streams[0]
}

// FuzzFormat makes formats and looks for keys of any bytes.
func FuzzFormat(f *testing.F) {
	for config, c := range map[string]media.Codec{avcC: media.H264, hvcC: media.HEVC, av1C: media.AV1, asc: media.AAC, opusHead: media.Opus} {
		f.Add(uint8(c), unhex(f, config))
	}
	f.Fuzz(func(t *testing.T, c uint8, b []byte) {
		media.KeyFrame(media.Codec(c), b)
		format, err := media.ParseFormat(media.Codec(c), b)
		if err != nil {
			return
		}
		if codec, err := media.ParseName(format.Name); err == nil && codec != format.Codec {
			t.Fatalf("%s of %v is the name of %v", format.Name, format.Codec, codec)
		}
		if format.FrameRate < 0 || format.FrameRate > media.MaxFrameRate || format.Width < 0 || format.Channels < 0 {
			t.Fatalf("format %v", format)
		}
	})
}
