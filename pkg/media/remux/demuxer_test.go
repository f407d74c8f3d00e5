package remux

import (
	"bytes"
	"io"
	"os"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/flv"
)

// samples reads all samples of a file in memory.
func samples(t testing.TB, d *Demuxer) []*media.Sample {
	t.Helper()
	if d.Warn == nil {
		d.Warn = func(err error) { t.Errorf("warning: %v", err) }
	}
	var all []*media.Sample
	for {
		s, err := d.Next()
		if err == io.EOF {
			return all
		}
		testkit.NoErr(t, err)
		all = append(all, s)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	return testkit.Must(os.ReadFile(path))(t)
}

// mux writes samples to a file and returns its path.
func mux(t testing.TB, opts MuxerOptions, all []*media.Sample) string {
	t.Helper()
	f := testkit.Must(os.Create(t.TempDir() + "/muxed.flv"))(t)
	m := NewMuxer(f, opts)
	for _, s := range all {
		testkit.NoErr(t, m.Write(s))
	}
	testkit.NoErr(t, m.Close())
	testkit.NoErr(t, f.Close())
	return f.Name()
}

// TestClips: what ffmpeg wrote has the same packets after demuxing and muxing, and
// decodes.
func TestClips(t *testing.T) {
	for _, row := range []struct {
		name string
		clip testkit.Clip
	}{
		{"baseline, stereo", testkit.Clip{Seconds: 1}},
		{"B-frames, mono at 44100", testkit.Clip{Seconds: 1, BFrames: 2, GOP: 10, Hertz: 44100, Channels: 1}},
		{"audio only", testkit.Clip{Seconds: 1, NoVideo: true}},
		{"video only, 60 pictures a second", testkit.Clip{Seconds: 1, NoAudio: true, Rate: 60}},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := row.clip.File(t)
			want := testkit.Packets(t, path)
			d := NewDemuxer(flv.NewReader(bytes.NewReader(read(t, path))))
			all := samples(t, d)
			for i, s := range all {
				p := want[i]
				if s.Format.Codec.Kind().String() != p.Kind || s.PTS != p.PTS || s.DTS != p.DTS || s.Key != p.Key || len(s.Data) != p.Size {
					t.Fatalf("sample %d is %v %v %v %v %d, ffprobe says %+v", i, s.Format.Codec, s.PTS, s.DTS, s.Key, len(s.Data), p)
				}
			}
			testkit.Equal(t, d.Counts(), Counts{})
			for _, seekable := range []bool{false, true} {
				out := mux(t, MuxerOptions{Video: !row.clip.NoVideo, Audio: !row.clip.NoAudio, Seekable: seekable}, all)
				testkit.Equal(t, testkit.Packets(t, out), want)
				testkit.Decodes(t, out)
			}
		})
	}
}

// TestJoinedClips: files of different size and sound, joined as they are, become one
// whose times go on, and which decodes.
func TestJoinedClips(t *testing.T) {
	first := testkit.Clip{Seconds: 1, BFrames: 2}.File(t)
	second := testkit.Clip{Seconds: 1, Size: "160x90", Hertz: 44100, Channels: 1}.File(t)
	joined := append(read(t, first), read(t, second)...)
	d := NewDemuxer(flv.NewReader(bytes.NewReader(joined)))
	all := samples(t, d)
	testkit.Equal(t, d.Counts(), Counts{Restarts: 1})
	packets := append(testkit.Packets(t, first), testkit.Packets(t, second)...)
	testkit.Equal(t, len(all), len(packets))
	last := map[media.Kind]*media.Sample{}
	formats := map[media.Kind]int{}
	for i, s := range all {
		kind := s.Format.Codec.Kind()
		before := last[kind]
		if before == nil || before.Format != s.Format {
			formats[kind]++
		}
		if before != nil && (s.DTS < before.DTS || s.DTS > before.DTS+200*time.Millisecond || s.Seq != before.Seq+1) {
			t.Errorf("%v %d at %v comes after %d at %v", kind, s.Seq, s.DTS, before.Seq, before.DTS)
		}
		if len(s.Data) != packets[i].Size || s.PTS-s.DTS != packets[i].PTS-packets[i].DTS {
			t.Errorf("sample %d is not that of its file", i)
		}
		last[kind] = s
	}
	testkit.Equal(t, formats, map[media.Kind]int{media.Video: 2, media.Audio: 2})
	out := mux(t, MuxerOptions{Video: true, Audio: true, Seekable: true}, all)
	testkit.Equal(t, len(testkit.Packets(t, out)), len(packets))
	testkit.Decodes(t, out)
}

// TestWrapOfFFmpeg: ffmpeg writes times of 31 bits, which begin anew in the middle
// of this clip.
func TestWrapOfFFmpeg(t *testing.T) {
	path := testkit.Clip{Seconds: 1, BFrames: 2, Offset: (1<<31 - 500) * time.Millisecond}.File(t)
	d := NewDemuxer(flv.NewReader(bytes.NewReader(read(t, path))))
	all := samples(t, d)
	testkit.Equal(t, d.Counts(), Counts{})
	last := map[media.Kind]time.Duration{}
	for _, s := range all {
		kind := s.Format.Codec.Kind()
		if before, ok := last[kind]; ok && (s.DTS <= before || s.DTS > before+50*time.Millisecond) {
			t.Errorf("%v at %v comes after %v", kind, s.DTS, before)
		}
		last[kind] = s.DTS
	}
	if end := last[media.Video]; end < 1<<31*time.Millisecond {
		t.Errorf("the last picture is at %v", end)
	}
	testkit.Decodes(t, mux(t, MuxerOptions{Video: true, Audio: true}, all))
}

// TestWrapOf32Bits: what a Muxer wrote over the wrap of 32 bits is read as it was,
// and decodes.
func TestWrapOf32Bits(t *testing.T) {
	all := samples(t, NewDemuxer(flv.NewReader(bytes.NewReader(read(t, testkit.Clip{Seconds: 1, BFrames: 2}.File(t))))))
	for _, s := range all {
		s.DTS += (1<<32 - 500) * time.Millisecond
		s.PTS += (1<<32 - 500) * time.Millisecond
	}
	path := mux(t, MuxerOptions{Video: true, Audio: true}, all)
	again := samples(t, NewDemuxer(flv.NewReader(bytes.NewReader(read(t, path)))))
	testkit.Equal(t, again, all)
	testkit.Decodes(t, path)
}

// TestCutClip: a file that is cut gives what is whole, and then the place.
func TestCutClip(t *testing.T) {
	b := read(t, testkit.Clip{Seconds: 0.5}.File(t))
	b = b[:len(b)*2/3]
	d := NewDemuxer(flv.NewReader(bytes.NewReader(b)))
	n := 0
	for {
		_, err := d.Next()
		if err != nil {
			testkit.Equal(t, testkit.ErrAs[*flv.TruncatedError](t, err).Offset, int64(len(b)))
			break
		}
		n++
	}
	if n < 10 {
		t.Errorf("%d samples", n)
	}
}
