package opus

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/testkit"
)

// of makes a packet of a configuration, a code, and what follows.
func of(config, code byte, rest ...byte) []byte { return append([]byte{config<<3 | code}, rest...) }

func TestDurationOfEveryConfiguration(t *testing.T) {
	want := strings.Fields("10ms 20ms 40ms 60ms 10ms 20ms 40ms 60ms 10ms 20ms 40ms 60ms 10ms 20ms 10ms 20ms " +
		strings.Repeat("2.5ms 5ms 10ms 20ms ", 4))
	for config, frame := range want {
		d, err := time.ParseDuration(frame)
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n < 64; n++ {
			got, err := Duration(of(byte(config), 3, byte(n)))
			if total := time.Duration(n) * d; total > MaxDuration {
				if err == nil {
					t.Errorf("configuration %d: %d frames of %v are taken", config, n, d)
				}
			} else if err != nil || got != total {
				t.Errorf("configuration %d: %d frames of %v are %v, %v", config, n, d, got, err)
			}
		}
		for code, n := range map[byte]int{0: 1, 1: 2} {
			if got, err := Duration(of(byte(config), code|4, 1, 2)); err != nil || got != time.Duration(n)*d {
				t.Errorf("configuration %d, code %d is %v, %v", config, code, got, err)
			}
		}
	}
}

func TestDuration(t *testing.T) {
	const ms = time.Millisecond
	b := func(n int) []byte { return make([]byte, n) }
	many := func(head ...byte) func(rest []byte) []byte {
		return func(rest []byte) []byte { return append(of(1, 3, head...), rest...) }
	}
	for _, r := range []struct {
		name   string
		packet []byte
		want   time.Duration
		err    string
	}{
		{"nothing", nil, 0, "truncated"},
		{"a frame without bytes", of(1, 0), 20 * ms, ""},
		{"the largest frame", of(1, 0, b(1275)...), 20 * ms, ""},
		{"a larger one", of(1, 0, b(1276)...), 0, "1275 bytes"},
		{"two of the same size", of(1, 1, b(4)...), 40 * ms, ""},
		{"two of the same size in 5 bytes", of(1, 1, b(5)...), 0, "not 2 frames"},
		{"two of the largest size", of(1, 1, b(2*1275)...), 40 * ms, ""},
		{"two of a larger one", of(1, 1, b(2*1276)...), 0, "1275 bytes"},
		{"two, the first with one byte", of(1, 2, 1, 9, 8, 8, 8), 40 * ms, ""},
		{"two, the second empty", of(1, 2, 1, 9), 40 * ms, ""},
		{"two, the first too long", of(1, 2, 2, 9), 0, "truncated"},
		{"two without a length", of(1, 2), 0, "truncated"},
		{"two with half a length", of(1, 2, 252), 0, "truncated"},
		{"two with a length of two bytes", of(1, 2, append([]byte{252, 1}, b(256)...)...), 40 * ms, ""},
		{"two with the largest length", of(1, 2, append([]byte{255, 255}, b(1275+1275)...)...), 40 * ms, ""},
		{"two, the second larger than may be", of(1, 2, append([]byte{0}, b(1276)...)...), 0, "1275 bytes"},
		{"many without a number", of(1, 3), 0, "truncated"},
		{"no frames", of(1, 3, 0), 0, "0 frames"},
		{"all frames", of(16, 3, MaxFrames), 120 * ms, ""},
		{"a frame more", of(16, 3, MaxFrames+1), 0, "49 frames"},
		{"three of the same size", many(3)(b(9)), 60 * ms, ""},
		{"three of the same size in 8 bytes", many(3)(b(8)), 0, "not 3 frames"},
		{"three and padding", many(3|0x40, 2)(b(9 + 2)), 60 * ms, ""},
		{"three and 254 bytes of padding", many(3|0x40, 255, 0)(b(9 + 254)), 60 * ms, ""},
		{"three and 509 bytes of padding", many(3|0x40, 255, 255, 1)(b(9 + 509)), 60 * ms, ""},
		{"three and too much padding", many(3|0x40, 10)(b(9)), 0, "truncated"},
		{"three and half a length of padding", many(3|0x40, 255)(nil), 0, "truncated"},
		{"three and no length of padding", many(3 | 0x40)(nil), 0, "truncated"},
		{"three of different size", many(3|0x80, 1, 2)(b(1 + 2 + 3)), 60 * ms, ""},
		{"three of different size, the second too long", many(3|0x80, 1, 2)(b(2)), 0, "truncated"},
		{"three of different size, half the lengths", many(3|0x80, 1)(nil), 0, "truncated"},
		{"three of different size, the last larger than may be", many(3|0x80, 0, 0)(b(1276)), 0, "1275 bytes"},
		{"three of different size and padding", many(3|0xc0, 1, 1, 2)(b(1 + 2 + 3 + 1)), 60 * ms, ""},
	} {
		got, err := Duration(r.packet)
		if got != r.want {
			t.Errorf("%s: %v, want %v", r.name, got, r.want)
		}
		if (err == nil) != (r.err == "") || err != nil && !strings.Contains(err.Error(), r.err) {
			t.Errorf("%s: the error is %v, want %q", r.name, err, r.err)
		}
	}
}

// The packets of an Ogg file are as long as ffmpeg was told to make them.
func TestFFmpegWritesPackets(t *testing.T) {
	for frame, want := range map[string]time.Duration{"2.5": 2500 * time.Microsecond, "20": 20 * time.Millisecond, "60": 60 * time.Millisecond, "120": 120 * time.Millisecond} {
		path := filepath.Join(t.TempDir(), "clip.ogg")
		testkit.FFmpeg(t, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "0.24", "-ac", "2",
			"-c:a", "libopus", "-frame_duration", frame, "-f", "ogg", path)
		ogg, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(ogg, []byte(magic))
		if at < 0 {
			t.Fatal("the file has no header")
		}
		if h, err := ParseHead(ogg[at:]); err != nil || h.Channels != 2 {
			t.Errorf("the header is %v, %v", h, err)
		}
		var total time.Duration
		packets := oggPackets(ogg)[2:] // behind header and comments
		for i, p := range packets {
			d, err := Duration(p)
			if err != nil || d != want {
				t.Errorf("packet %d of %d bytes is %v, %v; want %v", i, len(p), d, err, want)
			}
			total += d
		}
		if total < 240*time.Millisecond || total > 500*time.Millisecond {
			t.Errorf("%d packets of %s ms are %v", len(packets), frame, total)
		}
	}
}

// oggPackets takes an Ogg file apart (RFC 3533 section 6).
func oggPackets(b []byte) (packets [][]byte) {
	var packet []byte
	for len(b) >= 27 {
		table := b[27 : 27+int(b[26])]
		b = b[27+len(table):]
		for _, size := range table {
			packet = append(packet, b[:size]...)
			b = b[size:]
			if size < 255 {
				packets, packet = append(packets, packet), nil
			}
		}
	}
	return packets
}
