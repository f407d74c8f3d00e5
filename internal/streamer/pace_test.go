package streamer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const ms = time.Millisecond

// step is a sample that comes some time after the one before has passed.
type step struct {
	after, dts time.Duration
	at         time.Duration // when it must pass, since the start
	due        time.Duration // for when it was due
}

func TestPace(t *testing.T) {
	for _, tt := range []struct {
		name  string
		free  bool
		steps []step
	}{
		{"as it comes in time", false, []step{{0, 0, 0, 0}, {0, 40 * ms, 40 * ms, 40 * ms}, {0, 80 * ms, 80 * ms, 80 * ms}}},
		{"a first time that is not 0", false, []step{{0, time.Hour, 0, 0}, {0, time.Hour + 40*ms, 40 * ms, 40 * ms}}},
		{"a time below 0", false, []step{{0, -time.Second, 0, 0}, {0, 0, time.Second, time.Second}}},
		{"free", true, []step{{0, 0, 0, 0}, {0, time.Hour, 0, 0}, {5 * ms, 0, 5 * ms, 5 * ms}}},
		{"a late one goes at once", false, []step{{0, 0, 0, 0}, {500 * ms, 40 * ms, 500 * ms, 40 * ms}, {0, 400 * ms, 500 * ms, 400 * ms}, {0, 600 * ms, 600 * ms, 600 * ms}}},
		{"as late as may be", false, []step{{0, 0, 0, 0}, {MaxLate, 0, MaxLate, 0}}},
		{"a pause of the source", false, []step{{0, 0, 0, 0}, {MaxLate + 40*ms + 1, 40 * ms, MaxLate + 40*ms + 1, MaxLate + 40*ms + 1}, {0, 80 * ms, MaxLate + 80*ms + 1, MaxLate + 80*ms + 1}}},
		{"tracks that are not interleaved exactly", false, []step{{0, 500 * ms, 0, 0}, {0, 0, 0, -500 * ms}, {0, 540 * ms, 40 * ms, 40 * ms}}},
		{"times that begin again", false, []step{{0, time.Hour, 0, 0}, {0, 0, 0, 0}, {0, 40 * ms, 40 * ms, 40 * ms}}},
		{"a long rest", false, []step{{0, 0, 0, 0}, {0, MaxHole, MaxHole, MaxHole}}},
		{"a hole", false, []step{{0, 0, 0, 0}, {0, MaxHole + 1, 0, 0}, {0, MaxHole + 1 + 40*ms, 40 * ms, 40 * ms}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pacer{free: tt.free}
				began := time.Now()
				for i, s := range tt.steps {
					if s.after > 0 {
						<-time.After(s.after)
					}
					late := max(0, time.Since(began)-s.due)
					due := testkit.Must(p.wait(t.Context(), s.dts))(t)
					if at := time.Since(began); at != s.at || due.Sub(began) != s.due {
						t.Errorf("sample %d passed at %v, due at %v; want %v, %v", i, at, due.Sub(began), s.at, s.due)
					}
					if !tt.free && p.lag() != late {
						t.Errorf("sample %d has lag %v, want %v", i, p.lag(), late)
					}
				}
			})
		})
	}
}

func TestPaceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		enough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(enough) })
		var p pacer
		testkit.Must(p.wait(ctx, 0))(t)
		_, err := p.wait(ctx, 5*time.Second)
		testkit.ErrIs(t, err, enough)
	})
}

// TestClock: rounds follow each other without a gap, and every sample has a
// duration.
func TestClock(t *testing.T) {
	video, audio := &media.Format{Codec: media.H264}, &media.Format{Codec: media.AAC}
	var c clock
	for i, tt := range []struct {
		format        *media.Format
		again         bool
		dts, duration time.Duration
		want, takes   time.Duration
	}{
		{video, false, 100 * ms, 0, 100 * ms, guess},
		{audio, false, 100 * ms, 21 * ms, 100 * ms, 21 * ms},
		{video, false, 140 * ms, 0, 140 * ms, 40 * ms},
		{video, false, 140 * ms, 0, 140 * ms, 40 * ms}, // a time twice
		{audio, false, 121 * ms, 21 * ms, 121 * ms, 21 * ms},
		{audio, true, 100 * ms, 21 * ms, 180 * ms, 21 * ms}, // 140 and 40
		{video, false, 100 * ms, 0, 180 * ms, 40 * ms},
		{video, false, 200 * ms, 0, 280 * ms, 100 * ms},
		{video, true, 100 * ms, 0, 380 * ms, 100 * ms},
		{video, false, time.Hour, 0, time.Hour + 280*ms, 100 * ms}, // a hole is no duration
	} {
		if tt.again {
			c.rewind()
		}
		s := &media.Sample{Format: tt.format, DTS: tt.dts, PTS: tt.dts + 7*ms, Duration: tt.duration}
		c.set(s)
		if s.DTS != tt.want || s.PTS != tt.want+7*ms || s.Duration != tt.takes {
			t.Errorf("sample %d: %v, %v for %v; want %v, %v", i, s.DTS, s.PTS, s.Duration, tt.want, tt.takes)
		}
	}
	if got, want := c.elapsed(), time.Hour+180*ms; got != want {
		t.Errorf("elapsed %v, want %v", got, want)
	}
}
