package aac

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lc is AAC-LC of so many channels without SBR, as ffmpeg's encoder says it.
func lc(hertz, channelConfig, channels int) Config {
	return Config{Type: TypeLC, Hertz: hertz, ChannelConfig: channelConfig, Channels: channels, Signal: Compatible}
}

// configs are those that ffmpeg 5.1 puts into FLV, and some that are made by hand
// from section 1.6.2.1.
var configs = []struct {
	name, config    string
	want            Config
	codec           string
	hertz, channels int // of what is decoded
	samples         int
	unwritten       bool // what is written is another one or none
}{
	{"mono", "120856e500", lc(44100, 1, 1), "mp4a.40.2", 44100, 1, 1024, false},
	{"stereo", "121056e500", lc(44100, 2, 2), "mp4a.40.2", 44100, 2, 1024, false},
	{"three", "121856e500", lc(44100, 3, 3), "mp4a.40.2", 44100, 3, 1024, false},
	{"four", "122056e500", lc(44100, 4, 4), "mp4a.40.2", 44100, 4, 1024, false},
	{"5.1", "123056e500", lc(44100, 6, 6), "mp4a.40.2", 44100, 6, 1024, false},
	{"7.1", "123856e500", lc(44100, 7, 8), "mp4a.40.2", 44100, 8, 1024, false},
	{"quad, as a layout", "12000504040021100d4c61766335392e33372e31303056e500", lc(44100, 0, 4), "mp4a.40.2", 44100, 4, 1024, true},
	{"hexagonal, as a layout", "1200050808002008840d4c61766335392e33372e31303056e500", lc(44100, 0, 6), "mp4a.40.2", 44100, 6, 1024, true},
	{"nothing said of SBR", "1190", Config{Type: TypeLC, Hertz: 48000, ChannelConfig: 2, Channels: 2}, "mp4a.40.2", 48000, 2, 1024, false},
	{"960 samples", "1194", Config{Type: TypeLC, Hertz: 48000, ChannelConfig: 2, Channels: 2, Short: true}, "mp4a.40.2", 48000, 2, 960, false},
	{"a core coder", "1193 fff8", Config{Type: TypeLC, Hertz: 48000, ChannelConfig: 2, Channels: 2, DependsOnCore: true, CoreDelay: 16383},
		"mp4a.40.2", 48000, 2, 1024, false},
	{"another frequency", "1780 5dc010", Config{Type: TypeLC, Hertz: 48000, ChannelConfig: 2, Channels: 2}, "mp4a.40.2", 48000, 2, 1024, true},
	{"a frequency without index", "1780 5dc110", Config{Type: TypeLC, Hertz: 48002, ChannelConfig: 2, Channels: 2}, "mp4a.40.2", 48002, 2, 1024, false},
	{"the largest frequency", "17ff ffff90", Config{Type: TypeLC, Hertz: MaxHertz, ChannelConfig: 2, Channels: 2}, "mp4a.40.2", MaxHertz, 2, 1024, false},
	{"SBR first", "2b118800", Config{Type: TypeLC, Hertz: 24000, ChannelConfig: 2, Channels: 2, Signal: Hierarchical, SBR: true, SBRHertz: 48000},
		"mp4a.40.5", 48000, 2, 2048, false},
	{"SBR and PS first", "eb098800", Config{Type: TypeLC, Hertz: 24000, ChannelConfig: 1, Channels: 1, Signal: Hierarchical, SBR: true, PS: true, SBRHertz: 48000},
		"mp4a.40.29", 48000, 2, 2048, false},
	{"SBR last", "131056e59d4880", Config{Type: TypeLC, Hertz: 24000, ChannelConfig: 2, Channels: 2, Signal: Compatible, SBR: true, PS: true, SBRHertz: 48000},
		"mp4a.40.2", 48000, 2, 2048, false},
	{"SBR last, without a word of PS", "131056e598", Config{Type: TypeLC, Hertz: 24000, ChannelConfig: 2, Channels: 2, Signal: Compatible, SBR: true, SBRHertz: 48000},
		"mp4a.40.2", 48000, 2, 2048, true},
	{"SBR that is cut off", "131056e5", Config{Type: TypeLC, Hertz: 24000, ChannelConfig: 2, Channels: 2}, "mp4a.40.2", 24000, 2, 1024, true},
	{"SBR without a frequency", "131056e580", Config{Type: TypeLC, Hertz: 24000, ChannelConfig: 2, Channels: 2, Signal: Compatible, SBR: true, SBRHertz: 96000},
		"mp4a.40.2", 96000, 2, 1024, true},
	{"SBR at the same rate", "2b918800", Config{Type: TypeLC, Hertz: 22050, ChannelConfig: 2, Channels: 2, Signal: Hierarchical, SBR: true, SBRHertz: 48000},
		"mp4a.40.5", 48000, 2, 1024, false},
	{"6.1", "11d8", Config{Type: TypeLC, Hertz: 48000, ChannelConfig: 11, Channels: 7}, "mp4a.40.2", 48000, 7, 1024, false},
	{"22.2", "11e8", Config{Type: TypeLC, Hertz: 48000, ChannelConfig: 13, Channels: 24}, "mp4a.40.2", 48000, 24, 1024, false},
	{"Main", "0990", Config{Type: TypeMain, Hertz: 48000, ChannelConfig: 2, Channels: 2}, "mp4a.40.1", 48000, 2, 1024, false},
	{"LTP", "2190", Config{Type: TypeLTP, Hertz: 48000, ChannelConfig: 2, Channels: 2}, "mp4a.40.4", 48000, 2, 1024, false},
	{"scalable, of which the core is read", "3190 00", Config{Type: 6, Hertz: 48000, ChannelConfig: 2, Channels: 2}, "mp4a.40.6", 48000, 2, 1024, true},
	{"LD", "b994 00", Config{Type: TypeLD, Hertz: 48000, ChannelConfig: 2, Channels: 2, Short: true}, "mp4a.40.23", 48000, 2, 480, true},
	{"LD with resilience", "b991 f0", Config{Type: TypeLD, Hertz: 48000, ChannelConfig: 2, Channels: 2}, "mp4a.40.23", 48000, 2, 512, true},
	{"BSAC", "b191 000000", Config{Type: 22, Hertz: 48000, ChannelConfig: 2, Channels: 2}, "mp4a.40.22", 48000, 2, 1024, true},
	{"ELD", "f8e6 40", Config{Type: TypeELD, Hertz: 48000, ChannelConfig: 2, Channels: 2}, "mp4a.40.39", 48000, 2, 512, true},
	{"USAC", "f946 40", Config{Type: 42, Hertz: 48000, ChannelConfig: 2, Channels: 2}, "mp4a.40.42", 48000, 2, 0, true},
}

