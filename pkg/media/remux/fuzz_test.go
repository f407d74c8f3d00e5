package remux

import (
	"bytes"
	"io"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/flv"
)

// FuzzDemuxer: whatever comes, samples are of a known format, count on and never go
// back, and what can be written is read as the same data.
func FuzzDemuxer(f *testing.F) {
	whole := newFile(f)
	whole.avcC(avcC(f, 2, 1))
	whole.asc(asc(f, 48000, 2))
	whole.picture(0xffffffe0, true, 40)
	whole.sound(0xfffffff0)
	whole.begin()
	whole.avcC(avcC(f, 4, 1))
	whole.picture(0, true, -40)
	whole.sound(5000)
	whole.sound(0)
	f.Add(whole.Bytes())
	enhanced := newFile(f)
	enhanced.video(0, flv.VideoTag{FrameType: flv.KeyFrame, Codec: flv.AV1, Packet: flv.SequenceStart, Data: []byte{0x81, 0, 0, 0}})
	enhanced.video(0, flv.VideoTag{FrameType: flv.KeyFrame, Codec: flv.AV1, Packet: flv.Frames, Data: []byte{0x12, 0}})
	enhanced.audio(0, flv.AudioTag{Codec: flv.Opus, Packet: flv.SequenceStart})
	enhanced.audio(0, flv.AudioTag{Codec: flv.Opus, Packet: flv.Frames, Data: []byte{0xfc, 1}})
	f.Add(enhanced.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		d := NewDemuxer(flv.NewReader(bytes.NewReader(b), flv.Tolerant()))
		var out bytes.Buffer
		m := NewMuxer(&out, MuxerOptions{Video: true, Audio: true})
		var wrote []*media.Sample
		next := map[media.Kind]uint64{}
		last := map[media.Kind]time.Duration{}
		for {
			s, err := d.Next()
			if err != nil {
				break
			}
			kind := s.Format.Codec.Kind()
			if !s.HasSeq || s.Seq != next[kind] || s.DTS < last[kind] || s.PTS < 0 || len(s.Data) == 0 || s.Duration < 0 {
				t.Fatalf("%+v after number %d at %v", s, next[kind], last[kind])
			}
			next[kind]++
			last[kind] = s.DTS
			if m.Write(s) == nil {
				wrote = append(wrote, s)
			}
		}
		testkit.NoErr(t, m.Close())
		again := NewDemuxer(flv.NewReader(&out))
		for i := 0; ; i++ {
			s, err := again.Next()
			if err == io.EOF && i == len(wrote) {
				return
			}
			testkit.NoErr(t, err)
			if !s.Format.Same(wrote[i].Format) && s.Format.Codec != media.Opus ||
				!bytes.Equal(s.Data, wrote[i].Data) && !bytes.Equal(s.Data, withSets(wrote[i])) || s.Key != wrote[i].Key {
				t.Fatalf("sample %d was %+v and is %+v", i, wrote[i], s)
			}
		}
	})
}
