package testkit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// FFmpeg runs ffmpeg and fails the test if it does. Tests that need it are
// skipped where it is not installed; scripts/test.sh installs it and does not
// allow the skip.
func FFmpeg(t testing.TB, args ...string) {
	t.Helper()
	run(t, "ffmpeg", append([]string{"-hide_banner", "-loglevel", "error", "-nostdin", "-y"}, args...)...)
}

// run returns what a program writes to its standard output and error.
func run(t testing.TB, name string, args ...string) (stdout, stderr string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	var out, said bytes.Buffer
	c := exec.CommandContext(t.Context(), path, args...)
	c.Stdout, c.Stderr = &out, &said
	if err := c.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said.String())
	}
	return out.String(), said.String()
}

// Clip says what ffmpeg is to encode: a test picture with a tone, by libx264 and
// its AAC. The zero value is two seconds of baseline video without B-frames, 320x180
// at 30 pictures a second with a key picture each second, and stereo at 48 kHz.
type Clip struct {
	Seconds  float64 // 0: 2
	Size     string  // empty: 320x180
	Rate     int     // pictures a second; 0: 30
	GOP      int     // pictures from key to key; 0: one second
	BFrames  int     // above 0 with the high profile
	Hertz    int     // of the tone's samples; 0: 48000
	Channels int     // 0: 2
	NoVideo  bool
	NoAudio  bool
	Offset   time.Duration // of all times
	Format   string        // of ffmpeg, as flv, h264 or adts; empty: flv
	Args     []string      // before the name of the output
}

// File encodes the clip to a file in the test's temporary directory and returns
// its path.
func (c Clip) File(t testing.TB) string {
	t.Helper()
	format := c.Format
	if format == "" {
		format = "flv"
	}
	path := filepath.Join(t.TempDir(), "clip."+format)
	FFmpeg(t, append(c.Arguments(), "-f", format, path)...)
	return path
}

// Piped encodes the clip into a pipe, in which ffmpeg cannot seek, as FLV.
func (c Clip) Piped(t testing.TB) []byte {
	t.Helper()
	args := append([]string{"-hide_banner", "-loglevel", "error", "-nostdin"}, c.Arguments()...)
	out, _ := run(t, "ffmpeg", append(args, "-f", "flv", "-")...)
	return []byte(out)
}

// Arguments are those of ffmpeg for the clip, up to the format of the output.
func (c Clip) Arguments() []string {
	or := func(n, otherwise int) int {
		if n == 0 {
			return otherwise
		}
		return n
	}
	size, seconds := c.Size, c.Seconds
	if size == "" {
		size = "320x180"
	}
	if seconds == 0 {
		seconds = 2
	}
	rate := or(c.Rate, 30)
	var args []string
	if !c.NoVideo {
		args = append(args, "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=%s:rate=%d", size, rate))
	}
	if !c.NoAudio {
		args = append(args, "-f", "lavfi", "-i", fmt.Sprintf("sine=frequency=440:sample_rate=%d", or(c.Hertz, 48000)))
	}
	args = append(args, "-t", strconv.FormatFloat(seconds, 'f', -1, 64), "-threads", "1")
	if !c.NoVideo {
		gop := strconv.Itoa(or(c.GOP, rate))
		profile := "baseline"
		if c.BFrames > 0 {
			profile = "high"
		}
		args = append(args, "-c:v", "libx264", "-preset", "ultrafast", "-profile:v", profile, "-pix_fmt", "yuv420p",
			"-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-bf", strconv.Itoa(c.BFrames), "-b:v", "300k")
	}
	if !c.NoAudio {
		args = append(args, "-c:a", "aac", "-b:a", "64k", "-ac", strconv.Itoa(or(c.Channels, 2)))
	}
	if c.Offset != 0 {
		args = append(args, "-output_ts_offset", strconv.FormatFloat(c.Offset.Seconds(), 'f', 3, 64))
	}
	return append(args, c.Args...)
}

// Packet is one packet of a file, as ffprobe tells it.
type Packet struct {
	Kind     string // video or audio
	Codec    string // h264, aac
	PTS, DTS time.Duration
	Key      bool
	Size     int
}

// Packets lists the packets of a file in its order.
func Packets(t testing.TB, path string) []Packet {
	t.Helper()
	var probed struct {
		Packets []struct {
			Kind  string `json:"codec_type"`
			Index int    `json:"stream_index"`
			PTS   string `json:"pts_time"`
			DTS   string `json:"dts_time"`
			Flags string
			Size  string
		}
		Streams []struct {
			Index int
			Codec string `json:"codec_name"`
		}
	}
	out, _ := run(t, "ffprobe", "-v", "error", "-of", "json", "-show_entries",
		"packet=codec_type,stream_index,pts_time,dts_time,flags,size:stream=index,codec_name", path)
	if err := json.Unmarshal([]byte(out), &probed); err != nil {
		t.Fatalf("what ffprobe says of %s: %v", path, err)
	}
	seconds := func(s string) time.Duration {
		d, err := time.ParseDuration(s + "s")
		if err != nil {
			t.Fatalf("ffprobe says time %q in %s", s, path)
		}
		return d
	}
	packets := make([]Packet, 0, len(probed.Packets))
	for _, p := range probed.Packets {
		codec := ""
		for _, s := range probed.Streams {
			if s.Index == p.Index {
				codec = s.Codec
			}
		}
		size, err := strconv.Atoi(p.Size)
		if err != nil {
			t.Fatalf("ffprobe says size %q in %s", p.Size, path)
		}
		packets = append(packets, Packet{p.Kind, codec, seconds(p.PTS), seconds(p.DTS), strings.HasPrefix(p.Flags, "K"), size})
	}
	return packets
}

// Decodes decodes a file to its end and fails the test if ffmpeg has anything to
// say of it.
func Decodes(t testing.TB, path string) {
	t.Helper()
	_, said := run(t, "ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin", "-xerror", "-i", path, "-f", "null", "-")
	if said != "" {
		t.Errorf("decoding %s: %s", path, said)
	}
}