func TestConfigs(t *testing.T) {
	for _, r := range configs {
		t.Run(r.name, func(t *testing.T) {
			config := unhex(t, r.config)
			c, err := ParseConfig(config)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r.want, *c); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := c.Name(); got != r.codec {
				t.Errorf("the codec string is %s, want %s", got, r.codec)
			}
			if c.OutputHertz() != r.hertz || c.OutputChannels() != r.channels || c.FrameSamples() != r.samples {
				t.Errorf("decoded it is %d hertz, %d channels, %d samples a frame", c.OutputHertz(), c.OutputChannels(), c.FrameSamples())
			}
			again, err := c.Append([]byte{7})
			if r.unwritten {
				if d, bad := ParseConfig(again[min(1, len(again)):]); err == nil && (bad != nil || !cmp.Equal(c, d)) {
					t.Errorf("written again it is read as %v, %v", d, bad)
				}
				return
			}
			if diff := cmp.Diff(append([]byte{7}, config...), again); err != nil || diff != "" {
				t.Errorf("written again: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestTruncatedConfigs(t *testing.T) {
	for _, r := range configs {
		config := unhex(t, r.config)
		for n := range config {
			c, err := ParseConfig(config[:n:n])
			if err == nil && (n < 2 || c.Type != r.want.Type || c.Hertz != r.want.Hertz || c.Channels != r.want.Channels) {
				t.Errorf("%s: %d of %d bytes are %v", r.name, n, len(config), c)
			}
		}
	}
}

func TestBadConfigs(t *testing.T) {
	for config, want := range map[string]string{
		"":                    "truncated",
		"11":                  "truncated",
		"1680":                "index 13 is reserved",
		"1700":                "index 14 is reserved",
		"1780000010":          "frequency of 0",
		"11c0":                "channel configuration 8 is reserved",
		"11f8":                "channel configuration 15 is reserved",
		"0190":                "type 0 is no core",
		"2b118000":            "type 0 is no core",
		"2b119400":            "type 5 is no core",
		"1180 0400 0000 0000": "no channels",
		"1180 0404":           "truncated",
	} {
		c, err := ParseConfig(unhex(t, config))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want the error %q", config, c, err, want)
		}
	}
}

func TestLC(t *testing.T) {
	for channels, want := range map[int]string{1: "1188", 2: "1190", 3: "1198", 4: "11a0", 5: "11a8", 6: "11b0", 8: "11b8"} {
		c, err := LC(48000, channels)
		if err != nil {
			t.Errorf("%d channels: %v", channels, err)
			continue
		}
		if got, err := c.Append(nil); err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%d channels: %x, %v; want %s", channels, got, err, want)
		}
	}
	for _, r := range [][2]int{{48000, 0}, {48000, 7}, {48000, 9}, {48000, -1}, {0, 2}, {-1, 2}, {MaxHertz + 1, 2}} {
		if c, err := LC(r[0], r[1]); err == nil {
			t.Errorf("%d hertz and %d channels are %v", r[0], r[1], c)
		}
	}
}

func TestWhatIsNotWritten(t *testing.T) {
	good, err := LC(48000, 2)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"a type with resilience":     func(c *Config) { c.Type = 17 },
		"a layout":                   func(c *Config) { c.ChannelConfig = 0 },
		"a reserved channel":         func(c *Config) { c.ChannelConfig = 15 },
		"a long delay":               func(c *Config) { c.CoreDelay = 1 << 14 },
		"SBR without a signal":       func(c *Config) { c.SBR, c.SBRHertz = true, 96000 },
		"PS without SBR":             func(c *Config) { c.PS = true },
		"a signal first without SBR": func(c *Config) { c.Signal = Hierarchical },
		"SBR without a frequency":    func(c *Config) { c.Signal, c.SBR = Compatible, true },
	} {
		c := *good
		change(&c)
		if b, err := c.Append(nil); err == nil {
			t.Errorf("%s is written as %x", name, b)
		}
	}
}
