package text

import (
	"math"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/model"
)

// spoken is a frame of audio that was captured, by its packaging.
func spoken(t *testing.T, n packaging.Name, captured time.Time) model.Object {
	t.Helper()
	packer, err := packaging.NewPacker(n, media.Audio, packaging.Options{})
	testkit.NoErr(t, err)
	s := &media.Sample{
		Format: &media.Format{Codec: media.Opus, Name: "opus", SampleRate: 48000, Channels: 2},
		PTS:    time.Minute, DTS: time.Minute, Duration: 20 * time.Millisecond, Key: true, Captured: captured, Data: []byte{0xfc, 1, 2},
	}
	props, payload, err := packer.Pack(s)
	testkit.NoErr(t, err)
	return model.Object{Properties: props, Payload: payload}
}

func TestClock(t *testing.T) {
	captured := time.UnixMilli(1767323045123)
	stamp := func(ticks uint64, more ...model.Property) model.Object {
		return model.Object{Payload: []byte("said"), Properties: append(more, model.Property{Type: locTimestamp, Int: ticks})}
	}
	media := model.Some(time.Minute)
	for _, tt := range []struct {
		name string
		o    model.Object
		want times
	}{
		{"no properties", model.Object{Payload: []byte("12")}, times{}},
		{"MoQMi", spoken(t, packaging.MoQMi, captured), times{captured, media, true}},
		{"MoQMi without wallclock", spoken(t, packaging.MoQMi, time.Time{}), times{time.Time{}, media, true}},
		{"LOC with a timescale is media time", spoken(t, packaging.LOC, captured), times{time.Time{}, media, true}},
		{"LOC without is the wall clock, for any payload", stamp(uint64(captured.UnixMicro())), times{captured: captured}},
		{"a timescale and any payload", stamp(60, model.Property{Type: locTimescale, Int: 1}), times{}},
		{"media time without its timescale", stamp(5_000_000), times{}},
		{"no time at all", stamp(math.MaxUint64), times{}},
		{"other properties", model.Object{Properties: model.Properties{{Type: 0x3c, Int: 7}}}, times{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := new(clock).read(&tt.o)
			if !got.captured.Equal(tt.want.captured) || got.media != tt.want.media || got.key != tt.want.key {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestClockFindsItsPackaging although other objects come before, and looks for
// none for ever.
func TestClockFindsItsPackaging(t *testing.T) {
	other := model.Object{Properties: model.Properties{{Type: 0x3c, Int: 7}}}
	for _, tt := range []struct {
		before int
		found  bool
	}{{clockTries - 1, true}, {clockTries, false}} {
		var c clock
		for range tt.before {
			c.read(&other)
		}
		o := spoken(t, packaging.MoQMi, time.Time{})
		testkit.Equal(t, c.read(&o).media.Set, tt.found)
		for range 2 * clockTries {
			c.read(&other)
		}
		testkit.Equal(t, c.read(&o).media.Set, tt.found)
	}
}

func FuzzClock(f *testing.F) {
	f.Add(uint64(0x0a), uint64(1), uint64(0x0f), []byte{1, 2, 3, 4, 5, 6, 7}, []byte{0xfc})
	f.Add(locTimestamp, uint64(1767323045123000), uint64(0x0d), []byte{1, 66, 0, 30, 255}, []byte{0, 0, 0, 1, 0x65})
	f.Fuzz(func(t *testing.T, even, value, odd uint64, b, payload []byte) {
		var c clock
		o := model.Object{Properties: model.Properties{{Type: even &^ 1, Int: value}, {Type: odd | 1, Bytes: b}}, Payload: payload}
		for range 2 {
			if y := c.read(&o).captured.UTC().Year(); y != 1 && (y < clockBegins || y > clockEnds) {
				t.Errorf("captured in the year %d", y)
			}
		}
	})
}
