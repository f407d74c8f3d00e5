package receiver

import (
	"encoding/binary"
	"testing"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/model"
)

// FuzzTimeline: whatever comes, each track's times grow, no picture goes out that
// cannot be decoded, nothing is counted twice or not at all, and what waits stays
// within the limits.
func FuzzTimeline(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x01\x10\x00\x00\x02\x20\x00\x00"))
	f.Add([]byte("\x80\xff\xff\xff\x01\x10\x00\x00\x42\x20\x30\x00\x07\x00\x00\x00\x01\x90\x05\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		last := map[media.Kind]time.Duration{media.Video: -1, media.Audio: -1}
		intact := false // the next picture can be decoded
		var wantSeq uint64
		tl := NewTimeline(DefaultHold, func(s *media.Sample) {
			k := s.Format.Codec.Kind()
			if s.DTS.Round(tick) <= last[k].Round(tick) && last[k] >= 0 || s.DTS < 0 || s.PTS < 0 {
				t.Fatalf("%v goes from %v to %v, shown at %v", k, last[k], s.DTS, s.PTS)
			}
			last[k] = s.DTS
			if k != media.Video {
				return
			}
			if !s.Key && (!intact || s.Seq != wantSeq) {
				t.Fatalf("picture %d at %v cannot be decoded; wanted %d", s.Seq, s.DTS, wantSeq)
			}
			intact, wantSeq = true, s.Seq+1
		})
		now := time.Unix(0, 0)
		came := map[media.Kind]uint64{}
		at := map[media.Kind]model.Location{}
		seq := map[media.Kind]uint64{}
		for len(in) >= 4 {
			op, a, b := in[0], in[1], int16(binary.BigEndian.Uint16(in[2:]))
			in = in[4:]
			k := media.Video
			if op&1 != 0 {
				k = media.Audio
			}
			switch op >> 1 & 15 {
			case 0:
				tl.Open(k, now)
			case 1:
				tl.Close(k, now)
			case 2:
				tl.Lose(k)
				seq[k]++
			case 3:
				tl.Renew(k)
				at[k] = model.Location{}
			case 4, 5, 6:
				now = now.Add(time.Duration(a) * 10 * time.Millisecond)
				tl.Expire(now)
			default:
				s := &media.Sample{Format: sounds, Key: true, HasSeq: true, Data: make([]byte, a)}
				if k == media.Video {
					s.Format, s.Key = pictures, op&0x20 != 0
				}
				l := at[k]
				if l.Object++; s.Key {
					l = model.Location{Group: l.Group + 1}
				}
				if op&0x40 != 0 { // from elsewhere
					l.Group = uint64(a % 8)
				}
				at[k] = l
				s.DTS = time.Duration(b) * 20 * time.Millisecond
				if op&0x80 != 0 {
					s.DTS += wrap
				}
				s.PTS = s.DTS + time.Duration(int8(a))*time.Millisecond
				seq[k]++
				s.Seq = seq[k]
				came[k]++
				tl.Add(k, l, s, now, now)
			}
			if tl.heldTooMuch() {
				t.Fatalf("%d and %d wait", len(tl.lanes[0].queue), len(tl.lanes[1].queue))
			}
		}
		tl.Flush(now)
		for k, n := range came {
			c := tl.Counts(k)
			if sum := c.Written + c.Late + c.Duplicates + c.Skipped + c.Undecodable; sum != n {
				t.Errorf("%v: %d came, %d are counted: %+v", k, n, sum, c)
			}
		}
		if tl.Waiting(now.Add(time.Hour)) != 0 {
			t.Error("something waits after the end")
		}
	})
}

// TestTimelineLimits: floods go out before their time.
func TestTimelineLimits(t *testing.T) {
	for _, size := range []int{0, 1 << 20} {
		out := 0
		tl := NewTimeline(time.Hour, func(*media.Sample) { out++ })
		now := time.Unix(1000, 0)
		tl.Open(media.Video, now)
		tl.Open(media.Audio, now)
		data := make([]byte, size)
		for i := range MaxHeld + 10 {
			tl.Add(media.Audio, model.Location{Group: uint64(i)}, &media.Sample{
				Format: sounds, Key: true, DTS: time.Duration(i) * 20 * time.Millisecond, Data: data,
			}, now, now)
		}
		want := 10
		if size > 0 {
			want = MaxHeld + 10 - MaxHeldBytes/size
		}
		if out != want {
			t.Errorf("of %d bytes each %d went out, not %d", size, out, want)
		}
	}
}
