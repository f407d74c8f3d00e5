package streamer

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/moqt"
)

// newOutput returns a track for samples, without a relay.
func newOutput(t *testing.T, kind media.Kind, opts ...moqt.TrackOption) *output {
	t.Helper()
	w := testkit.Must(moqt.NewTrackMux().PublishTrack(t.Context(), moqt.Track("live", "x"), opts...))(t)
	t.Cleanup(func() { _ = w.Close() })
	return &output{
		name: "x", kind: kind, writer: w, packer: testkit.Must(packaging.NewPacker(packaging.MoQMi, kind, packaging.Options{}))(t),
		span: time.Second, log: slog.New(slog.DiscardHandler), frame: moqt.NewFrame(0),
	}
}

// TestWrite: which samples are published, and where groups begin.
func TestWrite(t *testing.T) {
	key := func(dts time.Duration) *media.Sample { return picture(small, dts, dts, true) }
	inter := func(dts time.Duration) *media.Sample { return picture(small, dts, dts, false) }
	before := picture(small, 40*ms, -time.Second, false) // of which the PTS cannot be written
	keyBefore := picture(small, 40*ms, -time.Second, true)
	for _, tt := range []struct {
		name    string
		kind    media.Kind
		samples []*media.Sample
		want    counts // without bytes and group
	}{
		{"pictures", media.Video, []*media.Sample{key(0), inter(40 * ms), key(80 * ms), inter(120 * ms)}, counts{Groups: 2, Objects: 4, Object: 1}},
		{"before the first key", media.Video, []*media.Sample{inter(0), inter(40 * ms), key(80 * ms)}, counts{Groups: 1, Objects: 1, Dropped: 2}},
		{"a format without a key", media.Video, []*media.Sample{key(0), picture(second, 40*ms, 40*ms, false), inter(80 * ms), key(120 * ms)},
			counts{Groups: 2, Objects: 2, Dropped: 2}},
		{"a format with a key", media.Video, []*media.Sample{key(0), picture(second, 40*ms, 40*ms, true), picture(second, 80*ms, 80*ms, false)},
			counts{Groups: 2, Objects: 3, Object: 1}},
		{"a picture that cannot be packed", media.Video, []*media.Sample{key(0), before, inter(80 * ms), key(120 * ms)}, counts{Groups: 2, Objects: 2, Dropped: 2}},
		{"a key that cannot be packed", media.Video, []*media.Sample{key(0), keyBefore, inter(80 * ms), key(120 * ms)}, counts{Groups: 2, Objects: 2, Dropped: 2}},
		{"sound", media.Audio, []*media.Sample{tone(0), tone(500 * ms), tone(time.Second), tone(time.Second + ms)}, counts{Groups: 2, Objects: 4, Object: 1}},
		{"sound that goes back", media.Audio, []*media.Sample{tone(time.Second), tone(0)}, counts{Groups: 2, Objects: 2}},
		{"sound that cannot be packed", media.Audio, []*media.Sample{tone(0), tone(-time.Second), tone(ms)}, counts{Groups: 1, Objects: 2, Object: 1, Dropped: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOutput(t, tt.kind)
			for _, s := range tt.samples {
				testkit.NoErr(t, o.write(s))
			}
			got := o.counts()
			if l, ok := o.writer.Largest(); !ok || l.Group != got.Group || l.Object != got.Object {
				t.Errorf("the last object is %v, want %d/%d", l, got.Group, got.Object)
			}
			got.Bytes, got.Group, got.Codec = 0, 0, ""
			testkit.Equal(t, got, tt.want)
			o.end()
			if o.writer.Context().Err() == nil {
				t.Error("the track has not ended")
			}
		})
	}
}

// TestLongGroup: a group for which the log has no room loses its beginning, and
// goes on.
func TestLongGroup(t *testing.T) {
	o := newOutput(t, media.Video, moqt.Keep(2, 1<<16))
	const n = 2000
	for i := range n {
		s := picture(small, time.Duration(i)*frameTime, time.Duration(i)*frameTime, i == 0)
		s.Data = append(s.Data, make([]byte, 1000)...)
		testkit.NoErr(t, o.write(s))
	}
	if c := o.counts(); c.Objects != n || c.Groups != 1 || c.Dropped != 0 {
		t.Errorf("%+v", c)
	}
	testkit.NoErr(t, o.write(picture(small, time.Hour, time.Hour, true)))
	o.end()
}

// TestEndedTrack: who writes to a track that has ended hears of it.
func TestEndedTrack(t *testing.T) {
	for _, begun := range []bool{true, false} {
		t.Run(fmt.Sprint(begun), func(t *testing.T) {
			o := newOutput(t, media.Video)
			if begun {
				testkit.NoErr(t, o.write(picture(small, 0, 0, true)))
			}
			testkit.NoErr(t, o.writer.Close())
			testkit.ErrIs(t, o.write(picture(small, frameTime, frameTime, !begun)), moqt.ErrClosed)
		})
	}
}

// slice is a source of samples in memory.
type slice struct {
	samples []*media.Sample
	err     error
}

func (s *slice) Next() (*media.Sample, error) {
	if len(s.samples) == 0 {
		return nil, s.err
	}
	first := s.samples[0]
	s.samples = s.samples[1:]
	return first, nil
}

// TestLook reads until both kinds are known, or enough was read.
func TestLook(t *testing.T) {
	all := clip(small, 0, 2*time.Second)
	long := make([]*media.Sample, 2*MaxProbeSamples)
	for i := range long {
		long[i] = tone(0)
	}
	for _, tt := range []struct {
		name    string
		samples []*media.Sample
		want    int
	}{
		{"both at once", all, 2},
		{"one kind only", only(media.Video, all), 14}, // 0 to 520 ms
		{"a late one", later(), 14},
		{"no time", long, MaxProbeSamples},
		{"a short one", all[:1], 1},
		{"none", nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := look(&slice{tt.samples, context.Canceled})
			if len(p.head) != tt.want {
				t.Errorf("%d samples were read, want %d", len(p.head), tt.want)
			}
			for i, want := range tt.samples {
				if got := testkit.Must(p.Next())(t); got != want {
					t.Fatalf("sample %d is another", i)
				}
			}
			for range 2 {
				_, err := p.Next()
				testkit.ErrIs(t, err, context.Canceled)
			}
		})
	}
}
