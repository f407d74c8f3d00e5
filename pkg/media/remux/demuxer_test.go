package remux

import (
	"bytes"
	"io"
	"os"
	"testing"

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
