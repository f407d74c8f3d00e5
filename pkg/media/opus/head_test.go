package opus

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

// oggHead is the word with which a header begins.
const oggHead = "4f70757348656164 "

// heads are those that ffmpeg 5.1 makes with libopus, and two made by hand.
var heads = []struct {
	name, head string
	want       Head
}{
	{"mono", oggHead + "01 01 3801 80bb0000 0000 00", Head{Version: 1, Channels: 1, PreSkip: 312, SourceRate: 48000}},
	{"stereo", oggHead + "01 02 3801 80bb0000 0000 00", Head{Version: 1, Channels: 2, PreSkip: 312, SourceRate: 48000}},
	{"5.1", oggHead + "01 06 3801 80bb0000 0000 01 04 02 000401020305",
		Head{Version: 1, Channels: 6, PreSkip: 312, SourceRate: 48000, Family: 1, Streams: 4, Coupled: 2, Mapping: []byte{0, 4, 1, 2, 3, 5}}},
	{"a lower version, gain, silence", oggHead + "0f 02 ffff 00000000 00ff ff 01 00 00ff",
		Head{Version: 15, Channels: 2, PreSkip: 65535, Gain: -256, Family: 255, Streams: 1, Mapping: []byte{0, 255}}},
	{"all channels", oggHead + "01 ff 0000 ffffffff ff7f ff ff 00" + strings.Repeat("fe", MaxChannels),
		Head{Version: 1, Channels: MaxChannels, SourceRate: 1<<32 - 1, Gain: 32767, Family: 255, Streams: 255,
			Mapping: []byte(strings.Repeat("\xfe", MaxChannels))}},
}

func TestHeads(t *testing.T) {
	for _, r := range heads {
		t.Run(r.name, func(t *testing.T) {
			head := unhex(t, r.head)
			h, err := ParseHead(head)
			if diff := cmp.Diff(&r.want, h); err != nil || diff != "" {
				t.Fatalf("%v (-want +got):\n%s", err, diff)
			}
			again, err := h.Append([]byte{7})
			if diff := cmp.Diff(append([]byte{7}, head...), again); err != nil || diff != "" {
				t.Errorf("written again: %v (-want +got):\n%s", err, diff)
			}
			if more, err := ParseHead(append(head, 7)); err != nil || !cmp.Equal(h, more) {
				t.Errorf("with a byte behind it: %v, %v", more, err)
			}
			for n := range head {
				if h, err := ParseHead(head[:n:n]); err == nil {
					t.Errorf("%d of %d bytes are %v", n, len(head), h)
				}
			}
		})
	}
}

func TestBadHeads(t *testing.T) {
	for head, want := range map[string]string{
		"4f70757354616773 01 02 3801 80bb0000 0000 00":     "does not begin so",
		oggHead + "10 02 3801 80bb0000 0000 00":            "version 16",
		oggHead + "01 00 3801 80bb0000 0000 00":            "0 channels",
		oggHead + "01 03 3801 80bb0000 0000 00":            "3 channels need a mapping",
		oggHead + "01 00 3801 80bb0000 0000 01 01 01":      "0 channels",
		oggHead + "01 02 3801 80bb0000 0000 01 00 00 0001": "0 streams",
		oggHead + "01 02 3801 80bb0000 0000 01 01 02 0001": "1 streams with 2 in stereo",
		oggHead + "01 02 3801 80bb0000 0000 01 80 80 0001": "128 streams with 128 in stereo",
		oggHead + "01 02 3801 80bb0000 0000 01 01 01 0002": "channel 1 is that of no stream",
	} {
		if h, err := ParseHead(unhex(t, head)); h != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want the error %q", head, h, err, want)
		}
	}
}

func TestWhatIsNoHead(t *testing.T) {
	for _, h := range []Head{
		{Version: 1, Channels: 2, PreSkip: -1}, {Version: 1, Channels: 2, PreSkip: 1 << 16}, {Version: 1, Channels: MaxChannels + 1},
		{Version: 1, Channels: 2, Family: 1, Streams: 1, Coupled: 1, Mapping: []byte{0}}, {Channels: 2, Version: 255},
	} {
		if b, err := h.Append(nil); err == nil {
			t.Errorf("%v is written as %x", h, b)
		}
	}
	b, err := NewHead(2).Append(nil)
	if err != nil || hex.EncodeToString(b) != strings.ReplaceAll(oggHead+"01 02 0000 80bb0000 0000 00", " ", "") {
		t.Errorf("the header for stereo is %x, %v", b, err)
	}
}
